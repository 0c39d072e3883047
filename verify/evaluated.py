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


class _Shifted(Evaluator):
    """Every sum moved by what rounding may move it: one unit in the last place of its largest term."""

    sign = 1.0

    def at(self, **times: int) -> Evaluator:
        """The same evaluator with times set."""
        moved = _Shifted(self.environment, self.sizes, {**self.times, **times}, self.arrays)
        moved.sign = self.sign
        return moved

    def _Plus(self, node: e.Plus) -> Array:
        values = [self(operand) for operand in node.operands]
        largest = np.max([np.max(np.abs(value), initial=0.0) for value in values])
        return sum(values[1:], values[0]) + self.sign * np.finfo(float).eps * largest


def rounding(node: e.Node, environment: Environment, sizes: Mapping[str, int], times: Mapping[str, int]) -> Array:
    """How far the value of a formula may be off because its sums cancel."""
    exact = evaluated(node, environment, sizes, times)
    room = np.zeros(exact.shape)
    for sign in (-1.0, 1.0):
        evaluator = _Shifted(environment, sizes, times)
        evaluator.sign = sign
        with np.errstate(all="ignore"):
            room = np.maximum(room, np.abs(evaluator(node) - exact))
    return 2.0 * room


__all__ = ["evaluated", "rounding"]
