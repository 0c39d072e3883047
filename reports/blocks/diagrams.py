"""Blocks that draw a cell."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks.context import SheetContext, allowed, count
from reports.document import Block, Figure, words
from reports.markdown import BlockCall
from reports.unrolled import unrolled_network


def unrolled_block(call: BlockCall, context: SheetContext) -> Sequence[Block]:
    """``bptt unrolled``: the network unrolled over ``steps`` steps, with the partial derivatives on its edges."""
    allowed(call, "cell", "steps", "caption")
    subject = context.cell(call)
    canvas = unrolled_network(subject, steps=count(call, "steps", 3))
    caption = call.options.get("caption", "The unrolled network. Solid arrows: values forward; dashed arrows: derivatives backward.")
    return [Figure(canvas, words(caption), "The network unrolled over time, with the partial derivatives on its edges.")]
