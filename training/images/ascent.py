"""Inputs that a unit answers to most: made by gradient ascent, and found among pictures.

A class's answer is its score; a channel's is the mean over its map of log(1 + e^a), a smooth rectifier: the mean of the map itself would
see of an edge filter only what it answers to even areas, and the rectifier has no gradient where a channel is silent. Ascent goes up

    answer(shifted x)/spread - roughness · mean (x_{i+1} - x_i)² - size · mean x²

by Adam, where the spread is that of the unit's answers to pictures, so that the penalties weigh alike in all layers. The picture is shifted
by some points before each step, so that what counts is not where a pattern lies; a penalty on differences of neighbours keeps out the
fine stripes to which networks answer and that no picture has; colours stay between black and white.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from training.data.cifar10 import SIDE

Answers = Callable[[Tensor], Tensor]
"""Pictures (B, 3, H, W) to the answers (B, units) of all units."""


@dataclass(frozen=True)
class Ascent:
    """How it is done.

    Parameters
    ----------
    steps     : of Adam.
    rate      : its learning rate, in standard deviations of the colours.
    roughness : weight of the squared differences of neighbours, 0 for none.
    size      : weight of the squares.
    jitter    : most points of a shift.
    """

    steps: int = 200
    rate: float = 0.1
    roughness: float = 5.0
    size: float = 0.1
    jitter: int = 2
    seed: int = 0

    def __call__(self, answers: Answers, units: Tensor, spread: Tensor, limits: tuple[Tensor, Tensor]) -> Tensor:
        """Pictures (U, 3, 32, 32), one for each of some units (U,).

        Parameters
        ----------
        spread : standard deviations of the units' answers to pictures (U,).
        limits : what black and white are (1, 3, 1, 1).
        """
        low, high = limits
        rng = np.random.default_rng((self.seed, 3))
        start = rng.normal(0.0, 0.1, (len(units), 3, SIDE, SIDE))
        x = torch.as_tensor(start, dtype=low.dtype, device=low.device).requires_grad_()
        adam = torch.optim.Adam([x], lr=self.rate)
        with torch.enable_grad():
            for _ in range(self.steps):
                down, right = (int(by) for by in rng.integers(-self.jitter, self.jitter + 1, 2))
                found = answers(x.roll((down, right), (2, 3))).gather(1, units[:, None])[:, 0]
                penalty = self.roughness * roughness(x).sum() + self.size * x.square().mean((1, 2, 3)).sum()
                (x.grad,) = torch.autograd.grad(penalty - (found / spread).sum(), [x])
                adam.step()
                with torch.no_grad():
                    x.clamp_(low, high)
        return x.detach()


def channel_answers(maps: Tensor) -> Tensor:
    """The answers (B, C) of channels, of their maps (B, C, H, W) before the rectifier."""
    return softplus(maps).mean((2, 3))


def roughness(pictures: Tensor) -> Tensor:
    """The mean squared difference of neighbours (B,)."""
    return sum((pictures.diff(dim=axis).square().mean((1, 2, 3)) for axis in (2, 3)), torch.zeros(()).to(pictures))


@torch.no_grad()
def all_answers(answers: Answers, pictures: Callable[[int, int], Tensor], count: int, batch: int = 500) -> Tensor:
    """The answers (count, units) to pictures, which are given from one number up to another."""
    return torch.cat([answers(pictures(at, min(at + batch, count))) for at in range(0, count, batch)])


__all__ = ["Answers", "Ascent", "all_answers", "channel_answers", "roughness"]
