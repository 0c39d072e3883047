"""Small drawings: circles, boxes, arrows and labels, in centimetres, with the y axis pointing up.

A drawing says nothing about its output. All geometry is settled here (where an arrow leaves a circle, how it bends,
where its label stands), so that the three writers draw the same picture.

>>> a, b = Node((0, 0), "a"), Node((2, 0), "b")
>>> connect(a, b).start
(0.48, 0.0)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Literal

from derive.notation.surface import Surface
from reports.measure import label_extent

Point = tuple[float, float]
Label = Surface | str
Role = Literal["ink", "forward", "backward", "accent", "muted"]
"""What a line or a letter stands for; each output has one colour a role, all of them told apart in grey print."""
Stroke = Literal["solid", "dashed", "dotted"]

NODE_SIZE = 0.88
"""Diameter of a circle."""
LABEL_GAP = 0.09


@dataclass(frozen=True)
class Node:
    """A circle or a box with a label in it, around the point ``at``."""

    at: Point
    label: Label = ""
    shape: Literal["circle", "box"] = "circle"
    width: float = NODE_SIZE
    height: float = NODE_SIZE
    role: Role = "ink"
    filled: bool = False
    stroke: Stroke = "solid"

    def border(self, towards: Point, gap: float = 0.04) -> Point:
        """Where a straight line from the centre to ``towards`` leaves the node, ``gap`` outside it."""
        dx, dy = towards[0] - self.at[0], towards[1] - self.at[1]
        length = hypot(dx, dy)
        if length == 0:
            return self.at
        if self.shape == "circle":
            reach = self.width / 2
        else:
            reach = min(
                self.width / 2 * length / abs(dx) if dx else float("inf"),
                self.height / 2 * length / abs(dy) if dy else float("inf"),
            )
        factor = (reach + gap) / length
        return _rounded((self.at[0] + dx * factor, self.at[1] + dy * factor))


def _on_cubic(points: tuple[Point, Point, Point, Point], u: float) -> Point:
    """The point of a cubic curve, given by its control points, at the fraction ``u`` of the way."""
    v = 1 - u
    weights = (v**3, 3 * v * v * u, 3 * v * u * u, u**3)
    return (
        sum(w * p[0] for w, p in zip(weights, points, strict=True)),
        sum(w * p[1] for w, p in zip(weights, points, strict=True)),
    )


@dataclass(frozen=True)
class Arrow:
    """A line from ``start`` to ``end``; ``bend`` is how far (cm) its middle stands to the left of the straight line.

    The label stands at the fraction ``position`` of the way, on the ``left`` or ``right`` as one goes along it.
    """

    start: Point
    end: Point
    label: Label = ""
    bend: float = 0.0
    side: Literal["left", "right"] = "left"
    position: float = 0.5
    style: Stroke = "solid"
    role: Role = "ink"
    head: bool = True
    gap: float = LABEL_GAP
    """Space between the line and its label."""

    @property
    def controls(self) -> tuple[Point, Point]:
        """Inner control points of the cubic curve."""
        (x0, y0), (x1, y1) = self.start, self.end
        nx, ny = self._normal()
        # A cubic whose control points stand off by h has its middle at 3h/4.
        off = self.bend * 4 / 3
        first = (x0 + (x1 - x0) / 3 + nx * off, y0 + (y1 - y0) / 3 + ny * off)
        second = (x0 + (x1 - x0) * 2 / 3 + nx * off, y0 + (y1 - y0) * 2 / 3 + ny * off)
        return _rounded(first), _rounded(second)

    def _normal(self) -> Point:
        (x0, y0), (x1, y1) = self.start, self.end
        length = hypot(x1 - x0, y1 - y0) or 1.0
        return (-(y1 - y0) / length, (x1 - x0) / length)

    def along(self, u: float) -> Point:
        """The point at the fraction ``u`` of the way."""
        return _on_cubic((self.start, *self.controls, self.end), u)

    @property
    def label_at(self) -> Point:
        """The centre of the label: beside the line, as far off as the label's own size asks for."""
        width, height = label_extent(self.label)
        nx, ny = self._normal()
        if self.side == "right":
            nx, ny = -nx, -ny
        # How far the label's box reaches towards the line: the support of a rectangle in the direction of the normal.
        reach = abs(nx) * width / 2 + abs(ny) * height / 2 + self.gap
        x, y = self.along(self.position)
        return _rounded((x + nx * reach, y + ny * reach))


@dataclass(frozen=True)
class TextLabel:
    """Words around the point ``at``."""

    at: Point
    text: str
    role: Role = "ink"
    anchor: Literal["center", "left", "right"] = "center"


@dataclass(frozen=True)
class MathLabel:
    """A formula around the point ``at``."""

    at: Point
    surface: Surface
    role: Role = "ink"


@dataclass(frozen=True)
class Polyline:
    """A line through points."""

    points: tuple[Point, ...]
    role: Role = "ink"
    style: Stroke = "solid"


@dataclass(frozen=True)
class Route:
    """An arrow through points, which it passes horizontally: a smooth line that keeps out of what stands between them.

    Between two points it stays inside the rectangle that they span.
    """

    points: tuple[Point, ...]
    role: Role = "forward"
    style: Stroke = "solid"
    head: bool = True

    @property
    def start(self) -> Point:
        """Where it comes from."""
        return self.points[0]

    @property
    def end(self) -> Point:
        """Where it leads to."""
        return self.points[-1]

    @property
    def pieces(self) -> tuple[tuple[Point, Point, Point], ...]:
        """The inner control points and the end of each cubic piece."""
        found = []
        for (x0, y0), (x1, y1) in pairwise(self.points):
            middle = (x0 + x1) / 2
            found.append((_rounded((middle, y0)), _rounded((middle, y1)), (x1, y1)))
        return tuple(found)

    @property
    def controls(self) -> tuple[Point, Point]:
        """Inner control points of the last piece."""
        return self.pieces[-1][:2]

    def samples(self, number: int = 12) -> list[Point]:
        """Points on the line, ``number`` on each piece."""
        found = [self.start]
        for start, (c1, c2, end) in zip(self.points, self.pieces, strict=False):
            found += [_on_cubic((start, c1, c2, end), k / number) for k in range(1, number + 1)]
        return found


@dataclass(frozen=True)
class Region:
    """A lightly filled, rounded rectangle behind other things, with a title at its upper left corner."""

    lower_left: Point
    upper_right: Point
    role: Role = "muted"
    title: str = ""


Item = Node | Arrow | TextLabel | MathLabel | Polyline | Route | Region


@dataclass(frozen=True)
class Canvas:
    """A drawing: what stands on the area from (0, 0) to (width, height)."""

    width: float
    height: float
    items: tuple[Item, ...]


def connect(
    a: Node, b: Node, label: Label = "", *, bend: float = 0.0, shift: float = 0.0, side: Literal["left", "right"] = "left",
    position: float = 0.5, style: Stroke = "solid", role: Role = "ink", head: bool = True,
) -> Arrow:  # fmt: skip
    """An arrow from border to border. ``shift`` moves it sideways (to the left, cm), so that two arrows can run side by
    side.
    """
    dx, dy = b.at[0] - a.at[0], b.at[1] - a.at[1]
    length = hypot(dx, dy) or 1.0
    nx, ny = -dy / length, dx / length
    if bend:
        # A bent arrow leaves towards its control point, not towards the other node.
        off = bend * 4 / 3
        start = a.border((a.at[0] + dx / 3 + nx * off, a.at[1] + dy / 3 + ny * off))
        end = b.border((a.at[0] + dx * 2 / 3 + nx * off, a.at[1] + dy * 2 / 3 + ny * off))
    else:
        start, end = _shifted_ends(a, b, (nx * shift, ny * shift))
    return Arrow(start, end, label, bend, side, position, style, role, head)


def _shifted_ends(a: Node, b: Node, offset: Point) -> tuple[Point, Point]:
    """Where the line through both centres, moved by ``offset``, leaves one node and enters the other."""
    if offset == (0.0, 0.0):
        return a.border(b.at), b.border(a.at)
    start, end = a.border(b.at), b.border(a.at)
    square = offset[0] ** 2 + offset[1] ** 2
    trims = []
    for node in (a, b):
        radius = node.width / 2
        # On a circle the chord at distance |offset| from the centre is shorter by r - sqrt(r^2 - offset^2).
        trims.append(radius - max(0.0, radius**2 - square) ** 0.5 if node.shape == "circle" else 0.0)
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    first = (start[0] + offset[0] - ux * trims[0], start[1] + offset[1] - uy * trims[0])
    last = (end[0] + offset[0] + ux * trims[1], end[1] + offset[1] + uy * trims[1])
    return _rounded(first), _rounded(last)


def _rounded(point: Point) -> Point:
    # Whole micrometres: the same digits on every machine, and short files.
    return (round(point[0], 4) + 0.0, round(point[1], 4) + 0.0)


HEAD = (0.17, 0.075)
"""Length and half the width of an arrow head."""


def arrow_head(arrow: Arrow | Route) -> tuple[Point, tuple[Point, ...]]:
    """Where the line ends, and the corners of the head in front of it; no corners without a head."""
    if not arrow.head:
        return arrow.end, ()
    (x, y), (cx, cy) = arrow.end, arrow.controls[1]
    length = hypot(x - cx, y - cy) or 1.0
    ux, uy = (x - cx) / length, (y - cy) / length
    long, half = HEAD
    back = (x - ux * long, y - uy * long)
    notch = (x - ux * long * 0.75, y - uy * long * 0.75)
    corners = (arrow.end, (back[0] - uy * half, back[1] + ux * half), notch, (back[0] + uy * half, back[1] - ux * half))
    return _rounded(notch), tuple(_rounded(corner) for corner in corners)


Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def label_box(item: Node | Arrow | MathLabel | TextLabel, margin: float = 0.0) -> Box:
    """The area that a node, or an arrow's or free label takes, as estimated."""
    match item:
        case Node(at, _, _, width, height):
            extent = (width, height)
        case Arrow():
            at, extent = item.label_at, label_extent(item.label)
        case MathLabel(at, surface):
            extent = label_extent(surface)
        case TextLabel(at, text):
            extent = label_extent(text)
    (x, y), (wide, high) = at, extent
    return (x - wide / 2 - margin, y - high / 2 - margin, x + wide / 2 + margin, y + high / 2 + margin)


def label_boxes(canvas: Canvas) -> tuple[Box, ...]:
    """The areas that labels outside nodes take: for checking that nothing overlaps."""
    labelled = [
        item for item in canvas.items if isinstance(item, MathLabel) or (isinstance(item, Arrow) and item.label != "")
    ]
    return tuple(label_box(item) for item in labelled)


def node_boxes(canvas: Canvas) -> tuple[Box, ...]:
    """The areas of the nodes."""
    return tuple(label_box(item) for item in canvas.items if isinstance(item, Node))


def overlaps(boxes: Iterable[Box], others: Iterable[Box]) -> list[tuple[Box, Box]]:
    """Pairs of areas, one of each kind, that overlap."""
    others = tuple(others)
    return [
        (a, b)
        for a in boxes
        for b in others
        if a is not b and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
