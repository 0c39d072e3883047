"""The flow graph of a cell as a drawing: computation runs to the right, and beside each quantity stands the derivative
of the loss by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from sympy import Integer

from derive.errors import UsageError
from derive.notation import surface as s
from derive.notation.present import name_surface
from reports.cropping import cropped
from reports.drawing import Canvas, Item, MathLabel, Node, Point, Route
from reports.flow_graph import FlowGraph, Vertex
from reports.layer_placing import HEAD_ROOM, Places, Reach, placed
from reports.layering import Layers, layered
from reports.measure import label_extent

WIDEST, HIGHEST = 27.0, 21.5
"""The largest drawing (cm) whose letters can be read on a page, and the highest that a page holds."""
PAGE = 16.0
_DIAMETER, _BOX = 0.8, 0.58
_PADDING = 0.22
_BESIDE = 0.1
_OUTSIDE = 0.05
"""Space between a line and the border that it starts or ends at."""
_SPREAD = 0.62
"""Over how much of a node's height the lines into it are spread."""
_PITCH = 0.2
_CLOSER = 0.7
"""How much closer columns stand in a drawing that does not fit the page."""
_LIGHT, _HEAVY = 0.5, 4.0
_COPY_SIGNS = ("(", "<", "[", "{")


def flow_drawing(graph: FlowGraph, derivatives: bool = True) -> Canvas:
    """The drawing of a flow graph.

    Raises
    ------
    UsageError : it is too large to be legible.

    >>> from derive.cell import cell
    >>> from reports.flow_graph import flow_graph
    >>> canvas = flow_drawing(flow_graph(cell("rnn"), 1))
    >>> sum(isinstance(item, Node) for item in canvas.items), sum(isinstance(item, Route) for item in canvas.items)
    (7, 6)
    """
    canvas = cropped(list(_Drawing(graph, derivatives).items()))
    if canvas.width > PAGE:
        canvas = cropped(list(_Drawing(graph, derivatives, _CLOSER).items()))
    if canvas.width > WIDEST or canvas.height * min(1.0, PAGE / canvas.width) > HIGHEST:
        raise UsageError(
            f"the flow graph has {len(graph.vertices)} quantities and would be {canvas.width:.0f} cm wide and "
            f"{canvas.height:.0f} cm high, too large to be read on a page",
            expected=f"at most {WIDEST:.0f} cm, and {HIGHEST:.0f} cm of height once it fits the page",
            hint="draw fewer steps, or a smaller cell",
        )
    return canvas


@dataclass(frozen=True)
class FlowNames:
    """What vertices and the derivatives by them are called.

    A parameter that acts at several places is told apart there: W^{(2)} is W as it acts in step 2.
    """

    graph: FlowGraph

    def vertex(self, vertex: Vertex) -> s.Surface:
        """The name of a quantity; copies of a parameter share it."""
        return name_surface(vertex.key, None if vertex.time is None else Integer(vertex.time))

    def copy(self, vertex: Vertex, place: s.Surface | None = None) -> s.Surface:
        """The name of one vertex: with the place in it, where a parameter acts at several."""
        name = self.vertex(vertex)
        if vertex.kind != "parameter" or (len(self.graph.copies(vertex)) == 1 and place is None):
            return name
        if place is None:
            place = s.Number(str(vertex.place)) if isinstance(vertex.place, int) else name_surface(str(vertex.place))
        mark = s.Bracket(self.sign, (place,))
        if not isinstance(name, s.Scripted):
            return s.Scripted(name, sups=(mark,))
        sups = (s.Sequence((*name.sups, mark)),) if name.sups else (mark,)
        return s.Scripted(name.base, name.subs, sups, name.primes)

    @property
    def sign(self) -> str:
        """A bracket that no name of the cell wears as a superscript, so that a place is not taken for a layer."""
        worn = {
            item.kind
            for vertex in self.graph.vertices
            for part in self.vertex(vertex).walk()
            if isinstance(part, s.Scripted)
            for sup in part.sups
            for item in sup.walk()
            if isinstance(item, s.Bracket)
        }
        return next((sign for sign in _COPY_SIGNS if sign not in worn), _COPY_SIGNS[-1])

    def derivative(self, name: s.Surface) -> s.Surface:
        """∂L over ∂ of a name."""
        loss = self.graph.loss
        above = self.vertex(loss) if loss is not None else s.Name("L")
        sign: s.Surface = s.Mark("partial")
        return s.Fraction(s.Sequence((sign, above)), s.Sequence((sign, name)))


class _Drawing:
    def __init__(self, graph: FlowGraph, derivatives: bool, spread: float = 1.0) -> None:
        self.graph = graph
        self.names = FlowNames(graph)
        reached = graph.reach_the_loss()
        self.annotated = {
            vertex: self.names.derivative(self.names.copy(vertex))
            for vertex in graph.vertices
            if derivatives and vertex in reached and vertex not in graph.given and vertex != graph.loss
        }
        numbers = {vertex: number for number, vertex in enumerate(graph.vertices)}
        self.edges = [(numbers[a], numbers[b]) for a, b in graph.edges]
        self.nodes = [self._node(vertex, (0.0, 0.0)) for vertex in graph.vertices]
        self.layers: Layers = layered(len(graph.vertices), self.edges, self._dependent())
        # What is given follows what is computed from it.
        weights = {(a, b): _LIGHT if graph.vertices[a].is_source else _HEAVY for a, b in self.edges}
        reaches = [self._reach(number) for number in range(len(self.nodes))]
        self.places: Places = placed(self.layers, reaches, weights, self._longest_way(), spread)

    def _longest_way(self) -> list[int]:
        """The longest way through the graph that starts, if it can, where the sequence does."""
        longest: dict[int, list[int]] = {}
        for number in sorted(range(len(self.nodes)), key=lambda v: self.layers.home[v]):
            ways = [longest[a] for a, b in self.edges if b == number]
            best = max(ways, key=lambda way: (len(way), not self.graph.vertices[way[0]].is_source), default=[])
            longest[number] = [*best, number]
        return max(longest.values(), key=len, default=[])

    def _dependent(self) -> set[int]:
        """Vertices that depend on where the sequence starts; all others are computed when they are needed."""
        found = {number for number, vertex in enumerate(self.graph.vertices) if vertex.kind == "start"}
        starts = set(found)
        changed = True
        while changed:
            more = {b for a, b in self.edges if a in found} - found
            found |= more
            changed = bool(more)
        return found - starts

    # -- nodes -------------------------------------------------------------------------------------

    def _node(self, vertex: Vertex, at: Point) -> Node:
        label = self.names.vertex(vertex)
        width, height = label_extent(label)
        if vertex.kind == "parameter":
            return Node(at, label, "box", max(_BOX, width + _PADDING), max(_BOX, height + _PADDING))
        size = round(max(_DIAMETER, width + _PADDING), 3)
        if vertex.kind == "loss":
            return Node(at, label, width=size, height=size, role="accent", filled=vertex == self.graph.loss)
        if vertex.kind in ("start", "target") or vertex in self.graph.given:
            return Node(at, label, width=size, height=size, role="muted", stroke="dashed")
        return Node(at, label, width=size, height=size, filled=vertex.kind == "quantity")

    def _reach(self, number: int) -> Reach:
        """Beside what is given, to its left, no line comes in, so that its derivative stands there; else above."""
        vertex, node = self.graph.vertices[number], self.nodes[number]
        across, high = node.width / 2, node.height / 2
        label = self.annotated.get(vertex)
        if label is None:
            return Reach(across, across, high, high)
        width, height = label_extent(label)
        if self._stands_left(number):
            tallest = max(high, height / 2)
            return Reach(across + _BESIDE + width, across, tallest, tallest)
        return Reach(max(across, width / 2), max(across, width / 2), high + _BESIDE + height, high)

    def _stands_left(self, number: int) -> bool:
        return all(b != number for _, b in self.edges)

    # -- items -------------------------------------------------------------------------------------

    def items(self) -> Iterator[Item]:
        """Lines, then nodes, then derivatives."""
        yield from self._routes()
        for number, vertex in enumerate(self.graph.vertices):
            yield self._node(vertex, self._at(number))
        for number, vertex in enumerate(self.graph.vertices):
            if vertex in self.annotated:
                yield self._annotation(number, self.annotated[vertex])

    def _at(self, number: int) -> Point:
        return self.places.at[number, self.layers.home[number]]

    def _annotation(self, number: int, label: s.Surface) -> MathLabel:
        (x, y), node = self._at(number), self.nodes[number]
        width, height = label_extent(label)
        if self._stands_left(number):
            return MathLabel((round(x - node.width / 2 - _BESIDE - width / 2, 3), y), label, "backward")
        return MathLabel((x, round(y + node.height / 2 + _BESIDE + height / 2, 3)), label, "backward")

    def _routes(self) -> Iterator[Route]:
        ports = self._ports()
        for a, b in self.edges:
            given = self.graph.vertices[a].is_source or self.graph.vertices[a] in self.graph.given
            yield Route(self._points(a, b, ports[a, b]), "muted" if given else "forward")

    def _points(self, a: int, b: int, port: float) -> tuple[Point, ...]:
        """From the right of one node to the left of another; a line climbs between columns only."""
        first, *passed, _ = self.layers.way(a, b)
        x, y = self._at(a)
        points = [(round(x + self.nodes[a].width / 2 + _OUTSIDE, 3), y), (self.places.columns[first[1]][1], y)]
        for slot in passed:
            left, right = self.places.columns[slot[1]]
            height = self.places.at[slot][1]
            points += [(round(left - HEAD_ROOM, 3), height), (right, height)]
        x, y = self._at(b)
        height = round(y + port, 3)
        points.append((round(self.places.columns[self.layers.home[b]][0] - HEAD_ROOM, 3), height))
        points.append((round(x - self._half_width(b, port) - _OUTSIDE, 3), height))
        return _without_repetition(points)

    def _half_width(self, number: int, height: float) -> float:
        """How far a node's border stands from its middle at a height."""
        node = self.nodes[number]
        return node.width / 2 if node.shape == "box" else sqrt((node.width / 2) ** 2 - height**2)

    def _ports(self) -> dict[tuple[int, int], float]:
        """At which height above the middle of its result each line comes in: in the order in which they arrive."""
        found: dict[tuple[int, int], float] = {}
        for number, node in enumerate(self.nodes):
            coming = [edge for edge in self.edges if edge[1] == number]
            coming.sort(key=lambda edge: (-self.places.at[self.layers.way(*edge)[-2]][1], edge))
            level = self._level_line(number, coming)
            room = _SPREAD * node.height / 2
            pitch = min(_PITCH, room / max(level, len(coming) - 1 - level, 1e-9))
            found.update((edge, round((level - k) * pitch, 3)) for k, edge in enumerate(coming))
        return found

    def _level_line(self, number: int, coming: list[tuple[int, int]]) -> float:
        """Which of the lines into a node comes in at the middle: one from the node's own height, else the middle one."""
        heights = [self.places.at[self.layers.way(*edge)[-2]][1] for edge in coming]
        own = self._at(number)[1]
        return next((k for k, height in enumerate(heights) if abs(height - own) < 1e-3), (len(coming) - 1) / 2)


def _without_repetition(points: list[Point]) -> tuple[Point, ...]:
    """The points without those that stand where the one before does, or in the middle of a level line."""
    found = [points[0]]
    for point, after in zip(points[1:], [*points[2:], None], strict=True):
        level = after is not None and found[-1][1] == point[1] == after[1]
        if point != found[-1] and not level:
            found.append(point)
    return tuple(found)
