"""What will stick out of the page: formulas that could not be broken far enough, told with their line in the sheet.

The outputs agree on where formulas break (:mod:`reports.layout`), so this is found once, for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from derive.errors import clipped
from derive.notation import surface as s
from derive.notation.layout import is_tall
from derive.notation.write_plain import write_plain
from reports import document as d
from reports import walk
from reports.breaking import INDENT, STEP
from reports.layout import INSET, LINE
from reports.measure import RELATION_WIDTH, TEXT, sign_width, width

TOLERANCE = 1.04
"""Widths are estimates; what is wider than its space by less is not told."""

_BREAKING = frozenset({"odot", "cdot", "times", "otimes", "oslash", "ast"})
"""Products whose sign is printed, at which a formula in a sentence may break."""


def too_wide(document: d.Document) -> tuple[tuple[int, str], ...]:
    """Lines of the sheet (0 where they are not known) with what is too wide there, for a document that was laid out."""
    titles = [(0, piece) for body in (document.title, document.subtitle) for piece in _sentence(body, LINE)]
    return tuple(dict.fromkeys([*titles, *_blocks(document.blocks, LINE)]))


def _blocks(blocks: d.Blocks, line: float) -> Iterator[tuple[int, str]]:
    for block in blocks:
        yield from ((block.line, message) for message in _block(block, line))
        match block:
            case d.BulletList(items) | d.NumberedList(items):
                for item in items:
                    yield from _blocks(item, line - INSET[type(block)])
            case d.Quote() | d.Callout():
                yield from _blocks(block.blocks, line - INSET[type(block)])
            case _:
                pass


def _block(block: d.Block, line: float) -> Iterator[str]:
    """What is too wide in a block itself."""
    match block:
        case d.Rows():
            yield from _rows(block, line)
            yield from _sentence(block.footer, line)
        case d.Heading(_, body, _) | d.Paragraph(body):
            yield from _sentence(body, line)
        case d.Table():
            if block.excess > TOLERANCE - 1:
                yield f"this table is {block.excess:.0%} wider than the page (leave out a column, or shorten its words)"
            for row in (block.header, *block.rows):
                for cell in row:
                    yield from _sentence(cell, line)
            yield from _sentence(block.caption, line)
        case d.Figure() | d.CodeCell():
            yield from _sentence(block.caption, line)
        case d.Callout():
            yield from _sentence(block.title, line - INSET[d.Callout])
        case _:
            pass


# -- formulas on lines of their own ----------------------------------------------------------------


def _rows(block: d.Rows, line: float) -> Iterator[str]:
    room = line / block.scale - INDENT
    column = max((width(row.left) for row in block.rows if row.left is not None and not row.hangs), default=0.0)
    for row in block.rows:
        used = sum(_fragment(fragment) for fragment in row.right)
        if row.hangs:
            used += 0.0 if row.left is None else width(row.left)
        else:
            used += column + RELATION_WIDTH + row.indent * STEP
        if used > TOLERANCE * room:
            yield (
                f"this formula is wider than the page, and nothing in it can be broken: {_shown(row)} "
                "(name a part of it by an equation of its own)"
            )


def _fragment(fragment: d.Fragment) -> float:
    return sign_width(fragment.kind) if isinstance(fragment, d.Sign) else width(fragment)


def _shown(row: d.Row) -> str:
    pieces = [write_plain(row.left)] if row.left is not None else []
    pieces += [row.operator] if row.operator else []
    pieces += [fragment.kind if isinstance(fragment, d.Sign) else write_plain(fragment) for fragment in row.right]
    return clipped(" ".join(pieces), 70)


# -- formulas in sentences -------------------------------------------------------------------------


def _sentence(body: d.Inlines, line: float) -> Iterator[str]:
    for inline in walk.inlines_below(body):
        if isinstance(inline, d.Math) and widest_piece(inline.surface) > TOLERANCE * line:
            formula = clipped(write_plain(inline.surface), 70)
            yield (
                f"this formula is too wide for a line of text: {formula} "
                "(put it between $$ on lines of its own, where long formulas are broken)"
            )


def widest_piece(node: s.Surface) -> float:
    """The width of the widest piece of a formula in a sentence that no output breaks, in em.

    >>> from derive.notation.parser import parse_one
    >>> whole, broken = (parse_one(text).items[0] for text in ("A B C", "A + B C"))
    >>> widest_piece(whole) == width(whole, TEXT), widest_piece(broken) < width(broken, TEXT)
    (True, True)
    """
    return max(_pieces(node), default=0.0)


def _pieces(node: s.Surface) -> list[float]:
    """Widths of the parts between places where a formula may break: at relations, and at the signs of sums and products
    in no brackets that grow.
    """
    if isinstance(node, (s.Relation, s.Sum, s.Line)):
        return [piece for item in node.items for piece in _pieces(item)]
    if isinstance(node, s.Infix):
        return _joined([_pieces(item) for item in node.items], [operator in _BREAKING for operator in node.operators])
    if isinstance(node, s.Sequence):
        return _joined([_pieces(item) for item in node.items], [False] * (len(node.items) - 1))
    if isinstance(node, s.Bracket) and node.kind in ("(", "[", "group") and len(node.items) == 1 and not is_tall(node):
        return _pieces(node.items[0])
    if isinstance(node, s.Scripted) and isinstance(node.base, s.Bracket):
        return _joined([_pieces(node.base), [width(node, TEXT) - width(node.base, TEXT)]], [False])
    if isinstance(node, s.Big):
        return _joined([[width(node, TEXT) - width(node.body, TEXT)], _pieces(node.body)], [False])
    return [width(node, TEXT)]


def _joined(parts: Sequence[list[float]], breaks: Iterable[bool]) -> list[float]:
    """Pieces of neighbours; where no break is allowed between two, the last piece of one and the first of the next are
    one piece.
    """
    joined = list(parts[0])
    for part, breaking in zip(parts[1:], breaks, strict=True):
        if not breaking:
            joined[-1] += part[0]
        joined += part[0 if breaking else 1 :]
    return joined
