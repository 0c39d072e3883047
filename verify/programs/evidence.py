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
    """An array in several cases, the shortest sequences first: there most reasons are seen not to fit.

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
    """The arrays that differ in their numbers alone, if at all, in ordinary cases; small ones first."""
    found = []
    for one in measured:
        if one.explicable and (pairs := [pair for pair in one.pairs if not pair.case.beyond]):
            found.append(_evidence(one, pairs))
    return sorted(found, key=lambda one: one.size)


def beyond(measured: Iterable[Measured]) -> list[Evidence]:
    """The arrays that are wrong in other cases alone, in all cases of the ordinary sizes."""
    found = [one for one in measured if one.explicable and one.wrong and not one.ordinary]
    return [_evidence(one, [pair for pair in one.pairs if pair.case.beyond in ("", "length")]) for one in found]


def _evidence(one: Measured, pairs: Iterable[Pair]) -> Evidence:
    near = NEAR if one.precision == "float64" else ROUNDING[one.precision]
    ordered = tuple(sorted(pairs, key=lambda pair: pair.case.length))
    return Evidence(one.name, one.target, ordered, near, one.wrong and not all(pair.error <= near for pair in ordered))


__all__ = ["NEAR", "Evidence", "beyond", "evidence"]
