"""The unrolled network of many cells: what it shows, what its lines are called, and that nothing overlaps."""

from __future__ import annotations

import pytest
from sympy import Integer

from derive.cell_text import read_cell_text
from derive.errors import UsageError
from derive.notation.present import name_surface
from derive.notation.write_plain import write_plain
from derive.system import RecurrentSystem
from reports import document as d
from reports.drawing import Arrow, Canvas, Node, label_boxes, node_boxes, overlaps
from reports.network_graph import Link, NetworkGraph, network_graph
from reports.render import make
from reports.unrolled import unrolled_network

RNN = r"h_t = \tanh(W h_{t-1} + U x_t + b)"
LSTM = r"""f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)
o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)
\tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)
C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t
h_t = o_t \odot \tanh(C_t)
L = \sum_{t=1}^{T} L_t(h_t)"""
HEADS = RNN + "\n" + r"\hat{y}_t = \operatorname{softmax}(V h_t + c)" + "\n" + r"L = \sum_{t=1}^T L_t(\hat{y}_t)"
FINAL = RNN + "\n" + "L = L_T(h_T)"
DEEP = r"""h^{[1]}_t = \tanh(W_1 h^{[1]}_{t-1} + U_1 x_t)
h^{[2]}_t = \tanh(W_2 h^{[2]}_{t-1} + U_2 h^{[1]}_t)
h^{[3]}_t = \tanh(W_3 h^{[3]}_{t-1} + U_3 h^{[2]}_t)"""
LAG = r"h_t = \tanh(W h_{t-1} + V h_{t-2} + U x_t + b)"
BOTH_WAYS = r"""\overrightarrow{h}_t = \tanh(W_f \overrightarrow{h}_{t-1} + U_f x_t)
\overleftarrow{h}_t = \tanh(W_b \overleftarrow{h}_{t+1} + U_b x_t)
y_t = V \overrightarrow{h}_t + R \overleftarrow{h}_t
L = \sum_{t=1}^T L_t(y_t)"""
DENSE = r"""a_t = \tanh(A a_{t-1} + B b_{t-1} + C c_{t-1} + U x_t)
b_t = \tanh(D a_t + E b_{t-1} + F c_{t-1})
c_t = \tanh(G a_{t-1} + H b_t + K c_{t-1} + R u_t)"""

CELLS = {
    "rnn": RNN,
    "lstm": LSTM,
    "heads": HEADS,
    "final": FINAL,
    "deep": DEEP,
    "lag": LAG,
    "both ways": BOTH_WAYS,
    "dense": DENSE,
}


def system(name: str) -> RecurrentSystem:
    return RecurrentSystem(read_cell_text(CELLS[name]))


def labels(canvas: Canvas) -> list[str]:
    return [
        write_plain(item.label) for item in canvas.items if isinstance(item, Arrow) and not isinstance(item.label, str)
    ]


def names(canvas: Canvas) -> set[str]:
    return {
        write_plain(item.label) for item in canvas.items if isinstance(item, Node) and not isinstance(item.label, str)
    }


@pytest.mark.parametrize("edges", ["jacobians", "plain"])
@pytest.mark.parametrize("name", CELLS)
def test_nothing_overlaps_and_nothing_sticks_out(name: str, edges: str) -> None:
    canvas = unrolled_network(system(name), edges=edges)
    boxes, nodes = label_boxes(canvas), node_boxes(canvas)
    assert not overlaps(boxes, boxes) and not overlaps(boxes, nodes) and not overlaps(nodes, nodes)
    for left, bottom, right, top in (*boxes, *nodes):
        assert left >= 0 and bottom >= 0 and right <= canvas.width and top <= canvas.height
    assert canvas.width <= 16.5


@pytest.mark.parametrize("name", [name for name in CELLS if name != "dense"])
def test_every_way_back_is_labelled(name: str) -> None:
    """Only a network in which everything reads everything has no room for all labels."""
    canvas = unrolled_network(system(name))
    back = [item for item in canvas.items if isinstance(item, Arrow) and item.role == "backward"]
    unlabelled = [arrow for arrow in back if arrow.label == ""]
    assert len(unlabelled) == 2 * len(network_graph(system(name)).states), "only the arrows at the ellipsis"


def test_a_simple_network() -> None:
    canvas = unrolled_network(system("rnn"))
    assert names(canvas) == {f"{q}[{t}]" for q in "hxL" for t in ("1", "2", "3", "T")} | {"h[0]"}
    assert sorted(labels(canvas)) == sorted(
        [f"∂h[{k}]/∂h[{k - 1}]" for k in (1, 2, 3)] + [f"∂L[{k}]/∂h[{k}]" for k in (1, 2, 3, "T")],
    )


def test_a_loss_from_step_zero_looks_at_the_starting_state() -> None:
    subject = RecurrentSystem(read_cell_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=0}^{T} L_t(h_t)"))
    canvas = unrolled_network(subject)
    assert "L[0]" in names(canvas) and "∂L[0]/∂h[0]" in labels(canvas)
    assert "L[0]" not in names(unrolled_network(system("rnn")))


def test_plain_networks_have_no_way_back() -> None:
    canvas = unrolled_network(system("lstm"), edges="plain")
    assert not labels(canvas) and not [
        item for item in canvas.items if isinstance(item, Arrow) and item.role == "backward"
    ]


def test_a_loss_at_the_end_stands_at_the_end_only() -> None:
    canvas = unrolled_network(system("final"))
    assert "∂L/∂h[T]" in labels(canvas) and sum(label.startswith("∂L") for label in labels(canvas)) == 1


def test_states_read_from_the_future_start_behind_the_end() -> None:
    assert "h_leftarrow[T+1]" in names(unrolled_network(system("both ways")))


def _called(graph: NetworkGraph, link: Link) -> str:
    held = tuple(name_surface(key, Integer(2)) for key in graph.held(link))
    return write_plain(
        graph.derivative(
            link, name_surface(link.target, Integer(2)), name_surface(link.source, Integer(2 + link.offset)), held
        )
    )


def test_derivatives_along_lines_are_named_exactly() -> None:
    graph = network_graph(system("lstm"))
    called = {
        (link.source, link.target, link.offset): _called(graph, link)
        for link in graph.links
        if link.source in graph.states
    }
    assert called == {
        ("C", "C", -1): "∂⁺C[2]/∂C[1]",  # h_1 carries influence as well
        ("h", "C", -1): "∂C[2]/∂h[1]",
        ("h", "h", -1): "(∂h[2]/∂h[1])_{C[2]}",  # and here C_2, within the step
        ("C", "h", 0): "∂h[2]/∂C[2]",
        ("h", "L", 0): "∂L[2]/∂h[2]",
    }


def test_intermediate_quantities_are_not_shown() -> None:
    graph = network_graph(system("heads"))
    assert graph.states == ("h",) and graph.outputs == ("y_hat",) and graph.inputs == ("x",) and not graph.final
    assert set(graph.links) == {Link("h", "h", -1), Link("x", "h", 0), Link("h", "y_hat", 0), Link("y_hat", "L", 0)}


@pytest.mark.parametrize(("steps", "edges"), [(0, "jacobians"), (7, "jacobians"), (3, "nonsense")])
def test_wrong_arguments_are_told(steps: int, edges: str) -> None:
    with pytest.raises(UsageError):
        unrolled_network(system("rnn"), steps, edges)


def test_a_cell_without_state_is_told() -> None:
    with pytest.raises(UsageError, match="no state"):
        unrolled_network(RecurrentSystem(read_cell_text(r"y_t = \sigma(W x_t)")))


def _figures() -> d.Document:
    return d.Document(
        d.words("t"), blocks=tuple(d.Figure(unrolled_network(system(name)), d.words(name), name) for name in CELLS)
    )


def test_networks_compile_in_typst() -> None:
    assert make(_figures(), "x", ("pdf",), "typst").contents["x.pdf"].startswith(b"%PDF-")


@pytest.mark.usefixtures("tex")
def test_networks_compile_in_latex() -> None:
    assert make(_figures(), "x", ("pdf",), "tex").warnings == ()
