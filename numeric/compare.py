"""How far two arrays are apart: one measure for results, for sheets and for verdicts."""

from __future__ import annotations

import numpy as np

from numeric.functions import Array

LEAST_SCALE = 1e-3
"""Arrays below this are compared as if they were this large: values are of the size of one, and where both should be
zero, or entries cancel, only the rounding of what they came from is left.
"""


def relative_difference(a: Array, b: Array) -> float:
    """‖a - b‖ / max(‖a‖, ‖b‖), with the Euclidean norm over all entries; infinite where an entry is not finite.

    >>> relative_difference(np.array([3.0, 4.0]), np.array([3.0, 4.5]))  # doctest: +ELLIPSIS
    0.0924...
    """
    a, b = np.asarray(a), np.asarray(b)
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return float("inf")
    unit = max(float(np.max(np.abs(a), initial=0.0)), float(np.max(np.abs(b), initial=0.0)), LEAST_SCALE)
    a, b = a / unit, b / unit  # squares of what is large would overflow
    scale = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)), LEAST_SCALE / unit)
    return float(np.linalg.norm(a - b)) / scale
