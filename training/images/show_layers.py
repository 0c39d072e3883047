"""What the layers make of a picture, and how choosy their channels are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import relu

from training.data.cifar10 import CLASSES
from training.images.ascent import channel_answers
from training.images.convnet import receptive_field
from training.images.looked_at import LookedAt
from training.images.pictures import Points, coloured, enlarged, grid, heat
from training.run.results import Cell, Results, Table

FILE = "activations.png"
_STRONGEST = 8
_SIDE = 32
_BATCH = 500


@dataclass(frozen=True)
class Channels:
    """What the channels of a layer do over the test pictures.

    Parameters
    ----------
    by_class : mean activation, after the rectifier, over places and pictures of a class (classes, channels).
    active   : share of places at which a channel is above 0 (channels,).
    height   : of a map; it is as wide.
    answers  : of each channel to each picture (pictures, channels), see :mod:`training.images.ascent`.
    """

    by_class: Tensor
    active: Tensor
    height: int
    answers: Tensor

    @property
    def selectivity(self) -> Tensor:
        """(μ₊ - μ₋)/(μ₊ + μ₋) for each channel, μ₊ the largest mean of a class and μ₋ that of all others (Morcos et al. 2018)."""
        highest = self.by_class.amax(0)
        others = (self.by_class.sum(0) - highest) / max(1, len(self.by_class) - 1)
        return torch.where(highest > 0, (highest - others) / (highest + others).clamp(min=1e-12), 0.0)


@torch.no_grad()
def channels(shown: LookedAt) -> list[Channels]:
    """Of each layer."""
    sums: list[Tensor] = []
    active: list[Tensor] = []
    heights: list[int] = []
    answers: list[list[Tensor]] = []
    counts = torch.bincount(shown.test.classes, minlength=len(CLASSES)).clamp(min=1)
    for at in range(0, shown.count, _BATCH):
        one_hot = torch.nn.functional.one_hot(shown.test.classes[at : at + _BATCH], len(CLASSES))
        for k, maps in enumerate(shown.net.maps(shown.pictures(at, min(at + _BATCH, shown.count)))):
            means = one_hot.to(maps).T @ relu(maps).mean((2, 3))
            above = (maps > 0).to(maps).mean((2, 3)).sum(0)
            if at == 0:
                sums.append(means)
                active.append(above)
                heights.append(maps.shape[2])
                answers.append([channel_answers(maps)])
            else:
                sums[k] += means
                active[k] += above
                answers[k].append(channel_answers(maps))
    return [
        Channels(total / counts[:, None], part / shown.count, height, torch.cat(given))
        for total, part, height, given in zip(sums, active, heights, answers, strict=True)
    ]


def layers_shown(shown: LookedAt, found: list[Channels], number: int) -> Results:
    """The strongest channels of each layer for the test picture of a number, and a table of the layers."""
    picture = shown.pictures(number, number + 1)
    with torch.no_grad():
        maps = [relu(one)[0] for one in shown.net.maps(picture)]
    original = coloured(shown.scaled.back(picture))[0]
    tiles: list[list[Points | None]] = []
    for k, one in enumerate(maps):
        strongest = one.mean((1, 2)).argsort(dim=0, descending=True, stable=True)[:_STRONGEST].tolist()
        row = [enlarged(heat(one[channel]), _SIDE) for channel in strongest]
        tiles.append([original if k == 0 else None, *row])
    name = CLASSES[int(shown.test.classes[number])]
    note = (
        f"Left a test picture ({name}), beside it the {_STRONGEST} channels of each layer that it drives most, after the "
        "rectifier; each map from its least value (dark) to its highest (bright)."
    )
    panels, content = grid("Activations by layer", FILE, tiles, shown.net.names, note=note)
    choosy = [float(one.selectivity.mean()) for one in found]
    share = [float(one.active.mean()) for one in found]
    silent = sum(int((one.active == 0).sum()) for one in found)
    rises = bool(np.all(np.diff(choosy) > 0))
    said = (
        f"From {shown.net.names[0]} to {shown.net.names[-1]} the share of active places goes from {share[0]:.0%} to {share[-1]:.0%}, "
        f"and the class selectivity of the channels from {choosy[0]:.2f} to {choosy[-1]:.2f}"
        f"{', rising from layer to layer' if rises else ''}; "
        f"{silent or 'no'} channel{'s are' if silent > 1 else ' is'} silent on all {shown.count:,} test pictures.",
    )
    numbers = {"class selectivity of conv1": choosy[0], "class selectivity of conv5": choosy[-1]}
    return Results(numbers, (_table(shown, found),), said=said, panels=(panels,), files={FILE: content})


def _table(shown: LookedAt, found: list[Channels]) -> Table:
    rows: list[list[Cell]] = []
    for k, (name, one) in enumerate(zip(shown.net.names, found, strict=True)):
        field = receptive_field(k)
        silent = int((one.active == 0).sum())
        size = f"{one.height} × {one.height}"
        rows.append([
            name, len(one.active), size, field.side, float(one.active.mean()), silent, float(one.selectivity.mean())
        ])  # fmt: skip
    note = (
        "sees: side of what one unit sees; active: share of places above 0 over all test pictures; silent: channels that never are; "
        "selectivity: (μ₊ - μ₋)/(μ₊ + μ₋), with the mean activation for the class of the highest one and for all others."
    )
    return Table("The layers", ("layer", "channels", "map", "sees", "active", "silent", "selectivity"), rows, note)


__all__ = ["FILE", "Channels", "channels", "layers_shown"]
