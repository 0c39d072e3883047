"""Places at which words may break that are longer than words are: an address, a hash, a line without spaces."""

from __future__ import annotations

import re

LONGEST = 36
"""Letters of the longest word that is left alone."""

_PIECE = 4
_WORD = re.compile(rf"\S{{{LONGEST + 1},}}")
_CODE = re.compile(r"[/_.\\=@:]")
_HYPHEN, _NOTHING = "\u00ad", "\u200b"


def soften(text: str) -> str:
    """Words with places at which a line may end: with a hyphen, or without one where the word is no word of a language.

    >>> soften("short words stay") == "short words stay"
    True
    >>> soften("x" * 40).count("\\u00ad")
    9
    """
    return _WORD.sub(lambda match: _divided(match.group(), _NOTHING if _CODE.search(match.group()) else _HYPHEN), text)


def soften_code(text: str) -> str:
    """The same for code, in which a hyphen would be read as a sign."""
    return _WORD.sub(lambda match: _divided(match.group(), _NOTHING), text)


def _divided(word: str, mark: str) -> str:
    return mark.join(word[k : k + _PIECE] for k in range(0, len(word), _PIECE))
