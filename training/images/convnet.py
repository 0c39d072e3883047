"""A plain convolutional network whose layers can be looked at.

Five layers, each a convolution, a normalisation and a rectifier: conv1 with filters of 5 x 5 points, the others of 3 x 3; pooling after
conv1 and conv3; the means of conv5's maps are read out linearly. Without fully connected layers in between, Grad-CAM of conv5 is the
class activation map of Zhou et al. 2016.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

SIDES = (5, 3, 3, 3, 3)
POOLED = (0, 2)
"""Layers after which height and width are halved."""


class Layer(nn.Module):
    """A convolution and its normalisation; what it gives is not rectified."""

    def __init__(self, read: int, write: int, side: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(read, write, side, padding=side // 2, bias=False)
        self.norm = nn.BatchNorm2d(write)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, write, H, W)."""
        maps: Tensor = self.norm(self.convolution(x))
        return maps


class ConvNet(nn.Module):
    """Pictures (B, 3, 32, 32) to scores (B, classes); ``width`` channels in conv1, twice and four times as many later."""

    def __init__(self, width: int, classes: int = 10) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 2 * width, 4 * width, 4 * width)
        self.layers = nn.ModuleList(
            Layer(read, write, side) for read, write, side in zip(widths, widths[1:], SIDES, strict=False)
        )
        self.readout = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """The scores."""
        scores: Tensor = self.readout(relu(self.maps(x)[-1]).mean((2, 3)))
        return scores

    def maps(self, x: Tensor, count: int | None = None) -> list[Tensor]:
        """What the layers give, before the rectifier; of all of them, or of the first ``count``."""
        found: list[Tensor] = []
        for k, layer in enumerate(self.layers[:count]):
            x = layer(x)
            found.append(x)
            x = relu(x)
            if k in POOLED:
                x = max_pool2d(x, 2)
        return found

    @property
    def filters(self) -> Tensor:
        """Those of the first layer (width, 3, 5, 5)."""
        return cast(Layer, self.layers[0]).convolution.weight.detach()

    @property
    def names(self) -> list[str]:
        """Of the layers."""
        return [f"conv{k + 1}" for k in range(len(self.layers))]


@dataclass(frozen=True)
class Field:
    """What one unit of a layer sees: ``side`` points of the picture; its neighbour's field is ``stride`` points further."""

    side: int
    stride: int


def receptive_field(number: int) -> Field:
    """Of a layer, counted from 0.

    >>> receptive_field(0), receptive_field(4)
    (Field(side=5, stride=1), Field(side=32, stride=4))
    """
    side, stride = 1, 1
    for k in range(number + 1):
        side += (SIDES[k] - 1) * stride
        if k in POOLED and k < number:
            side += stride
            stride *= 2
    return Field(side, stride)


def copied(net: ConvNet) -> ConvNet:
    """The same network with weights of its own, to be looked at as it is now."""
    return deepcopy(net).eval()


__all__ = ["POOLED", "SIDES", "ConvNet", "Field", "Layer", "copied", "receptive_field"]
