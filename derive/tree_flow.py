"""How the quantities of a node, and of the edges to its children, move with one of them or with one of a child.

What moves a node moves every edge to its children that reads the node. What moves one child k moves the edge to it; and it
moves the edges to its siblings as well where they read the node, as a sum over all children in the denominator of an
attention does. So an edge has two Jacobians: its own, by what is at its end, and the one that it shares with all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sympy import Eq, Piecewise, Symbol

from derive import expressions as e
from derive.derivation import Step
from derive.expressions import make
from derive.expressions.calculus import another
from derive.linear import jacobian_of
from derive.system import RecurrentSystem, leaves
from derive.tree import TreeIndices

Named = Callable[[e.Node, e.Node], e.Derivative]
Ruled = Callable[[e.Node, Mapping[e.Node, bool]], str]


@dataclass
class NodeFlow:
    """Jacobians of what is computed at one node and on its edges, by a source.

    Parameters
    ----------
    child   : Jacobians of the quantities of the child k by the source, where it is there.
    generic : the letter of any child; another one than k where the source is of k or of its edge.
    held    : names that are held fixed.
    """

    system: RecurrentSystem
    tree: TreeIndices
    by: e.Node
    vec: bool
    derivative: Named
    rule: Ruled
    generic: Symbol
    child: Mapping[str, e.Node] = field(default_factory=dict)
    node: dict[str, e.Node] = field(default_factory=dict)
    own: dict[str, e.Node] = field(default_factory=dict)
    shared: dict[str, e.Node] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def run(self, wanted: frozenset[str], held: frozenset[str]) -> NodeFlow:
        """Follow the source through the equations of a node, as far as they lead to what is ``wanted``."""
        known = {*self.node, *self.own, *held}
        for equation in self.system.steps:
            if equation.key in wanted and equation.key not in known:
                if equation.key in self.system.on_edges:
                    self._edge(equation.key, equation.rhs)
                else:
                    self._node(equation.key, equation.rhs)
        return self

    def total(self, key: str) -> e.Node | None:
        """The Jacobian of a node's quantity, or of that of the edge to the child k."""
        if key in self.node:
            return self.node[key]
        parts = [self.own[key]] if key in self.own else []
        if key in self.shared:
            parts.append(self._at_child(self.shared[key]))
        return make.plus(*parts) if parts else None

    # -- letters -----------------------------------------------------------------------------------

    def _generic(self, formula: e.Node) -> e.Node:
        """A formula about the edge to k, for the edge to any child."""
        return formula if self.generic == self.tree.child else e.reindexed(formula, {self.tree.child: self.generic})

    def _at_child(self, formula: e.Node) -> e.Node:
        return formula if self.generic == self.tree.child else e.reindexed(formula, {self.generic: self.tree.child})

    def _over_all(self, formula: e.Node) -> e.Node:
        """The sum over all children of a formula about any of them."""
        bound = {part.index for part in formula.atoms(e.Over)}
        letter = another(self.generic, formula, {self.tree.node}) if self.generic in bound else self.generic
        body = formula if letter == self.generic else e.reindexed(formula, {self.generic: letter})
        return e.SumOverChildren(letter, self.tree.node, body)

    # -- equations ---------------------------------------------------------------------------------

    def _locals(self, rhs: e.Node) -> Iterator[tuple[e.Timed, e.Node]]:
        """What a formula reads, and its Jacobian by it; the letter of its own sums is not that of the child k."""
        for leaf in leaves(rhs):
            if isinstance(leaf, e.Timed) and self._moves(leaf):
                local = jacobian_of(rhs, leaf, self.vec)
                if local is not None:
                    yield leaf, self.tree.with_other_letter(local)

    def _moves(self, leaf: e.Timed) -> bool:
        if leaf.time == self.tree.node:
            return leaf.name in self.node
        if isinstance(leaf.time, e.Edge):
            return leaf.name in self.own or leaf.name in self.shared
        return leaf.name in self.child and not isinstance(leaf.time, e.Parent)

    def _node(self, key: str, rhs: e.Node) -> None:
        terms: list[e.Node] = []
        chained: dict[e.Node, bool] = {}
        for leaf, local in self._locals(rhs):
            chained[leaf] = leaf != self.by
            if leaf.time == self.tree.node:
                terms.append(make.times(local, self.node[leaf.name]))
            elif isinstance(leaf.time, e.Edge):
                if leaf.name in self.own:
                    terms.append(make.times(local, self.own[leaf.name]))
                if leaf.name in self.shared:
                    terms.append(self._over_all(make.times(self._generic(local), self.shared[leaf.name])))
            else:
                terms.append(make.times(*self._if_child(leaf), local, self.child[leaf.name]))
        result = make.plus(*terms) if terms else None
        if result is not None and not make.is_zero(result):
            self.node[key] = result
            self.steps.append(
                Step(self.derivative(self.system.quantity(key), self.by), result, self.rule(rhs, chained))
            )

    def _if_child(self, leaf: e.Timed) -> tuple[e.Node, ...]:
        """[k = l(j)], where a certain child is read and the source is any child k."""
        if not isinstance(leaf.time, e.OrderedChild):
            return ()
        return (e.Scalar(Piecewise((1, Eq(self.tree.child, leaf.time)), (0, True))),)

    def _edge(self, key: str, rhs: e.Node) -> None:
        own: list[e.Node] = []
        shared: list[e.Node] = []
        chained: dict[e.Node, bool] = {}
        for leaf, local in self._locals(rhs):
            chained[leaf] = leaf != self.by
            if leaf.time == self.tree.node:
                shared.append(make.times(self._generic(local), self.node[leaf.name]))
            elif isinstance(leaf.time, e.Edge):
                if leaf.name in self.own:
                    own.append(make.times(local, self.own[leaf.name]))
                if leaf.name in self.shared:
                    shared.append(make.times(self._generic(local), self.shared[leaf.name]))
            else:
                own.append(make.times(local, self.child[leaf.name]))
        rule = self.rule(rhs, chained)
        quantity = self.system.quantity(key)
        for parts, known, place in ((own, self.own, quantity), (shared, self.shared, self._generic(quantity))):
            result = make.plus(*parts) if parts else None
            if result is not None and not make.is_zero(result):
                known[key] = result
                both = known is self.own and bool(shared)
                shown = make.plus(result, self._at_child(make.plus(*shared))) if both else result
                self.steps.append(Step(self.derivative(place, self.by), shown, rule))


__all__ = ["NodeFlow"]
