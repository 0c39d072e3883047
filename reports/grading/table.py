"""The table of a class: one row a file, as CSV and as a page."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from derive.errors import visible
from reports import document as d
from reports.grading.annotated import number
from reports.grading.marking import Marked

VERDICTS = ("correct", "layout", "wrong", "unreadable", "unsupported")


def as_csv(marked: Sequence[Marked]) -> str:
    """A row a file: its name, how many equations have each verdict, the state and the points of each result, the sum, and
    what went wrong with the file. A cell that starts like a formula of a spreadsheet is told to be text.
    """
    wanted = next((one.results for one in marked if one.results), ())
    titles = [one.wanted.title or one.wanted.text for one in wanted]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    points = ["points", "of"] if wanted else []
    writer.writerow([_cell(text) for text in ("file", "equations", *VERDICTS, *titles, *points, "problem")])
    for one in marked:
        row = [one.name, str(len(one.equations)), *(str(one.count(kind)) for kind in VERDICTS)]
        row += [number(result.points) for result in one.results] or [""] * len(titles)
        if wanted:
            row += [number(one.points), number(sum(result.wanted.points for result in wanted))]
        writer.writerow([_cell(text) for text in (*row, one.problem)])
    return out.getvalue()


def _cell(text: str) -> str:
    text = visible(text)
    number_ = re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) and not number_ else text


def overview(marked: Sequence[Marked], title: str) -> d.Document:
    """The same as a page."""
    wanted = next((one.results for one in marked if one.results), ())
    header = ["file", "equations", "right", "wrong", "not read or decided"]
    header += ["points"] if wanted else []
    rows: list[tuple[d.Inlines, ...]] = []
    for one in marked:
        right = one.count("correct") + one.count("layout")
        open_ = one.count("unreadable") + one.count("unsupported")
        name: d.Inlines = (d.Link(d.words(visible(one.name)), one.page),) if one.page else d.words(visible(one.name))
        cells = [name, *(d.words(str(n)) for n in (len(one.equations), right, one.count("wrong"), open_))]
        if wanted:
            cells.append(d.words(number(one.points)))
        if one.problem:
            cells[0] = (*name, *d.words(f": {visible(one.problem)}"))
        rows.append(tuple(cells))
    numbers: list[d.Alignment] = ["right"] * (len(header) - 1)
    alignments: tuple[d.Alignment, ...] = ("left", *numbers)
    table = d.Table(tuple(d.words(text) for text in header), tuple(rows), alignments)
    return d.Document(d.words(title), d.words(f"{len(marked)} files"), blocks=(table,), outlined=False)


__all__ = ["VERDICTS", "as_csv", "overview"]
