"""Inequalities: tried at random points first, then attacked where they are tight.

A bound such as ‖∂h_t/∂h_k‖ ≤ (¼‖W‖)^{t-k} holds at random points with room to spare, whatever its constant. It is reached where the
pre-activations are zero and the matrices scale all vectors alike, or have rank one; from the best of such points a search climbs
further. What no point breaks is ``correct``, by trying.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from sympy import Symbol

from derive import expressions as e
from derive.errors import BpttError
from derive.expressions.node import ONE
from derive.functions import elementwise
from numeric.draws import Draw, draw, farthest, run_of
from numeric.functions import Array
from numeric.losses import SmoothLoss
from numeric.simulate import OutOfRange, Point, Run
from verify.evaluated import evaluated
from verify.instances import Trial, instance, instances
from verify.measure import LONGEST
from verify.names import Names
from verify.verdict import Counterexample, Verdict

SLACK = 1e-9
"""By what share rounding may carry a side beyond the other."""
CLIMBS, STEPS = 3, 60
"""From how many points a search climbs, and for how many steps."""
_LEAST = 1e-300
ORDINARY = 3.0
"""Values above this are large."""
_KINDS = ("random", "alike", "rank one", "nilpotent", "turned")
_SMALL = 2
"""The size of states at most points."""
_STEEP = 1e3
"""The factor of an abstract loss, of which nothing is known, at some points."""
_NEAR = 1e-3
"""How near to the ends of their ranges quantities are put, as a share of the range."""
_GROWS = 1.25
"""Where the smaller side comes nearer to the larger by such a factor each time that the sequence or the state is twice as long, a bound is
not called right: a constant that is large enough for all that was tried is not for all there is."""


@dataclass(frozen=True)
class _Tried:
    """A point: by how much the smaller side exceeds the larger one there, as a share of the larger."""

    excess: float
    drawn: Draw
    times: Mapping[str, int]
    left: Array
    right: Array
    ordinary: bool
    """Whether no value is so large that rounding makes equal what is not."""


def judge_bound(names: Names, relation: e.Relation, trial: Trial) -> Verdict:
    """The verdict on ``a ≤ b``, ``a < b``, ``a ≥ b`` or ``a > b``, entry by entry."""
    far = farthest(relation)
    if far + 3 > LONGEST:
        return Verdict("unsupported", "tested", message=f"it speaks of times {far} steps apart, which is not tried")
    unknown = _unknown_function(names, relation)
    if unknown:
        message = f"it bounds what {unknown} leads to, of which nothing is known"
        return Verdict("unsupported", "tested", message=message)
    attack = _Attack(names, relation, trial)
    try:
        tried = list(attack.everywhere())
    except BpttError as error:
        return Verdict("unsupported", "tested", message=error.message)
    if not tried:
        why = attack.missing or "there is no point at which every quantity in it exists"
        return Verdict("unsupported", "tested", message=why)
    if attack.undefined:
        message = f"a side is not a finite number at {attack.undefined} points"
        return Verdict("unsupported", "tested", points=len(tried), message=message)
    worst = max(tried, key=lambda found: found.excess)
    broken = worst.excess > SLACK
    if relation.operators[0] in ("<", ">") and not broken:
        # Where values are extreme, rounding makes equal what is not: tanh(20) is 1.
        ordinary = [found for found in tried if found.ordinary]
        worst = max(ordinary or tried, key=lambda found: found.excess)
        broken = worst.excess >= -SLACK
    if broken:
        equal = worst.excess <= SLACK
        message = "the two sides can be equal" if equal else "it does not hold everywhere"
        counterexample = Counterexample(worst.drawn.sizes, worst.times, worst.left, worst.right)
        return Verdict("wrong", "tested", points=len(tried), message=message, counterexample=counterexample)
    growing = _growing(tried, attack.least)
    if growing:
        message = f"no point breaks it, but its sides come nearer to each other the larger {growing} is"
        return Verdict("unsupported", "tested", points=len(tried), message=message)
    reached = 100 * (1 + worst.excess)
    message = f"the bound is reached to {reached:.4g} % at the worst of {len(tried)} points" if reached > 0 else ""
    return Verdict("correct", "tested", points=len(tried), holds=len(tried), message=message)


def _unknown_function(names: Names, relation: e.Relation) -> str:
    """An activation of the cell that may be any function, where a bound does not speak of it but of what it leads to."""
    system = names.system
    own = {node.function for node in relation.atoms(e.Apply)}
    used = sorted({node.function for q in system.equations for node in q.rhs.atoms(e.Apply)} - own)
    free = {*system.parameters, *system.inputs}
    computed = relation.has(e.Derivative, e.Gradient) or any(
        leaf.name not in free for leaf in relation.atoms(e.Timed, e.Var)
    )
    return next((name for name in used if computed and elementwise(name) is None), "")


def _growing(tried: Sequence[_Tried], length: int) -> str:
    """The size along which the sides come nearer to each other all the time; empty where there is none."""
    for name in sorted({name for found in tried for name in found.drawn.sizes}):
        first = length if name == "T" else _SMALL
        sizes = (first, 2 * first, 4 * first)
        best = [max((1 + f.excess for f in tried if f.drawn.sizes[name] == size), default=0.0) for size in sizes]
        if best[0] > 0 and all(after > _GROWS * before for before, after in pairwise(best)):
            return name
    return ""


class _Attack:
    """Looks for a point at which an inequality fails."""

    def __init__(self, names: Names, relation: e.Relation, trial: Trial) -> None:
        self.names, self.system, self.relation, self.trial = names, names.system, relation, trial
        self.far = farthest(relation)
        self.least = max(4, self.far + 2)
        """The length of most sequences."""
        self.missing = ""
        self.undefined = 0
        turned = relation.operators[0] in (">", ">=")
        self.smaller, self.larger = (relation.items[1], relation.items[0]) if turned else relation.items

    def everywhere(self) -> Iterator[_Tried]:
        """Random points, points where bounds are tight, and what a search finds from the best of them."""
        for number in range(self.trial.draws):
            drawn, run = instance(self.system, self.trial, number, self.far)
            yield from self._at(drawn, run)
        found: list[_Tried] = []
        for drawn in self._tight():
            found += self._at(drawn, run_of(self.system, drawn, strict=True))
        yield from found
        found.sort(key=lambda tried: -tried.excess)
        generator = np.random.default_rng(self.trial.seed)
        for start in found[:CLIMBS]:
            if start.excess <= SLACK:
                yield from self._climbed(start, generator)

    def _at(self, drawn: Draw, run: Run) -> Iterator[_Tried]:
        generator = np.random.default_rng([self.trial.seed, 3])
        for times in instances(self.relation, run, generator, self.names, self.trial.conditions):
            found = self._excess(drawn, run, times)
            if found is not None:
                yield found

    def _excess(self, drawn: Draw, run: Run, times: Mapping[str, int]) -> _Tried | None:
        environment = self.names.environment(run)
        try:
            sides = (evaluated(side, environment, drawn.sizes, times) for side in (self.smaller, self.larger))
            small, large = map(np.real, sides)
        except OutOfRange as error:
            self.missing = error.message
            return None
        small, large = np.broadcast_arrays(small, large)
        if not (np.all(np.isfinite(small)) and np.all(np.isfinite(large))):
            self.undefined += 1
            return None
        scale = np.maximum(np.maximum(np.abs(small), np.abs(large)), _LEAST)
        # numbers whose difference is lost in rounding are equal
        excess = float(np.max((small - large) / scale, initial=-np.inf))
        if float(np.max(scale)) < 1e-12:
            return None
        left, right = (large, small) if self.relation.operators[0] in (">", ">=") else (small, large)
        ordinary = all(np.max(np.abs(value), initial=0.0) <= ORDINARY for value in drawn.given.values())
        return _Tried(excess, drawn, dict(times), left, right, ordinary)

    # -- where bounds are tight ------------------------------------------------------------------------

    def _tight(self) -> Iterator[Draw]:
        least = self.least
        for number in range(2):
            yield from self._shapes(number, least, _SMALL, _KINDS, (0.3, 1.0, 4.0))
        for length, size in ((least, 2 * _SMALL), (least, 4 * _SMALL), (2 * least, _SMALL), (4 * least, _SMALL)):
            if length <= LONGEST:
                yield from self._shapes(2, length, size, ("alike", "rank one"), (1.0, 4.0))

    def _shapes(
        self, number: int, length: int, size: int, kinds: Sequence[str], scales: Sequence[float]
    ) -> Iterator[Draw]:
        """Draws of a length and a size of the states with matrices of some kinds, as they are and with calm pre-activations."""
        base = draw(self.system, self.trial.seed + 50 + number, length=length, fixed=self._sizes(size))
        for kind in kinds:
            for scale in scales:
                shaped = self._shaped(base, kind, scale, np.random.default_rng([number, 5]))
                yield shaped
                yield self._calm(shaped)
        yield from self._ends(base)
        yield replace(base, loss=SmoothLoss(base.loss.seed, _STEEP))

    def _ends(self, drawn: Draw) -> Iterator[Draw]:
        """The same point with the quantities that lie between two numbers near the one, and near the other."""
        ends = {
            key: (float(limits.low), float(limits.high))
            for key, limits in self.system.text.ranges.items()
            if limits.low is not None and limits.high is not None
        }
        for share in (_NEAR, 1 - _NEAR) if ends else ():
            there = {
                point: np.full_like(value, (1 - share) * ends[point[0]][0] + share * ends[point[0]][1])
                for point, value in drawn.given.items()
                if point[0] in ends
            }
            yield replace(drawn, given={**drawn.given, **there})

    def _sizes(self, size: int) -> dict[str, int]:
        """Sizes of the states, with inputs wide enough to cancel what they are added to."""
        symbols = {symbol for shape in self.system.shapes.values() for size in shape for symbol in size.free_symbols}
        wide = {
            symbol for key in self.system.inputs for size in self.system.shapes[key] for symbol in size.free_symbols
        }
        states = {
            symbol for key in self.system.states for size in self.system.shapes[key] for symbol in size.free_symbols
        }
        found = {
            symbol.name: size + 2 if symbol in wide - states else size
            for symbol in symbols
            if isinstance(symbol, Symbol)
        }
        return {**found, **dict(self.trial.sizes)}

    def _shaped(self, drawn: Draw, kind: str, scale: float, generator: np.random.Generator) -> Draw:
        """The same point with matrices of a kind: multiples of I, of one u uᵀ, or of a rotation."""
        given = dict(drawn.given)
        for key in self.system.parameters:
            value = given[(key, None)]
            if not self._free((key, None)) or 1 in value.shape:
                continue
            given[(key, None)] = scale * _matrix(value, kind, generator)
        return replace(drawn, given=given)

    def _calm(self, drawn: Draw) -> Draw:
        """The same point with inputs, biases and starting values at which the pre-activations are as near to zero as can be
        (Gauss-Newton).
        """
        points = [point for point in drawn.given if self._moves(point)]
        for _ in range(4):
            start = self._preactivations(drawn)
            if not points or not start.size or float(np.max(np.abs(start))) < 1e-12:
                return drawn
            columns = []
            for point in points:
                for k in range(drawn.given[point].size):
                    columns.append((self._preactivations(_moved(drawn, point, k, 1e-6)) - start) / 1e-6)
            step = np.linalg.lstsq(np.array(columns).T, -start, rcond=1e-8)[0]
            given, at = dict(drawn.given), 0
            for point in points:
                value = given[point]
                given[point] = value + step[at : at + value.size].reshape(value.shape)
                at += value.size
            drawn = replace(drawn, given=given)
        return drawn

    def _moves(self, point: Point) -> bool:
        key, time = point
        return self._free(point) and (time is not None or ONE in self.system.shapes[key])

    def _preactivations(self, drawn: Draw) -> Array:
        run = run_of(self.system, drawn)
        found = [
            np.real(run.value(key, time)).ravel()
            for key in self.system.preactivations
            for time in ((None,) if not self.system.is_timed(key) else range(1, run.length + 1))
        ]
        return np.concatenate(found) if found else np.zeros(0)

    # -- climbing --------------------------------------------------------------------------------------

    def _climbed(self, start: _Tried, generator: np.random.Generator) -> Iterator[_Tried]:
        """What steps in random directions reach; steps become smaller where they fail."""
        best, size = start, 0.3
        for _ in range(STEPS):
            given = {
                point: value + size * generator.normal(size=value.shape) * (np.abs(value) + 0.1)
                if self._free(point)
                else value
                for point, value in best.drawn.given.items()
            }
            drawn = replace(best.drawn, given=given)
            found = self._excess(drawn, run_of(self.system, drawn, strict=True), best.times)
            if found is not None and found.excess > best.excess:
                best, size = found, size * 1.5
            else:
                size *= 0.85
        yield best

    def _free(self, point: Point) -> bool:
        text = self.system.text
        return not any(point[0] in known for known in (text.ranges, text.unit_sums, self.system.labels))


def _matrix(value: Array, kind: str, generator: np.random.Generator) -> Array:
    rows, columns = value.shape
    if kind == "alike":
        return np.eye(rows, columns)
    if kind == "rank one":
        u, v = np.ones(rows) / np.sqrt(rows), np.ones(columns) / np.sqrt(columns)
        return np.outer(u, v)
    if kind == "nilpotent":  # its square is zero, which no factor between the two is
        u, v = np.ones(rows), np.ones(columns)
        v[1::2] = -1.0
        return np.outer(u, v - v.mean() if columns % 2 else v)
    if kind == "turned":
        size = max(rows, columns)
        return np.linalg.qr(generator.normal(size=(size, size)))[0][:rows, :columns]
    return generator.normal(size=value.shape)


def _moved(drawn: Draw, point: Point, position: int, step: float) -> Draw:
    value = drawn.given[point].copy()
    value.flat[position] += step
    return replace(drawn, given={**drawn.given, point: value})


def is_bound(relation: e.Relation) -> bool:
    """Whether it is an inequality of two sides."""
    return relation.operators[0] in ("<", "<=", ">", ">=") and len(relation.operators) == 1


__all__ = ["is_bound", "judge_bound"]
