"""Plots: the same bytes every time, errors for what cannot be drawn, and SVG that may stand in a strict page."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import pytest

from derive.errors import RenderError
from reports.plot import Plot, Reference, Series, draw, draw_all, draw_pdf, draw_svg
from reports.plot_style import COLOURS
from reports.plot_svg import inline_svg

PLOT = Plot(
    tuple(Series(f"$\\gamma_{k}$", tuple(range(12)), tuple((k + 1) * 0.1 * 0.8**n for n in range(12)),
    marked=k % 2 == 0) for k in range(3)),
    "distance $t - k$", r"$\|\partial h_t / \partial h_k\|$", y_scale="log",
    references=(Reference(0.01, "limit"), Reference(5, "$T_0$", "vertical")), y_limits=(1e-3, 1),
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_drawn_before() -> None:
    draw.cache_clear()


def test_the_same_plot_gives_the_same_bytes() -> None:
    first, drawn = draw(PLOT), draw.cache_info().misses
    draw.cache_clear()
    assert draw(PLOT) == first and draw.cache_info().misses == drawn == 1, "drawn anew"
    assert draw_svg(PLOT) == first.svg and draw_pdf(PLOT) == first.pdf and draw.cache_info().misses == 1
    assert b"CreationDate" not in first.pdf


def test_plots_that_differ_in_anything_are_drawn_by_themselves() -> None:
    others = [
        replace(PLOT, x_label=""),
        replace(PLOT, width=9.0),
        replace(PLOT, series=PLOT.series[:2]),
        replace(PLOT, series=(replace(PLOT.series[0], marked=False), *PLOT.series[1:])),
    ]
    draw_all([PLOT, Plot(()), *others])  # what cannot be drawn is told when it is asked for
    assert draw.cache_info().currsize == 1 + len(others)
    assert len({draw_svg(plot) for plot in (PLOT, *others)}) == 1 + len(others)


def test_places_are_the_same_in_all_formats() -> None:
    """The frame of the axes, in points of print."""
    drawn = draw(PLOT)
    height = float(re.findall(r'viewBox="0 0 [\d.]+ ([\d.]+)"', drawn.svg)[0])
    (frame,) = re.findall(r'<g id="patch_2">\s*<path d="([^"]+)"', drawn.svg)
    corners = [(float(x), height - float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", frame)]
    (page, *_) = re.findall(rb"stream\r?\n(.*?)endstream", drawn.pdf, re.DOTALL)
    points = [(float(x), float(y)) for x, y in re.findall(rb"([\d.]+) ([\d.]+) [ml]\n", zlib.decompress(page))]
    for x, y in corners:
        assert min(max(abs(x - u), abs(y - v)) for u, v in points) < 1e-4
    (left, bottom), (right, top) = min(corners), max(corners)
    assert 0 < left < right < 355 and 0 < bottom < top < height


def test_settings_of_the_user_do_not_matter() -> None:
    before = draw_svg(PLOT)
    draw.cache_clear()
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red"}):
        assert draw_svg(PLOT) == before
        assert matplotlib.rcParams["lines.linewidth"] == 9, "and ours do not leak"


def test_letters_are_shapes() -> None:
    tree = ElementTree.fromstring(draw_svg(PLOT))
    assert not [
        element for element in tree.iter() if element.tag.endswith("}text") or "font" in element.attrib.get("style", "")
    ]


def test_inline_svg_has_no_styles_and_no_colours_of_its_own() -> None:
    svg = inline_svg(PLOT, "plot-1", 'a "title" <x>')
    tree = ElementTree.fromstring(svg)
    assert not [element for element in tree.iter() if "style" in element.attrib or element.tag.endswith("}style")]
    assert not re.findall(r"#[0-9a-fA-F]{6}", svg)
    assert tree.attrib["aria-label"] == 'a "title" <x>' and tree.attrib["role"] == "img"
    for k in range(len(PLOT.series)):
        assert f"stroke-series-{k + 1}" in svg


def test_two_plots_of_a_page_share_no_identifier() -> None:
    first, second = (
        set(re.findall(r' id="([^"]+)"', inline_svg(PLOT, prefix, "t"))) for prefix in ("plot-1", "plot-2")
    )
    assert first and second and not first & second
    svg = inline_svg(PLOT, "plot-1", "t")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    assert used and used <= first


def test_colours_differ_in_grey() -> None:
    greys = sorted(
        sum(weight * int(colour[k : k + 2], 16) for weight, k in ((0.299, 1), (0.587, 3), (0.114, 5)))
        for colour in COLOURS
    )
    assert min(b - a for a, b in pairwise(greys)) > 10


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (Plot(()), "no series"),
        (Plot((Series("s", (1, 2), (1,)),)), "2 x values and 1 y values"),
        (Plot((Series("s", (1, 2), (0, -1)),), y_scale="log"), "no point"),
        (Plot((Series("s", (1,), (float("nan"),)),)), "no point"),
        (Plot((Series("s", (1, 2), (1, 2)),), "$\\foo$"), "cannot be read"),
        (Plot((Series("s", (1, 2), (1, 2), labels=("a",)),)), "2 points and 1 labels"),
        (Plot((Series("s", (1, 2), (1, 2)),), "$x"), ""),
    ],
)
def test_what_cannot_be_drawn_is_told(plot: Plot, message: str) -> None:
    if not message:  # one dollar sign is a dollar sign
        assert draw_svg(plot)
        return
    with pytest.raises(RenderError, match=message):
        draw_svg(plot)
