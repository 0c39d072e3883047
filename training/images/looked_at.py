"""What the parts of `visualize` look at, and how their results are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.data.cifar10 import CLASSES
from training.images.convnet import ConvNet
from training.images.job import Labelled, Scaled
from training.run.results import Results


@dataclass(frozen=True)
class LookedAt:
    """A trained network, the same one before it was trained, and test pictures.

    Parameters
    ----------
    scaled : makes of bytes what the network reads.
    """

    net: ConvNet
    untrained: ConvNet
    scaled: Scaled
    test: Labelled

    @property
    def count(self) -> int:
        """Of test pictures."""
        return len(self.test)

    def pictures(self, start: int, end: int) -> Tensor:
        """Scaled test pictures from one number up to another."""
        return self.chosen(torch.arange(start, end, device=self.test.classes.device))

    def chosen(self, index: Tensor) -> Tensor:
        """Scaled test pictures of some numbers (N,)."""
        pictures = self.scaled(self.test.pictures[index])
        return pictures.contiguous(memory_format=torch.channels_last)

    def first_of_each_class(self) -> list[int]:
        """The number of the first test picture of each class that has one."""
        classes = self.test.classes.tolist()
        return [classes.index(k) for k in range(len(CLASSES)) if k in classes]


def together(parts: Sequence[Results]) -> Results:
    """All results, in their order."""
    return Results(
        numbers={name: value for part in parts for name, value in part.numbers.items()},
        tables=[table for part in parts for table in part.tables],
        lines=[lines for part in parts for lines in part.lines],
        said=[sentence for part in parts for sentence in part.said],
        panels=[panels for part in parts for panels in part.panels],
        key=[name for part in parts for name in part.key],
        files={name: content for part in parts for name, content in part.files.items()},
    )


__all__ = ["LookedAt", "together"]
