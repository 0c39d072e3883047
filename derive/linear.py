"""The matrix of a linear formula: M with formula = M v, for a vector v; for matrices, vec(formula) = M vec(V).

``vec`` stacks the columns of a matrix. The rule that everything follows from is vec(L X R) = (R^T ⊗ L) vec(X). Source:
Magnus and Neudecker, *Matrix Differential Calculus* (2019), chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy import Expr, Integer

from derive.differentiate import push
from derive.errors import MissingRuleError
from derive.expressions import (
    ONE,
    Block,
    Commutation,
    Diag,
    DiagPart,
    Divide,
    Hadamard,
    Inner,
    Kron,
    Neg,
    Node,
    Plus,
    Scalar,
    Slice,
    SumEntries,
    SumOver,
    SumOverChildren,
    Timed,
    Times,
    Trace,
    Transpose,
    Var,
    make,
)
from derive.expressions.node import is_vector, show_shape
from derive.substitute import substitute

_ADJOINT_FORM = "ask for the adjoint form: the gradient of a scalar by it"


def jacobian_of(node: Node, leaf: Node, vec: bool = False) -> Node | None:
    """The Jacobian of a formula by one of its leaves, all others held fixed: (size of formula, size of leaf). None where
    it is zero.
    """
    direction = Var("direction", *leaf.shape)
    moved = push(node, {leaf: direction})
    if moved is None:
        return None
    if isinstance(leaf, Timed):
        moved = _of_one_child(moved, leaf, direction)
    return matrix_of(moved, direction, vec)


def _of_one_child(moved: Node, leaf: Timed, direction: Node) -> Node:
    """Of the sums over children in a tangent, the one term that a certain child moves."""
    sums = [part for part in moved.atoms(SumOverChildren) if part.index in leaf.time.free_symbols]
    return moved.xreplace({part: part.body for part in sums if part.has(direction)})


def matrix_of(node: Node, direction: Node, vec: bool = False) -> Node:
    """The matrix M of a formula that is linear in a vector v: formula = M v. Rows are read as columns, so M is in
    numerator layout. With ``vec``, formula and direction may be matrices, and M is that of their columns stacked.

    Raises
    ------
    MissingRuleError : the formula or the direction is a matrix (without ``vec``), or an operation has no matrix form.
    """
    if not vec and not (is_vector(node.shape) and is_vector(direction.shape)):
        raise MissingRuleError(
            f"the Jacobian of {show_shape(node.shape)} by {show_shape(direction.shape)} is not a matrix",
            hint=_ADJOINT_FORM,
        )
    result = _matrix(node, direction)
    return make.zero((size_of(node), size_of(direction))) if result is None else result


def size_of(node: Node) -> Expr:
    """The number of entries."""
    return node.shape[0] * node.shape[1]


def stacked(node: Node) -> Node:
    """vec of a formula; a row is turned into a column."""
    if node.shape[1] == ONE:
        return node
    return make.transpose(node) if node.shape[0] == ONE else make.vec(node)


def _matrix(node: Node, direction: Node) -> Node | None:
    if node == direction:
        return make.identity(size_of(node))
    if not node.has(direction):
        return None
    if node.is_scalar and direction.is_scalar:
        return substitute(node, {direction: Scalar(1)})  # linear in a number: what it is at 1
    rule = _RULES.get(type(node))
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
        return make.times(make.ones((size_of(whole), ONE)), matrix)
    return matrix


def _of_negative(node: Node, direction: Node) -> Node | None:
    part = _matrix(node.operands[0], direction)
    return None if part is None else make.neg(part)


def _of_transpose(node: Node, direction: Node) -> Node | None:
    body = node.operands[0]
    part = _matrix(body, direction)
    if part is None or is_vector(body.shape):
        return part
    return make.times(Commutation(*body.shape), part)


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
        return None if inside is None else make.times(stacked(make.times(*scalars, *left, *right)), inside)
    if is_vector(node.shape) and not is_vector(factor.shape):
        simpler = _regrouped(node, factor, left, right, scalars, direction)
        if simpler is not None:
            return simpler
    inside = _matrix(factor, direction)
    return None if inside is None else make.times(*scalars, *_between(left, right, factor), inside)


def _between(left: Sequence[Node], right: Sequence[Node], factor: Node) -> list[Node]:
    """R^T ⊗ L, for a factor between L and R."""
    turned = [make.transpose(f) for f in reversed(right)]
    if not right:
        if not left or factor.shape[1] == ONE:
            return list(left)
        return [Kron(make.identity(factor.shape[1]), make.times(*left))]
    if not left:
        return turned if factor.shape[0] == ONE else [Kron(make.times(*turned), make.identity(factor.shape[0]))]
    return [Kron(make.times(*turned), make.times(*left))]


def _regrouped(
    node: Node, factor: Node, left: list[Node], right: list[Node], scalars: list[Node], direction: Node
) -> Node | None:
    """A varying matrix between fixed factors, in a product that is a vector, where it can be taken apart: diag(u) v =
    u ⊙ v, (u w^T) v = u (w^T v), sums term by term.
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
        return _matrix(make.times(*scalars, *left, *factor.operands, *right), direction)
    return None


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
        return make.times(stacked(others), inside)
    return make.times(others if others.is_scalar else make.diag(_whole(others, node)), inside)


def _whole(node: Node, like: Node) -> Node:
    """The entries that stand before those of a formula, as one vector: as they are for a vector, stacked for a matrix."""
    return node if is_vector(like.shape) else stacked(node)


def _of_quotient(node: Node, direction: Node) -> Node | None:
    above, below = node.operands
    inside = _matrix(above, direction)
    if inside is None:
        return None
    if below.is_scalar:
        return make.divide(inside, below)
    return make.times(make.diag(_whole(make.divide(make.ones(below.shape), below), node)), inside)


def _of_block(node: Node, direction: Node) -> Node | None:
    if not is_vector(node.shape):
        raise MissingRuleError("a matrix of varying blocks has no matrix form", hint=_ADJOINT_FORM)
    width = size_of(direction)
    rows = []
    for entry in node.operands:
        inside = _matrix(entry, direction)
        rows.append([inside if inside is not None else make.zero((size_of(entry), width))])
    return make.block(rows)


def _of_slice(node: Node, direction: Node) -> Node | None:
    body = node.operands[0]
    if not isinstance(node, Slice) or not is_vector(body.shape):
        raise MissingRuleError("a part of a varying matrix has no matrix form", hint=_ADJOINT_FORM)
    inside = _matrix(body, direction)
    top, bottom, left, right = node.bounds
    first, last = (top, bottom) if body.shape[1] == ONE else (left, right)
    return None if inside is None else make.part(inside, first, last, Integer(0), inside.shape[1])


def _of_sum_entries(node: Node, direction: Node) -> Node | None:
    body = node.operands[0]
    inside = _matrix(body, direction)
    return None if inside is None else make.times(make.ones((ONE, size_of(body))), inside)


def _of_inner(node: Node, direction: Node) -> Node | None:
    a, b = node.operands
    if b.has(direction):
        a, b = b, a
    inside = _matrix(a, direction)
    return None if inside is None else make.times(make.transpose(stacked(b)), inside)


def _of_trace(node: Node, direction: Node) -> Node | None:
    body = node.operands[0]
    inside = _matrix(body, direction)
    return None if inside is None else make.times(make.transpose(make.vec(make.identity(body.shape[0]))), inside)


def _of_diagonal(node: Node, direction: Node) -> Node | None:
    raise MissingRuleError(f"a varying {type(node).__name__} has no matrix form", hint=_ADJOINT_FORM)


def _of_sum_over(node: Node, direction: Node) -> Node | None:
    if not isinstance(node, (SumOver, SumOverChildren)):
        return None
    inside = _matrix(node.body, direction)
    return None if inside is None else node.with_body(inside)


_RULES: dict[type[Node], Callable[[Node, Node], Node | None]] = {
    Plus: _of_sum,
    Neg: _of_negative,
    Times: _of_product,
    Hadamard: _of_hadamard,
    Transpose: _of_transpose,
    Divide: _of_quotient,
    Block: _of_block,
    Slice: _of_slice,
    SumEntries: _of_sum_entries,
    Inner: _of_inner,
    Trace: _of_trace,
    Diag: _of_diagonal,
    DiagPart: _of_diagonal,
    SumOver: _of_sum_over,
    SumOverChildren: _of_sum_over,
}
