"""Functions as they are wrongly computed: a sigmoid that divides by a sum, one without its minus sign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from derive import expressions as e
from derive.system import RecurrentSystem
from numeric.evaluate import NumpyArrays
from numeric.functions import Array, numpy_function, total
from verify.programs.cases import Case
from verify.programs.evidence import Evidence
from verify.programs.measured import Pair
from verify.programs.passed import with_passed_loss
from verify.programs.results import Point


@dataclass(frozen=True)
class Slip:
    """A function that stands in the place of another.

    Parameters
    ----------
    function : the one that belongs there.
    said     : what is computed instead.
    value    : that function, of a column or a row.
    """

    function: str
    said: str
    value: Callable[[Array], Array]

    def arrays(self) -> NumpyArrays:
        """Arrays in which the slip is made, and derivatives are taken from the output as they should be."""
        return _Slipped(self)


class _Slipped(NumpyArrays):
    def __init__(self, slip: Slip) -> None:
        self.slip = slip

    def apply(self, name: str, order: int, x: Array) -> Array:
        if name != self.slip.function or order > 1:
            return super().apply(name, order, x)
        y = self.slip.value(x)
        if order == 0:
            return y
        return y * (1 - y) if name == "sigma" else 1 - y * y if name == "tanh" else numpy_function(name, 1)(x)


_SLIPS = (
    Slip("sigma", "exp(x) / sum(exp(x) + 1): it divides by a sum over the entries", lambda x: np.exp(x) / total(np.exp(x) + 1)),
    Slip("sigma", "exp(x) / (1 + sum(exp(x))): it divides by a sum over the entries", lambda x: np.exp(x) / (1 + total(np.exp(x)))),
    Slip("sigma", "softmax(x): it divides by a sum over the entries", lambda x: np.exp(x) / total(np.exp(x))),
    Slip("sigma", "1 / (1 + exp(x)): the minus sign in the exponent is missing", lambda x: 1 / (1 + np.exp(x))),
    Slip("sigma", "1 / (1 - exp(-x)): the sign in the denominator is wrong", lambda x: 1 / (1 - np.exp(-x))),
    Slip("sigma", "tanh(x)", np.tanh),
    Slip("sigma", "x: the function is left out", lambda x: x),
    Slip("tanh", "sigma(x)", lambda x: 1 / (1 + np.exp(-x))),
    Slip("tanh", "(exp(x) + exp(-x)) / (exp(x) - exp(-x)): it is upside down", lambda x: 1 / np.tanh(x)),
    Slip("tanh", "max(x, 0)", lambda x: np.where(np.real(x) > 0, x, 0.0)),
    Slip("tanh", "x: the function is left out", lambda x: x),
)  # fmt: skip


@dataclass
class Slipped:
    """The cases in which a slip is made."""

    slip: Slip
    points: dict[Point, Point] = field(default_factory=dict)

    def explains(self, found: Evidence) -> bool:
        """Whether an array is what it has to be with the slip."""
        return found.fits(lambda case: self._right(found, case.changed(self._point)))

    def of(self, found: Evidence) -> Evidence:
        """An array held against what it has to be with the slip."""
        pairs = []
        for pair in found.pairs:
            case = pair.case.changed(self._point)
            right = self._right(found, case)
            pairs.append(Pair(case, pair.found, pair.right if right is None else right))
        wrong = not all(found.agrees(pair, pair.right) for pair in pairs)
        return replace(found, pairs=tuple(pairs), wrong=wrong)

    def _right(self, found: Evidence, case: Case) -> Array | None:
        return case.together(found.target, lambda point: point.right(found.target, derived=True))

    def _point(self, point: Point) -> Point:
        if point not in self.points:
            passed = with_passed_loss(point) or point
            self.points[point] = Point(passed.system, passed.drawn, self.slip.arrays())
        return self.points[point]


def slips(system: RecurrentSystem) -> Iterator[Slip]:
    """Those of the functions of a cell."""
    used = {node.function for q in system.steps for node in q.rhs.atoms(e.Apply)}
    yield from (slip for slip in _SLIPS if slip.function in used)


__all__ = ["Slip", "Slipped", "slips"]
