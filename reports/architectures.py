"""What recurrent networks read and write, as everybody draws it: one to one, one to many, many to one, many to many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isclose

from derive.errors import UsageError
from derive.notation import surface as s
from reports.cropping import cropped, moved
from reports.drawing import Canvas, Item, Node, Role, TextLabel, connect
from reports.measure import EM_CM, label_extent

KINDS = ("one-to-one", "one-to-many", "many-to-one", "many-to-many", "many-to-many-aligned")
MAX_STEPS = 6
_TITLES = {
    "one-to-one": ("one to one",),
    "one-to-many": ("one to many",),
    "many-to-one": ("many to one",),
    "many-to-many": ("many to many,", "after reading"),
    "many-to-many-aligned": ("many to many,", "at each step"),
}
_WIDTH, _HEIGHT = 0.58, 0.54
_COLUMN, _ROW = 0.88, 1.1
_BETWEEN, _BELOW = 0.28, 0.5
_LINE = 16.0
"""A row of drawings is not wider than this."""


@dataclass(frozen=True)
class Pattern:
    """In which of the columns 1 .. ``columns`` something is read, and in which something is written."""

    columns: int
    reads: range
    writes: range


def pattern(kind: str, steps: int) -> Pattern:
    """What a kind of network reads and writes.

    >>> pattern("many-to-many", 3)
    Pattern(columns=5, reads=range(1, 4), writes=range(3, 6))
    """
    first, last, every = range(1, 2), range(steps, steps + 1), range(1, steps + 1)
    return {
        "one-to-one": Pattern(1, first, first),
        "one-to-many": Pattern(steps, first, every),
        "many-to-one": Pattern(steps, every, last),
        # It writes from the step at which it has read everything.
        "many-to-many": Pattern(2 * steps - 1, every, range(steps, 2 * steps)),
        "many-to-many-aligned": Pattern(steps, every, every),
    }[kind]


def architectures(kinds: Sequence[str] = KINDS, steps: int = 3) -> Canvas:
    """The drawings of some kinds beside each other, in rows where they do not fit one; (a), (b), ... stand below.

    Raises
    ------
    UsageError : there is no such kind, or ``steps`` is out of range.

    >>> canvas = architectures(["one-to-one"])
    >>> sum(isinstance(item, Node) for item in canvas.items)
    3
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"there is no architecture {kind!r}", expected=f"one of {', '.join(KINDS)}")
    if not kinds:
        raise UsageError("no architecture is named", expected=f"one of {', '.join(KINDS)}")
    if not 2 <= steps <= MAX_STEPS:
        raise UsageError(f"{steps} steps cannot be drawn", expected=f"from 2 to {MAX_STEPS}")
    panels = [cropped(list(_panel(kind, steps, number, len(kinds) > 1))) for number, kind in enumerate(kinds)]
    items: list[Item] = []
    bottom = 0.0
    for row in _rows(panels):
        bottom -= max(panel.height for panel in row)
        x = (max(map(_row_width, _rows(panels))) - _row_width(row)) / 2
        for panel in row:
            # Panels hang from the top of their row: the titles below are of different heights.
            lift = bottom + max(other.height for other in row) - panel.height
            items += [moved(item, x, lift) for item in panel.items]
            x += panel.width + _BETWEEN
        bottom -= _BELOW
    return cropped(items)


def _rows(panels: Sequence[Canvas]) -> list[list[Canvas]]:
    rows: list[list[Canvas]] = [[]]
    for panel in panels:
        if rows[-1] and _row_width([*rows[-1], panel]) > _LINE:
            rows.append([])
        rows[-1].append(panel)
    return rows


def _row_width(row: Sequence[Canvas]) -> float:
    return sum(panel.width for panel in row) + _BETWEEN * (len(row) - 1)


def _panel(kind: str, steps: int, number: int, lettered: bool) -> Iterator[Item]:
    """One kind: inputs below, states in the middle, outputs on top, its name at the foot."""
    what = pattern(kind, steps)
    states = [_box("h", k, what.columns, k, 1, "ink") for k in range(1, what.columns + 1)]
    inputs = [_box("x", k, len(what.reads), column, 0, "forward") for k, column in enumerate(what.reads, 1)]
    outputs = [_box("y", k, len(what.writes), column, 2, "accent") for k, column in enumerate(what.writes, 1)]
    yield from (*inputs, *states, *outputs)
    for box in inputs:
        yield connect(box, _above(box, states))
    for a, b in pairwise(states):
        yield connect(a, b)
    for box in outputs:
        yield connect(_above(box, states), box)
    lines = list(_TITLES[kind])
    if lettered:
        lines[0] = f"({chr(ord('a') + number)}) {lines[0]}"
    # The words of both lines are centred below the columns.
    middle = (what.columns - 1) / 2 * _COLUMN
    for k, line in enumerate(lines):
        yield TextLabel((middle, -_HEIGHT / 2 - 0.45 - 1.25 * EM_CM * k), line)


def _box(letter: str, k: int, count: int, column: int, row: int, role: Role) -> Node:
    """A box; its letter has a number where there are several of its kind."""
    label: s.Surface = s.Name(letter)
    if count > 1:
        label = s.Scripted(label, subs=(s.Number(str(k)),))
    width = max(_WIDTH, label_extent(label)[0] + 0.18)
    return Node(((column - 1) * _COLUMN, row * _ROW), label, "box", width, _HEIGHT, role, filled=True)


def _above(box: Node, states: Sequence[Node]) -> Node:
    """The state in the column of an input or an output."""
    return next(state for state in states if isclose(state.at[0], box.at[0]))
