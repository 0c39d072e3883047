"""The canvas of a drawing whose items stand anywhere: moved, so that it holds them and no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reports.drawing import Arrow, Box, Canvas, Item, MathLabel, Node, Point, Polyline, Region, Route, label_box
from reports.measure import label_extent

_MARGIN = 0.12


def cropped(items: Sequence[Item]) -> Canvas:
    """The items on a canvas that holds them and no more.

    >>> canvas = cropped([Node((5, 5), "a"), Node((8, 5), "b")])
    >>> canvas.width, canvas.items[0].at
    (4.12, (0.56, 0.56))
    """
    boxes = [box for item in items for box in _boxes(item)]
    left, bottom = min(box[0] for box in boxes) - _MARGIN, min(box[1] for box in boxes) - _MARGIN
    right, top = max(box[2] for box in boxes) + _MARGIN, max(box[3] for box in boxes) + _MARGIN
    return Canvas(round(right - left, 3), round(top - bottom, 3), tuple(moved(item, -left, -bottom) for item in items))


def _boxes(item: Item) -> list[Box]:
    match item:
        case Arrow():
            labels = [label_box(item)] if item.label != "" else []
            return labels + _points(item.along(k / 8) for k in range(9))
        case Route():
            return _points(item.samples())
        case Polyline(points):
            return _points(points)
        case Region(lower_left, upper_right):
            return _points((lower_left, upper_right))
        case Node() | MathLabel():
            return [label_box(item)]
        case _:
            left, bottom, right, top = label_box(item)
            half = label_extent(item.text)[0] / 2
            shift = {"center": 0.0, "left": half, "right": -half}[item.anchor]
            return [(left + shift, bottom, right + shift, top)]


def _points(points: Iterable[Point]) -> list[Box]:
    return [(x, y, x, y) for x, y in points]


def moved(item: Item, dx: float, dy: float) -> Item:
    """The item at another place."""
    if isinstance(item, Arrow):
        return replace(item, start=_shifted(item.start, dx, dy), end=_shifted(item.end, dx, dy))
    if isinstance(item, (Route, Polyline)):
        return replace(item, points=tuple(_shifted(point, dx, dy) for point in item.points))
    if isinstance(item, Region):
        return replace(
            item,
            lower_left=_shifted(item.lower_left, dx, dy),
            upper_right=_shifted(item.upper_right, dx, dy),
        )
    return replace(item, at=_shifted(item.at, dx, dy))


def _shifted(point: Point, dx: float, dy: float) -> Point:
    return (round(point[0] + dx, 3), round(point[1] + dy, 3))
