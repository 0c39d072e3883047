"""The derived gradients in numbers: the adjoint recursion, evaluated line by line as it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sympy import Expr

from derive import expressions as e
from derive.adjoint import AdjointEngine
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
        if key in self.owners:
            return np.zeros(self.run.shape(self.owners[key]))
        return self.run.value(key, time)

    @cached_property
    def owners(self) -> dict[str, str]:
        return {name: key for key, name in self.engine.adjoint_names.items()}

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        """∇_{q_t} L_t of an abstract loss, from its own formula."""
        if isinstance(node, e.Gradient) and isinstance(node.by, e.Timed) and isinstance(node.of, e.Timed):
            for term in self.run.system.loss_terms:
                for call in term.body.atoms(e.Call):
                    keys = [argument.name for argument in call.arguments if isinstance(argument, e.Timed)]
                    if isinstance(call.value, e.Timed) and call.value.name == node.of.name and node.by.name in keys:
                        time = evaluator.integer(node.of.time)
                        if not self._covers(time):
                            return np.zeros(evaluator.shape(node))
                        value = self.run.value(node.by.name, evaluator.integer(node.by.time))
                        return self.run.loss.gradient(time, keys.index(node.by.name), value)
        return self.run.derivative(node, evaluator)

    def _covers(self, time: int) -> bool:
        return any(time in self.run.loss_times(term) for term in self.run.system.loss_terms)


class AdjointPass:
    """One backward pass over a run: every adjoint at every time, and the gradients."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.engine = AdjointEngine(run.system)
        self.environment = _AdjointEnvironment(run, self.engine, {})
        self.sizes = run.sizes
        self._recursion()

    def _evaluate(self, node: e.Node, time: int | None) -> Array:
        times = {} if time is None else {self.run.system.time.name: time}
        value = Evaluator(self.environment, self.sizes, times)(node)
        return np.broadcast_to(value, tuple(Evaluator(self.environment, self.sizes).shape(node))) if value.shape != () else value

    def _recursion(self) -> None:
        for time in range(self.run.length, 0, -1):
            for equation in self.engine.equations:
                value = self._evaluate(equation.rhs, time)
                if equation.final is not None and time == self.run.length:
                    value = value + self._evaluate(equation.final, time)
                self.environment.adjoints[(equation.adjoint.name, time)] = np.array(value)
        for definition in reversed(self.run.system.steps):
            if isinstance(definition.lhs, e.Var):
                self.environment.adjoints[(self.engine.adjoint_names[definition.key], None)] = self.parameter(definition.key)

    def parameter(self, key: str) -> Array:
        """∇L by a parameter, in the shape of its expression."""
        return self._evaluate(self.engine.parameter_gradient(key), None)

    def input(self, key: str, time: int) -> Array:
        """∇L by an input at a time."""
        equation = self.engine.equation(key)
        if equation is None:
            return np.zeros(self.run.shape(key))
        value = self._evaluate(equation.rhs, time)
        if equation.final is not None and time == self.run.length:
            value = value + self._evaluate(equation.final, time)
        return value

    def initial(self, key: str, time: Expr) -> Array:
        """∇L by a value that the sequence starts from."""
        return self._evaluate(self.engine.state_gradient(key, time), None)
