"""Concrete functions in place of abstract losses, so that a derivation about any L_t(h_t) can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from numeric.functions import Array, total


@lru_cache(maxsize=4096)
def _coefficients(seed: int, time: int, position: int, shape: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    generator = np.random.default_rng([seed, time, position])
    a, b, c, d = (generator.uniform(-1.0, 1.0, size=shape) for _ in range(4))
    return a, b, c, d


class SmoothLoss:
    """A different smooth function at every time: L_t(q) = Σ_i a_i q_i + ½ b_i q_i² + c_i q_i³/3, summed over its
    arguments, and ½ (Σ_i d_i q_i)² over all entries together, so that second derivatives by two of them are not zero.

    All of it times ``scale``; where the loss is ``level``, Σ_i a_i q_i alone with the same a at every time, so that its gradient
    is the same at all steps.

    Polynomial, so that NumPy (real or complex) and torch evaluate the very same thing; its coefficients follow from a
    seed, the time and the argument's position alone.
    """

    def __init__(self, seed: int, scale: float = 1.0, level: bool = False) -> None:
        self.seed, self.scale, self.level = seed, scale, level

    def coefficients(self, time: int | None, position: int, q: Array) -> list[Array]:
        """a, b, c and d for one argument, as arrays of its kind."""
        moment = 0 if time is None or self.level else time + 1000
        found: Sequence[Array] = _coefficients(self.seed, moment, position, tuple(q.shape[-2:]))
        if self.level:
            found = (found[0], *(np.zeros_like(part) for part in found[1:]))
        root = self.scale**0.5  # d enters as its square
        found = [part * factor for part, factor in zip(found, (self.scale, self.scale, self.scale, root), strict=True)]
        return [x if isinstance(q, np.ndarray) else q.new_tensor(x) for x in found]

    def value(self, time: int | None, arguments: Sequence[Array]) -> Array:
        """L_t of its arguments, as a (1, 1) array of their kind; of stacks of arguments, as a stack."""
        together: Array = 0.0
        apart: Array = 0.0
        for position, q in enumerate(arguments):
            a, b, c, d = self.coefficients(time, position, q)
            together = together + total(d * q)
            apart = apart + total(a * q + 0.5 * b * q * q + c * q * q * q / 3.0)
        return 0.5 * together**2 + apart

    def gradient(self, time: int | None, position: int, arguments: Sequence[Array]) -> Array:
        """∇ of L_t by its argument at a position."""
        q = arguments[position]
        a, b, c, d = self.coefficients(time, position, q)
        return a + b * q + c * q * q + d * self._together(time, arguments)

    def hessian(self, time: int | None, first: int, second: int, arguments: Sequence[Array]) -> Array:
        """The derivative of the gradient by one argument by another one, entries in the order of the arrays."""
        q = arguments[first]
        _, b, c, d = self.coefficients(time, first, q)
        other = self.coefficients(time, second, arguments[second])[3]
        together = np.outer(d.ravel(), other.ravel())
        return together + np.diag((b + 2 * c * q).ravel()) if first == second else together

    def _together(self, time: int | None, arguments: Sequence[Array]) -> Array:
        parts = [total(self.coefficients(time, position, q)[3] * q) for position, q in enumerate(arguments)]
        return sum(parts[1:], parts[0])
