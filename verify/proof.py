"""Proof of a formula that speaks of derivatives and adjoints: they are replaced by what the engine derives for all sizes and all T,
and the canonical forms of both sides are compared.

What is proved has been tried as well, so a fault of the engine cannot make a false formula true.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sympy import Symbol

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.errors import BpttError
from derive.expressions import make
from derive.expressions.node import is_vector
from derive.gradients import gradient
from derive.jacobian import jacobian
from derive.normal import equal
from derive.system import RecurrentSystem, leaves


def proved(system: RecurrentSystem, relation: e.Relation) -> bool:
    """Whether both sides are the same once all derivatives are derived; False means not proved, not different."""
    try:
        known = _Known(system)
        return any(equal(left, right) for left, right in known.forms(relation.lhs, relation.rhs))
    except (BpttError, RecursionError):
        return False


def truth(system: RecurrentSystem, node: e.Node) -> e.Node | None:
    """What the engine derives for the left side of an equation: a derivative, an adjoint, a quantity; None where it has no
    formula for it.
    """
    if isinstance(node, (e.Derivative, e.Gradient)):
        return _result(system, node)
    if isinstance(node, e.Timed) and node.name in system.adjoint_owners:
        found = _adjoint(system, system.adjoint_owners[node.name], node)
        return None if found is None else _Known(system).opened(found, states=True)
    if isinstance(node, e.Timed) and node.name in system.definitions:
        return e.reindexed(system.definitions[node.name].rhs, {system.time: node.time})
    return None


def line_of(system: RecurrentSystem, node: e.Node) -> e.Node | None:
    """The line of the recursion that an adjoint has, as it stands; None for anything else."""
    found = isinstance(node, e.Timed) and node.name in system.adjoint_owners
    return _adjoint(system, system.adjoint_owners[node.name], node) if found and isinstance(node, e.Timed) else None


class _Known:
    """What the engine knows of a cell."""

    def __init__(self, system: RecurrentSystem) -> None:
        self.system = system

    def forms(self, left: e.Node, right: e.Node) -> Iterator[tuple[e.Node, e.Node]]:
        """Both sides, written in less and less: derivatives derived; adjoints of the left side by their recursions; those of
        states on both sides; activations by the functions that they are.
        """
        left, right = self._derived(left), self._derived(right)
        yield left, right
        opened = self.opened(left, states=False)
        yield opened, right
        left, right = (self.opened(side, states=True) for side in (opened, right))
        yield left, right
        yield self._written_out(left), self._written_out(right)

    def _derived(self, node: e.Node) -> e.Node:
        found = {part: _result(self.system, part) for part in node.atoms(e.Derivative, e.Gradient)}
        known = {part: result for part, result in found.items() if result is not None}
        return node.xreplace(known) if known else node

    def opened(self, node: e.Node, states: bool) -> e.Node:
        """Adjoints by what the recursion says of them; with ``states`` those of whatever is no pre-activation."""
        owners = self.system.adjoint_owners
        found = {
            leaf: rhs
            for leaf in leaves(node)
            if leaf.name in owners
            and not (states and owners[leaf.name] in self.system.preactivations)
            and (rhs := _adjoint(self.system, owners[leaf.name], leaf)) is not None
        }
        return node.xreplace(found) if found else node

    def _written_out(self, node: e.Node) -> e.Node:
        """Quantities that are functions of a pre-activation by that function, and derivatives of such functions by their values."""
        outputs = {q.key: q.rhs for q in self.system.steps if isinstance(q.rhs, e.Apply) and isinstance(q.lhs, e.Timed)}
        clock = self.system.time
        found: dict[e.Node, e.Node] = {
            leaf: e.reindexed(outputs[leaf.name], {clock: leaf.time})
            for leaf in leaves(node)
            if isinstance(leaf, e.Timed) and leaf.name in outputs and leaf.time.free_symbols
        }
        node = node.xreplace(found) if found else node
        slopes = {
            part: slope for part in node.atoms(e.Apply) if part.order == 1 and (slope := _slope(part)) is not None
        }
        return node.xreplace(slopes) if slopes else node


def _slope(node: e.Apply) -> e.Node | None:
    """f'(z) by f(z), where the function has such a form: σ(z) ⊙ (1 - σ(z)), 1 - tanh(z)²."""
    value = Symbol("v")
    form = None if node.declaration is None else node.declaration.derivative_in_output(value)
    if form is None or not form.is_polynomial(value):
        return None
    output = e.Apply(node.function, node.argument, 0)
    terms: list[e.Node] = []
    for (power,), coefficient in sorted(form.as_poly(value).terms()):
        factor: e.Node = (
            make.ones(node.shape) if power == 0 else output if power == 1 else e.Power(output, e.Scalar(power))
        )
        terms.append(factor if coefficient == 1 else e.Times(e.Scalar(coefficient), factor))
    return terms[0] if len(terms) == 1 else e.Plus(*terms)


@lru_cache(maxsize=1024)
def _result(system: RecurrentSystem, node: e.Node) -> e.Node | None:
    """The formula for a derivative, where the engine has one without conditions."""
    try:
        if isinstance(node, e.Derivative) and not node.immediate and node.of != e.Var(system.loss_name):
            found = jacobian(system, node.of, node.by)
            return None if found.conditions else found.result
        if isinstance(node, (e.Derivative, e.Gradient)) and node.of == e.Var(system.loss_name):
            result = gradient(system, node.by).result
            return make.transpose(result) if isinstance(node, e.Derivative) and is_vector(result.shape) else result
        return None
    except BpttError:
        return None


@lru_cache(maxsize=1024)
def _adjoint(system: RecurrentSystem, key: str, leaf: e.Node) -> e.Node | None:
    """The right side of the recursion of an adjoint, where one line holds for every time."""
    try:
        engine = AdjointEngine(system)
        equation = engine.equation(key)
        if equation is None or equation.final is not None or not isinstance(leaf, e.Timed):
            return None
        quantity = system.quantity(key, leaf.time)
        return e.reindexed(equation.rhs, engine.moved_to(quantity)) if isinstance(quantity, e.Timed) else None
    except BpttError:
        return None


__all__ = ["line_of", "proved", "truth"]
