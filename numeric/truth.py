"""Derivatives by their definition: the unrolled system is run with one entry moved, by the complex step, and nothing
symbolic is used.

f'(x) = Im f(x + ih) / h is exact to rounding for h far below machine precision. Source: Squire and Trapp, *Using
complex variables to estimate derivatives of real functions* (1998).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.expressions.calculus import derivative_shape
from derive.expressions.node import STRICT
from derive.system import leaves
from numeric.evaluate import Evaluator
from numeric.functions import Array

if TYPE_CHECKING:
    from numeric.simulate import Point, Run

STEP = 1e-40
"""The imaginary step: its square vanishes beside any real part."""
LARGEST = 10_000
"""How many numbers the stack of moved values may hold, where that is more than one member."""


def derivative_value(run: Run, node: e.Node, evaluator: Evaluator) -> Array:
    """The value of ``∂a/∂b``, ``∂⁺a/∂b`` or ``∇_b a`` in a run."""
    if isinstance(node, (e.Derivative, e.Gradient)) and node.of.has(e.Derivative, e.Gradient, e.Differential):
        raise MissingRuleError(f"{node} is a second derivative", hint="ask for a Hessian-vector product")
    if isinstance(node, e.Gradient) and isinstance(node.of, e.Call) and node.by in node.of.arguments:
        return _by_argument(run, node.of, node.of.arguments.index(node.by), evaluator)
    if isinstance(node, e.Gradient):
        raw = total(run, node.of, node.by, evaluator)
        return raw.reshape(evaluator.shape(node))
    if isinstance(node, e.Derivative):
        raw = immediate(run, node.of, node.by, evaluator) if node.immediate else total(run, node.of, node.by, evaluator)
        shape = derivative_shape(node.of.shape, node.by.shape, STRICT)
        return raw.reshape(tuple(evaluator.integer(size) for size in shape))
    raise MissingRuleError(f"{type(node).__name__} has no value")


def _by_argument(run: Run, call: e.Call, position: int, evaluator: Evaluator) -> Array:
    """The gradient of an abstract function by one of its arguments, all others held fixed."""
    time = evaluator.integer(call.value.time) if isinstance(call.value, e.Timed) else None
    return run.loss.gradient(time, position, [_value(run, argument, evaluator) for argument in call.arguments])


def point_of(node: e.Node, evaluator: Evaluator) -> Point:
    """A quantity, or the one that is stacked or turned to a column, as (name, time in numbers)."""
    if isinstance(node, (e.Vec, e.Transpose)):
        node = node.operands[0]
    if isinstance(node, e.Timed):
        return node.name, evaluator.integer(node.time)
    if isinstance(node, e.Var):
        return node.name, None
    raise MissingRuleError(
        f"a derivative by {node} is not a derivative by a quantity", hint="name it by an equation of the cell"
    )


def _value(run: Run, node: e.Node, evaluator: Evaluator) -> Array:
    if isinstance(node, e.Var) and node.name == run.system.loss_name:
        return run.total_loss()
    return Evaluator(run, evaluator.sizes, evaluator.times, run.arrays)(node)


def total(run: Run, of: e.Node, by: e.Node, evaluator: Evaluator) -> Array:
    """∂a/∂b of shape (size a, size b): b is a free variable of the unrolled graph."""
    return _by_columns(_columns(run, of, point_of(by, evaluator), evaluator, None), run, by, evaluator)


def _by_columns(raw: Array, run: Run, by: e.Node, evaluator: Evaluator) -> Array:
    """Derivatives by the entries of vec(b), which go down the columns, from those by the entries row by row."""
    if not isinstance(by, e.Vec):
        return raw
    rows, columns = run.value(*point_of(by, evaluator)).shape
    return raw[:, np.arange(rows * columns).reshape(rows, columns).T.ravel()]


def immediate(run: Run, of: e.Node, by: e.Node, evaluator: Evaluator) -> Array:
    """∂⁺a_t/∂b of shape (size a, size b): the quantities of step t are computed, those of all other steps held fixed.

    For a loss without time, ∂⁺L/∂b_t, the step is that of b.
    """
    point = point_of(by, evaluator)
    inner = of.operands[0] if isinstance(of, e.Vec) else of
    step = run.step_of(inner.name, evaluator.integer(inner.time)) if isinstance(inner, e.Timed) else point[1]
    return _by_columns(_columns(run, of, point, evaluator, step), run, by, evaluator)


def _columns(run: Run, of: e.Node, point: Point, evaluator: Evaluator, only_step: int | None) -> Array:
    """One column an entry of b: how a moves with it. A moved run serves every quantity that is asked of it."""
    entries = run.value(*point).size
    together = max(1, LARGEST // max(1, entries))
    columns = []
    if not entries:
        return np.zeros((_value(run, of, evaluator).size, 0))
    for first in range(0, entries, together):
        moved = run.moved.get((point, first, only_step))
        if moved is None:
            some = range(first, min(first + together, entries))
            moved = run.moved[(point, first, only_step)] = _moved(run, point, some, only_step)
        value = np.imag(_value(moved, of, evaluator)) / STEP
        columns.append(_each(value, min(together, entries - first)))
    return np.concatenate(columns).T


def _each(value: Array, members: int) -> Array:
    """The entries of each member of a stack, one member a row; what does not move is the same for all."""
    return value.reshape(members, -1) if value.ndim > 2 else np.broadcast_to(value.ravel(), (members, value.size))


def _moved(run: Run, point: Point, positions: range, only_step: int | None) -> Run:
    """The run with one entry moved, for a stack of entries."""
    value = run.value(*point)
    stack = np.repeat(value[None].astype(complex), len(positions), axis=0)
    stack.reshape(len(positions), -1)[range(len(positions)), positions] += 1j * STEP
    fixed: dict[Point, Array] = {}
    if only_step is not None:
        for key, equation in run.system.definitions.items():
            if isinstance(equation.lhs, e.Timed):
                first, last = run.system.reach(key)
                times = range(1 + first, run.length + last + 1)
                fixed.update(
                    {(key, time): run.value(key, time) for time in times if run.step_of(key, time) != only_step}
                )
    return run.with_forced({**fixed, point: stack})


__all__ = ["derivative_value", "immediate", "leaves", "point_of", "total"]
