"""A laid-out document in Typst, the way to a PDF where no TeX is installed."""

from __future__ import annotations

from typing import Any

from derive.notation.surface import Surface
from reports import document as d
from reports.code.executed import Picture, Printed, Raised
from reports.code.highlight import broken
from reports.draw_typst import draw_typst
from reports.drawing import Canvas
from reports.escape import Code, checked_url, escape_typst, typst_string
from reports.formulas import typst_formula
from reports.layout import row_strut
from reports.plot import draw_svg
from reports.signs import PRODUCTS, RELATIONS
from reports.softening import soften_code
from reports.templating import typst_templates
from reports.writer import Writer


class TypstWriter(Writer):
    """Writes Typst. Text stands in strings, where nothing is markup; plots stand in the file itself."""

    templates = typst_templates()

    def more(self) -> dict[str, Any]:
        letter = self.document.meta.get("paper") == "letter"
        # The text is 16 cm wide on both.
        return {"typst_paper": Code("us-letter" if letter else "a4"), "margin": Code("2.795cm" if letter else "2.5cm")}

    def table(self, table: d.Table) -> Code:
        rows = [[self.inlines(cell) for cell in row] for row in table.rows]
        tall = False
        for cells, row in zip(rows, table.rows, strict=True):
            strut = row_strut(row)
            if strut is not None:
                tall = True
                # The table's own insets give some of the room.
                height, depth = (length - 0.25 for length in strut)
                cells[0] = Code(f"#box(width: 0pt, height: {height + depth:.2f}em, baseline: {depth:.2f}em){cells[0]}")
        return self.fill(
            "table",
            header=[self.inlines(cell) for cell in table.header],
            rows=rows,
            tall=tall,
            alignments=table.alignments,
            shares=table.shares,
            scale=table.scale,
            number=table.number,
            caption=self.inlines(table.caption),
        )

    def code_block(self, block: d.CodeBlock) -> Code:
        return self.fill("code", text=_softened(block.text, block.columns))

    def source(self, cell: d.CodeCell) -> Code:
        lines = (part for line in cell.executed.source.split("\n") for part in broken([(line, "")], cell.columns))
        return typst_string("\n".join("".join(piece for piece, _ in line) for line in lines))

    def printed(self, output: Printed | Raised, cell: d.CodeCell) -> Code:
        return typst_string(_softened(output.text.strip("\n"), cell.columns))

    def drawn(self, picture: Picture, scale: float, cell: d.CodeCell) -> Code:
        return self._image(picture.svg, picture.width * scale, self.alt(cell))

    def picture(self, figure: d.Figure) -> Code:
        if isinstance(figure.content, Canvas):
            return draw_typst(figure.content, figure.scale)
        return self._image(draw_svg(figure.content), figure.content.width * figure.scale, self.alt(figure))

    def page_of_picture(self, figure: d.Figure) -> str:
        """A document that is one figure, on a page of its size."""
        return self.templates.page("picture", picture=self.picture(figure), **self.texts(), **self.more())

    def _image(self, svg: str, width: float, alt: str) -> Code:
        look = f'format: "svg", width: {width:g}cm, alt: {typst_string(alt)}'
        return Code(f"align(center, image(bytes({typst_string(svg)}), {look}))")

    def escape(self, text: str) -> Code:
        return escape_typst(text)

    def formula(self, surface: Surface, display: bool) -> Code:
        return typst_formula(surface)

    def row_right(self, row: d.Row) -> Code:
        # Typst leaves space around a sign only if something stands on both of its sides.
        right = super().row_right(row)
        return Code(f'"" {right}') if right else right

    def relation(self, operator: str) -> Code:
        return Code(RELATIONS[operator].typst)

    def sign(self, sign: d.Sign) -> Code:
        if sign.kind in ("(", "[", ")", "]"):
            return Code(f"lr(size: #1.8em, \\{sign.kind})" if sign.tall else f"\\{sign.kind}")
        return Code(PRODUCTS[sign.kind].typst if sign.kind in PRODUCTS else sign.kind)

    def code_span(self, text: str) -> Code:
        return Code(f"#raw({typst_string(text)})")

    def page_of(self, anchor: str, before: str) -> Code:
        return Code(f"{self.escape(before)}#context counter(page).at(label({typst_string(anchor)})).first()")

    def link(self, body: Code, url: str) -> Code:
        target = checked_url(url)
        goal = f"label({typst_string(target[1:])})" if target.startswith("#") else typst_string(target)
        return Code(f"#link({goal}, [{body}])")


def _softened(text: str, columns: int) -> str:
    """Code whose lines can be broken: a line of letters without a space would run off the page."""
    return "\n".join(soften_code(line) if len(line) > columns else line for line in text.rstrip("\n").split("\n"))
