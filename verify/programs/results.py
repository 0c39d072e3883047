"""What a backward pass has to give for one sequence: gradients, the shares of single steps, adjoints and states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.errors import BpttError
from derive.system import RecurrentSystem
from numeric.adjoints import AdjointPass
from numeric.draws import Draw
from numeric.evaluate import Arrays, Evaluator, NumpyArrays
from numeric.functions import Array
from numeric.simulate import Run
from numeric.truth import STEP
from verify.programs.compare import CONFIRMED
from verify.programs.naming import Target

MANY = 16
"""So many entries times steps are differentiated one by one; more are taken from the derivation, and that is put to the test."""


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
    _known: dict[tuple[Target, bool], Array | None] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.drawn.sizes["T"]

    @cached_property
    def run(self) -> Run:
        """The forward pass. Quantities that do not exist at a time have no value there."""
        drawn = self.drawn
        with np.errstate(all="ignore"):
            return Run(
                self.system, drawn.sizes, drawn.given, drawn.loss, arrays=self.arrays, strict=True, tree=drawn.tree
            ).forward()

    @cached_property
    def backward(self) -> AdjointPass:
        """The derived backward pass."""
        return AdjointPass(self.run)

    def right(self, target: Target, derived: bool = False) -> Array | None:
        """What an array has to be: from the unrolled system by the complex step, or, ``derived``, by the formulas of the
        derivation; None if it is not known. Where there are many entries the complex step is made in a random direction, in
        which the derivation has to agree with it.
        """
        if (target, derived) not in self._known:
            try:
                with np.errstate(all="ignore"):
                    found = self._right(target, derived)
            except BpttError:
                found = None
            self._known[(target, derived)] = None if found is None else np.real(found)
        return self._known[(target, derived)]

    def _right(self, target: Target, derived: bool) -> Array | None:
        if target.kind == "loss":
            abstract = any(term.body.atoms(e.Call) for term in self.system.loss_terms)
            return None if abstract else self.run.total_loss()
        if target.kind == "state":
            return self.over_time(target, lambda time: self.run.value(target.key, time))
        if target.kind == "share" or derived:
            evaluator = Evaluator(self.backward.environment, self.drawn.sizes, {}, self.arrays)
            return self.over_time(target, lambda time: self._evaluated(target, time, evaluator))
        return self.over_time(target, lambda time: self._confirmed(target, time))

    def _confirmed(self, target: Target, time: int | None) -> Array | None:
        """A gradient of the unrolled system."""
        try:
            value = self.run.value(target.key, time)
            if value.size * self.length > MANY:
                evaluator = Evaluator(self.backward.environment, self.drawn.sizes, {}, self.arrays)
                found = self._evaluated(target, time, evaluator)
                if found is not None and found.shape == value.shape and self._agrees(found, (target.key, time), value):
                    return found
        except BpttError:  # the derivation has no rule for it
            pass
        return self._differentiated(target.key, time)

    def _agrees(self, found: Array, place: tuple[str, int | None], value: Array) -> bool:
        """Whether a gradient says how the loss moves when all entries of its quantity are moved at once."""
        direction = np.random.default_rng([value.size, self.length]).normal(size=value.shape)
        moved = self.run.with_forced({place: value + 1j * STEP * direction})
        change, expected = float(np.imag(moved.total_loss()).item()) / STEP, np.real(found) * direction
        return bool(abs(change - np.sum(expected)) <= CONFIRMED * np.sum(np.abs(expected)))

    def over_time(self, target: Target, value: Callable[[int | None], Array | None]) -> Array | None:
        """The value at a time, or without one, or stacked over all times."""
        if not target.over_time(self.system):
            step = target.step(self.length)
            return value(step) if step is None or self._exists(target, step) else None
        found = [value(time) for time in range(1, self.length + 1)]
        return None if any(part is None for part in found) else np.array(found)

    def _exists(self, target: Target, step: int) -> bool:
        starts = {start.time.xreplace({e.size("T"): Integer(self.length)}) for start in self.system.starts}
        return 1 <= step <= self.length or (Integer(step) in starts and target.kind != "share")

    def _differentiated(self, key: str, time: int | None) -> Array:
        by = self.system.quantity(key, None if time is None else Integer(time))
        return self.run.derivative(e.Gradient(by, e.Var(self.system.loss_name)), self.run.evaluator())

    def _evaluated(self, target: Target, time: int | None, evaluator: Evaluator) -> Array | None:
        formula = formula_of(self.system, target, time)
        return None if formula is None else evaluator(formula)


@lru_cache(maxsize=16)
def engine_of(system: RecurrentSystem) -> AdjointEngine:
    return AdjointEngine(system)


@lru_cache(maxsize=4096)
def formula_of(system: RecurrentSystem, target: Target, time: int | None) -> e.Node | None:
    """The formula of the derivation for an array at a time, in states and adjoints; None for the loss and for states."""
    engine = engine_of(system)
    if not target.differentiated:
        return None
    if target.key in system.parameters:
        result = engine.parameter_gradient(target.key)
        return result if target.kind == "gradient" else share(result, time or 0)
    if time is None:
        return engine.adjoint(target.key)
    if time < 1 or (target.time is not None and not target.time.is_Integer):
        return engine.state_gradient(target.key, target.time)
    if target.key in system.definitions:
        return engine.adjoint(target.key, Integer(time))
    equation = engine.equation(target.key)
    if equation is None or equation.final is not None:
        return None
    return e.reindexed(equation.rhs, {system.time: Integer(time)})


def share(result: e.Node, step: int) -> e.Node | None:
    """What one step adds to a sum over time."""
    if not isinstance(result, e.SumOver):
        return None
    return e.reindexed(result.body, {result.index: Integer(step)})


__all__ = ["Point", "engine_of", "formula_of", "share"]
