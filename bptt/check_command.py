"""``bptt check``."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bptt import console
from bptt.progress import Progress
from derive.cell import cell
from derive.errors import UsageError, visible
from derive.files import read_text
from verify.check import MAX_BYTES, Checked, check

_ORDER = ("correct", "layout", "wrong", "unreadable", "unsupported")


def run_check(options: argparse.Namespace) -> int:
    """Check a document and print what was found; 1 if something is not right."""
    subject = None if options.cell is None else cell(options.cell)
    text = _text(options.file)
    with Progress() as progress:
        progress.say("checking")
        found = check(text, subject, name=options.file, aliases=options.alias, inline=options.inline)
    if options.json:
        console.say_json([one.data() for one in found])
    else:
        console.say("\n".join(_report(found, console.width())))
    return 0 if all(one.accepted for one in found) else 1


def _text(name: str) -> str:
    """The document: a file, or the standard input for ``-``."""
    if name != "-":
        return read_text(name, limit=MAX_BYTES, expected="LaTeX, Markdown or a notebook")
    raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise UsageError("the standard input is no text", expected="a document in UTF-8") from None


def _report(found: Sequence[Checked], width: int) -> Iterator[str]:
    """Each equation with its place and verdict, what is to be said of it below, and a count at the end."""
    for one in found:
        place = f"{one.line}:{one.column}" if one.cell is None else f"cell {one.cell}, {one.line}:{one.column}"
        how = {"proved": "proved", "definition": "a definition"}.get(one.evidence, "tested")
        verdict = f"{one.verdict} ({how})" if one.accepted else one.verdict
        yield f"{place:<8} {verdict:<20} {_cut(visible(one.claim), max(20, width - 30))}"
        yield from _remarks(one, width)
    yield _count(found)


def _remarks(one: Checked, width: int) -> Iterator[str]:
    remarks: list[str] = []
    if one.reading:
        remarks.append(f"read so that {one.reading}")
    if one.message:
        remarks.append(one.message)
    if one.hint:
        remarks.append(f"hint: {one.hint}")
    if one.counterexample is not None:
        remarks.append(str(one.counterexample))
    for remark in remarks:
        yield from textwrap.wrap(
            visible(remark), max(30, width - 9), initial_indent=" " * 9, subsequent_indent=" " * 11
        )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def _count(found: Iterable[Checked]) -> str:
    counts = Counter(one.verdict for one in found)
    total = sum(counts.values())
    if not total:
        return "there is no displayed equation"
    listed = ", ".join(f"{counts[kind]} {kind}" for kind in _ORDER if counts[kind])
    return f"{total} equation{'s' if total > 1 else ''}: {listed}"


__all__ = ["run_check"]
