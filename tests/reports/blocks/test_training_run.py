"""What a training run found, in a sheet: every kind of result, of runs beside the sheet and of those kept with the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imsave

from derive.errors import BpttError
from derive.notation.source import Source
from reports import document as d
from reports.blocks import REGISTRY, SheetContext
from reports.markdown import read_markdown
from reports.panels import Panels
from reports.plot import Plot
from reports.run_results import kept_names, kept_run

PANELS = {"title": "Two pictures", "file": "two.png", "tile": [2, 2], "rows": ["a"], "columns": [], "note": ""}
RESULTS = {
    "numbers": {"accuracy": 0.5, "pictures": 31337},
    "said": ["Something was learnt."],
    "tables": [{"title": "By class", "columns": ["class"], "rows": [["cat"]]}, {"title": "All", "columns": ["n"], "rows": [[1]]}],
    "lines": [{"title": "Norms", "x_label": "t", "y_label": "norm", "lines": {"rnn": [[1, 2], [0.1, 1.0]]}}],
    "points": [{"title": "Words", "x_label": "first", "y_label": "second", "groups": {"animals": [[0, 1, "dog"], [1, 0, "cat"]]}}],
    "panels": [PANELS],
    "texts": [{"title": "A text", "tokens": ["not", "good"], "above": "praise", "below": "blame", "values": {"gradient": [-1.0, 0.5]}}],
}  # fmt: skip
METRICS = {
    "title": "T",
    "command": "bptt train x",
    "steps": 2,
    "seconds": 1.0,
    "loss": "nats",
    "settings": {},
    "results": RESULTS,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sheet's folder with a run in it."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.json").write_text(json.dumps(METRICS))
    (run / "curve.csv").write_text("step,loss\n1,2.0\n2,1.0\n")
    imsave(run / "two.png", np.zeros((2, 4, 4)))
    return tmp_path


def shown(folder: Path, show: str, more: str = "", results: str = "run") -> d.Blocks:
    source = Source(f"```bptt training-run\nresults: {results}\nshow: {show}\n{more}```\n", "sheet.md")
    return read_markdown(source, REGISTRY, SheetContext(folder=folder)).blocks


def test_every_kind_of_result_has_its_blocks(folder: Path) -> None:
    kinds = {
        "command": [d.CodeBlock, d.Paragraph], "settings": [d.Table], "curve": [d.Figure], "numbers": [d.Table], "said": [d.Paragraph],
        "tables": [d.Table, d.Table], "figures": [d.Figure, d.Figure], "pictures": [d.Figure], "texts": [d.Paragraph, d.Paragraph],
    }  # fmt: skip
    for kind, blocks in kinds.items():
        assert [type(block) for block in shown(folder, kind)] == blocks
    assert [type(block) for block in shown(folder, "; ".join(kinds))] == [
        one for blocks in kinds.values() for one in blocks
    ]
    contents = [block.content for block in shown(folder, "figures; pictures") if isinstance(block, d.Figure)]
    assert [type(content) for content in contents] == [Plot, Plot, Panels]
    _, text = shown(folder, "texts")
    assert isinstance(text, d.Paragraph) and text.body[-3:] == (d.Shade("not", -5), d.Text(" "), d.Shade("good", 2))


def test_parts_are_chosen_by_their_titles(folder: Path) -> None:
    (figure,) = shown(folder, "figures", "only: Wor\ncaption: Mine.\n")
    assert isinstance(figure, d.Figure) and figure.alt == "Words" and figure.caption == d.words("Mine.")
    (table,) = shown(folder, "tables", "only: By\n")
    assert isinstance(table, d.Table) and table.header == (d.words("class"),)


def test_a_picture_that_was_not_kept_is_told(folder: Path) -> None:
    metrics = {**METRICS, "results": {**RESULTS, "panels": [{**PANELS, "title": "Others", "file": "none.png"}, PANELS]}}
    (folder / "run" / "metrics.json").write_text(json.dumps(metrics))
    assert shown(folder, "pictures", "only: Two\n")  # whatever else there is can still be shown
    with pytest.raises(BpttError, match=r"picture none\.png of the run is not there"):
        shown(folder, "pictures")


@pytest.mark.parametrize("file", ["../secret.png", "/etc/hostname", "..", "link.png"])
def test_no_picture_is_read_from_elsewhere(folder: Path, file: str) -> None:
    imsave(folder / "secret.png", np.zeros((2, 4, 4)))
    (folder / "run" / "link.png").symlink_to(folder / "secret.png")
    metrics = {**METRICS, "results": {**RESULTS, "panels": [{**PANELS, "file": file}]}}
    (folder / "run" / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(BpttError):
        shown(folder, "pictures")


@pytest.mark.parametrize("name", kept_names())
def test_kept_runs_can_be_shown_whole(tmp_path: Path, name: str) -> None:
    run = kept_run(name)
    kinds = {
        "numbers": "numbers",
        "said": "said",
        "tables": "tables",
        "lines": "figures",
        "points": "figures",
        "texts": "texts",
    }
    there = dict.fromkeys(kind for key, kind in kinds.items() if run.metrics["results"].get(key))
    assert shown(tmp_path, "; ".join(["command", "settings", *there]), results=name)
    for panels in run.metrics["results"].get("panels", ()):
        if panels["file"] in run.pictures:
            assert shown(tmp_path, "pictures", f"only: {panels['title']}\n", results=name)
