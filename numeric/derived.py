"""What the formulas of a derivation mean in a run: names that it introduces, recursions that it states, adjoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.derivation import Derivation
from derive.expressions import make
from derive.substitute import substitute
from numeric import truth
from numeric.adjoints import AdjointPass
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import Run
from numeric.trees import Tree


class DerivedNames:
    """A run in which names introduced by a derivation have values too."""

    def __init__(self, run: Run, derivation: Derivation, times: Mapping[str, int]) -> None:
        self.run = run
        self.times = times
        self.named = {
            step.lhs.name: step.rhs
            for step in derivation.steps
            if isinstance(step.lhs, (e.Timed, e.Var)) and step.lhs.name not in run.system.shapes
        }
        """By their last definition."""
        timed = [step.lhs for step in derivation.steps if isinstance(step.lhs, e.Timed)]
        timed += [of for relation in derivation.recursion if (of := _quantity(relation.lhs)) is not None]
        self.on_edges = {name.name for name in timed if isinstance(name.time, e.Edge)}
        self.recursions: dict[tuple[str, e.Node | None], list[tuple[e.Timed, e.Node]]] = {}
        """Names, and derivatives of a quantity by another, for which the derivation states a recursion."""
        for relation in derivation.recursion:
            of = _quantity(relation.lhs)
            if of is not None:
                by = relation.lhs.by if isinstance(relation.lhs, e.Derivative) else None
                self.recursions.setdefault((of.name, by), []).append((of, relation.rhs))
                self.named.pop(of.name, None)
        self._known: dict[tuple[e.Node, tuple[tuple[str, int], ...]], Array] = {}
        """Derivatives by the times that they were asked for: a sum over t and k repeats ∂⁺s_k/∂W for every t."""
        self._stepwise: dict[tuple[str, e.Node | None, int], Array] = {}
        """What the recursions gave, by the time."""

    def evaluator(self) -> Evaluator:
        return Evaluator(self, self.run.sizes, self.times, self.run.arrays)

    @property
    def tree(self) -> Tree | None:
        return self.run.tree

    def value(self, key: str, time: int | None) -> Array:
        if time is not None and (key, None) in self.recursions:
            return self._by_recursion(key, None, time, self.run.shape(self._owner(key)))
        if key in self.named:
            return Evaluator(self, self.run.sizes, self._times_of(key, time), self.run.arrays)(self.named[key])
        return self.run.value(key, time)

    def _times_of(self, key: str, time: int | None) -> dict[str, int]:
        """The numbers of the letters in the definition of a name."""
        tree = self.run.system.tree
        if time is not None and tree is not None and self.run.tree is not None and key in self.on_edges:
            return {tree.node.name: self.run.tree.parent(time), tree.child.name: time}
        return {} if time is None else {self.run.system.time.name: time}

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        node = self._written_out(node)
        letters = {symbol.name for symbol in node.free_symbols if symbol.is_Symbol}
        key = (node, tuple(sorted((name, time) for name, time in evaluator.times.items() if name in letters)))
        if key not in self._known:
            of = None if not isinstance(node, e.Derivative) or node.immediate else _quantity(node)
            if of is not None and isinstance(node, e.Derivative) and (of.name, node.by) in self.recursions:
                time, shape = evaluator.integer(of.time), evaluator.shape(node)
                self._known[key] = self._by_recursion(of.name, node.by, time, shape)
            else:
                joint = self._joint(node)
                self._known[key] = self.run.derivative(node, evaluator) if joint is None else joint(evaluator)
        return self._known[key]

    def _written_out(self, node: e.Node) -> e.Node:
        """A derivative of a name that the derivation introduces, by what the name stands for."""
        of = node.of if isinstance(node, e.Derivative) and not node.immediate else None
        if isinstance(of, e.Timed) and of.name in self.named and not isinstance(self.named[of.name], e.Block):
            return e.Derivative(self.named[of.name].xreplace({self.run.system.time: of.time}), node.by)
        return node

    def _owner(self, key: str) -> str:
        """The quantity of an adjoint, whatever step's loss it is of."""
        plain = key if key in self.run.system.adjoint_owners else key[: key.rindex("^")]
        return self.run.system.adjoint_owners[plain]

    def _by_recursion(self, name: str, by: e.Node | None, time: int, shape: tuple[int, ...]) -> Array:
        """The value that the derivation's own recursion gives: by its line for that very time, else by the one for every
        step.
        """
        key = (name, by, time)
        if key not in self._stepwise:
            line = self._line(name, by, time)
            self._stepwise[key] = np.zeros(shape) if line is None else self._at(line, self._times_of(name, time))
        return self._stepwise[key]

    def _line(self, name: str, by: e.Node | None, time: int) -> e.Node | None:
        clock, evaluator = self.run.system.time, self.evaluator()
        lines = self.recursions[(name, by)]
        for quantity, value in lines:
            if clock not in quantity.time.free_symbols and evaluator.integer(quantity.time) == time:
                return value
        inside = 1 <= time <= self.run.length
        return next((value for q, value in lines if q.time in (clock, self._edge) and inside), None)

    @property
    def _edge(self) -> e.Edge | None:
        return None if self.run.system.tree is None else self.run.system.tree.edge

    def _at(self, value: e.Node, times: dict[str, int]) -> Array:
        """A line at a time. What is zero outside the sequence makes zero what it multiplies, even what has no value there."""
        evaluator = Evaluator(self, self.run.sizes, times, self.run.arrays)
        outside = {
            leaf: make.zero(leaf.shape)
            for leaf in value.atoms(e.Timed)
            if (leaf.name, None) in self.recursions and not 1 <= evaluator.integer(leaf.time) <= self.run.length
        }
        return evaluator(substitute(value, outside) if outside else value)

    def _joint(self, node: e.Node) -> Callable[[Evaluator], Array] | None:
        """A derivative of or by a joint state is made of those of or by its parts."""
        if not isinstance(node, e.Derivative):
            return None
        of, by = self.parts(node.of), self.parts(node.by)
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

    def parts(self, node: e.Node) -> list[e.Node]:
        """The parts of a joint state; a quantity of the cell is its own only part."""
        if isinstance(node, e.Timed) and isinstance(self.named.get(node.name), e.Block):
            shift = {self.run.system.time: node.time}
            return [part.xreplace(shift) for part in self.named[node.name].operands]
        return [node]


class WithAdjoints(DerivedNames):
    """Adjoints come from the evaluated recursion.

    Parameters
    ----------
    engine : of the run's system, where several runs share one.
    """

    def __init__(
        self, run: Run, derivation: Derivation, times: Mapping[str, int], engine: AdjointEngine | None = None
    ) -> None:
        super().__init__(run, derivation, times)
        self.adjoints = AdjointPass(run, engine).environment
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
    """The quantity at a time that a line is about: itself, or what it is a derivative of, stacked or not."""
    of = node.of if isinstance(node, e.Derivative) else node
    of = of.operands[0] if isinstance(of, e.Vec) else of
    return of if isinstance(of, e.Timed) else None
