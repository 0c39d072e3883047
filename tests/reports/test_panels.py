"""Pictures in rows and columns, in reports of runs and by themselves."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread, imsave

from derive.errors import RenderError
from reports.panels import Panels, read_panels
from reports.plot import draw_pdf, draw_svg
from reports.render import make
from reports.run_page import run_document
from reports.run_results import pictures_in


def points() -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Two rows of three pictures of 4 x 5 points, each of one colour."""
    colours = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 1, 0], [0, 1, 1], [1, 1, 1]]])
    return np.concatenate([colours, np.ones((2, 3, 1))], axis=2).repeat(4, 0).repeat(5, 1)


def test_pictures_keep_their_points_and_places() -> None:
    svg = draw_svg(Panels(points(), (4, 5), ("a", "b"), ("x_1", "$y", "z")))
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", svg)
    drawn = imread(io.BytesIO(base64.b64decode("".join(data.split()))))
    height, width = drawn.shape[0] // 2, drawn.shape[1] // 3
    for row in range(2):
        for column in range(3):
            part = drawn[row * height : (row + 1) * height, column * width : (column + 1) * width]
            inside = part[part[..., 3] > 0.5][:, :3]
            assert len(inside) > 0.8 * height * width
            assert np.allclose(inside, points()[4 * row, 5 * column, :3])


def test_pictures_of_the_same_size_are_drawn_each() -> None:
    one, other = points(), 1 - points() * [1, 1, 1, 0]
    assert draw_svg(Panels(one, (4, 5), ("a", "b"))) != draw_svg(Panels(other, (4, 5), ("a", "b")))


def test_a_run_with_pictures(tmp_path: Path) -> None:
    imsave(tmp_path / "six.png", points())
    panels = {
        "title": "Six <pictures>",
        "file": "six.png",
        "tile": [4, 5],
        "rows": ["a", "b"],
        "columns": [],
        "note": "All.",
    }
    metrics = {
        "title": "T", "settings": {}, "steps": 1, "seconds": 1.0, "loss": "nats", "results": {"panels": [panels]},
    }  # fmt: skip
    document = run_document(
        json.loads(json.dumps(metrics)), {"step": ["1"], "loss": ["1"]}, pictures_in(tmp_path, metrics)
    )
    made = make(document, "report", ("html", "pdf"), "typst")
    page = made.contents["report.html"].decode()
    assert "Six &lt;pictures&gt;. All." in page and "img-src data:" in page and "data:image/png" in page
    assert made.contents["report.pdf"].startswith(b"%PDF")
    assert make(document, "report", ("html",)).contents["report.html"].decode() == page
    without = run_document({**metrics, "results": {}}, {"step": ["1"], "loss": ["1"]})
    assert "img-src" not in make(without, "report", ("html",)).contents["report.html"].decode()


@pytest.mark.parametrize(("tile", "rows", "columns"), [((4, 5), ("a",), ()), ((4, 5), ("a", "b"), ("c",))])
def test_words_that_do_not_fit(tile: tuple[int, int], rows: tuple[str, ...], columns: tuple[str, ...]) -> None:
    with pytest.raises(RenderError, match="words"):
        draw_pdf(Panels(points(), tile, rows, columns))


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="cannot be read"):
        read_panels(b"nothing", (4, 5), (), ())
    imsave(tmp_path / "six.png", points())
    with pytest.raises(RenderError, match="does not divide"):
        read_panels((tmp_path / "six.png").read_bytes(), (3, 5), (), ())
    panels = {"title": "T", "file": "none.png", "tile": [4, 5], "rows": []}
    with pytest.raises(RenderError, match=r"picture none\.png of the run is not there"):
        run_document(
            {"title": "T", "settings": {}, "steps": 1, "seconds": 1.0, "loss": "l", "results": {"panels": [panels]}},
            {"step": ["1"], "loss": ["1"]},
        )
