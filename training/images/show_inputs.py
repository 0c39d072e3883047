"""What drives channels and classes most: inputs made by gradient ascent, and test pictures."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from training.data.cifar10 import CLASSES
from training.images.ascent import Answers, Ascent, all_answers, channel_answers, roughness
from training.images.looked_at import LookedAt
from training.images.pictures import Points, coloured, grid
from training.images.show_layers import Channels
from training.run.results import Cell, Results, Table

CHANNELS_FILE, CLASSES_FILE = "channels.png", "classes.png"
_UNITS = 10
_BEST = 9
_SHOWN = (0, 2, 4)
"""Layers whose inputs are pictured; the table has all."""


def inputs_shown(shown: LookedAt, found: list[Channels], ascent: Ascent) -> Results:
    """Pictures and a table of both kinds of inputs for some channels of each layer and for the classes."""
    rows: list[list[Cell]] = []
    tiles: list[list[Points]] = []
    labels: list[str] = []
    for k, (name, one) in enumerate(zip(shown.net.names, found, strict=True)):
        units = one.selectivity.argsort(dim=0, descending=True, stable=True)[:_UNITS]
        driven = _Driven(shown, _of_layer(shown, k), units, ascent, one.answers)
        rows.append(driven.row(name))
        if k in _SHOWN:
            tiles += [driven.made_tiles(), driven.best_tiles(0)]
            labels += [f"{name}, made", f"{name}, found"]
    note = (
        f"The {_UNITS} channels of a layer that are choosiest about classes: above, an input made by gradient ascent; below, "
        "the test picture with the highest answer."
    )
    panels, content = grid("What drives channels most", CHANNELS_FILE, tiles, labels, note=note)
    classes = _classes_shown(shown, ascent)
    table = Table(
        "Answers to what drives channels and classes most",
        ("of", "units", "best test picture", "made", "of one class", "roughness"),
        [*rows, *(row for one in classes.tables for row in one.rows)],
        "An answer is the mean of log(1 + exp(a)) over a channel's map, or the score of a class. best test picture, made: its median "
        "over the units, in standard deviations above the mean over all test pictures; of one class: mean share of the commonest "
        f"class among a unit's {_BEST} best test pictures; roughness: mean squared difference of neighbours in what was made, over "
        "that of test pictures.",
    )
    said = (
        f"Of the {_BEST} test pictures that drive a channel most, {rows[0][4]:.0%} are of one class in {rows[0][0]} and "
        f"{rows[-1][4]:.0%} in {rows[-1][0]}; gradient ascent drives the channels of {rows[-1][0]} {rows[-1][3]:.0f} standard "
        f"deviations above the mean, the best test pictures {rows[-1][2]:.0f}.",
        *classes.said,
    )
    files = {CHANNELS_FILE: content, **classes.files}
    return Results(classes.numbers, (table,), said=said, panels=(panels, *classes.panels), files=files)


class _Driven:
    """Some units, what was made for them, and the answers of all test pictures."""

    def __init__(self, shown: LookedAt, answers: Answers, units: Tensor, ascent: Ascent, found: Tensor) -> None:
        self.shown, self.units = shown, units
        self.found = found[:, units]
        self.spread = self.found.std(0).clamp(min=1e-12)
        self.made = ascent(answers, units, self.spread, shown.scaled.limits)
        with torch.no_grad():
            self.reached = answers(self.made).gather(1, units[:, None])[:, 0]
        self.best = self.found.argsort(dim=0, descending=True, stable=True)[:_BEST]

    def row(self, name: str) -> list[Cell]:
        """Of the table."""
        far = [((one - self.found.mean(0)) / self.spread).tolist() for one in (self.found.amax(0), self.reached)]
        classes = self.shown.test.classes[self.best]
        pure = one_hot(classes, len(CLASSES)).sum(0).amax(1).double() / len(self.best)
        usual = roughness(self.shown.pictures(0, min(500, self.shown.count))).mean()
        rough = float((roughness(self.made) / usual).mean())
        return [name, len(self.units), median(far[0]), median(far[1]), float(pure.mean()), rough]

    def made_tiles(self) -> list[Points]:
        """What ascent has made."""
        return coloured(self.shown.scaled.back(self.made))

    def best_tiles(self, place: int) -> list[Points]:
        """The test pictures of a place, counted from 0."""
        return coloured(self.shown.scaled.back(self.shown.chosen(self.best[place])))


def _of_layer(shown: LookedAt, layer: int) -> Answers:
    return lambda pictures: channel_answers(shown.net.maps(pictures, layer + 1)[layer])


def _classes_shown(shown: LookedAt, ascent: Ascent) -> Results:
    units = torch.arange(len(CLASSES), device=shown.test.classes.device)
    free = replace(ascent, roughness=0.0, size=0.0, jitter=0)
    scores = all_answers(shown.net, shown.pictures, shown.count)
    driven, unbridled = (_Driven(shown, shown.net, units, one, scores) for one in (ascent, free))
    tiles = [driven.made_tiles(), unbridled.made_tiles(), *(driven.best_tiles(place) for place in range(3))]
    labels = ["made", "made, free", "best", "second", "third"]
    note = "made: by gradient ascent; made, free: without penalties and shifts; below, the test pictures with the highest scores."
    panels, content = grid("What drives the scores of the classes most", CLASSES_FILE, tiles, labels, CLASSES, note)
    with torch.no_grad():
        sure = shown.net(driven.made).softmax(1).diagonal()
    rows = [driven.row("classes"), unbridled.row("classes, free")]
    right = float((shown.test.classes[driven.best[:3]] == units).double().mean())
    said = (
        f"The network takes {int((sure > 0.99).sum())} of the {len(sure)} inputs made for a class for it with a probability above "
        f"0.99; without penalties and shifts they are {rows[1][5]:.1f} times as rough as test pictures, with them {rows[0][5]:.1f} "
        "times. "
        f"Of the three test pictures with the highest scores for each class, {right:.0%} are of it.",
    )
    table = Table("", (), rows)
    return Results(
        {"least probability of a class for the input made for it": float(sure.min())},
        (table,), said=said, panels=(panels,), files={CLASSES_FILE: content},
    )  # fmt: skip


__all__ = ["CHANNELS_FILE", "CLASSES_FILE", "inputs_shown"]
