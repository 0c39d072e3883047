"""Markdown to a document tree.

CommonMark with tables, ``$formulas$``, callouts (``::: answer``) and fenced blocks that call the engine (``bptt
NAME``). A paragraph ``Table: …`` below a table is its caption. Formulas are read by the notation, so a slip in one is
told with the file, the line and a caret. Raw HTML is text like any other; images are refused, since a sheet is complete
in itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from derive.errors import BpttError, ParseError
from derive.notation.source import Source, Span
from reports import document as d
from reports import walk
from reports.anchors import check_links, finish_headings
from reports.block_calls import PREFIX, BlockCall, BlockRegistry, MarkdownReader, did_you_mean, read_call
from reports.escape import SCHEMES
from reports.forms import PARTS, WHOLE, Form, finished
from reports.front_matter import read_front_matter
from reports.inline import Sentence
from reports.labels import in_language
from reports.layout import MAX_NESTING
from reports.numbers import with_numbers
from reports.places import Excerpt, FileText

MAX_LINE = 8_000
"""Longest line of a sheet, in characters."""
MAX_PARAGRAPH = 20_000
"""Most characters without an empty line between them."""
MAX_COLUMNS = 20
"""Most columns of a table."""
MAX_BLOCKS = 3000
"""Most paragraphs, headings, list entries and formulas of a sheet."""

_CLOSING_COLONS = re.compile(r"[\s>]*:{3,}\s*")
_CLOSING_FENCE = re.compile(r"[\s>]*(`{3,}|~{3,})\s*")
_NO_MARKS = re.compile(r"\([^()]*\b(?:marks?|points?|Punkte?)\)\s*\Z")
_ANCHOR = re.compile(r"\s*\{#[A-Za-z][A-Za-z0-9-]*\}\s*\Z")
_CONTAINER = "callout"
_MARKS = re.compile(r"\((?P<marks>\d{1,4}(?:[.,]\d{1,3})?) (?:marks?|points?|Punkte?)\)\s*\Z")
_TABLE = "Table: "
_ALWAYS = frozenset(("question", "given", "hint"))
"""What a form without answers has."""
_DIVIDE = "divide it into several sheets, or is this the right file?"
_QUOTES = {"en": "“”‘’", "de": "„“‚‘"}


def read_markdown(
    text: str | Source,
    blocks: BlockRegistry | None = None,
    context: Any = None,
    form: Form = WHOLE,
    meanwhile: Callable[[d.Blocks], None] = lambda blocks: None,
) -> d.Document:
    """A Markdown text as a document.

    Parameters
    ----------
    text    : the text, or a :class:`~derive.notation.source.Source` with the file's name for error messages.
    blocks  : what fenced blocks ``bptt NAME`` stand for.
    context : passed on to those blocks.
    form    : what of it is wanted; blocks that are not are not called, but for those that define what others use.
    meanwhile : what can be done with all other blocks before those are waited for that come later.

    Raises
    ------
    ParseError : with the file's name, the line, and a caret.
    BpttError  : what a block finds.

    >>> read_markdown("# Sheet\\n\\nThe state $h_t$.").title
    (Text(text='Sheet'),)
    """
    source = text if isinstance(text, Source) else Source(text)
    if "\r" in source.text:
        source = Source(source.text.replace("\r\n", "\n").replace("\r", "\n"), source.name, source.line_offset)
    check_extent(source)
    source = with_numbers(source, form.variant)
    front = read_front_matter(source, form.settings)
    reader = _Reader(source, blocks or BlockRegistry(), context, front.values.get("language", "en"), form)
    body = _read(reader, front.rest, meanwhile)
    count = sum(1 for _ in walk.all_blocks(body))
    if count > MAX_BLOCKS:
        raise ParseError(
            f"the sheet has {count:,} paragraphs, headings and formulas",
            span=Span(0, 1, source),
            expected=f"at most {MAX_BLOCKS:,}",
            hint=_DIVIDE,
        )
    titles = {
        key: reader.sentence(front.values[key], front.places[key])
        for key in ("title", "subtitle")
        if front.values.get(key)
    }
    title = titles.get("title", ())
    if not title and body and isinstance(body[0], d.Heading):
        title, body = body[0].body, body[1:]
    body = finish_headings(body)
    check_links(body, reader.links)
    meta = {key: value for key, value in front.values.items() if key not in ("title", "subtitle")}
    title = title or d.words(Path(source.name).stem.strip("<>"))
    return finished(d.Document(title, titles.get("subtitle", ()), meta, body), form)


def _read(reader: _Reader, text: str, meanwhile: Callable[[d.Blocks], None]) -> d.Blocks:
    """All blocks of a text. Of several errors, the first in the text is told."""
    try:
        body = reader.read(text)
        if reader.later:
            meanwhile(body)
    except BpttError:
        for block in reader.later:
            block.blocks()
        raise
    return walk.with_later(body)


def check_extent(source: Source) -> None:
    """Check that no line and no paragraph is longer than people write them; some would take Markdown's parser, or TeX,
    hours.

    Raises
    ------
    ParseError : one is.
    """
    start = paragraph = 0
    for line in source.text.split("\n"):
        paragraph = paragraph + len(line) + 1 if line.strip() else 0
        place = Span(start, start + 1, source)
        if len(line) > MAX_LINE:
            raise ParseError(
                f"a line of {len(line):,} characters",
                span=place,
                expected=f"at most {MAX_LINE:,}",
                hint="is this the right file?",
            )
        if paragraph > MAX_PARAGRAPH:
            raise ParseError(
                f"more than {MAX_PARAGRAPH:,} characters without an empty line",
                span=place,
                expected="paragraphs",
                hint=_DIVIDE,
            )
        start += len(line) + 1


@cache
def _parser(language: str) -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "typographer": True, "quotes": _QUOTES.get(language, _QUOTES["en"])}
    )
    parser.enable(["table", "smartquotes"])
    # Without this, an escaped \$ stays apart from a $ that opens a formula nobody closed.
    parser.disable(["text_join", "html_block", "html_inline"], True)
    parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, allow_blank_lines=False, double_inline=True)
    parser.use(container_plugin, _CONTAINER, validate=lambda *_: True)
    # Links are judged when the tree is built, where an error can say why.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


def _is_container(node: SyntaxTreeNode) -> bool:
    return node.type == f"container_{_CONTAINER}"


def _table_caption(block: d.Block) -> d.Inlines | None:
    """The caption that a paragraph ``Table: …`` below a table is."""
    first = block.body[0] if isinstance(block, d.Paragraph) and block.body else None
    if not isinstance(block, d.Paragraph) or not isinstance(first, d.Text) or not first.text.startswith(_TABLE):
        return None
    return (d.Text(first.text.removeprefix(_TABLE)), *block.body[1:])


class _Reader(MarkdownReader):
    """Turns the nodes of one file into blocks."""

    def __init__(self, source: Source, registry: BlockRegistry, context: Any, language: str, form: Form) -> None:
        self.form = form
        self.file = FileText(source)
        self.registry = registry
        self.context = context
        self.language = language
        self.links: list[tuple[str, Span]] = []
        """Links to anchors, which are checked when all headings are known."""
        self.later: list[d.Later] = []
        """What is being made while the text is read."""

    def read(self, text: str) -> d.Blocks:
        """All blocks of the text, which has the same lines as the file."""
        tree = SyntaxTreeNode(_parser(self.language).parse(text))
        for fence in (node for node in tree.walk() if node.type == "fence" and self.is_read(node)):
            with suppress(ParseError):  # it is told in its turn
                if (call := self.call(fence)) is not None:
                    self.registry.begin(call)
        return tuple(self.inside(tree, 0))

    def is_read(self, node: SyntaxTreeNode) -> bool:
        """Whether the form has what a node is, by itself and by the containers around it."""
        kinds: list[str] = []
        around: SyntaxTreeNode | None = node
        while around is not None:
            kinds += around.info.split()[:1] if _is_container(around) else []
            around = around.parent
        return all(map(self.form.has, kinds)) and (self.form.has_answers or not _ALWAYS.isdisjoint(kinds))

    # -- for handlers ------------------------------------------------------------------------------

    def sentence(self, text: str, place: Span) -> d.Inlines:
        tree = SyntaxTreeNode(_parser(self.language).parseInline(text))
        line = self.file.source.text.count("\n", 0, place.start)
        excerpt = Excerpt(self.file, text, line, place.start - self.file.starts[line])
        return Sentence(excerpt, self.link).read(tree.children[0]) if tree.children else ()

    # -- blocks ------------------------------------------------------------------------------------

    def inside(self, node: SyntaxTreeNode, depth: int) -> Iterator[d.Block]:
        """The blocks inside a node."""
        if depth > MAX_NESTING:
            raise ParseError(
                f"lists, quotes and callouts are nested more than {MAX_NESTING} deep",
                span=self.place(node),
                hint="start a new section instead",
            )
        previous: d.Block | None = None
        for block in (block for child in node.children for block in self.placed(child, depth)):
            caption = _table_caption(block) if isinstance(previous, d.Table) else None
            if caption is not None and isinstance(previous, d.Table):
                previous = replace(previous, caption=caption)
                continue
            if previous is not None:
                yield previous
            previous = block
        if previous is not None:
            yield previous

    def placed(self, node: SyntaxTreeNode, depth: int) -> Iterator[d.Block]:
        """The blocks that one node stands for, each with its line."""
        line = self.place(node).line
        sifted = self.is_read(node) or _is_container(node)  # which sifts block by block
        for block in self.block(node, depth):
            if not sifted and not isinstance(block, d.Heading):
                continue
            yield block if block.line else replace(block, line=line)

    def block(self, node: SyntaxTreeNode, depth: int) -> Iterator[d.Block]:
        """The blocks that one node stands for."""
        match node.type:
            case "heading":
                yield d.Heading(int(node.tag[1:]), self.heading(node))
            case "paragraph":
                yield d.Paragraph(self.inline(node))
            case "bullet_list" | "ordered_list":
                yield self.list(node, depth)
            case "blockquote":
                yield d.Quote(tuple(self.inside(node, depth + 1)))
            case "table":
                yield self.table(node)
            case "hr":
                yield d.Rule()
            case "code_block":
                yield d.CodeBlock(node.content.rstrip("\n"))
            case "fence":
                yield from self.fence(node)
            case "math_block":
                yield self.math_block(node)
            case _ if _is_container(node):
                yield from self.container(node, depth)
            case _:
                raise ParseError(f"{node.type} is not part of a sheet", span=self.place(node))

    def place(self, node: SyntaxTreeNode) -> Span:
        """The first line of a node."""
        while node.map is None and node.parent is not None:
            node = node.parent
        return self.file.line_span(node.map[0] if node.map else 0)

    def heading(self, node: SyntaxTreeNode) -> d.Inlines:
        """The words of a heading, in the language of the sheet where they are given in it: ``## One {de: Eins}``."""
        content = node.children[0].content
        anchor = _ANCHOR.search(content)
        title = content if anchor is None else content[: anchor.start()]
        text = in_language(title, self.language) + (anchor.group() if anchor else "")
        if text == content:
            return self.inline(node)
        first = (node.map or (0, 0))[0]
        start = self.file.starts[first] + max(0, self.file.lines[first].find(text[:20]))
        return self.sentence(text.strip(), self.file.span(start, start + len(text)))

    def inline(self, node: SyntaxTreeNode) -> d.Inlines:
        """The sentence of a heading or a paragraph."""
        inline = node.children[0]
        first = (inline.map or node.map or (0, 0))[0]
        return Sentence(Excerpt(self.file, inline.content, first), self.link).read(inline)

    def list(self, node: SyntaxTreeNode, depth: int) -> d.Block:
        items = tuple(tuple(self.inside(item, depth + 1)) for item in node.children)
        tight = all(child.hidden for item in node.children for child in item.children if child.type == "paragraph")
        if node.type == "bullet_list":
            return d.BulletList(items, tight)
        return d.NumberedList(items, int(node.attrs.get("start", 1)), tight)

    def table(self, node: SyntaxTreeNode) -> d.Table:
        rows = [row for part in node.children for row in part.children]
        if len(rows[0].children) > MAX_COLUMNS:
            raise ParseError(
                f"a table of {len(rows[0].children):,} columns",
                span=self.place(node),
                expected=f"at most {MAX_COLUMNS}",
            )
        read = [self.row(row) for row in rows]
        alignments = [
            str(cell.attrs.get("style", "text-align:left")).removeprefix("text-align:") for cell in rows[0].children
        ]
        return d.Table(read[0], tuple(read[1:]), cast(tuple[d.Alignment, ...], tuple(alignments)))

    def row(self, row: SyntaxTreeNode) -> tuple[d.Inlines, ...]:
        """The cells of a row; each is looked for in its line after the one before."""
        line = (row.map or (0, 0))[0]
        cells = []
        column = 0
        for cell in row.children:
            inline = cell.children[0]
            found = self.file.lines[line].find(inline.content, column)
            column = found if found >= 0 else column
            cells.append(Sentence(Excerpt(self.file, inline.content, line, column), self.link).read(inline))
            column += len(inline.content)
        return tuple(cells)

    def fence(self, node: SyntaxTreeNode) -> Iterator[d.Block]:
        first, last = node.map or (0, 0)
        if last - 1 <= first or not _CLOSING_FENCE.fullmatch(self.file.lines[last - 1]):
            raise ParseError(
                f"'{node.markup}' is never closed",
                span=self.file.line_span(first),
                expected=f"a line {node.markup} after the block",
            )
        call = self.call(node)
        if call is None:
            yield d.CodeBlock(node.content.rstrip("\n"), "".join(node.info.split()[:1]))
        elif self.is_read(node) or self.registry.defines(call):
            found = self.registry.call(call)
            self.later += (block for block in found if isinstance(block, d.Later))
            yield from found

    def call(self, node: SyntaxTreeNode) -> BlockCall | None:
        """The call that a fence is; None for a fence of code that is only shown.

        Raises
        ------
        ParseError : it names no block, or a line of it is no option.
        """
        first = (node.map or (0, 0))[0]
        words = node.info.split()
        if words[:1] != [PREFIX]:
            return None
        if len(words) != 2:
            raise ParseError(
                f"'{node.info.strip()}' does not name one block",
                span=self.file.line_span(first),
                expected=f"{PREFIX} and the name of a block",
            )
        return read_call(self.file, words[1], node.content, (first, first + 1), self.context, self)

    def math_block(self, node: SyntaxTreeNode) -> d.Block:
        first = (node.map or (0, 0))[0]
        excerpt = Excerpt(self.file, node.content, first, self.file.lines[first].find("$$") + 2)
        lines = Sentence(excerpt, self.link).formulas(node.content, 0)
        if len(lines) == 1:
            return d.Display(lines[0])
        return d.Aligned(tuple(entry for line in lines for entry in walk.aligned(line).lines))

    def container(self, node: SyntaxTreeNode, depth: int) -> Iterator[d.Block]:
        """A callout, or what stands in a part that the form has; what it has not is not read."""
        kind, rest = self.opened(node)
        if not self.form.has(kind):
            return
        blocks = self.inside(node, depth) if kind in PARTS else iter([self.callout(kind, rest, node, depth)])
        for block in blocks if kind in PARTS or self.is_read(node) else ():
            asked = block.asked or kind in ("question", "given")
            yield replace(block, line=block.line or self.place(node).line, asked=asked)

    def opened(self, node: SyntaxTreeNode) -> tuple[str, str]:
        """The kind of a container, and the words behind it.

        Raises
        ------
        ParseError : there is no such kind, or the container is never closed.
        """
        first, last = node.map or (0, 0)
        span = self.file.line_span(first)
        known = (*d.CALLOUT_KINDS, *PARTS)
        words = node.info.strip().split(maxsplit=1)
        if not words:
            raise ParseError(
                "':::' closes nothing",
                span=span,
                expected=f"::: and one of {', '.join(known)}",
                hint="an outer ::: needs more colons",
            )
        if words[0] not in known:
            raise ParseError(
                f"there is no callout {words[0]!r}",
                span=span,
                expected=f"one of {', '.join(known)}",
                hint=did_you_mean(words[0], known),
            )
        if last >= len(self.file.lines) or not _CLOSING_COLONS.fullmatch(self.file.lines[last]):
            raise ParseError(
                f"'{node.markup} {words[0]}' is never closed", span=span, expected=f"a line {node.markup} after it"
            )
        for inner in node.children:
            if inner.type == node.type and (inner.map or (0, 0))[1] == last:  # one ::: cannot close both
                raise ParseError(
                    f"'{inner.markup} {inner.info.strip()}' or the '{node.markup} {words[0]}' around it is never closed",
                    span=self.file.line_span((inner.map or (0, 0))[0]),
                    expected=f"a line {node.markup} after each",
                    hint="an outer ::: needs more colons",
                )
        if words[0] in PARTS and len(words) > 1:
            raise ParseError(f"a part {words[0]!r} has no title", span=span, expected=f"::: {words[0]}")
        rest = words[1] if len(words) > 1 else ""
        if words[0] == "question" and _NO_MARKS.search(rest) and not _MARKS.search(rest):
            raise ParseError("these marks are no number", span=span, expected="such as (2 marks) or (0.5 marks)")
        if words[0] != "question" and _MARKS.search(rest):
            raise ParseError("only questions have marks", span=span, expected=f"::: question {rest}")
        return words[0], rest

    def callout(self, kind: str, words: str, node: SyntaxTreeNode, depth: int) -> d.Callout:
        first = (node.map or (0, 0))[0]
        title: d.Inlines = ()
        found = _MARKS.search(words)
        marks = found["marks"].replace(",", ".") if found is not None else ""
        heading = words[: found.start()].strip() if found is not None else words
        if heading:
            start = self.file.starts[first] + self.file.lines[first].find(heading)
            title = self.sentence(heading, self.file.span(start, start + len(heading)))
        return d.Callout(cast(d.CalloutKind, kind), title, tuple(self.inside(node, depth + 1)), marks=marks)

    # -- links -------------------------------------------------------------------------------------

    def link(self, url: str, span: Span) -> None:
        """Check a link's target.

        Raises
        ------
        ParseError : it is neither on the web, nor an address, nor an anchor of this sheet.
        """
        if url.startswith("#"):
            self.links.append((url[1:], span))
        elif urlsplit(url).scheme.lower() not in SCHEMES:
            raise ParseError(
                f"a link to {url!r} is not allowed",
                span=span,
                expected=f"a target that starts with {', '.join(SCHEMES)} or #",
            )
