"""The double meanings of a formula: a fixed list of readings, of which none lets a false formula pass for a true one.

1. ∂(state_k)/∂(parameter) inside a sum over k is the immediate derivative ∂⁺, as authors print BPTT's double sum.
2. A product of matrices over an index may have the factor of the lowest index on the left.
3. The states start from zero, where the cell does not say from what.
4. Times are counted from 0: every range that starts at 0, every time that is a number and every T is one more.

5. What one step adds to the derivative by a shared parameter (:mod:`verify.shares`).

The transpose of a right answer is no reading but a verdict of its own, ``layout``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Integer

from derive import expressions as e
from derive.system import RecurrentSystem, T

IMMEDIATE = "∂ of a state by a parameter inside the sum is the immediate derivative ∂⁺"
TURNED = "∏ has the factor of the lowest index on the left"
ZERO_START = "the states start from zero"
FROM_ZERO = "times are counted from 0"
"""The readings that are tried beside the formula as it stands."""


@dataclass(frozen=True)
class Reading:
    """A way to read a formula: ``name`` is empty where it is taken as printed."""

    name: str
    relation: e.Relation
    zero_start: bool = False


def readings(relation: e.Relation, system: RecurrentSystem) -> Iterator[Reading]:
    """The formula as printed, then with the double meanings that authors use.

    ∂(state_k)/∂(parameter) inside a sum over k is immediate; a product over an index has its first factor on the left;
    times are counted from 0; the states start from zero, where the cell does not say from what.
    """
    yield Reading("", relation)
    changed = immediate_in_sums(relation, system)
    if changed != relation and isinstance(changed, e.Relation):
        yield Reading(IMMEDIATE, changed)
    turned = _first_factor_left(relation)
    if turned != relation and isinstance(turned, e.Relation):
        yield Reading(TURNED, turned)
    shifted = _from_one(relation)
    if shifted is not None:
        yield Reading(FROM_ZERO, shifted)
    given = {start.name for start in system.initial}
    fixed = [leaf.name for leaf in relation.atoms(e.Timed) if not leaf.time.free_symbols - {T}]
    states = [leaf.name for leaf in relation.atoms(e.Timed) if leaf.name in system.states]
    ends = [name for name in fixed if name in system.definitions and any(state not in given for state in system.states)]
    if ends or any(name not in given for name in states):
        yield Reading(ZERO_START, relation, zero_start=True)


def _from_one(relation: e.Relation) -> e.Relation | None:
    """The formula with times counted from 1, where everything in it says that they are counted from 0: some range starts at
    0, and none starts at another number or ends at T.
    """
    ranges = relation.atoms(e.OverTime)
    lowest = {stretch.lower for stretch in ranges if stretch.lower.is_Integer}
    highest = {stretch.upper for stretch in ranges if T in stretch.upper.free_symbols}
    if lowest != {Integer(0)} or not highest <= {T - 1}:
        return None
    letters = {letter for leaf in relation.atoms(e.Timed) for letter in leaf.time.free_symbols} - {T}
    return _later(relation, {letter: letter - 1 for letter in letters})


def _later(node: e.Node, earlier: Mapping[Basic, Expr]) -> Any:
    """Fixed times, bounds that are numbers, and T, one more; a letter for a time that stands as a number, as in γ^{T-1-t}, one less."""

    def moved(time: Expr) -> Expr:
        return time.xreplace({T: T + 1}) if T in time.free_symbols else time + 1 if time.is_Integer else time

    if isinstance(node, e.Timed):
        return node.at(moved(node.time))
    if isinstance(node, e.OverTime):
        body = _later(node.body, earlier)
        return type(node)(node.index, moved(node.lower), moved(node.upper), body)
    if isinstance(node, e.Scalar) and node.digits is None:
        return e.Scalar(node.value.xreplace(earlier))
    return node.with_operands([_later(operand, earlier) for operand in node.operands]) if node.operands else node


def _first_factor_left(node: e.Node) -> e.Node:
    """Products of matrices over an index in the other order; the notation leaves open which end stands on the left."""
    if not node.operands:
        return node
    inside = node.with_operands([_first_factor_left(operand) for operand in node.operands])
    if isinstance(inside, e.ProductOver) and not inside.is_scalar:
        body = e.reindexed(inside.body, {inside.index: inside.lower + inside.upper - inside.index})
        return e.ProductOver(inside.index, inside.lower, inside.upper, body)
    return inside


def immediate_in_sums(node: e.Node, system: RecurrentSystem) -> e.Node:
    """Mark ∂s_k/∂W as immediate inside sums over k, where s_k is a state and W a parameter."""

    def mark(part: e.Node, bound: frozenset[str]) -> e.Node:
        if (
            isinstance(part, e.Derivative)
            and not part.immediate
            and isinstance(part.of, e.Timed)
            and isinstance(part.by, e.Var)
        ):
            over = {str(symbol) for symbol in part.of.time.free_symbols}
            if part.of.name in system.states and part.by.name in system.parameters and over & bound:
                return e.Derivative(part.of, part.by, "immediate")
            return part
        if not part.operands:
            return part
        inside = bound | {part.index.name} if isinstance(part, e.OverTime) else bound
        return part.with_operands([mark(operand, inside) for operand in part.operands])

    return mark(node, frozenset())


__all__ = ["FROM_ZERO", "IMMEDIATE", "TURNED", "ZERO_START", "Reading", "immediate_in_sums", "readings"]
