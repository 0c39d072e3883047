"""Equations that tell cases apart, as one equation for each case with its condition beside it:

``\\delta_t = \\begin{cases} a & t = T \\\\ b & t < T \\end{cases}`` as ``\\delta_t = (a), t = T`` and ``\\delta_t = (b), t < T``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.errors import ParseError
from derive.notation.source import Source, Span
from verify.pieces import Pieces

MOST_CASES = 20
"""The most cases of one equation."""

_BEGIN = re.compile(
    r"\\begin\s*\{\s*[dr]?cases\*?\s*\}"
    r"|\\(?:left|[bB]igg?l?)\s*\\(?:\{|lbrace)\s*\\begin\s*\{\s*array\s*\}\s*(?:\{[^{}]*\})?"
)
_ENDED = re.compile(r"\s*(?:[dr]?cases\*?\s*\}|array\s*\}\s*(?:\\right\s*\.)?)")
_MARK = re.compile(r"\\begin\s*\{|\\end\s*\{|\\\\\*?(?:\[[^\[\]]*\])?|&|\\.|[{}]", re.DOTALL)
_OTHERWISE = re.compile(
    r"\s*(?:\\(?:text|textrm|mathrm|mbox|textit)\s*\{\s*)?(?:otherwise|else|sonst|in all other cases)\W*\Z",
    re.IGNORECASE,
)
_DOLLARS = re.compile(r"\\(?:text|textrm|mbox)\s*\{[^{}$]*\$([^$]*)\$[\s.,;]*\}")
_SIGN = re.compile(r"\\(?:leq?|geq?|leqslant|geqslant|neq?)(?![A-Za-z])|[=<>≤≥≠]")
_OPPOSITE = {
    "=": r"\ne", "≠": "=", "\\ne": "=", "\\neq": "=", "<": r"\ge", ">": r"\le", "≤": ">", "≥": "<",
    "\\le": ">", "\\leq": ">", "\\leqslant": ">", "\\ge": "<", "\\geq": "<", "\\geqslant": "<",
}  # fmt: skip
_AFTER = re.compile(r"(?:\s|[.,;]|\\(?:quad|qquad|,|;)|\\\\|\\end\s*\{[^{}]*\}|\\right\s*\.)*\Z")


def tells_cases(text: str) -> bool:
    """Whether a text has a distinction of cases."""
    return _BEGIN.search(text) is not None


def apart(source: Source) -> Iterator[Source]:
    """An equation for each case; every character knows where the author wrote it.

    Raises
    ------
    ParseError : several distinctions, one that does not end, or cases without conditions.
    """
    text = source.text
    begin = _BEGIN.search(text)
    if begin is None:
        yield source
        return
    rows, end = _rows(source, begin)
    if _BEGIN.search(text, begin.end()):
        raise ParseError("two distinctions of cases in one equation", span=Span(end, len(text), source), expected="one")
    if len(rows) > MOST_CASES:
        raise ParseError("too many cases", span=Span(begin.start(), end, source), expected=f"at most {MOST_CASES}")
    after = _AFTER.match(text, end) is not None
    alone = after and text[: begin.start()].rstrip(" \t\n&").endswith("=")
    conditions = [_plain(text[slice(*condition)]) for _, condition in rows]
    for number, (value, condition) in enumerate(rows):
        pieces = Pieces(source)
        pieces.take(0, begin.start())
        if alone:
            pieces.take(*value)
        else:
            pieces.add("(", value[0])
            pieces.take(*value)
            pieces.add(")", value[1])
        beside = Pieces(source)
        beside.add(r",\quad ", condition[0])
        if _OTHERWISE.match(conditions[number]):
            others = [*conditions[:number], *conditions[number + 1 :]]
            beside.add(_none_of(others, Span(*condition, source)), condition[0])
        else:
            inside = _DOLLARS.search(text, *condition)  # \text{if $t < T$}
            beside.take(*(inside.span(1) if inside is not None else condition))
        if after:
            pieces.join(beside)
        pieces.take(end, len(text))
        if not after:
            pieces.join(beside)
        yield pieces.whole()


def _plain(condition: str) -> str:
    """A condition without the words that it stands in."""
    inside = _DOLLARS.search(condition)
    return condition if inside is None else inside[1]


_Stretch = tuple[int, int]


def _rows(source: Source, begin: re.Match[str]) -> tuple[list[tuple[_Stretch, _Stretch]], int]:
    """The places of each value and its condition, and where the distinction ends."""
    text, start = source.text, begin.end()
    rows: list[tuple[_Stretch, _Stretch]] = []
    depth, cut = 0, None
    for mark in _MARK.finditer(text, start):
        sign = mark.group()
        closes = sign.startswith("\\end")
        if depth == 0 and (closes or sign.startswith("\\\\")):
            if cut is not None:
                rows.append((_trimmed(text, start, cut), _trimmed(text, cut + 1, mark.start())))
            elif text[start : mark.start()].strip():
                raise ParseError(
                    "a case does not say when it holds",
                    span=Span(*_trimmed(text, start, mark.start()), source),
                    expected="a condition behind &, such as & t = T",
                )
            start, cut = mark.end(), None
            if closes:
                name = _ENDED.match(text, mark.end())
                if name is None or not rows:
                    break
                return rows, name.end()
        elif sign == "&" and depth == 0 and cut is None:
            cut = mark.start()
        elif sign.startswith("\\begin"):
            depth += 2  # its brace, and all up to its end
        elif sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1  # the brace of \\end{...} opens what this closes
    raise ParseError("these cases do not end", span=Span(begin.start(), begin.end(), source), expected=r"\end{cases}")


def _trimmed(text: str, start: int, end: int) -> _Stretch:
    """A stretch without spaces around it and the mark at its end."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ",;."):
        end -= 1
    return start, end


def _none_of(conditions: Sequence[str], place: Span) -> str:
    """What holds where none of the conditions does."""
    found = []
    for condition in conditions:
        signs = _SIGN.findall(condition)
        if len(signs) != 1:
            raise ParseError(
                "this case holds where others do not, and they are too many to turn round",
                span=place,
                expected="a condition such as t < T",
            )
        found.append(_SIGN.sub(lambda sign: _OPPOSITE[sign[0]] + " ", condition))
    return ", ".join(found)


__all__ = ["apart", "tells_cases"]
