"""Where quantities stand in a stage: the rows of their arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import And, Eq, Expr, Ge, Gt, Le, Lt, Symbol
from sympy.logic.boolalg import Boolean

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.system import T
from numeric.arrays.code import Code, Names, number_code
from numeric.arrays.library import Library
from numeric.program import Storage

STEP = "t"
"""The row of a step: its time less one."""


class Places(Names):
    """Names in a stage.

    Parameters
    ----------
    storages : the arrays.
    called   : what each is called in the source.
    clock    : the letter of the time.
    library  : how it is spelled.
    """

    def __init__(
        self, storages: Mapping[str, Storage], called: Callable[[str], str], clock: Symbol, library: Library
    ) -> None:
        self.storages = storages
        self.called = called
        self.clock = clock
        self.library = library
        self.sums: Callable[[e.SumOver], Code] | None = None
        """How sums over time are written."""

    def untimed(self, leaf: e.Var) -> Code:
        storage = self.storages[leaf.name]
        return Code(self.called(leaf.name), int(storage.batched), _axes(leaf))

    def over(self, node: e.SumOver) -> Code:
        if self.sums is None:
            raise MissingRuleError(f"{node} stands inside a step", hint="name it by an equation without time")
        return self.sums(node)

    def over_children(self, node: e.SumOverChildren) -> Code:
        raise MissingRuleError(f"{node} stands outside a tree")

    def timed(self, leaf: e.Timed) -> Code:
        if leaf.time.is_Integer or (leaf.time - T).is_Integer:
            return self.fixed(leaf)
        return self.moving(leaf)

    def moving(self, leaf: e.Timed) -> Code:
        """A quantity at a time that the stage goes through."""
        raise MissingRuleError(f"{leaf} has no fixed time here")

    def fixed(self, leaf: e.Timed) -> Code:
        """A quantity at a certain time: a row, counted from the start or from the end."""
        storage = self.storages[leaf.name]
        if leaf.time.is_Integer:
            row = str(int(leaf.time) - 1 + storage.before)
        else:
            row = str(int(leaf.time - T) - storage.after - 1)
        return Code(f"{self.called(leaf.name)}[{row}]", 1, _axes(leaf))

    def number(self, value: Expr) -> Code:
        if value.is_Piecewise:
            return Code(f"float({condition_code(value.args[0].cond, {})})", 0, 0)
        whole = value.is_Symbol or (value.is_Integer and value >= 0)
        return Code(number_code(value, {}), 0, 0, 6 if whole else 2)

    def offset(self, leaf: e.Timed, index: Symbol) -> int:
        distance = leaf.time - index
        if not distance.is_Integer:
            raise MissingRuleError(f"{leaf} is not at a fixed distance from {index}")
        return int(distance)


class Once(Places):
    """Outside of time."""


class Step(Places):
    """In a step of a loop."""

    def moving(self, leaf: e.Timed) -> Code:
        storage, name = self.storages[leaf.name], self.called(leaf.name)
        if storage.local:
            return Code(name, 1, _axes(leaf))
        row = self.offset(leaf, self.clock) + storage.before
        return Code(f"{name}[{STEP}{f' {chr(43) if row > 0 else chr(45)} {abs(row)}' if row else ''}]", 1, _axes(leaf))

    def number(self, value: Expr) -> Code:
        if not value.has(self.clock):
            return super().number(value)
        step = self.library.write("clock", t=STEP)
        if value.is_Piecewise:
            condition = condition_code(value.args[0].cond, {self.clock: step})
            return Code(self.library.write("truth", x=condition), 0, 0)
        return Code(number_code(value, {self.clock: step}), 0, 0, 2)


class Rows(Places):
    """At all times from ``lower`` to ``upper`` together, by an index of its own."""

    def __init__(self, outer: Places, index: Symbol, lower: Expr, upper: Expr) -> None:
        super().__init__(outer.storages, outer.called, outer.clock, outer.library)
        self.index = index
        self.lower, self.upper = lower, upper

    def moving(self, leaf: e.Timed) -> Code:
        storage = self.storages[leaf.name]
        shift = self.offset(leaf, self.index) + storage.before
        name = self.called(leaf.name)
        first = self.lower - 1 + shift
        last = self.upper + shift
        if first == 0 and last == T + storage.before + storage.after:
            return Code(name, 2, _axes(leaf))
        begin = "" if first == 0 else number_code(first, {})
        end = "" if last == T + storage.before + storage.after else number_code(last, {})
        return Code(f"{name}[{begin}:{end}]", 2, _axes(leaf))

    def number(self, value: Expr) -> Code:
        if not value.has(self.index):
            return super().number(value)
        first, last = number_code(self.lower, {}), number_code(self.upper + 1, {})
        times = f"{self.library.write('range', first=first, last=last)}[:, None]"
        if value.is_Piecewise:
            condition = value.args[0].cond
            return Code(self.library.write("cast", x=f"({condition_code(condition, {self.index: times})})"), 2, 0)
        return Code(number_code(value, {self.index: times}), 2, 0, 2)


def condition_code(condition: Boolean, letters: Mapping[Symbol, str]) -> str:
    """A condition on times or nodes, for one or for all of them."""
    parts = condition.args if isinstance(condition, And) else (condition,)
    return " & ".join(
        f"({number_code(part.lhs, letters)} {_SIGNS[type(part)]} {number_code(part.rhs, letters)})" for part in parts
    )


_SIGNS = {Eq: "==", Le: "<=", Ge: ">=", Lt: "<", Gt: ">"}


def _axes(leaf: e.Node) -> int:
    return sum(size != 1 for size in leaf.shape)


__all__ = ["STEP", "Once", "Places", "Rows", "Step"]
