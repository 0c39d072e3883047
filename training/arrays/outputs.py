"""Output layers over a vocabulary, each with its loss, for targets that are several words ("k-hot").

The output layer is z = W (h, 1): ``weights`` (V, n + 1) has a row for each word, the bias in its last column, h (B, n) are the hidden
vectors, and ``context`` (B, k) the numbers of the target words of each; a word may stand there twice. y, the k-hot vector, counts them.
Losses are means over the B examples. With V words, (B, V) arrays are large; none of the functions here makes one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.arrays.gradient import Array, Gradient, Numbers, summed

ENTRIES = 1 << 20
"""Scores that are held at once: few enough for the cache of a processor."""


@dataclass(frozen=True)
class Judged:
    """A loss and its gradients by the hidden vectors (B, n) and by the weights of the output layer."""

    loss: float
    hidden: Array
    weights: Gradient


def softmax(weights: Array, hidden: Array, context: Numbers) -> Judged:
    """The cross entropy of softmax and k-hot target, L = -∑_c log softmax(z)_c over the k context words, with all V scores.

    Its gradient by the scores is dz = k softmax(z) - y. Examples are taken in blocks of at most :data:`ENTRIES` scores.

    >>> weights, hidden = np.zeros((5, 3)), np.ones((1, 2))
    >>> found = softmax(weights, hidden, np.array([[0, 1, 1, 2]]))
    >>> bool(np.isclose(found.loss, 4 * np.log(5))), found.weights[:, -1].round(1).tolist()
    (True, [-0.2, -1.2, -0.2, 0.8, 0.8])
    """
    batch, count = context.shape
    inputs = _with_one(hidden)
    loss, by_hidden, by_weights = 0.0, np.empty_like(hidden), np.zeros_like(weights)
    size = max(1, ENTRIES // len(weights))
    for start in range(0, batch, size):
        block = slice(start, start + size)
        scores = inputs[block] @ weights.T
        scores -= scores.max(axis=1, keepdims=True)
        rows = np.arange(len(scores))[:, None]
        at_context = scores[rows, context[block]]
        np.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        loss += float((np.log(total) - at_context).sum(dtype=np.float64))
        scores *= count / total
        for column in context[block].T:  # one column at a time: a word that stands there twice is subtracted twice
            scores[rows[:, 0], column] -= 1
        by_hidden[block] = scores @ weights[:, :-1]
        by_weights += scores.T @ inputs[block]
    return Judged(loss / batch, by_hidden / batch, by_weights / batch)


def sampled(weights: Array, hidden: Array, context: Numbers, negatives: Numbers) -> Judged:
    """Negative sampling (Mikolov et al. 2013), L = -∑_c log σ(z_c) - ∑_m log σ(-z_m), m over the ``negatives`` (B, m) drawn.

    Only the rows of these words have a gradient: dz_c = σ(z_c) - 1, dz_m = σ(z_m).

    >>> found = sampled(np.zeros((5, 2)), np.ones((1, 1)), np.array([[1]]), np.array([[3, 4]]))
    >>> bool(np.isclose(found.loss, 3 * np.log(2))), found.weights.numbers, found.weights.values.tolist()
    (True, array([1, 3, 4]), [[-0.5, -0.5], [0.5, 0.5], [0.5, 0.5]])
    """
    batch, count = context.shape
    words = np.concatenate([context, negatives], axis=1)
    inputs, rows = _with_one(hidden), weights[words]
    scores = (rows @ inputs[:, :, None])[:, :, 0]
    scores[:, :count] *= -1  # the loss is softplus of all
    loss = float(np.logaddexp(0, scores).sum(dtype=np.float64))
    slopes = 0.5 * (1 + np.tanh(0.5 * scores)) / batch
    slopes[:, :count] *= -1
    by_hidden = (slopes[:, None, :] @ rows)[:, 0, :-1]
    by_rows = (slopes[:, :, None] * inputs[:, None, :]).reshape(-1, inputs.shape[1])
    return Judged(loss / batch, by_hidden, summed(words.ravel(), by_rows))


def squared(weights: Array, hidden: Array, context: Numbers) -> Judged:
    """Half the squared distance of the linear output from the k-hot vector, L = ½ ‖z - y‖².

    It needs no scores: with x = (h, 1), ‖z‖² = xᵀ (WᵀW) x, and WᵀW has only (n + 1)² entries. dx = (WᵀW) x - Wᵀy, dW = W (XᵀX) - YᵀX.

    >>> found = squared(np.zeros((5, 2)), np.ones((1, 1)), np.array([[1, 1, 3]]))
    >>> found.loss, found.weights[:, 0].tolist()
    (2.5, [0.0, -2.0, 0.0, -1.0, 0.0])
    """
    batch, count = context.shape
    inputs, rows = _with_one(hidden), weights[context]
    by_inputs = inputs @ (weights.T @ weights)
    twice = (context[:, :, None] == context[:, None, :]).sum(dtype=np.float64)  # ‖y‖², summed over the batch
    loss = 0.5 * float((by_inputs * inputs).sum(dtype=np.float64) + twice)
    loss -= float((rows @ inputs[:, :, None]).sum(dtype=np.float64))
    by_inputs -= rows.sum(axis=1)
    by_weights = weights @ (inputs.T @ inputs)
    at_context = summed(context.ravel(), np.repeat(inputs, count, axis=0))
    by_weights[at_context.numbers] -= at_context.values
    return Judged(loss / batch, by_inputs[:, :-1] / batch, by_weights / batch)


class Noise:
    """The words that negative sampling draws: each with a probability in proportion to its count to the power of ¾.

    >>> noise = Noise(np.array([16, 1]))
    >>> noise.probabilities.round(3).tolist(), noise.drawn(np.random.default_rng(0), (2, 3)).tolist()
    ([0.889, 0.111], [[0, 0, 0], [0, 0, 1]])
    """

    def __init__(self, counts: Numbers) -> None:
        weight = np.asarray(counts, np.float64) ** 0.75
        self.probabilities = weight / weight.sum()
        self._steps = np.cumsum(self.probabilities)[:-1]

    def drawn(self, rng: np.random.Generator, shape: tuple[int, int]) -> Numbers:
        """Numbers of words."""
        found: Numbers = np.searchsorted(self._steps, rng.random(shape), side="right")
        return found


def _with_one(hidden: Array) -> Array:
    return np.concatenate([hidden, np.ones((len(hidden), 1), hidden.dtype)], axis=1)


__all__ = ["ENTRIES", "Judged", "Noise", "sampled", "softmax", "squared"]
