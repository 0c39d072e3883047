"""Jacobians of a recurrent system: through one step, through several, and over a symbolic stretch of time."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.errors import MissingRuleError, UsageError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.flow import FlowEngine, Point, definition_steps
from derive.joint import over_a_stretch
from derive.system import RecurrentSystem, leaves
from derive.tree_jacobian import in_a_tree

NEAR = 3
"""Over so many steps a Jacobian is written out, step by step; over more it is a product over time, whose length does not
grow with the distance.
"""


def jacobian(system: RecurrentSystem, of: e.Node, by: e.Node, vec: bool = False) -> Derivation:
    """∂a/∂b, total: b becomes a free variable of the unrolled graph.

    Parameters
    ----------
    of  : the quantity a, such as ``C_t``.
    by  : the quantity b, such as ``C_{t-1}`` or, over a symbolic stretch, ``C_k``.
    vec : whether matrices are stacked by columns, so that ∂vec(a)/∂vec(b) is a matrix made of Kronecker products.

    Raises
    ------
    MissingRuleError : a or b is a matrix, so that the Jacobian is no matrix; or, with ``vec``, an operation has no such
                       form.
    UsageError       : a is earlier than b, or b is no quantity of the cell.
    """
    engine = FlowEngine(system, vec)
    for node in (of, by):
        if not isinstance(node, (e.Timed, e.Var)):
            raise UsageError(f"{node} is not a quantity of the cell", expected="a name such as h_t")
    if not vec and not (ONE in of.shape and ONE in by.shape):
        raise MissingRuleError(
            f"the Jacobian of {of} by {by} has more than two indices",
            hint=f"ask for the gradient of the loss by {by}, or for the Jacobian of vec({of}) with vec",
        )
    if any(by in leaves(value) for value in system.initial.values()):
        raise MissingRuleError(f"other starting values are computed from {by}", hint="ask for the gradient of the loss")
    for node in (of, by):
        if (
            node.name not in system.definitions
            and node.name not in system.inputs
            and node.name not in system.parameters
        ):
            raise UsageError(
                f"{node} has no equation of its own",
                expected="a quantity that an equation defines, an input or a parameter",
            )
    if system.tree is not None and isinstance(of, e.Timed) and isinstance(by, e.Timed):
        return in_a_tree(engine, of, by, _title(of, by))
    if isinstance(of, e.Timed) and isinstance(by, e.Timed):
        distance = of.time - by.time
        if distance.is_Integer and distance <= NEAR:
            return _near(engine, of, by, int(distance))
        if distance.is_Integer:
            _reject_reading_ahead(system, by)
        return over_a_stretch(engine, of, by, _title(of, by))
    return _timeless(engine, of, by)


def _title(of: e.Node, by: e.Node) -> str:
    return f"Jacobian of {of} by {by}"


def _reject_reading_ahead(system: RecurrentSystem, by: e.Timed) -> None:
    if system.reads_ahead or any(use.key == by.name and (use.offset or 0) > 0 for use in system.uses):
        raise MissingRuleError(
            f"{by} or a state is read ahead of its time", hint="derive the adjoint recursion, which has no such limit"
        )


def _near(engine: FlowEngine, of: e.Timed, by: e.Timed, distance: int) -> Derivation:
    """A derivative over a known number of steps."""
    _reject_reading_ahead(engine.system, by)
    if distance < 0:
        raise UsageError(
            f"{of} is computed before {by}, so it does not depend on it",
            expected="a time that is not before that of the denominator",
        )
    shift = {engine.time: of.time}
    flow = engine.follow((by.name, -distance), 0, (of.name, 0))
    target = engine.derivative(of, by)
    conditions: tuple[tuple[Expr, Expr], ...] = ()
    if distance > 0 and not by.time.is_Integer:
        if engine.system.moves_own_step(by.name):
            conditions = ((Integer(1), by.time),)
        elif engine.system.max_lag > 1:  # starting values do not move each other
            conditions = ((Integer(0), by.time),)
    points = [_point(engine, step) for step in flow.steps]
    steps = [*definition_steps(engine, points), *flow.steps]
    result = flow.jacobians.get((of.name, 0), make.zero(target.shape))
    if not flow.steps:
        rule = "a quantity by itself" if of == by else "does not depend on it"
        steps.append(Step(target.xreplace({of.time: engine.time}), result, rule))
    moved = tuple(replace(step, lhs=step.lhs.xreplace(shift), rhs=step.rhs.xreplace(shift)) for step in steps)
    return Derivation(target, result.xreplace(shift), moved, _title(of, by), conditions=conditions)


def _point(engine: FlowEngine, step: Step) -> Point:
    quantity = step.lhs.of.operands[0] if isinstance(step.lhs.of, e.Vec) else step.lhs.of
    return (quantity.name, int(quantity.time - engine.time)) if isinstance(quantity, e.Timed) else (quantity.name, None)


def _timeless(engine: FlowEngine, of: e.Node, by: e.Node) -> Derivation:
    """A derivative between quantities without time, as in y = sigma(W x)."""
    if not isinstance(of, e.Var) or not isinstance(by, e.Var):
        raise MissingRuleError(
            f"the derivative of {of} by {by} is not one over a fixed distance in time",
            hint=f"ask for the gradient of the loss by {by}, or for the immediate derivative",
        )
    flow = engine.follow((by.name, None), None, (of.name, None))
    steps = [*definition_steps(engine, [_point(engine, step) for step in flow.steps]), *flow.steps]
    target = engine.derivative(of, by)
    result = flow.jacobians.get((of.name, None), make.zero(target.shape))
    return Derivation(target, result, tuple(steps), _title(of, by))
