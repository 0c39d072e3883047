"""Where things stand in a Markdown file: Markdown takes lines apart and strips them, errors must point into the file as
it was written.
"""

from __future__ import annotations

from bisect import bisect_right

from derive.errors import BpttError
from derive.notation.source import Source, Span


class FileText:
    """A file and the places of its lines (counted from 0)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def span(self, start: int, end: int) -> Span:
        """Characters of the file."""
        return Span(start, max(start + 1, end), self.source)

    def line_span(self, line: int) -> Span:
        """The visible part of a line."""
        line = min(line, len(self.lines) - 1)
        text = self.lines[line]
        start = self.starts[line] + len(text) - len(text.lstrip())
        return self.span(start, self.starts[line] + len(text.rstrip()))


class Excerpt:
    """A text that Markdown took out of the file, line by line, without what stood before and after each line."""

    def __init__(self, file: FileText, content: str, first_line: int, start: int = 0) -> None:
        self.file = file
        self.content = content
        self.origins: list[tuple[int, int]] = []
        """For each line of the content, where it starts in the content and in the file."""
        offset = 0
        for k, line in enumerate(content.split("\n")):
            number = min(first_line + k, len(file.lines) - 1)
            written = file.lines[number]
            # What Markdown removes stands before the line (quote marks, list marks, indentation), so the last
            # occurrence is meant.
            column = (
                written.find(line, start)
                if k == 0 and start
                else written.rfind(line.strip()) - (len(line) - len(line.lstrip()))
            )
            self.origins.append((offset, file.starts[number] + max(0, column)))
            offset += len(line) + 1

    def place(self, index: int) -> int:
        """Where a character of the content stands in the file."""
        offset, origin = self.origins[bisect_right(self.origins, max(0, index), key=lambda pair: pair[0]) - 1]
        return origin + index - offset

    def span(self, start: int, end: int) -> Span:
        """Characters of the content."""
        return self.file.span(self.place(start), self.place(max(start, end - 1)) + 1)

    def moved(self, error: BpttError, text: str, at: int) -> BpttError:
        """An error about ``text``, which stands at ``at`` in the content, as an error about the file."""
        span = error.span
        if span is not None and span.source.text == text:
            error.span = self.span(at + span.start, at + max(span.end, span.start + 1))
        elif span is None:
            error.span = self.span(at, at + len(text))
        return error
