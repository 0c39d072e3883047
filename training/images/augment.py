"""Other pictures of the same things: mirrored, shifted, and with a square missing; a function of the seed and the step alone.

Mirroring alternates (Jordan 2024, arXiv:2404.00498): a picture that is seen as it is in one pass is mirrored in the next, so that two
passes see both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import pad

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Augmentation:
    """How pictures are changed.

    Parameters
    ----------
    shift  : by how many points a picture moves at most, in each direction; what comes in is its reflection at the edge.
    square : side of the square that is taken out (DeVries and Taylor 2017), 0 for none.
    seed   : of all that is drawn.

    >>> x = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    >>> same = Augmentation(shift=1, square=2, seed=0)
    >>> torch.equal(same(x, np.array([0, 1]), 0, 5), same(x, np.array([0, 1]), 0, 5))
    True
    """

    shift: int = 2
    square: int = 0
    seed: int = 0

    def __call__(self, pictures: Tensor, rows: Rows, number: int, step: int) -> Tensor:
        """Changed pictures (B, C, H, W) whose mean colour is 0, in the memory format ``channels_last``.

        Parameters
        ----------
        rows   : which examples they are.
        number : of the pass.
        """
        rng = np.random.default_rng((self.seed, 1, step))
        changed = self._shifted(pictures, self.mirrored(rows, number), rng)
        return self._without_square(changed, rng) if self.square else changed

    def mirrored(self, rows: Rows, number: int) -> npt.NDArray[np.bool_]:
        """Which examples are mirrored in a pass: half of them in the first one, and then each the other way round."""
        highest = int(rows.max()) + 1
        first = np.random.default_rng((self.seed, 2)).integers(0, 2, highest)
        found: npt.NDArray[np.bool_] = (first[rows] + number) % 2 == 1
        return found

    def _shifted(self, pictures: Tensor, mirrored: npt.NDArray[np.bool_], rng: np.random.Generator) -> Tensor:
        count, _, height, width = pictures.shape
        down, right = rng.integers(0, 2 * self.shift + 1, (2, count))
        rows = down[:, None] + np.arange(height)
        columns = right[:, None] + np.arange(width)
        columns[mirrored] = columns[mirrored, ::-1]
        padded = pad(pictures, (self.shift,) * 4, mode="reflect") if self.shift else pictures
        index = (torch.as_tensor(part, device=pictures.device) for part in (np.arange(count), rows, columns))
        which, rows_of, columns_of = index
        # Advanced indices around a slice come first: the result is (B, H, W, C), which is channels_last once it is turned.
        return padded[which[:, None, None], :, rows_of[:, :, None], columns_of[:, None, :]].permute(0, 3, 1, 2)

    def _without_square(self, pictures: Tensor, rng: np.random.Generator) -> Tensor:
        count, _, height, width = pictures.shape
        tops, lefts = (
            rng.integers(0, side, count)[:, None] - self.square // 2 for side in (height, width)
        )  # a square may reach over the edge
        inside = [
            (start <= place) & (place < start + self.square)
            for start, place in ((tops, np.arange(height)), (lefts, np.arange(width)))
        ]
        hole = torch.as_tensor(inside[0][:, :, None] & inside[1][:, None, :], device=pictures.device)
        return pictures.masked_fill(hole[:, None], 0.0)


__all__ = ["Augmentation", "Rows"]
