"""Drawings: geometry, and that every output draws the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import dist
from xml.etree import ElementTree

import pytest

from derive.notation import surface as s
from reports import document as d
from reports.cropping import cropped
from reports.draw_svg import draw_svg
from reports.draw_tikz import draw_tikz
from reports.draw_typst import draw_typst
from reports.drawing import (
    Arrow,
    Canvas,
    Item,
    MathLabel,
    Node,
    Polyline,
    Region,
    Route,
    TextLabel,
    arrow_head,
    connect,
    label_box,
    label_boxes,
    node_boxes,
    overlaps,
)  # fmt: skip
from reports.label_placing import place_labels
from reports.render import make


def test_arrows_start_and_end_at_borders() -> None:
    a, b = Node((0, 0), "a"), Node((3, 4), "b", shape="box", width=2, height=1)
    arrow = connect(a, b)
    assert dist(arrow.start, a.at) == pytest.approx(a.width / 2 + 0.04, abs=1e-3)
    assert abs(arrow.end[1] - b.at[1]) == pytest.approx(0.5 + 0.04 * 0.8, abs=1e-3)


def test_two_directions_run_side_by_side() -> None:
    a, b = Node((0, 0), "a"), Node((4, 0), "b")
    there, back = connect(a, b, shift=0.1), connect(b, a, shift=0.1)
    assert there.start[1] == pytest.approx(0.1) and back.start[1] == pytest.approx(-0.1)
    assert dist(there.start, a.at) == pytest.approx(a.width / 2 + 0.04, abs=0.01)


def test_a_bend_is_as_high_as_it_says() -> None:
    arrow = Arrow((0, 0), (4, 0), bend=0.5)
    assert arrow.along(0.5) == pytest.approx((2, 0.5), abs=1e-3)
    assert Arrow((0, 0), (4, 0), bend=-0.5).along(0.5)[1] == pytest.approx(-0.5, abs=1e-3)


def test_labels_stand_beside_their_line() -> None:
    left, right = (Arrow((0, 0), (4, 0), "label", side=side) for side in ("left", "right"))
    assert label_box(left)[1] > 0 > label_box(right)[3]


def test_heads_point_along_the_curve() -> None:
    end, corners = arrow_head(Arrow((0, 0), (2, 0)))
    assert corners[0] == (2, 0) and end[0] < 2 and len(corners) == 4
    assert arrow_head(Arrow((0, 0), (2, 0), head=False)) == ((2, 0), ())


def test_labels_give_way_to_one_another() -> None:
    arrows = [Arrow((0, 0), (6, 0), "one label", side="left"), Arrow((0, 0.6), (6, 0.6), "another one", side="right")]
    crowded = Canvas(6, 2, tuple(arrows))
    assert overlaps(label_boxes(crowded), label_boxes(crowded))
    placed, _ = place_labels(arrows)
    boxes = label_boxes(Canvas(6, 2, placed))
    assert len(boxes) == 2 and not overlaps(boxes, boxes)


def test_a_label_without_a_place_is_left_out() -> None:
    items: list[Item] = [Node((1, 0), width=40, height=40, shape="box"), Arrow((0, 0), (2, 0), "label")]
    placed, trouble = place_labels(items)
    assert trouble > 0 and not label_boxes(Canvas(2, 1, placed)) and node_boxes(Canvas(2, 1, placed))


def test_routes_stay_between_their_points_and_end_level() -> None:
    route = Route(((0, 0), (1, 2), (3, 2), (4, 1)))
    xs, ys = zip(*route.samples(), strict=True)
    assert list(xs) == sorted(xs) and min(ys) == 0 and max(ys) == pytest.approx(2)
    assert all(y == pytest.approx(2) for x, y in route.samples() if 1 <= x <= 3), "level between points of one height"
    (end_x, end_y), corners = arrow_head(route)
    assert end_y == 1 and end_x < 4 and corners[0] == (4, 1)


def test_routes_are_drawn_alike_in_every_output() -> None:
    canvas = Canvas(4, 2, (Route(((0, 0), (1, 2), (3, 2), (4, 1))), Route(((0, 0), (4, 1)), head=False)))
    tikz, typst, svg = draw_tikz(canvas), draw_typst(canvas), draw_svg(canvas, "title")
    assert tikz.count("controls") == 4 == typst.count("curve.cubic(") == svg.count(" C ")
    assert tikz.count("->") == 1 == typst.count("polygon(") == svg.count(" Z")


@pytest.mark.parametrize(
    "item",
    [
        Node((5, 5), "a"), Arrow((4, 4), (6, 5), "label"), TextLabel((5, 5), "words"), TextLabel((5, 5), "words", anchor="left"),
        TextLabel((5, 5), "words", anchor="right"), MathLabel((5, 5), s.Name("x")), Polyline(((4, 4), (6, 5))),
        Route(((4, 4), (6, 5))), Region((4, 4), (6, 5)),
    ],
)  # fmt: skip
def test_a_canvas_is_cropped_to_what_it_holds(item: Item) -> None:
    canvas = cropped([item])
    assert 0 < canvas.width < 2.5 and 0 < canvas.height < 2.5
    assert cropped(canvas.items) == canvas


def _canvas(document: d.Document) -> Canvas:
    return next(
        block.content for block in document.blocks if isinstance(block, d.Figure) and isinstance(block.content, Canvas)
    )


def test_every_item_is_drawn_in_every_output(make_everything: Callable[..., d.Document]) -> None:
    canvas = _canvas(make_everything())
    arrows = sum(isinstance(item, Arrow) for item in canvas.items)
    tikz, typst, svg = draw_tikz(canvas), draw_typst(canvas), draw_svg(canvas, "title")
    assert tikz.count(", ->]") == arrows and typst.count("polygon(") == arrows
    tree = ElementTree.fromstring(svg)
    names = [element.tag for element in tree.iter()]
    assert names.count("circle") == 1 and names.count("rect") == 2 and names.count("foreignObject") == 6
    assert not [element for element in tree.iter() if "style" in element.attrib]


@pytest.mark.usefixtures("tex")
def test_drawings_compile_in_latex(make_everything: Callable[..., d.Document]) -> None:
    figure = d.Figure(_canvas(make_everything()), d.words("c"), "alt")
    assert make(d.Document(d.words("t"), blocks=(figure,)), "x", ("pdf",), "tex").warnings == ()


def test_drawings_compile_in_typst(make_everything: Callable[..., d.Document]) -> None:
    figure = d.Figure(_canvas(make_everything()), d.words("c"), "alt")
    assert (
        make(d.Document(d.words("t"), blocks=(figure,)), "x", ("pdf",), "typst").contents["x.pdf"].startswith(b"%PDF-")
    )


def test_drawings_wider_than_the_page_are_made_smaller() -> None:
    figure = d.Figure(Canvas(32, 2, (Node((16, 1), s.Name("x")),)), (), "x")
    source = make(d.Document(d.words("t"), blocks=(figure,)), "x", ("tex",)).contents["x.tex"].decode()
    assert re.search(r"\\begin\{tikzpicture\}\[scale=0\.5, transform shape\]", source)
