"""A recurrent network, folded and unfolded over time: one box with a loop, and beside it the same box at every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from derive.errors import UsageError
from derive.notation import surface as s
from derive.notation.rebuild import rebuilt
from reports.cropping import cropped
from reports.drawing import Arrow, Canvas, Item, Label, MathLabel, Node, Role, TextLabel, connect
from reports.measure import label_extent

Kind = Literal["many-to-many", "many-to-one"]
KINDS: tuple[Kind, ...] = ("many-to-many", "many-to-one")
MAX_STEPS = 6
_BOX = (0.95, 0.72)
_CIRCLE = 0.78
_PADDING = 0.24
_COLUMN, _RISE = 0.9, 0.95
"""Least space between columns, and between rows, for an arrow."""
_LOOP, _MOUTH = 0.62, 0.36
"""How far the loop swings out, and how far apart its ends stand."""
_CLEAR = 0.34
"""How much longer than its label an arrow is."""
_GAP = 0.09
_UNFOLD = "unfold"


@dataclass(frozen=True)
class UnfoldingLabels:
    """What stands in the boxes and at the arrows. In ``x``, ``h`` and ``y`` the letter ``time`` in a script is the step;
    ``start`` is the state before the first.
    """

    x: s.Surface
    h: s.Surface
    y: s.Surface
    start: s.Surface
    input: s.Surface
    recurrent: s.Surface
    output: s.Surface
    time: str = "t"
    layer: Label = ""
    """What stands to the left of the folded box."""


def at_step(label: s.Surface, letter: str, step: int) -> s.Surface:
    """A label with a number in place of the letter of time, in subscripts and superscripts.

    >>> from derive.notation.parser import parse_one
    >>> from derive.notation.write_plain import write_plain
    >>> write_plain(at_step(parse_one("x^{[1]}_t"), "t", 2))
    'x1_2'
    """

    def exchanged(node: s.Surface) -> s.Surface:
        return s.Number(str(step)) if node == s.Name(letter) else node

    def inside_scripts(node: s.Surface) -> s.Surface:
        if not isinstance(node, s.Scripted):
            return node
        subs, sups = (tuple(rebuilt(item, exchanged) for item in items) for items in (node.subs, node.sups))
        return replace(node, subs=subs, sups=sups)

    return rebuilt(label, inside_scripts)


def unfolding(labels: UnfoldingLabels, kind: str = "many-to-many", steps: int = 3) -> Canvas:
    """The folded network on the left, the unfolded one on the right.

    ``many-to-one`` has an output after the last step only.

    Raises
    ------
    UsageError : there is no such kind, or ``steps`` is out of range.

    >>> from derive.notation.parser import parse_one
    >>> names = [parse_one(text) for text in ("x_t", "h_t", "y_t", "h_0", "W_{hx}", "W_{hh}", "W_{yh}")]
    >>> canvas = unfolding(UnfoldingLabels(*names), steps=2)
    >>> sum(isinstance(item, Node) for item in canvas.items)
    10
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of network {kind!r}", expected=f"one of {', '.join(KINDS)}")
    if not 1 <= steps <= MAX_STEPS:
        raise UsageError(f"{steps} steps cannot be drawn", expected=f"from 1 to {MAX_STEPS}")
    return cropped(list(_Drawing(labels, kind == "many-to-one", steps).items()))


class _Drawing:
    def __init__(self, labels: UnfoldingLabels, last_only: bool, steps: int) -> None:
        self.labels = labels
        self.last_only = last_only
        self.steps = steps
        self.sizes = {name: self._size(name) for name in ("x", "h", "y")}
        wide = {name: label_extent(getattr(labels, name))[0] for name in ("input", "recurrent", "output")}
        high = {name: label_extent(getattr(labels, name))[1] for name in ("input", "recurrent", "output")}
        nodes = max(size[0] for size in self.sizes.values())
        # An arrow to the right is longer than its label; a label beside an arrow upward ends before the next arrow.
        self.column = max(
            self.sizes["h"][0] + max(_COLUMN, wide["recurrent"] + 2 * _CLEAR),
            nodes + 0.3,
            wide["input"] + 2 * _CLEAR,
            wide["output"] + 2 * _CLEAR,
        )
        # The label of the loop, or of an arrow to the right, may be higher than the box: other labels keep clear of it.
        self.over = max(0.0, high["recurrent"] + 2 * _GAP - self.sizes["h"][1] / 2)
        self.under = max(0.0, high["recurrent"] / 2 + _GAP - self.sizes["h"][1] / 2)
        self.rise = {name: max(_RISE, high[name] + _CLEAR) for name in ("input", "output")}
        self.beside_box = max(wide["input"], wide["output"], self.sizes["h"][0] / 2 + _LOOP + _GAP + wide["recurrent"])

    def _size(self, name: str) -> tuple[float, float]:
        """How large the nodes of a row are: all alike."""
        label: s.Surface = getattr(self.labels, name)
        extents = [label_extent(at_step(label, self.labels.time, k)) for k in range(1, self.steps + 1)]
        if name == "h":
            extents.append(label_extent(self.labels.start))
        extents.append(label_extent(label))
        wide, high = max(w for w, _ in extents) + _PADDING, max(h for _, h in extents) + _PADDING
        if name == "h":
            return max(_BOX[0], wide), max(_BOX[1], high)
        side = max(_CIRCLE, wide, high)
        return (side, side) if side < 1.15 else (wide, max(_BOX[1], high))

    # -- nodes -------------------------------------------------------------------------------------

    @property
    def _low(self) -> float:
        return -(self.sizes["h"][1] / 2 + self.under + self.rise["input"] + self.sizes["x"][1] / 2)

    @property
    def _high(self) -> float:
        return self.sizes["h"][1] / 2 + self.over + self.rise["output"] + self.sizes["y"][1] / 2

    def _node(self, name: str, at: tuple[float, float], label: s.Surface) -> Node:
        wide, high = self.sizes[name]
        role: Role = {"x": "forward", "h": "ink", "y": "accent"}[name]  # type: ignore[assignment]
        round_ = name != "h" and wide == high
        return Node(at, label, "circle" if round_ else "box", wide, high, role, filled=name == "h")

    def _column(self, x: float, step: int | None, output: bool) -> Iterator[Item]:
        """Input, state and output at one step, or of all steps, and the arrows between them."""
        labels = self.labels

        def named(label: s.Surface) -> s.Surface:
            return label if step is None else at_step(label, labels.time, step)

        below, box = self._node("x", (x, self._low), named(labels.x)), self._node("h", (x, 0.0), named(labels.h))
        yield from (below, box)
        yield _labelled(connect(below, box, side="right"), labels.input, -self.under)
        if output:
            above = self._node("y", (x, self._high), named(labels.y))
            yield above
            yield _labelled(connect(box, above, side="right"), labels.output, self.over)

    # -- items -------------------------------------------------------------------------------------

    def items(self) -> Iterator[Item]:
        """The folded network at x = 0, and the unfolded one to the right of it."""
        yield from self._column(0.0, None, True)
        yield from self._folded()
        start = self._arrow_end + _CLEAR + self.sizes["h"][0] / 2
        yield from self._arrow_between()
        first = Node((round(start, 3), 0.0), self.labels.start, "box", *self.sizes["h"], role="muted", stroke="dashed")
        yield first
        before = first
        for step in range(1, self.steps + 1):
            x = round(start + step * self.column, 3)
            column = list(self._column(x, step, step == self.steps or not self.last_only))
            yield from column
            box = self._node("h", (x, 0.0), self.labels.h)
            yield connect(before, box, self.labels.recurrent)
            before = box

    def _folded(self) -> Iterator[Item]:
        wide = self.sizes["h"][0] / 2 + 0.04
        yield Arrow((wide, _MOUTH / 2), (wide, -_MOUTH / 2), self.labels.recurrent, bend=_LOOP)
        if self.labels.layer != "":
            label = self.labels.layer
            at = (round(-self.sizes["h"][0] / 2 - 0.2 - label_extent(label)[0] / 2, 3), 0.0)
            yield TextLabel(at, label, "muted") if isinstance(label, str) else MathLabel(at, label, "muted")

    @property
    def _arrow_start(self) -> float:
        return self.beside_box + 0.35

    @property
    def _arrow_end(self) -> float:
        return self._arrow_start + label_extent(_UNFOLD)[0] + 0.5

    def _arrow_between(self) -> Iterator[Item]:
        start, end = round(self._arrow_start, 3), round(self._arrow_end, 3)
        yield Arrow((start, 0.0), (end, 0.0), _UNFOLD, role="muted")


def _labelled(arrow: Arrow, label: s.Surface, shift: float) -> Arrow:
    """An arrow upward with its label in the middle of what is left of it when ``shift`` is kept free, at its start or,
    if negative, at its end.
    """
    length = arrow.end[1] - arrow.start[1]
    return replace(arrow, label=label, position=round((length + shift) / 2 / length, 4))
