"""The derived gradients in numbers: the adjoint recursion, evaluated line by line as it is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from sympy import Expr

from derive import expressions as e
from derive.abstract import call_behind
from derive.adjoint import AdjointEngine, AdjointEquation
from derive.expressions import make
from derive.substitute import substitute
from numeric.evaluate import Environment, Evaluator
from numeric.functions import Array
from numeric.simulate import Point, Run
from numeric.trees import Tree

E = TypeVar("E", bound=Environment)


@dataclass
class AdjointEnvironment:
    """Quantities come from the forward run, adjoints from the recursion, gradients of abstract losses from the loss."""

    run: Run
    adjoints: dict[Point, Array]
    _calls: dict[e.Gradient, e.Call | None] = field(default_factory=dict)

    @property
    def tree(self) -> Tree | None:
        return self.run.tree

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
            found = self.call_behind(node)
            if found is not None:
                time, arguments = self.called(found, evaluator)
                if time is not None and not self.covers(time):
                    return np.zeros(evaluator.shape(node))
                return self.run.loss.gradient(time, found.arguments.index(node.by), arguments)
        return self.run.derivative(node, evaluator)

    def call_behind(self, gradient: e.Gradient) -> e.Call | None:
        """The abstract function that a gradient is of, found once."""
        if gradient not in self._calls:
            self._calls[gradient] = call_behind(self.run.system, gradient)
        return self._calls[gradient]

    def called(self, call: e.Call, evaluator: Evaluator) -> tuple[int | None, list[Array]]:
        """The time of an abstract function's value, and its arguments."""
        time = evaluator.integer(call.value.time) if isinstance(call.value, e.Timed) else None
        return time, [evaluator(argument) for argument in call.arguments]

    def covers(self, time: int) -> bool:
        """Whether a loss acts at a time."""
        return any(time in self.run.loss_times(term) for term in self.run.system.loss_terms)


class BackwardPass(Generic[E]):
    """Equations of an adjoint recursion, evaluated against the sweeps of the cell: those of the last sweep first, each in
    the other direction of time.
    """

    def __init__(self, run: Run, environment: E, values: dict[Point, Array]) -> None:
        self.run = run
        self.environment = environment
        self.values = values
        """What has been computed: by the name of an adjoint, and its time."""
        self._known_adjoints: dict[e.Node, tuple[e.Timed, ...]] = {}

    def name_of(self, key: str) -> str:
        """What the adjoint of a quantity is called."""
        raise NotImplementedError

    def parameter(self, key: str) -> Array:
        """What arrives at a quantity without time."""
        raise NotImplementedError

    def is_adjoint(self, name: str) -> bool:
        """Whether a name is that of an adjoint, which is zero beyond the ends of the sequence."""
        return name in self.run.system.adjoint_owners

    def evaluate(self, node: e.Node, time: int | None, key: str = "") -> Array:
        """A right side at a time; that of a quantity of an edge (``key``), at the edge above a child."""
        times = self.run.times_of(key, time)
        evaluator = Evaluator(self.environment, self.run.sizes, times, self.run.arrays)
        value = evaluator(substitute(node, zeros) if (zeros := self._outside(node, evaluator)) else node)
        return (
            np.broadcast_to(value, tuple(Evaluator(self.environment, self.run.sizes).shape(node)))
            if value.shape != ()
            else value
        )

    def _outside(self, node: e.Node, evaluator: Evaluator) -> dict[e.Node, e.Node]:
        """Adjoints beyond the ends are zero, and so is what they multiply, even where that (a quotient of states beyond
        T) has no value.
        """
        found: dict[e.Node, e.Node] = {}
        for adjoint in self._adjoints_in(node):
            if all(
                symbol.name in evaluator.times or symbol.name in self.run.sizes for symbol in adjoint.time.free_symbols
            ):
                time = evaluator.integer(adjoint.time)
                if not 1 <= time <= self.run.length:
                    found[adjoint] = make.zero(adjoint.shape)
        return found

    def _adjoints_in(self, node: e.Node) -> tuple[e.Timed, ...]:
        if node not in self._known_adjoints:
            self._known_adjoints[node] = tuple(leaf for leaf in node.atoms(e.Timed) if self.is_adjoint(leaf.name))
        return self._known_adjoints[node]

    def recursion(self, equations: Iterable[AdjointEquation]) -> None:
        """Go through all equations at all times."""
        by_key = {equation.key: equation for equation in equations}
        for sweep in reversed(self.run.system.sweeps):
            if not sweep.timed:
                key = sweep.equations[0].key
                self.values[(self.name_of(key), None)] = self.parameter(key)
                continue
            own = [by_key[q.key] for q in reversed(sweep.equations) if q.key in by_key]
            times = range(1, self.run.length + 1)
            for time in times if sweep.backward else reversed(times):
                for equation in own:
                    for place in self.run.places(equation.key, time):
                        self.values[(equation.adjoint.name, place)] = self.at(equation, place)

    def at(self, equation: AdjointEquation, time: int) -> Array:
        """The adjoint that an equation gives at a time."""
        value = self.evaluate(equation.rhs, time, equation.key)
        if equation.final is not None and time == self.run.length:
            value = value + self.evaluate(equation.final, time)
        return np.array(value)


class AdjointPass(BackwardPass[AdjointEnvironment]):
    """One backward pass over a run: every adjoint at every time, and the gradients.

    Parameters
    ----------
    engine : of the run's system, where several runs share one.
    """

    def __init__(self, run: Run, engine: AdjointEngine | None = None) -> None:
        self.engine = AdjointEngine(run.system) if engine is None else engine
        environment = AdjointEnvironment(run, {})
        super().__init__(run, environment, environment.adjoints)
        with np.errstate(all="ignore"):  # log'(p) may have no value where nothing is made of it
            self.recursion(self.engine.equations)

    def name_of(self, key: str) -> str:
        return self.run.system.adjoint_names[key]

    def parameter(self, key: str) -> Array:
        """∇L by a parameter, in the shape of its expression."""
        return self.evaluate(self.engine.parameter_gradient(key), None)

    def input(self, key: str, time: int) -> Array:
        """∇L by an input at a time."""
        equation = self.engine.equation(key)
        if equation is None:
            return np.zeros(self.run.shape(key))
        return self.at(equation, time)

    def initial(self, key: str, time: Expr) -> Array:
        """∇L by a value that the sequence starts from."""
        return self.evaluate(self.engine.state_gradient(key, time), None)
