"""Cases beside the ordinary ones, in which mistakes show that short sequences of vectors with few entries hide: long sequences, sizes of
1 and larger ones, gradients that are large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from derive import expressions as e
from derive.expressions.node import ONE
from derive.system import RecurrentSystem, leaves
from numeric.arguments import Signature
from numeric.draws import Draw, exist
from numeric.losses import SmoothLoss
from numeric.simulate import Run
from numeric.truth import STEP
from verify.programs.cases import SCALE, Case, Way, targets_of
from verify.programs.results import Point

LONG = (12, 25)
"""Lengths of both parities, beyond those after which backward passes are usually cut off."""
_BETWEEN = (5, 6, 8, 9, 10)
"""Lengths at which other sizes are tried."""
_SCALES = (SCALE, 0.5, 1.6, 3.0)
"""How large values may be in a long sequence, the usual first."""
_TRIES, _NEAR_ENOUGH = 4, 4.0
"""So many draws of each scale are tried for a long sequence, until what is carried along changes by no more powers of e than these."""
_ONES = 3
"""How many sizes are 1, each in its turn."""
LARGE = 1_000.0
"""How many times as large the gradients are."""
_OF_SCORES = 10.0
"""How many times as large the weights are that scores are made with: softmax takes no more."""
MOST_STEPS = 100
"""The longest sequence for which other sizes are tried as well."""


def beyond(way: Way, seed: int, ordinary: Case, length: int | None) -> Iterator[Case]:
    """The cases; a length that is given stays what it is."""
    sizes, least = dict(ordinary.points[0].drawn.sizes), Signature(way.system).least
    if length is None:
        for number, steps in enumerate(steps for steps in LONG if steps >= least):
            yield _long(way, seed + 100 + number, {**sizes, "T": steps})
    if length is None or length <= MOST_STEPS:
        possible = [other for other in _other_sizes(sizes) if exist(way.system, other)]
        for number, other in enumerate(possible):
            steps = max(_BETWEEN[number], least) if length is None else length
            scale = SCALE if 1 in other.values() else SCALE / 2
            yield way.case(seed + 200 + number, {**other, "T": steps}, scale, beyond="sizes")
    weights = _score_weights(way.system)
    targets = frozenset(targets_of(way.system)) - set(way.system.labels)
    targets -= {*way.system.text.ranges, *way.system.text.unit_sums}
    if targets or weights or any(term.body.atoms(e.Call) for term in way.system.loss_terms):

        def larger(drawn: Draw) -> Draw:
            factors = {**dict.fromkeys(targets, LARGE), **({} if targets else dict.fromkeys(weights, _OF_SCORES))}
            given = {place: value * factors.get(place[0], 1.0) for place, value in drawn.given.items()}
            return replace(drawn, given=given, loss=SmoothLoss(drawn.loss.seed, LARGE))

        steps = max(4, least) if length is None else length
        yield way.case(seed + 300, {**sizes, "T": steps}, altered=larger, beyond="scale")


# -- long sequences ------------------------------------------------------------------------------------


def _long(way: Way, seed: int, sizes: Mapping[str, int]) -> Case:
    """A sequence whose end depends on its beginning: of values of several scales, those with which what is carried along neither
    vanishes nor grows.
    """
    found: list[tuple[float, Case]] = []
    for number in range(_TRIES):
        for scale in _SCALES:
            case = way.case(seed + 10 * number, sizes, scale, beyond="length")
            found.append((_change_of_size(case.points[0]), case))
            if found[-1][0] < _NEAR_ENOUGH:
                return case
    return min(found, key=lambda pair: pair[0])[1]


def _change_of_size(point: Point) -> float:
    """By how many powers of e a small change at the beginning grows or vanishes until the end."""
    run, generator = point.run, np.random.default_rng(7)
    starts = {start.name for start in point.system.starts}
    moved = {
        place: value + 1j * STEP * generator.normal(size=np.shape(value))
        for place, value in point.drawn.given.items()
        if place[1] is not None and (place[0] in starts or (place[1] == 1 and place[0] not in point.system.labels))
    }
    with np.errstate(all="ignore"):
        other = run.with_forced(moved).forward()
        first, last = (_moved(other, time) for time in (1, run.length))
        change = abs(float(np.log(last / first))) if first > 0 and last > 0 else np.inf
    return change if np.isfinite(change) else np.inf


def _moved(run: Run, time: int) -> float:
    """How far the states are moved at a time."""
    return (
        max(
            (float(np.max(np.abs(np.imag(run.value(key, time))), initial=0.0)) for key in run.system.states),
            default=0.0,
        )
        / STEP
    )


# -- sizes ---------------------------------------------------------------------------------------------


def _other_sizes(sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Each of the sizes as 1, and all of them larger; no two alike."""
    names = sorted(name for name in sizes if name != "T")
    for one in range(min(_ONES, len(names))):
        yield {name: 1 if k == one else 4 + (k + one) % len(names) for k, name in enumerate(names)}
    if names:
        yield {name: 9 + len(names) - k for k, name in enumerate(names)}


def _score_weights(system: RecurrentSystem) -> frozenset[str]:
    """Weights of a softmax behind the states, where that is how the cell comes to its loss."""
    behind = {leaf.name for q in system.steps if q.rhs.has(e.Softmax) for leaf in leaves(q.rhs)}
    for key in reversed(list(system.definitions)):
        if key in behind:
            behind |= {leaf.name for leaf in leaves(system.definitions[key].rhs)} if key not in system.states else set()
    read, pending = set[str](), list(system.states)
    while pending:
        key = pending.pop()
        if key in system.definitions and key not in read:
            pending += [leaf.name for leaf in leaves(system.definitions[key].rhs)]
        read.add(key)
    matrices = {key for key in system.parameters if ONE not in system.shapes[key]}
    return frozenset(matrices & behind - read)


__all__ = ["LARGE", "LONG", "beyond"]
