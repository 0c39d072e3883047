"""How the quantities of a few steps move with one of them: the chain rule, followed step by step.

The total derivative ``∂a_s/∂b_r`` makes ``b_r`` a free variable of the unrolled graph: everything computed from it
later, in the same step or after, is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, Expr, Symbol

from derive import expressions as e
from derive.derivation import Step
from derive.errors import MissingRuleError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.linear import jacobian_of
from derive.notation.names import QName
from derive.system import RecurrentSystem, leaves
from derive.tree import steps_away
from derive.tree_flow import NodeFlow

Point = tuple[str, int | None]
"""A quantity at an offset from the time t; offset None for quantities without time."""

_SPECIAL_RULES = {
    e.Divide: "quotient rule",
    e.Extreme: "derivative of an extreme",
    e.Softmax: "Jacobian of softmax",
    e.Power: "power rule",
}


def rule_name(rhs: e.Node, moved: Mapping[e.Node, bool]) -> str:
    """What a line of a derivation is called by.

    Parameters
    ----------
    rhs   : the formula that is differentiated.
    moved : the quantities in it that vary, and whether each does so through others (chain rule) or is the one that is
            moved itself.
    """
    terms = [term for term in (rhs.operands if isinstance(rhs, e.Plus) else (rhs,)) if term.has(*moved)]
    cores = [term.operands[0] if isinstance(term, e.Neg) else term for term in terms]
    if any(
        isinstance(core, (e.Hadamard, e.Times)) and sum(factor.has(*moved) for factor in core.operands) > 1
        for core in cores
    ):
        return "product rule"
    special = next((_SPECIAL_RULES[type(core)] for core in cores if type(core) in _SPECIAL_RULES), None)
    if special and not any(moved.values()):
        return special
    nested = any(core.has(leaf) and leaf != core and leaf not in core.operands for core in cores for leaf in moved)
    if nested or any(moved.values()):
        return "chain rule"
    if any(isinstance(core, e.Apply) for core in cores):
        return "entry by entry"
    return "sum rule" if len(cores) > 1 else "linear map"


def place_of(system: RecurrentSystem, key: str, offset: int) -> Expr:
    """The time of a quantity at an offset; in a tree, -1 is the child k of the node j."""
    if system.tree is None:
        return system.time + offset
    place = system.place_of(key)
    return (
        place if offset == 0 else place.xreplace({system.time: system.tree.child, system.tree.child: system.tree.other})
    )


def moved(system: RecurrentSystem, formula: e.Node, offset: int | None) -> e.Node:
    """A formula of a step, at an offset."""
    if not offset:
        return formula
    tree = system.tree
    return formula.xreplace({system.time: system.time + offset}) if tree is None else tree.child_of_node(formula)


def vector_size(node: e.Node) -> Expr:
    """The number of entries of a quantity."""
    return node.shape[0] * node.shape[1]


@dataclass(frozen=True)
class Flow:
    """Jacobians of the quantities of several steps by one quantity, with the lines that derive them."""

    jacobians: Mapping[Point, e.Node]
    steps: tuple[Step, ...]


class FlowEngine:
    """Jacobians of one system."""

    def __init__(self, system: RecurrentSystem, vec: bool = False) -> None:
        self.system = system
        self.time = system.time
        self.vec = vec

    def derivative(self, of: e.Node, by: e.Node, kind: str = "total") -> e.Derivative:
        """∂a/∂b; of and by matrices, with ``vec``, ∂vec(a)/∂vec(b)."""
        of, by = (make.vec(node) if self.vec and ONE not in node.shape else node for node in (of, by))
        return e.Derivative(of, by, kind)

    # -- where things are read ---------------------------------------------------------------------

    def _read_at(self, leaf: e.Timed | e.Var, reader: Point) -> int | None:
        """The offset of what a quantity at an offset reads."""
        if isinstance(leaf, e.Var):
            return None
        if self.system.tree is None:
            distance = leaf.time - self.time
            if not distance.is_Integer:
                raise MissingRuleError(
                    f"{reader[0]} reads {leaf} at a time of its own, so that no number of steps leads to it",
                    hint="the gradient of the loss is derived nevertheless",
                )
            return (reader[1] or 0) + int(distance)
        return (reader[1] or 0) + int(steps_away(leaf.time, self.system.definitions[reader[0]].lhs.time))

    # -- through finitely many steps ---------------------------------------------------------------

    def follow(self, source: Point, last: int | None, wanted: Point, frozen: frozenset[Point] = frozenset()) -> Flow:
        """Jacobians by ``source`` of everything from its step to step ``last`` that leads to ``wanted``.

        ``frozen`` points are held fixed, as the other states of a joint state are.
        """
        if self.system.tree is not None and source[1] is not None:
            return self._over_edges(source, wanted, frozen)
        key, start = source
        by = self._at(source)
        jacobians: dict[Point, e.Node] = {source: make.identity(vector_size(by))}
        steps: list[Step] = []
        relevant = self._leading_to(source, wanted)
        offsets = [None] if start is None else [*range(start, (last if last is not None else start) + 1)]
        for offset in offsets:
            passed = offset != start
            for equation in self.system.steps:
                point = (equation.key, offset if isinstance(equation.lhs, e.Timed) else None)
                if not passed:
                    passed = equation.key == key or key not in self.system.definitions
                    if equation.key == key:
                        continue
                if point in jacobians or point in frozen or point not in relevant:
                    continue
                self._extend(point, by, jacobians, steps)
        return Flow(jacobians, tuple(steps))

    def _over_edges(self, source: Point, wanted: Point, frozen: frozenset[Point]) -> Flow:
        """The same in a tree: through the child's own equations first, where the source is there, then through the node's."""
        system, tree = self.system, self.system.tree
        if tree is None:
            raise MissingRuleError("the cell has no tree")
        key, start = source
        leading = self._leading_to(source, wanted)
        needed = {offset: frozenset(name for name, at in leading if at == offset) for offset in (-1, 0)}
        held = {offset: frozenset(name for name, at in frozen if at == offset) for offset in (-1, 0)}

        def flow(generic: Symbol, by: e.Node, **known: Any) -> NodeFlow:
            return NodeFlow(system, tree, by, self.vec, self.derivative, rule_name, generic, **known)

        unit = {key: make.identity(vector_size(self._at(source)))}
        if start == 0:
            at = "own" if key in system.on_edges else "node"
            found = flow(tree.other if at == "own" else tree.child, self._at(source), **{at: unit})
            found.run(needed[0], held[0])
            return self._flow_of(found, {}, [])
        below = flow(tree.child, system.quantity(key), node=unit).run(needed[-1], held[-1])
        child = {name: tree.child_of_node(value) for name, value in below.node.items()}
        steps = [replace(s, lhs=tree.child_of_node(s.lhs), rhs=tree.child_of_node(s.rhs)) for s in below.steps]
        found = flow(tree.other, self._at(source), child=child).run(needed[0], held[0])
        return self._flow_of(found, child, steps)

    def _flow_of(self, found: NodeFlow, child: Mapping[str, e.Node], before: list[Step]) -> Flow:
        jacobians: dict[Point, e.Node] = {(name, -1): value for name, value in child.items()}
        for name in {**found.node, **found.own, **found.shared}:
            total = found.total(name)
            if total is not None:
                jacobians[(name, 0)] = total
        return Flow(jacobians, (*before, *found.steps))

    def _at(self, point: Point) -> e.Node:
        key, offset = point
        return self.system.quantity(key, None if offset is None else place_of(self.system, key, offset))

    def _leading_to(self, source: Point, wanted: Point) -> set[Point]:
        """Points on some path into ``wanted``, so that nothing is derived in vain."""
        found: set[Point] = set()
        stack = [wanted]
        while stack:
            point = stack.pop()
            if point in found or point[0] not in self.system.definitions:
                continue
            found.add(point)
            for leaf in leaves(self.system.definitions[point[0]].rhs):
                offset = self._read_at(leaf, point)
                if offset is None or source[1] is None or offset >= source[1]:
                    stack.append((leaf.name, offset))
        return found

    def _extend(self, point: Point, by: e.Node, jacobians: dict[Point, e.Node], steps: list[Step]) -> None:
        """Chain rule at one quantity: the sum over what it reads of ∂q/∂leaf ∂leaf/∂source."""
        key, offset = point
        terms = []
        chained: dict[e.Node, bool] = {}
        rhs = self.system.definitions[key].rhs
        for leaf in leaves(rhs):
            inner = jacobians.get((leaf.name, self._read_at(leaf, point)))
            local = None if inner is None else jacobian_of(rhs, leaf, self.vec)
            if inner is not None and local is not None:
                terms.append(make.times(moved(self.system, local, offset), inner))
                chained[leaf] = moved(self.system, leaf, offset) != by
        if not terms:
            return
        result = make.plus(*terms)
        if make.is_zero(result):
            return
        jacobians[point] = result
        of = self._at(point)
        steps.append(Step(self.derivative(of, by), result, rule_name(rhs, chained)))


def cell_lines(system: RecurrentSystem) -> list[Step]:
    """All equations of a cell, pre-activations included: what a derivation starts from."""
    return [_definition(system, equation.key, None) for equation in system.steps]


def definition_steps(engine: FlowEngine, points: Sequence[Point]) -> list[Step]:
    """The equations that a derivation starts from, with the names it introduces."""
    return [_definition(engine.system, key, offset) for key, offset in points]


def _definition(system: RecurrentSystem, key: str, offset: int | None) -> Step:
    equation = system.definitions[key]
    rule = "pre-activation" if key in system.preactivations else "equation of the cell"
    lhs, rhs = (moved(system, part, offset) for part in (equation.lhs, equation.rhs))
    return Step(lhs, rhs, rule, proved="definition")


def free_index(system: RecurrentSystem, letters: Sequence[str], taken: Iterable[Basic | str] = ()) -> Symbol:
    """The first letter that is no time, no size and no name of the cell; ``taken`` are other indices in use."""
    used = {QName.from_key(key).base for key in system.shapes} | {system.time.name} | {str(one) for one in taken}
    used |= {"l", "r", system.tree.child.name} if system.tree is not None else set()
    used |= {str(symbol) for shape in system.shapes.values() for size in shape for symbol in size.free_symbols}
    every = (*letters, *"jilrukspq", *(f"{letter}'" for letter in letters))
    return next(e.index(letter) for letter in every if letter not in used)


INNER = ("j", "i", "l", "r", "u")
"""Letters for the factors of a product over time."""
EARLIER = ("k", "s", "r")
"""Letters for an earlier step."""
