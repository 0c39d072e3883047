"""Optimisers for arrays, whose gradients are arrays or some rows of them.

Where only some rows have a gradient, only these, and what is kept of them, are changed: momenta of other rows do not fade, as in
``torch.optim.SparseAdam``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from training.arrays.gradient import Array, Gradient, Rows

Kept = dict[str, Array]
"""What an optimiser keeps of one array, by name, in the array's shape."""


class Optimizer(ABC):
    """Updates of named arrays, in place.

    Parameters
    ----------
    rate        : the learning rate.
    decay_steps : after t updates the rate is rate / (1 + t / decay_steps); 0: it stays.

    >>> weights = {"W": np.array([1.0, 2.0])}
    >>> SGD(0.5).step(weights, {"W": np.array([1.0, 0.0])})
    >>> weights["W"]
    array([0.5, 2. ])
    """

    keeps: tuple[str, ...] = ()

    def __init__(self, rate: float, decay_steps: int = 0) -> None:
        self.rate, self.decay_steps = rate, decay_steps
        self.made = 0
        self.kept: dict[str, Kept] = {}

    def step(self, arrays: Mapping[str, Array], gradients: Mapping[str, Gradient]) -> None:
        """One update of every array that has a gradient."""
        rate = self.rate / (1 + self.made / self.decay_steps) if self.decay_steps else self.rate
        self.made += 1
        for name, gradient in gradients.items():
            array = arrays[name]
            kept = self.kept.setdefault(name, {key: np.zeros_like(array) for key in self.keeps})
            if isinstance(gradient, Rows):
                part = {key: value[gradient.numbers] for key, value in kept.items()}
                array[gradient.numbers] -= self.change(gradient.values, part, rate)
                for key, value in part.items():
                    kept[key][gradient.numbers] = value
            else:
                array -= self.change(gradient, kept, rate)

    @abstractmethod
    def change(self, gradient: Array, kept: Kept, rate: float) -> Array:
        """What is subtracted; ``kept`` is brought up to date in place."""

    def state(self) -> dict[str, Any]:
        """What must be kept to go on: the number of updates, and copies of arrays."""
        return {
            "made": self.made,
            "kept": {name: {key: value.copy() for key, value in kept.items()} for name, kept in self.kept.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self.made = int(state["made"])
        self.kept = {name: {key: np.array(kept[key]) for key in self.keeps} for name, kept in state["kept"].items()}


class SGD(Optimizer):
    """W ← W - η g."""

    def change(self, gradient: Array, kept: Kept, rate: float) -> Array:
        return rate * gradient


class Momentum(Optimizer):
    """v ← 0.9 v + g, W ← W - η v (Polyak 1964)."""

    keeps = ("velocity",)

    def change(self, gradient: Array, kept: Kept, rate: float) -> Array:
        velocity = kept["velocity"]
        velocity *= 0.9
        velocity += gradient
        return rate * velocity


class AdaGrad(Optimizer):
    """s ← s + g², W ← W - η g / (√s + 10⁻¹⁰) (Duchi, Hazan, Singer 2011)."""

    keeps = ("squares",)

    def change(self, gradient: Array, kept: Kept, rate: float) -> Array:
        squares = kept["squares"]
        squares += gradient * gradient
        return rate * gradient / (np.sqrt(squares) + 1e-10)


class Adam(Optimizer):
    """m ← 0.9 m + 0.1 g, v ← 0.999 v + 0.001 g², W ← W - η m̂ / (√v̂ + 10⁻⁸), m̂ = m / (1 - 0.9ᵗ), v̂ = v / (1 - 0.999ᵗ) (Kingma, Ba 2015)."""

    keeps = ("mean", "squares")

    def change(self, gradient: Array, kept: Kept, rate: float) -> Array:
        mean, squares = kept["mean"], kept["squares"]
        mean += 0.1 * (gradient - mean)
        squares += 0.001 * (gradient * gradient - squares)
        root = np.sqrt(squares)
        root /= (1 - 0.999**self.made) ** 0.5
        root += 1e-8
        return rate / (1 - 0.9**self.made) * mean / root


OPTIMIZERS: Mapping[str, type[Optimizer]] = {"sgd": SGD, "momentum": Momentum, "adagrad": AdaGrad, "adam": Adam}

__all__ = ["OPTIMIZERS", "SGD", "AdaGrad", "Adam", "Momentum", "Optimizer"]
