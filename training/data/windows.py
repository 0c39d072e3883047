"""Context windows: each word of a text with its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.integer[Any]]


class Windows:
    """All places of a text that have ``reach`` words on both sides.

    >>> windows = Windows(np.array([10, 11, 12, 13, 14, 15]), 2)
    >>> centre, context = windows.rows(np.array([0, 1]))
    >>> len(windows), centre.tolist(), context.tolist()
    (2, [12, 13], [[10, 11, 13, 14], [11, 12, 14, 15]])
    """

    def __init__(self, text: Words, reach: int) -> None:
        self.text, self.reach = text, reach
        self._offsets = np.array([k for k in range(2 * reach + 1) if k != reach])

    def __len__(self) -> int:
        return max(0, len(self.text) - 2 * self.reach)

    def rows(self, numbers: Words) -> tuple[Words, Words]:
        """The centre words (B,) of some windows and their context words (B, 2 · reach)."""
        return self.text[numbers + self.reach], self.text[numbers[:, None] + self._offsets]


def thinned(text: Words, counts: Words, threshold: float, rng: np.random.Generator) -> Words:
    """The text without a part of its frequent words (Mikolov et al. 2013).

    A word of frequency f stays with probability min(1, √(threshold / f)). Windows over what is left reach further. 0 leaves all words.

    >>> text = np.repeat([0, 1], [9900, 100])
    >>> found = thinned(text, np.array([9900, 100]), 0.01, np.random.default_rng(0))
    >>> int((found == 1).sum()), 900 < int((found == 0).sum()) < 1100
    (100, True)
    """
    if not threshold:
        return text
    kept = np.sqrt(threshold * counts.sum() / np.maximum(counts, 1))
    found: Words = text[rng.random(len(text)) < kept[text]]
    return found


__all__ = ["Windows", "thinned"]
