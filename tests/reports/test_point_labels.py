"""Points with labels."""

from __future__ import annotations

import random
import re

from matplotlib.figure import Figure

from reports.plot import Plot, Series, draw, draw_pdf, draw_svg
from reports.plot_style import COLOURS
from reports.plot_svg import inline_svg
from reports.point_labels import Labelled, label_points

RNG = random.Random(2)


def labelled(points: list[tuple[float, float]]) -> list[tuple[float, ...]]:
    """The boxes (left, bottom, right, top) of the labels as they are drawn."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*points, strict=True), "o", markersize=3.6)
    label_points(figure, axes, [Labelled(x, y, f"label{k}", COLOURS[0]) for k, (x, y) in enumerate(points)])
    figure.draw_without_rendering()
    texts = [text for text in axes.texts if text.get_text()]
    assert len(texts) == len(points)
    frame = axes.get_window_extent()
    boxes = [text.get_window_extent() for text in texts]
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    return [(box.x0, box.y0, box.x1, box.y1) for box in boxes]


def covered(boxes: list[tuple[float, ...]]) -> int:
    """Pairs of labels that cover each other by more than a hair."""
    return sum(
        min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1
        for k, a in enumerate(boxes)
        for b in boxes[:k]
    )


def test_labels_leave_each_other_room() -> None:
    """Twelve points so near to each other that labels to their right would cover one another, among others."""
    crowd = [(0.5 + RNG.gauss(0, 0.03), 0.5 + RNG.gauss(0, 0.03)) for _ in range(12)]
    others = [(RNG.random(), RNG.random()) for _ in range(20)]
    assert covered(labelled(crowd + others)) == 0


def test_points_are_marked_and_no_line_joins_them() -> None:
    series = tuple(Series(f"group {k}", (0.0, 1.0), (k, 1.0 + k), labels=(f"a{k}", "$b_{")) for k in range(8))
    plot = Plot(series, "first", "second")
    first = draw_svg(plot)
    draw.cache_clear()
    assert draw_svg(plot) == first and draw_pdf(plot)[:5] == b"%PDF-"
    svg = inline_svg(plot, "plot-1", "t")
    assert not re.findall(r"#[0-9a-fA-F]{6}", svg)
    joined = Plot(tuple(Series(one.name, one.x, one.y, True) for one in series), "first", "second")
    assert draw_svg(joined).count("stroke-dasharray") > draw_svg(plot).count("stroke-dasharray") == 0
