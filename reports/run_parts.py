"""The results of a training run, piece by piece, from plain data.

>>> results = {"numbers": {"a": 1}, "said": ["Done."]}
>>> [type(block).__name__ for kind in KINDS for part in parts_of(kind, results) for block in part.blocks]
['Table', 'Paragraph']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from derive.errors import RenderError
from reports import document as d
from reports.panels import Panels, read_panels
from reports.plot import Plot, Series
from reports.shaded_text import shaded

MARKED = 40
"""Most points of a line whose points are marked; one that stands alone is seen only so."""
_GROUPED = 10_000
"""The least whole number whose digits are grouped."""

Pictures = Mapping[str, bytes]
"""The files of a run's pictures, by name."""
_Results = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One piece of the results of a run: what it is called, and how it is shown."""

    title: str
    _make: Callable[[], Iterable[d.Block]] = field(repr=False)

    @property
    def blocks(self) -> d.Blocks:
        """What stands on the page.

        Raises
        ------
        RenderError : the file of a picture is not there, or is none.
        """
        return tuple(self._make())


def parts_of(kind: str, results: _Results, pictures: Pictures | None = None) -> Iterator[Part]:
    """The results of one of :data:`KINDS`; none is read before its blocks are asked for."""
    return _PARTS[kind](results, pictures or {})


def number_table(numbers: Mapping[str, Any]) -> d.Table:
    """Single values by their names."""
    rows = tuple((d.words(key.replace("_", " ")), d.words(_text(value))) for key, value in numbers.items())
    return d.Table((d.words("what"), d.words("value")), rows, ("left", "right"))


def _numbers(results: _Results, pictures: Pictures) -> Iterator[Part]:
    if results.get("numbers"):
        yield Part("", lambda: [number_table(results["numbers"])])


def _said(results: _Results, pictures: Pictures) -> Iterator[Part]:
    for sentence in results.get("said", ()):
        yield Part("", partial(_paragraph, sentence))


def _paragraph(sentence: str) -> d.Blocks:
    return (d.Paragraph(d.words(sentence)),)


def _tables(results: _Results, pictures: Pictures) -> Iterator[Part]:
    for table in results.get("tables", ()):
        yield _titled(table, _table)


def _figures(results: _Results, pictures: Pictures) -> Iterator[Part]:
    for lines in results.get("lines", ()):
        yield _titled(lines, lambda found: _figure(_lines(found), found))
    for points in results.get("points", ()):
        yield _titled(points, lambda found: _figure(_points(found), found))


def _pictures(results: _Results, pictures: Pictures) -> Iterator[Part]:
    for panels in results.get("panels", ()):
        yield _titled(panels, lambda found: _figure(_panels(found, pictures), found))


def _texts(results: _Results, pictures: Pictures) -> Iterator[Part]:
    for text in results.get("texts", ()):
        yield Part(str(text["title"]), partial(shaded, text))


_PARTS: Mapping[str, Callable[[_Results, Pictures], Iterator[Part]]] = {
    "numbers": _numbers,
    "said": _said,
    "tables": _tables,
    "figures": _figures,
    "pictures": _pictures,
    "texts": _texts,
}
KINDS = tuple(_PARTS)
"""Kinds of results, in the order of a run's page."""


def _titled(found: Mapping[str, Any], make: Callable[[Mapping[str, Any]], d.Block]) -> Part:
    return Part(str(found["title"]), lambda: [make(found)])


def _figure(content: Plot | Panels, about: Mapping[str, Any]) -> d.Figure:
    return d.Figure(content, _caption(about), alt=str(about["title"]))


def _caption(about: Mapping[str, Any]) -> d.Inlines:
    return d.words(f"{about['title']}. {about.get('note', '')}".strip())


def _lines(lines: Mapping[str, Any]) -> Plot:
    series = tuple(
        Series(_plain(name), tuple(map(float, x)), tuple(map(float, y)), len(x) <= MARKED)
        for name, (x, y) in lines["lines"].items()
    )
    return Plot(
        series,
        lines["x_label"],
        lines["y_label"],
        y_scale="log" if lines.get("log") else "linear",
        x_names=tuple(lines.get("x_names", ())),
    )


def _points(points: Mapping[str, Any]) -> Plot:
    series = []
    for name, found in points["groups"].items():
        x, y, labels = zip(*found, strict=True) if found else ((), (), ())
        series.append(Series(_plain(name), tuple(map(float, x)), tuple(map(float, y)), labels=tuple(map(str, labels))))
    return Plot(tuple(series), points["x_label"], points["y_label"], width=15.5, height=15.0)


def _panels(panels: Mapping[str, Any], pictures: Pictures) -> Panels:
    png = pictures.get(str(panels["file"]))
    if png is None:
        raise RenderError(
            f"the picture {panels['file']} of the run is not there", expected="the files that bptt train wrote"
        )
    height, width = panels["tile"]
    return read_panels(png, (height, width), tuple(panels["rows"]), tuple(panels.get("columns", ())))


def _plain(name: str) -> str:
    """A name in which a dollar sign opens no formula."""
    return name.replace("$", r"\$")


def _table(table: Mapping[str, Any]) -> d.Table:
    header = tuple(d.words(str(column)) for column in table["columns"])
    rows = tuple(tuple(d.words(_text(cell)) for cell in row) for row in table["rows"])
    columns = [[row[k] for row in table["rows"] if row[k] is not None] for k in range(len(header))]
    numeric = [bool(cells) and all(isinstance(cell, (int, float)) for cell in cells) for cells in columns]
    return d.Table(header, rows, tuple("right" if right else "left" for right in numeric), _caption(table))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and value >= _GROUPED:
        return f"{value:,}"
    return str(value)


__all__ = ["KINDS", "MARKED", "Part", "Pictures", "number_table", "parts_of"]
