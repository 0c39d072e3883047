"""Both passes of a cell in machine code, called like those that are generated for an array library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Expr, Integer, Symbol

from derive.errors import MissingRuleError
from derive.system import leaves
from numeric.arrays.module import Writer
from numeric.lower import LOSS
from numeric.native.calls import Arrays, Caller, address
from numeric.native.kernel import Pass
from numeric.program import Stage

Array = Any
Sizes = tuple[tuple[str, int], ...]


class NativePasses:
    """Forward and backward of one program.

    Parameters
    ----------
    writer : of the program for NumPy, which says what everything is called, and writes what runs there.
    dtype  : the type of all numbers.
    """

    def __init__(self, writer: Writer, dtype: Any) -> None:
        self.writer = writer
        self.program = writer.program
        self.double = np.dtype(dtype).itemsize == 8
        self.names = {writer.called(key): key for key in self.program.storages}
        self._callers: dict[tuple[str, Sizes], Caller] = {}
        self._given = {key: writer.called(key) for key in writer.given}
        self._kept = frozenset(writer.kept_forward())
        self._padded = {key for key in writer.given if writer.padded(key)}

    # -- functions ---------------------------------------------------------------------------------

    def forward(self, length: int, batch: int, sizes: Mapping[str, int], dtype: Any, given: Mapping[str, Array]) -> Mapping[str, Array]:
        """What the backward pass reads, all quantities, and the loss."""
        caller = self._caller("forward", sizes)
        outer = self._outer(caller, given, length)
        addresses = {name: address(array) for name, array in outer.items()}
        addresses |= {start.argument: address(given[start.argument]) for start in self.writer.starts}
        called = {**given, **{self._given[name]: array for name, array in outer.items()}}
        found = caller(length, batch, sizes, called, addresses, dtype)
        for name in self._padded & set(outer):
            found.extra[self._given[name]] = outer[name]
        return found

    def backward(
        self, length: int, batch: int, sizes: Mapping[str, int], dtype: Any, given: Mapping[str, Array], kept: Mapping[str, Array]
    ) -> Mapping[str, Array]:
        """The gradients, by what they are gradients of."""
        assert isinstance(kept, Arrays)
        caller = self._caller("backward", sizes)
        addresses = {}
        outer: dict[str, Array] = {}
        for name in caller.plan.outer:
            if name in kept.layout.views:
                addresses[name] = kept.start + kept.layout.views[name].offset
            else:
                called = self.writer.called(name)
                array = kept.extra[called] if called in kept.extra else self._ready(name, given[called], length)
                outer[called] = array
                addresses[name] = address(array)
        found = caller(length, batch, sizes, _Behind(outer, kept, given), addresses, dtype)
        return {
            self.writer.argument(key, place): found[self.writer.called(target.name)]
            for (key, place), target in self.program.gradients.items()
        }

    def _outer(self, caller: Caller, given: Mapping[str, Array], length: int) -> dict[str, Array]:
        return {name: self._ready(name, given[self._given[name]], length) for name in caller.plan.outer}

    def _ready(self, name: str, array: Array, length: int) -> Array:
        """An array with the rows beyond the sequence that are read."""
        if name not in self._padded:
            return array if array.flags.c_contiguous else np.ascontiguousarray(array)
        storage = self.program.storages[name]
        rows = np.zeros((storage.before + length + storage.after, *array.shape[1:]), array.dtype)
        first, last = storage.unread
        rows[:first], rows[len(rows) - last :] = 1, 1
        rows[storage.before : storage.before + length] = array
        return rows

    # -- plans -------------------------------------------------------------------------------------

    def _caller(self, name: str, sizes: Mapping[str, int]) -> Caller:
        key = (name, tuple(sorted(sizes.items())))
        if key not in self._callers:
            self._callers[key] = self._made(name, sizes)
        return self._callers[key]

    def _made(self, name: str, sizes: Mapping[str, int]) -> Caller:
        system = self.writer.system
        stages = self.program.forward if name == "forward" else self.program.backward
        if name == "forward":
            visible = {*(q.key for q in system.equations), LOSS}
            kept = self._kept | visible
        else:
            visible = {target.name for target in self.program.gradients.values()}
            kept = frozenset(visible)
        targets = {s.target.name for stage in stages for s in stage.statements}
        read = dict.fromkeys(leaf.name for stage in stages for s in stage.statements for leaf in leaves(s.value))
        outer = {key: self._width(key, sizes) for key in read if key not in targets}
        symbols: dict[Expr, Integer] = {
            symbol: Integer(sizes[str(symbol)])
            for storage in self.program.storages.values()
            for axis in storage.shape
            for symbol in axis.free_symbols
            if isinstance(symbol, Symbol) and str(symbol) in sizes
        }
        starts = [(start.leaf, start.argument) for start in self.writer.starts] if name == "forward" else []
        plan = Pass(
            stages, dict(self.program.storages), system.time, symbols, self.double, outer, frozenset(system.labels), kept & targets,
            frozenset(visible), starts, system.tree is not None,
        )  # fmt: skip
        foreign = {
            number: self.writer.piece(phase.items[0].stage)
            for number, phase in enumerate(plan.phases)
            if phase.kind == "foreign" and isinstance(phase.items[0].stage, Stage)
        }
        return Caller(plan, foreign, self.names)

    def _width(self, key: str, sizes: Mapping[str, int]) -> int | None:
        """The distance of rows of what the forward pass left; None for arrays from outside."""
        forward = self._callers.get(("forward", tuple(sorted(sizes.items()))))
        if forward is None or key not in forward.plan.places or key in forward.plan.outer:
            return None
        return forward.plan.places[key].width


class _Behind(dict[str, Array]):
    """Arrays by what they are called; what is not here is looked for in others."""

    def __init__(self, first: Mapping[str, Array], *others: Mapping[str, Array]) -> None:
        super().__init__(first)
        self.others = others

    def __missing__(self, called: str) -> Array:
        for other in self.others:
            try:
                return other[called]
            except KeyError:
                continue
        raise KeyError(called)


__all__ = ["MissingRuleError", "NativePasses"]
