"""What a task finds, as data: numbers, tables, lines, points, pictures and texts. ``reports`` typesets them without knowing the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """A result as a table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Lines:
    """A result as lines over common axes, (x, y) by name. ``x_names`` are words below the axis, at 1, 2, …, in the place of numbers."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    log: bool = False
    note: str = ""
    x_names: Sequence[str] = ()


@dataclass(frozen=True)
class ShadedText:
    """A text whose tokens carry values; each is shown on a ground that is as strong as its value.

    Parameters
    ----------
    values       : by what was measured, one of each token.
    above, below : what values above and below 0 speak for.
    """

    title: str
    tokens: Sequence[str]
    values: Mapping[str, Sequence[float]]
    above: str
    below: str
    note: str = ""


@dataclass(frozen=True)
class Panels:
    """A result as small pictures in rows and columns, which are one PNG file of the run's folder.

    Parameters
    ----------
    file    : its name; the pictures stand in it side by side, without gaps.
    tile    : height and width of one picture in points of the file.
    rows    : what stands beside each row.
    columns : what stands above each column; none of it, or one each.
    """

    title: str
    file: str
    tile: tuple[int, int]
    rows: Sequence[str]
    columns: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class Points:
    """A result as points in a plane, (x, y, label) by group."""

    title: str
    x_label: str
    y_label: str
    groups: Mapping[str, Sequence[tuple[float, float, str]]]
    note: str = ""


@dataclass(frozen=True)
class Results:
    """What is found at the end; all of it goes into ``metrics.json``, of ``files`` their names.

    Parameters
    ----------
    numbers : single values by name.
    said    : sentences about them.
    panels  : small pictures; their files are among ``files``.
    texts   : texts whose tokens carry values.
    key     : names of the numbers that stand for the run in a table of many; without them, the first one.
    files   : further files of the run's folder, by name.
    """

    numbers: Mapping[str, float]
    tables: Sequence[Table] = ()
    lines: Sequence[Lines] = ()
    said: Sequence[str] = ()
    points: Sequence[Points] = ()
    panels: Sequence[Panels] = ()
    texts: Sequence[ShadedText] = ()
    key: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


__all__ = ["Cell", "Lines", "Panels", "Points", "Results", "ShadedText", "Table"]
