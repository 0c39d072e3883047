"""Both sides of an equation at random points, sizes and times, against a truth that uses nothing symbolic.

Derivatives in the formula get their values from the unrolled system by the complex step (:mod:`numeric.truth`), so a
claim is held against what its symbols mean, not against what the engine derives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from derive import expressions as e
from derive.errors import BpttError
from numeric.compare import relative_difference
from numeric.draws import farthest
from numeric.functions import Array
from numeric.simulate import OutOfRange
from verify.evaluated import evaluated
from verify.instances import WIDE, Trial, instance, instances, is_wide
from verify.names import Names
from verify.numbers import LARGEST_NUMBER, closed_parts, size_of, sizes_to_try
from verify.verdict import Counterexample, Verdict

TOLERANCE = 1e-10
"""Largest relative difference at which two sides count as equal; the truth is exact to about 1e-14."""
FAR_TOLERANCE = 1e-7
"""The same where values are far from zero."""
FLOOR = 1e-12
"""Differences below this are rounding, of whatever they are a part."""
LONGEST = 40
"""The longest sequence on which a formula is tried."""


def measured(names: Names, relation: e.Relation, trial: Trial) -> Verdict:
    """The verdict of trying.

    Where a quantity does not exist at some time at any point, the formula is false if it is false with a zero in its place, and
    otherwise undecided.
    """
    far = farthest(relation)
    if far + 3 > LONGEST:
        return Verdict("unsupported", "tested", message=f"it speaks of times {far} steps apart, which is not tried")
    tally = _tallied(names, relation, trial, far)
    if tally.errors or tally.reason or not tally.missing:
        found = tally.verdict()
        return _at_other_sizes(names, relation, trial, far, found) if found.verdict == "correct" else found
    with_zeros = _tallied(names, relation, replace(trial, draws=min(trial.draws, 4)), far, strict=False).verdict()
    if with_zeros.verdict == "wrong":
        return replace(with_zeros, message=f"{tally.missing}, and the two sides differ where it is taken as zero")
    return Verdict("unsupported", "tested", message=tally.missing)


def _at_other_sizes(names: Names, relation: e.Relation, trial: Trial, far: int, found: Verdict) -> Verdict:
    """The verdict on a formula that holds at random sizes, where it computes with them: it must hold at those that tell it from others."""
    sizes, untried = sizes_to_try(relation, dict(trial.sizes))
    if untried:
        return Verdict("unsupported", "tested", points=found.points, message=untried)
    for one in sizes:
        there = replace(trial, draws=1, sizes=(*trial.sizes, *one.items()))
        tally = _tallied(names, relation, there, far)
        if tally.undefined or tally.apart:
            where = " and ".join(f"{name} = {size}" for name, size in one.items())
            other = tally.verdict()
            return replace(other, message=other.message or f"the two sides differ at {where}")
    return found


def _tallied(names: Names, relation: e.Relation, trial: Trial, far: int, strict: bool = True) -> _Tally:
    tally = _Tally()
    wide = max([WIDE, *(1.5 * size for size in map(size_of, closed_parts(relation)) if size < 2 * LARGEST_NUMBER)])
    tally.meant = wide > WIDE
    for number in range(trial.draws):
        drawn, run = instance(names.system, trial, number, far, wide, strict)
        environment = names.environment(run)
        for times in instances(relation, run, np.random.default_rng([trial.seed + number, 3]), names, trial.conditions):
            try:
                sides = [evaluated(side, environment, drawn.sizes, times) for side in relation.items]
            except OutOfRange as error:
                tally.missing = error.message
                continue
            except BpttError as error:
                tally.reason = error.message
                return tally
            if not _broadcast(*sides):
                tally.reason = "the two sides have no common shape"
                return tally
            left, right = np.broadcast_arrays(*sides)
            tally.add(left, right, drawn.sizes, times, is_wide(number, wide))
    return tally


def _broadcast(left: Array, right: Array) -> bool:
    return left.shape == right.shape or 1 in (left.size, right.size)


class _Tally:
    """How often the two sides agree."""

    def __init__(self) -> None:
        self.errors: list[float] = []
        self.apart: list[float] = []
        self.meant = False
        """Whether values are large because the formula speaks of large numbers."""
        self.near_apart = 0
        """How many of these are at ordinary values."""
        self.undefined = 0
        self.missing = self.reason = ""
        """What does not exist at some time, and why nothing can be computed."""
        self.seen: list[tuple[Mapping[str, int], int, bool]] = []
        """Each point: its times, the length, and whether the sides agree there."""
        self.worst: tuple[float, Counterexample] | None = None

    def add(self, left: Array, right: Array, sizes: Mapping[str, int], times: Mapping[str, int], is_far: bool) -> None:
        """A point. Far from zero, where functions are flat or steep, rounding is larger; where both sides are as good as
        zero there, they say nothing.
        """
        if not (np.all(np.isfinite(left)) and np.all(np.isfinite(right))):
            self.undefined += not is_far
            return
        gap = relative_difference(left, right)
        if gap > TOLERANCE and float(np.max(np.abs(left - right), initial=0.0)) < FLOOR:
            return
        self.errors.append(gap)
        self.seen.append((times, sizes["T"], gap <= (FAR_TOLERANCE if is_far else TOLERANCE)))
        if gap > (FAR_TOLERANCE if is_far else TOLERANCE):
            self.apart.append(gap)
            self.near_apart += not is_far
            telling = gap - 1000.0 * is_far  # ordinary numbers are easier to look at
            if self.worst is None or telling > self.worst[0]:
                self.worst = (telling, Counterexample(sizes, times, left, right))

    def _where(self) -> str:
        """Where alone the sides differ, if that is the first step or the last."""
        for letter in self.seen[0][0]:
            for what, at_end in ((f"{letter} = T", True), (f"{letter} = 1", False)):
                there = [
                    (times[letter] == (length if at_end else 1), agree)
                    for times, length, agree in self.seen
                    if length > 1 and letter in times
                ]
                if any(not here and agree for here, agree in there) and all(here != agree for here, agree in there):
                    return f"the two sides differ at {what}, and nowhere else"
        return ""

    def verdict(self) -> Verdict:
        points = len(self.errors)
        if self.reason:
            return Verdict("unsupported", "tested", message=self.reason)
        if not points:
            why = "there is no point at which every quantity in it exists"
            return Verdict("unsupported", "tested", message="a side is not a finite number" if self.undefined else why)
        if self.undefined:
            message = f"a side is not a finite number at {self.undefined} points"
            return Verdict("unsupported", "tested", points=points, message=message)
        if not self.apart:
            return Verdict("correct", "tested", points=points, holds=points, error=max(self.errors))
        if not self.meant and not self.near_apart and points > len(self.apart):
            message = "the sides agree but where values are extreme, and rounding may be why they do not agree there"
            return Verdict("unsupported", "tested", points=points, holds=points - len(self.apart), message=message)
        return Verdict(
            "wrong",
            "tested",
            points=points,
            holds=points - len(self.apart),
            error=float(np.median(self.apart)),
            message=self._where(),
            counterexample=self.worst[1] if self.worst else None,
        )


__all__ = ["FLOOR", "LONGEST", "TOLERANCE", "measured"]
