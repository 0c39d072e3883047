"""The skip-gram network: a one-hot word, a hidden layer, an output layer over the vocabulary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.arrays.gradient import Array, Gradient, Numbers
from training.arrays.layers import Activation, Dropout, OneHotLinear
from training.arrays.outputs import Judged

Output = Callable[[Array, Array], Judged]
"""Judges hidden vectors (B, n) by the weights of the output layer (V, n + 1): the loss, with the targets, of a batch."""


class SkipGram:
    """h = φ(W₁ᵀx), z = W₂ (h, 1): no bias in the hidden layer, where it would be added to the rows of all words alike.

    Parameters
    ----------
    words, hidden : V and n.
    activation    : φ, a name of :data:`~training.arrays.layers.ACTIVATIONS`.
    dropout       : the share of hidden values that are zero in training.
    rng           : draws the first W₁, uniform in ±1/(2n); W₂ starts with zeros, so that all words are equally likely.

    >>> from training.arrays.outputs import softmax
    >>> network = SkipGram(5, 2, "tanh", 0.0, np.random.default_rng(0))
    >>> passed = network.forward(np.array([3]), lambda weights, hidden: softmax(weights, hidden, np.array([[1, 2]])))
    >>> round(float(passed.item() / np.log(5)), 4), network.gradients
    (2.0, {})
    >>> passed.backward()
    >>> {name: type(value).__name__ for name, value in network.gradients.items()}
    {'embedding': 'Rows', 'output': 'ndarray'}
    """

    def __init__(
        self, words: int, hidden: int, activation: str, dropout: float, rng: np.random.Generator, dtype: str = "float64"
    ) -> None:
        first = rng.uniform(-0.5 / hidden, 0.5 / hidden, (words, hidden)).astype(dtype)
        self.arrays: dict[str, Array] = {"embedding": first, "output": np.zeros((words, hidden + 1), dtype)}
        self.gradients: dict[str, Gradient] = {}
        self.input = OneHotLinear(first)
        self.activation = Activation(activation)
        self.dropout = Dropout(dropout)

    @property
    def embeddings(self) -> Array:
        """W₁ (V, n): its rows are the vectors of the words."""
        return self.arrays["embedding"]

    def forward(self, centre: Numbers, output: Output, rng: np.random.Generator | None = None) -> Passed:
        """The loss of a batch of centre words (B,); with random numbers, as in training, hidden values are dropped."""
        hidden = self.dropout.forward(self.activation.forward(self.input.forward(centre)), rng)
        return Passed(self, output(self.arrays["output"], hidden))

    def backward(self, judged: Judged) -> None:
        """The gradients by both matrices, from what the output layer found."""
        hidden = self.activation.backward(self.dropout.backward(judged.hidden))
        self.gradients = {"embedding": self.input.backward(hidden), "output": judged.weights}


class Passed:
    """A forward pass: its loss, and the way back."""

    def __init__(self, network: SkipGram, judged: Judged) -> None:
        self._network, self._judged = network, judged

    def item(self) -> float:
        """The loss."""
        return self._judged.loss

    def backward(self) -> None:
        """Leave the gradients in the network."""
        self._network.backward(self._judged)


__all__ = ["Output", "Passed", "SkipGram"]
