"""Reasons that need no formula: an array is zero, twice as large, that of one step or one sequence alone, that of another quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from sympy import Integer

from derive.system import RecurrentSystem
from derive.truncated import truncated
from numeric.derived import DerivedNames
from numeric.functions import Array
from verify.programs.cases import BATCH, Case
from verify.programs.evidence import Evidence
from verify.programs.inside import ERRORS
from verify.programs.naming import Target
from verify.programs.passed import with_loss_at_the_end
from verify.programs.results import Point

Candidate = tuple[str, Callable[[Case], Array | None]]


def plain_reason(system: RecurrentSystem, found: Evidence) -> str:
    """The reason in words; empty where there is none."""
    if not any(np.any(pair.found) for pair in found.pairs):
        return "it is zero"
    scaled = _scaled(found)
    if scaled:
        return scaled
    return next((said for said, value in _candidates(system, found) if found.fits(value)), "")


def _scaled(found: Evidence) -> str:
    """By which number, everywhere the same or made of the sizes, it is too large."""
    factors = []
    for pair in found.pairs:
        size = float(np.max(np.abs(pair.right), initial=0.0)) or 1.0
        right = pair.right / size  # squares of large numbers are too large
        square = float(np.vdot(right, right))
        factor = float(np.vdot(right, pair.found / size)) / square if square else 1.0
        if not found.agrees(pair, factor * pair.right):
            return ""
        factors.append(factor)
    lengths = [pair.case.length for pair in found.pairs]
    several = len(set(lengths)) > 1
    for said, expected in (
        ("its sign is wrong", [-1.0] * len(lengths)),
        ("it is the mean over the sequences; their sum belongs there", _if_batch(found, 1 / BATCH)),
        ("it is divided by T", [1 / steps for steps in lengths] if several else []),
        ("it is T times as large", [float(steps) for steps in lengths] if several else []),
        ("it is divided by the number of all steps of all sequences", _if_batch(found, 1 / BATCH, lengths)),
    ):
        if expected and np.allclose(factors, expected, rtol=100 * found.near):
            return said
    same = np.allclose(factors, factors[0], rtol=100 * found.near) and not np.isclose(factors[0], 1)
    return f"it is {factors[0]:.6g} times as large" if same else ""


def _if_batch(found: Evidence, factor: float, lengths: list[int] | None = None) -> list[float]:
    if not found.pairs[0].case.batch:
        return []
    return [factor / steps for steps in lengths or [1] * len(found.pairs)]


def _candidates(system: RecurrentSystem, found: Evidence) -> Iterator[Candidate]:
    target = found.target
    if target.over_time(system):
        yield (
            "its steps are in the order of the backward pass",
            lambda case: _array(case.right(target), slice(None, None, -1)),
        )
    if target.kind == "gradient" and target.key in system.parameters:
        yield from _of_steps(target, found)
        if not found.pairs[0].case.batch:
            yield "it is transposed", _transposed(target)
    if found.pairs[0].case.batch:
        yield "it is that of the first sequence alone", lambda case: case.points[0].right(target)
        yield "it is that of the last sequence alone", lambda case: case.points[-1].right(target)
    yield from _of_others(system, found)
    if target.differentiated and any(pair.case.length > 1 for pair in found.pairs):
        yield "only what the loss passes at the last step is carried back", lambda case: _of_the_end(case, target)


def _of_the_end(case: Case, target: Target) -> Array | None:
    """An array for the loss of the last step alone."""
    ends = {point: with_loss_at_the_end(point) for point in case.points}
    if any(end is None for end in ends.values()):
        return None
    return case.changed(lambda point: ends[point] or point).right(target)


def _of_steps(target: Target, found: Evidence) -> Iterator[Candidate]:
    def steps(case: Case, first: int, last: int) -> Array | None:
        shares = [
            case.right(Target("share", target.key, Integer(k)))
            for k in range(max(first, 1), min(last, case.length) + 1)
        ]
        return None if not shares or any(share is None for share in shares) else np.sum(shares, axis=0)  # type: ignore[arg-type]

    yield (
        "it is right for the last step alone: nothing is passed back to the steps before",
        lambda case: steps(case, case.length, case.length),
    )
    yield (
        "it is what step 1 alone adds: each step takes the place of the others, and is not added to them",
        lambda case: steps(case, 1, 1),
    )
    for count in _cuts(found):
        yield f"it is what the last {count} steps add: the backward pass ends there", _last(steps, count)
    for count in _cuts(found):
        if count > 1:  # after one step nothing is passed back at all, which is a line of the recursion
            yield f"each loss goes back {count} steps: it is truncated", _truncated(target, count)
    longer = [pair.case for pair in found.pairs if pair.case.length > 1]
    if longer:
        yield "what step 1 adds is missing", lambda case: _or_zero(steps(case, 2, case.length), case, target)
        yield "what step T adds is missing", lambda case: _or_zero(steps(case, 1, case.length - 1), case, target)


def _cuts(found: Evidence) -> range:
    """After how many steps the backward pass may be cut off: it is right for sequences that are no longer."""
    right = {pair.case.length: found.agrees(pair, pair.right) for pair in found.pairs}
    fine, bad = [n for n, good in right.items() if good], [n for n, good in right.items() if not good]
    return range(max(fine), min(bad)) if fine and bad else range(0)


def _last(steps: Callable[[Case, int, int], Array | None], count: int) -> Callable[[Case], Array | None]:
    return lambda case: steps(case, case.length - count + 1, case.length)


def _truncated(target: Target, count: int) -> Callable[[Case], Array | None]:
    def at(point: Point) -> Array | None:
        try:
            derivation = truncated(point.system, point.system.quantity(target.key), Integer(count), "double-sum", count)
            return np.real(DerivedNames(point.run, derivation, {}).evaluator()(derivation.result)).reshape(
                point.run.shape(target.key)
            )
        except ERRORS:
            return None

    return lambda case: case.together(target, at)


def _or_zero(value: Array | None, case: Case, target: Target) -> Array | None:
    """No steps add nothing."""
    if value is not None or case.length > 1:
        return value
    right = case.right(target)
    return None if right is None else np.zeros_like(right)


def _transposed(target: Target) -> Callable[[Case], Array | None]:
    def value(case: Case) -> Array | None:
        right = case.right(target)
        return None if right is None else right.T

    return value


def _array(value: Array | None, part: slice) -> Array | None:
    return None if value is None else value[part]


def _of_others(system: RecurrentSystem, found: Evidence) -> Iterator[Candidate]:
    """The gradient by another quantity of that shape."""
    target = found.target
    if not target.differentiated or target.kind == "share":
        return
    group = next((g for g in (system.parameters, system.inputs, tuple(system.definitions)) if target.key in g), ())
    for key in group:
        same = key != target.key and key not in system.labels and system.shapes[key] == system.shapes[target.key]
        if same and isinstance(system.quantity(key), type(system.quantity(target.key))):
            other = Target(target.kind, key, target.time)
            yield f"it is {other}", _right_of(other)


def _right_of(target: Target) -> Callable[[Case], Array | None]:
    return lambda case: case.right(target)


__all__ = ["plain_reason"]
