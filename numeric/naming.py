"""Names for products that both passes need, and for what is passed back to them.

In r ⊙ (W h + c) the backward pass needs the product itself, for r, and passes r ⊙ δ back to it, for W and for h. With names for both, the
product is computed once, r ⊙ δ is formed once, and W can be stacked with the other matrices that multiply h.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Expr

from derive import expressions as e
from derive.cell_text import Equation
from derive.expressions.node import ONE
from derive.system import T, leaves
from numeric.lower import Equations
from numeric.program import Statement


def named_products(equations: Equations) -> Equations:
    """Name them, where a cell computes a sequence."""
    if equations.system.tree is not None:
        return equations
    return _backward(_forward(equations))


def _forward(equations: Equations) -> Equations:
    """p_t = W h_{t-1}, where both passes hold it."""
    time = equations.system.time
    own = {q.key for q in equations.forward}
    computed = dict.fromkeys(node for q in equations.forward for node in _products(q.rhs) if node != q.rhs)
    found: dict[e.Node, e.Timed] = {}
    replaced: dict[e.Node, e.Node] = {}
    read = [q.rhs for q in equations.backward] + [total.value for total in equations.totals]
    for formula in read:
        for node in _products(formula):
            for shift in _shifts(node, time):
                here = e.reindexed(node, {time: time - shift})
                if here in computed:
                    name = found.setdefault(here, e.Timed(f"inner_product_{len(found) + 1}", time, *here.shape))
                    replaced[node] = name.at(time + shift)
                    break
    if not found or any(name.name in own for name in found.values()):
        return equations
    new = [Equation(name.name, name, node) for node, name in found.items()]
    names: dict[e.Node, e.Node] = dict(found)
    return replace(
        equations,
        forward=(*new, *(replace(q, rhs=q.rhs.xreplace(names)) for q in equations.forward)),
        backward=tuple(replace(q, rhs=q.rhs.xreplace(replaced)) for q in equations.backward),
        totals=tuple(replace(total, value=total.value.xreplace(replaced)) for total in equations.totals),
    )


def _products(formula: e.Node) -> Iterator[e.Times]:
    """W q, with W a matrix without time and q a quantity at a time."""
    for node in e.children_first(formula):
        if isinstance(node, e.Times) and len(node.operands) == 2:
            matrix, operand = node.operands
            matrix = matrix.operands[0] if isinstance(matrix, e.Transpose) else matrix
            if isinstance(matrix, e.Var) and ONE not in matrix.shape and isinstance(operand, e.Timed):
                yield node


def _shifts(node: e.Node, time: Expr) -> Sequence[int]:
    """By how many steps a product may have been moved from where a step computes it, the nearest first.

    Never back: before the first step nothing is computed. And no further than to the step whose adjoint it is multiplied by, which the
    nearest one never exceeds: beyond the last step adjoints are zero.
    """
    distances = {leaf.time - time for leaf in node.atoms(e.Timed)}
    if len(distances) != 1 or not next(iter(distances)).is_Integer:
        return []
    distance = int(next(iter(distances)))
    return [shift for shift in range(distance - 1, distance + 3) if shift >= 0]


# -- what is passed back -----------------------------------------------------------------------------------


def _backward(equations: Equations) -> Equations:
    """x_t = r_t ⊙ δ_t, where a parameter's gradient is Σ x_t h_{t-1}ᵀ and x_t is passed on as well."""
    time = equations.system.time
    taken = {q.key for q in equations.backward}
    found: dict[e.Node, e.Timed] = {}
    for total in equations.totals:
        part = _passed(total, time)
        if part is not None and part not in found:
            found[part] = e.Timed(f"passed_{len(found) + 1}", time, *part.shape)
    replaced: dict[e.Node, e.Node] = {}
    for part, name in found.items():
        for shift in range(-1, 3):
            replaced[e.reindexed(part, {time: time + shift})] = name.at(time + shift)
    used = {
        name.name for q in equations.backward for name in leaves(q.rhs.xreplace(replaced)) if name.name not in taken
    }
    kept = {part: name for part, name in found.items() if name.name in used}
    if not kept:
        return equations
    names = {node: name for node, name in replaced.items() if isinstance(name, e.Timed) and name.name in used}
    new = [Equation(name.name, name, part) for part, name in kept.items()]
    return replace(
        equations,
        backward=(*(replace(q, rhs=q.rhs.xreplace(names)) for q in equations.backward), *new),
        totals=tuple(replace(total, value=total.value.xreplace(names)) for total in equations.totals),
    )


def _passed(total: Statement, time: Expr) -> e.Node | None:
    """The column of Σ_t column rowᵀ, where it is a formula of the step's time and not a quantity."""
    value = total.value
    if not isinstance(value, e.SumOver) or value.index != time or (value.lower, value.upper) != (1, T):
        return None
    factors = value.body.operands if isinstance(value.body, e.Times) else ()
    if len(factors) != 2 or not isinstance(factors[0], e.Hadamard) or factors[0].shape[1] != ONE:
        return None
    present = all(not isinstance(leaf, e.Timed) or leaf.time == time for leaf in leaves(factors[0]))
    return factors[0] if present else None


__all__ = ["named_products"]
