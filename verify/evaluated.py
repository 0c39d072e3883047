"""The value of somebody's formula: whatever goes wrong in computing it is an error about the formula."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derive import expressions as e
from derive.errors import DataError
from numeric.evaluate import Environment, Evaluator
from numeric.functions import Array


def evaluated(
    node: e.Node, environment: Environment, sizes: Mapping[str, int], times: Mapping[str, int] | None = None
) -> Array:
    """The value at a point; what is not finite is for the caller to see.

    Raises
    ------
    BpttError : it has no value: a quantity does not exist at some time (``OutOfRange``), a number is too large, an operation has
                no meaning for arrays of these shapes.
    """
    try:
        with np.errstate(all="ignore"):
            return Evaluator(environment, sizes, times or {})(node)
    except (ArithmeticError, IndexError, KeyError, TypeError, ValueError, np.linalg.LinAlgError) as error:
        raise DataError(f"it has no value that can be computed ({type(error).__name__})") from error
    except RecursionError as error:
        raise DataError("it is nested too deeply to be computed") from error


__all__ = ["evaluated"]
