"""What all writers share: the walk over the tree. A writer says how its output spells formulas, inline pieces and
drawings; the looks of blocks stand in its templates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from derive.notation.surface import Surface
from reports import document as d
from reports import walk
from reports.code.executed import Output, Picture, Printed, Raised
from reports.escape import Code
from reports.labels import callout_label, labels, marks_of
from reports.layout import row_strut
from reports.softening import soften, soften_code
from reports.templating import Templates


def shown_blocks(blocks: d.Blocks) -> d.Blocks:
    """The blocks without code that is run and not shown."""
    return tuple(block for block in blocks if not isinstance(block, d.CodeCell) or block.executed.shown)


def _on_pages(outputs: tuple[Output, ...]) -> list[Output]:
    """Outputs for a page, where a value stands below what was printed before it."""
    joined: list[Output] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if isinstance(last, Printed) and isinstance(output, Printed):
            joined[-1] = Printed(f"{last.text.rstrip()}\n{output.text}")
        else:
            joined.append(output)
    return joined


class Writer(ABC):
    """Writes one laid-out document. ``blocks`` and ``inlines`` return code of the output."""

    templates: Templates
    breaks_words = False
    """Whether the output breaks long words by itself."""

    def __init__(self, document: d.Document) -> None:
        self.document = document
        self.labels = labels(document.language)

    # -- the document ------------------------------------------------------------------------------

    def write(self) -> str:
        """The whole file."""
        return self.templates.page(body=self.blocks(self.document.blocks), **self.texts(), **self.more())

    def texts(self) -> dict[str, Any]:
        """What the templates know of the whole document."""
        document = self.document
        return {
            "title": self.inlines(document.title),
            "subtitle": self.inlines(document.subtitle),
            "plain_title": walk.plain_text(document.title),
            "meta": document.meta,
            "byline": [*self._byline()],
            "fields": [
                self.soft(field.strip()) for field in document.meta.get("fields", "").split(",") if field.strip()
            ],
            "paper": document.meta.get("paper", "a4"),
            "source": self.soft(document.meta.get("source", "")),
            "author": document.meta.get("author", ""),
            "language": document.language,
            "labels": self.labels,
        }

    def _byline(self) -> Iterator[str]:
        """Who wrote it, for what, when, and what it is worth."""
        meta = self.document.meta
        yield from (self.soft(meta[key]) for key in ("course", "author", "date") if meta.get(key))
        if meta.get("marks"):
            yield marks_of(meta["marks"], self.document.language)

    def more(self) -> dict[str, Any]:
        """Further values for the document's template."""
        return {}

    # -- blocks ------------------------------------------------------------------------------------

    def blocks(self, blocks: d.Blocks) -> Code:
        """Blocks one after another."""
        shown = shown_blocks(blocks)
        return Code("\n".join(self.block(block, following) for block, following in zip_longest(shown, shown[1:])))

    def block(self, block: d.Block, following: d.Block | None = None) -> Code:
        """One block, by the method for its kind; a sentence that leads to a formula stays on its page."""
        match block:
            case d.Heading():
                return self.heading(block)
            case d.Paragraph(body):
                return self.fill("paragraph", body=self.inlines(body), leads=isinstance(following, (d.Display, d.Rows)))
            case d.BulletList(items, tight):
                return self.fill("bullets", items=[self.blocks(item) for item in items], tight=tight)
            case d.NumberedList(items, start, tight):
                return self.fill("numbers", items=[self.blocks(item) for item in items], start=start, tight=tight)
            case d.Quote(inside):
                return self.fill("quote", body=self.blocks(inside))
            case d.Callout(kind, title, inside, whole, marks):
                heading = self.inlines(title) if title else self.escape(callout_label(kind, self.document.language))
                if marks:
                    heading = Code(f"{heading} {self.escape('(' + marks_of(marks, self.document.language) + ')')}")
                return self.fill("callout", kind=kind, title=heading, body=self.blocks(inside), whole=whole)
            case d.Rule():
                return self.fill("rule")
            case d.Table():
                return self.table(block)
            case d.CodeBlock():
                return self.code_block(block)
            case d.Display(surface):
                return self.fill("display", formula=self.formula(surface, display=True), wide=False)
            case d.Rows():
                return self.rows(block)
            case d.Figure():
                return self.figure(block)
            case d.CodeCell():
                return self.code_cell(block)
            case d.Aligned() | d.Marking() | d.Later():
                raise TypeError("aligned formulas, marks and what comes later are laid out before they are written")

    def heading(self, heading: d.Heading) -> Code:
        """A heading."""
        return self.fill(
            "heading",
            level=heading.level,
            body=self.inlines(heading.body),
            plain=walk.plain_text(heading.body),
            anchor=heading.anchor,
            new_page=heading.new_page,
        )

    def table(self, table: d.Table) -> Code:
        """A table."""
        return self.fill(
            "table",
            header=[self.inlines(cell) for cell in table.header],
            rows=[[self.inlines(cell) for cell in row] for row in table.rows],
            alignments=table.alignments,
            shares=table.shares,
            tall=any(row_strut(row) for row in table.rows),
            number=table.number,
            caption=self.inlines(table.caption),
        )

    def figure(self, figure: d.Figure) -> Code:
        """A figure with its caption."""
        return self.fill(
            "figure",
            picture=self.picture(figure),
            number=figure.number,
            caption=self.inlines(figure.caption),
            alt=self.alt(figure),
        )

    def code_cell(self, cell: d.CodeCell) -> Code:
        """Code that was run: what it is, what it printed, and what it drew."""
        pictures = iter(cell.scales)
        return self.fill(
            "cell",
            source=self.source(cell),
            outputs=[
                {
                    "kind": type(output).__name__.lower(),
                    "body": self.drawn(output, next(pictures), cell)
                    if isinstance(output, Picture)
                    else self.printed(output, cell),
                }
                for output in _on_pages(cell.executed.visible)
                if isinstance(output, Picture) or output.text.strip("\n")
            ],
            label=self.labels["figure" if cell.executed.pictures else "listing"],
            number=cell.number,
            caption=self.inlines(cell.caption),
        )

    def alt(self, figure: d.Figure | d.CodeCell) -> str:
        """What the figure shows, in words."""
        alt = figure.alt if isinstance(figure, d.Figure) else ""
        return alt or walk.plain_text(figure.caption)

    def rows(self, rows: d.Rows) -> Code:
        """Aligned formulas."""
        cells = [
            {
                "left": self.row_left(row.left) if row.left is not None else Code(""),
                "right": self.row_right(row),
                "hangs": row.hangs,
                "note": self.inlines(row.note),
                "note_below": row.note_below,
                "indent": row.indent,
                "room": row.room,
                "sticky": row.sticky,
            }
            for row in rows.rows
        ]
        return self.fill("rows", rows=cells, scale=rows.scale, footer=self.inlines(rows.footer))

    def row_left(self, surface: Surface) -> Code:
        """The left side of a row."""
        return self.formula(surface, display=True)

    def row_right(self, row: d.Row) -> Code:
        """The relation sign and what stands right of it."""
        pieces = [
            self.sign(fragment) if isinstance(fragment, d.Sign) else self.formula(fragment, display=True)
            for fragment in row.right
        ]
        return Code(" ".join(([self.relation(row.operator)] if row.operator else []) + pieces))

    def fill(self, block: str, **values: Any) -> Code:
        """A block of the templates."""
        return self.templates.fill(block, labels=self.labels, **values)

    # -- inline pieces -----------------------------------------------------------------------------

    def inlines(self, body: d.Inlines) -> Code:
        """A sentence."""
        return Code("".join(self.inline(inline) for inline in body))

    def inline(self, inline: d.Inline) -> Code:
        """One piece of a sentence."""
        match inline:
            case d.Text(text):
                return self.escape(self.soft(text))
            case d.Math(surface):
                return self.fill("math", formula=self.formula(surface, display=False), wide=self.is_wide(surface))
            case d.Emphasis(body):
                return self.fill("emphasis", body=self.inlines(body))
            case d.Strong(body):
                return self.fill("strong", body=self.inlines(body))
            case d.CodeSpan(text):
                return self.code_span(text if self.breaks_words else soften_code(text))
            case d.Link(body, url):
                return self.link(self.inlines(body), url)
            case d.PageOf(anchor, before):
                return self.page_of(anchor, before)
            case d.Shade(text, level):
                return self.fill("shade", text=self.escape(self.soft(text)), level=level)
            case d.LineBreak():
                return self.fill("linebreak")

    def soft(self, text: str) -> str:
        """Words that can be broken where they are too long for a line."""
        return text if self.breaks_words else soften(text)

    def is_wide(self, surface: Surface) -> bool:
        """Whether a formula in a sentence is too wide for a narrow screen."""
        return False

    # -- what each output says in its own way ------------------------------------------------------

    @abstractmethod
    def escape(self, text: str) -> Code:
        """Words."""

    @abstractmethod
    def formula(self, surface: Surface, display: bool) -> Code:
        """A formula without the signs that start and end it."""

    @abstractmethod
    def relation(self, operator: str) -> Code:
        """A relation sign at the start of a row."""

    @abstractmethod
    def sign(self, sign: d.Sign) -> Code:
        """A sign where a formula was broken."""

    @abstractmethod
    def code_span(self, text: str) -> Code:
        """Code in a sentence."""

    @abstractmethod
    def code_block(self, block: d.CodeBlock) -> Code:
        """Code on lines of its own."""

    @abstractmethod
    def source(self, cell: d.CodeCell) -> Code:
        """The code of a cell."""

    @abstractmethod
    def printed(self, output: Printed | Raised, cell: d.CodeCell) -> Code:
        """What the code printed."""

    @abstractmethod
    def drawn(self, picture: Picture, scale: float, cell: d.CodeCell) -> Code:
        """What the code drew."""

    @abstractmethod
    def link(self, body: Code, url: str) -> Code:
        """A link."""

    @abstractmethod
    def page_of(self, anchor: str, before: str) -> Code:
        """The number of the page on which an anchor stands."""

    @abstractmethod
    def picture(self, figure: d.Figure) -> Code:
        """A drawing or a plot."""
