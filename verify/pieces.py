"""A text made of pieces of another, each character of which knows where the author wrote it."""

from __future__ import annotations

from derive.notation.source import Source


class Pieces:
    """A text made of pieces of another."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text, self.places = "", list[int]()

    def take(self, start: int, end: int) -> None:
        """A stretch of the other text."""
        self.text += self.source.text[start:end]
        self.places += range(start, end)

    def add(self, text: str, place: int) -> None:
        """Something new that stands for a place in it."""
        self.text += text
        self.places += [place] * len(text)

    def join(self, more: Pieces) -> None:
        self.text += more.text
        self.places += more.places

    def whole(self) -> Source:
        return Source(self.text, self.source.name, 0, self.source, [*self.places, len(self.source.text)])


__all__ = ["Pieces"]
