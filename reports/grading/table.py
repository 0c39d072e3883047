"""The table of a class: one row a file, as CSV and as a page."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from derive.errors import visible
from reports import document as d
from reports.grading.annotated import contradiction, meanings, result_title
from reports.grading.marking import Marked
from verify.require import Wanted, shown_points

VERDICTS = ("correct", "layout", "wrong", "unreadable", "unsupported")


def as_csv(marked: Sequence[Marked]) -> str:
    """A row a file: its name, how many equations have each verdict, the points of each result, the sum, the results with
    answers that contradict each other, and what went wrong with the file. A cell that starts like a formula of a spreadsheet
    is told to be text.
    """
    wanted = _wanted(marked)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    points = ["points", "of", "contradictions"] if wanted else []
    titles = [one.title or one.text for one in wanted]
    writer.writerow([_cell(text) for text in ("file", "equations", *VERDICTS, *titles, *points, "problem")])
    for one in marked:
        row = [one.name, str(len(one.equations)), *(str(one.count(kind)) for kind in VERDICTS)]
        row += [shown_points(result.points) for result in one.results] or [""] * len(titles)
        if wanted:
            row += [shown_points(one.points), _total(wanted), _contradictions(one)]
        writer.writerow([_cell(text) for text in (*row, one.problem)])
    return out.getvalue()


def _wanted(marked: Sequence[Marked]) -> tuple[Wanted, ...]:
    return tuple(result.wanted for result in next((one.results for one in marked if one.results), ()))


def _total(wanted: Sequence[Wanted]) -> str:
    return shown_points(sum((one.points for one in wanted), Fraction(0)))


def _contradictions(one: Marked) -> str:
    return "; ".join(
        f"{result.wanted.title or result.wanted.text}: {contradiction(result)}" for result in one.contradicted
    )


def _cell(text: str) -> str:
    text = visible(text)
    number_ = re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) and not number_ else text


def overview(marked: Sequence[Marked], title: str) -> d.Document:
    """The same as a page."""
    wanted = _wanted(marked)
    remarks = any(one.problem or one.contradicted for one in marked)
    header = [d.words(text) for text in ("file", "equations", "right", "wrong", "not read or decided")]
    header += [result_title(one) for one in wanted]
    header += [d.words("points")] if wanted else []
    alignments: list[d.Alignment] = ["left", *["right"] * (len(header) - 1), "left"]  # type: ignore[list-item]
    rows = [(*_row(one, wanted), *((_remark(one),) if remarks else ())) for one in marked]
    header += [d.words("remarks")] if remarks else []
    table = d.Table(tuple(header), tuple(rows), tuple(alignments[: len(header)]))
    return d.Document(
        d.words(title),
        d.words("1 file" if len(marked) == 1 else f"{len(marked)} files"),
        blocks=(table, *meanings(sorted({said for one in marked for said in one.usual}))),
        outlined=False,
    )


def _row(one: Marked, wanted: Sequence[Wanted]) -> Iterator[d.Inlines]:
    name = d.words(visible(one.name))
    yield (d.Link(name, one.page),) if one.page else name
    right, unread = one.count("correct") + one.count("layout"), one.count("unreadable") + one.count("unsupported")
    for count in (len(one.equations), right, one.count("wrong"), unread):
        yield d.words(str(count))
    if not wanted:
        return
    marks = [shown_points(result.points) + ("*" if result.contradicted else "") for result in one.results]
    yield from map(d.words, marks or [""] * len(wanted))
    yield d.words(f"{shown_points(one.points)} of {_total(wanted)}")


def _remark(one: Marked) -> d.Inlines:
    """What went wrong with a file, and which of its marks are for its marker to decide."""
    said: list[d.Inlines] = [d.words(visible(one.problem))] if one.problem else []
    said += [
        (*d.words("* "), *result_title(result.wanted), *d.words(f": {contradiction(result)}"))
        for result in one.contradicted
    ]
    return tuple(piece for k, part in enumerate(said) for piece in (*d.words("; " if k else ""), *part))


__all__ = ["VERDICTS", "as_csv", "overview"]
