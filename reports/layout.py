"""Laying out a document: numbers of figures and tables, lines of long formulas, columns of tables. The writers only
spell the result.
"""

from __future__ import annotations

from dataclasses import replace

from derive.errors import RenderError
from derive.notation import surface as s
from reports import document as d
from reports import walk
from reports.breaking import INDENT, break_rows
from reports.measure import TEXT, measure, width
from reports.sentence_width import BOLD, inlines_width, least_width

LINE = 41.5
"""Width of the text on paper in em: 16 cm of 11 pt letters."""
LINE_CM = 16.0
INSET = {d.Callout: 1.4, d.BulletList: 2.2, d.NumberedList: 2.2, d.Quote: 2.0}
"""How much narrower the line is inside these blocks (em)."""
MAX_NESTING = 4
"""Lists, quotes and callouts inside one another; LaTeX's own lists end at four of a kind and six in all."""
_COLUMN_GAP = 1.1
_ROW_HEIGHT, _ROW_DEPTH, _ROW_SPACE = 0.97, 0.32, 0.3
_LINE_HEIGHT = 1.24
"""Distance of two lines of text (em)."""
_WHOLE = 18.0
"""Callouts of about so many lines stand on one page."""
_PICTURE_HEIGHT = 21.0
"""The highest picture (cm) that code may draw with its caption on a page."""
_CODE_INSET = 1.0
"""How much narrower than the line what code prints is (em)."""
_CODE_LETTER = 0.485
"""Width of a letter of displayed code (em): typewriter letters, one size smaller than the text."""


def lay_out(document: d.Document, line: float = LINE) -> d.Document:
    """The document with everything decided that depends on the width of the line.

    Raises
    ------
    RenderError : blocks are nested deeper than any output can show.
    """
    return replace(document, blocks=_Layout().blocks(document.blocks, line, 0))


class _Layout:
    """Walks the blocks in order and counts figures and tables."""

    def __init__(self) -> None:
        self.figures = 0
        self.listings = 0
        self.tables = 0

    def blocks(self, blocks: d.Blocks, line: float, depth: int) -> d.Blocks:
        if depth > MAX_NESTING:
            raise RenderError(
                f"lists, quotes and callouts are nested more than {MAX_NESTING} deep",
                hint="start a new section instead",
            )
        laid_out = ((block.line, self.block(block, line, depth)) for block in blocks if not _empty(block))
        return tuple(block if block.line == place else replace(block, line=place) for place, block in laid_out)

    def block(self, block: d.Block, line: float, depth: int) -> d.Block:
        match block:
            case d.Display(surface):
                return self.display(surface, line)
            case d.Aligned():
                return break_rows(block, line)
            case d.CodeBlock():
                return replace(block, columns=int(line / _CODE_LETTER))
            case d.Table():
                return self.table(block, line)
            case d.Figure():
                return self.figure(block, line)
            case d.CodeCell():
                return self.code_cell(block, line)
            case d.BulletList(items) | d.NumberedList(items):
                inner = tuple(self.blocks(item, line - INSET[type(block)], depth + 1) for item in items)
                return replace(block, items=inner)
            case d.Quote(inside):
                return replace(block, blocks=self.blocks(inside, line - INSET[d.Quote], depth + 1))
            case d.Callout():
                return self.callout(block, line - INSET[d.Callout], depth)
            case _:
                return block

    def callout(self, callout: d.Callout, line: float, depth: int) -> d.Callout:
        blocks = self.blocks(callout.blocks, line, depth + 1)
        return replace(callout, blocks=blocks, whole=sum(_height(block, line) for block in blocks) <= _WHOLE)

    def display(self, surface: s.Surface, line: float) -> d.Block:
        if width(surface) <= line - INDENT:
            return d.Display(surface)
        return break_rows(walk.aligned(surface), line)

    def figure(self, figure: d.Figure, line: float) -> d.Figure:
        number = 0
        if figure.caption:
            self.figures += 1
            number = self.figures
        available = LINE_CM * line / LINE
        return replace(figure, number=number, scale=round(min(1.0, available / figure.content.width), 4))

    def code_cell(self, cell: d.CodeCell, line: float) -> d.CodeCell:
        available = LINE_CM * line / LINE
        pictures = cell.executed.pictures
        number = 0
        if cell.caption and pictures:
            number = self.figures = self.figures + 1
        elif cell.caption and cell.executed.shown:
            number = self.listings = self.listings + 1
        scales = (min(1.0, available / one.width, _PICTURE_HEIGHT / one.height) for one in pictures)
        columns = int((line - _CODE_INSET) / _CODE_LETTER)
        return replace(cell, number=number, scales=tuple(round(scale, 4) for scale in scales), columns=columns)

    def table(self, table: d.Table, line: float) -> d.Table:
        """Fill up short rows, and share the line among the columns where the table is wider than it."""
        number = 0
        if table.caption:
            self.tables += 1
            number = self.tables
        count = max([len(table.header), *(len(row) for row in table.rows)], default=0)
        header, *rows = (_filled(row, count) for row in (table.header, *table.rows))
        missing: tuple[d.Alignment, ...] = tuple("left" for _ in range(count))
        alignments = (*table.alignments, *missing)[:count]
        least = _least_line([header, *rows])
        scale = next((scale for scale in TABLE_SCALES if least <= line / scale), TABLE_SCALES[-1])
        return replace(
            table,
            header=header,
            rows=tuple(rows),
            alignments=alignments,
            shares=_shares([header, *rows], line / scale),
            scale=scale,
            excess=round(max(0.0, least * scale / line - 1.0), 4),
            number=number,
        )


TABLE_SCALES = (1.0, 0.9, 0.82, 0.73)
"""Sizes of a table's letters that are tried, largest first: TeX's \\small, \\footnotesize and \\scriptsize."""


def _empty(block: d.Block) -> bool:
    """Whether a block has nothing to show; LaTeX does not accept empty lists and tables."""
    match block:
        case d.BulletList(items) | d.NumberedList(items):
            return not items
        case d.Aligned(lines):
            return not lines
        case d.Table(header, rows):
            return not any((header, *rows))
        case _:
            return False


def _height(block: d.Block, line: float) -> float:
    """About how many lines of text a block of a callout is high; more than any page for what may be of any height."""
    match block:
        case d.Paragraph(body):
            return 1.4 + inlines_width(body) / line
        case d.Display(surface):
            return 1.2 + measure(surface).total / _LINE_HEIGHT
        case d.Rows(rows):
            heights = (
                sum(measure(part).total for part in row.right[:1] if isinstance(part, s.Surface)) for row in rows
            )
            return 1.2 + sum(max(1.3, height / _LINE_HEIGHT + 0.4) for height in heights)
        case d.BulletList(items) | d.NumberedList(items):
            narrow = line - INSET[type(block)]
            return 0.8 + sum(_height(inner, narrow) - 0.4 for item in items for inner in item)
        case d.CodeBlock(text):
            return 2.0 + text.count("\n") + len(text) / (line / _CODE_LETTER)
        case _:
            return 2 * _WHOLE


def _filled(row: tuple[d.Inlines, ...], count: int) -> tuple[d.Inlines, ...]:
    return (*row, *(() for _ in range(count - len(row))))


def _least_line(rows: list[tuple[d.Inlines, ...]]) -> float:
    """The narrowest line on which a table can stand without one column running into the next, in em."""
    columns = list(zip(*rows, strict=True))
    return sum(map(_least_column, columns)) + _COLUMN_GAP * max(0, len(columns) - 1)


def _least_column(column: tuple[d.Inlines, ...]) -> float:
    return 1.05 * max(BOLD * least_width(column[0]), *map(least_width, column))


def _shares(rows: list[tuple[d.Inlines, ...]], line: float) -> tuple[float, ...]:
    """0 for columns as wide as their content; shares of the line for those whose content does not fit, wide columns
    giving way first.
    """
    columns = list(zip(*rows, strict=True))
    # The header is bold, and bold letters are wider.
    whole = [max(BOLD * inlines_width(column[0]), *map(inlines_width, column)) for column in columns]
    room = line - _COLUMN_GAP * max(0, len(columns) - 1)
    if sum(whole) <= room:
        return tuple(0.0 for _ in columns)
    least = list(map(_least_column, columns))
    # Where room is short, a header of several words goes on several lines.
    wanted = [max(least[k], *map(inlines_width, column[1:]), 0.0) for k, column in enumerate(columns)]
    fixed: dict[int, float] = {}
    while len(fixed) < len(columns):
        # Columns that need less than an even share keep their width, those that cannot be as narrow take what they
        # need; others share the rest.
        even = (room - sum(fixed.values())) / (len(columns) - len(fixed))
        more = {
            k: min(wanted[k], max(least[k], even))
            for k in range(len(columns))
            if k not in fixed and (wanted[k] <= even or least[k] > even)
        }
        fixed |= more or {k: even for k in range(len(columns)) if k not in fixed}
    spare = max(0.0, room - sum(fixed.values())) / sum(whole[k] - fixed[k] for k in fixed)
    fixed = {k: width + spare * (whole[k] - width) for k, width in fixed.items()}
    factor = min(1.0, room / sum(fixed.values()))
    natural = [factor == 1.0 and fixed[k] >= whole[k] for k in range(len(columns))]
    return tuple(0.0 if natural[k] else round(fixed[k] * factor / line, 4) for k in range(len(columns)))


def row_strut(row: tuple[d.Inlines, ...]) -> tuple[float, float] | None:
    """How far above and below its line (em) a row of a table needs room for its formulas; None where an ordinary row
    has enough.
    """
    extents = [
        measure(inline.surface, TEXT)
        for cell in row
        for inline in walk.inlines_below(cell)
        if isinstance(inline, d.Math)
    ]
    height = max((extent.height for extent in extents), default=0.0)
    depth = max((extent.depth for extent in extents), default=0.0)
    return None if height <= _ROW_HEIGHT and depth <= _ROW_DEPTH else (height + _ROW_SPACE, depth + _ROW_SPACE)
