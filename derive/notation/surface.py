"""The surface of a formula: what is written, before it is decided what it means.

Both directions meet here. The front ends and the grammar turn text into a surface tree (with places in the text); the
writers turn a surface tree into LaTeX, plain text, Typst or MathML. Meaning (is ``f (x)`` a product or an application,
is ``_k`` a time or a label) is settled in :mod:`derive.notation.resolve`, and an expression comes back to the surface
through :mod:`derive.notation.present`, so that parentheses and spellings are decided in one place for all outputs.

Names are spelled in plain letters here: ``alpha`` for a Greek letter, ``calL`` for a calligraphic one, ``softmax`` for
a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from derive.errors import ParseError
from derive.notation.source import Span

MAX_DEPTH = 150
"""Deepest nesting that is read; a formula for people has about ten levels."""


@dataclass(frozen=True)
class Surface:
    """Base of all surface nodes. ``span`` is None for trees that were made from an expression."""

    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)
    depth: int = field(default=0, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        depth = 1 + max((child.depth for child in self.children()), default=0)
        if depth > MAX_DEPTH:
            raise ParseError(
                f"the formula is nested more than {MAX_DEPTH} levels deep",
                span=self.span,
                hint="name the inner parts by equations of their own",
            )
        object.__setattr__(self, "depth", depth)

    def children(self) -> tuple[Surface, ...]:
        """The surface nodes directly below."""
        return ()

    def walk(self) -> Iterator[Surface]:
        """This node and all below it, in reading order."""
        stack: list[Surface] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children()))


@dataclass(frozen=True)
class Name(Surface):
    """A letter, a Greek letter or a word: ``W``, ``alpha``, ``softmax``, ``calL``."""

    text: str


@dataclass(frozen=True)
class Number(Surface):
    """A number as written: ``0.58``, ``30``."""

    text: str


@dataclass(frozen=True)
class Mark(Surface):
    """A sign that is no quantity: ``ones`` (bold 1), ``reals``, ``nabla``, ``partial``, ``dots``, ``top``, ``star``,
    ``+``, ``-``, ``infty``.
    """

    kind: str


@dataclass(frozen=True)
class Text(Surface):
    """Words inside a formula."""

    text: str


@dataclass(frozen=True)
class Scripted(Surface):
    """A base with primes, subscripts and superscripts; each script holds its comma-separated items."""

    base: Surface
    subs: tuple[Surface, ...] = ()
    sups: tuple[Surface, ...] = ()
    primes: int = 0

    def children(self) -> tuple[Surface, ...]:
        return (self.base, *self.subs, *self.sups)


@dataclass(frozen=True)
class Accent(Surface):
    """A decorated letter: ``tilde``, ``hat``, ``bar``, ``rightarrow``, ..."""

    kind: str
    body: Surface

    def children(self) -> tuple[Surface, ...]:
        return (self.body,)


@dataclass(frozen=True)
class Bracket(Surface):
    """Bracketed items. ``kind`` is the opening bracket: ``(``, ``[``, ``{`` (a set), ``<`` (angle), or ``group`` (TeX
    braces, not printed).
    """

    kind: str
    items: tuple[Surface, ...]
    separator: str = ","

    def children(self) -> tuple[Surface, ...]:
        return self.items


@dataclass(frozen=True)
class Fence(Surface):
    """``norm`` or ``abs`` bars."""

    kind: str
    body: Surface

    def children(self) -> tuple[Surface, ...]:
        return (self.body,)


@dataclass(frozen=True)
class Sequence(Surface):
    """Factors side by side."""

    items: tuple[Surface, ...]

    def children(self) -> tuple[Surface, ...]:
        return self.items


@dataclass(frozen=True)
class Infix(Surface):
    """Operands joined by product signs (``odot``, ``cdot``, ``times``, ``otimes``, ``oslash``, ``ast``, ``at``, ``slash``), read
    from the left.
    """

    operators: tuple[str, ...]
    items: tuple[Surface, ...]

    def children(self) -> tuple[Surface, ...]:
        return self.items


@dataclass(frozen=True)
class Sum(Surface):
    """Terms with their signs (+1, -1); an explicit leading plus is not kept."""

    signs: tuple[int, ...]
    items: tuple[Surface, ...]

    def children(self) -> tuple[Surface, ...]:
        return self.items


@dataclass(frozen=True)
class Fraction(Surface):
    """A fraction bar; also a derivative, when both parts start with a differential."""

    numerator: Surface
    denominator: Surface

    def children(self) -> tuple[Surface, ...]:
        return (self.numerator, self.denominator)


@dataclass(frozen=True)
class Root(Surface):
    """A square root, or an n-th root."""

    body: Surface
    index: Surface | None = None

    def children(self) -> tuple[Surface, ...]:
        return (self.body,) if self.index is None else (self.index, self.body)


@dataclass(frozen=True)
class Matrix(Surface):
    """Rows of entries."""

    rows: tuple[tuple[Surface, ...], ...]

    def children(self) -> tuple[Surface, ...]:
        return tuple(entry for row in self.rows for entry in row)


@dataclass(frozen=True)
class Big(Surface):
    """``sum`` or ``prod`` with its bounds; the body reaches to the next + - = , or closing bracket."""

    kind: str
    sub: Surface | None
    sup: Surface | None
    body: Surface

    def children(self) -> tuple[Surface, ...]:
        return tuple(c for c in (self.sub, self.sup, self.body) if c is not None)


@dataclass(frozen=True)
class Relation(Surface):
    """``a = b``, chains ``a = b \\le c``, memberships ``a \\in S``; one operator fewer than items."""

    operators: tuple[str, ...]
    items: tuple[Surface, ...]

    def children(self) -> tuple[Surface, ...]:
        return self.items


@dataclass(frozen=True)
class Line(Surface):
    """One line of a text: its relations (several where commas separate them)."""

    items: tuple[Surface, ...]

    def children(self) -> tuple[Surface, ...]:
        return self.items


_MaybeNone = TypeVar("_MaybeNone", Surface, Surface | None)


def bare(node: _MaybeNone) -> _MaybeNone:
    """What carries the scripts of a node; the node itself, where there are none."""
    return node.base if isinstance(node, Scripted) else node
