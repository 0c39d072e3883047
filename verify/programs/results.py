"""What a backward pass has to give: gradients, the shares of single steps, adjoints and states, at one point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.errors import BpttError
from derive.gradients import all_gradients
from derive.system import RecurrentSystem
from numeric.derived import WithAdjoints
from numeric.draws import Draw
from numeric.evaluate import Arrays, Evaluator, NumpyArrays
from numeric.functions import Array
from numeric.simulate import Run
from verify.programs.calls import Target


@dataclass(frozen=True, eq=False)
class Point:
    """A random instance of a cell, with everything that is right there.

    Parameters
    ----------
    arrays : computes the functions; another way than usual, where somebody's function is suspected to do so.
    """

    system: RecurrentSystem
    drawn: Draw
    arrays: Arrays = field(default_factory=NumpyArrays)

    @property
    def length(self) -> int:
        return self.drawn.sizes["T"]

    @cached_property
    def environment(self) -> WithAdjoints:
        """States and adjoints."""
        drawn = self.drawn
        run = Run(self.system, drawn.sizes, drawn.given, drawn.loss, arrays=self.arrays, tree=drawn.tree).forward()
        return WithAdjoints(run, all_gradients(self.system), {})

    def evaluator(self) -> Evaluator:
        return self.environment.evaluator()

    def right(self, target: Target, derived: bool = False) -> Array | None:
        """What an array has to be: from the unrolled system by the complex step, or, ``derived``, by the formulas of the
        derivation; None if it is not known.
        """
        try:
            with np.errstate(all="ignore"):
                found = self._right(target, derived)
        except BpttError:
            return None
        return None if found is None else np.real(found)

    def _right(self, target: Target, derived: bool) -> Array | None:
        run = self.environment.run
        if target.kind == "loss":
            abstract = any(term.body.atoms(e.Call) for term in self.system.loss_terms)
            return None if abstract else run.total_loss()
        if target.kind == "state":
            return self._over_time(target, lambda time: run.value(target.key, time))
        if target.kind == "share" or derived:
            return self._over_time(target, lambda time: self._evaluated(target, time))
        return self._over_time(target, lambda time: self._differentiated(target.key, time))

    def _over_time(self, target: Target, value: Callable[[int | None], Array | None]) -> Array | None:
        """The value at a time, or without one, or stacked over all times."""
        timed = isinstance(self.system.quantity(target.key), e.Timed) or target.kind == "share"
        if not timed:
            return value(None)
        if target.time is not None:
            return value(target.time)
        found = [value(time) for time in range(1, self.length + 1)]
        return None if any(part is None for part in found) else np.array(found)

    def _differentiated(self, key: str, time: int | None) -> Array:
        by = self.system.quantity(key, None if time is None else Integer(time))
        run = self.environment.run
        return run.derivative(e.Gradient(by, e.Var(self.system.loss_name)), run.evaluator())

    def _evaluated(self, target: Target, time: int | None) -> Array | None:
        formula = formula_of(self.system, target, time)
        return None if formula is None else self.evaluator()(formula)


def formula_of(system: RecurrentSystem, target: Target, time: int | None) -> e.Node | None:
    """The formula of the derivation for an array at a time, in states and adjoints."""
    engine = AdjointEngine(system)
    if target.key in system.parameters:
        result = engine.parameter_gradient(target.key)
        return result if target.kind == "gradient" else _term(result, time or 0)
    if time is None:
        return engine.adjoint(target.key)
    if time < 1:
        return engine.state_gradient(target.key, Integer(time))
    if target.key in system.definitions:
        return engine.adjoint(target.key, Integer(time))
    equation = engine.equation(target.key)
    if equation is None or equation.final is not None:
        return None
    return e.reindexed(equation.rhs, {system.time: Integer(time)})


def _term(result: e.Node, step: int) -> e.Node | None:
    """What one step adds to a sum over time."""
    if not isinstance(result, e.SumOver):
        return None
    return e.reindexed(result.body, {result.index: Integer(step)})


def fitted(found: Array, right: Array) -> tuple[Array, bool] | None:
    """An array in the shape of what it has to be, and whether it was transposed; None if it has another shape."""
    found_shape, right_shape = (tuple(size for size in array.shape if size != 1) for array in (found, right))
    if found_shape == right_shape:
        return found.reshape(right.shape), False
    if len(found_shape) == 2 and found_shape == right_shape[::-1]:
        return found.reshape(found_shape).T.reshape(right.shape), True
    return None


def apart(found: Array, right: Array) -> float:
    """The largest difference, relative to the largest entry."""
    scale = max(float(np.max(np.abs(right), initial=0.0)), float(np.max(np.abs(found), initial=0.0)), 1e-9)
    return float(np.max(np.abs(found - right), initial=0.0)) / scale


def steps_apart(found: Array, right: Array, tolerance: float) -> Iterator[int]:
    """The steps, from 1, at which arrays over time differ."""
    scale = max(float(np.max(np.abs(right), initial=0.0)), 1e-9)
    for step, (one, other) in enumerate(zip(found, right, strict=True), 1):
        if float(np.max(np.abs(one - other), initial=0.0)) > tolerance * scale:
            yield step


__all__ = ["Point", "apart", "fitted", "formula_of", "steps_apart"]
