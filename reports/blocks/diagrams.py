"""Blocks that draw a cell."""

from __future__ import annotations

from collections.abc import Sequence

from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, words
from reports.unrolled import MAX_STEPS, unrolled_network


@REGISTRY.block("unrolled", options=("steps", "caption", "derivatives"), required=("cell",))
def unrolled_block(call: BlockCall) -> Sequence[Block]:
    """``bptt unrolled``: the network unrolled over ``steps`` steps, with the derivatives on its edges (``derivatives:
    no`` leaves them out).
    """
    context = context_of(call)
    subject = context.cell(call)
    backward = call.flag("derivatives", True)
    canvas = unrolled_network(
        subject, call.integer("steps", 3, least=1, most=MAX_STEPS), "jacobians" if backward else "plain"
    )
    arrows = " Solid arrows: values forward; dashed arrows: derivatives backward." if backward else ""
    alt = "The network unrolled over time" + (", with the derivatives on its edges." if backward else ".")
    return [Figure(canvas, call.sentence("caption") or words(f"The unrolled network.{arrows}"), alt)]
