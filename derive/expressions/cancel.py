"""What cancels in the derivative of a log-likelihood: p ⊙ (a ⊘ p) = a, so that softmax with cross entropy passes p - e back.

Written out, the two factors are 1/p and p; where p underflows, their product is no number, while p - e is one. Source:
Bridle, *Probabilistic interpretation of feedforward classification network outputs* (1990).
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Integer, Poly, Symbol

from derive.expressions import make
from derive.expressions.leaves import OneHot, Ones, Scalar
from derive.expressions.node import Node

_LARGEST = 12
"""The most atoms of a sum that is looked at as a polynomial."""


def numerator_over(node: Node, below: Node) -> Node | None:
    """a, where a formula is a ⊘ below, entry by entry, as the derivative of a ⊙ log(below) is; None where it is not."""
    from derive.expressions.algebra import Divide, Hadamard, Neg, Plus, Times
    from derive.expressions.elementwise import Apply

    if node == Apply("log", below, 1):
        return make.ones(below.shape)
    if isinstance(node, Divide) and node.operands[1] == below:
        return node.operands[0]
    if isinstance(node, Neg):
        inner = numerator_over(node.operands[0], below)
        return None if inner is None else make.neg(inner)
    if isinstance(node, Plus):
        parts = [numerator_over(term, below) for term in node.operands]
        return None if any(part is None for part in parts) else make.plus(*(part for part in parts if part is not None))
    if isinstance(node, Times):
        entry = _over_one_entry(node, below)
        if entry is not None:
            return entry
    if isinstance(node, (Hadamard, Times)):
        elementwise = isinstance(node, Hadamard) or all(f.is_scalar for f in node.operands)
        for k, factor in enumerate(node.operands):
            others = [*node.operands[:k], *node.operands[k + 1 :]]
            if not elementwise and not all(other.is_scalar for other in others):
                continue
            inner = numerator_over(factor, below)
            if inner is not None:
                return make.hadamard(*node.operands[:k], inner, *node.operands[k + 1 :])
    return None


def _over_one_entry(node: Node, below: Node) -> Node | None:
    """A one-hot vector divided by the entry that it selects, log'(e · p) e, which is e ⊘ p; without the divisor."""
    from derive.expressions.algebra import Inner
    from derive.expressions.elementwise import Apply

    for hot in (factor for factor in node.operands if isinstance(factor, OneHot)):
        selected = (make.inner(hot, below), make.inner(below, hot), Inner(hot, below), Inner(below, hot))
        divisors = [Apply("log", entry, 1) for entry in selected]
        if sum(factor in divisors for factor in node.operands) == 1:
            return make.times(*(factor for factor in node.operands if factor not in divisors))
    return None


def total_of(node: Node) -> Node:
    """The sum of a vector's entries; 1 for a one-hot vector."""
    from derive.expressions.algebra import Neg, Plus, Times

    if isinstance(node, OneHot):
        return Scalar(1)
    if isinstance(node, Neg):
        return make.neg(total_of(node.operands[0]))
    if isinstance(node, Plus):
        return make.plus(*map(total_of, node.operands))
    if isinstance(node, Times):
        scalars, rest = _scaled(node)
        if len(rest) == 1 and scalars:
            return make.times(*scalars, total_of(rest[0]))
    return make.sum_entries(node)


def _scaled(node: Node) -> tuple[list[Node], list[Node]]:
    from derive.expressions.algebra import Times

    factors = node.operands if isinstance(node, Times) else (node,)
    return [f for f in factors if f.is_scalar], [f for f in factors if not f.is_scalar]


def through_softmax(output: Node, numerator: Node) -> Node:
    """The adjoint of z where that of p = softmax(z) is a ⊘ p: a - (1^T a) p, and p - e for a = -e."""
    from derive.expressions.algebra import Neg, Plus

    terms = numerator.operands if isinstance(numerator, Plus) else (numerator,)
    passed = []
    for term in terms:
        negative = isinstance(term, Neg)
        scalars, rest = _scaled(term.operands[0] if isinstance(term, Neg) else term)
        core = make.times(*rest)
        spread = make.times(total_of(core), output)
        inside = make.plus(spread, make.neg(core)) if negative else make.plus(core, make.neg(spread))
        passed.append(make.times(*scalars, inside))
    return make.plus(*passed)


def through_sigmoid(output: Node, cotangent: Node) -> Node | None:
    """The adjoint of z where that of p = σ(z) is a ⊘ p + b ⊘ (1 - p): (1 - p) ⊙ a + p ⊙ b, and p - y for binary cross
    entropy; None where a term has another form.
    """
    from derive.expressions.algebra import Plus

    rest = make.plus(Scalar(1), make.neg(output))
    passed = []
    for term in cotangent.operands if isinstance(cotangent, Plus) else (cotangent,):
        over, other = numerator_over(term, output), numerator_over(term, rest)
        if over is not None:
            passed.append(make.hadamard(rest, over))
        elif other is not None:
            passed.append(make.hadamard(output, other))
        else:
            return None
    return collected(make.plus(*passed))


def collected(node: Node) -> Node:
    """A sum of entrywise products, multiplied out and added up, where that leaves less to write."""
    from derive.expressions.algebra import Neg

    atoms: dict[Node, Symbol] = {}
    value = _polynomial(node, atoms)
    if value is None or len(atoms) > _LARGEST:
        return node
    symbols = list(atoms.values())
    poly = Poly(value.expand(), *symbols)
    by_symbol = {symbol: atom for atom, symbol in atoms.items()}
    terms = [
        make.hadamard(Scalar(number), *(by_symbol[s] for s, n in zip(symbols, powers, strict=True) for _ in range(n)))
        for powers, number in poly.terms()
    ]
    terms.sort(key=lambda term: isinstance(term, Neg))
    result = make.plus(*terms) if terms else make.zero(node.shape)
    if result.shape != node.shape:
        result = make.times(result, make.ones(node.shape)) if result.is_scalar else node
    return result if _length(result) < _length(node) else node


def _polynomial(node: Node, atoms: dict[Node, Symbol]) -> Expr | None:
    """An entrywise formula as a polynomial in its atoms; None for what is none."""
    from derive.expressions.algebra import Hadamard, Neg, Plus, Times

    if isinstance(node, Scalar) and node.value.is_number and node.digits is None:
        return node.value
    if isinstance(node, Ones):
        return Integer(1)
    entrywise = isinstance(node, (Plus, Neg, Hadamard)) or (
        isinstance(node, Times) and sum(not operand.is_scalar for operand in node.operands) <= 1
    )
    if not entrywise:
        return atoms.setdefault(node, Symbol(f"a{len(atoms)}"))
    parts = [_polynomial(operand, atoms) for operand in node.operands]
    known = [part for part in parts if part is not None]
    if isinstance(node, Plus):
        return sum(known, Integer(0))
    if isinstance(node, Neg):
        return -known[0]
    return _product(known)


def _product(parts: Sequence[Expr]) -> Expr:
    result: Expr = Integer(1)
    for part in parts:
        result = result * part
    return result


def _length(node: Node) -> int:
    """How many quantities and numbers are written."""
    return 1 if not node.operands else sum(map(_length, node.operands))
