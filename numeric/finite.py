"""Where a compiled cell leaves the numbers: which quantity is the first without a value, at which time, in which sequence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derive.errors import NonFiniteWarning
from derive.system import RecurrentSystem
from numeric.arguments import Arguments
from numeric.arrays.library import Library
from numeric.program import Stage
from numeric.variant import Forward, Variant

Array = Any


def all_finite(run: Forward, results: Iterable[Array]) -> bool:
    """Whether all numbers of a run are finite."""
    kind = run.given.kind
    with kind.quietly():
        return all(map(kind.finite, map(kind.read, results)))


def found_at(system: RecurrentSystem, library: Library, given: Arguments) -> NonFiniteWarning:
    """What is not finite first: an argument, a quantity, or an adjoint.

    Everything is computed once more without passes, so that every quantity of the cell and every adjoint is kept. The first stage
    that leaves the numbers is where they were lost; in a loop it is the step that ran first.
    """
    for key, value in (*given.values.items(), *given.cotangents.items(), *given.starts.items()):
        if not given.kind.finite(value):
            return NonFiniteWarning(f"the argument {key} is not finite")
    variant = Variant(system, library, (), tuple(given.cotangents), tuple(sorted(given.own)))
    run = variant.forward(given)
    gradients = {target.name: f"the gradient of {key}" for (key, _), target in variant.program.gradients.items()}
    kept = {q.key: variant.rows(q.key, run) for q in system.equations if system.is_timed(q.key)}
    for stages, values in ((variant.program.forward, kept), (variant.program.backward, dict(variant.adjoints(run)))):
        for stage in stages:
            found = _lost(stage, values)
            if found is not None:
                name = gradients.get(found.key, found.key)
                return NonFiniteWarning(_said(replace(found, key=name), system.tree is not None, given.batched))
    return NonFiniteWarning(
        "the loss or a gradient is not finite, although every quantity is: a sum over time is too large"
    )


@dataclass(frozen=True)
class _Lost:
    """A quantity without a value: from which step on, in which direction, in which sequence of the batch."""

    key: str
    step: int
    backward: bool
    sequence: int


def _lost(stage: Stage, values: Mapping[str, Array]) -> _Lost | None:
    """What a stage loses first."""
    backward = stage.kind == "backward"
    found = []
    for name in dict.fromkeys(statement.target.name for statement in stage.statements):
        if name in values:
            bad = _bad(values[name])
            steps = np.flatnonzero(bad.any(1))
            if steps.size:
                step = int(steps[-1] if backward else steps[0])
                found.append(_Lost(name, step + 1, backward, int(np.flatnonzero(bad[step])[0])))
    return min(found, key=lambda lost: -lost.step if backward else lost.step, default=None)


def _bad(value: Array) -> Any:
    """For every time and sequence, whether some entry is not finite."""
    numbers = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    return ~np.isfinite(numbers.reshape(*numbers.shape[:2], -1)).all(-1)


def _said(lost: _Lost, tree: bool, batched: bool) -> str:
    where = f", in sequence {lost.sequence} of the batch" if batched else ""
    direction = "back" if lost.backward else "on"
    return f"{lost.key} is not finite from {'node' if tree else 't ='} {lost.step} {direction}{where}"


__all__ = ["all_finite", "found_at"]
