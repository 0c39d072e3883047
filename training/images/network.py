"""A small convolutional network that learns fast: whitened patches, three groups of convolutions, a scaled readout.

After Jordan 2024 (arXiv:2404.00498), which goes back to Page 2018 and to tysam-code/hlb-CIFAR10: the first layer is fixed and makes
the entries of 2 x 2 patches uncorrelated; convolutions start as the identity; normalisation has a shift that is learnt and no factor.
With three convolutions a group, the last two of a group are bridged (He et al. 2016).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, max_pool2d

_PATCH = 2
_READOUT = 1 / 9
"""Factor of the scores: with it the readout, too, learns at the common rate."""


class Group(nn.Module):
    """A convolution to other channels with pooling, and one or two more."""

    def __init__(self, read: int, write: int, convolutions: int) -> None:
        super().__init__()
        widths = [read] + [write] * convolutions
        self.convolutions = nn.ModuleList(_convolution(width, after) for width, after in pairwise(widths))
        self.norms = nn.ModuleList(_norm(write) for _ in range(convolutions))

    def forward(self, x: Tensor) -> Tensor:
        """Maps of half the height and width."""
        x = gelu(self.norms[0](max_pool2d(self.convolutions[0](x), 2)))
        before = x
        last = len(self.convolutions) - 1
        for k in range(1, last + 1):
            x = self.norms[k](self.convolutions[k](x))
            if k == last and last > 1:
                x = x + before
            x = gelu(x)
        return x


def _convolution(read: int, write: int) -> nn.Conv2d:
    layer = nn.Conv2d(read, write, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(layer.weight[:read])  # the channels that are read go through; the others start at random
    return layer


def _norm(width: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(width, momentum=0.4)  # a short memory: runs are short, and weights move fast
    layer.weight.requires_grad_(False)
    return layer


class WhitenedNet(nn.Module):
    """Pictures (B, 3, 32, 32) to scores (B, 10).

    Parameters
    ----------
    width        : channels of the first group; the others have four times as many.
    convolutions : of a group, 2 or 3.
    """

    def __init__(self, width: int, convolutions: int, classes: int = 10) -> None:
        super().__init__()
        patch = 3 * _PATCH**2
        self.whiten = nn.Conv2d(3, 2 * patch, _PATCH)
        self.whiten.weight.requires_grad_(False)
        widths = (2 * patch, width, 4 * width, 4 * width)
        self.groups = nn.Sequential(*(Group(read, write, convolutions) for read, write in pairwise(widths)))
        self.readout = nn.Linear(4 * width, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The scores."""
        maps = self.groups(gelu(self.whiten(x)))
        scores: Tensor = self.readout(maps.amax((2, 3))) * _READOUT
        return scores

    def start(self, pictures: Tensor) -> None:
        """Fix the first layer by the patches of some pictures."""
        filters = whitening(pictures, _PATCH)
        with torch.no_grad():
            self.whiten.weight.copy_(torch.cat([filters, -filters]))
            if self.whiten.bias is not None:
                self.whiten.bias.zero_()


def whitening(pictures: Tensor, side: int, least: float = 5e-4) -> Tensor:
    """Filters (3 side², 3, side, side) whose answers to patches of these pictures are uncorrelated and have variance 1: the
    eigenvectors v of the patches' second moments, each as v / √(λ + least).

    >>> x = torch.randn(50, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> answers = nn.functional.conv2d(x, whitening(x, 2, least=0.0)).transpose(0, 1).flatten(1)
    >>> bool(torch.allclose(answers @ answers.T / answers.shape[1], torch.eye(12, dtype=torch.float64)))
    True
    """
    patches = nn.functional.unfold(pictures, side).transpose(1, 2).flatten(0, 1)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values.clamp(min=0) + least).sqrt()).T.flip(0)
    return filters.reshape(-1, pictures.shape[1], side, side)


__all__ = ["Group", "WhitenedNet", "whitening"]
