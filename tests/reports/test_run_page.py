"""Reports of runs, from data alone."""

from __future__ import annotations

import shlex

import pytest

from derive.errors import RenderError
from reports import document as d
from reports.render import make
from reports.run_page import curve_figures, run_document
from reports.run_parts import command_block
from reports.walk import plain_text

METRICS = {
    "title": "A <b>run</b> & 100 %", "steps": 2000, "seconds": 3.0, "loss": "nats", "command": "bptt train names",
    "settings": {"seed": 0, "steps": 0, "own": {"clip": 1.0}}, "machine": {"cores": 2},
    "results": {
        "numbers": {"test accuracy": 0.5}, "said": ["Nothing was learnt."],
        "tables": [{"title": "Shares", "columns": ["way", "known"], "rows": [["top-1", 0.25], ["$x_", None]], "note": ""}],
        "texts": [{"title": "A <i>text</i>", "tokens": ["good", "but", "bad_"], "above": "praise", "below": "blame",
                   "values": {"gradient": [1.0, 0.05, -0.4], "nothing": [0, 0, 0]}, "note": "Judged as praise."}],
        "points": [{"title": "Words", "x_label": "first", "y_label": "second", "note": "", "groups": {"$": [[0, 1, "a_$1"], [1, 1, "b"]]}}],
        "lines": [{"title": "Norms", "x_label": "t", "y_label": "norm", "log": True, "lines": {"rnn": [[1, 2], [0.1, 1.0]]}}],
    },
}  # fmt: skip
CURVE = {"step": [str(k + 1) for k in range(2000)], "loss": ["1.5", "0.5"] * 1000, "held_out": ["", "2.0"] * 1000}


def test_all_of_it_is_printed() -> None:
    made = make(run_document(METRICS, CURVE), "report", ("html", "pdf"), "typst")
    page = made.contents["report.html"].decode()
    assert made.contents["report.pdf"].startswith(b"%PDF")
    for text in (
        "A &lt;b&gt;run&lt;/b&gt; &amp; 100 %",
        "bptt train names",
        "Nothing was learnt.",
        "top-1",
        "Norms",
        "Words",
        "clip",
        "A &lt;i&gt;text&lt;/i&gt;",
        '<span class="shade-up level-5">good</span> but <span class="shade-down level-2">bad_</span>',
    ):
        assert text in page


def test_columns_of_numbers_stand_right_even_with_gaps() -> None:
    table = {"title": "T", "columns": ["a", "b", "c"], "rows": [["x", 1.5, None], ["y", None, None]]}
    document = run_document({**METRICS, "results": {"tables": [table]}}, CURVE)
    found = document.blocks[-1]
    assert isinstance(found, d.Table) and found.alignments == ("left", "right", "left")


def test_numbers_below_each_other_have_as_many_decimals() -> None:
    table = {
        "title": "T",
        "columns": ["a", "b", "c"],
        "rows": [[0.8724, 0.1649, 6262], [0.867, 2.6e-14, 12476], [-0.02, None, 3]],
    }
    document = run_document({**METRICS, "results": {"tables": [table]}}, CURVE)
    found = document.blocks[-1]
    assert isinstance(found, d.Table)
    assert [[*map(plain_text, row)] for row in found.rows] == [
        ["0.8724", "0.1649", "6,262"], ["0.8670", "2.6 · 10⁻¹⁴", "12,476"], ["−0.0200", "", "3"],
    ]  # fmt: skip


def test_a_long_command_is_on_lines_that_can_be_copied() -> None:
    command = "bptt train names --epochs 1000 --batch 128 --set 'text=It isn'\"'\"'t --good' " + "--set a=1 " * 12
    text = command_block(command.strip()).text
    assert max(map(len, text.splitlines())) <= 78 and shlex.split(text.replace("\\\n", "")) == shlex.split(command)


def test_every_ground_has_a_look_in_the_style_sheet() -> None:
    """The page allows its own style sheet alone, so grounds are classes of it."""
    page = make(run_document(METRICS, CURVE), "report", ("html",), "typst").contents["report.html"].decode()
    for level in range(1, d.STRONGEST + 1):
        assert f".shade-up.level-{level} {{" in page and f".shade-down.level-{level} {{" in page


@pytest.mark.parametrize(("route", "up"), [("typst", "#shade(5, "), ("tex", "\\shadeup{5}{good}")])
def test_texts_on_paper(route: str, up: str) -> None:
    from reports.latex_writer import LatexWriter
    from reports.layout import lay_out
    from reports.typst_writer import TypstWriter

    document = lay_out(run_document(METRICS, CURVE))
    written = TypstWriter(document).write() if route == "typst" else LatexWriter(document, "report").write()
    down = "#shade(-2, " if route == "typst" else "\\shadedown{2}{bad\\_}"
    assert up in written and down in written


def test_lines_over_words() -> None:
    named = {**METRICS["results"]["lines"][0], "x_names": ["a", "b"]}  # type: ignore[index]
    document = run_document({**METRICS, "results": {"lines": [named]}}, CURVE)
    (figure,) = [block for block in document.blocks if isinstance(block, d.Figure)][-1:]
    assert isinstance(figure.content, d.Plot) and figure.content.x_names == ("a", "b")


def test_long_curves_are_means_of_neighbours() -> None:
    (figure,) = curve_figures(CURVE, "nats", {})
    assert isinstance(figure.content, d.Plot)
    loss, held_out = figure.content.series
    assert len(loss.x) == 400 and set(loss.y) <= {0.9, 1.1} and loss.x[-1] == 2000
    assert held_out.name == "held out" and set(held_out.y) == {2.0}


def test_a_point_that_stands_alone_is_marked() -> None:
    (figure,) = curve_figures({"step": ["1", "2"], "loss": ["1", "2"], "held_out": ["", "1.5"]}, "nats", {})
    assert isinstance(figure.content, d.Plot) and all(series.marked for series in figure.content.series)


def test_other_columns_have_an_axis_of_their_own() -> None:
    curve = {"step": ["1", "2"], "loss": ["1", "0.5"], "back_rnn": ["1e-9", "1e-3"], "empty": ["", ""]}
    first, second = curve_figures(curve, "nats", {"back_rnn": "part of the gradient"})
    assert isinstance(first.content, d.Plot) and isinstance(second.content, d.Plot)
    assert [first.content.y_scale, second.content.y_scale] == ["linear", "log"]
    assert second.content.y_label == "part of the gradient" and len(first.content.series) == 1


def test_a_group_of_points_is_a_series_with_labels() -> None:
    *_, figure = (block for block in run_document(METRICS, CURVE).blocks if isinstance(block, d.Figure))
    assert isinstance(figure.content, d.Plot)
    (series,) = figure.content.series
    assert (series.x, series.y, series.labels) == ((0.0, 1.0), (1.0, 1.0), ("a_$1", "b"))


def test_settings_that_a_task_has_not_are_left_out() -> None:
    without = run_document({**METRICS, "settings": {"seed": 31337, "cell": "", "own": {}}}, CURVE)
    page = make(without, "report", ("html",), "typst").contents["report.html"].decode()
    assert "31,337" in page and "cell" not in page.partition("Settings")[2].partition("Curves")[0]


def test_metrics_that_are_none() -> None:
    with pytest.raises(RenderError, match="cannot be read"):
        run_document({"title": "x"}, CURVE)
