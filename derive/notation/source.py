"""Where something stands in the user's text."""

from __future__ import annotations

from dataclasses import dataclass, field

_WIDTH = 100
"""Longest excerpt line shown in an error message; longer lines are cut around the place."""


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the name it is known by (a path, or ``<text>``)."""

    text: str
    name: str = "<text>"
    line_offset: int = 0
    """Lines that stand above this text in the file it was taken from."""


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of a source."""

    start: int
    end: int
    source: Source = field(compare=False, repr=False)

    @property
    def line(self) -> int:
        """Line number, from 1."""
        return self.source.text.count("\n", 0, self.start) + 1 + self.source.line_offset

    @property
    def column(self) -> int:
        """Column number, from 1."""
        return self.start - (self.source.text.rfind("\n", 0, self.start) + 1) + 1

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def where(self) -> str:
        """``line 3, column 7``, with the file's name where there is one."""
        place = f"line {self.line}, column {self.column}"
        return place if self.source.name == "<text>" else f"{self.source.name}, {place}"

    def excerpt(self) -> str:
        """The line of text with carets under this span."""
        text = self.source.text
        begin = text.rfind("\n", 0, self.start) + 1
        end = text.find("\n", self.start)
        end = len(text) if end < 0 else end
        first, last = self.start - begin, max(self.start + 1, min(self.end, end)) - begin
        line = text[begin:end]
        cut = max(0, first - _WIDTH // 2)
        line = line[cut : cut + _WIDTH]
        first, last = first - cut, min(last - cut, max(len(line), first - cut + 1))
        # Tabs keep their width, so that the caret stands under the character that the user sees.
        pad = "".join("\t" if c == "\t" else " " for c in line[:first])
        return f"    {line.rstrip()}\n    {pad}{'^' * max(1, last - first)}"

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of ``other``."""
        return Span(min(self.start, other.start), max(self.end, other.end), self.source)
