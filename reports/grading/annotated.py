"""The formulas of one answer with the verdicts beside them.

Nothing of the author's text is copied into a document but formulas that were read, which are written anew, and, as text that is shown as
it is, those that could not be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from derive.errors import visible
from derive.notation.parser import parse_one
from reports import document as d
from verify.checked import Checked
from verify.require import Result

_KINDS: dict[str, d.CalloutKind] = {
    "correct": "result", "layout": "result", "wrong": "warning", "unreadable": "note", "unsupported": "note",
}  # fmt: skip
_TITLES = {
    "correct": "right", "layout": "right, in the other layout", "wrong": "wrong", "unreadable": "cannot be read",
    "unsupported": "not decided",
}  # fmt: skip
_EVIDENCE = {"proved": "proved", "tested": "tested", "definition": "a definition"}
_LONGEST = 600


def annotated(name: str, equations: Sequence[Checked], results: Sequence[Result] = ()) -> d.Document:
    """A document with every equation of an answer, its verdict, and what is to be said of it; the marks first."""
    blocks: list[d.Block] = []
    if results:
        blocks += [marks(results)]
    if not equations:
        blocks.append(d.Paragraph(d.words("There is no displayed equation.")))
    blocks += [_callout(one) for one in equations]
    return d.Document(d.words(visible(name)), blocks=tuple(blocks), outlined=False)


def marks(results: Sequence[Result]) -> d.Table:
    """The results that were wanted, and what they earn."""
    rows: list[tuple[d.Inlines, ...]] = []
    for one in results:
        where = "" if one.line is None else str(one.line)
        rows.append(
            (
                _title(one),
                d.words(state(one)),
                d.words(where),
                d.words(f"{number(one.points)} of {number(one.wanted.points)}"),
            )
        )
    total = f"{number(sum(one.points for one in results))} of {number(sum(one.wanted.points for one in results))}"
    rows.append((d.words("all"), (), (), d.words(total)))
    header = tuple(d.words(text) for text in ("result", "", "line", "points"))
    return d.Table(header, tuple(rows), ("left", "left", "right", "right"))


def state(one: Result) -> str:
    """How far a result is there, in words."""
    if one.state == "partly":
        return f"{one.links[0]} of {one.links[1]} links are right"
    return {"unread": "cannot be read", "restated": "only restated"}.get(one.state, one.state)


def number(value: object) -> str:
    """Points without needless digits."""
    return f"{float(value):.4g}"  # type: ignore[arg-type]


def _title(one: Result) -> d.Inlines:
    formula: d.Inlines = (d.Math(parse_one(one.wanted.text).items[0]),)
    return (*d.words(f"{one.wanted.title}: "), *formula) if one.wanted.title else formula


def _callout(one: Checked) -> d.Callout:
    place = f"line {one.line}" if one.cell is None else f"cell {one.cell}, line {one.line}"
    how = f" ({_EVIDENCE[one.evidence]})" if one.accepted else ""
    formula: d.Block = d.CodeBlock(_shown(one.claim), "latex") if one.surface is None else d.aligned(one.surface)
    return d.Callout(_KINDS[one.verdict], d.words(f"{place}: {_TITLES[one.verdict]}{how}"), (formula, *_remarks(one)))


def _remarks(one: Checked) -> Iterator[d.Block]:
    if one.reading:
        yield d.Paragraph(d.words(f"Read so that {one.reading}."))
    if one.verdict != "correct" and one.message and one.message != "the two sides differ":
        yield d.Paragraph(d.words(_sentence(one.message)))
    told = one.hints[2] if one.hints else one.hint
    if told:
        yield d.Paragraph(d.words(_sentence(told)))
    if one.correction:
        yield d.Paragraph(d.words("What holds:"))
        yield replace(d.aligned(parse_one(one.correction).items[0]))
    if one.verdict == "wrong" and one.counterexample is not None and not one.correction:
        yield d.Paragraph(d.words(_sentence(_shown(str(one.counterexample)))))


def _sentence(text: str) -> str:
    text = visible(text)
    word = text.split(" ", 1)[0]
    first = text[:1].upper() if word.isalpha() and (len(word) > 1 or word == "a") else text[:1]  # h_t stays h_t
    return f"{first}{text[1:]}{'' if text.endswith('.') else '.'}"


def _shown(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


__all__ = ["annotated", "marks", "number", "state"]
