"""The formulas of one answer with the verdicts beside them.

Nothing of the author's text is copied into a document but formulas that were read, which are written anew, and, as text that is shown as
it is, those that could not be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.errors import visible
from derive.notation.parser import parse_one
from reports import document as d
from reports import walk
from reports.grading import wording
from verify.checked import Checked
from verify.require import Result, Wanted, shown_points

_KINDS: dict[str, d.CalloutKind] = {
    "correct": "result", "layout": "result", "wrong": "warning", "unreadable": "note", "unsupported": "note",
}  # fmt: skip
_TITLES = {
    "correct": "right", "layout": "right, in the other layout", "wrong": "wrong", "unreadable": "cannot be read",
    "unsupported": "not decided",
}  # fmt: skip
_EVIDENCE = {"proved": "proved", "tested": "tested", "definition": "a definition"}
_LONGEST = 600
_PLACE = re.compile(r"line \d+(?:, column \d+)?: ")


def annotated(
    name: str,
    equations: Sequence[Checked],
    results: Sequence[Result] = (),
    hints: int = 4,
    usual: Sequence[str] = (),
) -> d.Document:
    """A document with every equation of an answer, its verdict, and what is to be said of it; the marks first.

    Parameters
    ----------
    hints : how much is said of a wrong equation: nothing, where it is wrong, which kind of slip it is, what it is, what holds.
    usual : what letters are taken for where the answer does not say it, as equations in LaTeX.
    """
    blocks: list[d.Block] = []
    if results:
        blocks += [marks(results), *_contradictions(results)]
    if not equations:
        blocks.append(d.Paragraph(d.words("There is no displayed equation.")))
    blocks += [_callout(one, hints) for one in equations]
    blocks += meanings(usual)
    return d.Document(wording.title(name), blocks=tuple(blocks), outlined=False)


def marks(results: Sequence[Result]) -> d.Table:
    """The results that were wanted, and what they earn."""
    rows: list[tuple[d.Inlines, ...]] = []
    for one in results:
        where = "" if one.line is None else str(one.line)
        rows.append(
            (
                _titled(one.wanted),
                d.words(state(one)),
                d.words(where),
                d.words(f"{shown_points(one.points)} of {shown_points(one.wanted.points)}"),
            )
        )
    total = f"{shown_points(sum(one.points for one in results))} of {shown_points(sum(one.wanted.points for one in results))}"
    rows.append((d.words("all"), (), (), d.words(total)))
    header = tuple(d.words(text) for text in ("result", "", "line", "points"))
    return d.Table(header, tuple(rows), ("left", "left", "right", "right"))


def meanings(usual: Sequence[str]) -> Iterator[d.Block]:
    """With which meanings of letters verdicts hold, where nobody gave them by an equation."""
    if usual:
        formulas = [piece for one in usual for piece in (*d.words(", "), d.Math(parse_one(one).items[0]))][1:]
        said = "The verdicts hold with the usual meaning of letters that an answer does not give by an equation: "
        yield d.Paragraph((*d.words(said), *formulas, *d.words(".")))


def state(one: Result) -> str:
    """How far a result is there, in words."""
    words = {"unread": "cannot be read", "restated": "only restated", "special": "a special case only"}.get(
        one.state, one.state
    )
    if one.state == "partly":
        words = f"{one.links[0]} of {one.links[1]} links are right"
    return f"{words}; {contradiction(one)}" if one.contradicted else words


def contradiction(one: Result) -> str:
    """That an answer has others beside it which are wrong."""
    right, every = one.answers
    return f"{every} answers, {right} right"


def _contradictions(results: Sequence[Result]) -> Iterator[d.Block]:
    if any(one.contradicted for one in results):
        yield d.Callout(
            "note",
            d.words("Answers that contradict each other"),
            (
                d.Paragraph(
                    d.words("Points are given for the best of them; whether they stand is for the marker to say.")
                ),
            ),
        )


def result_title(wanted: Wanted) -> d.Inlines:
    """What a result is called: its title, or its formula."""
    return d.words(visible(wanted.title)) or (d.Math(parse_one(wanted.text).items[0]),)


def _titled(wanted: Wanted) -> d.Inlines:
    formula: d.Inlines = (d.Math(parse_one(wanted.text).items[0]),)
    return (*d.words(f"{visible(wanted.title)}: "), *formula) if wanted.title else formula


def _callout(one: Checked, hints: int) -> d.Callout:
    place = f"line {one.line}" if one.cell is None else f"cell {one.cell}, line {one.line}"
    how = f" ({_EVIDENCE[one.evidence]})" if one.accepted else ""
    formula: d.Block = d.CodeBlock(_shown(one.claim), "latex") if one.surface is None else walk.aligned(one.surface)
    remarks = _remarks(one, hints) if hints else ()
    return d.Callout(_KINDS[one.verdict], d.words(f"{place}: {_TITLES[one.verdict]}{how}"), (formula, *remarks))


def _remarks(one: Checked, hints: int) -> Iterator[d.Block]:
    """What is said, each step beside those before it."""
    if one.reading:
        yield d.Paragraph(wording.sentence(f"read so that {one.reading}"))
    if one.verdict != "correct" and one.message and one.message != "the two sides differ":
        yield d.Paragraph(wording.sentence(one.message))
    told = _told(one, hints)
    if told:
        yield d.Paragraph(tuple(piece for said in told for piece in (*said, *d.words(" ")))[:-1])
    if one.verdict == "wrong" and one.counterexample is not None and hints > 1:
        yield from wording.point(one.counterexample)
    if one.correction and hints > 3:
        yield d.Paragraph(d.words("What holds:"))
        yield walk.aligned(parse_one(one.correction).items[0])


def _told(one: Checked, hints: int) -> list[d.Inlines]:
    """The hints as sentences: where, which kind of slip, what it is."""
    if not one.hints:
        return [wording.sentence(one.hint)] if one.hint else []
    where, kind, what = one.hints[:3]
    said = _PLACE.sub("", what)  # the first hint has it
    return [wording.looked_at(where), wording.sentence(kind), wording.sentence(said)][:hints]


def _shown(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


__all__ = ["annotated", "contradiction", "marks", "meanings", "result_title", "state"]
