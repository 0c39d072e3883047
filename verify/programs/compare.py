"""Arrays held against what they have to be, whatever way they are laid out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from numeric.functions import Array

ROUNDING = {"float64": 1e-6, "float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}
"""The relative difference that passes, by the precision of an array."""
CONFIRMED = 1e-9
"""The relative difference up to which a derivation agrees with the unrolled cell."""


def fitted(found: Array, right: Array) -> tuple[Array, bool] | None:
    """An array in the shape of what it has to be, and whether it was transposed; None if it has another shape."""
    found_shape, right_shape = (tuple(size for size in array.shape if size != 1) for array in (found, right))
    if found_shape == right_shape:
        return found.reshape(right.shape), False
    if len(found_shape) == 2 and found_shape == right_shape[::-1]:
        return found.reshape(found_shape).T.reshape(right.shape), True
    return None


def apart(found: Array, right: Array) -> float:
    """The largest difference, relative to the largest entry."""
    if found.shape != right.shape:
        return float("inf")
    scale = max(float(np.max(np.abs(right), initial=0.0)), float(np.max(np.abs(found), initial=0.0)), 1e-9)
    return float(np.max(np.abs(found - right), initial=0.0)) / scale


def steps_apart(found: Array, right: Array, tolerance: float) -> Iterator[int]:
    """The steps, from 1, at which arrays over time differ."""
    scale = max(float(np.max(np.abs(right), initial=0.0)), 1e-9)
    for step, (one, other) in enumerate(zip(found, right, strict=True), 1):
        if not float(np.max(np.abs(one - other), initial=0.0)) <= tolerance * scale:
            yield step


__all__ = ["CONFIRMED", "ROUNDING", "apart", "fitted", "steps_apart"]
