"""Going through a document: its words, its sentences, the blocks inside blocks, and the same with something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from derive.notation import surface as s
from derive.notation.surface import Surface
from derive.notation.write_plain import write_plain
from reports.document import (
    Aligned,
    AlignedLine,
    Block,
    Blocks,
    BulletList,
    Callout,
    CodeCell,
    CodeSpan,
    Emphasis,
    Figure,
    Heading,
    Inline,
    Inlines,
    Later,
    LineBreak,
    Link,
    Math,
    NumberedList,
    PageOf,
    Paragraph,
    Quote,
    Rows,
    Shade,
    Strong,
    Table,
    Text,
    words,
)


def plain_text(body: Inlines) -> str:
    """The words of a sentence without their looks, for places that hold nothing else (a window's title, a bookmark).

    >>> plain_text((Text("the "), Strong((Text("state"),))))
    'the state'
    """
    return "".join(_plain(inline) for inline in body)


def _plain(inline: Inline) -> str:
    match inline:
        case Text(text) | CodeSpan(text) | Shade(text, _):
            return text
        case Emphasis(body) | Strong(body) | Link(body, _):
            return plain_text(body)
        case Math(surface):
            return write_plain(surface)
        case PageOf():
            return ""
        case LineBreak():
            return " "


def inlines_below(body: Inlines) -> Iterator[Inline]:
    """All pieces of a sentence, those inside emphasis and links included."""
    for inline in body:
        yield inline
        if isinstance(inline, (Emphasis, Strong, Link)):
            yield from inlines_below(inline.body)


def sentences(block: Block) -> Iterator[Inlines]:
    """Every sentence of a block and of the blocks inside it."""
    match block:
        case Heading(_, body, _, _) | Paragraph(body):
            yield body
        case Table():
            yield from (cell for row in (block.header, *block.rows) for cell in row)
            yield block.caption
        case Aligned(lines, footer):
            yield from (line.note for line in lines)
            yield footer
        case Rows(rows, _, footer):
            yield from (row.note for row in rows)
            yield footer
        case Figure() | CodeCell():
            yield block.caption
        case Callout():
            yield block.title
    for inner in blocks_inside(block):
        yield from sentences(inner)


def blocks_inside(block: Block) -> Blocks:
    """The blocks directly inside a block."""
    match block:
        case BulletList(items) | NumberedList(items):
            return tuple(inner for item in items for inner in item)
        case Quote(blocks) | Callout(_, _, blocks):
            return blocks
        case _:
            return ()


def all_blocks(blocks: Blocks) -> Iterator[Block]:
    """All blocks, each before those inside it."""
    for block in blocks:
        yield block
        yield from all_blocks(blocks_inside(block))


def joined(sentences: Iterable[Inlines], between: str) -> Inlines:
    """Sentences as one, with words between them.

    >>> joined([words("a"), words("b")], ", ")
    (Text(text='a'), Text(text=', '), Text(text='b'))
    """
    found: Inlines = ()
    for sentence in sentences:
        found += (*words(between if found else ""), *sentence)
    return found


def with_later(blocks: Blocks) -> Blocks:
    """The blocks with those in place that came later, in their order; each gets the line of its place."""
    return tuple(found for block in blocks for found in _with_later(block))


def _with_later(block: Block) -> Blocks:
    match block:
        case Later():
            return tuple(replace(found, line=found.line or block.line, asked=block.asked) for found in block.blocks())
        case BulletList() | NumberedList():
            return (replace(block, items=tuple(map(with_later, block.items))),)
        case Quote() | Callout():
            return (replace(block, blocks=with_later(block.blocks)),)
        case _:
            return (block,)


def with_sentences(block: Block, change: Callable[[Inlines], Inlines]) -> Block:
    """A block with every sentence of it changed, those of the blocks inside it included."""

    def inside(blocks: Blocks) -> Blocks:
        return tuple(with_sentences(inner, change) for inner in blocks)

    match block:
        case Heading() | Paragraph():
            return replace(block, body=change(block.body))
        case Table():
            rows = tuple(tuple(map(change, row)) for row in block.rows)
            return replace(block, header=tuple(map(change, block.header)), rows=rows, caption=change(block.caption))
        case Aligned():
            lines = tuple(replace(line, note=change(line.note)) for line in block.lines)
            return replace(block, lines=lines, footer=change(block.footer))
        case Figure():
            return replace(block, caption=change(block.caption))
        case BulletList() | NumberedList():
            return replace(block, items=tuple(map(inside, block.items)))
        case Quote():
            return replace(block, blocks=inside(block.blocks))
        case Callout():
            return replace(block, title=change(block.title), blocks=inside(block.blocks))
        case _:
            return block


def chains(lines: Iterable[AlignedLine]) -> Iterator[Surface]:
    """Aligned lines as formulas again: each left side with all that goes on from it."""
    items: list[Surface] = []
    operators: list[str] = []
    for line in (*lines, None):
        if items and (line is None or line.lhs is not None or not line.operator):
            yield s.Relation(tuple(operators), tuple(items)) if operators else items[0]
            items, operators = [], []
        if line is None:
            continue
        if line.lhs is not None:
            items.append(line.lhs)
        if line.operator and items:
            operators.append(line.operator)
        items.append(line.rhs)


def aligned(surface: Surface, note: Inlines = ()) -> Aligned:
    """A chain ``a = b = c`` as aligned lines, one a relation sign; the note stands at the last. A formula without a
    relation is one line.

    >>> from derive.notation.parser import parse_one
    >>> [line.operator for line in aligned(parse_one("a = b \\\\le c")).lines]
    ['=', '<=']
    """
    while isinstance(surface, s.Line) and len(surface.items) == 1:
        surface = surface.items[0]
    if not isinstance(surface, s.Relation):
        return Aligned((AlignedLine(None, "", surface, note),))
    last = len(surface.operators) - 1
    pairs = zip(surface.operators, surface.items[1:], strict=True)
    return Aligned(
        tuple(
            AlignedLine(surface.items[0] if k == 0 else None, op, rhs, note if k == last else ())
            for k, (op, rhs) in enumerate(pairs)
        )
    )
