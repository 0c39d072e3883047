"""What a sheet expects its code to print: words as they are, numbers to the digits that are written."""

from __future__ import annotations

import re
from decimal import Decimal

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]*\w)")


def agrees(expected: str, printed: str) -> bool:
    """Whether what was printed is what was expected. Space counts only as space; a number agrees if it gives, rounded,
    the digits that are written.

    >>> agrees("loss 0.693", "loss  0.69314718\\n")
    True
    >>> agrees("loss 0.694", "loss 0.69314718")
    False
    """
    wanted, found = _tokens(expected), _tokens(printed)
    return len(wanted) == len(found) and all(_same(one, other) for one, other in zip(wanted, found, strict=True))


def _tokens(text: str) -> list[str | Decimal]:
    """Words and numbers, one after another."""
    tokens: list[str | Decimal] = []
    text = " ".join(text.split())
    at = 0
    for match in _NUMBER.finditer(text):
        tokens += [*_words(text[at : match.start()]), Decimal(match.group())]
        at = match.end()
    return [*tokens, *_words(text[at:])]


def _words(text: str) -> list[str]:
    """Words and signs; NumPy's brackets hold as much space as the widest number needs."""
    return re.findall(r"[\w.]+|[^\w\s]", text)


def _same(wanted: str | Decimal, found: str | Decimal) -> bool:
    if isinstance(wanted, Decimal) and isinstance(found, Decimal):
        exponent = wanted.as_tuple().exponent
        unit = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(1)
        return abs(wanted - found) <= unit / 2
    return wanted == found
