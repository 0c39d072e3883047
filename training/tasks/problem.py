"""A made problem whose answer stands far back in a sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Problem(ABC):
    """What is read, what is asked, and what a guess is worth.

    Parameters
    ----------
    title   : of tables.
    inputs  : entries of a vector of the sequence.
    outputs : numbers that are read off the cell's output at each step that counts.
    steps   : how many of the last steps count.
    error   : what the loss is.
    guess   : the loss of whoever knows nothing of the sequence.
    right   : what :meth:`rightly` counts.
    """

    title: str
    inputs: int
    outputs: int
    steps: int
    error: str
    guess: float
    right: str

    @abstractmethod
    def sequences(
        self, count: int, seed: tuple[int, ...], dtype: torch.dtype, device: str = "cpu"
    ) -> tuple[Tensor, Tensor]:
        """Inputs (T, B, inputs) and answers (steps, B), a function of the seed alone."""

    @abstractmethod
    def loss(self, found: Tensor, answers: Tensor) -> Tensor:
        """The mean over steps and sequences, of what was read off (steps, B, outputs)."""

    @abstractmethod
    def rightly(self, found: Tensor, answers: Tensor) -> float:
        """The share of answers that are right."""


__all__ = ["Problem"]
