"""JAX's arrays."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from derive.errors import UsageError
from numeric.arrays.jax_library import JAX

Array = Any


class JaxArrays:
    """See :class:`numeric.backends.arrays.Arrays`.

    Raises
    ------
    UsageError : float64 is asked for, but JAX is set to compute in float32.
    """

    library = JAX

    def __init__(self, dtype: str) -> None:
        if dtype == "float64" and jnp.zeros((), float).dtype != np.float64:
            hint = 'jax.config.update("jax_enable_x64", True) before the first array is made, or dtype="float32"'
            raise UsageError("JAX is set to compute in float32 only", hint=hint)
        self.name = dtype
        self.dtype = np.dtype(dtype)

    def near(self, given: Iterable[Any]) -> JaxArrays:
        return self

    def form(self, value: Any) -> Hashable | None:
        return (value.shape, str(value.dtype)) if isinstance(value, (jax.Array, np.ndarray)) else None

    def read(self, value: Any) -> Array:
        return value if isinstance(value, jax.Array) else np.asarray(value)

    def letter(self, array: Array) -> str:
        if jnp.issubdtype(array.dtype, jnp.floating):
            return "f"
        return str(np.dtype(array.dtype).kind)

    def numbers(self, array: Array) -> Array:
        return jnp.asarray(array, self.dtype)

    def labels(self, array: Array) -> Array:
        return jnp.asarray(array, int)

    def whole(self, array: Array) -> bool:
        return self.letter(array) != "f" or not bool((array != jnp.floor(array)).any())

    def finite(self, array: Array) -> bool:
        return bool(jnp.isfinite(array).all())

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return jnp.zeros(shape, self.dtype)

    def indices(self, array: Array) -> Array:
        return jnp.asarray(array)

    def chosen(self, condition: Array, value: Array) -> Array:
        return jnp.where(condition.reshape(*condition.shape, *[1] * (value.ndim - 2)), value, 0)

    def put(self, array: Array, rows: slice, value: Array) -> Array:
        return array.at[rows].set(value)

    def making(self) -> Any:
        return self.dtype

    def quietly(self) -> AbstractContextManager[Any]:
        return nullcontext()
