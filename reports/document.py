"""The document tree: what a sheet says, before it is decided how it looks.

Formulas are surface trees, so every output writes the same formula in its own language. Nothing here holds LaTeX, Typst
or HTML.

>>> from reports.document import Document, Paragraph, words
>>> Document(words("Sheet 1"), blocks=(Paragraph(words("Hello.")),)).title
(Text(text='Sheet 1'),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from derive.notation.surface import Surface
from reports.code.executed import Executed
from reports.drawing import Canvas
from reports.panels import Panels
from reports.plot import Plot

CalloutKind = Literal["answer", "question", "result", "hint", "note", "warning"]
CALLOUT_KINDS: tuple[CalloutKind, ...] = ("answer", "question", "result", "hint", "note", "warning")

Alignment = Literal["left", "center", "right"]


# -- inside a paragraph ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class Emphasis:
    """Emphasised words."""

    body: tuple[Inline, ...]


@dataclass(frozen=True)
class Strong:
    """Strongly emphasised words."""

    body: tuple[Inline, ...]


@dataclass(frozen=True)
class CodeSpan:
    """A piece of code inside a sentence."""

    text: str


@dataclass(frozen=True)
class Math:
    """A formula inside a sentence."""

    surface: Surface


@dataclass(frozen=True)
class Link:
    """Words that lead to ``url``: ``http``, ``https``, ``mailto``, or ``#anchor`` of a heading."""

    body: tuple[Inline, ...]
    url: str


@dataclass(frozen=True)
class PageOf:
    """The number of the page on which a heading stands, after the words ``before``; nothing where there are no pages."""

    anchor: str
    before: str = ""


@dataclass(frozen=True)
class Shade:
    """Words on a coloured ground: ``level`` says how strong it is, from 0 to 5 in the colour for what is above zero, and from 0 to -5 in
    that for what is below, where the words are underlined as well: the two differ without colours, too.
    """

    text: str
    level: int


STRONGEST = 5
"""The strongest ground of a :class:`Shade`."""


@dataclass(frozen=True)
class LineBreak:
    """The line ends here."""


Inline = Text | Emphasis | Strong | CodeSpan | Math | Link | PageOf | Shade | LineBreak
Inlines = tuple[Inline, ...]


# -- blocks ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A block that may know where it comes from: ``line`` is the line of the sheet, 0 where there is none; ``asked``: it belongs to
    the questions, and not to their answers.
    """

    line: int = field(default=0, compare=False, repr=False)
    asked: bool = field(default=False, compare=False, repr=False)


@dataclass(frozen=True)
class Heading(Placed):
    """A heading; level 1 is the highest below the document's title. On paper, a ``new_page`` one starts a page."""

    level: int
    body: Inlines
    anchor: str = ""
    new_page: bool = False


@dataclass(frozen=True)
class Paragraph(Placed):
    """A paragraph."""

    body: Inlines


@dataclass(frozen=True)
class BulletList(Placed):
    """A list; a ``tight`` one has no space between its items."""

    items: tuple[tuple[Block, ...], ...]
    tight: bool = True


@dataclass(frozen=True)
class NumberedList(Placed):
    """A numbered list that starts at ``start``."""

    items: tuple[tuple[Block, ...], ...]
    start: int = 1
    tight: bool = True


@dataclass(frozen=True)
class Quote(Placed):
    """Somebody else's words."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Table(Placed):
    """A table. ``alignments`` has one entry a column; missing ones are ``left``. Filled in by
    :func:`reports.layout.lay_out` are ``shares`` (the columns' shares of the line, 0 for a column as wide as its content),
    ``scale`` (of its letters), ``excess`` (by how much of the line it is too wide all the same) and ``number``.
    """

    header: tuple[Inlines, ...]
    rows: tuple[tuple[Inlines, ...], ...]
    alignments: tuple[Alignment, ...] = ()
    caption: Inlines = ()
    shares: tuple[float, ...] = ()
    scale: float = 1.0
    excess: float = 0.0
    number: int = 0


@dataclass(frozen=True)
class CodeBlock(Placed):
    """Code or any other text that is shown as it is. ``columns``, how many letters a line holds on paper, is filled in
    by the layout.
    """

    text: str
    language: str = ""
    columns: int = 84


@dataclass(frozen=True)
class Display(Placed):
    """A formula on a line of its own."""

    surface: Surface


@dataclass(frozen=True)
class AlignedLine:
    """``lhs operator rhs``, with a note such as the rule that gives the line. Without ``lhs`` it goes on from the line
    before.
    """

    lhs: Surface | None
    operator: str
    rhs: Surface
    note: Inlines = ()


@dataclass(frozen=True)
class Aligned(Placed):
    """Lines of formulas aligned at their relation signs. ``operator`` is spelled as in
    :class:`derive.notation.surface.Relation`.

    ``footer`` is a sentence about all of them, such as how they were checked; it stands below, on the same page as the
    last line.
    """

    lines: tuple[AlignedLine, ...]
    footer: Inlines = ()


@dataclass(frozen=True)
class Figure(Placed):
    """A drawing, a plot, or pictures. ``alt`` says in words what it shows. ``number`` and ``scale`` are filled in by
    :func:`reports.layout.lay_out`.
    """

    content: Canvas | Plot | Panels
    caption: Inlines = ()
    alt: str = ""
    number: int = 0
    scale: float = 1.0


@dataclass(frozen=True)
class CodeCell(Placed):
    """Code that was run, with what came out of it. Filled in by the layout are ``columns``, as for :class:`CodeBlock`,
    ``scales`` (one for each picture), and ``number`` where there is a caption: that of the figure, or of the listing
    where nothing is drawn.
    """

    executed: Executed
    caption: Inlines = ()
    columns: int = 84
    scales: tuple[float, ...] = ()
    number: int = 0


@dataclass(frozen=True)
class Callout(Placed):
    """Blocks set apart as an answer, a question, a result, a note or a warning. Without ``title`` the kind is the
    title.

    ``whole`` ones stand on one page; the layout decides which are short enough for that. ``marks`` are what a question
    is worth, as the sheet writes the number.
    """

    kind: CalloutKind
    title: Inlines
    blocks: tuple[Block, ...]
    whole: bool = False
    marks: str = ""


@dataclass(frozen=True)
class Marking(Placed):
    """The place of the table of marks, made by :mod:`reports.forms` when all questions are known."""

    caption: Inlines = ()


@dataclass(frozen=True)
class Later(Placed):
    """The place of blocks that are being made while the rest of a text is read; :func:`reports.markdown.read_markdown`
    leaves none in its document. ``blocks`` waits for them.
    """

    blocks: Callable[[], Blocks]


@dataclass(frozen=True)
class Rule(Placed):
    """A line across the page, between two thoughts."""


# -- formulas laid out (made by reports.layout, never by content) ----------------------------------


@dataclass(frozen=True)
class Sign:
    """A sign that stands at a line break inside a formula: ``+``, ``-``, a product sign, or one half of a pair of
    brackets.

    ``kind`` is spelled as in :mod:`derive.notation.surface`, brackets as themselves; ``tall`` brackets hold something
    higher than a line.
    """

    kind: str
    tall: bool = False


Fragment = Surface | Sign


@dataclass(frozen=True)
class Row:
    """One printed line of aligned formulas. A row that ``hangs`` holds a left side wider than its column, or a part of
    one, in ``right``.
    """

    left: Surface | None = None
    operator: str = ""
    right: tuple[Fragment, ...] = ()
    note: Inlines = ()
    note_below: bool = False
    indent: int = 0
    """Steps by which a continuation stands further right."""
    room: float = 0.0
    """Space for a note below (em)."""
    sticky: bool = False
    """No page ends between this row and the next one."""
    hangs: bool = False


@dataclass(frozen=True)
class Rows(Placed):
    """Aligned formulas broken into lines that fit; ``scale`` below 1 where they fit only in smaller letters."""

    rows: tuple[Row, ...]
    scale: float = 1.0
    footer: Inlines = ()


Block = (
    Heading
    | Paragraph
    | BulletList
    | NumberedList
    | Quote
    | Table
    | CodeBlock
    | Display
    | Aligned
    | Figure
    | CodeCell
    | Callout
    | Marking
    | Later
    | Rule
    | Rows
)
Blocks = tuple[Block, ...]


# -- the document ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Document:
    """A sheet. ``meta`` may say ``author``, ``course``, ``date``, ``source``, ``language`` (``en`` or ``de``), and
    whatever else content needs.

    ``warnings`` are about what its author should look at; they are told, not printed. ``outlined``: an output without
    pages starts with links to all headings; not one that has a table of contents of its own.
    """

    title: Inlines
    subtitle: Inlines = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    blocks: Blocks = ()
    warnings: tuple[str, ...] = ()
    outlined: bool = True

    @property
    def language(self) -> str:
        """The language of the document, English unless the meta data says otherwise."""
        return self.meta.get("language", "en")


def words(text: str) -> Inlines:
    """A sentence without formulas or emphasis."""
    return (Text(text),) if text else ()
