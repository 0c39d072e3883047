"""Blocks that draw a cell."""

from __future__ import annotations

from collections.abc import Sequence

from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, words
from reports.unrolled import unrolled_network


@REGISTRY.block("unrolled", options=("steps", "caption"), required=("cell",))
def unrolled_block(call: BlockCall) -> Sequence[Block]:
    """``bptt unrolled``: the network unrolled over ``steps`` steps, with the partial derivatives on its edges."""
    context = context_of(call)
    subject = context.cell(call)
    canvas = unrolled_network(subject, steps=call.integer("steps", 3, least=1))
    caption = call.sentence("caption") or words("The unrolled network. Solid arrows: values forward; dashed arrows: derivatives backward.")
    return [Figure(canvas, caption, "The network unrolled over time, with the partial derivatives on its edges.")]
