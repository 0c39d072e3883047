"""A laid-out document in Markdown with formulas between dollar signs, as notebooks hold it.

Everything is spelled so that it reads the same in Jupyter, on GitHub and in editors: each displayed formula is one
line, since Markdown would put the marks of a quotation into it, and formulas hold no sign that HTML or a table could
take for its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from derive.notation.surface import Surface
from reports import document as d
from reports import walk
from reports.code.executed import Picture, Printed, Raised
from reports.escape import Code, checked_url, escape_markdown, escape_mathjax
from reports.formulas import markdown_formula
from reports.signs import PRODUCTS, RELATIONS
from reports.templating import markdown_templates
from reports.writer import Writer

_NOTE = 64
"""Letters of a line of a remark below a formula."""
_ALIGNMENTS = {"left": ":--", "center": ":-:", "right": "--:"}


class MarkdownWriter(Writer):
    """Writes Markdown. ``draw`` makes the PNG of a figure; ``attachments`` holds those of the blocks written last."""

    templates = markdown_templates()
    breaks_words = True

    def __init__(self, document: d.Document, draw: Callable[[d.Figure], bytes]) -> None:
        super().__init__(document)
        self.draw = draw
        self.attachments: dict[str, bytes] = {}
        self.goals = {
            inline.url.removeprefix("#")
            for block in document.blocks
            for sentence in walk.sentences(block)
            for inline in walk.inlines_below(sentence)
            if isinstance(inline, d.Link) and inline.url.startswith("#")
        }
        """Anchors that a link leads to."""

    def title(self) -> Code:
        """What stands above the document."""
        return self.templates.fill("title", **self.texts())

    def caption(self, cell: d.CodeCell) -> Code:
        """The caption of code that was run."""
        label = self.labels["figure" if cell.executed.pictures else "listing"]
        return self.fill("caption", label=label, number=cell.number, caption=self.inlines(cell.caption))

    # -- blocks ------------------------------------------------------------------------------------

    def blocks(self, blocks: d.Blocks) -> Code:
        return Code("\n\n".join(self.block(block).strip("\n") for block in blocks))

    def heading(self, heading: d.Heading) -> Code:
        return self.fill(
            "heading",
            marks=Code("#" * min(heading.level + 1, 6)),
            body=self.inlines(heading.body),
            anchor=heading.anchor if heading.anchor in self.goals else "",
        )

    def table(self, table: d.Table) -> Code:
        return self.fill(
            "table",
            header=[self._cell(cell) for cell in table.header],
            rows=[[self._cell(cell) for cell in row] for row in table.rows],
            alignments=table.alignments,
            marks={name: Code(mark) for name, mark in _ALIGNMENTS.items()},
            number=table.number,
            caption=self.inlines(table.caption),
        )

    def _cell(self, body: d.Inlines) -> Code:
        return Code(re.sub(r"(?<!\\)\|", r"\\|", self.inlines(body)))

    def rows(self, rows: d.Rows) -> Code:
        hanging = any(row.hangs for row in rows.rows)
        written = [line for row in rows.rows for line in self._row(row, hanging)]
        return self.fill("rows", rows=written, footer=self.inlines(rows.footer))

    def _row(self, row: d.Row, hanging: bool) -> list[Code]:
        """The lines of a row; where a row of the formula hangs, all start at the left."""
        left = self.row_left(row.left) if row.left is not None else ""
        right = r"\quad " * row.indent + self.row_right(row)
        line = f"& {left} {right}" if hanging else f"{left} & {right}"
        notes = self._notes(row.note, _NOTE if row.note_below else 10 * _NOTE)
        if row.note_below:
            return [Code(line), *(Code(rf"& \qquad {note}") for note in notes)]
        return [Code(rf"{line} && {notes[0]}" if notes else line)]

    def _notes(self, body: d.Inlines, most: int) -> list[str]:
        """A sentence in lines of letters and formulas for the inside of a formula."""
        lines: list[list[d.Text | d.Math]] = [[]]
        used = 0
        for piece in _pieces(body):
            length = len(walk.plain_text((piece,)))
            if used + length > most and lines[-1]:
                lines.append([])
                used = 0
            last = lines[-1][-1] if lines[-1] else None
            if isinstance(last, d.Text) and isinstance(piece, d.Text):
                lines[-1][-1] = d.Text(last.text + piece.text)
            else:
                lines[-1].append(piece)
            used += length
        return [rf"{{\small {''.join(map(_inside_formula, line))}}}" for line in lines if line]

    def code_block(self, block: d.CodeBlock) -> Code:
        return self.listing(block.text.rstrip("\n"), block.language)

    def listing(self, text: str, language: str) -> Code:
        """Code between fences that are longer than any in it."""
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = Code("`" * max(3, longest + 1))
        return self.fill("code", fence=fence, language=Code(re.sub(r"[^\w+-]", "", language)), text=Code(text))

    def picture(self, figure: d.Figure) -> Code:
        name = f"figure-{len(self.attachments) + 1}.png"
        self.attachments[name] = self.draw(figure)
        return Code(f"![{self.escape(self.alt(figure))}](attachment:{name})")

    def source(self, cell: d.CodeCell) -> Code:
        raise TypeError("in a notebook, code is a cell of its own")

    def printed(self, output: Printed | Raised, cell: d.CodeCell) -> Code:
        raise TypeError("in a notebook, code is a cell of its own")

    def drawn(self, picture: Picture, scale: float, cell: d.CodeCell) -> Code:
        raise TypeError("in a notebook, code is a cell of its own")

    # -- inline pieces -----------------------------------------------------------------------------

    def escape(self, text: str) -> Code:
        return escape_markdown(text)

    def formula(self, surface: Surface, display: bool) -> Code:
        return markdown_formula(surface)

    def relation(self, operator: str) -> Code:
        return Code({"<": r"\lt", ">": r"\gt", ":=": ":="}.get(operator, RELATIONS[operator].latex))

    def sign(self, sign: d.Sign) -> Code:
        if sign.kind in "([])":
            size = r"\Bigl" if sign.kind in "([" else r"\Bigr"
            return Code(f"{size}{sign.kind}" if sign.tall else sign.kind)
        return Code(PRODUCTS[sign.kind].latex if sign.kind in PRODUCTS else sign.kind)

    def code_span(self, text: str) -> Code:
        fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
        space = " " if text.startswith("`") or text.endswith("`") else ""
        return Code(f"{fence}{space}{text}{space}{fence}")

    def page_of(self, anchor: str, before: str) -> Code:
        return Code("")

    def link(self, body: Code, url: str) -> Code:
        return Code(f"[{body}](<{checked_url(url)}>)")


def _pieces(body: d.Inlines) -> Iterator[d.Text | d.Math]:
    """Words one by one, and formulas."""
    for inline in body:
        match inline:
            case d.Math():
                yield inline
            case d.Emphasis(inside) | d.Strong(inside) | d.Link(inside, _):
                yield from _pieces(inside)
            case d.Text(text) | d.CodeSpan(text) | d.Shade(text, _):
                yield from (d.Text(word) for word in re.findall(r"\S+\s*|\s+", text))
            case _:
                pass


def _inside_formula(piece: d.Text | d.Math) -> str:
    if isinstance(piece, d.Math):
        return markdown_formula(piece.surface)
    return rf"\text{{{escape_mathjax(piece.text)}}}"
