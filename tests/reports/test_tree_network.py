"""Drawings of cells over trees."""

from __future__ import annotations

import pytest

from derive.cell import Cell, cell
from reports.drawing import Arrow, Canvas, Node
from reports.tree_network import EXAMPLE, tree_network


def _labels(canvas: Canvas) -> list[str]:
    from derive.notation.surface import Surface
    from derive.notation.write_plain import write_plain

    found = [item.label for item in canvas.items if isinstance(item, (Node, Arrow))]
    return [write_plain(label) for label in found if isinstance(label, Surface)]


def _arrows(canvas: Canvas, role: str) -> list[Arrow]:
    return [item for item in canvas.items if isinstance(item, Arrow) and item.role == role]


def test_every_edge_goes_up_and_back() -> None:
    canvas = tree_network(cell("recursive"))
    edges = len(EXAMPLE.parents) - 1
    forward, backward = _arrows(canvas, "forward"), _arrows(canvas, "backward")
    assert len(backward) == edges and len(forward) == edges + 5  # and one to each loss
    assert all(arrow.end[1] < arrow.start[1] for arrow in backward)
    assert {"∂h[5]/∂h[3]", "∂h[3]/∂h[1]"} <= set(_labels(canvas))


def test_several_states_share_a_node() -> None:
    labels = _labels(tree_network(cell("tree-lstm")))
    assert "c[3], h[3]" in labels and "J[5, 4]" in labels


def test_a_loss_at_the_root_names_it_so() -> None:
    labels = _labels(tree_network(cell("tree-lstm-binary")))
    assert "c[T], h[T]" in labels and "L" in labels and "L[1]" not in labels


def test_a_cell_that_reads_the_parent_goes_down() -> None:
    canvas = tree_network(Cell.from_text(r"h_j = \tanh(W h_{\pi(j)} + U x_j)"))
    assert all(arrow.end[1] > arrow.start[1] for arrow in _arrows(canvas, "backward"))
    assert "∂h[3]/∂h[5]" in _labels(canvas)


@pytest.mark.parametrize("name", ["recursive", "tree-lstm", "tree-lstm-binary"])
def test_nodes_do_not_overlap(name: str) -> None:
    nodes = [item for item in tree_network(cell(name)).items if isinstance(item, Node)]
    for number, a in enumerate(nodes):
        for b in nodes[number + 1 :]:
            apart = max(
                abs(a.at[0] - b.at[0]) - (a.width + b.width) / 2, abs(a.at[1] - b.at[1]) - (a.height + b.height) / 2
            )
            assert apart > 0, (a.label, b.label)
