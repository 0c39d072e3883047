"""A laid-out document as one HTML file: MathML, inline SVG, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from derive.notation.surface import Surface
from reports import document as d
from reports import walk
from reports.code.executed import Picture, Printed, Raised
from reports.code.highlight import highlighted
from reports.draw_svg import draw_svg
from reports.drawing import Canvas
from reports.escape import Code, checked_url, escape_html
from reports.formulas import mathml_formula, mathml_inside
from reports.measure import TEXT, width
from reports.panels import Panels
from reports.plot_svg import inline_svg, inlined
from reports.signs import PRODUCTS, RELATIONS
from reports.templating import html_templates
from reports.writer import Writer

_WIDE = 16.0
"""Formulas in a sentence that are wider (em) get a scroll box of their own; a telephone shows about 20 em."""
_PUNCTUATION = re.compile(r"[.,;:!?)\]’”]+")
_CONTENTS_FROM = 3
"""A table of contents is shown from this many headings on."""


class HtmlWriter(Writer):
    """Writes HTML."""

    templates = html_templates()
    breaks_words = True

    def __init__(self, document: d.Document) -> None:
        super().__init__(document)
        self.plots = 0

    def more(self) -> dict[str, Any]:
        style = self.templates.source("style.css")
        if self.document.meta.get("paper") == "letter":
            style = style.replace("size: A4", "size: letter")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        headings = [
            block
            for block in walk.all_blocks(self.document.blocks)
            if self.document.outlined and isinstance(block, d.Heading) and block.anchor and block.level <= 3
        ]
        contents = [
            {"level": heading.level, "anchor": heading.anchor, "body": self.inlines(_without_links(heading.body))}
            for heading in headings
        ]
        # The policy allows this style sheet by its fingerprint and nothing else.
        return {
            "style": Code(style),
            "style_hash": f"sha256-{digest}",
            "points": any(_has_points(block) for block in walk.all_blocks(self.document.blocks)),
            "contents": contents if len(contents) >= _CONTENTS_FROM else [],
        }

    def code_block(self, block: d.CodeBlock) -> Code:
        return self.fill("code", text=block.text.rstrip("\n"))

    def picture(self, figure: d.Figure) -> Code:
        if isinstance(figure.content, Canvas):
            return draw_svg(figure.content, self.alt(figure))
        self.plots += 1
        return Code(inline_svg(figure.content, f"plot-{self.plots}", self.alt(figure)))

    def source(self, cell: d.CodeCell) -> Code:
        lines = (
            "".join(
                f'<span class="code-{kind}">{escape_html(text)}</span>' if kind else escape_html(text)
                for text, kind in line
            )
            for line in highlighted(cell.executed.source)
        )
        return Code("\n".join(lines))

    def printed(self, output: Printed | Raised, cell: d.CodeCell) -> Code:
        return escape_html(output.text.strip("\n"))

    def drawn(self, picture: Picture, scale: float, cell: d.CodeCell) -> Code:
        self.plots += 1
        size = (round(picture.width * scale, 4), round(picture.height * scale, 4))
        return Code(inlined(picture.svg, *size, f"plot-{self.plots}", self.alt(cell)))

    def escape(self, text: str) -> Code:
        return escape_html(text)

    def formula(self, surface: Surface, display: bool) -> Code:
        return mathml_formula(surface, display)

    def row_left(self, surface: Surface) -> Code:
        return Code(f'<math displaystyle="true"><mrow>{mathml_inside(surface)}</mrow></math>')

    def row_right(self, row: d.Row) -> Code:
        """Relation sign, fragments and signs in one ``math`` element, so that their spacing is that of one formula."""
        pieces = [self.relation(row.operator)] if row.operator else []
        pieces += [
            self.sign(fragment) if isinstance(fragment, d.Sign) else mathml_inside(fragment) for fragment in row.right
        ]
        return Code(f'<math displaystyle="true"><mrow>{"".join(pieces)}</mrow></math>' if pieces else "")

    def relation(self, operator: str) -> Code:
        return Code(f'<mo form="infix">{escape_html(RELATIONS[operator].character)}</mo>')

    def sign(self, sign: d.Sign) -> Code:
        if sign.kind in ("(", "[", ")", "]"):
            size = ' stretchy="true" minsize="1.8em" maxsize="1.8em"' if sign.tall else ' stretchy="false"'
            return Code(f'<mo form="{"prefix" if sign.kind in "([" else "postfix"}"{size}>{sign.kind}</mo>')
        character = PRODUCTS[sign.kind].character if sign.kind in PRODUCTS else sign.kind
        return Code(f'<mo form="infix">{escape_html(character)}</mo>')

    def inlines(self, body: d.Inlines) -> Code:
        """A sentence; a formula and the punctuation after it stay on one line."""
        pieces: list[str] = []
        for k, inline in enumerate(body):
            before = body[k - 1] if k else None
            mark = (
                _PUNCTUATION.match(inline.text) if isinstance(inline, d.Text) and isinstance(before, d.Math) else None
            )
            if mark is not None and isinstance(inline, d.Text) and isinstance(before, d.Math):
                wide = self.is_wide(before.surface)
                # A box that scrolls holds the punctuation, too; else it would stand on the next line.
                formula = pieces[-1].removesuffix("</span>") if wide else f'<span class="together">{pieces[-1]}'
                pieces[-1] = f"{formula}{self.escape(mark.group())}</span>"
                inline = d.Text(inline.text[mark.end() :])
            pieces.append(self.inline(inline))
        return Code("".join(pieces))

    def is_wide(self, surface: Surface) -> bool:
        return width(surface, TEXT) > _WIDE

    def code_span(self, text: str) -> Code:
        return Code(f"<code>{escape_html(text)}</code>")

    def page_of(self, anchor: str, before: str) -> Code:
        return Code("")

    def link(self, body: Code, url: str) -> Code:
        target = checked_url(url)
        elsewhere = "" if target.startswith("#") else ' rel="noreferrer"'
        return Code(f'<a href="{escape_html(target)}"{elsewhere}>{body}</a>')


def _has_points(block: d.Block) -> bool:
    """Whether a block shows pictures of points."""
    match block:
        case d.CodeCell(executed):
            return any("data:image" in picture.svg for picture in executed.pictures)
        case d.Figure(content):
            return isinstance(content, Panels)
    return False


def _without_links(body: d.Inlines) -> d.Inlines:
    """A heading's words for the table of contents, where each entry is a link itself."""
    return tuple(
        piece for inline in body for piece in (_without_links(inline.body) if isinstance(inline, d.Link) else (inline,))
    )
