"""Layers of a network, with their forward and backward passes. A backward pass follows its forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.arrays.gradient import Array, Numbers, Rows, summed


class OneHotLinear:
    """H = X W for one-hot rows of X: a row of W is looked up, and the gradient XᵀdH is zero in all other rows.

    >>> layer = OneHotLinear(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> layer.forward(np.array([1, 1]))
    array([[3., 4.],
           [3., 4.]])
    >>> layer.backward(np.array([[1.0, 0.0], [0.0, 5.0]]))
    Rows(numbers=array([1]), values=array([[1., 5.]]))
    """

    def __init__(self, weights: Array) -> None:
        self.weights = weights
        self._words: Numbers = np.empty(0, np.int64)

    def forward(self, words: Numbers) -> Array:
        """The rows (B, n) of the words (B,)."""
        self._words = words
        return self.weights[words]

    def backward(self, gradient: Array) -> Rows:
        """The gradient by the weights, from that by the output (B, n)."""
        return summed(self._words, gradient)


Function = Callable[[Array], Array]


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))  # does not overflow


ACTIVATIONS: Mapping[str, tuple[Function, Function]] = {
    "identity": (lambda x: x, np.ones_like),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(y.dtype)),
}
"""φ, and φ' in terms of y = φ(x)."""


class Activation:
    """y = φ(x) entry by entry, for a φ of :data:`ACTIVATIONS`.

    >>> layer = Activation("relu")
    >>> layer.forward(np.array([-1.0, 2.0])), layer.backward(np.array([5.0, 5.0]))
    (array([0., 2.]), array([0., 5.]))
    """

    def __init__(self, name: str) -> None:
        self._function, self._derivative = ACTIVATIONS[name]
        self._output: Array = np.empty(0)

    def forward(self, x: Array) -> Array:
        """y."""
        self._output = self._function(x)
        return self._output

    def backward(self, gradient: Array) -> Array:
        """The gradient by x from that by y."""
        return gradient * self._derivative(self._output)


class Dropout:
    """In training each entry is zero with probability ``rate``; those that stay are divided by 1 - rate, so that the mean stays.

    >>> layer = Dropout(0.5)
    >>> layer.forward(np.ones(4), np.random.default_rng(0)), layer.backward(np.ones(4)), layer.forward(np.ones(2))
    (array([2., 0., 0., 0.]), array([2., 0., 0., 0.]), array([1., 1.]))
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._kept: NDArray[Any] | float = 1.0

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> Array:
        """Without random numbers, as outside of training, x itself."""
        if rng is None or not self.rate:
            self._kept = 1.0
            return x
        self._kept = (rng.random(x.shape) >= self.rate).astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * self._kept

    def backward(self, gradient: Array) -> Array:
        """The gradient by x from that by the output."""
        return gradient * self._kept


__all__ = ["ACTIVATIONS", "Activation", "Dropout", "OneHotLinear"]
