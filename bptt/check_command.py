"""``bptt check``."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from bptt import console
from bptt.checked_options import aliases_of, cell_of
from bptt.progress import Progress
from derive.errors import UsageError, visible
from derive.files import read_text
from derive.notation.source import Source
from verify.check import MAX_BYTES, Checked, CheckedDocument, checked
from verify.document import formulas_of
from verify.require import Result, Wanted, read_wanted, shown_points

_DOCUMENTS = "LaTeX, Markdown or a notebook"
_ORDER = ("correct", "layout", "wrong", "unreadable", "unsupported")


def run_check(options: argparse.Namespace) -> int:
    """Check a document and print what was found; 1 if something is not right, or there is nothing to check."""
    subject = None if options.cell is None else cell_of(options.cell)
    aliases = aliases_of(options.alias)
    text = _text(options.file)
    with Progress() as progress:
        progress.say("checking")
        document = checked(
            text,
            subject,
            name=options.file,
            aliases=aliases,
            inline=options.inline,
            explained=options.hints > 0 or options.json,
        )
    results = None if options.require is None else document.results(_wanted(options.require, document))
    if options.json:
        console.say_json(_data(document, results))
    else:
        width = console.width()
        lines = [
            *_report(document.equations, width, options.hints),
            *_usual(document.usual if options.hints else (), width),
            *_marks(results),
        ]
        console.say("\n".join(lines))
    for line in _doubts(document.equations, text, options):
        console.tell(f"bptt: {line}")
    complete = results is None or all(one.state == "right" for one in results)
    return 0 if document.equations and complete and all(one.accepted for one in document.equations) else 1


def _doubts(found: Sequence[Checked], text: str, options: argparse.Namespace) -> Iterator[str]:
    """What makes it likely that something else was meant."""
    if not found and not options.inline:
        inline = sum(formula.inline for formula in formulas_of(Source(text, options.file)))
        if inline:
            many = "is 1 formula" if inline == 1 else f"are {inline} formulas"
            yield f"there is no displayed equation, but there {many} within lines\nhint: --inline checks them as well"
    unknown = sum(one.verdict == "unreadable" and "stands for nothing" in one.message for one in found)
    if options.cell is not None and 2 * unknown > len(found):
        yield f"{unknown} of {len(found)} equations hold names that the cell does not have: is this the right cell?"


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
        if one.state == "special":
            where += ", a special case only"
        if one.contradicted:
            where += f" ({one.answers[1]} answers, {one.answers[0]} right: decide)"
        marks = f"{shown_points(one.points)} of {shown_points(one.wanted.points)}"
        yield f"{marks}  {one.state + where:<28} {visible(title)}"
    yield " of ".join(shown_points(sum(numbers, Fraction(0))) for numbers in _points(results)) + " points"


def _text(name: str) -> str:
    """The document: a file, or the standard input for ``-``."""
    if not name.strip():
        raise UsageError("no document is named", expected="the path of a document, or - for the standard input")
    if name != "-":
        return read_text(name, limit=MAX_BYTES, expected=_DOCUMENTS)
    raw = b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise UsageError("the standard input is no text", expected="a document in UTF-8") from None
    if not text.strip():
        raise UsageError("the standard input is empty", expected=_DOCUMENTS)
    return text


def _report(found: Sequence[Checked], width: int, hints: int) -> Iterator[str]:
    """Each equation with its place and verdict, what is to be said of it below, and a count at the end."""
    for one in found:
        place = f"{one.line}:{one.column}" if one.cell is None else f"cell {one.cell}, {one.line}:{one.column}"
        how = {"proved": "proved", "definition": "a definition"}.get(one.evidence, "tested")
        verdict = f"{one.verdict} ({how})" if one.accepted else one.verdict
        yield f"{place:<8} {verdict:<22} {_cut(visible(one.claim), max(20, width - 30))}"
        if hints:
            yield from _remarks(one, width, hints)
    yield _count(found)


def _usual(meanings: Sequence[str], width: int) -> Iterator[str]:
    """With which meanings of letters the verdicts hold."""
    if meanings:
        words = (
            f"with the usual meaning, which the document does not give by an equation: {visible('; '.join(meanings))}"
        )
        yield from textwrap.wrap(words, max(30, width - 2), subsequent_indent="  ")


def _remarks(one: Checked, width: int, hints: int) -> Iterator[str]:
    """What is said of an equation; each step says what those before it say, and more."""
    remarks: list[str] = []
    if one.reading:
        remarks.append(f"read so that {one.reading}")
    if one.message:
        remarks.append(one.message)
    remarks += [f"hint: {hint}" for hint in (one.hints[:hints] if one.hints else [one.hint]) if hint]
    if one.counterexample is not None and hints > 1:
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
