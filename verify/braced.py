"""Equations below braces, as equations of their own: ``\\underbrace{X}_{=: g_t}`` says that g_t is X."""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.notation.source import Source
from verify.macros import group_end
from verify.pieces import Pieces

_BRACE = re.compile(r"\\(?:under|over)brace\s*(?=\{)")
_NOTE = re.compile(r"\s*[_^]\s*(?=\{)")
_SIGN = re.compile(
    r"\s*(?P<defines>=\s*:|:\s*=|≔|≕|\\(?:coloneqq?|eqq?colon|vcentcolon\s*=|triangleq|doteq)(?![A-Za-z]))\s*|\s*=(?!=)\s*"
)


def without_equations_at_braces(source: Source) -> tuple[Source, list[Source]]:
    """A text with blanks for the equations at its braces, and these."""
    text, found = source.text, list[Source]()
    for whole, note in _notes(source.text):
        sign = _SIGN.match(source.text, *note)
        if sign is None:
            continue
        pieces = Pieces(source)
        pieces.take(sign.end(), note[1])
        pieces.add(" := " if sign["defines"] else " = ", note[0])
        pieces.take(*whole)
        found.append(pieces.whole())
        text = text[: whole[1]] + " " * (note[1] + 1 - whole[1]) + text[note[1] + 1 :]
    return (Source(text, source.name, 0, source, range(len(text) + 1)), found) if found else (source, [])


def _notes(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where the group at each brace stands, and what is noted there."""
    for brace in _BRACE.finditer(text):
        end = group_end(text, brace.end())
        note = None if end is None else _NOTE.match(text, end)
        close = None if note is None else group_end(text, note.end())
        if end is not None and note is not None and close is not None:
            yield (brace.end(), end), (note.end() + 1, close - 1)


__all__ = ["without_equations_at_braces"]
