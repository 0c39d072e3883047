"""Where a compiled cell leaves the numbers: which quantity is the first without a value, at which time, in which sequence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from derive.errors import NonFiniteWarning
from numeric.variant import Forward, Variant

Array = Any


def all_finite(run: Forward, results: Iterable[Array]) -> bool:
    """Whether all numbers of a run are finite."""
    kind = run.given.kind
    with kind.quietly():
        return all(map(kind.finite, map(kind.read, results)))


def found_at(variant: Variant, run: Forward) -> NonFiniteWarning:
    """What is not finite first: an argument, a quantity going forward, or an adjoint going backward."""
    batched, moment = run.given.batched, "node" if variant.system.tree is not None else "t ="
    for key, value in (*run.given.values.items(), *run.given.cotangents.items(), *run.given.starts.items()):
        if not run.given.kind.finite(value):
            return NonFiniteWarning(f"the argument {key} is not finite")
    states = ((key, _bad(value, batched)) for key, value in variant.states(run).items())
    first = min(((steps[0], key, bad) for key, bad in states if (steps := _steps(bad)).size), key=_time, default=None)
    if first is not None:
        return NonFiniteWarning(
            f"{first[1]} is not finite from {moment} {first[0] + 1} on{_which(first[2], first[0], batched)}"
        )
    adjoints = ((key, _bad(value, True)) for key, value in variant.adjoints(run))
    last = max(((steps[-1], key, bad) for key, bad in adjoints if (steps := _steps(bad)).size), key=_time, default=None)
    if last is not None:
        return NonFiniteWarning(
            f"{last[1]} is not finite from {moment} {last[0] + 1} back{_which(last[2], last[0], batched)}"
        )
    return NonFiniteWarning(
        "the loss or a gradient is not finite, although every quantity is: a sum over time is too large"
    )


def _bad(value: Array, batched: bool) -> Any:
    """For every time and sequence, whether some entry is not finite."""
    numbers = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    numbers = numbers if batched else numbers[:, None]
    return ~np.isfinite(numbers.reshape(*numbers.shape[:2], -1)).all(-1)


def _steps(bad: Any) -> Any:
    return np.flatnonzero(bad.any(1))


def _time(found: tuple[int, str, Any]) -> int:
    return found[0]


def _which(bad: Any, step: int, batched: bool) -> str:
    return f", in sequence {int(np.flatnonzero(bad[step])[0])} of the batch" if batched else ""


__all__ = ["all_finite", "found_at"]
