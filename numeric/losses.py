"""Concrete functions in place of abstract losses, so that a derivation about any L_t(h_t) can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from numeric.functions import Array


@lru_cache(maxsize=4096)
def _coefficients(seed: int, time: int, position: int, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
    generator = np.random.default_rng([seed, time, position])
    return (
        generator.uniform(-1.0, 1.0, size=shape),
        generator.uniform(-1.0, 1.0, size=shape),
        generator.uniform(-1.0, 1.0, size=shape),
    )


class SmoothLoss:
    """A different smooth function at every time: L_t(q) = Σ_i a_i q_i + ½ b_i q_i² + c_i q_i³/3, summed over its
    arguments.

    Polynomial, so that NumPy (real or complex) and torch evaluate the very same thing; its coefficients follow from a
    seed, the time and the argument's position alone.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def coefficients(self, time: int | None, position: int, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
        """a, b and c for one argument."""
        return _coefficients(self.seed, 0 if time is None else time + 1000, position, shape)

    def value(self, time: int | None, arguments: Sequence[Array]) -> Array:
        """L_t of its arguments, as a (1, 1) array of their kind."""
        total = None
        for position, q in enumerate(arguments):
            a, b, c = (self._like(x, q) for x in self.coefficients(time, position, tuple(q.shape)))
            part = (a * q + 0.5 * b * q * q + c * q * q * q / 3.0).sum().reshape(1, 1)
            total = part if total is None else total + part
        return total

    def gradient(self, time: int | None, position: int, q: Array) -> Array:
        """∇ of L_t by its argument at a position."""
        a, b, c = (self._like(x, q) for x in self.coefficients(time, position, tuple(q.shape)))
        return a + b * q + c * q * q

    @staticmethod
    def _like(x: Array, q: Array) -> Array:
        return x if isinstance(q, np.ndarray) else q.new_tensor(x)
