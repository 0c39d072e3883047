"""How wide a sentence will be."""

from __future__ import annotations

from reports import document as d
from reports.measure import text_width, width

BOLD = 1.15
"""Bold letters are so much wider."""


def inlines_width(body: d.Inlines) -> float:
    """The width of a sentence on one line, in em."""
    total = 0.0
    for inline in body:
        match inline:
            case d.Math(surface):
                total += width(surface, 1)
            case d.CodeSpan(text):
                total += 0.525 * len(text)
            case d.Emphasis(inner) | d.Strong(inner) | d.Link(inner, _):
                total += BOLD * inlines_width(inner)
            case d.Text(text) | d.Shade(text, _):
                total += text_width(text)
            case d.PageOf(_, before):
                total += text_width(before) + 1.5
            case d.LineBreak():
                pass
    return total


def least_width(body: d.Inlines) -> float:
    """The width of the longest piece of a sentence that cannot be broken, in em."""
    widest = 0.0
    for inline in body:
        match inline:
            case d.Text(text):
                widest = max(widest, *(text_width(word) for word in text.split()), 0.0)
            case d.Emphasis(inner) | d.Strong(inner) | d.Link(inner, _):
                widest = max(widest, BOLD * least_width(inner))
            case _:
                widest = max(widest, inlines_width((inline,)))
    return widest
