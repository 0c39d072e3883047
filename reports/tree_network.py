"""A cell over a tree as a drawing: a small tree, values going up and, dashed, the way back with its derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sympy import Expr, Integer

from derive import expressions as e
from derive.flow import FlowEngine
from derive.joint import JointState
from derive.notation import surface as s
from derive.notation.present import name_surface
from derive.system import RecurrentSystem, T, leaves
from numeric.trees import Tree
from reports.cropping import cropped
from reports.drawing import NODE_SIZE, Arrow, Canvas, Item, Node, Point, connect
from reports.label_placing import place_labels
from reports.measure import label_extent

EXAMPLE = Tree((3, 3, 5, 5, 6))
"""Two leaves below an inner node, which has a leaf for a sibling, below the root."""
_COLUMN, _ROW = 1.75, 2.35
_SHIFT = 0.095
_BESIDE = 0.75
"""How far an input or a loss stands from its node."""


def tree_network(system: RecurrentSystem, backward: bool = True) -> Canvas:
    """A tree of five nodes, children below their parents, each with its states, its inputs and its loss.

    With ``backward`` each edge has a way back, labelled with the derivative of the parent's states by the child's.

    >>> from derive.cell_text import read_cell_text
    >>> text = "h_j = \\\\tanh(W \\\\sum_{k \\\\in C(j)} h_k + U x_j)"
    >>> canvas = tree_network(RecurrentSystem(read_cell_text(text)))
    >>> sum(isinstance(item, Node) for item in canvas.items)
    15
    """
    items, _ = place_labels(_Drawing(system, backward).items())
    return cropped(items)


@dataclass(frozen=True)
class _Names:
    """What the drawing calls the states of a node, and the derivative along an edge."""

    system: RecurrentSystem

    def node(self, time: Expr) -> s.Surface:
        names = tuple(name_surface(key, time) for key in self.system.states)
        return names[0] if len(names) == 1 else s.Line(names)

    def derivative(self, parent: Expr, child: Expr) -> s.Surface:
        """∂h_5/∂h_3; with several states, the one-step Jacobian J_{5,3} of all of them."""
        if len(self.system.states) > 1:
            return name_surface(JointState(FlowEngine(self.system)).names()[1], e.Edge(parent, child))
        (key,) = self.system.states
        sign: s.Surface = s.Mark("partial")
        above, below = (s.Sequence((sign, name_surface(key, time))) for time in (parent, child))
        return s.Fraction(above, below)


class _Drawing:
    def __init__(self, system: RecurrentSystem, backward: bool) -> None:
        self.system = system
        self.names = _Names(system)
        self.upward = not system.reads_ahead
        one_way = self.upward or not any(use.offset is not None and use.offset < 0 for use in system.uses)
        self.backward = backward and one_way
        self.length = len(EXAMPLE.parents)
        widest = max(label_extent(self.names.node(self._time(node)))[0] for node in range(1, self.length + 1))
        self.width = max(NODE_SIZE, widest + 0.24)
        label = label_extent(self.names.derivative(Integer(self.length), Integer(3)))[0] if self.backward else 0.0
        self.column = max(_COLUMN, self.width + 0.55 + label)
        self.nodes = {node: self._node(node) for node in range(1, self.length + 1)}

    def _time(self, node: int) -> Expr:
        """The root is T, where the loss names it so."""
        return T if node == self.length and self._final else Integer(node)

    @property
    def _final(self) -> bool:
        return bool(self.system.loss_terms) and all(term.final for term in self.system.loss_terms)

    # -- places ------------------------------------------------------------------------------------

    def _x(self, node: int) -> float:
        """Leaves stand in a row of columns, the others above the middle of their children."""
        children = EXAMPLE.children(node)
        if not children:
            leaves_ = [leaf for leaf in self._in_order(self.length) if not EXAMPLE.children(leaf)]
            return leaves_.index(node) * 2 * self.column
        return sum(self._x(child) for child in children) / len(children)

    def _in_order(self, node: int) -> Iterator[int]:
        for child in EXAMPLE.children(node):
            yield from self._in_order(child)
        yield node

    def _depth(self, node: int) -> int:
        return len(EXAMPLE.path(node, self.length))

    def _node(self, node: int) -> Node:
        at = (self._x(node), -self._depth(node) * _ROW)
        wide = len(self.system.states) > 1
        label, height = self.names.node(self._time(node)), NODE_SIZE * 0.8 if wide else self.width
        return Node(at, label, "box" if wide else "circle", self.width, height, filled=True)

    # -- items -------------------------------------------------------------------------------------

    def items(self) -> list[Item]:
        """Nodes first, then their inputs and losses, then the edges of the tree."""
        beside = [item for node in self.nodes for item in self._beside(node)]
        edges = [
            arrow
            for node, parent in enumerate(EXAMPLE.parents, 1)
            if parent in self.nodes
            for arrow in self._edge(node, parent)
        ]
        return [*self.nodes.values(), *beside, *edges]

    def _edge(self, child: int, parent: int) -> Iterator[Arrow]:
        first, last = (child, parent) if self.upward else (parent, child)
        start, end = self.nodes[first], self.nodes[last]
        yield connect(start, end, shift=_SHIFT if self.backward else 0.0, role="forward")
        if self.backward:
            label = self.names.derivative(self._time(last), self._time(first))
            right = self._x(child) > self._x(parent)
            side: Literal["left", "right"] = "left" if right == self.upward else "right"
            yield connect(end, start, label, shift=_SHIFT, style="dashed", role="backward", side=side)

    def _beside(self, node: int) -> Iterator[Item]:
        """Inputs to the left of a node, or below a leaf; its loss to the right, or above the root."""
        x, y = self.nodes[node].at
        leaf = not EXAMPLE.children(node)
        inputs = [
            key for key in self.system.inputs if key not in self.system.labels and key not in self.system.on_edges
        ]
        read = {leaf_.name for q in self.system.steps for leaf_ in leaves(q.rhs)}
        shown = [key for key in inputs if key in read]
        for k, key in enumerate(shown):
            label = name_surface(key, self._time(node))
            width = max(NODE_SIZE * 0.85, label_extent(label)[0] + 0.2)
            across = (k - (len(shown) - 1) / 2) * (width + 0.12)
            at: Point = (
                (x + across, y - self.width / 2 - _BESIDE)
                if leaf
                else (x - self.width / 2 - _BESIDE - k * (width + 0.12), y)
            )
            box = Node(at, label, shape="box", width=width, height=NODE_SIZE * 0.7)
            yield box
            yield connect(box, self.nodes[node], role="muted")
        if not self.system.loss_terms or (self._final and node != self.length):
            return
        name = self.system.loss_name if self._final else self.system.step_loss_name
        label = name_surface(name, None if self._final else self._time(node))
        top = node == self.length
        place: Point = (x, y + self.width / 2 + _BESIDE) if top else (x + self.width / 2 + _BESIDE, y)
        loss = Node(place, label, role="accent", width=max(NODE_SIZE, label_extent(label)[0] + 0.24), height=NODE_SIZE)
        yield loss
        yield connect(self.nodes[node], loss, role="forward")
