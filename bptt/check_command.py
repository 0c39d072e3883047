"""``bptt check``."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from bptt import console
from bptt.progress import Progress
from derive.cell import cell
from derive.errors import UsageError, visible
from derive.files import read_text
from verify.check import MAX_BYTES, Checked, CheckedDocument, checked
from verify.require import Result, Wanted, read_wanted

_ORDER = ("correct", "layout", "wrong", "unreadable", "unsupported")


def run_check(options: argparse.Namespace) -> int:
    """Check a document and print what was found; 1 if something is not right."""
    subject = None if options.cell is None else cell(options.cell)
    text = _text(options.file)
    with Progress() as progress:
        progress.say("checking")
        document = checked(
            text, subject, name=options.file, aliases=options.alias, inline=options.inline, explained=options.hints > 0
        )
    results = None if options.require is None else document.results(_wanted(options.require, document))
    if options.json:
        console.say_json(_data(document, results))
    else:
        console.say("\n".join([*_report(document.equations, console.width(), options.hints), *_marks(results)]))
    complete = results is None or all(one.state == "right" for one in results)
    return 0 if complete and all(one.accepted for one in document.equations) else 1


def _wanted(name: str, document: CheckedDocument) -> Sequence[Wanted]:
    return read_wanted(read_text(name, limit=MAX_BYTES, expected="results, one a line"), document.names, name)


def _data(document: CheckedDocument, results: Sequence[Result] | None) -> object:
    equations = [one.data() for one in document.equations]
    if results is None:
        return equations
    points, of = (float(sum(numbers)) for numbers in _points(results))
    return {"equations": equations, "results": [one.data() for one in results], "points": points, "of": of}


def _points(results: Sequence[Result]) -> tuple[list[Fraction], list[Fraction]]:
    return [one.points for one in results], [one.wanted.points for one in results]


def _marks(results: Sequence[Result] | None) -> Iterator[str]:
    """The results that are wanted, and what they earn."""
    if results is None:
        return
    yield ""
    for one in results:
        title = one.wanted.title or one.wanted.text
        where = "" if one.line is None else f", line {one.line}"
        if one.state == "partly":
            where += f", {one.links[0]} of {one.links[1]} links"
        yield f"{_number(one.points)} of {_number(one.wanted.points)}  {one.state + where:<28} {visible(title)}"
    yield " of ".join(_number(sum(numbers, Fraction(0))) for numbers in _points(results)) + " points"


def _number(value: Fraction) -> str:
    return f"{float(value):.4g}"


def _text(name: str) -> str:
    """The document: a file, or the standard input for ``-``."""
    if name != "-":
        return read_text(name, limit=MAX_BYTES, expected="LaTeX, Markdown or a notebook")
    raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise UsageError("the standard input is no text", expected="a document in UTF-8") from None


def _report(found: Sequence[Checked], width: int, hints: int) -> Iterator[str]:
    """Each equation with its place and verdict, what is to be said of it below, and a count at the end."""
    for one in found:
        place = f"{one.line}:{one.column}" if one.cell is None else f"cell {one.cell}, {one.line}:{one.column}"
        how = {"proved": "proved", "definition": "a definition"}.get(one.evidence, "tested")
        verdict = f"{one.verdict} ({how})" if one.accepted else one.verdict
        yield f"{place:<8} {verdict:<22} {_cut(visible(one.claim), max(20, width - 30))}"
        yield from _remarks(one, width, hints)
    yield _count(found)


def _remarks(one: Checked, width: int, hints: int) -> Iterator[str]:
    remarks: list[str] = []
    if one.reading:
        remarks.append(f"read so that {one.reading}")
    if one.message:
        remarks.append(one.message)
    told = one.hints[:hints] if hints < 3 else one.hints[2:hints]
    remarks += [f"hint: {hint}" for hint in (told if one.hints else [one.hint]) if hint]
    if one.counterexample is not None and (hints > 1 or not one.hints):
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
