"""LaTeX source cut into raw tokens: commands, letters, numbers, environments, with comments and spaces left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from derive.notation import vocabulary as words
from derive.notation.source import Source

_RAW = re.compile(
    r"""
      (?P<comment>%[^\n]*)
    | (?P<newline>\n)
    | (?P<space>[ \t\r\f\v~$\u00a0\u2009]+|\\[\[\]()\s])
    | (?P<environment>\\(?:begin|end)\s*\{\s*[A-Za-z]+\*?\s*\})
    | (?P<break>\\\\\*?(?:\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in)\s*\])?)
    | (?P<command>\\(?:[A-Za-z]+\*?|.))
    | (?P<number>(?:\d+(?:(?:\.|\{,\})\d+)?|\.\d+)(?:e[+-]?\d+(?![.\d]))?)
    | (?P<letter>[^\W\d_])
    | (?P<other>.)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Raw:
    """A piece of the source; ``kind`` is the name of its group in the pattern, or ``end``."""

    kind: str
    text: str
    start: int
    end: int


def scan(source: Source) -> list[Raw]:
    """The raw tokens of a text, closed by one of kind ``end``."""
    raws = []
    for match in _RAW.finditer(source.text):
        kind = match.lastgroup or "other"
        if kind not in ("comment", "space"):
            raws.append(Raw(kind, match.group(), match.start(), match.end()))
    end = len(source.text)
    raws.append(Raw("end", "", end, end))
    return raws


def closings(raws: Sequence[Raw]) -> dict[int, int]:
    """Where each brace that is opened is closed."""
    found: dict[int, int] = {}
    open_: list[int] = []
    for k, raw in enumerate(raws):
        if raw.text == "{":
            open_.append(k)
        elif raw.text == "}" and open_:
            found[open_.pop()] = k
    return found


def starts_with_operator(raw: Raw) -> bool:
    """Whether a formula that breaks before this token goes on."""
    name = raw.text.lstrip("\\")
    if raw.kind == "command":
        return name in words.RELATIONS or name in words.PRODUCTS
    return (
        raw.text in ("=", "<", ">", "+", "-", "−", "*", "/")
        or raw.text in words.RELATIONS_UNICODE
        or raw.text in words.PRODUCTS_UNICODE
    )
