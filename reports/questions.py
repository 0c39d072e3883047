"""What students get of a document: its headings, its questions with what is given for them, and its code as they get it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports import document as d
from reports import walk
from reports.forms import Form, subtitle_of, with_content, without_links


def questions_only(document: d.Document) -> d.Document:
    """The document without its answers: its code has gaps in the place of solutions, and no outputs. Headings with nothing below them are
    left out, and it is not called an answer sheet.
    """
    blocks = without_links(with_content(tuple(_questions(document.blocks))))
    return replace(document, blocks=blocks, subtitle=subtitle_of(document, Form(show="questions")))


def _questions(blocks: d.Blocks) -> Iterator[d.Block]:
    for block in blocks:
        match block:
            case d.CodeCell(executed):
                left = executed.for_students()
                if left is not None:
                    # A caption is about what came out.
                    yield replace(block, executed=left, caption=())
            case d.Heading() | d.Callout("question"):
                yield block
            case _ if block.asked:
                yield block
            case _:
                yield from (inner for inner in _questions(walk.blocks_inside(block)) if isinstance(inner, d.CodeCell))
