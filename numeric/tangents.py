"""Hessian-vector products in numbers: the tangents of both passes, evaluated line by line as they are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from derive import expressions as e
from derive.second import TangentEngine
from numeric.adjoints import AdjointEnvironment, AdjointPass, BackwardPass
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import Point, Run
from numeric.trees import Tree


@dataclass
class _TangentEnvironment:
    """Tangents come from the two passes, second derivatives of abstract losses from the loss, the rest from the gradient's
    own passes.
    """

    run: Run
    reverse: AdjointEnvironment
    engine: TangentEngine
    tangents: dict[Point, Array]

    @property
    def tree(self) -> Tree | None:
        return self.run.tree

    def value(self, key: str, time: int | None) -> Array:
        found = self.tangents.get((key, time))
        if found is not None:
            return found
        owner = self.engine.owner(key)
        if owner is None:
            return self.reverse.value(key, time)
        return np.zeros(self.run.shape(self.run.system.adjoint_owners.get(owner, owner)))

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        """∂∇_q L_t / ∂r of an abstract loss, from its own formula."""
        if isinstance(node, e.Derivative) and isinstance(node.of, e.Gradient):
            call = self.reverse.call_behind(node.of)
            if call is not None:
                time, arguments = self.reverse.called(call, evaluator)
                if time is not None and not self.reverse.covers(time):
                    return np.zeros(evaluator.shape(node))
                first, second = (call.arguments.index(part) for part in (node.of.by, node.by))
                return self.run.loss.hessian(time, first, second, arguments)
        return self.reverse.derivative(node, evaluator)


class TangentPass(BackwardPass[_TangentEnvironment]):
    """Both passes along a direction in the parameters.

    Parameters
    ----------
    direction : the direction's part for each parameter that it moves, in the shape of its expression.
    engine    : for a direction in these parameters, where several runs share one.
    """

    def __init__(self, run: Run, direction: Mapping[str, Array], engine: TangentEngine | None = None) -> None:
        self.engine = TangentEngine(run.system, tuple(direction)) if engine is None else engine
        adjoints = AdjointPass(run, self.engine.reverse).environment
        environment = _TangentEnvironment(run, adjoints, self.engine, {})
        super().__init__(run, environment, environment.tangents)
        for key, value in direction.items():
            self.values[(self._dotted(key), None)] = value
        self._forward()
        self.recursion(self.engine.backward)

    def _dotted(self, key: str) -> str:
        return self.engine.tangent(self.run.system.quantity(key)).name

    def _forward(self) -> None:
        for start, value in self.engine.starts.items():
            first = Evaluator(self.run, self.run.sizes).integer(start.time)
            moved = self.evaluate(value, None)
            self.values[(self._dotted(start.name), first)] = moved + np.zeros(self.run.shape(start.name))
        for sweep in self.run.system.sweeps:
            steps: Sequence[int | None] = range(1, self.run.length + 1) if sweep.timed else (None,)
            for time in reversed(steps) if sweep.backward else steps:
                for equation in sweep.equations:
                    if equation.key in self.engine.forward:
                        for place in (None,) if time is None else self.run.places(equation.key, time):
                            moved = self.evaluate(self.engine.forward[equation.key], place, equation.key)
                            zero = np.zeros(self.run.shape(equation.key))
                            self.values[(self._dotted(equation.key), place)] = moved + zero

    def name_of(self, key: str) -> str:
        return self.engine.tangent(self.engine.reverse.adjoint(key)).name

    def is_adjoint(self, name: str) -> bool:
        """An adjoint or the tangent of one."""
        return (self.engine.owner(name) or name) in self.run.system.adjoint_owners

    def parameter(self, key: str) -> Array:
        """The part of the Hessian-vector product for a parameter."""
        return self.evaluate(self.engine.of_gradient(key), None) + np.zeros(self.run.shape(key))
