"""The adding problem (Hochreiter and Schmidhuber 1997): two numbers of a long sequence are marked, and their sum is asked for at its end.

Input t is (u_t, m_t) with u_t uniform in [0, 1]; m_t is 1 once in the first half and once in the second, else 0. Whoever always says 1
has the mean squared error Var(u + v) = 1/6.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

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


__all__ = ["GUESS", "sequences"]
