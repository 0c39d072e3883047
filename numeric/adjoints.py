"""The derived gradients in numbers: the adjoint recursion, evaluated line by line as it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sympy import Expr

from derive import expressions as e
from derive.adjoint import AdjointEngine, AdjointEquation
from derive.expressions import make
from derive.substitute import substitute
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import Run


@dataclass
class _AdjointEnvironment:
    """Quantities come from the forward run, adjoints from the recursion, gradients of abstract losses from the loss."""

    run: Run
    engine: AdjointEngine
    adjoints: dict[tuple[str, int | None], Array]

    def value(self, key: str, time: int | None) -> Array:
        found = self.adjoints.get((key, time))
        if found is not None:
            return found
        if key in self.run.system.adjoint_owners:
            return np.zeros(self.run.shape(self.run.system.adjoint_owners[key]))
        return self.run.value(key, time)

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        """∇_{q_t} L_t of an abstract loss, from its own formula."""
        if isinstance(node, e.Gradient):
            for body in self._bodies:
                for call in body.atoms(e.Call):
                    position = _argument(call, node)
                    if position is not None:
                        time = evaluator.integer(node.of.time) if isinstance(node.of, e.Timed) else None
                        if time is not None and not self._covers(time):
                            return np.zeros(evaluator.shape(node))
                        return self.run.loss.gradient(time, position, evaluator(node.by))
        return self.run.derivative(node, evaluator)

    @cached_property
    def _bodies(self) -> list[e.Node]:
        return [term.body for term in self.run.system.loss_terms]

    def _covers(self, time: int) -> bool:
        return any(time in self.run.loss_times(term) for term in self.run.system.loss_terms)


def _argument(call: e.Call, gradient: e.Gradient) -> int | None:
    """Which argument of an abstract function a gradient of its value is by; the same quantity may stand there at
    several times.
    """
    value, by = gradient.of, gradient.by
    for position, argument in enumerate(call.arguments):
        if (
            isinstance(value, e.Timed)
            and isinstance(call.value, e.Timed)
            and isinstance(by, e.Timed)
            and isinstance(argument, e.Timed)
        ):
            if (
                value.name == call.value.name
                and by.name == argument.name
                and by.time - value.time == argument.time - call.value.time
            ):
                return position
        elif (value, by) == (call.value, argument):
            return position
    return None


class AdjointPass:
    """One backward pass over a run: every adjoint at every time, and the gradients."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.engine = AdjointEngine(run.system)
        self.environment = _AdjointEnvironment(run, self.engine, {})
        self.sizes = run.sizes
        self._known_adjoints: dict[e.Node, tuple[e.Timed, ...]] = {}
        self._recursion()

    def _evaluate(self, node: e.Node, time: int | None) -> Array:
        times = {} if time is None else {self.run.system.time.name: time}
        evaluator = Evaluator(self.environment, self.sizes, times)
        value = evaluator(substitute(node, zeros) if (zeros := self._outside(node, evaluator)) else node)
        return (
            np.broadcast_to(value, tuple(Evaluator(self.environment, self.sizes).shape(node)))
            if value.shape != ()
            else value
        )

    def _outside(self, node: e.Node, evaluator: Evaluator) -> dict[e.Node, e.Node]:
        """Adjoints beyond the ends are zero, and so is what they multiply, even where that (a quotient of states beyond
        T) has no value.
        """
        found: dict[e.Node, e.Node] = {}
        for adjoint in self._adjoints_in(node):
            if all(symbol.name in evaluator.times or symbol.name in self.sizes for symbol in adjoint.time.free_symbols):
                time = evaluator.integer(adjoint.time)
                if not 1 <= time <= self.run.length:
                    found[adjoint] = make.zero(adjoint.shape)
        return found

    def _adjoints_in(self, node: e.Node) -> tuple[e.Timed, ...]:
        if node not in self._known_adjoints:
            owners = self.run.system.adjoint_owners
            self._known_adjoints[node] = tuple(leaf for leaf in node.atoms(e.Timed) if leaf.name in owners)
        return self._known_adjoints[node]

    def _recursion(self) -> None:
        """Adjoints run against the sweeps of the cell: those of the last sweep first, each in the other direction of
        time.
        """
        equations = {equation.key: equation for equation in self.engine.equations}
        for sweep in reversed(self.run.system.sweeps):
            if not sweep.timed:
                key = sweep.equations[0].key
                self.environment.adjoints[(self.engine.system.adjoint_names[key], None)] = self.parameter(key)
                continue
            own = [equations[q.key] for q in reversed(sweep.equations) if q.key in equations]
            times = range(1, self.run.length + 1)
            for time in times if sweep.backward else reversed(times):
                for equation in own:
                    self.environment.adjoints[(equation.adjoint.name, time)] = self._adjoint(equation, time)

    def _adjoint(self, equation: AdjointEquation, time: int) -> Array:
        value = self._evaluate(equation.rhs, time)
        if equation.final is not None and time == self.run.length:
            value = value + self._evaluate(equation.final, time)
        return np.array(value)

    def parameter(self, key: str) -> Array:
        """∇L by a parameter, in the shape of its expression."""
        return self._evaluate(self.engine.parameter_gradient(key), None)

    def input(self, key: str, time: int) -> Array:
        """∇L by an input at a time."""
        equation = self.engine.equation(key)
        if equation is None:
            return np.zeros(self.run.shape(key))
        return self._adjoint(equation, time)

    def initial(self, key: str, time: Expr) -> Array:
        """∇L by a value that the sequence starts from."""
        return self._evaluate(self.engine.state_gradient(key, time), None)
