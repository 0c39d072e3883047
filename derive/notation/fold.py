"""Long lines of plain text folded for a terminal: at the signs of the outermost sum first, then at products, then
inside brackets.
"""

from __future__ import annotations

import re
from itertools import accumulate

_INDENT = "  "
_GAP = "   "
_HANGING = "      "
_BETWEEN = re.compile(r" (?=[=+\-≤≥≈<>] )|(?<=,) ")
_FACTOR = re.compile(r" (?=[*@·×⊗/] )")
_OPEN, _CLOSE = "([{", ")]}"


def beside(text: str, note: str, width: int, column: int) -> list[str]:
    """A line and a note beside it: the note stands at a column, further left where it would stick out, below where that
    is not enough.

    >>> beside("a = b", "[rule]", 40, 12)
    ['  a = b          [rule]']
    >>> beside("a = b + c", "[a long rule]", 24, 12)
    ['  a = b + c', '           [a long rule]']
    """
    lines = fold(text, width - len(_INDENT))
    lines = [_INDENT + line for line in lines]
    last = lines[-1]
    if len(last) + len(_GAP) + len(note) > width:
        return [*lines, note.rjust(width)]
    start = min(len(_INDENT) + column + len(_GAP), width - len(note))
    return [*lines[:-1], f"{last.ljust(start)}{note}"]


def fold(text: str, width: int) -> list[str]:
    """A formula in lines of at most ``width`` characters; what cannot be divided stays whole.

    >>> fold("y = a @ (b + c) + d @ e", 18)
    ['y = a @ (b + c)', '      + d @ e']
    """
    lines: list[str] = []
    start, lead = 0, ""
    while len(lead) + len(text) - start > width:
        cut = _cut(text, start, start + max(1, width - len(lead)))
        if cut < 0:
            break
        lines.append(lead + text[start:cut])
        start, lead = cut + 1, _HANGING
    return [*lines, lead + text[start:]]


def _cut(text: str, start: int, end: int) -> int:
    """The space at which a line ends: in the second half of the line, with few open brackets, between terms rather than
    factors, and late.

    Where no space is left in the line, the next one; -1 where there is none.
    """
    part = text[start : end + 2]
    depths = list(accumulate((char in _OPEN) - (char in _CLOSE) for char in part))
    ranks = {place: 2 for place, char in enumerate(part) if char == " " and 0 < place <= end - start}
    ranks |= {match.start(): 1 for match in _FACTOR.finditer(part) if match.start() in ranks}
    ranks |= {match.start(): 0 for match in _BETWEEN.finditer(part) if match.start() in ranks}
    late = [place for place in ranks if place > len(part) // 2] or list(ranks)
    if not late:
        return text.find(" ", end + 1)
    return start + min(late, key=lambda place: (ranks[place] == 2, depths[place], ranks[place], -place))
