"""Gradients that are zero but for some rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Numbers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Rows:
    """The rows of a gradient that are not zero.

    Parameters
    ----------
    numbers : of the rows, ascending, each once.
    values  : (k, n), one row for each of them.
    """

    numbers: Numbers
    values: Array

    def dense(self, count: int) -> Array:
        """All ``count`` rows.

        >>> Rows(np.array([1]), np.array([[2.0, 3.0]])).dense(2)
        array([[0., 0.],
               [2., 3.]])
        """
        found = np.zeros((count, *self.values.shape[1:]), self.values.dtype)
        found[self.numbers] = self.values
        return found


Gradient = Array | Rows


def summed(numbers: Numbers, values: Array) -> Rows:
    """The sum of all values that belong to the same row: sorted by their rows, then added run by run.

    >>> summed(np.array([4, 1, 4]), np.array([[1.0], [2.0], [3.0]]))
    Rows(numbers=array([1, 4]), values=array([[2.],
           [4.]]))
    """
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return Rows(ordered[starts], np.add.reduceat(values[order], starts, axis=0))


__all__ = ["Array", "Gradient", "Numbers", "Rows", "summed"]
