"""What the formulas of a derivation mean in a run: names that it introduces, recursions that it states, adjoints."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derive import expressions as e
from derive.derivation import Derivation
from numeric import truth
from numeric.adjoints import AdjointPass
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import Run


class DerivedNames:
    """A run in which names introduced by a derivation have values too."""

    def __init__(self, run: Run, derivation: Derivation, times: Mapping[str, int]) -> None:
        self.run = run
        self.times = times
        self.named = {
            step.lhs.name: step.rhs
            for step in derivation.steps
            if isinstance(step.lhs, e.Timed) and step.lhs.name not in run.system.shapes
        }
        """By their last definition."""
        self.recursions: dict[tuple[str, e.Node], list[tuple[e.Timed, e.Node]]] = {}
        """Derivatives for which the derivation states a recursion, by the quantity and what it is differentiated by."""
        for relation in derivation.recursion:
            of = _quantity(relation.lhs)
            if of is not None and isinstance(relation.lhs, e.Derivative):
                self.recursions.setdefault((of.name, relation.lhs.by), []).append((of, relation.rhs))
        self._known: dict[tuple[e.Node, tuple[tuple[str, int], ...]], Array] = {}
        """Derivatives by the times that they were asked for: a sum over t and k repeats ∂⁺s_k/∂W for every t."""

    def evaluator(self) -> Evaluator:
        return Evaluator(self, self.run.sizes, self.times)

    def value(self, key: str, time: int | None) -> Array:
        if key in self.named:
            return Evaluator(self, self.run.sizes, {self.run.system.time.name: time} if time is not None else {})(
                self.named[key]
            )
        return self.run.value(key, time)

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        letters = {symbol.name for symbol in node.free_symbols if symbol.is_Symbol}
        key = (node, tuple(sorted((name, time) for name, time in evaluator.times.items() if name in letters)))
        if key not in self._known:
            found = self._by_recursion(node, evaluator)
            if found is None:
                joint = self._joint(node)
                found = self.run.derivative(node, evaluator) if joint is None else joint(evaluator)
            self._known[key] = found
        return self._known[key]

    def _by_recursion(self, node: e.Node, evaluator: Evaluator) -> Array | None:
        """The value that the derivation's own recursion gives: its line for that very time, else the one for every step."""
        of = _quantity(node)
        if of is None or not isinstance(node, e.Derivative) or node.immediate:
            return None
        lines = self.recursions.get((of.name, node.by))
        if lines is None:
            return None
        time = evaluator.integer(of.time)
        clock = self.run.system.time
        for quantity, value in lines:
            if clock not in quantity.time.free_symbols and evaluator.integer(quantity.time) == time:
                return self._at(value, time)
        if 1 <= time <= self.run.length:
            for quantity, value in lines:
                if quantity.time == clock:
                    return self._at(value, time)
        return np.zeros(evaluator.shape(node))

    def _at(self, value: e.Node, time: int) -> Array:
        return Evaluator(self, self.run.sizes, {self.run.system.time.name: time})(value)

    def _joint(self, node: e.Node):  # type: ignore[no-untyped-def]
        """A derivative of or by a joint state is made of those of or by its parts."""
        if not isinstance(node, e.Derivative):
            return None
        of, by = self._parts(node.of), self._parts(node.by)
        if len(of) == 1 and len(by) == 1 and of[0] == node.of and by[0] == node.by:
            return None

        def value(evaluator: Evaluator) -> Array:
            rows = []
            for a in of:
                row = []
                for b in by:
                    # One part of the joint state moves while the others of the same step are held fixed.
                    row.append(_partial(self.run, a, b, [p for p in by if p != b], evaluator, node.immediate))
                rows.append(np.concatenate(row, axis=1))
            full = np.concatenate(rows, axis=0)
            return full.reshape(evaluator.shape(node))

        return value

    def _parts(self, node: e.Node) -> list[e.Node]:
        if isinstance(node, e.Timed) and isinstance(self.named.get(node.name), e.Block):
            shift = {self.run.system.time: node.time}
            return [part.xreplace(shift) for part in self.named[node.name].operands]
        return [node]


class WithAdjoints(DerivedNames):
    """Adjoints come from the evaluated recursion."""

    def __init__(self, run: Run, derivation: Derivation, times: Mapping[str, int]) -> None:
        super().__init__(run, derivation, times)
        self.adjoints = AdjointPass(run).environment
        for name in run.system.adjoint_owners:
            self.named.pop(name, None)

    def value(self, key: str, time: int | None) -> Array:
        if (key, time) in self.adjoints.adjoints or key in self.run.system.adjoint_owners:
            return self.adjoints.value(key, time)
        return super().value(key, time)


def _partial(run: Run, of: e.Node, by: e.Node, held: list[e.Node], evaluator: Evaluator, immediate: bool) -> Array:
    fixed = {truth.point_of(node, evaluator): run.value(*truth.point_of(node, evaluator)) for node in held}
    other = run.with_forced(fixed)
    return truth.immediate(other, of, by, evaluator) if immediate else truth.total(other, of, by, evaluator)


def _quantity(node: e.Node) -> e.Timed | None:
    """The quantity at a time that a derivative is of, stacked or not."""
    if not isinstance(node, e.Derivative):
        return None
    of = node.of.operands[0] if isinstance(node.of, e.Vec) else node.of
    return of if isinstance(of, e.Timed) else None
