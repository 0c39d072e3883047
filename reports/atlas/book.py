"""Binding chapters to a book: its opening, a table of contents, and an index of authors and of what the cells are like."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from reports import document as d
from reports.atlas.chapter import Chapter

TITLE = "The Recurrent Gradient Atlas"
_YEAR = re.compile(r"\b(1[89]|20)\d\d\b")
_NO_YEAR = 9999
_OPENING = (
    "Each chapter holds one recurrent cell: its equations as published, the network unrolled over two steps, the one-step "
    "Jacobian of all its states together, the adjoint recursion with the gradients by every parameter, input and starting "
    "value, and what the product of the Jacobians does over many steps. Sizes and the length T are symbols throughout.",
    "A Jacobian has a row for each entry of the numerator and a column for each entry of the denominator. A bar marks the "
    "total adjoint, the gradient of the whole loss by a quantity, and δ is the adjoint of a pre-activation; both are zero "
    "beyond the last step. ∂⁺ marks an immediate derivative, which looks at one step and holds all others fixed, and ⊙ "
    "multiplies entry by entry. In a chapter about trees, nodes stand in the place of steps, and adjoints are zero above the root.",
)


def year_of(chapter: Chapter) -> int:
    """The year of the publication; those without one come last."""
    found = _YEAR.search(chapter.citation)
    return int(found.group()) if found else _NO_YEAR


def authors_of(chapter: Chapter) -> list[str]:
    """The authors' family names, which stand before the year."""
    found = _YEAR.search(chapter.citation)
    if found is None:
        return []
    names = (name.strip(" .") for name in re.split(r",|\band\b|\bet al\b", chapter.citation[: found.start()]))
    return [name for name in names if name and name[:1].isupper()]


def book(chapters: Sequence[Chapter], meta: dict[str, str] | None = None) -> d.Document:
    """The whole document, chapters in the order of their publication."""
    ordered = sorted(chapters, key=lambda chapter: (year_of(chapter), chapter.title.lower()))
    blocks: list[d.Block] = [d.Paragraph(d.words(text)) for text in _OPENING]
    blocks.append(d.Paragraph(_measured(ordered)))
    blocks += [d.Heading(1, d.words("Contents"), "contents"), _contents(ordered)]
    for chapter in ordered:
        blocks += chapter.blocks
    if any(authors_of(chapter) for chapter in ordered):
        blocks += [d.Heading(1, d.words("Index of authors"), "index", new_page=True), _index(ordered)]
    count = "One cell with its" if len(ordered) == 1 else f"{len(ordered)} cells with their"
    subtitle = d.words(f"{count} gradients, derived and measured")
    return d.Document(d.words(TITLE), subtitle, meta or {}, tuple(blocks), outlined=False)


def _measured(chapters: Sequence[Chapter]) -> d.Inlines:
    worst = max(chapters, key=lambda chapter: chapter.error)
    number = f"{worst.error:.0e}"
    mantissa, _, exponent = number.partition("e")
    return d.words(
        "Every Jacobian and every gradient is compared with automatic differentiation of the equations, at random sizes, "
        f"lengths and values; the largest relative error in this book is {_power(mantissa, int(exponent))}."
    )


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power(mantissa: str, exponent: int) -> str:
    return f"{mantissa} · 10{str(exponent).translate(_RAISED)}"


def _contents(chapters: Sequence[Chapter]) -> d.Block:
    items: list[tuple[d.Block, ...]] = []
    for chapter in chapters:
        year = "" if year_of(chapter) == _NO_YEAR else f" ({year_of(chapter)})"
        link = d.Link(d.words(chapter.title), f"#{chapter.name}")
        items.append((d.Paragraph((link, *d.words(year), d.PageOf(chapter.name, ", page "))),))
    return d.BulletList(tuple(items))


def _index(chapters: Sequence[Chapter]) -> d.Block:
    """Each author with the cells, and where they stand."""
    works: dict[str, list[Chapter]] = defaultdict(list)
    for chapter in chapters:
        for author in authors_of(chapter):
            works[author].append(chapter)
    items: list[tuple[d.Block, ...]] = []
    for author in sorted(works, key=str.casefold):
        line: list[d.Inline] = [*d.words(f"{author}: ")]
        for number, chapter in enumerate(works[author]):
            line += d.words(", " if number else "")
            line += (d.Link(d.words(chapter.title), f"#{chapter.name}"), d.PageOf(chapter.name, " p. "))
        items.append((d.Paragraph(tuple(line)),))
    return d.BulletList(tuple(items))
