"""The adding problem (Hochreiter and Schmidhuber 1997): two numbers of a long sequence are marked, and their sum is asked for at its end.

Input t is (u_t, m_t) with u_t uniform in [0, 1]; m_t is 1 once in the first half and once in the second, else 0. Whoever always says 1
has the mean squared error Var(u + v) = 1/6.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from derive.errors import UsageError
from training.tasks.problem import Problem

GUESS = 1 / 6
"""The mean squared error of the constant 1."""


def sequences(
    count: int, length: int, seed: tuple[int, ...], dtype: torch.dtype, device: str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, 2) and sums (B,), a function of the seed alone.

    >>> x, y = sequences(3, 10, (0, 1), torch.float64)
    >>> bool(torch.allclose((x[:, :, 0] * x[:, :, 1]).sum(0), y)), x[:, :, 1].sum(0).tolist()
    (True, [2.0, 2.0, 2.0])
    """
    rng = np.random.default_rng(seed)
    numbers = rng.random((length, count))
    marks = np.zeros((length, count))
    columns = np.arange(count)
    half = length // 2
    marks[rng.integers(0, half, count), columns] = 1
    marks[rng.integers(half, length, count), columns] = 1
    x = np.stack([numbers, marks], axis=-1)
    return torch.as_tensor(x, dtype=dtype, device=device), torch.as_tensor(
        (numbers * marks).sum(0), dtype=dtype, device=device
    )


class Adding(Problem):
    """As a problem beside others.

    >>> adding = Adding(6)
    >>> x, y = adding.sequences(5, (1,), torch.float64)
    >>> x.shape, y.shape, float(adding.loss(y[..., None], y)), adding.rightly(y[..., None] + 0.2, y)
    (torch.Size([6, 5, 2]), torch.Size([1, 5]), 0.0, 0.0)
    """

    inputs, outputs, steps = 2, 1, 1
    error, guess, right = "squared error", GUESS, "within 0.1"

    def __init__(self, length: int) -> None:
        if length < 2:
            raise UsageError(f"--set length is {length}", expected="2 or more")
        self.length = length
        self.title = f"The adding problem over {length} steps"

    def sequences(
        self, count: int, seed: tuple[int, ...], dtype: torch.dtype, device: str = "cpu"
    ) -> tuple[Tensor, Tensor]:
        x, y = sequences(count, self.length, seed, dtype, device)
        return x, y[None]

    def loss(self, found: Tensor, answers: Tensor) -> Tensor:
        return (found[..., 0] - answers).square().mean()

    def rightly(self, found: Tensor, answers: Tensor) -> float:
        return float(((found[..., 0] - answers).abs() < 0.1).double().mean())


__all__ = ["GUESS", "Adding", "sequences"]
