"""The flow graph of a cell over a fixed number of steps: a vertex for every quantity at every step, and an edge from
each operand to each result.

A parameter has a vertex of its own wherever it acts: at every step, and in every quantity without a time that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sympy import Expr, Integer

from derive import expressions as e
from derive.cell_text import Equation
from derive.errors import UsageError
from derive.system import LossTerm, RecurrentSystem, T, leaves

Kind = Literal["input", "parameter", "start", "quantity", "loss", "target"]
Place = int | str | None
"""Where a parameter acts: in a step, or in what quantity without a time."""


@dataclass(frozen=True)
class Vertex:
    """A quantity at a step, or without one; ``place`` tells the copies of a parameter apart."""

    key: str
    time: int | None
    kind: Kind
    place: Place = None

    @property
    def is_source(self) -> bool:
        """Whether it is given, and not computed."""
        return self.kind in ("input", "parameter", "target")


Edge = tuple[Vertex, Vertex]


@dataclass(frozen=True)
class FlowGraph:
    """Vertices and the edges from operands to results, in the order in which the equations name them.

    ``given`` holds vertices that no derivative is asked for: targets, labels, zeros before the first step.
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    given: frozenset[Vertex]

    def operands(self, vertex: Vertex) -> list[Vertex]:
        """What a vertex is computed from."""
        return [a for a, b in self.edges if b == vertex]

    def copies(self, vertex: Vertex) -> list[Vertex]:
        """All vertices of a parameter."""
        return [other for other in self.vertices if (other.key, other.time) == (vertex.key, vertex.time)]

    @property
    def loss(self) -> Vertex | None:
        """The whole loss."""
        return next((v for v in self.vertices if v.kind == "loss" and v.time is None), None)

    def reach_the_loss(self) -> frozenset[Vertex]:
        """All vertices that the loss depends on, itself included."""
        found = {self.loss} if self.loss is not None else set()
        pending = list(found)
        while pending:
            for operand in self.operands(pending.pop()):
                if operand not in found:
                    found.add(operand)
                    pending.append(operand)
        return frozenset(found)


def flow_graph(
    system: RecurrentSystem, length: int, preactivations: bool = False, targets: Sequence[str] | None = None
) -> FlowGraph:
    """The flow graph of a system over steps 1 to ``length``.

    With ``preactivations`` the arguments of functions are quantities of their own. ``targets`` are what the loss compares
    with; where none are named, they are the inputs and the vectors and scalars that the loss alone reads.

    Raises
    ------
    UsageError : the cell is one over trees, or its loss sums over steps that are no fixed numbers.

    >>> from derive.cell_text import read_cell_text
    >>> graph = flow_graph(RecurrentSystem(read_cell_text("h_t = \\\\tanh(W h_{t-1} + U x_t)\\nL = L_T(h_T)")), 1)
    >>> [(a.key, b.key) for a, b in graph.edges]
    [('W', 'h'), ('h', 'h'), ('U', 'h'), ('x', 'h'), ('h', 'L')]
    """
    if system.tree is not None:
        raise UsageError(
            "a cell over trees has no flow graph over steps",
            expected="a cell over time",
            hint="the block unrolled draws it on a small tree",
        )
    return _Builder(system, length, preactivations, targets).graph()


class _Builder:
    def __init__(
        self, system: RecurrentSystem, length: int, preactivations: bool, targets: Sequence[str] | None
    ) -> None:
        self.system = system
        self.length = length
        self.equations: Sequence[Equation] = system.steps if preactivations else system.equations
        self.targets = frozenset(targets) if targets is not None else self._likely_targets()
        self.starts = {(start.name, self._number(start.time)): value for start, value in system.initial.items()}

    def _likely_targets(self) -> frozenset[str]:
        """What the loss alone reads, matrices aside: those are parameters of a readout inside the loss."""
        system = self.system
        read = {use.key for use in system.uses}
        lost = {leaf for term in system.loss_terms for leaf in leaves(term.body)}
        found = {leaf.name for leaf in lost if leaf.name not in read and leaf.name not in system.definitions}
        return frozenset(key for key in found if key in system.inputs or Integer(1) in system.shapes[key])

    # -- times -------------------------------------------------------------------------------------

    def _number(self, time: Expr, step: int | None = None) -> int:
        values = {T: self.length} if step is None else {self.system.time: step, T: self.length}
        value = time.subs(values)
        if not value.is_Integer:
            raise UsageError(
                f"the flow graph over {self.length} steps has no time {time}", expected="a number of steps"
            )
        return int(value)

    # -- vertices ----------------------------------------------------------------------------------

    def _vertex(self, leaf: e.Timed | e.Var, step: int | None, place: Place) -> Vertex:
        """The vertex of what a formula reads at a step."""
        key, defined = leaf.name, leaf.name in self.system.definitions
        if isinstance(leaf, e.Var):
            if defined:
                return Vertex(key, None, "quantity")
            return Vertex(key, None, "target") if key in self.targets else Vertex(key, None, "parameter", place)
        time = self._number(leaf.time, step)
        if not 1 <= time <= self.length:
            return Vertex(key, time, "quantity" if self._is_computed(key, time) else "start")
        if defined:
            return Vertex(key, time, "quantity")
        return Vertex(key, time, "target" if key in self.targets else "input")

    def _is_computed(self, key: str, time: int) -> bool:
        """Whether an equation gives this starting value, and not as a constant."""
        value = self.starts.get((key, time))
        return value is not None and bool(leaves(value))

    # -- edges -------------------------------------------------------------------------------------

    def graph(self) -> FlowGraph:
        edges = tuple(dict.fromkeys([*self._starting(), *self._stepping(), *self._losing()]))
        defined = [
            Vertex(q.key, step, "quantity")
            for q in self.equations
            for step in (range(1, self.length + 1) if isinstance(q.lhs, e.Timed) else (None,))
        ]
        vertices = tuple(dict.fromkeys([*(v for edge in edges for v in edge), *defined]))
        return FlowGraph(vertices, edges, frozenset(filter(self._is_given, vertices)))

    def _is_given(self, vertex: Vertex) -> bool:
        if vertex.kind == "start":
            # Inputs beyond the sequence are zero, and so is what an equation sets to a constant.
            constant = (vertex.key, vertex.time) in self.starts
            return constant or vertex.key not in self.system.definitions
        return vertex.kind == "target" or vertex.key in self.system.labels

    def _into(self, target: Vertex, body: e.Node, step: int | None, place: Place) -> Iterator[Edge]:
        for leaf in leaves(body):
            yield self._vertex(leaf, step, place), target

    def _starting(self) -> Iterator[Edge]:
        for (key, time), value in self.starts.items():
            yield from self._into(Vertex(key, time, "quantity"), value, None, time)

    def _stepping(self) -> Iterator[Edge]:
        for q in self.equations:
            if isinstance(q.lhs, e.Timed):
                for step in range(1, self.length + 1):
                    yield from self._into(Vertex(q.key, step, "quantity"), q.rhs, step, step)
            else:
                yield from self._into(Vertex(q.key, None, "quantity"), q.rhs, None, q.key)

    def _losing(self) -> Iterator[Edge]:
        system = self.system
        total = Vertex(system.loss_name, None, "loss")
        found: dict[int, list[LossTerm]] = {}
        for term in system.loss_terms:
            if term.final or self._is_named(term.body):
                for step in self._steps_of(term):
                    yield from self._into(total, term.body, step, system.loss_name)
                continue
            for step in self._steps_of(term):
                found.setdefault(step, []).append(term)
        alone = len(found) == 1 and all(not term.final for term in system.loss_terms)
        for step, terms in sorted(found.items()):
            part = total if alone else Vertex(system.step_loss_name, step, "loss")
            for term in terms:
                yield from self._into(part, term.body, step, step)
            if part != total:
                yield part, total

    def _is_named(self, body: e.Node) -> bool:
        """Whether a step's part of the loss is a quantity that the cell defines."""
        return isinstance(body, e.Timed) and body.name in self.system.definitions

    def _steps_of(self, term: LossTerm) -> range:
        if term.final:
            when = self._number(term.lower)
            return range(when, when + 1)
        return range(self._number(term.lower), self._number(term.upper) + 1)
