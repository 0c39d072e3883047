"""One array that a function returns, held against what it has to be in every case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sympy import Integer

from numeric.functions import Array
from verify.programs.cases import Case
from verify.programs.compare import ROUNDING, apart, fitted, steps_apart
from verify.programs.naming import Target
from verify.programs.returned import Returned


@dataclass(frozen=True)
class Pair:
    """An array in one case, in the shape of what it has to be, and that."""

    case: Case
    found: Array
    right: Array

    @property
    def error(self) -> float:
        return apart(self.found, self.right)


class Measured:
    """One array in every case.

    Parameters
    ----------
    tolerance : the relative difference that passes; that of the array's own precision, if none is given.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        cases: Sequence[Case],
        arrays: Sequence[Returned | None],
        tolerance: float | None,
    ) -> None:
        self.name, self.target = name, target
        self.pairs: list[Pair] = []
        self.problem = ""
        self.turned = False
        given = [array for array in arrays if array is not None]
        self.precision = min((array.precision for array in given), key=tuple(ROUNDING)[::-1].index, default="float64")
        self.tolerance = ROUNDING[self.precision] if tolerance is None else tolerance
        for case, array in zip(cases, arrays, strict=True):
            if array is not None:
                self._add(case, array)

    def _add(self, case: Case, returned: Returned) -> None:
        right = case.right(self.target)
        if right is None or not np.all(np.isfinite(right)):
            return
        if returned.problem or returned.array is None:
            self.problem = self.problem or returned.problem
            return
        fit = fitted(returned.array, right) or self._with_start(case, returned.array, right)
        if fit is None:
            self.problem = f"it has the shape {returned.array.shape}; expected {_shape(right)}"
            return
        self.turned = self.turned or fit[1]
        self.pairs.append(Pair(case, fit[0], right))

    def _with_start(self, case: Case, array: Array, right: Array) -> tuple[Array, bool] | None:
        """An array over time with the starting value in front of it, if that is the right one there."""
        if not self.target.over_time(case.system) or array.shape[:1] != (case.length + 1,):
            return None
        starts = [s for s in case.system.starts if s.name == self.target.key and s.time == Integer(0)]
        fit = fitted(array[1:], right)
        if not starts or fit is None:
            return None
        key = self.target.key
        if self.target.kind == "state":
            first = case.together(Target("adjoint", key, Integer(1)), lambda point: np.real(point.run.value(key, 0)))
        else:
            first = case.right(Target("gradient", key, Integer(0)))
        before = None if first is None else fitted(array[0], first)
        if first is None or before is None or not apart(before[0], first) <= self.tolerance:
            return None
        return fit

    @property
    def known(self) -> bool:
        """Whether there is something to hold it against."""
        return bool(self.pairs) or bool(self.problem)

    @property
    def wrong(self) -> bool:
        return bool(self.problem) or any(not pair.error <= self.tolerance for pair in self.pairs)

    @property
    def error(self) -> float:
        return max((pair.error for pair in self.pairs), default=float("inf"))

    @property
    def explicable(self) -> bool:
        """Whether reasons can be searched: it is wrong in its numbers alone."""
        return not self.problem and bool(self.pairs) and all(np.all(np.isfinite(pair.found)) for pair in self.pairs)

    @property
    def where(self) -> str:
        """At which step it goes wrong first, in the order in which a backward pass goes; or for which lengths."""
        if self.problem:
            return self.problem
        if not self.explicable:
            return "it holds numbers that are not finite"
        said = [self._step()] if self.target.over_time(self.pairs[0].case.system) else []
        close = self.precision == "float64" and self.error <= ROUNDING["float32"]
        said += [self._cases(bool(said)), "by as little as numbers of single precision are rounded" if close else ""]
        return ", ".join(filter(None, said))

    def _bad(self, pair: Pair) -> bool:
        return not pair.error <= self.tolerance

    @property
    def ordinary(self) -> bool:
        """Whether it is wrong in ordinary cases already."""
        return bool(self.problem) or any(self._bad(pair) for pair in self.pairs if not pair.case.beyond)

    def _step(self) -> str:
        bad = [pair for pair in self.pairs if self._bad(pair)]
        pair = max(
            (pair for pair in bad if not pair.case.beyond or not self.ordinary), key=lambda pair: pair.case.length
        )
        steps = list(steps_apart(pair.found, pair.right, self.tolerance))
        if not steps:
            return ""
        if self.target.kind == "state":
            return f"from step {steps[0]} on (T = {pair.case.length})"
        return f"at step {steps[-1]} first, going back from T = {pair.case.length}"

    def _cases(self, stepped: bool) -> str:
        """In which cases it is right, where it is wrong in others: of which lengths, sizes, or gradients how large. Where a step is named,
        short sequences say nothing.
        """
        if stepped and self.ordinary:
            return ""
        usual = [pair for pair in self.pairs if pair.case.beyond in ("", "length")]
        if any(self._bad(pair) for pair in usual):
            return self._lengths(usual)
        if any(self._bad(pair) for pair in self.pairs if pair.case.beyond == "sizes"):
            bad = dict.fromkeys(
                pair.case.sizes for pair in self.pairs if self._bad(pair) and pair.case.beyond == "sizes"
            )
            fine = dict.fromkeys(pair.case.sizes for pair in self.pairs if not self._bad(pair))
            return f"it is wrong for {' and for '.join(bad)}, and right for {' and for '.join(fine)}"
        return "it is right for small gradients, and wrong for large ones"

    def _lengths(self, pairs: Sequence[Pair]) -> str:
        """For which lengths it is right, where it is wrong for all that are longer."""
        bad = {pair.case.length for pair in pairs if self._bad(pair)}
        fine = {pair.case.length for pair in pairs} - bad
        if not fine or not bad:
            return ""
        if max(fine) < min(bad):
            return f"it is right for T = {max(fine)}, and wrong for longer sequences"
        return f"it is wrong for T = {', '.join(map(str, sorted(bad)))}, and right for T = {', '.join(map(str, sorted(fine)))}"


def differing(one: dict[str, Returned], other: dict[str, Returned]) -> Iterator[str]:
    """The names of arrays that two calls with the same arguments give differently."""
    for name in dict.fromkeys((*one, *other)):
        first, second = one.get(name), other.get(name)
        if first is None or second is None or first.problem != second.problem:
            yield name
        elif first.array is not None and second.array is not None:
            rounding = ROUNDING[first.precision]
            same = first.array.shape == second.array.shape and np.allclose(
                first.array, second.array, rtol=rounding, atol=1e-9, equal_nan=True
            )
            if not same:
                yield name


def _shape(right: Array) -> str:
    return str(tuple(size for size in right.shape if size != 1))


__all__ = ["Measured", "Pair", "differing"]
