"""What is found about a formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from derive.notation.source import Span
from numeric.functions import Array


@dataclass(frozen=True, eq=False)
class Counterexample:
    """A point at which the two sides differ."""

    sizes: Mapping[str, int]
    times: Mapping[str, int]
    left: Array
    right: Array

    def __eq__(self, other: object) -> bool:
        return self.data() == other.data() if isinstance(other, Counterexample) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def data(self) -> dict[str, Any]:
        """As JSON: sizes, times, both sides, and the entries that differ, from 1."""
        left, right = (np.real(np.asarray(side)) for side in (self.left, self.right))
        gap = np.abs(left - right) > 1e-9 * max(1.0, float(np.max(np.abs(left), initial=0.0)))
        return {
            "sizes": dict(self.sizes),
            "indices": dict(self.times),
            "left": _numbers(left),
            "right": _numbers(right),
            "differs": [[int(k) + 1 for k in place] for place in np.argwhere(gap)[:100]],
        }

    def __str__(self) -> str:
        where = ", ".join(f"{k} = {v}" for k, v in {**self.sizes, **self.times}.items())
        place = f"at {where}: " if where else ""
        return f"{place}left {_show(self.left)}, right {_show(self.right)}"


def _numbers(value: Array) -> Any:
    """Numbers for JSON, which has no infinity."""
    return np.vectorize(lambda x: float(f"{x:.12g}") if np.isfinite(x) else str(x), otypes=[object])(value).tolist()


def _show(value: Array) -> str:
    flat = np.real(np.asarray(value))
    return (
        f"{float(flat.ravel()[0]):.4g}"
        if flat.size == 1
        else np.array2string(flat, precision=3, threshold=12, separator=", ").replace("\n", "")
    )


@dataclass(frozen=True)
class Verdict:
    """What was found about a formula.

    Parameters
    ----------
    verdict  : ``correct``, ``layout`` (right if transposed), ``wrong`` or ``unsupported``.
    evidence : ``proved``, ``tested`` or ``definition``.
    reading  : how the formula had to be read; empty where it holds as printed.
    points   : how many points were evaluated.
    holds    : at how many of them the two sides agree.
    error    : the median relative difference of the two sides over the points at which they differ.
    message  : why, where the formula is wrong by its shapes, or cannot be read or decided.
    hint     : what to do about it.
    exact    : whether both sides were computed exactly, from numbers alone.
    error_at : the place of what is wrong with it.
    tried    : the verdicts on all readings that were tried, in their order, where the formula has more than one.
    links    : the verdicts on the links of a chain.
    put_in   : of which given quantities the numbers stand in it in place of letters.
    one_length : whether it holds for the length of the sequence that the document gives, and not for every one.
    """

    verdict: str
    evidence: str
    reading: str = ""
    points: int = 0
    holds: int = 0
    error: float = 0.0
    counterexample: Counterexample | None = None
    message: str = ""
    hint: str = ""
    exact: bool = False
    error_at: Span | None = field(default=None, compare=False)
    tried: tuple[Verdict, ...] = ()
    links: tuple[Verdict, ...] = ()
    put_in: str = ""
    one_length: bool = False


__all__ = ["Counterexample", "Verdict"]
