"""What changes over a run: the learning rate, and a slow copy of the weights that the fast ones come back to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Triangle:
    """The factor of the learning rate: up to 1 at ``peak`` (a share of the run), and down again, both in straight lines.

    >>> rate = Triangle(100, start=0.2, peak=0.25, end=0.0)
    >>> rate(0), rate(25), round(rate(62), 3), rate(100)
    (0.2, 1.0, 0.507, 0.0)
    """

    steps: int
    start: float = 0.2
    peak: float = 0.23
    end: float = 0.07

    def __call__(self, step: int) -> float:
        """The factor before the update of a step, counted from 0."""
        share = min(1.0, step / self.steps)
        if share < self.peak:
            return self.start + (1 - self.start) * share / self.peak
        return 1 + (self.end - 1) * (share - self.peak) / (1 - self.peak)


class Lookahead:
    """A slow copy of weights and running means (Zhang et al. 2019), as Jordan 2024 uses it.

    After every ``every`` updates, slow ← a slow + (1 - a) fast and fast ← slow, where a = 0.95^every (step/steps)³: at the beginning
    the copy follows at once, at the end it averages over the last updates.
    """

    def __init__(self, model: nn.Module, steps: int, every: int = 5) -> None:
        self.steps, self.every = steps, every
        self._fast = [value for value in model.state_dict().values() if value.is_floating_point()]
        self.slow = [value.clone() for value in self._fast]

    def share(self, step: int) -> float:
        """What the copy keeps of itself after that many updates."""
        return float(0.95**self.every * (step / self.steps) ** 3)

    @torch.no_grad()
    def after(self, step: int) -> None:
        """Let both meet, if it is time after that many updates."""
        if step % self.every:
            return
        for fast, slow in zip(self._fast, self.slow, strict=True):
            slow.lerp_(fast, 1 - self.share(step))
            fast.copy_(slow)

    @torch.no_grad()
    def finish(self) -> None:
        """The model is the slow copy."""
        for fast, slow in zip(self._fast, self.slow, strict=True):
            fast.copy_(slow)

    def restore(self, slow: Sequence[Tensor]) -> None:
        """The slow copy of a checkpoint."""
        for own, kept in zip(self.slow, slow, strict=True):
            own.copy_(kept)


__all__ = ["Lookahead", "Triangle"]
