"""Breaking long formulas into lines, once for all outputs.

A right-hand side that is too long is taken apart only as far as needed: first at the signs of the outermost sum, then
at its products, then inside brackets. Where to break is then chosen as TeX chooses for paragraphs: all possibilities
are weighed, and deep breaks, many lines and ragged lines cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from derive.notation import surface as s
from reports.document import Aligned, AlignedLine, Fragment, Inlines, Row, Rows, Sign
from reports.measure import RELATION_WIDTH, sign_width, tall, width
from reports.sentence_width import inlines_width

INDENT = 1.6
"""How far displayed formulas stand in from the margin (em)."""
STEP = 1.2
"""How much further right each continuation stands (em)."""
NOTE_SIZE = 0.82
"""Size of notes relative to the text."""
NOTE_GAP = 1.5
SHORT = 4
"""So many rows stay on one page; of more, the first two and the last two stay together."""
SCALES = (1.0, 0.9, 0.8)
"""Sizes that are tried, largest first, for formulas that nothing else makes fit."""
_WIDEST_LEFT = 0.42
"""A left side wider than this share of the line stands on a line of its own."""
_LEAST_ROOM = 12.0
_LONG = 10
"""Rows of a formula that stay on one page; of a longer one, the first two and the last two."""
_CLOSING = {"(": ")", "[": "]"}
_NOTHING = s.Bracket("group", ())
"""Stands for what is printed apart from its sign or its scripts."""
_TOO_WIDE, _PER_ROW, _PER_DEPTH, _IN_PRODUCT, _RAGGED = 1e6, 1.0, 2.0, 8.0, 0.8
"""What lines cost that stick out, that there are at all, that start deep inside, that part factors, and that are not
full.
"""


@dataclass(frozen=True)
class _Part:
    """A fragment, and whether the line may break before it: at what cost, with which sign added if it does."""

    fragment: Fragment
    cost: float | None = None
    added: str = ""

    @property
    def width(self) -> float:
        return sign_width(self.fragment.kind) if isinstance(self.fragment, Sign) else width(self.fragment)


def note_width(note: Inlines) -> float:
    """The width of a note in em of the text."""
    return inlines_width(note) * NOTE_SIZE


def break_rows(block: Aligned, line: float) -> Rows:
    """Aligned formulas as rows no wider than ``line`` em, in smaller letters if nothing else helps."""
    for scale in SCALES:
        rows, fits = _rows(block.lines, line / scale)
        if fits:
            break
    return Rows(_together(rows), scale, block.footer)


def _together(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows that say after which of them no page may end."""
    last = len(rows) - 1
    short = len(rows) <= SHORT
    kept = _formulas_kept(rows)
    # What is defined or computed is not parted from the first row that says how.
    opens = [bool(row.left) and k < last and not rows[k + 1].left for k, row in enumerate(rows)]
    return tuple(
        replace(row, sticky=k < last and (short or k in (0, last - 1) or kept[k] or opens[k] or row.hangs))
        for k, row in enumerate(rows)
    )


def _formulas_kept(rows: Sequence[Row]) -> list[bool]:
    """For each row, whether the next one belongs to it: the rows of one formula stay together, unless they might fill
    the page.
    """
    starts = [k for k, row in enumerate(rows) if row.indent == 0] + [len(rows)]
    kept = [False] * len(rows)
    for start, end in pairwise(starts):
        for k in range(start, end - 1):
            kept[k] = end - start <= _LONG or k in (start, end - 2)
    return kept


def _rows(lines: Sequence[AlignedLine], line: float) -> tuple[list[Row], bool]:
    left = [width(entry.lhs) for entry in lines if entry.lhs is not None and not _hangs(entry, line)]
    column = max(left, default=STEP if any(entry.lhs is not None for entry in lines) else 0.0)
    space = line - INDENT - column - (RELATION_WIDTH if any(entry.operator for entry in lines) else 0.0)
    rows: list[Row] = []
    fits = True
    for entry in lines:
        broken, good = _entry(entry, space, line - INDENT if _hangs(entry, line) else None)
        rows += broken
        fits = fits and good
    return rows, fits


def _hangs(entry: AlignedLine, line: float) -> bool:
    return entry.lhs is not None and entry.operator != "" and width(entry.lhs) > _WIDEST_LEFT * line


def _entry(entry: AlignedLine, space: float, whole: float | None) -> tuple[list[Row], bool]:
    """The rows of one line, and whether they all fit. ``whole``: the space for a left side that hangs."""
    hanging = break_formula(entry.lhs, whole) if entry.lhs is not None and whole is not None else []
    above = [Row(right=fragments, indent=int(k > 0), hangs=True) for k, fragments in enumerate(hanging)]
    rows = [
        Row(
            entry.lhs if k == 0 and not hanging else None,
            entry.operator if k == 0 else "",
            fragments,
            indent=int(k > 0),
        )
        for k, fragments in enumerate(break_formula(entry.rhs, space))
    ]
    used = [_row_width(row) for row in rows]
    if entry.note:
        beside = used[-1] + NOTE_GAP + note_width(entry.note) <= space
        rows[-1] = replace(rows[-1], note=entry.note, note_below=not beside, room=round(max(space, _LEAST_ROOM), 2))
    left = width(entry.lhs) if entry.lhs is not None and not hanging else 0.0
    fits = max(used) <= space and left <= space and max(map(_row_width, above), default=0.0) <= (whole or 0.0)
    return [*above, *rows], fits


def _row_width(row: Row) -> float:
    return row.indent * STEP + sum(_Part(fragment).width for fragment in row.right)


def break_formula(formula: s.Surface, space: float) -> list[tuple[Fragment, ...]]:
    """A formula as lines of fragments; continuations are ``STEP`` narrower. One line holding the formula itself if it
    fits.

    >>> from derive.notation.parser import parse_one
    >>> lines = break_formula(parse_one("A B C D + E F G H - K L M N").items[0], 6)
    >>> [line[0].kind for line in lines[1:]]
    ['+', '-']
    """
    if width(formula) <= space:
        return [(formula,)]
    return _choose(_parts(formula, space - STEP, 0), space)


def _parts(node: s.Surface, space: float, depth: int) -> list[_Part]:
    """A formula taken apart until each piece fits the space, or cannot be taken apart."""
    while isinstance(node, s.Bracket) and node.kind == "group" and len(node.items) == 1:
        node = node.items[0]
    if width(node) <= space and depth > 0:
        return [_Part(node)]
    if isinstance(node, s.Line):
        return _line_parts(node, space, depth)
    if isinstance(node, s.Sum):
        return _sum_parts(node, space, depth)
    if isinstance(node, s.Infix):
        return _product_parts(node, space, depth)
    if isinstance(node, s.Bracket) and node.kind in _CLOSING and len(node.items) == 1:
        opening, closing = Sign(node.kind, tall(node)), Sign(_CLOSING[node.kind], tall(node))
        return [_Part(opening), *_parts(node.items[0], space - 1.0, depth + 1), _Part(closing)]
    if isinstance(node, s.Matrix) and all(len(row) == 1 for row in node.rows):
        return _stacked_parts([row[0] for row in node.rows], space, depth)
    if isinstance(node, s.Scripted) and isinstance(node.base, s.Bracket):
        # The scripts stay at the closing bracket.
        return [*_parts(node.base, space - 1.0, depth), _Part(replace(node, base=_NOTHING))]
    if isinstance(node, s.Big):
        return [_Part(replace(node, body=_NOTHING)), *_parts(node.body, space - 2.0, depth + 1)]
    if isinstance(node, s.Sequence):
        pieces = [_parts(item, space, depth + 1) for item in node.items]
        return [part for piece in pieces for part in piece]
    return [_Part(node)]


def _line_parts(node: s.Line, space: float, depth: int) -> list[_Part]:
    parts: list[_Part] = []
    for k, item in enumerate(node.items):
        pieces = _parts(item, space, depth + 1)
        # A comma ends its line, so the break comes before the first piece of what follows it.
        parts += [replace(pieces[0], cost=_PER_DEPTH * depth if k else None), *pieces[1:]]
        if k + 1 < len(node.items):
            parts.append(_Part(Sign(",")))
    return parts


def _stacked_parts(entries: Sequence[s.Surface], space: float, depth: int) -> list[_Part]:
    """A column that is too wide to be shown as one: its entries one after another, [a; b]."""
    parts = [_Part(Sign("["))]
    for k, entry in enumerate(entries):
        pieces = _parts(entry, space - 1.0, depth + 1)
        parts += [_Part(Sign(";")), replace(pieces[0], cost=0.0), *pieces[1:]] if k else pieces
    return [*parts, _Part(Sign("]"))]


def _sum_parts(node: s.Sum, space: float, depth: int) -> list[_Part]:
    parts: list[_Part] = []
    for k, (sign, item) in enumerate(zip(node.signs, node.items, strict=True)):
        if k or sign < 0:
            parts.append(_Part(Sign("-" if sign < 0 else "+"), _PER_DEPTH * depth if k else None))
        parts += _parts(item, space - sign_width("+"), depth + 1)
    return parts


def _product_parts(node: s.Infix, space: float, depth: int) -> list[_Part]:
    parts = _parts(node.items[0], space, depth + 1)
    cost = _PER_DEPTH * (depth + 1) + _IN_PRODUCT
    for operator, item in zip(node.operators, node.items[1:], strict=True):
        pieces = _parts(item, space - sign_width("cdot"), depth + 1)
        if operator in ("at", "by"):
            # Factors side by side have no sign; a break there needs one, or the line would look finished.
            parts += [replace(pieces[0], cost=cost, added="cdot"), *pieces[1:]]
        else:
            parts += [_Part(Sign(operator), cost), *pieces]
    return parts


def _choose(parts: Sequence[_Part], space: float) -> list[tuple[Fragment, ...]]:
    """The cheapest way to break, over all ways."""
    ends = [0.0]
    for part in parts:
        ends.append(ends[-1] + part.width)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(parts) + 1):
        options: list[tuple[float, int]] = []
        for start in reversed(range(end)):
            first = parts[start]
            if start and first.cost is None:
                continue
            if options and ends[end] - ends[start] > space:
                # Longer lines still stick out further, and two that stick out less are better than one.
                break
            room = space - (STEP if start else 0.0) - (sign_width(first.added) if start and first.added else 0.0)
            options.append(
                (
                    best[start][0] + _cost(ends[end] - ends[start], room, first.cost or 0.0, last=end == len(parts)),
                    start,
                )
            )
        best.append(min(options))
    cuts = [len(parts)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    cuts.reverse()
    return [_fragments(parts[a:b], continued=a > 0) for a, b in pairwise(cuts)]


def _cost(used: float, room: float, breaking: float, last: bool) -> float:
    if used > room:
        return _TOO_WIDE * (1 + used - room)
    # A last line may be short, but a line with a single short term looks lost.
    wanted = room / 3 if last else room
    ragged = _RAGGED * (max(0.0, wanted - used) / wanted) ** 2
    return _PER_ROW + breaking + ragged


def _fragments(parts: Sequence[_Part], continued: bool) -> tuple[Fragment, ...]:
    added = (Sign(parts[0].added),) if continued and parts[0].added else ()
    return (*added, *(part.fragment for part in parts))
