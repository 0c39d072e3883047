"""Headings get anchors, links to anchors are checked, and the highest heading becomes level 1."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from derive.errors import ParseError
from derive.notation.source import Span
from reports import document as d
from reports import walk
from reports.block_calls import did_you_mean

_OWN = re.compile(r"\s*\{#([A-Za-z][A-Za-z0-9-]*)\}\s*$")


def finish_headings(blocks: d.Blocks) -> d.Blocks:
    """Every heading with an anchor of its own, and levels that start at 1."""
    headings = [block for block in walk.all_blocks(blocks) if isinstance(block, d.Heading)]
    least = min((heading.level for heading in headings), default=1)
    return _finish(blocks, least - 1, {})


def _finish(blocks: d.Blocks, lift: int, taken: dict[str, int]) -> d.Blocks:
    finished: list[d.Block] = []
    for block in blocks:
        match block:
            case d.Heading():
                finished.append(_heading(block, lift, taken))
            case d.BulletList(items) | d.NumberedList(items):
                finished.append(replace(block, items=tuple(_finish(item, lift, taken) for item in items)))
            case d.Quote(inside) | d.Callout(_, _, inside):
                finished.append(replace(block, blocks=_finish(inside, lift, taken)))
            case _:
                finished.append(block)
    return tuple(finished)


def _heading(heading: d.Heading, lift: int, taken: dict[str, int]) -> d.Heading:
    body, anchor = heading.body, heading.anchor
    last = body[-1] if body else None
    own = _OWN.search(last.text) if isinstance(last, d.Text) else None
    if own is not None and isinstance(last, d.Text):
        anchor = own.group(1)
        body = (*body[:-1], d.Text(last.text[: own.start()]))
    anchor = _unique(anchor or slug(walk.plain_text(body)), taken)
    return replace(heading, level=heading.level - lift, body=body, anchor=anchor)


def slug(text: str) -> str:
    """A heading's anchor.

    >>> slug("Vanishing gradients: why?")
    'vanishing-gradients-why'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))
    return words if words[:1].isalpha() else f"section-{words}".rstrip("-")


def _unique(anchor: str, taken: dict[str, int]) -> str:
    """An anchor that no heading before has; ``taken`` says for each how often it was asked for."""
    result = anchor
    while result in taken:
        taken[anchor] += 1
        result = f"{anchor}-{taken[anchor]}"
    taken[result] = 1
    return result


def check_links(blocks: d.Blocks, links: Iterable[tuple[str, Span]]) -> None:
    """Check that every link to an anchor has a heading to lead to.

    Raises
    ------
    ParseError : one has none.
    """
    anchors = dict.fromkeys(block.anchor for block in walk.all_blocks(blocks) if isinstance(block, d.Heading))
    for anchor, span in links:
        if anchor not in anchors:
            raise ParseError(
                f"no heading has the anchor #{anchor}",
                span=span,
                expected=f"one of {', '.join('#' + name for name in anchors) or 'none'}",
                hint=did_you_mean(anchor, anchors),
            )
