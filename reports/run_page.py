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
_GROUPED = 10_000
"""The least number whose digits are grouped."""
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
    for points in results.get("points", ()):
        yield _points(points)


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
        Series(name.replace("$", r"\$"), tuple(map(float, x)), tuple(map(float, y)), len(x) <= 30)
        for name, (x, y) in lines["lines"].items()
    )
    plot = Plot(series, lines["x_label"], lines["y_label"], y_scale="log" if lines.get("log") else "linear")
    said = f"{lines['title']}. {lines.get('note', '')}".strip()
    return d.Figure(plot, d.words(said), alt=str(lines["title"]))


def _points(points: Mapping[str, Any]) -> d.Figure:
    series = []
    for name, found in points["groups"].items():
        x, y, labels = zip(*found, strict=True) if found else ((), (), ())
        series.append(
            Series(name.replace("$", r"\$"), tuple(map(float, x)), tuple(map(float, y)), labels=tuple(map(str, labels)))
        )
    plot = Plot(tuple(series), points["x_label"], points["y_label"], width=15.5, height=15.0)
    said = f"{points['title']}. {points.get('note', '')}".strip()
    return d.Figure(plot, d.words(said), alt=str(points["title"]))


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
    shown = {key: value for key, value in settings.items() if key not in ("own", "task", *hidden) and value != ""}
    return {**shown, **own}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and value >= _GROUPED:
        return f"{value:,}"
    return str(value)


__all__ = ["curve_figures", "run_document"]
