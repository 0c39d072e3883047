"""Right or wrong: claims held against random networks of several sizes and lengths, at all times at which they exist."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.verify.corpus.cells import Model
from tests.verify.corpus.evaluation import (
    EXISTS,
    MISSING,
    Point,
    Reading,
    ShapeError,
    Unclear,
    bindings,
    difference,
)
from tests.verify.corpus.language import Claim

EQUAL, DIFFERENT = 1e-8, 1e-4  # relative
DRAWS = 6
AS_DEFINED = (Reading(), Reading(immediate_sums=False))
OTHER_LAYOUTS = (Reading("mixed"), Reading("denominator"))


class Outcome(Enum):
    """What the numbers say of a claim in one reading."""

    RIGHT = "right"
    WRONG = "wrong"
    SHAPE = "shapes that do not conform"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Label:
    """What a claim is labelled with.

    `shape`: shapes do not conform. `layout`: it is right with gradients in the shape of what they are taken by.
    `from_zero`: it is wrong, but right of every network that starts from zero.
    """

    true: bool
    shape: bool = False
    layout: bool = False
    from_zero: bool = False


class Judge:
    """Labels the claims about one network."""

    def __init__(self, model: Model) -> None:
        self.points = [Point(model, seed) for seed in range(DRAWS)]
        self.from_zero = [Point(model, seed, from_zero=True) for seed in range(DRAWS)]

    def label(self, claim: Claim) -> Label | None:
        """The label of a claim, or None where it has none.

        It has none where it never exists, or is right up to a transpose.
        """
        outcomes = [self.outcome(claim, reading) for reading in AS_DEFINED]
        if Outcome.RIGHT in outcomes:
            return Label(true=True)
        others = [self.outcome(claim, reading) for reading in OTHER_LAYOUTS]
        if Outcome.RIGHT in others and Outcome.UNCLEAR not in outcomes:
            return Label(true=True, layout=True)
        readings = (*AS_DEFINED, *OTHER_LAYOUTS)
        turned = [self.outcome(claim, reading, transpose=True) for reading in readings]
        if Outcome.RIGHT in turned or Outcome.UNCLEAR in (*outcomes, *others, *turned):
            return None
        from_zero = any(self.outcome(claim, reading, from_zero=True) is Outcome.RIGHT for reading in readings)
        return Label(False, all(it is Outcome.SHAPE for it in (*outcomes, *others)), from_zero=from_zero)

    def outcome(self, claim: Claim, reading: Reading, transpose: bool = False, from_zero: bool = False) -> Outcome:
        """What the numbers say: a difference counts only where nothing is zero by convention."""
        checked, largest = 0, 0.0
        for point in self.from_zero if from_zero else self.points:
            for letters in bindings(claim, point.length):
                there = min(point.exists(claim.left, letters), point.exists(claim.right, letters))
                if there == MISSING:
                    continue
                try:
                    found = difference(point, claim, letters, reading, transpose)
                except ShapeError:
                    return Outcome.SHAPE
                except Unclear:
                    return Outcome.UNCLEAR
                checked += there == EXISTS
                largest = max(largest, found)
                if found > DIFFERENT and there == EXISTS:
                    return Outcome.WRONG
        return Outcome.RIGHT if checked and largest < EQUAL else Outcome.UNCLEAR
