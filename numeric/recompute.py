"""Gradients in little memory: states are kept at the ends of segments, and everything within a segment is computed once more.

With segments of √T steps, memory beside inputs and gradients is O(√T) instead of O(T), for one more forward pass (Chen et al. 2016,
*Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174). A segment is a short sequence of its own: it starts from the states
that the one before left, and the gradients by its starting values are cotangents of those.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Expr, Integer

from derive import expressions as e
from derive.cell_text import Equation
from derive.errors import UsageError
from derive.expressions import make
from derive.notation.names import QName
from derive.system import RecurrentSystem, T, leaves
from numeric.arguments import Arguments, Signature
from numeric.backends.backend import Backend
from numeric.variant import Forward, Variant

Array = Any
Point = tuple[str, str]
_HINT = "compile it without recompute"


@dataclass(frozen=True)
class _Segment:
    """Steps ``first`` to ``last``, counted from 0, the last not included."""

    first: int
    last: int
    begins: bool
    ends: bool


@dataclass(frozen=True)
class Recomputed:
    """What :meth:`Recomputation.__call__` gives; arrays have the batch."""

    loss: Array | None
    states: dict[str, Array]
    gradients: dict[Point, Array]


class Recomputation:
    """Both passes of a cell, segment by segment.

    Parameters
    ----------
    steps : of a segment; √T where it is None.
    keep  : quantities whose values at all times are wanted.

    Raises
    ------
    UsageError : the cell cannot be cut into segments.
    """

    def __init__(
        self,
        system: RecurrentSystem,
        backend: Backend,
        passes: tuple[str, ...],
        steps: int | None,
        keep: tuple[str, ...],
    ) -> None:
        problem = next(_problems(system), None)
        if problem is not None:
            raise UsageError(f"{problem}, so the sequence cannot be cut into segments", hint=_HINT)
        self.system, self.backend, self.passes, self.steps, self.keep = system, backend, passes, steps, keep
        self._systems: dict[tuple[bool, bool], RecurrentSystem] = {}
        self._variants: dict[tuple[object, ...], Variant] = {}
        self._signatures: dict[tuple[bool, bool], Signature] = {}

    def __call__(self, given: Arguments) -> Recomputed:
        """Loss, gradients, and what was to be kept."""
        segments = self._segments(given.length)
        kept = {key: self._zeros(key, given) for key in self.keep}
        starts = [dict(given.starts)]
        losses: list[Array] = []
        run: Forward | None = None
        for segment in segments:
            run = self._forward(segment, given, starts[-1])
            if run.loss is not None and self._concrete:
                losses.append(run.loss)
            variant = self._variant(segment, given)
            for key, values in kept.items():
                kept[key] = given.kind.put(values, slice(segment.first, segment.last), variant.rows(key, run))
            if not segment.ends:
                starts.append(self._left(segment, variant, run))
        gradients = {point: self._zeros_of(point, given) for point in self._over_time}
        carried: dict[e.Timed, Array] = {}
        for number in reversed(range(len(segments))):
            segment = segments[number]
            if run is None:
                run = self._forward(segment, given, starts[number])
            carried = self._backward(segment, given, run, carried, gradients)
            run = None
        for leaf, value in carried.items():
            gradients[leaf.name, str(leaf.time)] = value
        order = [(key, "") for key in (*self.system.parameters, *self.system.inputs)]
        order += [(leaf.name, str(leaf.time)) for leaf in self.system.starts]
        found = {point: gradients[point] for point in order if point in gradients}
        return Recomputed(sum(losses[1:], losses[0]) if losses else None, kept, found)

    @cached_property
    def _concrete(self) -> bool:
        """Whether all of the loss can be computed."""
        return not any(term.body.has(e.Call) for term in self.system.loss_terms)

    # -- segments ----------------------------------------------------------------------------------

    def _segments(self, length: int) -> list[_Segment]:
        least = max(1, self.system.max_lag)
        steps = max(least, self.steps or math.isqrt(max(0, length - 1)) + 1)
        firsts = list(range(0, length, steps)) or [0]
        if len(firsts) > 1 and length - firsts[-1] < least:  # the last is no shorter than what a step looks back
            firsts.pop()
        lasts = [*firsts[1:], length]
        return [_Segment(first, last, first == 0, last == length) for first, last in zip(firsts, lasts, strict=True)]

    def _forward(self, segment: _Segment, given: Arguments, starts: Mapping[str, Array]) -> Forward:
        return self._variant(segment, given).forward(self._arguments(segment, given, starts))

    def _left(self, segment: _Segment, variant: Variant, run: Forward) -> dict[str, Array]:
        """The starting values of the next segment."""
        found = {}
        for leaf in self.system.starts:
            rows = variant.rows(leaf.name, run)
            found[str(leaf)] = self._copied(rows[segment.last - segment.first - 1 + int(leaf.time)])
        return found

    def _copied(self, row: Array) -> Array:
        """A row that does not keep the memory of its segment."""
        return row.clone() if hasattr(row, "clone") else row + 0

    def _backward(
        self,
        segment: _Segment,
        given: Arguments,
        run: Forward,
        carried: Mapping[e.Timed, Array],
        gradients: dict[Point, Array],
    ) -> dict[e.Timed, Array]:
        """Add the gradients of a segment, and give those by its starting values."""
        variant = self._variant(segment, given)
        count = segment.last - segment.first
        passed = {}
        for key in variant.cotangents:
            own = given.cotangents.get(key)
            value = self._zeros(key, given, count)
            if own is not None:
                value = value + own[segment.first : segment.last]
            for leaf, adjoint in carried.items():
                if leaf.name == key:
                    row = count - 1 + int(leaf.time)
                    value = given.kind.put(value, slice(row, row + 1), value[row] + adjoint)
            passed[key] = value
        starts: dict[e.Timed, Array] = {}
        by_point = {(leaf.name, str(leaf.time)): leaf for leaf in self.system.starts}
        for point, value in variant.gradients(run, passed).items():
            if point in by_point:
                starts[by_point[point]] = value if given.batched else value[None]
            elif point in self._over_time:
                rows = value if given.batched else value[:, None]
                gradients[point] = given.kind.put(gradients[point], slice(segment.first, segment.last), rows)
            else:
                gradients[point] = gradients[point] + value if point in gradients else value
        return starts

    # -- arguments ---------------------------------------------------------------------------------

    @cached_property
    def _over_time(self) -> frozenset[Point]:
        """The inputs that have gradients."""
        return frozenset((key, "") for key in self.system.inputs if key not in self.system.labels)

    def _zeros(self, key: str, given: Arguments, count: int | None = None) -> Array:
        shape = given.signature.numbers(key, given.sizes)
        return given.kind.zeros((given.length if count is None else count, given.batch, *shape))

    def _zeros_of(self, point: Point, given: Arguments) -> Array:
        return self._zeros(point[0], given)

    def _arguments(self, segment: _Segment, given: Arguments, starts: Mapping[str, Array]) -> Arguments:
        system = self._system(segment)
        values = {}
        for key, value in given.values.items():
            if key in system.inputs:
                values[key] = value[segment.first : segment.last]
            elif key in system.parameters:
                values[key] = value
        which = (segment.begins, segment.ends)
        if which not in self._signatures:
            self._signatures[which] = Signature(system)
        own = frozenset(name for name in given.own if name in system.parameters)
        return replace(
            given,
            signature=self._signatures[which],
            length=segment.last - segment.first,
            values=values,
            starts=starts,
            cotangents={},
            own=own,
        )

    # -- cells -------------------------------------------------------------------------------------

    def _variant(self, segment: _Segment, given: Arguments) -> Variant:
        system = self._system(segment)
        wanted = [q.key for q in system.steps if q.key in given.cotangents]
        states = [] if segment.ends else [q.key for q in system.steps if q.key in system.states]
        cotangents = tuple(dict.fromkeys([*wanted, *states]))
        own = tuple(sorted(name for name in given.own if name in system.parameters))
        key = (segment.begins, segment.ends, cotangents, own)
        if key not in self._variants:
            self._variants[key] = Variant(
                system, self.backend.arrays.library, self.passes, cotangents, own, make=self.backend.passes
            )
        return self._variants[key]

    def _system(self, segment: _Segment) -> RecurrentSystem:
        """The cell of a segment: given starting values are those of the first, and what looks at T is that of the last."""
        key = (segment.begins, segment.ends)
        if key not in self._systems:
            # the equations of the steps: what they name is named alike in all segments
            named = replace(self.system.text, equations=self.system.steps, shapes=self.system.shapes)
            if not segment.begins:
                named = replace(named, initial={})
            if not segment.ends:
                after = _readouts(named.equations)
                equations = tuple(q for q in named.equations if q.key not in after)
                named = replace(named, equations=equations, loss=self._running_loss())
            self._systems[key] = RecurrentSystem(named)
        return self._systems[key]

    def _running_loss(self) -> e.Node:
        """The parts of the loss that are summed over time; an abstract loss, which counts for nothing, where there are none."""
        time = self.system.time
        terms = [term for term in self.system.loss_terms if not term.final and not term.body.has(e.Call)]
        if terms:
            return make.plus(*(e.SumOver(time, term.lower, term.upper, term.body) for term in terms))
        name = QName("L").with_sup("segment").key
        state = self.system.quantity(next(q.key for q in self.system.steps if isinstance(q.lhs, e.Timed)))
        return e.SumOver(time, Integer(1), T, e.Call(e.Timed(name, time), state))


def _readouts(equations: Sequence[Equation]) -> set[str]:
    """Quantities without time that are made of the sequence, and of each other."""
    found: set[str] = set()
    for q in equations:  # in the order in which they are computed
        read = leaves(q.rhs)
        if isinstance(q.lhs, e.Var) and any(isinstance(leaf, e.Timed) or leaf.name in found for leaf in read):
            found.add(q.key)
    return found


def _problems(system: RecurrentSystem) -> Iterator[str]:
    """What makes a sequence more than its segments."""
    if system.tree is not None:
        yield "the cell computes a tree"
        return
    for use in system.uses:
        if use.offset and use.key not in system.definitions:
            yield f"{use.user} reads {use.leaf}, an input of another time"
        if use.offset and use.offset > 0:
            yield f"{use.user} reads {use.leaf}, which comes later"
    for q in system.steps:
        numbers: set[Expr] = set()
        for scalar in q.rhs.atoms(e.Scalar):
            numbers |= scalar.value.free_symbols & {T, system.time}
        if numbers and isinstance(q.lhs, e.Timed):
            yield f"{q.key} is computed with the number {sorted(map(str, numbers))[0]}"
        if isinstance(q.lhs, e.Var) and q.rhs.has(e.SumOver):
            yield f"{q.key} is a sum over the whole sequence"
    for term in system.loss_terms:
        times = {T, system.time}
        if any(scalar.value.free_symbols & times for scalar in term.body.atoms(e.Scalar)):
            yield f"the loss {term.body} is computed with the time or the length as a number"
        whole = (term.lower, term.upper) == (1, T)
        at_end = term.lower == term.upper == T
        offsets = {leaf.time for leaf in leaves(term.body) if isinstance(leaf, e.Timed)} - {system.time}
        if term.body.has(e.SumOver) or not (whole or at_end) or offsets - {T}:
            yield f"the loss looks at {term.body}, at other times than t or T"


__all__ = ["Recomputation", "Recomputed"]
