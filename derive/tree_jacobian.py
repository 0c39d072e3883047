"""Jacobians between quantities of a tree: of a node by its child, within a node, and along the path up from a node below."""

from __future__ import annotations

from dataclasses import replace

from sympy import Eq, Expr, Symbol

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.errors import MissingRuleError, UsageError
from derive.expressions import make
from derive.flow import FlowEngine, Point, definition_steps
from derive.joint import over_a_stretch
from derive.substitute import substitute
from derive.system import T
from derive.tree import TreeIndices


def in_a_tree(engine: FlowEngine, of: e.Timed, by: e.Timed, title: str) -> Derivation:
    """∂a/∂b for quantities of nodes and edges.

    Raises
    ------
    MissingRuleError : the cell reads quantities of the parent; or the two are not on one path upward.
    UsageError       : a is below b, so it does not depend on it.
    """
    system, tree = engine.system, engine.system.tree
    if tree is None:
        raise UsageError("the cell has no tree")
    if system.reads_ahead:
        raise MissingRuleError(
            "the cell reads quantities of the parent", hint="derive the adjoint recursion, which has no such limit"
        )
    top = of.time.node if isinstance(of.time, e.Edge) else of.time
    place = _place(tree, of, by, top)
    if place is None:
        _check_state(engine, of)
        return over_a_stretch(engine, of, by, title)
    offset, child = place
    flow = engine.follow((by.name, offset), 0, (of.name, 0))
    target = engine.derivative(of, by)
    result = flow.jacobians.get((of.name, 0), make.zero(target.shape))
    steps = [*definition_steps(engine, [_point(tree, step) for step in flow.steps]), *flow.steps]
    ends = {tree.node: top, **({} if child is None else {tree.child: child})}
    moved = tuple(replace(step, lhs=_at(step.lhs, ends), rhs=_at(step.rhs, ends)) for step in steps)
    if not flow.steps:
        moved = (Step(target, result, "a quantity by itself" if of == by else "does not depend on it"),)
    return Derivation(target, _at(result, ends), moved, title)


def _check_state(engine: FlowEngine, of: e.Timed) -> None:
    if of.name not in engine.system.states:
        raise MissingRuleError(
            f"{of} is no state, so no product along a path ends at it",
            expected=f"a state in the numerator: {', '.join(engine.system.states)}",
            hint="multiply by how it moves with the states of its own node or of a child",
        )


def _place(tree: TreeIndices, of: e.Timed, by: e.Timed, top: Expr) -> tuple[int, Expr | None] | None:
    """Whether the denominator is at the numerator's own node (0) or at its child (-1), and the child; None where it is
    further below.
    """
    below = by.time
    if isinstance(below, e.Edge):
        if below.node != top or (isinstance(of.time, e.Edge) and of.time != below):
            raise MissingRuleError(f"{by} is not of the node {top}", expected=f"an edge from {top} to its child")
        return 0, below.child
    if below == top:
        return 0, of.time.child if isinstance(of.time, e.Edge) else None
    if isinstance(of.time, e.Edge):
        if below != of.time.child:
            raise MissingRuleError(
                f"{of} and {by} are on different edges", expected=f"a quantity of {top} or of {of.time.child}"
            )
        return -1, below
    if below == tree.child or (isinstance(below, e.OrderedChild) and below.node == top) or top == e.Parent(below):
        return -1, below
    if isinstance(below, e.Parent) or top.has(below) or below == T:
        raise UsageError(
            f"{of} is computed before {by}, so it does not depend on it", expected="a node below in the denominator"
        )
    if not isinstance(below, Symbol):
        raise MissingRuleError(
            f"{by} is no node on the way to {of}" if below.has(e.OrderedChild) else f"{by} is no node of its own",
            expected=f"a child such as {by.name}_{{l({top})}}, or a letter such as i for any node below",
        )
    return None


def _point(tree: TreeIndices, step: Step) -> Point:
    quantity = step.lhs.of.operands[0] if isinstance(step.lhs.of, e.Vec) else step.lhs.of
    if not isinstance(quantity, e.Timed):
        return quantity.name, None
    node = quantity.time.node if isinstance(quantity.time, e.Edge) else quantity.time
    return quantity.name, -1 if node == tree.child else 0


def _at(formula: e.Node, ends: dict[Symbol, Expr]) -> e.Node:
    """A formula for a certain node and child; [l(j) = r(j)] is settled."""
    moved = e.reindexed(formula, ends)
    return substitute(moved, {part: e.Scalar(int(_same(part))) for part in moved.atoms(e.Scalar) if _settled(part)})


def _condition(part: e.Scalar) -> Eq | None:
    """The one condition of an Iverson bracket."""
    found = part.value.atoms(Eq)
    return next(iter(found)) if len(found) == 1 else None


def _settled(part: e.Scalar) -> bool:
    condition = _condition(part)
    if condition is None:
        return False
    left, right = condition.args
    return isinstance(left, e.OrderedChild) and isinstance(right, e.OrderedChild) and left.node == right.node


def _same(part: e.Scalar) -> bool:
    condition = _condition(part)
    return condition is not None and condition.lhs.position == condition.rhs.position


__all__ = ["in_a_tree"]
