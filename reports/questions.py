"""What students get of a document: its headings, its questions, and its code as they get it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports import document as d


def questions_only(document: d.Document) -> d.Document:
    """The document without its answers. Code of which students get nothing is left out, too."""
    return replace(document, blocks=tuple(_questions(document.blocks)))


def _questions(blocks: d.Blocks) -> Iterator[d.Block]:
    for block in blocks:
        match block:
            case d.Heading() | d.Callout("question"):
                yield block
            case d.CodeCell(executed):
                if executed.student is not None:
                    yield block
            case _:
                yield from (inner for inner in _questions(d.blocks_inside(block)) if isinstance(inner, d.CodeCell))
