"""The sizes of a cell's quantities."""

from __future__ import annotations

from collections.abc import Sequence

from derive.cell import Cell
from derive.expressions.node import ONE
from derive.notation import surface as s
from derive.notation.present import index_surface, present
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Alignment, Block, Inlines, Math, Table, words


@REGISTRY.block("shapes", options=("of", "caption"), required=("cell",))
def shapes_block(call: BlockCall) -> Sequence[Block]:
    """``bptt shapes``: in which space each quantity of a cell lies, as its equations and declarations lead to it."""
    subject = context_of(call).cell(call)
    rows: list[tuple[Inlines, ...]] = []
    for key in _keys(call, subject):
        rows.append(
            ((Math(present(subject.quantity(key))),), words(_role(subject, key)), (Math(_space(subject, key)),))
        )
    alignments: tuple[Alignment, ...] = ("left", "left", "left")
    return [
        Table(
            (words("quantity"), words("what it is"), words("space")), tuple(rows), alignments, call.sentence("caption")
        )
    ]


def _keys(call: BlockCall, subject: Cell) -> list[str]:
    if "of" not in call.options:
        return [*subject.inputs, *subject.definitions, *subject.parameters]
    found = []
    for name in call.text("of").split(","):
        node = subject.quantity_of(name.strip())
        found.append(str(getattr(node, "name", "")))
    return found


def _role(subject: Cell, key: str) -> str:
    if key in subject.parameters:
        return "parameter"
    if key in subject.inputs:
        return "input"
    return "state" if key in subject.states else "quantity"


def _space(subject: Cell, key: str) -> s.Surface:
    """Both sizes where vectors may stand upright or not."""
    shape = subject.shapes[key]
    if shape == (ONE, ONE):
        return s.Mark("reals")
    whole = subject.text.layout == "row" or ONE not in shape
    sizes = [index_surface(size) for size in shape if whole or size != ONE]
    sizes = [s.Bracket("(", (size,)) if isinstance(size, s.Sum) and whole else size for size in sizes]
    return s.Scripted(s.Mark("reals"), sups=(sizes[0] if len(sizes) == 1 else s.Infix(("times",), tuple(sizes)),))


__all__ = ["shapes_block"]
