"""JAX's arrays, computed with by functions that jax.jit compiles for the shapes of a call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import jax

from derive.errors import MissingRuleError
from numeric.arrays.module import Passes, Writer
from numeric.backends.backend import Backend

Array = Any


class Jitted(Backend):
    """Generated modules, compiled by JAX."""

    def passes(self, writer: Writer) -> Passes:
        """Both passes, each traced once for every length, batch and sizes."""
        if writer.system.tree is not None:
            hint = "the backends numpy, compiled and torch have them"
            raise MissingRuleError("cells over trees are not compiled by JAX", hint=hint)
        return _Passes(writer.passes())


class _Passes:
    """Both passes by length, batch and sizes."""

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
