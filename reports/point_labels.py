"""Labels beside points, placed so that they cover each other and the points as little as may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
Horizontal = Literal["left", "center", "right"]
Vertical = Literal["bottom", "center", "top"]

_SIZE = 6.5
_GAPS = (3.0, 9.0, 16.0, 24.0, 34.0)
"""Points (of print) between a point and its label: beside it, or further off, with a thin line to it."""
_FAR = 0.03
"""What a gap costs more than the first, as a share of the label covered for each step."""
_DIRECTIONS: tuple[tuple[float, float, Horizontal, Vertical], ...] = (
    (1, 0, "left", "center"),
    (-1, 0, "right", "center"),
    (0, 1, "center", "bottom"),
    (0, -1, "center", "top"),
    (0.7, 0.7, "left", "bottom"),
    (-0.7, 0.7, "right", "bottom"),
    (0.7, -0.7, "left", "top"),
    (-0.7, -0.7, "right", "top"),
)
"""Where a label may stand, the best first: the direction of its offset, and which part of it is there."""


class _Place(NamedTuple):
    across: float
    up: float
    horizontal: Horizontal
    vertical: Vertical
    ring: int

    def box(self, centre: Sequence[float], width: float, height: float, scale: float) -> _Box:
        """What a label of this size covers there."""
        left = centre[0] + self.across * scale - {"left": 0, "center": width / 2, "right": width}[self.horizontal]
        bottom = centre[1] + self.up * scale - {"bottom": 0, "center": height / 2, "top": height}[self.vertical]
        return _Box(left, bottom, left + width, bottom + height)


_PLACES = tuple(
    _Place(across * gap, up * gap, horizontal, vertical, ring)
    for ring, gap in enumerate(_GAPS)
    for across, up, horizontal, vertical in _DIRECTIONS
)


class Labelled(NamedTuple):
    """A point with its label and the label's colour."""

    x: float
    y: float
    label: str
    colour: str


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def common(self, others: Array) -> float:
        """The area that it shares with boxes (one a row), summed over them."""
        left, bottom, right, top = others.T
        width = np.minimum(self.right, right) - np.maximum(self.left, left)
        height = np.minimum(self.top, top) - np.maximum(self.bottom, bottom)
        return float(np.sum(np.maximum(width, 0.0) * np.maximum(height, 0.0)))


def label_points(figure: Figure, axes: Axes, points: Sequence[Labelled]) -> None:
    """Write all labels, one after the other, each where it covers least of the points and of the labels before it.

    The place in the figure must be final for what is measured here, so the figure is laid out first.
    """
    axes.margins(0.09)
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    centres = axes.transData.transform([(point.x, point.y) for point in points])
    half = 2.2 * scale
    taken = np.hstack([centres - half, centres + half])
    frame = axes.get_window_extent()
    for point, centre in zip(points, centres, strict=True):
        # A dollar sign in a label opens no formula.
        text = axes.annotate(
            point.label.replace("$", r"\$"),
            (point.x, point.y),
            textcoords="offset points",
            xytext=(0, 0),
            fontsize=_SIZE,
            color=point.colour,
            annotation_clip=False,
        )
        text.set_in_layout(False)  # else the axes would shrink to make room for it, and all measures change
        extent = text.get_window_extent()
        boxes = [place.box(centre, extent.width, extent.height, scale) for place in _PLACES]
        far = _FAR * extent.width * extent.height
        costs = [
            box.common(taken) + _outside(box, frame) + far * place.ring
            for box, place in zip(boxes, _PLACES, strict=True)
        ]
        best = costs.index(min(costs))
        place = _PLACES[best]
        text.set_position((place.across, place.up))
        text.set_horizontalalignment(place.horizontal)
        text.set_verticalalignment(place.vertical)
        taken = np.vstack([taken, boxes[best]])
        if place.ring:
            line = axes.annotate(
                "",
                (point.x, point.y),
                textcoords="offset points",
                xytext=(place.across, place.up),
                arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": point.colour, "shrinkA": 0, "shrinkB": 2},
                annotation_clip=False,
            )
            line.set_in_layout(False)


def _outside(box: _Box, frame: object) -> float:
    """The part of a label that leaves the axes, as if several labels covered it."""
    inside = np.array([[getattr(frame, side) for side in ("x0", "y0", "x1", "y1")]])
    return 4 * ((box.right - box.left) * (box.top - box.bottom) - box.common(inside))


__all__ = ["Labelled", "label_points"]
