"""Making expressions with the obvious simplifications: what a person would not write down.

The parser builds nodes as they are written; derivative rules build them here, so that no result shows a product with
the identity, a double transpose, or a sum with zero. Every simplification is an identity for all sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sympy import Expr, Integer

from derive.expressions.leaves import Identity, OneHot, Ones, Scalar, Zero
from derive.expressions.node import ONE, STRICT, Node, Shape, is_scalar


def zero(shape: Shape) -> Node:
    """All entries zero."""
    return Scalar(0) if is_scalar(shape) else Zero(*shape)


def ones(shape: Shape) -> Node:
    """All entries one."""
    return Scalar(1) if is_scalar(shape) else Ones(*shape)


def identity(size: Expr) -> Node:
    """The identity matrix of a size."""
    return Scalar(1) if size == ONE else Identity(size)


def is_zero(node: Node) -> bool:
    """Whether an expression is literally zero."""
    return isinstance(node, Zero) or (isinstance(node, Scalar) and node.value == 0)


def is_one(node: Node) -> bool:
    """Whether an expression is the number one."""
    return isinstance(node, Scalar) and node.value == 1


def broadcast(node: Node, shape: Shape) -> Node:
    """A scalar as an operand of full shape (for the tangent of a scalar that was added to each entry)."""
    return times(node, ones(shape)) if node.is_scalar and not is_scalar(shape) else node


def plus(*terms: Node) -> Node:
    """A sum, flat and without zeros."""
    from derive.expressions.algebra import Plus

    flat: list[Node] = []
    for term in terms:
        flat.extend(term.operands if isinstance(term, Plus) else (term,))
    kept = [_signed(term) for term in flat if not is_zero(term)]
    shape = next((term.shape for term in flat if not term.is_scalar), flat[0].shape)
    if kept and is_scalar(kept[0].shape) and all(term.is_scalar for term in kept) and not is_scalar(shape):
        kept = [broadcast(term, shape) for term in kept]
    if not kept:
        return zero(shape)
    return kept[0] if len(kept) == 1 else Plus(*kept)


def _signed(term: Node) -> Node:
    """-1 in a sum is minus 1, so that it prints as a - 1."""
    from derive.expressions.algebra import Neg

    negative = isinstance(term, Scalar) and term.digits is None and term.value.is_number and term.value.is_negative
    return Neg(Scalar(-term.value)) if negative and isinstance(term, Scalar) else term


def neg(node: Node) -> Node:
    """Minus, cancelled in pairs and taken into numbers and sums."""
    from derive.expressions.algebra import Neg, Plus

    if isinstance(node, Neg):
        return node.operands[0]
    if is_zero(node):
        return node
    if isinstance(node, Scalar) and node.value.is_number and node.digits is None:
        return Scalar(-node.value)
    if isinstance(node, Plus):
        return Plus(*(neg(term) for term in node.operands))
    return Neg(node)


def _unsigned(factors: Sequence[Node]) -> tuple[bool, list[Node]]:
    """The factors without their minus signs, and whether an odd number was taken."""
    from derive.expressions.algebra import Neg

    negative, plain = False, []
    for factor in factors:
        if isinstance(factor, Neg):
            negative, factor = not negative, factor.operands[0]
        elif isinstance(factor, Scalar) and factor.value.is_number and factor.value < 0 and factor.digits is None:
            negative, factor = not negative, Scalar(-factor.value)
        plain.append(factor)
    return negative, plain


def times(*factors: Node) -> Node:
    """A product: flat, without identities, with neighbouring diagonals joined and diag(a) x written a ⊙ x."""
    from derive.expressions.algebra import Times

    flat: list[Node] = []
    for factor in factors:
        flat.extend(factor.operands if isinstance(factor, Times) and _opens(factor) else (factor,))
    negative, flat = _unsigned(flat)
    shape = Times.shape_rule([f.shape for f in flat], STRICT) if flat else (ONE, ONE)
    if any(is_zero(f) for f in flat):
        return zero(shape)
    scalars = [f for f in flat if f.is_scalar and not is_one(f)]
    chain = _join([f for f in flat if not f.is_scalar])
    kept = _numbers_first(scalars) + chain
    if not kept:
        kept = [Scalar(1)] if is_scalar(shape) else [Identity(shape[0])]
    result = kept[0] if len(kept) == 1 else Times(*kept)
    return neg(result) if negative else result


def _opens(product: Node) -> bool:
    """Whether a product may be written out inside another: not a number made of vectors, such as u^T v."""
    return not product.is_scalar or all(factor.is_scalar for factor in product.operands)


def _numbers_first(scalars: list[Node]) -> list[Node]:
    """Scalars of a product with their numbers multiplied together in front."""
    numbers = [s.value for s in scalars if isinstance(s, Scalar) and s.value.is_Rational]
    others = [s for s in scalars if not (isinstance(s, Scalar) and s.value.is_Rational)]
    value = reduce(lambda a, b: a * b, numbers, Integer(1))
    keep = [s for s in scalars if isinstance(s, Scalar) and s.value.is_Rational]
    front: list[Node] = [] if value == 1 else (keep if len(keep) == 1 else [Scalar(value)])
    return front + others


def _join(chain: list[Node]) -> list[Node]:
    from derive.expressions.structure import Diag

    joined: list[Node] = []
    for factor in chain:
        last = joined[-1] if joined else None
        if isinstance(factor, Identity) and (len(chain) > 1):
            continue
        if isinstance(last, Diag) and isinstance(factor, Diag):
            joined[-1] = diag(hadamard(_column(last.operands[0]), _column(factor.operands[0])))
        elif isinstance(last, Diag) and factor.shape[1:] == (ONE,):
            joined[-1] = hadamard(_column(last.operands[0]), factor)
        elif last is not None and isinstance(factor, Diag) and last.shape[0] == ONE and len(last.shape) == 2:
            joined[-1] = hadamard(last, transpose(_column(factor.operands[0])))
        else:
            joined.append(factor)
    return joined or chain[:1]


def _column(vector: Node) -> Node:
    return vector if vector.shape[1] == ONE else transpose(vector)


def hadamard(*factors: Node) -> Node:
    """An entrywise product: flat, without ones."""
    from derive.expressions.algebra import Hadamard

    flat: list[Node] = []
    for factor in factors:
        flat.extend(factor.operands if isinstance(factor, Hadamard) else (factor,))
    negative, flat = _unsigned(flat)
    full = [f for f in flat if not f.is_scalar]
    if not full:
        result = times(*flat)
    elif any(is_zero(f) for f in flat):
        result = zero(full[0].shape)
    else:
        kept = [f for f in full if not isinstance(f, Ones)] or full[:1]
        scalars = [f for f in flat if f.is_scalar]
        body = kept[0] if len(kept) == 1 else Hadamard(*kept)
        result = times(*scalars, body) if scalars else body
    return neg(result) if negative else result


def divide(above: Node, below: Node) -> Node:
    """A quotient."""
    from derive.expressions.algebra import Divide, Neg

    if is_zero(above) or is_one(below):
        return above
    if isinstance(above, Neg):
        return neg(divide(above.operands[0], below))
    return Divide(above, below)


def power(base: Node, exponent: Node) -> Node:
    """A power, without the exponents 0 and 1."""
    from derive.expressions.algebra import Power

    if is_zero(exponent):
        return ones(base.shape)
    return base if is_one(exponent) else Power(base, exponent)


def matrix_power(base: Node, exponent: Expr) -> Node:
    """A power of a square matrix, without the exponents 0 and 1."""
    from derive.expressions.algebra import MatrixPower

    if exponent == 0:
        return identity(base.shape[0])
    return base if exponent == 1 else MatrixPower(base, exponent)


def transpose(node: Node) -> Node:
    """The transpose, carried through sums and products."""
    from derive.expressions.algebra import Hadamard, Neg, Plus, Times, Transpose
    from derive.expressions.calculus import SumOver
    from derive.expressions.structure import Block, Diag
    from derive.expressions.tree import SumOverChildren

    if node.is_scalar or isinstance(node, (Diag, Identity)):
        return node
    if isinstance(node, Transpose):
        return node.operands[0]
    if isinstance(node, (Zero, Ones)):
        return type(node)(*node.shape[::-1])
    if isinstance(node, OneHot):
        return Transpose(node)
    if isinstance(node, Times):
        scalars = [f for f in node.operands if f.is_scalar]
        return times(*scalars, *(transpose(f) for f in reversed(node.operands) if not f.is_scalar))
    if isinstance(node, (Plus, Neg, Hadamard)):
        return remake(node, [transpose(operand) for operand in node.operands])
    if isinstance(node, (SumOver, SumOverChildren)):
        return node.with_body(transpose(node.body))
    if isinstance(node, Block):
        return Block([[transpose(entry) for entry in column] for column in zip(*node.rows, strict=True)])
    return Transpose(node)


def diag(vector: Node) -> Node:
    """The diagonal matrix of a vector."""
    from derive.expressions.algebra import Neg
    from derive.expressions.structure import Diag

    if vector.is_scalar:
        return vector
    if isinstance(vector, Zero):
        size = vector.shape[0] * vector.shape[1]
        return Zero(size, size)
    if isinstance(vector, Ones):
        return Identity(vector.shape[0] * vector.shape[1])
    if isinstance(vector, Neg):
        return neg(diag(vector.operands[0]))
    return Diag(vector)


def vec(matrix: Node) -> Node:
    """The columns of a matrix stacked; a column is itself."""
    from derive.expressions.structure import Vec

    if matrix.shape[1] == ONE:
        return matrix
    if isinstance(matrix, (Zero, Ones)):
        return type(matrix)(matrix.shape[0] * matrix.shape[1], ONE)
    return Vec(matrix)


def diag_part(matrix: Node) -> Node:
    """The diagonal of a matrix."""
    from derive.expressions.structure import Diag, DiagPart

    if matrix.is_scalar:
        return matrix
    return _column(matrix.operands[0]) if isinstance(matrix, Diag) else DiagPart(matrix)


def inner(a: Node, b: Node) -> Node:
    """The inner product: a^T b for columns, a b^T for rows, tr(A^T B) for matrices."""
    from derive.expressions.algebra import Inner

    if is_zero(a) or is_zero(b):
        return Scalar(0)
    if a.is_scalar and b.is_scalar:
        return times(a, b)
    if a.is_scalar or b.is_scalar:
        scalar, full = (a, b) if a.is_scalar else (b, a)
        return times(scalar, sum_entries(full))
    if a.shape[1] == ONE:
        return times(transpose(a), b)
    if a.shape[0] == ONE:
        return times(a, transpose(b))
    return Inner(a, b)


def sum_entries(node: Node) -> Node:
    """The sum of all entries."""
    from derive.expressions.structure import SumEntries

    if node.is_scalar:
        return node
    if node.shape[1] == ONE:
        return times(Ones(ONE, node.shape[0]), node)
    if node.shape[0] == ONE:
        return times(node, Ones(node.shape[1], ONE))
    return SumEntries(node)


def part(node: Node, top: Expr, bottom: Expr, left: Expr, right: Expr) -> Node:
    """A slice; whole operands and blocks that fit are taken as they are."""
    from derive.expressions.structure import Block, Slice

    rows, columns = node.shape
    if (top, left) == (0, 0) and (bottom - rows, right - columns) == (0, 0):
        return node
    if isinstance(node, Zero):
        return zero((bottom - top, right - left))
    if isinstance(node, Block):
        tops, lefts = node.offsets()
        if top in tops and bottom in tops and left in lefts and right in lefts:
            inside = [
                row[lefts.index(left) : lefts.index(right)] for row in node.rows[tops.index(top) : tops.index(bottom)]
            ]
            return block(inside)
    return Slice(node, top, bottom, left, right)


def block(rows: Sequence[Sequence[Node]]) -> Node:
    """A block matrix; one block is itself."""
    from derive.expressions.structure import Block

    return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else Block(rows)


def padded(node: Node, rows: tuple[Expr, Expr], columns: tuple[Expr, Expr]) -> Node:
    """A matrix with zeros around it: rows above and below, columns left and right."""
    heights, widths = (rows[0], node.shape[0], rows[1]), (columns[0], node.shape[1], columns[1])
    grid: list[list[Node]] = []
    for i, height in enumerate(heights):
        if height != 0:
            grid.append(
                [node if i == 1 and j == 1 else zero((height, width)) for j, width in enumerate(widths) if width != 0]
            )
    return block(grid)


_REMAKERS: dict[str, Any] = {
    "Plus": plus, "Neg": neg, "Times": times, "Hadamard": hadamard, "Divide": divide, "Transpose": transpose, "Diag": diag,
    "DiagPart": diag_part, "SumEntries": sum_entries, "Inner": inner, "Power": power,
}  # fmt: skip


def remake(node: Node, operands: Sequence[Node]) -> Node:
    """The same operation on other operands, simplified."""
    maker = _REMAKERS.get(type(node).__name__)
    return maker(*operands) if maker else node.with_operands(operands)
