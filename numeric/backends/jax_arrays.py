"""JAX's arrays: both passes are compiled by jax.jit for the shapes of a call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from derive.errors import MissingRuleError, UsageError
from numeric.arrays.jax_library import JAX
from numeric.backends.arrays import Shortcut
from numeric.plans import Groups, Plan

if TYPE_CHECKING:
    from numeric.arguments import Arguments
    from numeric.arrays.module import Passes, Writer
    from numeric.variant import Variant

Array = Any


class JaxArrays:
    """See :class:`numeric.backends.arrays.Arrays`.

    Raises
    ------
    UsageError : float64 is asked for, but JAX is set to compute in float32.
    """

    library = JAX
    shortcuts = False

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

    def passes(self, writer: Writer) -> Passes:
        if writer.system.tree is not None:
            raise MissingRuleError(
                "cells over trees are not compiled by JAX", hint="the backends numpy and compiled have them"
            )
        return _Jitted(writer.passes())

    def shortcut(
        self, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None
    ) -> Shortcut | None:
        return None


class _Jitted:
    """Both passes, traced once for every length, batch and sizes."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes
        self._functions: dict[Hashable, Callable[..., Mapping[str, Array]]] = {}

    def forward(self, length: int, batch: int, sizes: Mapping[str, int], dtype: Any, given: Mapping[str, Array]) -> Any:
        return self._function("forward", length, batch, sizes, dtype)(dict(given))

    def backward(
        self, length: int, batch: int, sizes: Mapping[str, int], dtype: Any, given: Mapping[str, Array], kept: Any
    ) -> Any:
        return self._function("backward", length, batch, sizes, dtype)(dict(given), kept)

    def _function(
        self, name: str, length: int, batch: int, sizes: Mapping[str, int], dtype: Any
    ) -> Callable[..., Mapping[str, Array]]:
        key = (name, length, batch, tuple(sorted(sizes.items())))
        if key not in self._functions:
            run = getattr(self._passes, name)
            self._functions[key] = jax.jit(lambda *arrays: run(length, batch, sizes, dtype, *arrays))
        return self._functions[key]
