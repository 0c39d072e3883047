"""What the loss passes to the states when it is given to a function as an array: it stays what it is, whatever the states are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from numeric.functions import Array, total
from numeric.losses import SmoothLoss
from numeric.simulate import Run
from verify.programs.inside import ERRORS
from verify.programs.results import Point

_Place = tuple[int | None, int]


class PassedLoss(SmoothLoss):
    """A linear loss with the gradients that another one has in a run."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.loss.seed)
        self.passed: dict[_Place, Array] = {}
        self.certain = True
        """Whether every abstract function has gradients of its own at each time."""
        self._listen(run)

    def _listen(self, run: Run) -> None:
        replace(run, loss=_Heard(run.loss, self), strict=False).total_loss()

    def hear(self, place: _Place, gradient: Array) -> None:
        known: Array = self.passed.setdefault(place, gradient)
        self.certain = self.certain and bool(np.array_equal(known, gradient))

    def value(self, time: int | None, arguments: Sequence[Array]) -> Array:
        found = [total(self.passed[(time, position)] * q) for position, q in enumerate(arguments)]
        return sum(found[1:], found[0])

    def gradient(self, time: int | None, position: int, arguments: Sequence[Array]) -> Array:
        return self.passed[(time, position)]


class _Heard(SmoothLoss):
    """A loss that tells which gradients it has."""

    def __init__(self, loss: SmoothLoss, listener: PassedLoss) -> None:
        super().__init__(loss.seed)
        self.loss, self.listener = loss, listener

    def value(self, time: int | None, arguments: Sequence[Array]) -> Array:
        for position in range(len(arguments)):
            self.listener.hear((time, position), self.loss.gradient(time, position, arguments))
        return self.loss.value(time, arguments)


def with_loss_at_the_end(point: Point) -> Point | None:
    """The same instance, in which the loss passes what it passes at the last step alone; None where it is no loss of steps."""
    other = with_passed_loss(point)
    if other is None or not isinstance(other.drawn.loss, PassedLoss):
        return None
    passed = other.drawn.loss.passed
    if not any(place[0] == point.length for place in passed) or any(place[0] is None for place in passed):
        return None
    for place in passed:
        if place[0] != point.length:
            passed[place] = np.zeros_like(passed[place])
    return other


def with_passed_loss(point: Point) -> Point | None:
    """The same instance, in which the loss passes what it passes now, whatever becomes of the states."""
    try:
        loss = PassedLoss(point.run)
    except ERRORS:
        return None
    return Point(point.system, replace(point.drawn, loss=loss), point.arrays) if loss.certain else None


__all__ = ["PassedLoss", "with_loss_at_the_end", "with_passed_loss"]
