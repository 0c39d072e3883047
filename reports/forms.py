"""The forms in which one sheet can be printed: with answers or without, short or step by step, with other numbers, on other paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from derive.errors import UsageError
from reports import document as d
from reports import walk
from reports.labels import labels

Show = Literal["answers", "questions", "hints"]
Detail = Literal["steps", "short"]
Paper = Literal["a4", "letter"]

PARTS = ("given", "steps", "short", "original", "variant")
"""Containers without looks of their own: what stands in them belongs to some forms only."""


@dataclass(frozen=True)
class Form:
    """One form.

    Parameters
    ----------
    show     : ``answers``; ``questions`` alone, to be handed out; ``hints``: these with the hints.
    detail   : of the answers: ``steps``, every line of a derivation with its rule; ``short``, results alone.
    variant  : 0 for the numbers that the sheet prints, or the number of a draw of others.
    paper    : what a page is.
    settings : front matter that takes the place of the sheet's own.
    """

    show: Show = "answers"
    detail: Detail = "steps"
    variant: int = 0
    paper: Paper = "a4"
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("show", self.show, get_args(Show)), ("detail", self.detail, get_args(Detail)), ("paper", self.paper, get_args(Paper)),
        ):  # fmt: skip
            if value not in known:
                raise UsageError(f"there is no {name} {value!r}", expected=f"one of {', '.join(known)}")
        if not 0 <= self.variant <= MOST_VARIANTS:
            raise UsageError(f"there is no variant {self.variant}", expected=f"0 to {MOST_VARIANTS:,}")

    @property
    def suffix(self) -> str:
        """What tells the files of this form from those of others.

        >>> Form(show="questions", variant=3).suffix
        '-variant-3-questions'
        """
        return "".join(
            [
                f"-variant-{self.variant}" if self.variant else "",
                "-short" if self.detail == "short" else "",
                f"-{self.show}" if self.show != "answers" else "",
            ]
        )

    def has(self, container: str) -> bool:
        """Whether the form has what stands in a container of a kind."""
        match container:
            case "question" | "given":
                return True
            case "hint":
                return self.show == "hints"
            case "original" | "variant":
                return (container == "variant") == bool(self.variant)
            case "steps" | "short":
                return self.show == "answers" and container == self.detail
            case _:
                return self.show == "answers"

    @property
    def has_answers(self) -> bool:
        """Whether it has what stands in no container."""
        return self.show == "answers"


MOST_VARIANTS = 1_000_000
WHOLE = Form()
"""The sheet as it is written, with all answers."""


def finished(document: d.Document, form: Form) -> d.Document:
    """A document in its form: without headings that have nothing below them where parts are left out, with the table of marks in its
    place, and with a word on the form below the title.
    """
    whole = form.has_answers and form.detail == "steps" and not form.variant
    blocks = document.blocks if whole else without_links(with_content(document.blocks))
    blocks = tuple(_marking(block, document) for block in blocks)
    meta = dict(document.meta)
    if form.paper != "a4":
        meta["paper"] = form.paper
    if form.variant:
        meta["variant"] = str(form.variant)
    total = _total(document.blocks)
    if total:
        meta["marks"] = total
    return replace(document, blocks=blocks, meta=meta, subtitle=subtitle_of(replace(document, meta=meta), form))


def subtitle_of(document: d.Document, form: Form) -> d.Inlines:
    """What a document is called in a form, with the number of its variant."""
    words = labels(document.language)
    said = [words[form.show]] if form.show != "answers" else []
    said += [f"{words['variant']} {document.meta['variant']}"] if "variant" in document.meta else []
    if form.show != "answers":  # "Answer sheet" is no longer what it is
        return d.words(", ".join(said))
    return (
        (*document.subtitle, *d.words((", " if document.subtitle else "") + ", ".join(said)))
        if said
        else document.subtitle
    )


def with_content(blocks: d.Blocks) -> d.Blocks:
    """The blocks without headings that are followed by nothing of their own."""
    kept: list[d.Block] = []
    for block in reversed(blocks):
        after = kept[-1] if kept else None
        ends = after is None or (
            isinstance(after, d.Heading) and isinstance(block, d.Heading) and after.level <= block.level
        )
        if not (isinstance(block, d.Heading) and ends):
            kept.append(block)
    return tuple(reversed(kept))


def without_links(blocks: d.Blocks) -> d.Blocks:
    """The blocks with plain words where a link leads to a heading that is left out."""
    anchors = {block.anchor for block in walk.all_blocks(blocks) if isinstance(block, d.Heading)}

    def plain(body: d.Inlines) -> d.Inlines:
        return tuple(piece for inline in body for piece in one(inline))

    def one(inline: d.Inline) -> Iterator[d.Inline]:
        if isinstance(inline, d.Link) and inline.url.startswith("#") and inline.url[1:] not in anchors:
            yield from plain(inline.body)
        elif isinstance(inline, (d.Link, d.Emphasis, d.Strong)):
            yield replace(inline, body=plain(inline.body))
        else:
            yield inline

    return tuple(walk.with_sentences(block, plain) for block in blocks)


# -- marks -----------------------------------------------------------------------------------------


def _questions(blocks: Iterable[d.Block]) -> list[d.Callout]:
    return [block for block in walk.all_blocks(tuple(blocks)) if isinstance(block, d.Callout) and block.marks]


def _total(blocks: d.Blocks) -> str:
    """All marks together, as they are written; empty where the sheet gives none."""
    found = _questions(blocks)
    return f"{sum(float(question.marks) for question in found):g}" if found else ""


def _marking(block: d.Block, document: d.Document) -> d.Block:
    return _table_of_marks(document, block) if isinstance(block, d.Marking) else block


def _table_of_marks(document: d.Document, place: d.Marking) -> d.Block:
    """A row for each question: its heading, its marks, and the results that its answer leads to."""
    words = labels(document.language)
    rows: list[tuple[d.Inlines, ...]] = []
    results: list[list[d.Inlines]] = []
    heading, within = d.Heading(0, ()), False
    for block in walk.all_blocks(document.blocks):
        if isinstance(block, d.Heading):
            within = (
                within and block.level > heading.level
            )  # a heading below the question's own goes on with its answer
            heading = heading if within else block
        elif isinstance(block, d.Callout) and block.kind == "question" and block.marks:
            rows.append((heading.body, d.words(block.marks)))
            results.append([])
            within = True
        elif isinstance(block, d.Callout) and block.kind == "result" and within:
            results[-1] += [sentence for inner in block.blocks for sentence in _told(inner)]
    table = [(*row, walk.joined(found, "; ")) for row, found in zip(rows, results, strict=True)]
    table.append((d.words(words["total"]), d.words(_total(document.blocks)), ()))
    header = (d.words(words["question"]), d.words(words["worth"]), d.words(words["expected"]))
    return d.Table(header, tuple(table), ("left", "right", "left"), place.caption, line=place.line)


def _told(block: d.Block) -> Iterator[d.Inlines]:
    """What a block says, as it can stand in a table."""
    match block:
        case d.Paragraph(body):
            yield body
        case d.Display(surface):
            yield (d.Math(surface),)
        case d.Aligned(lines):
            for surface in walk.chains(lines):
                yield (d.Math(surface),)


__all__ = ["PARTS", "WHOLE", "Form", "finished", "subtitle_of", "with_content", "without_links"]
