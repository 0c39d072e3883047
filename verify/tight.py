"""Points at which bounds are tight: matrices that scale all vectors alike, have rank one or are nilpotent, with the pre-activations as they
come and as near to zero as can be; steps that are all alike; quantities at the ends of their ranges; a steep loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from sympy import Symbol

from derive import expressions as e
from derive.expressions.node import ONE
from derive.system import RecurrentSystem
from numeric.draws import Draw, draw, run_of
from numeric.functions import Array
from numeric.losses import SmoothLoss
from numeric.simulate import Point, Run
from verify.instances import Trial
from verify.measure import LONGEST

SMALL = 2
"""The size of states at most points."""
_KINDS = ("random", "alike", "rank one", "nilpotent", "turned")
_SLIGHTLY = 1.2
"""A scale at which powers grow, and no faster than what is added to them for some time."""
_STEEP = 1e3
"""The factor of an abstract loss, of which nothing is known, at some points."""
_NEAR = 1e-3
"""How near to the ends of their ranges quantities are put, as a share of the range."""
_CORRECTIONS, _JACOBIANS = 16, 4
"""How often values are corrected towards calm pre-activations, and for how many of these the Jacobian is measured anew."""
_CALM = 1e-12


@dataclass(frozen=True)
class TightPoint:
    """A draw and its run; points of one family and size differ in their lengths alone."""

    drawn: Draw
    run: Run
    family: str = ""


@lru_cache(maxsize=32)
def tight_points(system: RecurrentSystem, trial: Trial, length: int) -> tuple[TightPoint, ...]:
    """Points with their runs, most of them of that length. The links of a chain of bounds are held against the same ones."""
    return tuple(
        TightPoint(drawn, run_of(system, drawn, strict=True), family) for drawn, family in _draws(system, trial, length)
    )


def is_free(system: RecurrentSystem, point: Point) -> bool:
    """Whether a value may be any number."""
    text = system.text
    return not any(point[0] in known for known in (text.ranges, text.unit_sums, system.labels))


def _draws(system: RecurrentSystem, trial: Trial, least: int) -> Iterator[tuple[Draw, str]]:
    for number in range(2):
        base = _base(system, trial, number, least, SMALL)
        for _, shaped in _of_kinds(system, base, _KINDS, (0.3, 1.0, 4.0), np.random.default_rng([number, 5])):
            yield shaped, ""
            yield _calm(system, shaped, at_rest=number > 0), ""
        for drawn in (*_ends(system, base), replace(base, loss=SmoothLoss(base.loss.seed, _STEEP))):
            yield drawn, ""
    larger = ((least, 2 * SMALL), (least, 4 * SMALL), (least, SMALL), (2 * least, SMALL), (4 * least, SMALL))
    for length, size in larger:
        if length <= LONGEST:
            yield from _of_families(system, _base(system, trial, 2, length, size))


def _of_families(system: RecurrentSystem, base: Draw) -> Iterator[tuple[Draw, str]]:
    """Points that are there for several lengths and sizes."""
    level = replace(base, loss=SmoothLoss(base.loss.seed, level=True))
    generator = np.random.default_rng([2, 5])
    for family, shaped in _of_kinds(system, level, ("alike", "rank one"), (1.0, _SLIGHTLY, 4.0), generator):
        if not family.endswith(str(_SLIGHTLY)):
            yield replace(shaped, loss=base.loss), ""
        yield _calm(system, shaped, at_rest=True), family
    yield _steady(system, level), "steady"


def _base(system: RecurrentSystem, trial: Trial, number: int, length: int, size: int) -> Draw:
    return draw(system, trial.seed + 50 + number, length=length, fixed=_sizes(system, trial.sizes, size))


def _of_kinds(
    system: RecurrentSystem, base: Draw, kinds: Sequence[str], scales: Sequence[float], generator: np.random.Generator
) -> Iterator[tuple[str, Draw]]:
    """The same point with matrices of some kinds and scales, and what they are called."""
    for kind in kinds:
        for scale in scales:
            yield f"{kind} {scale}", _shaped(system, base, kind, scale, generator)


def _steady(system: RecurrentSystem, drawn: Draw) -> Draw:
    """The same point without any effect of a step on later ones, and with the same inputs at all times."""
    idle = {
        leaf.name
        for q in system.steps
        for product in q.rhs.atoms(e.Times)
        if any(leaf.name in system.states and leaf.time != system.time for leaf in product.atoms(e.Timed))
        for leaf in product.atoms(e.Var)
    }
    given = {
        (key, time): np.zeros_like(value)
        if key in idle and is_free(system, (key, time))
        else drawn.given.get((key, 1), value)
        if key in system.inputs
        else value
        for (key, time), value in drawn.given.items()
    }
    return replace(drawn, given=given)


def _sizes(system: RecurrentSystem, known: Sequence[tuple[str, int]], size: int) -> Mapping[str, int]:
    """Sizes of the states, with inputs wide enough to cancel what they are added to."""

    def letters(keys: Sequence[str]) -> set[Symbol]:
        found = {symbol for key in keys for side in system.shapes[key] for symbol in side.free_symbols}
        return {symbol for symbol in found if isinstance(symbol, Symbol)}

    wide = letters(tuple(system.inputs)) - letters(tuple(system.states))
    found = {symbol.name: size + 2 if symbol in wide else size for symbol in letters(tuple(system.shapes))}
    return {**found, **dict(known)}


def _ends(system: RecurrentSystem, drawn: Draw) -> Iterator[Draw]:
    """The same point with the quantities that lie between two numbers near the one, and near the other."""
    ends = {
        key: (float(limits.low), float(limits.high))
        for key, limits in system.text.ranges.items()
        if limits.low is not None and limits.high is not None
    }
    for share in (_NEAR, 1 - _NEAR) if ends else ():
        there = {
            point: np.full_like(value, (1 - share) * ends[point[0]][0] + share * ends[point[0]][1])
            for point, value in drawn.given.items()
            if point[0] in ends
        }
        yield replace(drawn, given={**drawn.given, **there})


def _shaped(system: RecurrentSystem, drawn: Draw, kind: str, scale: float, generator: np.random.Generator) -> Draw:
    """The same point with matrices of a kind: multiples of I, of one u uᵀ, or of a rotation."""
    given = dict(drawn.given)
    for key in system.parameters:
        value = given[(key, None)]
        if not is_free(system, (key, None)) or 1 in value.shape:
            continue
        given[(key, None)] = scale * _matrix(value, kind, generator)
    return replace(drawn, given=given)


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


# -- calm pre-activations ------------------------------------------------------------------------------


def _calm(system: RecurrentSystem, drawn: Draw, at_rest: bool) -> Draw:
    """The same point with inputs, biases and starting values at which the pre-activations are as near to zero as can be, found from the
    values as they are or from zeros ``at_rest``; from zeros as well where the values as they are do not lead there.
    """
    points = [point for point in drawn.given if _moves(system, point)]
    given = {point: np.zeros_like(value) if point in points else value for point, value in drawn.given.items()}
    resting = replace(drawn, given=given)
    if not points:
        return drawn
    if at_rest:
        return _corrected(system, resting, points)
    found = _corrected(system, drawn, points)
    calm = float(np.max(np.abs(_preactivations(system, found)), initial=0.0)) < _CALM
    return found if calm else _corrected(system, resting, points)


def _corrected(system: RecurrentSystem, drawn: Draw, points: Sequence[Point]) -> Draw:
    """A point moved towards calm pre-activations: Gauss-Newton, which keeps its Jacobian as long as it still leads there quickly. What an
    input does to its own step hardly depends on the point, so one Jacobian often serves all corrections.
    """
    inverse: Array | None = None
    measured, before = 0, np.inf
    for _ in range(_CORRECTIONS):
        found = _preactivations(system, drawn)
        worst = float(np.max(np.abs(found), initial=0.0))
        if worst < _CALM or not np.isfinite(worst):
            return drawn
        if inverse is None or worst > before / 2:
            if measured == _JACOBIANS:
                return drawn
            inverse = np.linalg.pinv(_jacobian(system, drawn, points, found), rcond=1e-8)
            measured += 1
        drawn, before = _stepped(drawn, points, -inverse @ found), worst
    return drawn


def _jacobian(system: RecurrentSystem, drawn: Draw, points: Sequence[Point], found: Array) -> Array:
    """∂ (all pre-activations) / ∂ (the values at these points), by differences."""
    step = 1e-6
    columns = [
        (_preactivations(system, _moved(drawn, point, k, step)) - found) / step
        for point in points
        for k in range(drawn.given[point].size)
    ]
    return np.array(columns).T


def _stepped(drawn: Draw, points: Sequence[Point], step: Array) -> Draw:
    given, at = dict(drawn.given), 0
    for point in points:
        value = given[point]
        given[point] = value + step[at : at + value.size].reshape(value.shape)
        at += value.size
    return replace(drawn, given=given)


def _moves(system: RecurrentSystem, point: Point) -> bool:
    key, time = point
    return is_free(system, point) and (time is not None or ONE in system.shapes[key])


def _preactivations(system: RecurrentSystem, drawn: Draw) -> Array:
    """Those of all steps, and nothing that they do not need."""
    run = Run(system, drawn.sizes, drawn.given, drawn.loss, tree=drawn.tree)
    found = [
        np.real(run.value(key, time)).ravel()
        for time in range(1, run.length + 1)
        for key in system.preactivations
        if system.is_timed(key)
    ]
    found += [np.real(run.value(key, None)).ravel() for key in system.preactivations if not system.is_timed(key)]
    return np.concatenate(found) if found else np.zeros(0)


def _moved(drawn: Draw, point: Point, position: int, step: float) -> Draw:
    value = drawn.given[point].copy()
    value.flat[position] += step
    return replace(drawn, given={**drawn.given, point: value})


__all__ = ["SMALL", "TightPoint", "is_free", "tight_points"]
