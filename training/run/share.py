"""A process's share of each batch, where a run has several processes.

The batch of a step is the same whatever their number: process r of R takes its examples r, r + R, r + 2R, …, and what is minimised is
the mean over all of them,

    L = ∑_r w_r L_r / ∑_r w_r,    ∇L = 1/R ∑_r ∇(R w_r / ∑_s w_s · L_r),

with w_r the number of examples (letters, words: whatever the mean L_r is over) in a share. The second form is the mean of gradients
that torch.nn.parallel.DistributedDataParallel makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import distributed

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass
class Share:
    """Process ``rank`` of ``ranks``.

    Parameters
    ----------
    idle : whether the last batch had nothing for this process. It then works on an example of another one, with weight 0, since all
           have to take part in a step.

    >>> Share(1, 2).of(np.arange(5)).tolist(), Share().of(np.arange(3)).tolist()
    ([1, 3], [0, 1, 2])
    """

    rank: int = 0
    ranks: int = 1
    idle: bool = False

    def of(self, rows: Rows) -> Rows:
        """This process's examples of a batch."""
        mine = rows[self.rank :: self.ranks]
        self.idle = len(mine) == 0
        return rows[:1] if self.idle else mine

    def weight(self, over: float) -> float:
        """What a mean over this share counts for, when it is over that many examples."""
        return 0.0 if self.idle else over

    def means(self, values: Sequence[float], over: float) -> list[float]:
        """Means over the whole batch, from those over this share; all processes have to call it.

        Parameters
        ----------
        over : how many examples the means are over.
        """
        if self.ranks == 1:
            return [*values]
        weight = self.weight(over)
        total, *found = self.sums([weight, *(weight * value for value in values)])
        return [value / total for value in found]

    def sums(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes, which all have to call it."""
        if self.ranks == 1:
            return [*values]
        found = torch.tensor([*values], dtype=torch.float64)
        distributed.all_reduce(found)
        summed: list[float] = found.tolist()
        return summed


__all__ = ["Rows", "Share"]
