"""A laid-out document in LaTeX."""

from __future__ import annotations

import re
from typing import Any

from derive.notation.surface import Surface
from reports import document as d
from reports import walk
from reports.code.executed import Picture, Printed, Raised
from reports.code.highlight import broken, highlighted
from reports.code.pictures import as_pdf
from reports.draw_tikz import draw_tikz
from reports.drawing import Canvas
from reports.escape import Code, checked_url, escape_tex, escape_tex_code
from reports.formats import STYLE
from reports.formulas import latex_formula
from reports.layout import TABLE_SCALES, row_strut
from reports.output import asset_stem
from reports.plot import draw_pdf
from reports.signs import PRODUCTS, RELATIONS
from reports.templating import latex_templates
from reports.writer import Writer, shown_blocks

_COMMANDS = (r"\section", r"\subsection", r"\subsubsection")
_COLUMNS = {"left": "l", "center": "c", "right": "r"}
_PARAGRAPHS = {"left": r"\raggedright", "center": r"\centering", "right": r"\raggedleft"}
_SIZES = dict(zip(TABLE_SCALES, ("", r"\small", r"\footnotesize", r"\scriptsize"), strict=True))
"""TeX's names of the sizes of letters in tables."""

_TABLE_ROWS = 30
"""Rows after which a table goes on in a second one, so that it can break over pages; half as many where cells take
several lines.
"""
_LONG_LINE = 4000
_ORIGIN = re.compile("\x02(\\d+)\x03")
_BREAK_AFTER = frozenset("/_.,=:-")


class LatexWriter(Writer):
    """Writes LaTeX. ``assets`` holds the files that it needs beside it: plots as PDF, named after ``name``."""

    templates = latex_templates()

    def __init__(self, document: d.Document, name: str) -> None:
        super().__init__(document)
        self.name = name
        self.assets: dict[str, bytes] = {}
        self.origins: list[tuple[int, int]] = []
        """Where blocks start: the line of LaTeX, and the line of the sheet. Filled in by :meth:`write`."""

    def more(self) -> dict[str, Any]:
        blocks = list(walk.all_blocks(self.document.blocks))
        contents = [block.content for block in blocks if isinstance(block, d.Figure)]
        cells = [block.executed for block in blocks if isinstance(block, d.CodeCell) and block.executed.shown]
        return {
            "drawings": any(isinstance(content, Canvas) for content in contents),
            "plots": any(not isinstance(content, Canvas) for content in contents)
            or any(cell.pictures for cell in cells),
            "cells": bool(cells),
        }

    def write(self) -> str:
        written = _wrapped(super().write())
        pieces, at, line = [], 0, 1
        for match in _ORIGIN.finditer(written):
            pieces.append(written[at : match.start()])
            line += pieces[-1].count("\n")
            self.origins.append((line, int(match.group(1))))
            at = match.end()
        return "".join([*pieces, written[at:]])

    def fragment(self) -> dict[str, bytes]:
        """The body alone, to be read by another document, and the package that it needs."""
        body = _ORIGIN.sub("", _wrapped(self.blocks(self.document.blocks)))
        stem = f"{self.name}-fragment"
        written = self.templates.page("fragment", name=stem, body=Code(body))
        style = self.templates.page("style", language="en", drawings=True, plots=True, cells=True)
        return {f"{stem}.tex": written.encode(), STYLE: style.encode(), **self.assets}

    # -- blocks ------------------------------------------------------------------------------------

    def block(self, block: d.Block, following: d.Block | None = None) -> Code:
        # No text of a document holds these signs; they are gone when the file is complete.
        return Code((f"\x02{block.line}\x03" if block.line else "") + super().block(block, following))

    def blocks(self, blocks: d.Blocks) -> Code:
        """Blocks one after another. Around a displayed formula stands no empty line: to LaTeX that would be a new
        paragraph.
        """
        text = ""
        previous: d.Block | None = None
        for block in shown_blocks(blocks):
            tight = isinstance(block, (d.Display, d.Rows)) or isinstance(previous, (d.Display, d.Rows))
            text += ("" if previous is None else "\n" if tight else "\n\n") + self.block(block).rstrip("\n")
            previous = block
        return Code(text)

    def heading(self, heading: d.Heading) -> Code:
        command = Code(_COMMANDS[min(heading.level, 3) - 1])
        return self.fill(
            "heading",
            command=command,
            body=self.inlines(heading.body),
            plain=walk.plain_text(heading.body),
            anchor=heading.anchor,
            new_page=heading.new_page,
        )

    def table(self, table: d.Table) -> Code:
        size = _TABLE_ROWS // 2 if any(table.shares) else _TABLE_ROWS
        rows = [_with_strut([self.inlines(cell) for cell in row], row, table.shares) for row in table.rows]
        return self.fill(
            "table",
            header=[self.inlines(cell) for cell in table.header],
            parts=[rows[k : k + size] for k in range(0, max(1, len(rows)), size)],
            columns=[
                _column(*pair, "m" if any(row_strut(row) for row in table.rows) else "p")
                for pair in zip(table.alignments, table.shares, strict=True)
            ],
            apart=any(table.shares),
            number=table.number,
            caption=self.inlines(table.caption),
            size=Code(_SIZES[table.scale]),
        )

    def code_block(self, block: d.CodeBlock) -> Code:
        return self.fill("code", lines=_plain_lines(block.text.rstrip("\n").expandtabs(4), block.columns))

    def source(self, cell: d.CodeCell) -> Code:
        lines = [part for line in highlighted(cell.executed.source) for part in broken(line, cell.columns)]
        return Code(
            "\n".join(
                "".join(
                    f"\\code{kind}{{{escape_tex_code(text)}}}" if kind else escape_tex_code(text) for text, kind in line
                )
                for line in lines
            )
        )

    def printed(self, output: Printed | Raised, cell: d.CodeCell) -> Code:
        return Code("\n".join(_plain_lines(output.text.strip("\n"), cell.columns)))

    def drawn(self, picture: Picture, scale: float, cell: d.CodeCell) -> Code:
        return self._asset(as_pdf(picture), picture.width * scale)

    def picture(self, figure: d.Figure) -> Code:
        if isinstance(figure.content, Canvas):
            return draw_tikz(figure.content, figure.scale)
        return self._asset(draw_pdf(figure.content), figure.content.width * figure.scale)

    def _asset(self, pdf: bytes, width: float) -> Code:
        """A picture in a file of its own."""
        file = f"{asset_stem(self.name)}-fig{len(self.assets) + 1}.pdf"
        self.assets[file] = pdf
        return Code(f"\\includegraphics[width={width:g}cm]{{{file}}}")

    # -- inline pieces -----------------------------------------------------------------------------

    def escape(self, text: str) -> Code:
        return escape_tex(text)

    def formula(self, surface: Surface, display: bool) -> Code:
        return latex_formula(surface)

    def relation(self, operator: str) -> Code:
        return Code(RELATIONS[operator].latex)

    def sign(self, sign: d.Sign) -> Code:
        if sign.kind in ("(", "["):
            return Code(f"\\Bigl{sign.kind}" if sign.tall else sign.kind)
        if sign.kind in (")", "]"):
            return Code(f"\\Bigr{sign.kind}" if sign.tall else sign.kind)
        return Code(PRODUCTS[sign.kind].latex if sign.kind in PRODUCTS else sign.kind)

    def code_span(self, text: str) -> Code:
        pieces = []
        for k, char in enumerate(text):
            written = {"'": r"\textquotesingle{}", " ": r"\ " if text[k - 1 : k] == " " else " "}.get(
                char
            ) or escape_tex(char)
            pieces.append(f"{written}{{}}" if char in ",-<>" else written)
            if char in _BREAK_AFTER and len(text) > 12:
                pieces.append(r"\allowbreak{}")
        return Code(f"\\texttt{{{''.join(pieces)}}}")

    def page_of(self, anchor: str, before: str) -> Code:
        return Code(f"{escape_tex(before)}\\pageref{{{escape_tex(anchor)}}}")

    def link(self, body: Code, url: str) -> Code:
        target = checked_url(url)
        if target.startswith("#"):
            return Code(f"\\hyperref[{escape_tex(target[1:])}]{{{body}}}")
        # All other special characters were percent-encoded, or mean nothing to hyperref.
        special = {"%": r"\%", "#": r"\#", "~": r"\%7E"}
        return Code(f"\\href{{{''.join(special.get(char, char) for char in target)}}}{{{body}}}")


def _wrapped(source: str) -> str:
    """The same LaTeX with no line so long that TeX refuses it: to TeX, the end of a line is a space. Lines of code are
    never that long.
    """
    lines = source.split("\n")
    return "\n".join(
        re.sub(rf"(.{{{_LONG_LINE // 2},}}?[^\\ ]) (?=[^ %])", r"\1\n", line) if len(line) > _LONG_LINE else line
        for line in lines
    )


def _column(alignment: str, share: float, kind: str) -> Code:
    """A column as wide as its content, or a paragraph: ``p`` with the first lines of a row side by side, ``m`` centred
    on high formulas.
    """
    if not share:
        return Code(_COLUMNS[alignment])
    return Code(f">{{{_PARAGRAPHS[alignment]}\\arraybackslash}}{kind}{{{share:g}\\linewidth}}")


def _with_strut(cells: list[Code], row: tuple[d.Inlines, ...], shares: tuple[float, ...]) -> list[Code]:
    """Cells of a row that is as high as its formulas; LaTeX would let a high formula touch the row above. A paragraph
    is centred on the line of the other cells, so the strut stands in a cell that is no paragraph, if there is one."""
    strut = row_strut(row)
    if strut is None:
        return cells
    height, depth = strut
    rule = Code(f"\\rule[{-depth:.2f}em]{{0pt}}{{{height + depth:.2f}em}}")
    place = next((k for k, share in enumerate(shares) if not share), 0)
    return [Code(rule + cell) if k == place else cell for k, cell in enumerate(cells)]


def _plain_lines(text: str, columns: int) -> list[Code]:
    """Lines of code that fit, without colours."""
    parts = (part for line in text.split("\n") for part in broken([(line, "")], columns))
    return [escape_tex_code("".join(piece for piece, _ in part)) for part in parts]
