"""A document as a notebook (nbformat 4.5): text as Markdown, code that was run as cells with what came out of it.

The same document gives the same bytes: cells are named after their place, and no time is written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from reports import document as d
from reports import walk
from reports.code.executed import Picture, Printed, Raised
from reports.code.pictures import on_white
from reports.layout import lay_out
from reports.markdown_writer import MarkdownWriter
from reports.typst_pdf import typst_png
from reports.typst_writer import TypstWriter

Cell = dict[str, Any]

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_RAISES = "raises-exception"
"""The tag by which programs that run notebooks know that a cell may fail."""


def answer_notebook(document: d.Document) -> bytes:
    """The whole document, each piece of code with what came out of it."""
    return _Notebook(document, for_students=False).write()


def student_notebook(document: d.Document) -> bytes:
    """A document that was filtered already (:func:`reports.questions.questions_only`, or another filter): its text as it
    is. Of its code, the solutions are left out in any case, and what came out of it.
    """
    return _Notebook(document, for_students=True).write()


class _Notebook:
    def __init__(self, document: d.Document, for_students: bool) -> None:
        self.document = lay_out(document)
        self.for_students = for_students
        typst = TypstWriter(self.document)
        self.writer = MarkdownWriter(self.document, lambda figure: typst_png(typst.page_of_picture(figure)))
        self.executed = 0

    def write(self) -> bytes:
        cells = [_markdown(self.writer.title())]
        for part in _parts(self.document.blocks):
            cells += self._code(part) if isinstance(part, d.CodeCell) else self._text(part)
        for number, cell in enumerate(cells, 1):
            cell["id"] = f"cell-{number}"
        notebook = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
        return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()

    def _text(self, blocks: d.Blocks) -> list[Cell]:
        self.writer.attachments = {}
        text = self.writer.blocks(blocks)
        return [_markdown(text, self.writer.attachments)] if text.strip() else []

    def _code(self, cell: d.CodeCell) -> list[Cell]:
        executed = cell.executed.for_students() if self.for_students else cell.executed
        if executed is None:
            return []
        metadata: dict[str, Any] = {"name": executed.name} if executed.name else {}
        if executed.raises:
            metadata["tags"] = [_RAISES]
        if not executed.shown:
            metadata["jupyter"] = {"source_hidden": True}
        code: Cell = {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": []}
        if self.for_students:
            return [{**code, "source": _lines(executed.source)}]
        self.executed += 1
        scales = iter(cell.scales)
        outputs = [
            _drawn(output, next(scales)) if isinstance(output, Picture) else _output(output, self.executed)
            for output in executed.visible
        ]
        code |= {"execution_count": self.executed, "outputs": outputs, "source": _lines(executed.source)}
        caption = [_markdown(self.writer.caption(cell))] if cell.number else []
        return [code, *caption]


def _parts(blocks: Iterable[d.Block]) -> Iterator[d.Blocks | d.CodeCell]:
    """The blocks of one cell after another: code is a cell of its own, wherever it stands, and a heading starts one."""
    open_: list[d.Block] = []
    for piece in (piece for block in blocks for piece in _lifted(block)):
        if open_ and isinstance(piece, (d.Heading, d.CodeCell)):
            yield tuple(open_)
            open_ = []
        if isinstance(piece, d.CodeCell):
            yield piece
        else:
            open_.append(piece)
    if open_:
        yield tuple(open_)


_OUTSIDE = (d.CodeCell, d.Table)
"""What stands outside of quotations and lists in a notebook: not all programs read a table there."""


def _lifted(block: d.Block) -> Iterator[d.Block]:
    """A block, or its parts before and after the code and the tables in it, with these between them."""
    if not any(isinstance(inner, _OUTSIDE) for inner in walk.all_blocks(walk.blocks_inside(block))):
        yield block
        return
    match block:
        case d.Callout(_, _, inside):
            runs = list(_runs(inside))
            leading = runs[0] if isinstance(runs[0], tuple) else ()
            # The title stands above whatever comes first.
            yield replace(block, blocks=leading)
            yield from (d.Quote(run) if isinstance(run, tuple) else run for run in runs[bool(leading) :])
        case d.BulletList(items) | d.NumberedList(items):
            number = block.start if isinstance(block, d.NumberedList) else 0
            for item in items:
                for k, run in enumerate(_runs(item)):
                    if not isinstance(run, tuple):
                        yield run
                    elif k:
                        # What follows belongs to no new entry.
                        yield d.Quote(run)
                    elif number:
                        yield d.NumberedList((run,), number, block.tight)
                    else:
                        yield d.BulletList((run,), block.tight)
                number += bool(number)
        case _:
            for run in _runs(walk.blocks_inside(block)):
                yield d.Quote(run) if isinstance(run, tuple) else run


def _runs(blocks: d.Blocks) -> Iterator[d.Blocks | d.Block]:
    """Blocks that may stand in a quotation, together, and those that may not, one by one."""
    pieces = (piece for block in blocks for piece in _lifted(block))
    for outside, run in groupby(pieces, lambda piece: isinstance(piece, _OUTSIDE)):
        if outside:
            yield from run
        else:
            yield tuple(run)


def _markdown(text: str, attachments: dict[str, bytes] | None = None) -> Cell:
    cell: Cell = {"cell_type": "markdown", "metadata": {}, "source": _lines(text.strip("\n"))}
    if attachments:
        cell["attachments"] = {
            name: {"image/png": base64.b64encode(png).decode()} for name, png in sorted(attachments.items())
        }
    return cell


def _output(output: Printed | Raised, number: int) -> Cell:
    match output:
        case Printed(text, value=True):
            data = {"text/plain": _lines(text.rstrip("\n"))}
            return {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data}
        case Printed(text):
            return {"output_type": "stream", "name": "stdout", "text": _lines(text)}
        case Raised(kind, message):
            return {"output_type": "error", "ename": kind, "evalue": message, "traceback": [output.text]}


def _drawn(picture: Picture, scale: float) -> Cell:
    data = {"text/plain": ["<Figure>"]}
    if picture.png:
        data["image/png"] = [base64.b64encode(picture.png).decode()]
    else:
        data["image/svg+xml"] = _lines(on_white(picture, scale))
    return {"output_type": "display_data", "metadata": {}, "data": data}


def _lines(text: str) -> list[str]:
    """A text as notebooks hold it: lines with their ends."""
    return text.splitlines(keepends=True) if "\r" not in text else [text]
