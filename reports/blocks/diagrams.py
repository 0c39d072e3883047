"""Blocks that draw a cell."""

from __future__ import annotations

from collections.abc import Sequence

from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, words
from reports.drawing import Arrow, Canvas
from reports.tree_network import tree_network
from reports.unrolled import MAX_STEPS, unrolled_network

_ARROWS = " Solid arrows: values forward; dashed arrows: derivatives backward."


@REGISTRY.block("unrolled", options=("steps", "caption", "derivatives"), required=("cell",))
def unrolled_block(call: BlockCall) -> Sequence[Block]:
    """``bptt unrolled``: the network unrolled over ``steps`` steps, with the derivatives on its edges (``derivatives:
    no`` leaves them out); a cell over trees, on a small tree.
    """
    context = context_of(call)
    subject = context.cell(call)
    backward = call.flag("derivatives", True)
    if subject.tree is not None:
        return [_over_a_tree(call, tree_network(subject, backward))]
    arrows = _ARROWS if backward else ""
    canvas = unrolled_network(
        subject, call.integer("steps", 3, least=1, most=MAX_STEPS), "jacobians" if backward else "plain"
    )
    alt = "The network unrolled over time" + (", with the derivatives on its edges." if backward else ".")
    return [Figure(canvas, call.sentence("caption") or words(f"The unrolled network.{arrows}"), alt)]


def _over_a_tree(call: BlockCall, canvas: Canvas) -> Figure:
    dashed = any(isinstance(item, Arrow) and item.style == "dashed" for item in canvas.items)
    caption = call.sentence("caption") or words(f"The network over a tree.{_ARROWS if dashed else ''}")
    return Figure(canvas, caption, "A tree of five nodes with their states, inputs and losses.")
