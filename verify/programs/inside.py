"""The backward pass in numbers, one line of which may be another than the derived one.

What does not exist has no value here, where it is zero for the loss: otherwise δ_{t-1} would be as good as no δ at all, and a formula
that reads it would be a reason for what is merely missing. A line is computed when it is asked for, and what does not depend on the line
that is changed is taken from the derived pass: that is what makes it cheap to try many changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.adjoint import AdjointEquation
from derive.errors import BpttError, DataError
from derive.expressions import make
from derive.substitute import substitute
from numeric.adjoints import AdjointEnvironment, AdjointPass
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import OutOfRange
from numeric.simulate import Point as Place
from verify.programs.results import Point, engine_of

ERRORS = (BpttError, ArithmeticError, IndexError, KeyError, TypeError, ValueError, RecursionError)
"""What a formula raises that has no value."""


class _Inside(AdjointEnvironment):
    """Quantities at the times at which they exist, and adjoints as they are asked for."""

    passed: Backward

    def value(self, key: str, time: int | None) -> Array:
        system = self.run.system
        if key in system.adjoint_owners:
            return self.passed.adjoint(key, time)
        if time is not None and key in system.inputs:
            first, last = system.reach(key)
            if not 1 + first <= time <= self.run.length + last:
                raise DataError(f"{key} does not exist at {time}")
        return super().value(key, time)


class Backward(AdjointPass):
    """A backward pass.

    Parameters
    ----------
    lines   : its equations, by the names of the adjoints.
    changed : the name of the one that is changed; empty, if none is.
    derived : the pass in which none is.
    """

    def __init__(
        self, point: Point, lines: Mapping[str, AdjointEquation], changed: str = "", derived: Backward | None = None
    ) -> None:
        self.engine, self.lines, self.changed, self.derived = engine_of(point.system), lines, changed, derived
        environment = _Inside(point.run, {})
        environment.passed = self
        super(AdjointPass, self).__init__(point.run, environment, environment.adjoints)
        if derived is not None:  # what formulas are made of is the same for all changes
            self._known_adjoints, environment._calls = derived._known_adjoints, derived.environment._calls
        self.read: dict[Place, frozenset[str]] = {}
        """The lines that an adjoint at a time is made of."""
        self._reading: list[set[str]] = []
        self._computing: set[Place] = set()

    def adjoint(self, name: str, time: int | None) -> Array:
        """An adjoint at a time, beyond the ends of the sequence zero for as many steps as the cell reads."""
        place = (name, time)
        if place not in self.values:
            if self.derived is not None and self.changed not in self.derived.lines_of(place):
                self.values[place], self.read[place] = self.derived.values[place], self.derived.read[place]
            else:
                self._compute(place)
        for reading in self._reading[-1:]:
            reading |= self.read[place]
        return self.values[place]

    def lines_of(self, place: Place) -> frozenset[str]:
        """The lines that an adjoint is made of."""
        self.adjoint(*place)
        return self.read[place]

    def _compute(self, place: Place) -> None:
        if place in self._computing:
            raise DataError(f"{place[0]} at {place[1]} is made of itself")
        self._computing.add(place)
        self._reading.append({place[0]})
        try:
            value = self._value(*place)
        finally:
            self._computing.discard(place)
            read = self._reading.pop()
        self.values[place], self.read[place] = value, frozenset(read)

    def _value(self, name: str, time: int | None) -> Array:
        system = self.run.system
        key = system.adjoint_owners[name]
        if time is None:
            return self.parameter(key)
        if 1 <= time <= self.run.length:
            if name not in self.lines:
                raise DataError(f"{name} is no adjoint of the recursion")
            return self._at_step(name, time)
        self._check_start(name, time)
        return np.zeros(self.run.shape(key))

    def _at_step(self, name: str, time: int) -> Array:
        """A line at a step. One that is changed stays what it was where it reads a state beyond the ends of the sequence: whoever computes
        the slope of another step has to do something else there.
        """
        try:
            return self.at(self.lines[name], time)
        except OutOfRange:
            if name != self.changed or self.derived is None:
                raise
            return self.at(self.derived.lines[name], time)

    def _check_start(self, name: str, time: int) -> None:
        """Beyond the ends an adjoint is zero where the recursion starts from it, and nowhere else."""
        system, length = self.run.system, self.run.length
        if not (length < time <= length + system.max_lag or 0 >= time > -system.max_lead):
            raise DataError(f"{name} does not exist at {time}")

    def _outside(self, node: e.Node, evaluator: Evaluator) -> dict[e.Node, e.Node]:
        found = super()._outside(node, evaluator)
        for adjoint in found:
            if isinstance(adjoint, e.Timed):
                self._check_start(adjoint.name, evaluator.integer(adjoint.time))
        return found

    def start(self, name: str, time: int) -> Array:
        """A line where the sequence starts from its quantity: what comes back from the steps, and nothing from the loss."""
        line, evaluator = self.lines[name], Evaluator(self.environment, self.run.sizes, {}, self.run.arrays)
        moved = line.rhs.xreplace({self.run.system.time: Integer(time)})
        zero = {one: make.zero(one.shape) for one in self._adjoints_in(moved) if evaluator.integer(one.time) < 1}
        return self.formula(substitute(moved, zero) if zero else moved)

    def formula(self, formula: e.Node) -> Array:
        """The value of a formula about adjoints and states."""
        evaluator = Evaluator(self.environment, self.run.sizes, {}, self.run.arrays)
        with np.errstate(all="ignore"):
            value = np.real(evaluator(formula))
        if not np.all(np.isfinite(value)):
            raise DataError("it is not finite")
        return value

    def lines_behind(self, formula: e.Node) -> frozenset[str]:
        """The lines that a formula is made of."""
        self._reading.append(set())
        try:
            self.formula(formula)
        finally:
            read = self._reading.pop()
        return frozenset(read)


__all__ = ["ERRORS", "Backward"]
