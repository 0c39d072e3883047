"""The table of marks."""

from __future__ import annotations

from collections.abc import Sequence

from reports.block_calls import BlockCall
from reports.blocks.registry import REGISTRY
from reports.document import Block, Marking


@REGISTRY.block("marking", options=("caption",))
def marking_block(call: BlockCall) -> Sequence[Block]:
    """``bptt marking``: each question with its marks, and the results that its answer leads to."""
    return [Marking(call.sentence("caption"))]
