"""NumPy's arrays."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from numeric.arrays.numpy_library import NUMPY

Array = Any


class NumpyArrays:
    """See :class:`numeric.backends.arrays.Arrays`."""

    library = NUMPY

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.name = str(self.dtype)

    def near(self, given: Iterable[Any]) -> NumpyArrays:
        return self

    def form(self, value: Any) -> Hashable | None:
        return (value.shape, value.strides, value.dtype.str) if isinstance(value, np.ndarray) else None

    def read(self, value: Any) -> Array:
        return np.asarray(value)

    def letter(self, array: Array) -> str:
        return str(array.dtype.kind)

    def numbers(self, array: Array) -> Array:
        return np.asarray(array, self.dtype, order="C")

    def labels(self, array: Array) -> Array:
        return array.astype(np.int64, order="C")

    def whole(self, array: Array) -> bool:
        return array.dtype.kind != "f" or not np.any(array != np.floor(array))

    def finite(self, array: Array) -> bool:
        # the sum of squares is quick, and finite only if all entries are; where it is not, they may be too large for it
        return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, self.dtype)

    def indices(self, array: Array) -> Array:
        return array

    def chosen(self, condition: Array, value: Array) -> Array:
        return np.where(condition.reshape(*condition.shape, *[1] * (value.ndim - 2)), value, value.dtype.type(0))

    def put(self, array: Array, rows: slice, value: Array) -> Array:
        array[rows] = value
        return array

    def making(self) -> Any:
        return self.dtype

    def quietly(self) -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")  # what is not finite is for the caller to see
