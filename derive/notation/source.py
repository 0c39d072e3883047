"""Where something stands in the user's text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from derive.errors import clipped, is_invisible, visible

_WIDTH = 96
"""Longest excerpt line shown in an error message; longer lines are cut around the place."""


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the name it is known by (a path, or ``<text>``)."""

    text: str
    name: str = "<text>"
    line_offset: int = 0
    """Lines that stand above this text in the file it was taken from."""
    original: Source | None = None
    """The text that this one was taken from, where it is a part of another, or one with macros written out."""
    places: Sequence[int] = ()
    """For each character of this text, and its end, where it stands in the original."""

    def part(self, start: int, end: int) -> Source:
        """A piece of this text that knows where it stands."""
        return Source(self.text[start:end], self.name, 0, self, range(start, end + 1))


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of a source."""

    start: int
    end: int
    source: Source = field(compare=False, repr=False)

    @property
    def original(self) -> Span:
        """The same place in the text that the user wrote."""
        span = self
        while span.source.original is not None:
            places = span.source.places
            start = places[min(span.start, len(places) - 1)]
            end = places[min(max(span.start, span.end - 1), len(places) - 1)] + (span.end > span.start)
            span = Span(start, max(start, end), span.source.original)
        return span

    @property
    def line(self) -> int:
        """Line number, from 1."""
        if self.source.original is not None:
            return self.original.line
        return self.source.text.count("\n", 0, self.start) + 1 + self.source.line_offset

    @property
    def column(self) -> int:
        """Column number, from 1."""
        if self.source.original is not None:
            return self.original.column
        return self.start - (self.source.text.rfind("\n", 0, self.start) + 1) + 1

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def where(self) -> str:
        """``line 3, column 7``, with the file's name where there is one."""
        place = f"line {self.line}, column {self.column}"
        return place if self.source.name == "<text>" else f"{clipped(visible(self.source.name), 120)}, {place}"

    def excerpt(self) -> str:
        """The line of text with carets under this span; of a long line, the part around it."""
        if self.source.original is not None:
            return self.original.excerpt()
        text = self.source.text
        begin = text.rfind("\n", 0, self.start) + 1
        end = text.find("\n", self.start)
        end = len(text) if end < 0 else end
        first, last = self.start - begin, max(self.start + 1, min(self.end, end)) - begin
        line, cut = _window(text[begin:end], first)
        first, last = first - cut, min(last - cut, max(len(line), first - cut + 1))
        pad = "".join(_blank(char) for char in line[:first])
        shown = "".join("?" if is_invisible(char) else char for char in line)
        return f"    {shown.rstrip()}\n    {pad}{'^' * max(1, sum(_columns(char) for char in line[first:last]))}"

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of ``other``."""
        return Span(min(self.start, other.start), max(self.end, other.end), self.source)


def _window(line: str, place: int) -> tuple[str, int]:
    """The part of a line around a place, and how many characters fewer stand before the place in it."""
    if len(line) <= _WIDTH:
        return line, 0
    cut = min(max(0, place - _WIDTH // 2), len(line) - _WIDTH)
    before, after = ("... " if cut else ""), (" ..." if cut + _WIDTH < len(line) else "")
    return f"{before}{line[cut + len(before) : cut + _WIDTH - len(after)]}{after}", cut


def _columns(char: str) -> int:
    """How many columns a terminal gives to a character."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _blank(char: str) -> str:
    """Space of the same width: tabs keep theirs, so that the caret stands under the character that the user sees."""
    return "\t" if char == "\t" else " " * _columns(char)
