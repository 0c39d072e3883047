"""A returned array as what reasons are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from numeric.functions import Array
from verify.programs.cases import Case
from verify.programs.compare import ROUNDING, apart
from verify.programs.measured import Measured, Pair
from verify.programs.naming import Target

NEAR = 1e-8
"""How near the array of a reason has to be, in double precision."""


@dataclass(frozen=True)
class Evidence:
    """An array in every case, the shortest sequences first: there most reasons are seen not to fit.

    Parameters
    ----------
    near  : the relative difference up to which another array is the same.
    wrong : whether it is not what it has to be.
    """

    name: str
    target: Target
    pairs: tuple[Pair, ...]
    near: float
    wrong: bool

    @property
    def size(self) -> int:
        return int(self.pairs[0].found.size)

    def fits(self, value: Callable[[Case], Array | None]) -> bool:
        """Whether it is what something gives in every case."""
        return all(self.agrees(pair, value(pair.case)) for pair in self.pairs)

    def agrees(self, pair: Pair, value: Array | None) -> bool:
        return value is not None and apart(pair.found, value) <= self.near


def evidence(measured: Iterable[Measured]) -> list[Evidence]:
    """The arrays that differ in their numbers alone, if at all; small ones first."""
    found = []
    for one in measured:
        if one.explicable:
            near = NEAR if one.precision == "float64" else ROUNDING[one.precision]
            pairs = tuple(sorted(one.pairs, key=lambda pair: pair.case.length))
            wrong = one.wrong and not all(pair.error <= near for pair in pairs)
            found.append(Evidence(one.name, one.target, pairs, near, wrong))
    return sorted(found, key=lambda one: one.size)


__all__ = ["NEAR", "Evidence", "evidence"]
