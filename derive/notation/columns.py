"""What stands beside an equation in its line, set off by a column or by wide space: the number of the equation, a condition, words, or
another equation.

TeX sets the columns of ``align`` in pairs, right and left: ``a &= b & c &= d`` are two equations, and in ``a &= b && (2)`` the number is no
factor. What is set off so gets a comma before it, and numbers are left out; whether a formula goes on across the space is told by the
signs at its ends. Where a number may be a factor as well, it is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from derive.errors import ParseError
from derive.notation import vocabulary as words
from derive.notation.latex_scan import Raw, closings, starts_with_operator
from derive.notation.source import Source, Span

_PAIR = 4
"""So many cells are looked at for the two sides of an equation."""
_WIDE = frozenset({"\\quad", "\\qquad", "\\hfill", "\\eqno", "\\leqno"})
_WIDE_WITH_GROUP = frozenset({"\\hspace", "\\hspace*", "\\phantom", "\\hphantom"})
_TELLING = _WIDE | _WIDE_WITH_GROUP | {"&", ")", "]"}
"""A text without any of these has nothing set off."""
_NARROW = re.compile(r"\\[,;:> ]|~|\\(?:enspace|enskip|thinspace|medspace)(?![A-Za-z])")
_WITHOUT_MEANING = frozenset(f"\\{name}" for name in words.IGNORED)
_WITH_GROUP = frozenset({"\\label", "\\tag", "\\tag*"})
_OPENING = frozenset({"(", "[", "{", "\\{", "\\lbrace", "\\lbrack", "\\langle", "\\left", "\\lVert", "\\lvert", "⟨"})
_CLOSING = frozenset({")", "]", "}", "\\}", "\\rbrace", "\\rbrack", "\\rangle", "\\right", "\\rVert", "\\rvert", "⟩"})
_BIG = frozenset(
    {"\\sum", "\\prod", "∑", "∏", "\\nabla", "∇", "\\partial", "∂", *(f"\\{f}" for f in words.FUNCTION_COMMANDS)}
)
_TEXT = r"\\(?:text|textrm|textnormal|textit|textbf|mbox)"
_REMARK = re.compile(rf"{_TEXT}\s*\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}[\s.,;]*")
_DIGITS = r"[1-9]\d{0,2}(?:[.\-–]\d{1,3})*[a-z]?'{0,2}"
_SIGNS = r"(?:[*†‡]|\\(?:star|ast|dagger|ddagger)(?![A-Za-z])\s*)+"
_LABEL = rf"[A-Z]\.?\d{{1,2}}(?:\.\d+)*|[a-e]|i{{1,3}}|iv|vi{{1,3}}|{_SIGNS}"
_WORD = r"(?:(?:eq|equation|gl|gleichung)s?\.?[~\s]*)?"
_NUMBER = re.compile(
    rf"(?:{_WORD}[(\[]\s*{_WORD}(?:{_DIGITS}|{_LABEL}|\\ref\s*\{{[^{{}}]*\}})\s*[)\]]|\\eqref\s*\{{[^{{}}]*\}})[\s.,;]*",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"\d+(?:\.\d+)?|[(\[]\s*\d+(?:\.\d+)?\s*[)\]]")
_COLOUR = r"\\(?:text)?color\s*\{[^{}]*\}"
_SET = rf"(?:\\(?:mathrm|mathbf|boldsymbol|bm|boxed|fbox)|{_COLOUR})"
_SHORT = rf"(?:{_SET}\s*)*\{{*\s*[(\[]\s*(?:{_DIGITS}|{_SIGNS})\s*[)\]]\s*\}}*"
_AT_FRONT = re.compile(rf"{_SHORT}(?!\s*(?:[\^_'!(),.;]|\\(?:left|bigl?)\s*\(|\Z))")
_AT_END = re.compile(rf"(?:{_NARROW.pattern}|(?<=[^\d)\]\s])\s+)\s*{_SHORT}[\s.,;]*\Z")
_STYLE = re.compile(rf"(?:{_TEXT}|{_SET}|\\tag\*?)\s*(?=\{{)|{_COLOUR}|\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])")


class ChainInterrupted(ParseError):
    """A line goes on below, behind what stands beside it."""


@dataclass
class _Cell:
    """Some tokens between columns or wide spaces, by their first and last position."""

    first: int
    last: int
    column: int
    gap: int = -1
    """The token before it that sets it off; -1 at the start of a line."""


@dataclass
class _Row:
    """A line, by its cells."""

    cells: list[_Cell] = field(default_factory=list)
    begins: bool = False
    """Whether an environment of lines begins or ends before it."""
    ends: bool = False
    """Whether one begins or ends behind it."""
    spaced: bool = False
    """Whether it has columns or wide spaces."""
    beside: bool = False
    """Whether something stands beside its equation."""
    own: bool = False
    """Whether that stands in a column, and thus beside this line alone."""


def in_columns(raws: Sequence[Raw], source: Source, newlines: bool) -> list[Raw]:
    """The tokens with commas before what is set off, and without the numbers of equations.

    Raises
    ------
    ParseError : a number may be a factor as well as that of the equation, or a column is neither equation, condition nor words.
    """
    if not any(raw.text in _TELLING for raw in raws):
        return list(raws)
    return _Reader(raws, source).read(newlines)


class _Reader:
    def __init__(self, raws: Sequence[Raw], source: Source) -> None:
        self.raws, self.source = raws, source
        self.closings = closings(raws)
        self.dropped: set[int] = set()
        self.changed: dict[int, list[Raw]] = {}

    def read(self, newlines: bool) -> list[Raw]:
        before = _Row()
        for row in self._rows(newlines):
            self._leave_out_numbers(row)
            if not row.cells:
                continue
            self._set_off(row)
            goes_on = bool(before.cells) and not row.begins and self._operates(row.cells[0])
            if goes_on and (before.beside or row.own):
                raise ChainInterrupted(
                    "the formula goes on behind what stands beside one of its lines",
                    span=self._place(row.cells[0]),
                    expected="a condition at the end, or a line of its own",
                )
            before = row
        return [new for k, raw in enumerate(self.raws) if k not in self.dropped for new in self.changed.get(k, [raw])]

    # -- lines and cells ---------------------------------------------------------------------------

    def _rows(self, newlines: bool) -> Iterator[_Row]:
        """The lines; what stands in brackets or in a matrix is no line."""
        row, depth, outer = _Row(), 0, list[int]()
        start, column, gap, k = 0, 0, -1, 0
        while k < len(self.raws):
            raw = self.raws[k]
            lines = raw.kind == "environment" and _environment(raw) in words.LINE_ENVIRONMENTS
            ends = raw.kind == "end" or (raw.kind == "break" and depth <= 0)
            ends = ends or (raw.kind == "newline" and newlines and depth <= 0 and not outer)
            after = self._space(k) if depth <= 0 else k
            if lines or ends or (raw.text == "&" and depth <= 0) or after > k:
                self._cell(row, start, k, column, gap)
                after = max(after, k + 1)
                start, gap = after, k
                row.spaced = row.spaced or not (lines or ends)
                column += raw.text == "&"
            if lines or ends:
                row.ends = lines
                yield row
                row, column, gap = _Row(begins=lines), 0, -1
            if lines:
                depth = self._turn(raw, outer, depth)
                if raw.text.startswith("\\begin") and _environment(raw) in ("alignedat", "alignat"):
                    start = after = self._behind_group(k + 1)
            elif raw.kind == "environment":
                depth += 1 if raw.text.startswith("\\begin") else -1
            else:
                depth += (raw.text in _OPENING) - (raw.text in _CLOSING)
            k = max(after, k + 1)

    @staticmethod
    def _turn(raw: Raw, outer: list[int], depth: int) -> int:
        """The depth behind the beginning or the end of an environment of lines."""
        if raw.text.startswith("\\begin"):
            outer.append(depth)
            return 0
        return outer.pop() if outer else 0

    def _cell(self, row: _Row, start: int, end: int, column: int, gap: int) -> None:
        """The cell of some tokens, without those at its ends that mean nothing."""
        kept, k = list[int](), start
        while k < end:
            if self.raws[k].text in _WITH_GROUP:
                k = self._behind_group(k + 1)
                continue
            if not (self.raws[k].kind == "newline" or self.raws[k].text in _WITHOUT_MEANING):
                kept.append(k)
            k += 1
        while kept and self.raws[kept[-1]].text == ".":
            kept.pop()
        if kept:
            row.cells.append(_Cell(kept[0], kept[-1], column, gap))

    def _space(self, k: int) -> int:
        """Behind a wide space; the place itself where there is none."""
        raw = self.raws[k]
        if raw.text in _WIDE:
            self.dropped |= {k} if "eqno" in raw.text else set()
            return k + 1
        if raw.text not in _WIDE_WITH_GROUP:
            return k
        end = self._behind_group(k + 1)
        return k if self.raws[min(k + 2, len(self.raws) - 1)].text == "-" else end

    def _behind_group(self, k: int) -> int:
        return min(self.closings.get(k, k) + 1, len(self.raws) - 1)

    # -- numbers of equations ----------------------------------------------------------------------

    def _leave_out_numbers(self, row: _Row) -> None:
        for k, cell in enumerate(row.cells):
            before = row.cells[k - 1] if k else None
            after = row.cells[k + 1] if k + 1 < len(row.cells) else None
            alone = self._is_label(cell)
            if before is None and not alone:
                self._number_at_front(cell)
            if after is None and not alone:
                self._number_at_end(cell)
            set_off = row.spaced or row.begins or row.ends
            if set_off and alone and not self._is_operand(before, after, listed=self._is_number(cell)):
                if not self._is_number(cell) or not self._is_beside(before, after):
                    raise self._doubt(self._place(cell))
                self.dropped |= set(range(cell.first, cell.last + 1))
                if before is not None and after is None and self._ends_in_comma(before):
                    self.dropped.add(before.last)
        row.cells = [cell for cell in row.cells if cell.first not in self.dropped]

    def _is_label(self, cell: _Cell) -> bool:
        return self._is_number(cell) or _DECIMAL.fullmatch(self._bare(cell)) is not None

    def _is_number(self, cell: _Cell) -> bool:
        return _NUMBER.fullmatch(self._bare(cell)) is not None

    def _is_operand(self, before: _Cell | None, after: _Cell | None, listed: bool) -> bool:
        """Whether a formula needs what stands between two cells, or behind a comma."""
        if before is not None:
            return self._awaits(before) and not (listed and self._ends_in_comma(before))
        return after is not None and self._operates(after) and not (listed and self._relates_first(after))

    def _is_beside(self, before: _Cell | None, after: _Cell | None) -> bool:
        """Whether what stands between two cells is in the way of no formula: at an end of the line, or between two equations."""
        if after is None or (before is None and not self._operates(after)):
            return True
        return before is not None and self._relates(before) and self._relates(after) and not self._operates(after)

    def _number_at_front(self, cell: _Cell) -> None:
        found = _AT_FRONT.match(self._text(cell))
        last = next((k for k in range(cell.first, cell.last) if self.raws[k].text in (")", "]")), None)
        if found is not None and last is not None and _is_balanced(found.group()) and not self._operates_at(last + 1):
            self._leave_out(cell.first)

    def _number_at_end(self, cell: _Cell) -> None:
        found = _AT_END.search(self._text(cell))
        if found is None or not _is_balanced(found.group()):
            return
        first = next(k for k in range(cell.last, cell.first, -1) if self.raws[k].text in ("(", "["))
        if not self._awaits(_Cell(cell.first, self._meaning_before(first), 0)):
            self._leave_out(first)

    def _meaning_before(self, k: int) -> int:
        k -= 1
        while k > 0 and self.raws[k].text in _WITHOUT_MEANING:
            k -= 1
        return k

    def _leave_out(self, first: int) -> None:
        """Leave out the marks of an equation, such as (*); a number that is hardly set off may be a factor."""
        last = next(k for k in range(first, len(self.raws)) if self.raws[k].text in (")", "]"))
        if any(raw.kind == "number" for raw in self.raws[first:last]):
            raise self._doubt(Span(self.raws[first].start, self.raws[last].end, self.source))
        self.dropped |= set(range(first, last + 1))

    @staticmethod
    def _doubt(place: Span) -> ParseError:
        return ParseError(
            "it is not clear whether this is a factor or the number of the equation",
            span=place,
            expected=r"\tag{...} for a number, or the factor without parentheses",
        )

    # -- what else is set off ----------------------------------------------------------------------

    def _set_off(self, row: _Row) -> None:
        """Put commas before the conditions, equations and words of a line."""
        first = row.cells[0]
        complete = self._relates(first) or self._operates(first)  # whether an equation stands to the left
        for k, (before, cell) in enumerate(pairwise(row.cells), 1):
            columns = before.column // 2 != cell.column // 2
            if self._awaits(before) or (self._operates(cell) and not self._remark(before)):
                if columns and complete and self._is_signed_equation(before, row.cells[k : k + _PAIR]):
                    raise self._unread(cell)
                complete = complete or self._relates(cell)
                continue
            if self._remark(cell):
                self._say(cell)
            elif not self._remark(before):
                if not self._equates(row.cells[k : k + _PAIR]):
                    if columns:
                        raise self._unread(cell)
                    continue
                if complete:
                    self._separate(cell)
                    row.own = row.own or columns
                elif columns:
                    raise self._unread(cell)
                else:
                    complete = True
                    continue
            row.beside = True
            complete = self._relates(cell)

    def _is_signed_equation(self, before: _Cell, cells: Sequence[_Cell]) -> bool:
        """Whether an equation may begin with the sign of a cell, as in ``a &= b & -c &= d``."""
        signed = self.raws[cells[0].first].text in ("+", "-", "−") and not self._awaits(before)
        return signed and self._equates(cells)

    def _separate(self, cell: _Cell) -> None:
        raw = self.raws[cell.gap]
        self.changed[cell.gap] = [Raw("other", ",", raw.start, raw.end)]
        if raw.text in _WIDE_WITH_GROUP:
            self.dropped |= set(range(cell.gap + 1, self._behind_group(cell.gap + 1)))

    def _say(self, cell: _Cell) -> None:
        """A cell of words alone, which are no names then."""
        start, end = self.raws[cell.first].start, self.raws[cell.last].end
        said = _REMARK.fullmatch(self._text(cell))
        self.changed[cell.first] = [Raw("remark", said[1] if said else "", start, end)]
        self.dropped |= set(range(cell.first + 1, cell.last + 1))

    def _unread(self, cell: _Cell) -> ParseError:
        return ParseError(
            "it is not clear what this column says of the equation beside it",
            span=self._place(cell),
            expected=r"another equation, a condition such as t < T, or words in \text{...}",
        )

    # -- looking at cells --------------------------------------------------------------------------

    def _place(self, cell: _Cell) -> Span:
        return Span(self.raws[cell.first].start, self.raws[cell.last].end, self.source)

    def _text(self, cell: _Cell) -> str:
        return self._place(cell).text

    def _bare(self, cell: _Cell) -> str:
        """The text without braces and styles."""
        text = _STYLE.sub("", self._text(cell))
        return text if "ref" in text else text.replace("{", "").replace("}", "").strip()

    def _remark(self, cell: _Cell) -> bool:
        return _REMARK.fullmatch(self._text(cell)) is not None

    def _operates(self, cell: _Cell) -> bool:
        return _goes_on(self.raws[cell.first])

    def _operates_at(self, k: int) -> bool:
        """Whether a sign, or nothing, follows a token."""
        while self.raws[k].text in _WITHOUT_MEANING:
            k += 1
        return self.raws[k].kind in ("end", "break", "newline") or _goes_on(self.raws[k])

    def _relates(self, cell: _Cell) -> bool:
        return any(_is_relation(raw) for raw in self.raws[cell.first : cell.last + 1])

    def _relates_first(self, cell: _Cell) -> bool:
        return _is_relation(self.raws[cell.first])

    def _equates(self, cells: Sequence[_Cell]) -> bool:
        """Whether a cell, with those of its pair of columns, is an equation or a condition."""
        cell, *others = cells
        pair = (other for other in others if other.column // 2 == cell.column // 2 and self._operates(other))
        return self.raws[cell.first].text == "\\forall" or self._relates(cell) or any(map(self._relates, pair))

    def _awaits(self, cell: _Cell) -> bool:
        """Whether a formula does not end with a cell: a sign, a comma or a sum stands last."""
        k = cell.last
        while k - 1 > cell.first and (opening := self._script(cell.first, k)) is not None:
            k = opening
        raw = self.raws[k]
        return _goes_on(raw) or raw.text in _BIG or self._ends_in_comma(cell)

    def _ends_in_comma(self, cell: _Cell) -> bool:
        return self.raws[cell.last].text in (",", ";")

    def _script(self, first: int, last: int) -> int | None:
        """The token before a script that ends at ``last``."""
        k = last
        if self.raws[k].text == "}":
            depth = 0
            for k in range(last, first, -1):
                depth += {"}": 1, "{": -1}.get(self.raws[k].text, 0)
                if depth == 0:
                    break
        return k - 2 if k - 2 >= first and self.raws[k - 1].text in ("_", "^") else None


def _is_balanced(text: str) -> bool:
    return text.count("{") == text.count("}")


def _environment(raw: Raw) -> str:
    return raw.text.split("{")[1].strip(" \t\n*}")


def _is_relation(raw: Raw) -> bool:
    name = raw.text.lstrip("\\")
    return (
        raw.text in ("=", "<", ">")
        or raw.text in words.RELATIONS_UNICODE
        or (raw.kind == "command" and name in words.RELATIONS)
    )


def _goes_on(raw: Raw) -> bool:
    return starts_with_operator(raw) or raw.text in ("^", "_", "'", ":", "\\overset", "\\stackrel", "\\underset")


__all__ = ["ChainInterrupted", "in_columns"]
