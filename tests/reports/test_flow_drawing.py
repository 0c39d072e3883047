"""Flow graphs of all cells: that they show exactly what is computed from what, and that nothing hides anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import hypot

import pytest
from amount import some
from hypothesis import given
from strategies import cells, examples
from sympy import Integer

from derive import expressions as e
from derive.cell import Cell, cell, library
from derive.errors import UsageError
from derive.notation.present import present
from derive.notation.surface import Surface
from derive.notation.write_plain import write_plain
from derive.system import T, leaves
from reports import document as d
from reports.drawing import Box, Canvas, MathLabel, Node, Route, label_box, overlaps
from reports.flow_drawing import HIGHEST, PAGE, WIDEST, FlowNames, flow_drawing
from reports.flow_graph import FlowGraph, Vertex, flow_graph
from reports.render import make

ROWS = r"""u_i = s_{i-1} U
w_i = x_i W
o_i = u_i + w_i
s_i = \sigma(o_i)
a = s_T V
y = \sigma(a)
L = \frac{1}{2} (y - \hat y)^2
x_i \in \mathbb{R}^{1 \times 3}, s_i \in \mathbb{R}^{1 \times 2}, y \in \mathbb{R}"""
OVER_TIME = [name for name in library() if cell(name).tree is None]
TOO_LARGE = {"lstm-projected", "mlstm"}
"""Cells of which two steps do not fit a page."""
Pair = tuple[str, str]


# -- what is computed from what, told from the equations alone ---------------------------------------


def dependencies(subject: Cell, length: int) -> Counter[Pair]:
    """Pairs of an operand and a result, each step's equations read anew; a parameter is an operand in every step."""
    found: set[tuple[str, str, object]] = set()

    def read(result: str, body: e.Node, step: int | None, place: object) -> None:
        for leaf in leaves(body):
            if isinstance(leaf, e.Timed):
                time = leaf.time if step is None else leaf.time.subs(subject.time, step)
                found.add((write_plain(present(leaf.at(time.subs(T, length)))), result, None))
            else:
                found.add((write_plain(present(leaf)), result, place))

    for q in subject.equations:
        for step in range(1, length + 1) if isinstance(q.lhs, e.Timed) else [None]:
            lhs = q.lhs if step is None else q.lhs.at(Integer(step))
            read(write_plain(present(lhs)), q.rhs, step, step)
    for start, value in subject.initial.items():
        read(write_plain(present(start.at(start.time.subs(T, length)))), value, None, 0)
    total = subject.loss_name
    summed = [
        (step, term.body)
        for term in subject.loss_terms
        for step in range(int(term.lower.subs(T, length)), int(term.upper.subs(T, length)) + 1)
        if not (term.final or (isinstance(term.body, e.Timed) and term.body.name in subject.definitions))
    ]
    for term in subject.loss_terms:
        if term.final:
            read(total, term.body, int(term.lower.subs(T, length)), total)
        elif isinstance(term.body, e.Timed) and term.body.name in subject.definitions:
            for step in range(int(term.lower), int(term.upper.subs(T, length)) + 1):
                read(total, term.body, step, total)
    collapsed = len({step for step, _ in summed}) == 1 and not any(term.final for term in subject.loss_terms)
    for step, body in summed:
        part = total if collapsed else f"{write_plain(present(e.Timed(subject.step_loss_name, Integer(step))))}"
        read(part, body, step, step)
        if not collapsed:
            found.add((part, total, None))
    return Counter((a, b) for a, b, _ in found)


# -- what is drawn, told from the geometry alone -----------------------------------------------------


def nodes(canvas: Canvas) -> list[Node]:
    return [item for item in canvas.items if isinstance(item, Node)]


def routes(canvas: Canvas) -> list[Route]:
    return [item for item in canvas.items if isinstance(item, Route)]


def name(node: Node) -> str:
    assert isinstance(node.label, Surface)
    return write_plain(node.label)


def ends(canvas: Canvas, route: Route) -> tuple[Node, Node]:
    """The nodes at whose right and left border a line starts and ends."""
    (x0, y0), (x1, y1) = route.start, route.end
    found = [
        next(n for n in nodes(canvas) if hypot(n.at[0] + n.width / 2 - x0, n.at[1] - y0) < 0.06),
        next(
            n
            for n in nodes(canvas)
            if abs(n.at[1] - y1) <= n.height / 2 and n.at[0] - n.width / 2 - 0.06 < x1 < n.at[0]
        ),
    ]
    return found[0], found[1]


def drawn(canvas: Canvas) -> Counter[Pair]:
    return Counter((name(a), name(b)) for a, b in (ends(canvas, route) for route in routes(canvas)))


def touches(point: tuple[float, float], box: Box) -> bool:
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


def hidden(canvas: Canvas) -> list[object]:
    """Everything that overlaps: nodes, labels, and lines through what they do not belong to."""
    boxes = [label_box(node) for node in nodes(canvas)]
    labels = [label_box(item) for item in canvas.items if isinstance(item, MathLabel)]
    found: list[object] = [*overlaps(boxes, boxes), *overlaps(labels, labels), *overlaps(boxes, labels)]
    for route in routes(canvas):
        own = [label_box(node) for node in ends(canvas, route)]
        foreign = [*(box for box in boxes if box not in own), *labels]
        found += [(route, box) for box in foreign if any(touches(point, box) for point in route.samples(24))]
    return found


# -- tests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "length"), some([(key, length) for length in (1, 2) for key in OVER_TIME], 3))
def test_every_cell_of_the_library_is_drawn(key: str, length: int) -> None:
    subject = cell(key)
    graph = flow_graph(subject, length)
    try:
        canvas = flow_drawing(graph)
    except UsageError as error:
        assert length == 2 and key in TOO_LARGE and "too large" in str(error)
        return
    assert not hidden(canvas)
    assert drawn(canvas) == dependencies(subject, length)
    assert canvas.width <= WIDEST and canvas.height * min(1.0, PAGE / canvas.width) <= HIGHEST
    for box in map(label_box, nodes(canvas)):
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= canvas.width and box[3] <= canvas.height


@examples(30)
@given(text=cells())
def test_random_cells(text: str) -> None:
    subject = Cell.from_text(text)
    for length in (1, 2):
        try:
            canvas = flow_drawing(flow_graph(subject, length))
        except UsageError:
            continue
        assert not hidden(canvas)
        assert drawn(canvas) == dependencies(subject, length)


def test_the_row_vector_network() -> None:
    canvas = flow_drawing(flow_graph(Cell.from_text(ROWS), 2))
    steps = [
        pair
        for k in (1, 2)
        for pair in [
            (f"s[{k - 1}]", f"u[{k}]"), ("U", f"u[{k}]"), (f"x[{k}]", f"w[{k}]"), ("W", f"w[{k}]"),
            (f"u[{k}]", f"o[{k}]"), (f"w[{k}]", f"o[{k}]"), (f"o[{k}]", f"s[{k}]"),
        ]
    ]  # fmt: skip
    assert drawn(canvas) == Counter([*steps, ("s[2]", "a"), ("V", "a"), ("a", "y"), ("y", "L"), ("y_hat", "L")])
    labels = {write_plain(item.surface) for item in canvas.items if isinstance(item, MathLabel)}
    assert {"∂L/∂o[2]", "∂L/∂s[0]", "∂L/∂V", "∂L/∂y"} <= labels
    assert len(labels) == len(nodes(canvas)) - 2, "each quantity but the loss and its target has a derivative"
    spine = [node.at[1] for node in nodes(canvas) if name(node) in ("s[0]", "u[1]", "o[1]", "s[1]", "s[2]", "a", "L")]
    assert len(set(spine)) == 1, "the longest way is level"


@pytest.mark.parametrize("missing", [0, 3, 7])
def test_a_missing_edge_is_noticed(missing: int) -> None:
    subject = Cell.from_text(ROWS)
    graph = flow_graph(subject, 2)
    planted = replace(graph, edges=tuple(edge for k, edge in enumerate(graph.edges) if k != missing))
    assert drawn(flow_drawing(planted)) != dependencies(subject, 2)


def test_a_line_through_a_node_is_noticed() -> None:
    canvas = flow_drawing(flow_graph(Cell.from_text(ROWS), 1))
    first, last = (next(n for n in nodes(canvas) if name(n) == key) for key in ("s[0]", "L"))
    through = Route(
        ((first.at[0] + first.width / 2 + 0.05, first.at[1]), (last.at[0] - last.width / 2 - 0.05, last.at[1]))
    )
    assert hidden(replace(canvas, items=(*canvas.items, through)))


def test_drawings_are_reproducible() -> None:
    assert flow_drawing(flow_graph(cell("lstm"), 2)) == flow_drawing(flow_graph(cell("lstm"), 2))


def _graph(text: str, length: int = 2) -> FlowGraph:
    return flow_graph(Cell.from_text(text), length)


def _parameters(graph: FlowGraph) -> set[str]:
    names = FlowNames(graph)
    return {write_plain(names.copy(vertex)) for vertex in graph.vertices if vertex.kind == "parameter"}


def test_a_parameter_that_acts_once_has_no_mark() -> None:
    assert _parameters(_graph(ROWS)) == {"U^{(1)}", "U^{(2)}", "W^{(1)}", "W^{(2)}", "V"}


def test_marks_are_no_layers() -> None:
    """Where names wear round brackets, the places of a parameter stand in others."""
    assert "W^{(1)}" not in _parameters(_graph("h_t = \\tanh(W^{(1)} h_{t-1} + W^{(2)} x_t)"))
    graph = _graph("h_t = \\tanh(W^{(1)} h_{t-1} + W^{(2)} x_t)")
    assert FlowNames(graph).sign != "("
    assert FlowNames(_graph("h^{[1]}_t = \\tanh(W^{[1]} h^{[1]}_{t-1} + x_t)")).sign == "("


def test_a_parameter_of_steps_and_of_what_has_no_time() -> None:
    graph = _graph("h_t = \\tanh(W h_{t-1} + x_t)\ny = W h_T\nL = \\lVert y \\rVert^2")
    assert _parameters(graph) == {"W^{(1)}", "W^{(2)}", "W^{(y)}"}


def test_targets_have_no_derivative() -> None:
    assert {v.key for v in _graph(ROWS).given} == {"y_hat"}
    graph = flow_graph(Cell.from_text(ROWS), 1, targets=[])
    assert not graph.given and Vertex("y_hat", None, "parameter", "L") in graph.vertices


def test_what_does_not_reach_the_loss_has_no_derivative() -> None:
    canvas = flow_drawing(_graph("h_t = \\tanh(W h_{t-1} + x_t)\ny_t = V h_t\nL = L_T(y_T)"))
    labels = {write_plain(item.surface) for item in canvas.items if isinstance(item, MathLabel)}
    assert "∂L/∂y[2]" in labels and "∂L/∂h[1]" in labels and "∂L/∂y[1]" not in labels


def test_preactivations_are_quantities_on_demand() -> None:
    subject = cell("rnn")
    assert "z" not in {v.key for v in flow_graph(subject, 1).vertices}
    assert "z" in {v.key for v in flow_graph(subject, 1, preactivations=True).vertices}


def test_starting_values() -> None:
    graph = _graph("h_t = \\tanh(W h_{t-1} + x_t)\nh_0 = \\tanh(V c)\nL = L_T(h_T)", 1)
    start = Vertex("h", 0, "quantity")
    assert [v.key for v in graph.operands(start)] == ["V", "c"] and start not in graph.given
    zero = _graph("h_t = \\tanh(W h_{t-1} + x_t)\nh_0 = 0\nL = L_T(h_T)", 1)
    assert Vertex("h", 0, "start") in zero.given


def test_a_cell_over_trees_is_refused() -> None:
    with pytest.raises(UsageError, match="over trees"):
        flow_graph(cell("tree-lstm"), 2)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(UsageError, match="too large to be read"):
        flow_drawing(flow_graph(cell("mlstm"), 2))


def _figures() -> d.Document:
    keys = ("lstm", "bidirectional-rnn", "stacked-rnn")
    figures = [d.Figure(flow_drawing(flow_graph(cell(key), 2)), d.words(key), key) for key in keys]
    return d.Document(d.words("t"), blocks=tuple(figures))


def test_flow_graphs_compile_in_typst() -> None:
    found = make(_figures(), "x", ("pdf", "html"), "typst").contents
    assert found["x.pdf"].startswith(b"%PDF-") and found["x.html"].count(b"<svg") == 3


@pytest.mark.usefixtures("tex")
def test_flow_graphs_compile_in_latex() -> None:
    assert make(_figures(), "x", ("pdf",), "tex").warnings == ()
