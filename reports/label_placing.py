"""Placing the labels of a drawing: each arrow's label is tried at several places beside it, and takes the one where it
disturbs least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from reports.drawing import Arrow, Box, Item, MathLabel, Node, label_box

_POSITIONS = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
_SAMPLES = 24
_ON_LABEL, _ON_ARROW, _OFF_CENTRE, _OTHER_SIDE = 1000.0, 4.0, 3.0, 0.4
_LEFT_OUT = 10.0
_BESIDE = 0.19
MARGIN = 0.09
"""Free space around a label."""


def place_labels(items: Sequence[Item]) -> tuple[tuple[Item, ...], float]:
    """The items with labels placed, and how much trouble that was: 0 where every label stands free, more for each line
    through one.

    A label that could only stand on a node or on another label is left out, since it could not be read; that is the
    most trouble. Arrows choose in their order; nodes and other labels stay where they are.
    """
    taken = [label_box(item) for item in items if isinstance(item, (Node, MathLabel))]
    lines = [(arrow, _samples(arrow)) for arrow in items if isinstance(arrow, Arrow)]
    placed: list[Item] = []
    trouble = 0.0
    for item in items:
        if isinstance(item, Arrow) and item.label != "":
            points = [point for arrow, samples in lines if arrow is not item for point in samples]
            cost, choice = min(
                ((_cost(option, item, taken, points), option) for option in _options(item)), key=lambda pair: pair[0]
            )
            if cost >= _ON_LABEL:
                trouble += _LEFT_OUT
                choice = replace(item, label="")
            else:
                trouble += cost // _ON_ARROW
                taken.append(label_box(choice))
            placed.append(choice)
        else:
            placed.append(item)
    return tuple(placed), trouble


def _options(arrow: Arrow) -> list[Arrow]:
    mirrored: Literal["left", "right"] = "right" if arrow.side == "left" else "left"
    # On the other side runs the line of the other direction, so the label stands beyond it.
    near = [replace(arrow, position=position) for position in _POSITIONS]
    return near + [replace(arrow, position=position, side=mirrored, gap=arrow.gap + _BESIDE) for position in _POSITIONS]


def _samples(arrow: Arrow) -> list[tuple[float, float]]:
    return [arrow.along(k / _SAMPLES) for k in range(_SAMPLES + 1)]


def _cost(option: Arrow, wanted: Arrow, taken: Sequence[Box], points: Sequence[tuple[float, float]]) -> float:
    left, bottom, right, top = label_box(option, MARGIN)
    cost = _OFF_CENTRE * abs(option.position - wanted.position) + (_OTHER_SIDE if option.side != wanted.side else 0.0)
    cost += _ON_LABEL * sum(left < box[2] and box[0] < right and bottom < box[3] and box[1] < top for box in taken)
    own = _samples(option)
    cost += _ON_ARROW * sum(left < x < right and bottom < y < top for x, y in points)
    return cost + _ON_ARROW * sum(
        left + MARGIN < x < right - MARGIN and bottom + MARGIN < y < top - MARGIN for x, y in own
    )
