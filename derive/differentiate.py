"""Differentiating one formula: tangents forward, cotangents backward, and the matrix of a linear formula.

Every rule stands with its operation (``jvp`` and ``vjp`` in :mod:`derive.expressions`); here they are only chained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Integer

from derive.errors import MissingRuleError
from derive.expressions import (
    ONE,
    Block,
    Diag,
    DiagPart,
    Divide,
    Hadamard,
    Inner,
    Leaf,
    Neg,
    Node,
    Plus,
    Slice,
    SumEntries,
    SumOver,
    Timed,
    Times,
    Transpose,
    Var,
    make,
)
from derive.expressions.node import is_vector, show_shape


def push(node: Node, tangents: Mapping[Node, Node]) -> Node | None:
    """The directional derivative of a formula, given the tangents of its leaves; None if it does not vary."""
    if node in tangents:
        return tangents[node]
    if isinstance(node, Leaf):
        return None
    parts = [push(operand, tangents) for operand in node.operands]
    return None if all(part is None for part in parts) else node.jvp(parts)


@dataclass(frozen=True)
class Reach:
    """What a cotangent passes to one quantity. Inside a sum over time it does so for every value of ``over``'s index
    from its lower to its upper bound.
    """

    leaf: Timed | Var
    part: Node
    over: SumOver | None = None


def reaches(node: Node, cotangent: Node) -> Iterator[Reach]:
    """Every contribution that a formula's adjoint makes to a quantity in it, in the order of occurrence.

    Raises
    ------
    MissingRuleError : a quantity stands inside a sum inside a sum over time.
    """
    stack: list[tuple[Node, Node, SumOver | None]] = [(node, cotangent, None)]
    while stack:
        current, incoming, over = stack.pop()
        if isinstance(current, (Timed, Var)):
            yield Reach(current, incoming, over)
        elif isinstance(current, SumOver):
            if over is not None:
                raise MissingRuleError(
                    f"{current} is a sum over time inside another", hint="name the inner sum by an equation of its own"
                )
            stack.append((current.body, incoming, current))
        elif current.operands:
            passed = current.vjp(incoming)
            below = [
                (operand, part, over)
                for operand, part in zip(current.operands, passed, strict=True)
                if part is not None
            ]
            stack.extend(reversed(below))


def pull(node: Node, cotangent: Node) -> dict[Node, Node]:
    """For every quantity in a formula, its adjoint given the adjoint of the formula: contributions added in the order
    of occurrence.
    """
    found: dict[Node, list[Node]] = {}
    for reach in reaches(node, cotangent):
        if reach.over is None:
            found.setdefault(reach.leaf, []).append(reach.part)
        elif isinstance(reach.leaf, Timed):
            raise MissingRuleError(
                f"{reach.over} sums over time, so it has no adjoint within one step",
                hint="name the sum by an equation without a time",
            )
        else:
            over = reach.over
            found.setdefault(reach.leaf, []).append(SumOver(over.index, over.lower, over.upper, reach.part))
    return {leaf: make.plus(*parts) for leaf, parts in found.items()}


def jacobian_of(node: Node, leaf: Node) -> Node | None:
    """The Jacobian of a formula by one of its leaves, all others held fixed: (size of formula, size of leaf). None
    where it is zero.
    """
    direction = Var("direction", *leaf.shape)
    moved = push(node, {leaf: direction})
    return None if moved is None else matrix_of(moved, direction)


def matrix_of(node: Node, direction: Node) -> Node:
    """The matrix M of a formula that is linear in a vector v: formula = M v (rows are read as columns, so M is in
    numerator layout).

    Raises
    ------
    MissingRuleError : the formula or the direction is a matrix, so M would need four indices.
    """
    if not is_vector(node.shape) or not is_vector(direction.shape):
        raise MissingRuleError(
            f"the Jacobian of {show_shape(node.shape)} by {show_shape(direction.shape)} is not a matrix",
            hint="ask for the adjoint form: the gradient of a scalar by it",
        )
    result = _matrix(node, direction)
    if result is None:
        return make.zero((node.shape[0] * node.shape[1], direction.shape[0] * direction.shape[1]))
    return result


def _matrix(node: Node, direction: Node) -> Node | None:
    if node == direction:
        return make.identity(node.shape[0] * node.shape[1])
    if not node.has(direction):
        return None
    rule = _MATRIX_RULES.get(type(node))
    if rule is None:
        raise MissingRuleError(f"{type(node).__name__} is not linear in the direction")
    return rule(node, direction)


def _of_sum(node: Node, direction: Node) -> Node | None:
    parts = []
    for term in node.operands:
        part = _matrix(term, direction)
        if part is not None:
            parts.append(_spread(part, term, node))
    return make.plus(*parts)


def _spread(matrix: Node, term: Node, whole: Node) -> Node:
    """A scalar that is added to each entry of a vector moves all of them."""
    if term.is_scalar and not whole.is_scalar:
        return make.times(make.ones((whole.shape[0] * whole.shape[1], ONE)), matrix)
    return matrix


def _of_negative(node: Node, direction: Node) -> Node | None:
    part = _matrix(node.operands[0], direction)
    return None if part is None else make.neg(part)


def _same(node: Node, direction: Node) -> Node | None:
    return _matrix(node.operands[0], direction)


def _of_product(node: Node, direction: Node) -> Node | None:
    factors = list(node.operands)
    varying = [k for k, factor in enumerate(factors) if factor.has(direction)]
    if len(varying) != 1:
        raise MissingRuleError("a product with two varying factors is not linear")
    k = varying[0]
    factor = factors[k]
    scalars = [f for j, f in enumerate(factors) if j != k and f.is_scalar]
    left = [f for f in factors[:k] if not f.is_scalar]
    right = [f for f in factors[k + 1 :] if not f.is_scalar]
    if factor.is_scalar:
        inside = _matrix(factor, direction)
        rest = make.times(*scalars, *left, *right)
        column = rest if rest.shape[1] == ONE else make.transpose(rest)
        return None if inside is None else make.times(column, inside)
    if not is_vector(factor.shape):
        return _of_matrix_factor(node, factor, left, right, scalars, direction)
    inside = _matrix(factor, direction)
    if inside is None:
        return None
    if factor.shape[1] == ONE and not right:
        return make.times(*scalars, *left, inside)
    if factor.shape[0] == ONE and not left:
        return make.times(*scalars, *(make.transpose(f) for f in reversed(right)), inside)
    raise MissingRuleError("an outer product with a varying factor is a matrix", hint="ask for the adjoint form")


def _of_matrix_factor(
    node: Node, factor: Node, left: list[Node], right: list[Node], scalars: list[Node], direction: Node
) -> Node | None:
    """A varying matrix between fixed factors, in a product that is a vector: diag(u) v = u ⊙ v, (u w^T) v = u (w^T v),
    sums term by term.
    """
    if isinstance(factor, Plus):
        parts = [_matrix(make.times(*scalars, *left, term, *right), direction) for term in factor.operands]
        kept = [part for part in parts if part is not None]
        return make.plus(*kept) if kept else None
    if isinstance(factor, Neg):
        part = _matrix(make.times(*scalars, *left, factor.operands[0], *right), direction)
        return None if part is None else make.neg(part)
    if isinstance(factor, (Times, Diag)):
        again = make.times(*scalars, *left, factor, *right)
        if again != node:
            return _matrix(again, direction)
    if isinstance(factor, Times):
        return _regroup(factor, left, right, scalars, direction)
    raise MissingRuleError(
        f"a varying {type(factor).__name__} inside a product has no matrix form", hint="ask for the adjoint form"
    )


def _regroup(factor: Node, left: list[Node], right: list[Node], scalars: list[Node], direction: Node) -> Node | None:
    return _matrix(make.times(*scalars, *left, *factor.operands, *right), direction)


def _of_hadamard(node: Node, direction: Node) -> Node | None:
    factors = node.operands
    varying = [k for k, factor in enumerate(factors) if factor.has(direction)]
    if len(varying) != 1:
        raise MissingRuleError("a product with two varying factors is not linear")
    k = varying[0]
    others = make.hadamard(*(f for j, f in enumerate(factors) if j != k))
    inside = _matrix(factors[k], direction)
    if inside is None:
        return None
    if factors[k].is_scalar:
        column = others if others.shape[1] == ONE else make.transpose(others)
        return make.times(column, inside)
    return make.times(make.diag(others) if not others.is_scalar else others, inside)


def _of_quotient(node: Node, direction: Node) -> Node | None:
    above, below = node.operands
    inside = _matrix(above, direction)
    if inside is None:
        return None
    if below.is_scalar:
        return make.divide(inside, below)
    return make.times(make.diag(make.divide(make.ones(below.shape), below)), inside)


def _of_block(node: Node, direction: Node) -> Node | None:
    width = direction.shape[0] * direction.shape[1]
    rows = []
    for entry in node.operands:
        inside = _matrix(entry, direction)
        rows.append([inside if inside is not None else make.zero((entry.shape[0] * entry.shape[1], width))])
    return make.block(rows)


def _of_slice(node: Node, direction: Node) -> Node | None:
    if not isinstance(node, Slice):
        return None
    inside = _matrix(node.operands[0], direction)
    top, bottom, left, right = node.bounds
    first, last = (top, bottom) if node.operands[0].shape[1] == ONE else (left, right)
    return None if inside is None else make.part(inside, first, last, Integer(0), inside.shape[1])


def _of_sum_entries(node: Node, direction: Node) -> Node | None:
    body = node.operands[0]
    inside = _matrix(body, direction)
    return None if inside is None else make.times(make.ones((ONE, body.shape[0] * body.shape[1])), inside)


def _of_inner(node: Node, direction: Node) -> Node | None:
    a, b = node.operands
    if b.has(direction):
        a, b = b, a
    inside = _matrix(a, direction)
    row = make.transpose(b) if b.shape[1] == ONE else b
    return None if inside is None else make.times(row, inside)


def _of_diag_part(node: Node, direction: Node) -> Node | None:
    raise MissingRuleError("the diagonal of a varying matrix has no matrix form", hint="ask for the adjoint form")


def _of_sum_over(node: Node, direction: Node) -> Node | None:
    if not isinstance(node, SumOver):
        return None
    inside = _matrix(node.body, direction)
    return None if inside is None else SumOver(node.index, node.lower, node.upper, inside)


_MATRIX_RULES = {
    Plus: _of_sum, Neg: _of_negative, Times: _of_product, Hadamard: _of_hadamard, Transpose: _same, Divide: _of_quotient, Block: _of_block,
    Slice: _of_slice, SumEntries: _of_sum_entries, Inner: _of_inner, DiagPart: _of_diag_part, SumOver: _of_sum_over,
}  # fmt: skip
