"""The report of a training run, typeset from its metrics and its curve, both of which are plain data.

>>> metrics = {"title": "T", "settings": {"seed": 0}, "steps": 2, "seconds": 1.0, "loss": "nats", "results": {"numbers": {"a": 1}}}
>>> curve = {"step": ["1", "2"], "loss": ["2.0", "1.0"]}
>>> [type(block).__name__ for block in run_document(metrics, curve).blocks]
['Paragraph', 'Heading', 'Table', 'Heading', 'Figure', 'Heading', 'Table']
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from derive.errors import RenderError
from reports import document as d
from reports.plot import Plot, Series

_POINTS = 400
"""Points of a line; more of them cannot be told apart."""
_SPAN = 100
"""Largest over smallest value beyond which an axis is logarithmic."""


def run_document(metrics: Mapping[str, Any], curve: Mapping[str, Sequence[str]]) -> d.Document:
    """Settings, curve, numbers, tables and lines of a run.

    Raises
    ------
    RenderError : the metrics lack what every run has.
    """
    try:
        blocks = tuple(_blocks(metrics, curve))
        title = d.words(str(metrics["title"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RenderError(
            f"the metrics of the run cannot be read: {error}",
            expected="metrics.json and curve.csv as bptt train writes them",
        ) from None
    return d.Document(title, d.words("Report of a training run"), {}, blocks)


def _blocks(metrics: Mapping[str, Any], curve: Mapping[str, Sequence[str]]) -> Iterator[d.Block]:
    yield d.Paragraph(_opening(metrics))
    if metrics.get("command"):
        yield d.CodeBlock(str(metrics["command"]), "sh")
    yield d.Heading(1, d.words("Settings"), "settings")
    yield _pairs({**_flat(metrics["settings"]), **metrics.get("machine", {})})
    figures = curve_figures(curve, str(metrics["loss"]), metrics.get("axes", {}))
    if figures:
        yield d.Heading(1, d.words("Curves"), "curves")
        yield from figures
    results = metrics["results"]
    yield d.Heading(1, d.words("Results"), "results")
    if results.get("numbers"):
        yield _pairs(results["numbers"])
    for sentence in results.get("said", ()):
        yield d.Paragraph(d.words(sentence))
    for table in results.get("tables", ()):
        yield _table(table)
    for lines in results.get("lines", ()):
        yield _figure(lines)
    if results.get("texts"):
        yield d.Heading(1, d.words("Texts"), "texts")
    for text in results.get("texts", ()):
        yield from _shaded(text)


def _opening(metrics: Mapping[str, Any]) -> d.Inlines:
    epochs = f" ({metrics['epochs']:g} epochs)" if "epochs" in metrics else ""
    said = f"{metrics['steps']:,} updates{epochs} in {metrics['seconds']:,.0f} seconds."
    said += f" An epoch is {metrics['epoch']}." if metrics.get("epoch") else ""
    said += f" Data: {metrics['terms']}." if metrics.get("terms") else ""
    return d.words(said)


def curve_figures(curve: Mapping[str, Sequence[str]], loss: str, axes: Mapping[str, str]) -> list[d.Figure]:
    """The columns against the step: the losses together, and what else was measured by its axis."""
    steps = [float(step) for step in curve["step"]]
    groups: dict[str, list[Series]] = {}
    for name, cells in curve.items():
        if name == "step":
            continue
        series = _series(name.replace("_", " "), steps, [float(cell) if cell else math.nan for cell in cells])
        if series.y:
            groups.setdefault(axes.get(name, "loss"), []).append(series)
    figures = []
    for axis, drawn in groups.items():
        said = f"The loss over the run: {loss}." if axis == "loss" else f"{axis.capitalize()} over the run."
        plot = Plot(tuple(drawn), "updates", axis, y_scale="log" if _wide(drawn) else "linear")
        figures.append(d.Figure(plot, d.words(said), alt=said))
    return figures


def _wide(drawn: Sequence[Series]) -> bool:
    """Whether the values span so much that a linear axis hides most of them."""
    values = [y for series in drawn for y in series.y]
    return min(values) > 0 and max(values) > _SPAN * min(values)


def _series(name: str, x: Sequence[float], y: Sequence[float]) -> Series:
    """A line through means of neighbouring points, where there are too many of them."""
    points = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
    group = max(1, -(-len(points) // _POINTS))
    parts = [points[k : k + group] for k in range(0, len(points), group)]
    return Series(
        name, tuple(part[-1][0] for part in parts), tuple(math.fsum(b for _, b in part) / len(part) for part in parts)
    )


def _figure(lines: Mapping[str, Any]) -> d.Figure:
    series = tuple(
        Series(name.replace("$", r"\$"), tuple(map(float, x)), tuple(map(float, y)), len(x) <= 40)
        for name, (x, y) in lines["lines"].items()
    )
    plot = Plot(
        series,
        lines["x_label"],
        lines["y_label"],
        y_scale="log" if lines.get("log") else "linear",
        x_names=tuple(lines.get("x_names", ())),
    )
    said = f"{lines['title']}. {lines.get('note', '')}".strip()
    return d.Figure(plot, d.words(said), alt=str(lines["title"]))


def _shaded(text: Mapping[str, Any]) -> Iterator[d.Block]:
    """A text as often as there are values of its tokens; the strongest ground is that of the largest value."""
    title = str(text["title"])
    title += "" if title.endswith((".", "!", "?", "”")) else "."
    yield d.Paragraph((d.Strong(d.words(title)), *d.words(f" {text['note']}" if text.get("note") else "")))
    for name, values in text["values"].items():
        largest = max(map(abs, values), default=0.0)
        grounds = (round(d.STRONGEST * value / largest) if largest > 0 else 0 for value in values)
        words = [
            piece
            for token, level in zip(text["tokens"], grounds, strict=True)
            for piece in (d.Text(" "), d.Shade(token, level))
        ]
        up, down = d.Shade(str(text["above"]), 3), d.Shade(str(text["below"]), -3)
        total = f" (sum {_text(math.fsum(values))}, largest {_text(largest)}): "
        legend = (d.Emphasis(d.words(str(name).capitalize())), *d.words(", for "), up, *d.words(" or "), down)
        yield d.Paragraph((*legend, *d.words(total), *words[1:]))


def _table(table: Mapping[str, Any]) -> d.Table:
    header = tuple(d.words(str(column)) for column in table["columns"])
    rows = tuple(tuple(d.words(_text(cell)) for cell in row) for row in table["rows"])
    numeric = [all(isinstance(row[k], (int, float)) for row in table["rows"]) for k in range(len(header))]
    said = f"{table['title']}. {table.get('note', '')}".strip()
    return d.Table(header, rows, tuple("right" if right else "left" for right in numeric), d.words(said))


def _pairs(values: Mapping[str, Any]) -> d.Table:
    rows = tuple((d.words(key.replace("_", " ")), d.words(_text(value))) for key, value in values.items())
    return d.Table((d.words("what"), d.words("value")), rows, ("left", "right"))


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    own = settings.get("own", {})
    hidden = ("epochs",) if settings.get("steps") else ("steps",)
    found = {**{key: value for key, value in settings.items() if key not in ("own", "task", *hidden)}, **own}
    return {key: value for key, value in found.items() if value != ""}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


__all__ = ["curve_figures", "run_document"]
