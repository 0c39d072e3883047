"""Norm bounds in numbers: by how much each of them holds on random draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derive.bounds import norm_bound
from derive.derivation import Derivation
from derive.errors import ValidationError
from derive.system import RecurrentSystem
from numeric.derived import DerivedNames
from numeric.draws import draw, run_of

_ROUNDING = 1e-9
"""By what share the left side may be larger, from rounding alone."""


@dataclass(frozen=True)
class BoundMeasure:
    """What part of a bound was reached: left side by right side, the smallest and the largest over all draws."""

    rule: str
    smallest: float
    largest: float
    draws: int

    def __str__(self) -> str:
        return f"{self.rule}: {self.smallest:.2g} to {self.largest:.2g} of the bound reached in {self.draws} draws"


def measure_bound(
    system: RecurrentSystem,
    draws: int = 20,
    seed: int = 0,
    derivation: Derivation | None = None,
    scale: float = 0.8,
) -> tuple[BoundMeasure, ...]:
    """Each line of the norm bound at a random step of each draw; distances are up to 5 steps.

    Raises
    ------
    ValidationError : a bound is exceeded.
    """
    bound = derivation or norm_bound(system)
    lines = [step for step in bound.steps if step.operator == "<="]
    reached: list[list[float]] = [[] for _ in lines]
    for number in range(draws):
        drawn = draw(system, seed + number, scale=scale)
        run = run_of(system, drawn)
        length, tree = drawn.sizes["T"], drawn.tree
        times = [time for time in range(1, length + 1) if tree is None or tree.is_above(length, time)]
        time = times[int(np.random.default_rng([seed + number, 13]).integers(len(times)))]
        evaluator = DerivedNames(run, bound, {system.time.name: time}).evaluator()
        left = float(np.real(evaluator(lines[0].lhs)).sum())
        for ratios, line in zip(reached, lines, strict=True):
            right = float(np.real(evaluator(line.rhs)).sum())
            ratios.append(left / right if right else (0.0 if left == 0 else np.inf))
            if ratios[-1] > 1 + _ROUNDING:
                raise ValidationError(f"the bound does not hold: {left:.6g} > {right:.6g}", expected=str(line))
    return tuple(
        BoundMeasure(line.rule, min(ratios), max(ratios), draws) for line, ratios in zip(lines, reached, strict=True)
    )
