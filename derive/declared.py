"""Declared sizes: ``h_t \\in \\mathbb{R}^{n}`` says that every h_t has n entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sympy import Expr

from derive.errors import AmbiguityError, ParseError, ShapeError
from derive.notation import surface as s
from derive.notation.references import ReferenceReader
from derive.notation.scope import size_key


def declared_sizes(
    declarations: Sequence[tuple[s.Surface, s.Relation]], references: ReferenceReader, indices: Collection[str]
) -> dict[str, tuple[Expr, ...]]:
    """The sizes of each name that is declared: none for a number, one for a vector, two for a matrix.

    Raises
    ------
    ParseError     : it is no name, or no space of the notation.
    AmbiguityError : a size has the letter of an index.
    ShapeError     : a size is no whole number from 1 on.
    """
    found = {}
    for name, relation in declarations:
        reference = references.reference(name)
        if reference is None:
            raise ParseError("only names are declared", span=name.span, expected="a name such as C_t")
        found[reference.name.key] = _space(relation.items[1], references)
        _check_letters(found[reference.name.key], relation, indices)
    return found


def _check_letters(sizes: Iterable[Expr], relation: s.Relation, indices: Collection[str]) -> None:
    """A letter is a size or an index."""
    letters = {str(symbol) for size in sizes for symbol in size.free_symbols}
    for letter in sorted(letters & set(indices)):
        raise AmbiguityError(
            f"{letter} is a size here, and an index elsewhere",
            span=relation.items[1].span or relation.span,
            expected="another letter for the size, such as n",
        )


def _space(node: s.Surface, references: ReferenceReader) -> tuple[Expr, ...]:
    """The sizes of R, R^n or R^{n x d}."""
    base, sups = (node.base, node.sups) if isinstance(node, s.Scripted) else (node, ())
    if not isinstance(base, s.Mark) or base.kind != "reals" or len(sups) > 1:
        raise ParseError(
            "this space is not part of the notation",
            span=node.span,
            expected="\\mathbb{R}, \\mathbb{R}^{n} or \\mathbb{R}^{n \\times d}",
        )
    if not sups:
        return ()
    crossed = isinstance(sups[0], s.Infix) and set(sups[0].operators) == {"times"}
    factors = sups[0].children() if crossed else (sups[0],)
    sizes = [_size(factor, references) for factor in factors]
    if len(sizes) > 2:
        raise ParseError(
            "only vectors and matrices are part of the notation", span=node.span, expected="\\mathbb{R}^{n \\times d}"
        )
    # R^{n x 1} is a column, R^{1 x n} a row; R^1 and R^{1 x 1} are scalars.
    return () if all(size == 1 for size in sizes) else tuple(sizes)


def _size(factor: s.Surface, references: ReferenceReader) -> Expr:
    """A size; without entries every equation would be true."""
    size = references.index(factor)
    if size.is_number and not (size.is_Integer and size >= 1):
        raise ShapeError(
            f"a size is a whole number from 1 on, and this is {size}", span=factor.span, expected="such as n or 3"
        )
    return size


def letters_of_sizes(node: s.Surface) -> Iterable[str]:
    """The sizes that a declared space names."""
    stack = list(node.sups) if isinstance(node, s.Scripted) else []
    while stack:
        part = stack.pop()
        key = size_key(part)
        if key:
            yield key
        else:
            stack.extend(part.children())


__all__ = ["declared_sizes", "letters_of_sizes"]
