"""What kind of filters a first layer has: measured by where their energy lies.

The energy of a filter w is the sum of its squares. Its constant part is that of its mean over the places, colour by colour: a filter
with a small one answers to changes over space, to edges and stripes, and not to an even area. Its grey part is that of its mean over
the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

KINDS = ("grey edge", "colour edge", "grey patch", "colour patch")
"""An edge has more than half of its energy in changes over space; grey has more than half of it in the mean of the colours."""


@dataclass(frozen=True)
class Measured:
    """Shares for each filter (N,): of the energy that is constant over space, of that which is grey, and the mean frequency in
    periods per point, from 0 to about 0.7, weighted by energy."""

    constant: Tensor
    grey: Tensor
    frequency: Tensor

    @property
    def kinds(self) -> list[int]:
        """The number of each filter's kind."""
        edge, grey = self.constant < 0.5, self.grey > 0.5
        return [2 * (not e) + (not g) for e, g in zip(edge.tolist(), grey.tolist(), strict=True)]

    def share(self, kind: int) -> float:
        """Of the filters that are of a kind."""
        return self.kinds.count(kind) / len(self.kinds)

    def order(self) -> list[int]:
        """Filters by their kind, in each kind those of low frequency first."""
        kinds: Sequence[int] = self.kinds
        return sorted(range(len(kinds)), key=lambda k: (kinds[k], float(self.frequency[k])))


def measured(filters: Tensor) -> Measured:
    """Of filters (N, 3, side, side).

    >>> edge = torch.tensor([-1.0, 0.0, 1.0]).expand(1, 3, 3, 3)
    >>> red = torch.zeros(1, 3, 3, 3).index_fill(1, torch.tensor([0]), 1.0)
    >>> [KINDS[k] for k in measured(torch.cat([edge, red])).kinds]
    ['grey edge', 'colour patch']
    """
    w = filters.detach().double()
    energy = w.square().sum((1, 2, 3)).clamp(min=1e-300)
    side = w.shape[-1]
    constant = w.mean((2, 3)).square().sum(1) * side * side
    grey = w.mean(1).square().sum((1, 2)) * w.shape[1]
    spectrum = torch.fft.fft2(w).abs().square().sum(1)
    along = torch.fft.fftfreq(side, dtype=torch.float64, device=w.device)
    length = (along[:, None].square() + along.square()).sqrt()
    frequency = (spectrum * length).sum((1, 2)) / spectrum.sum((1, 2)).clamp(min=1e-300)
    return Measured(constant / energy, grey / energy, frequency)


__all__ = ["KINDS", "Measured", "measured"]
