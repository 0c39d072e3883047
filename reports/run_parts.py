"""The results of a training run, piece by piece, from plain data.

>>> results = {"numbers": {"a": 1}, "said": ["Done."]}
>>> [type(block).__name__ for kind in KINDS for part in parts_of(kind, results) for block in part.blocks]
['Table', 'Paragraph']
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
_GROUPED = 1_000
"""The least whole number whose digits are grouped."""
_DIGITS = 4
"""Significant digits of numbers that are not whole."""
_LINE = 76
"""Most characters of a line of a command."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

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


def command_block(command: str) -> d.CodeBlock:
    r"""A command, with its options on as many lines as fit on a page; they can be copied as they stand.

    >>> print(command_block("bptt train names --epochs 1000 --set 'text=not good' --set epoch=pass --set optimizer=adam").text)
    bptt train names --epochs 1000 --set 'text=not good' --set epoch=pass \
        --set optimizer=adam
    """
    lines, options = [""], ""
    for word in shlex.split(command):
        if not word.startswith("--"):
            options = f"{options} {shlex.quote(word)}".lstrip()
            continue
        lines = _with_options(lines, options)
        options = shlex.quote(word)
    return d.CodeBlock(" \\\n    ".join(_with_options(lines, options)), "sh")


def _with_options(lines: Sequence[str], options: str) -> list[str]:
    """The lines with one more option at the end of the last, or on a line of its own."""
    *before, last = lines
    longer = f"{last} {options}".strip()
    return [*before, longer] if not last or len(longer) <= _LINE else [*lines, options]


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
    columns = [[row[k] for row in table["rows"]] for k in range(len(header))]
    numeric = [_is_numeric(cells) for cells in columns]
    texts = [
        _column(cells) if right else [_text(cell) for cell in cells]
        for cells, right in zip(columns, numeric, strict=True)
    ]
    rows = tuple(tuple(d.words(text) for text in row) for row in zip(*texts, strict=True))
    return d.Table(header, rows, tuple("right" if right else "left" for right in numeric), _caption(table))


def _is_numeric(cells: Sequence[Any]) -> bool:
    there = [cell for cell in cells if cell is not None]
    return bool(there) and all(isinstance(cell, (int, float)) for cell in there)


def _column(cells: Sequence[Any]) -> list[str]:
    """Numbers below each other: as many decimals in each, if none of them loses its digits, and all grouped if one is.

    >>> _column([0.8724, 0.867, None, 0]), _column([1.09, -0.9883]), _column([0.25, 2.6e-14]), _column([6262, 12476])
    (['0.8724', '0.8670', '', '0'], ['1.090', '−0.988'], ['0.25', '2.6 · 10⁻¹⁴'], ['6,262', '12,476'])
    """
    there = [abs(cell) for cell in cells if cell]
    if any(isinstance(cell, float) for cell in there):
        decimals = _decimals(there)
        return [_text(cell) if not cell or decimals is None else _signed(f"{cell:.{decimals}f}") for cell in cells]
    if any(cell >= _GROUPED for cell in there):
        return ["" if cell is None else _signed(f"{cell:,}") for cell in cells]
    return [_text(cell) for cell in cells]


def _decimals(sizes: Sequence[float]) -> int | None:
    """How many decimals positive numbers are given to: none, if they are too far apart for the same."""
    texts = [f"{size:.{_DIGITS}g}" for size in sizes]
    if not all(map(math.isfinite, sizes)) or any("e" in text for text in texts):
        return None
    decimals = min(
        max(len(text.partition(".")[2]) for text in texts), max(0, _DIGITS - 1 - math.floor(math.log10(max(sizes))))
    )
    return decimals if min(sizes) >= 10.0 ** (1 - decimals) else None


def _signed(text: str) -> str:
    """A number with the sign for minus, and with a power of ten as it is written."""
    mantissa, _, exponent = text.partition("e")
    power = f" · 10{str(int(exponent)).translate(_RAISED)}" if exponent else ""
    return mantissa.replace("-", "−") + power


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return _signed(f"{value:.{_DIGITS}g}") if math.isfinite(value) else str(value)
    if isinstance(value, int) and value >= _GROUPED:
        return f"{value:,}"
    return str(value)


__all__ = ["KINDS", "MARKED", "Part", "Pictures", "command_block", "number_table", "parts_of"]
