"""Sequences of different lengths in one batch: a cell whose sums end where each sequence ends.

The length ℓ of a sequence takes the place of T. With m_t = 1 for t ≤ ℓ and 0 beyond, and e_t = 1 for t = ℓ and 0 elsewhere, both given::

    Σ_{t=a}^{T+k} f_t   becomes   Σ_{t=a}^{T+k} m_{t-k} f_t
    h_{T+k}             becomes   Σ_t e_t h_{t+k}
    T in a number       becomes   ℓ

A state keeps its last value beyond the end, q_t = m_t f_t + (1 - m_t) q_{t-1}, so that nothing is computed there that was not computed
before; one that is read from the step after it keeps what it starts from until its sequence begins at ℓ, q_t = m_t f_t + (1 - m_t) q_{t+1}.
Inputs keep their last value too, or are zero where the cell reads them ahead; cotangents are zero. So the cell that results is one like
any other, and everything is derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Eq, Expr, Integer, Piecewise, Symbol

from derive import expressions as e
from derive.cell_text import Equation
from derive.errors import CellError, DataError, UsageError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.notation.names import QName
from derive.system import RecurrentSystem, T, leaves
from numeric.arguments import Arguments, Signature

Array = Any
_HINT = "give each length a batch of its own"


class Lengths:
    """The cell for sequences of different lengths, and what it is given in addition.

    Raises
    ------
    UsageError : the cell speaks of the end of a sequence in a way that has no such form.
    """

    def __init__(self, cell: RecurrentSystem) -> None:
        if cell.tree is not None:
            raise UsageError("a cell over trees has no lengths", hint="a forest is one tree with several roots")
        self.cell = cell
        self.inside, self.last, self.length = (self._free(name) for name in ("inside", "last", "length"))
        self._ends: dict[e.Timed, Equation] = {}
        self.system = self._changed()

    @property
    def names(self) -> frozenset[str]:
        """The names of what is given in addition; they have no gradients."""
        return frozenset({self.inside, self.last, self.length})

    @cached_property
    def signature(self) -> Signature:
        """The names and shapes of the changed cell."""
        return Signature(self.system)

    def _free(self, base: str) -> str:
        name = QName(base).with_sup("sequence")
        while name.key in self.cell.shapes:
            name = name.with_sup("sequence")
        return name.key

    # -- the cell ----------------------------------------------------------------------------------

    def _changed(self) -> RecurrentSystem:
        text = self.cell.text
        equations = tuple(self._equation(q) for q in text.equations)
        loss = None if text.loss is None else self._loss(text.loss)
        shapes = {**text.shapes, **{q.key: q.lhs.shape for q in self._ends.values()}}
        shapes |= dict.fromkeys(self.names, (ONE, ONE))
        changed = replace(text, equations=(*equations, *self._ends.values()), loss=loss, shapes=shapes)
        try:
            return RecurrentSystem(changed)
        except CellError as error:
            read = ", ".join(sorted(self._awaited))
            raise UsageError(f"{read} would be read beyond the end of a sequence", hint=_HINT) from error

    def _equation(self, q: Equation) -> Equation:
        rhs = self._formula(q.rhs)
        step = 1 if q.key in self._awaited else -1
        if q.key not in self.cell.states:
            return replace(q, rhs=rhs)
        own = self.cell.quantity(q.key)
        mask = self._mask(self.cell.time)
        kept = e.Timed(q.key, self.cell.time + step, *own.shape)
        rest = make.plus(e.Scalar(1), make.neg(mask))
        return replace(q, rhs=make.plus(make.times(mask, rhs), make.times(rest, kept)))

    @cached_property
    def _awaited(self) -> frozenset[str]:
        """Quantities that a step reads from the next one."""
        found = set()
        for use in self.cell.uses:
            if use.key in self.cell.definitions and use.offset is not None and use.offset > 0:
                if use.offset > 1:
                    raise UsageError(f"{use.user} reads {use.leaf} beyond the end of a sequence", hint=_HINT)
                found.add(use.key)
        return frozenset(found)

    def _mask(self, time: Expr) -> e.Node:
        return e.Timed(self.inside, time)

    # -- formulas ----------------------------------------------------------------------------------

    def _loss(self, loss: e.Node) -> e.Node:
        terms = loss.operands if isinstance(loss, e.Plus) else (loss,)
        return make.plus(*(self._term(term) for term in terms))

    def _term(self, term: e.Node) -> e.Node:
        """A part of the loss; one that looks at a single time from the end becomes a sum."""
        times = {leaf.time for leaf in leaves(term) if isinstance(leaf, e.Timed)}
        if term.has(e.SumOver) or len(times) != 1:
            return self._formula(term)
        when = times.pop()
        if when.is_Integer or not (when - T).is_Integer:
            return self._formula(term)
        time = self.cell.time
        moved = {leaf: leaf.at(time + when - T) for leaf in leaves(term) if isinstance(leaf, e.Timed)}
        body = self._formula(term.xreplace(moved))
        return e.SumOver(time, Integer(1), T, make.times(e.Timed(self.last, time), body))

    def _formula(self, node: e.Node) -> e.Node:
        """A formula for sequences of their own lengths."""
        if isinstance(node, e.SumOver):
            return self._sum(node)
        if isinstance(node, e.Call):  # an abstract loss, for which cotangents stand in
            return node
        if isinstance(node, e.Timed):
            return self._at_the_end(node)
        if isinstance(node, e.Scalar):
            return self._number(node.value) if node.value.has(T) else node
        if isinstance(node, e.Over):
            raise UsageError(f"{node} has no form for sequences of different lengths", hint=_HINT)
        operands = [self._formula(operand) for operand in node.operands]
        return node if operands == list(node.operands) else node.with_operands(operands)

    def _sum(self, node: e.SumOver) -> e.Node:
        if node.lower.has(T):
            raise UsageError(f"{node} begins at a time from the end", hint=_HINT)
        beyond = node.upper - T if node.upper.has(T) else Integer(0)
        if not beyond.is_Integer:
            raise UsageError(f"{node} ends at {node.upper}", hint=_HINT)
        body = make.times(self._mask(node.index - beyond), self._formula(node.body))
        return e.SumOver(node.index, node.lower, node.upper, body)

    def _at_the_end(self, leaf: e.Timed) -> e.Node:
        """A quantity at a certain time: from the end, as a sum with a name; from the start, if there is such a time."""
        if leaf.time.is_Integer:
            return make.times(self._mask(leaf.time), leaf) if leaf.time > 0 else leaf
        distance = leaf.time - T
        if not distance.is_Integer or distance > 0:
            return leaf
        if leaf not in self._ends:
            name = QName.from_key(leaf.name).with_sup("last" if distance == 0 else f"last{distance}").key
            index = Symbol("s", integer=True)
            body = make.times(e.Timed(self.last, index), leaf.at(index + distance))
            self._ends[leaf] = Equation(name, e.Var(name, *leaf.shape), e.SumOver(index, Integer(1), T, body))
        return self._ends[leaf].lhs

    def _number(self, value: Expr) -> e.Node:
        """A number made of T, as a formula of the length."""
        if not value.has(T):
            return e.Scalar(value)
        if value == T:
            return e.Var(self.length)
        if value.is_Piecewise and value == Piecewise((1, Eq(self.cell.time, T)), (0, True)):
            return e.Timed(self.last, self.cell.time)
        if value.is_Add:
            return make.plus(*map(self._number, value.args))
        if value.is_Mul:
            return make.times(*map(self._number, value.args))
        if value.is_Pow and not value.exp.has(T):
            return e.Power(self._number(value.base), e.Scalar(value.exp))
        shown = e.Scalar(value)
        raise UsageError(f"the number {shown} has no form for sequences of different lengths", hint=_HINT)

    # -- arguments ---------------------------------------------------------------------------------

    def arguments(self, given: Arguments, lengths: Sequence[int]) -> Masked:
        """Arguments of the changed cell.

        Raises
        ------
        DataError : the lengths do not fit the batch.
        """
        numbers = _checked(lengths, given)
        kind = given.kind
        steps = kind.indices(numbers[None] > _counting(given.length))
        inside = kind.numbers(steps)
        last = np.minimum(np.arange(given.length)[:, None], numbers[None] - 1)
        rows, columns = kind.indices(last), kind.indices(np.broadcast_to(np.arange(given.batch), last.shape).copy())
        values = {}
        for key, value in given.values.items():
            outside = key in self.cell.inputs and key not in self.cell.labels
            held = outside and key not in self._read_ahead
            values[key] = value[rows, columns] if held else kind.chosen(steps, value) if outside else value
        values[self.inside] = inside
        values[self.last] = kind.numbers(kind.indices(numbers[None] == _counting(given.length) + 1))
        values[self.length] = kind.numbers(kind.indices(numbers))
        cotangents = {key: kind.chosen(steps, value) for key, value in given.cotangents.items()}
        changed = replace(
            given, signature=self.signature, values=values, cotangents=cotangents, own=given.own | {self.length}
        )
        return Masked(changed, steps)

    @cached_property
    def _read_ahead(self) -> frozenset[str]:
        """Inputs that a step reads from a later one."""
        time = self.cell.time
        formulas = [q.rhs for q in self.cell.steps] + [term.body for term in self.cell.loss_terms]
        read = (leaf for formula in formulas for leaf in leaves(formula) if isinstance(leaf, e.Timed))
        return frozenset(leaf.name for leaf in read if (leaf.time - time).is_positive)


@dataclass(frozen=True)
class Masked:
    """Arguments of a changed cell, and for every step and sequence whether the step is inside."""

    given: Arguments
    inside: Array

    def cut(self, found: Mapping[str, Array], timed: Iterable[str]) -> dict[str, Array]:
        """Results, those over time with zeros beyond the ends."""
        kind, names = self.given.kind, set(timed)
        return {key: kind.chosen(self.inside, value) if key in names else value for key, value in found.items()}


def _counting(length: int) -> Any:
    return np.arange(length)[:, None]


def _checked(lengths: Sequence[int], given: Arguments) -> Any:
    """Lengths as integers, one for each sequence."""
    try:
        raw = np.asarray(lengths.cpu() if hasattr(lengths, "cpu") else lengths)
    except Exception as error:
        raise DataError(f"lengths: {error}") from error
    problems = list(_wrong(raw, given))
    if problems:
        raise DataError("; ".join(problems))
    return raw.astype(np.int64)


def _wrong(raw: Any, given: Arguments) -> Iterator[str]:
    if not given.batched:
        yield "lengths: there is no batch; a sequence alone has the length of its arrays"
    elif raw.size and raw.dtype.kind not in "iu":
        yield f"lengths have the type {raw.dtype}; expected integers"
    elif raw.shape != (given.batch,):
        yield f"lengths has the shape {raw.shape}; expected ({given.batch},), one for each sequence"
    elif raw.size and not (raw.min() >= 1 and raw.max() <= given.length):
        yield f"lengths lie between {raw.min()} and {raw.max()}; expected 1 to {given.length}"


__all__ = ["Lengths", "Masked"]
