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
from reports.run_parts import KINDS, MARKED, Pictures, command_block, number_table, parts_of

_POINTS = 400
"""Points of a line; more of them cannot be told apart."""
_SECTIONS = {"texts": "Texts"}
"""Headings of kinds of results that have one of their own."""
_SPAN = 100
"""Largest over smallest value beyond which an axis is logarithmic."""


def run_document(
    metrics: Mapping[str, Any], curve: Mapping[str, Sequence[str]], pictures: Pictures | None = None
) -> d.Document:
    """Settings, curve, and all results of a run.

    Parameters
    ----------
    pictures : the files of its pictures, by name.

    Raises
    ------
    RenderError : the metrics lack what every run has, or the file of a picture is not there.
    """
    try:
        blocks = tuple(_blocks(metrics, curve, pictures))
        title = d.words(str(metrics["title"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RenderError(
            f"the metrics of the run cannot be read: {error}",
            expected="metrics.json and curve.csv as bptt train writes them",
        ) from None
    return d.Document(title, d.words("Report of a training run"), {}, blocks)


def _blocks(
    metrics: Mapping[str, Any], curve: Mapping[str, Sequence[str]], pictures: Pictures | None
) -> Iterator[d.Block]:
    yield d.Paragraph(_opening(metrics))
    if metrics.get("command"):
        yield command_block(str(metrics["command"]))
    yield d.Heading(1, d.words("Settings"), "settings")
    yield settings_table(metrics)
    figures = curve_figures(curve, str(metrics["loss"]), metrics.get("axes", {}))
    if figures:
        yield d.Heading(1, d.words("Curves"), "curves")
        yield from figures
    yield d.Heading(1, d.words("Results"), "results")
    for kind in KINDS:
        parts = [*parts_of(kind, metrics["results"], pictures)]
        if parts and kind in _SECTIONS:
            yield d.Heading(1, d.words(_SECTIONS[kind]), kind)
        for part in parts:
            yield from part.blocks


def settings_table(metrics: Mapping[str, Any]) -> d.Table:
    """The settings of a run and the machine that it ran on."""
    return number_table({**_flat(metrics["settings"]), **metrics.get("machine", {})})


def made_in(metrics: Mapping[str, Any]) -> str:
    """How many updates were made, how long they took, and on what.

    >>> made_in({"steps": 2000, "epochs": 1000.0, "seconds": 61.0, "machine": {"processor": "a CPU", "threads": 2}})
    '2,000 updates (1,000 epochs) in 61 seconds on 2 threads (a CPU).'
    """
    epochs = f" ({_grouped(metrics['epochs'])} epoch{'s' * (metrics['epochs'] != 1)})" if "epochs" in metrics else ""
    machine = metrics.get("machine", {})
    threads = machine.get("threads")
    on = f" on {threads} thread{'s' * (threads != 1)} ({machine['processor']})" if threads else ""
    return f"{metrics['steps']:,} updates{epochs} in {_seconds(metrics['seconds'])} seconds{on}."


def _seconds(seconds: float) -> str:
    """Seconds, of which a short run has some as well.

    >>> _seconds(1234.5), _seconds(9.87), _seconds(0.3)
    ('1,234', '9.9', '0.3')
    """
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1g}" if seconds < 1 else f"{seconds:.1f}"


def _grouped(count: float) -> str:
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:g}"


def _opening(metrics: Mapping[str, Any]) -> d.Inlines:
    said = made_in(metrics)
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
    means = tuple(math.fsum(b for _, b in part) / len(part) for part in parts)
    return Series(name, tuple(part[-1][0] for part in parts), means, len(parts) <= MARKED)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    own = settings.get("own", {})
    hidden = ("epochs",) if settings.get("steps") else ("steps",)
    shown = {**{key: value for key, value in settings.items() if key not in ("own", "task", *hidden)}, **own}
    return {key: value for key, value in shown.items() if value != ""}


__all__ = ["curve_figures", "made_in", "run_document", "settings_table"]
