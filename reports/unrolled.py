"""The unrolled network of a recurrent system as a drawing: one column a time step, forward lines and, dashed, the way
back with its derivatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import hypot
from typing import Literal

from sympy import Expr, Integer

from derive.errors import UsageError
from derive.notation import surface as s
from derive.notation.present import name_surface
from derive.system import RecurrentSystem, T
from reports.cropping import cropped
from reports.drawing import NODE_SIZE, Arrow, Canvas, Item, MathLabel, Node, Point, connect
from reports.label_placing import place_labels
from reports.measure import label_extent
from reports.network_graph import Link, NetworkGraph, network_graph

Edges = Literal["jacobians", "plain"]
EDGES: tuple[Edges, ...] = ("jacobians", "plain")

MAX_STEPS = 6
_COLUMN, _ROW = 2.0, 1.75
"""Distances of columns and rows of a simple network; more is taken where labels need it."""
_DOTS = 1.15
_SHIFT = 0.095
"""How far the two directions of a line stand apart from its middle."""
_BYPASS = 0.72
"""How far a line swings out to pass a node."""
_GROWTH = ((1.0, 1.0), (1.0, 1.2), (1.15, 1.2), (1.15, 1.4), (1.3, 1.4), (1.45, 1.5))
"""Factors of the column and row distances that are tried until all labels stand free."""
_WIDEST, _TOO_WIDE = 16.0, 1000.0


def unrolled_network(system: RecurrentSystem, steps: int = 3, edges: str = "jacobians") -> Canvas:
    """The first ``steps`` steps, an ellipsis, and step T.

    Inputs stand below, states above them in the order in which a step computes them, outputs and losses on top. With
    ``jacobians`` each line between states and losses has a way back, labelled with the derivative along it
    (:mod:`reports.network_graph` says which).

    Raises
    ------
    UsageError : the system has no state, or ``steps`` or ``edges`` is out of range.

    >>> from derive.cell_text import read_cell_text
    >>> canvas = unrolled_network(RecurrentSystem(read_cell_text("h_t = \\\\tanh(W h_{t-1} + U x_t)")), steps=2)
    >>> sum(isinstance(item, Node) for item in canvas.items)
    10
    """
    if edges not in EDGES:
        raise UsageError(f"there is no kind of edges {edges!r}", expected=f"one of {', '.join(EDGES)}")
    if not 1 <= steps <= MAX_STEPS:
        raise UsageError(f"{steps} steps cannot be drawn", expected=f"from 1 to {MAX_STEPS}")
    graph = network_graph(system)
    attempts: list[tuple[float, int, Canvas]] = []
    for number, growth in enumerate(_GROWTH):
        items, trouble = place_labels(_Drawing(graph, steps, edges == "jacobians", *growth).items())
        canvas = cropped(items)
        # A wider drawing would be made smaller to fit the page, and its labels with it.
        attempts.append((trouble + (_TOO_WIDE if canvas.width > _WIDEST else 0.0), number, canvas))
        if attempts[-1][0] == 0.0:
            break
    return min(attempts, key=lambda attempt: attempt[:2])[2]


@dataclass(frozen=True)
class _Column:
    """A step: its time, where it stands, and its kind."""

    time: Expr
    x: float
    kind: Literal["edge", "step", "last"]


class _Drawing:
    """One attempt at a size."""

    def __init__(self, graph: NetworkGraph, steps: int, backward: bool, wider: float, higher: float) -> None:
        self.graph = graph
        self.backward = backward
        self.rows = [*graph.states, *graph.outputs, *([graph.loss] if graph.loss else [])]
        self.row_gap = _ROW * higher + (0.25 if len(graph.states) > 1 else 0.0)
        self.column_gap = (_COLUMN + self._widest_label()) * wider if backward else _COLUMN
        self.columns = self._columns(steps)
        self.nodes = {
            (key, k): node for k, column in enumerate(self.columns) for key, node in self._column_nodes(column)
        }

    def _widest_label(self) -> float:
        links = [link for link in self.graph.links if self._labelled(link)]
        return max((label_extent(self._label(link, Integer(2)))[0] for link in links), default=0.0) - 0.3

    def _columns(self, steps: int) -> list[_Column]:
        """Step 0 where a state is read from it, the first steps, T, and T + 1 where a state is read from the future."""
        offsets = [link.offset for link in self.graph.links if link.source in self.graph.states]
        before, after = max(0, -min(offsets)), max(0, max(offsets))
        columns = [_Column(Integer(1 - k), (before - k) * self.column_gap, "edge") for k in range(before, 0, -1)]
        x = before * self.column_gap
        columns += [_Column(Integer(1 + k), x + k * self.column_gap, "step") for k in range(steps)]
        x += (steps - 1) * self.column_gap + 2 * _DOTS
        columns.append(_Column(T, x, "last"))
        return columns + [_Column(T + k, x + k * self.column_gap, "edge") for k in range(1, after + 1)]

    # -- nodes -------------------------------------------------------------------------------------

    def _height(self, row: int) -> float:
        return self.row_gap * (row + (1 if self.graph.inputs else 0))

    def _column_nodes(self, column: _Column) -> Iterator[tuple[str, Node]]:
        if column.kind == "edge":
            first = column.time.is_Integer
            for row, key in enumerate(self.graph.states):
                # Only states that somebody reads across this end of the sequence.
                if any(
                    link.source == key and (link.offset < 0 if first else link.offset > 0) for link in self.graph.links
                ):
                    yield key, _node((column.x, self._height(row)), key, column.time, role="muted", stroke="dashed")
            if self._has_starting_loss(column):
                yield (
                    self.graph.loss,
                    _node(
                        (column.x, self._height(len(self.rows) - 1)),
                        self.graph.loss,
                        column.time,
                        role="accent",
                        stroke="dashed",
                    ),
                )
            return
        count = len(self.graph.inputs)
        for k, key in enumerate(self.graph.inputs):
            x = column.x + (k - (count - 1) / 2) * (NODE_SIZE + 0.12)
            yield (
                key,
                replace(_node((x, 0.0), key, column.time), shape="box", width=NODE_SIZE * 0.85, height=NODE_SIZE * 0.7),
            )
        for row, key in enumerate(self.rows):
            if key == self.graph.loss and self.graph.final and column.kind != "last":
                continue
            node = _node(
                (column.x, self._height(row)), key, None if key == self.graph.loss and self.graph.final else column.time
            )
            yield (
                key,
                replace(node, filled=key in self.graph.states, role="accent" if key == self.graph.loss else "ink"),
            )

    def _has_starting_loss(self, column: _Column) -> bool:
        """Whether the loss looks at the states that the sequence starts from, as a sum from t = 0 does."""
        starts = column.kind == "edge" and column.time.is_Integer and self.graph.loss != "" and not self.graph.final
        return bool(
            starts
            and column.time >= self.graph.first
            and any(link.source in self.graph.states for link in self._loss_links())
        )

    def _loss_links(self) -> list[Link]:
        return [link for link in self.graph.links if link.target == self.graph.loss]

    # -- lines -------------------------------------------------------------------------------------

    def items(self) -> list[Item]:
        """Nodes, dots and arrows; arrows with little choice for their labels come first."""
        arrows = [
            arrow
            for k, column in enumerate(self.columns)
            if column.kind != "edge" or self._has_starting_loss(column)
            for arrow in self._arrows_into(k)
        ]
        arrows += list(self._arrows_at_dots())
        arrows.sort(key=lambda arrow: (arrow.label == "", _length(arrow)))
        dots = [
            MathLabel((self._dots_x, self._height(row)), s.Mark("dots"), "muted")
            for row in range(len(self.graph.states))
        ]
        return [*self.nodes.values(), *dots, *arrows]

    def _arrows_into(self, k: int) -> Iterator[Arrow]:
        """Arrows along all links into the quantities of a column, from columns that are drawn next to it."""
        for link in self._loss_links() if self.columns[k].kind == "edge" else self.graph.links:
            source, target = self.nodes.get((link.source, k + link.offset)), self.nodes.get((link.target, k))
            across = (
                {self.columns[k].kind, self.columns[k + link.offset].kind}
                if 0 <= k + link.offset < len(self.columns)
                else set()
            )
            if source is None or target is None or (link.offset and not self._adjacent(k, link.offset)) or not across:
                continue
            bend = self._bend(link)
            if not self.backward or not self._labelled(link):
                yield connect(
                    source, target, bend=bend, role="muted" if link.source in self.graph.inputs else "forward"
                )
                continue
            yield connect(source, target, bend=bend and bend + _SHIFT, shift=_SHIFT, role="forward")
            label = self._label(link, self.columns[k].time)
            yield connect(
                target,
                source,
                label,
                bend=bend and -bend + _SHIFT,
                shift=_SHIFT,
                style="dashed",
                role="backward",
                side="left",
            )

    def _adjacent(self, k: int, offset: int) -> bool:
        """Whether no ellipsis stands between a column and the one at an offset."""
        last = next(index for index, column in enumerate(self.columns) if column.kind == "last")
        return (k < last) == (k + offset < last)

    def _arrows_at_dots(self) -> Iterator[Arrow]:
        """Short arrows into and out of the ellipsis, on the rows of the states."""
        last = next(index for index, column in enumerate(self.columns) if column.kind == "last")
        for row, key in enumerate(self.graph.states):
            gap = Node((self._dots_x, self._height(row)), width=0.62, height=0.4, shape="box")
            before, after = self.nodes[key, last - 1], self.nodes[key, last]
            offsets = {link.offset for link in self.graph.links if link.source == key and link.offset}
            for a, b in ((before, gap), (gap, after)):
                forward, back = (a, b) if min(offsets) < 0 else (b, a), (b, a) if min(offsets) < 0 else (a, b)
                yield connect(*forward, shift=_SHIFT if self.backward else 0.0, role="forward")
                if self.backward:
                    yield connect(*back, shift=_SHIFT, style="dashed", role="backward")

    @property
    def _dots_x(self) -> float:
        return next(column.x for column in self.columns if column.kind == "last") - _DOTS

    def _bend(self, link: Link) -> float:
        """How a line swings around the nodes between its ends: left of the column, or below the row."""
        if link.offset == 0:
            rows = ([None] if link.source in self.graph.inputs else []) + self.rows
            start = 0 if link.source in self.graph.inputs else rows.index(link.source)
            between = rows.index(link.target) - start - 1
            return _BYPASS + 0.2 * (between - 1) if between > 0 else 0.0
        if link.source == link.target and abs(link.offset) > 1:
            # Below the row, where inputs come in but no labels stand.
            return -(_BYPASS + 0.25 * (abs(link.offset) - 1)) * (1 if link.offset < 0 else -1)
        return 0.0

    # -- labels ------------------------------------------------------------------------------------

    def _labelled(self, link: Link) -> bool:
        return link.source not in self.graph.inputs

    def _label(self, link: Link, time: Expr) -> s.Surface:
        loss = self.graph.final and link.target == self.graph.loss
        target = name_surface(link.target, None if loss else time)
        held = tuple(name_surface(key, time) for key in self.graph.held(link))
        return self.graph.derivative(link, target, name_surface(link.source, time + link.offset), held)


def _node(at: Point, key: str, time: Expr | None, **looks: str) -> Node:
    label = name_surface(key, time)
    width = max(NODE_SIZE, label_extent(label)[0] + 0.24)
    return Node(at, label, width=width, height=width, **looks)  # type: ignore[arg-type]


def _length(arrow: Arrow) -> float:
    return round(hypot(arrow.start[0] - arrow.end[0], arrow.start[1] - arrow.end[1]), 3)
