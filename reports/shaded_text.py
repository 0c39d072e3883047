"""A text whose tokens carry values, typeset on grounds that are as strong as these.

>>> text = {"title": "A text", "tokens": ["so", "good"], "values": {"gradient": [0.1, -2.0]}, "above": "blame", "below": "praise"}
>>> _, paragraph = shaded(text)
>>> paragraph.body[-3:]
(Shade(text='so', level=0), Text(text=' '), Shade(text='good', level=-5))
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports import document as d


def shaded(text: Mapping[str, Any]) -> Iterator[d.Paragraph]:
    """Its title and note, and the text as often as there are values of its tokens; the strongest ground is that of the largest value."""
    title = str(text["title"])
    title += "" if title.endswith((".", "!", "?", "”")) else "."
    yield d.Paragraph((d.Strong(d.words(title)), *d.words(f" {text['note']}" if text.get("note") else "")))
    up, down = d.Shade(str(text["above"]), 3), d.Shade(str(text["below"]), -3)
    for name, values in text["values"].items():
        largest = max(map(abs, values), default=0.0)
        legend = (d.Emphasis(d.words(str(name).capitalize())), *d.words(", for "), up, *d.words(" or "), down)
        total = f" (sum {math.fsum(values):.4g}, largest {largest:.4g}): ".replace("-", "−")
        yield d.Paragraph((*legend, *d.words(total), *_on_grounds(text["tokens"], values, largest)))


def _on_grounds(tokens: Sequence[str], values: Sequence[float], largest: float) -> d.Inlines:
    grounds = (round(d.STRONGEST * value / largest) if largest > 0 else 0 for value in values)
    spaced = (
        piece
        for token, level in zip(tokens, grounds, strict=True)
        for piece in (d.Text(" "), d.Shade(str(token), level))
    )
    return tuple(spaced)[1:]


__all__ = ["shaded"]
