"""The block that draws the flow graph of a cell."""

from __future__ import annotations

from collections.abc import Sequence

from derive.cell import Cell
from derive.errors import UsageError
from derive.notation import surface as s
from derive.notation.write_plain import write_plain
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, Inlines, Math, words
from reports.flow_drawing import FlowNames, flow_drawing
from reports.flow_graph import FlowGraph, Vertex, flow_graph

MAX_LENGTH = 8


@REGISTRY.block(
    "flow-graph", options=("length", "derivatives", "preactivations", "targets", "caption"), required=("cell",)
)
def flow_graph_block(call: BlockCall) -> Sequence[Block]:
    """``bptt flow-graph``: every quantity of ``length`` steps, from operands to results, each with the derivative of the
    loss by it (``derivatives: no`` leaves them out).
    """
    cell = context_of(call).cell(call)
    length = call.integer("length", 2, least=1, most=MAX_LENGTH)
    graph = flow_graph(cell, length, call.flag("preactivations"), _targets(call, cell))
    backward = call.flag("derivatives", True)
    try:
        canvas = flow_drawing(graph, backward)
    except UsageError as error:
        error.hint = _smaller(cell, length, call.flag("preactivations"))
        raise
    return [Figure(canvas, call.sentence("caption") or _caption(graph, backward), _alt(graph, length))]


def _targets(call: BlockCall, cell: Cell) -> list[str] | None:
    if "targets" not in call.options:
        return None
    names = [part.strip() for part in call.text("targets").split(",")]
    return [cell.resolve_name(name) for name in names if name]


def _smaller(cell: Cell, length: int, preactivations: bool) -> str:
    """What of this cell could be drawn."""
    if preactivations:
        return "leave out the option preactivations, or draw fewer steps"
    for shorter in range(length - 1, 0, -1):
        try:
            flow_drawing(flow_graph(cell, shorter))
        except UsageError:
            continue
        return f"length: {shorter} can be read"
    return "draw a smaller cell, or give some of its equations to a cell of their own"


def _caption(graph: FlowGraph, backward: bool) -> Inlines:
    start = words("The flow graph: lines lead from operands to results, and boxes are parameters.")
    if not backward or graph.loss is None:
        return start
    names = FlowNames(graph)
    caption: Inlines = (
        *start,
        *words(" Beside each quantity stands the derivative of the loss by it, along all ways to the loss."),
    )
    reached = graph.reach_the_loss() - graph.given
    if any(vertex not in reached for vertex in graph.vertices):
        caption = (*caption, *words(" What has none is given, or does not reach the loss."))
    shared = [v for v in graph.vertices if v.kind == "parameter" and len(graph.copies(v)) > 1]
    return (*caption, *_about_shares(graph, names, shared)) if shared else caption


def _about_shares(graph: FlowGraph, names: FlowNames, copies_of_all: Sequence[Vertex]) -> Inlines:
    """What the marks of parameters that act at several places mean, shown by the first: ∂L/∂W is the sum of its shares."""
    shared = copies_of_all[0]
    place = s.Name("k" if names.vertex(shared) != s.Name("k") else "j")
    copies = graph.copies(shared)
    shares = tuple(names.derivative(names.copy(copy)) for copy in copies)
    total = s.Relation(("=",), (names.derivative(names.vertex(shared)), s.Sum((1,) * len(shares), shares)))
    steps = all(isinstance(vertex.place, int) for vertex in copies_of_all)
    several = len({vertex.key for vertex in copies_of_all}) > 1
    where = " as it acts in step " if steps else " as it acts in step or quantity "
    return (
        *words(" "),
        Math(names.copy(shared, place)),
        *words(" is "),
        Math(names.vertex(shared)),
        *words(where),
        Math(place),
        *words(", so that "),
        Math(total),
        *words("; likewise for the other parameters." if several else "."),
    )


def _alt(graph: FlowGraph, length: int) -> str:
    """What is computed from what, in words."""
    names = FlowNames(graph)

    def name(vertex: Vertex) -> str:
        return write_plain(names.vertex(vertex))

    parts = [
        f"{name(vertex)} from {', '.join(map(name, operands))}"
        for vertex in graph.vertices
        if (operands := graph.operands(vertex))
    ]
    return f"The flow graph over {length} step{'s' if length > 1 else ''}: {'; '.join(parts)}."
