"""Line plots as data, and their drawing as vector graphics.

matplotlib is imported only when a plot is drawn. The same plot gives the same bytes: no dates, no random identifiers,
no settings of the user's own, only fonts that come with matplotlib.

>>> plot = Plot((Series("norm", (0, 1, 2), (1.0, 0.5, 0.25)),), y_scale="log")
>>> draw_pdf(plot)[:5]
b'%PDF-'
"""

from __future__ import annotations

import io
import math
from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol

from derive.errors import RenderError
from reports.plot_style import COLOURS, FAINT, styled
from reports.point_labels import Labelled, label_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scale = Literal["linear", "log"]

_CM = 1 / 2.54
_KEPT = 32
"""How many drawings are kept: a sheet needs each twice."""

_DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.8)),
    (0, (1.2, 1.4)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (3, 1.2)),
    (0, (8, 2, 1, 2, 1, 2)),
)
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Series:
    """One line: points (x, y), and whether each is marked. The name may hold formulas between dollar signs.

    With ``labels``, one a point, it is no line: the points are marked, and each has its label beside it as it is.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    marked: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A thin line across the plot at a value, with its name beside it."""

    value: float
    label: str = ""
    direction: Literal["horizontal", "vertical"] = "horizontal"


@dataclass(frozen=True)
class Plot:
    """Lines over common axes. Lengths are in centimetres; labels may hold formulas between dollar signs, in
    matplotlib's own TeX subset.
    """

    series: tuple[Series, ...]
    x_label: str = ""
    y_label: str = ""
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    references: tuple[Reference, ...] = ()
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    width: float = 12.5
    height: float = 7.0
    x_names: tuple[str, ...] = ()
    """Words below the axis, at 1, 2, ..., in the place of numbers."""

    def check(self) -> None:
        """Raise a RenderError where there is nothing to draw."""
        _check(self)

    def paint(self, figure: Figure) -> None:
        """Draw all of it."""
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        _frame(axes, self)
        _lines(axes, self)
        _references(axes, self)
        _labels(figure, axes, self)


class Drawn(Hashable, Protocol):
    """Whatever matplotlib draws for a document; equal ones look the same. Lengths are in centimetres."""

    @property
    def width(self) -> float: ...

    @property
    def height(self) -> float: ...

    def check(self) -> None:
        """Raise a RenderError where it cannot be drawn."""

    def paint(self, figure: Figure) -> None:
        """Draw all of it on an empty figure of its size."""


def draw_pdf(plot: Drawn) -> bytes:
    """The plot as a PDF page.

    Raises
    ------
    RenderError : there is nothing to draw, or a label is not readable as a formula.
    """
    return draw(plot).pdf


def draw_svg(plot: Drawn) -> str:
    """The plot as SVG, letters drawn as shapes so that no font is needed.

    Raises
    ------
    RenderError : as for :func:`draw_pdf`.
    """
    return draw(plot).svg


@dataclass(frozen=True)
class Drawing:
    """A plot in every format that documents need."""

    pdf: bytes
    svg: str


@lru_cache(maxsize=_KEPT)
def draw(plot: Drawn) -> Drawing:
    """The plot in every format. Most of the time goes into where its letters stand, which is found once for all.

    Raises
    ------
    RenderError : as for :func:`draw_pdf`.
    """
    plot.check()
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(plot.width * _CM, plot.height * _CM))
        try:
            plot.paint(figure)
            _lay_out(figure)
            pdf = _saved(figure, "pdf", {"Creator": None, "Producer": None, "CreationDate": None})
            svg = _saved(figure, "svg", {"Creator": None, "Date": None, "Format": None, "Type": None})
        except ValueError as error:
            raise RenderError(
                "a label of a plot cannot be read as a formula",
                expected="formulas between dollar signs",
                hint=str(error).strip().splitlines()[-1],
            ) from None
    return Drawing(pdf, svg.decode())


def draw_all(plots: Iterable[Drawn]) -> None:
    """Draw plots before they are asked for, as many as are kept; what is wrong with one is told when it is asked for."""
    for plot in islice(plots, _KEPT):
        with suppress(RenderError):
            draw(plot)


def _lay_out(figure: Figure) -> None:
    """Find the places of the axes, and leave them there."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def _saved(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata=metadata, transparent=True)
    return out.getvalue()


def _check(plot: Plot) -> None:
    if not plot.series:
        raise RenderError("a plot has no series", expected="at least one line")
    for series in plot.series:
        if len(series.x) != len(series.y):
            raise RenderError(
                f"series {series.name!r} has {len(series.x)} x values and {len(series.y)} y values",
                expected="as many of one as of the other",
            )
        if series.labels and len(series.labels) != len(series.x):
            raise RenderError(
                f"series {series.name!r} has {len(series.x)} points and {len(series.labels)} labels",
                expected="a label for each point",
            )
        if not any(
            _shown(x, plot.x_scale) and _shown(y, plot.y_scale) for x, y in zip(series.x, series.y, strict=True)
        ):
            raise RenderError(
                f"series {series.name!r} has no point that these axes can show",
                expected="finite values, above zero on a logarithmic axis",
            )


def _shown(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and (scale == "linear" or value > 0)


def _frame(axes: Axes, plot: Plot) -> None:
    axes.set_xscale(plot.x_scale)
    axes.set_yscale(plot.y_scale)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    if plot.x_limits is not None:
        axes.set_xlim(*plot.x_limits)
    if plot.y_limits is not None:
        axes.set_ylim(*plot.y_limits)
    if plot.x_names:
        # A dollar sign in a word opens no formula.
        names = [name.replace("$", r"\$") for name in plot.x_names]
        size = min(8.5, 330.0 / len(names))
        axes.set_xticks(range(1, len(names) + 1), names, rotation=90, fontsize=size)
        axes.set_xlim(0.4, len(names) + 0.6)
        return
    xs = [x for series in plot.series for x in series.x]
    if plot.x_scale == "linear" and all(float(x).is_integer() for x in xs):
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _lines(axes: Axes, plot: Plot) -> None:
    for k, series in enumerate(plot.series):
        look: dict[str, Any] = {
            "color": COLOURS[k % len(COLOURS)],
            "linestyle": "none" if series.labels else _DASHES[k % len(_DASHES)],
            "marker": _MARKS[k % len(_MARKS)] if series.marked or series.labels else "",
        }
        # matplotlib leaves out of the legend what starts with an underscore.
        axes.plot(series.x, series.y, label=series.name.lstrip("_"), markerfacecolor="none", **look)
    if any(series.name for series in plot.series) and len(plot.series) > 1:
        if any(series.labels for series in plot.series):
            # Among labels there is no room: the names stand above.
            axes.figure.legend(loc="outside upper center", ncols=4)
        else:
            axes.legend(loc="best")


def _labels(figure: Figure, axes: Axes, plot: Plot) -> None:
    """The labels of points, in the colour of their series."""
    points = [
        Labelled(x, y, label, COLOURS[k % len(COLOURS)])
        for k, series in enumerate(plot.series)
        for x, y, label in zip(series.x, series.y, series.labels, strict=False)
    ]
    if points:
        label_points(figure, axes, points)


def _references(axes: Axes, plot: Plot) -> None:
    for reference in plot.references:
        across = reference.direction == "horizontal"
        (axes.axhline if across else axes.axvline)(
            reference.value, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0
        )
        if reference.label:
            place = (1.0, reference.value) if across else (reference.value, 1.0)
            transform = axes.get_yaxis_transform() if across else axes.get_xaxis_transform()
            offset = (-2, 2) if across else (2, -2)
            axes.annotate(
                reference.label,
                place,
                xycoords=transform,
                xytext=offset,
                textcoords="offset points",
                fontsize=8.5,
                color="#6a6a6a",
                ha="right" if across else "left",
                va="bottom" if across else "top",
            )
