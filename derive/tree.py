"""Cells that compute each node of a tree from its children: how their equations are indexed.

An equation is for a node, ``h_j = ...``, or for an edge to a child, ``f_{jk} = ...``. It may read quantities of the node j
itself, of the children k under a sum over them, of a child l(j) or r(j), of the parent π(j), and of the edges jk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sympy import Basic, Eq, Expr, Integer, Piecewise, Symbol

from derive import expressions as e
from derive.differentiate import Reach
from derive.errors import CellError
from derive.expressions import make
from derive.expressions.calculus import another
from derive.notation.source import Span

_LETTERS = ("k", "i", "s", "u", "p", "q", "v", "w", "r", "l", "k'", "k''")


@dataclass(frozen=True)
class TreeIndices:
    """The letters of a node and of one of its children, the same in all equations."""

    node: Symbol
    child: Symbol
    other: Symbol
    """For another child, or a child's child."""

    @property
    def edge(self) -> e.Edge:
        """The edge between the two."""
        return e.Edge(self.node, self.child)

    def with_other_letter(self, formula: e.Node) -> e.Node:
        """A formula whose sums over children leave the letter of the child to another use."""
        sums = [part for part in formula.atoms(e.SumOverChildren) if part.index == self.child]
        moved = {self.child: self.other}
        return formula.xreplace({p: e.SumOverChildren(self.other, p.node, e.reindexed(p.body, moved)) for p in sums})

    def child_of_node(self, formula: e.Node) -> e.Node:
        """A formula about a node and its child, written for the child and its own child."""
        return e.reindexed(formula, {self.node: self.child, self.child: self.other})

    def parent_of_child(self, formula: e.Node) -> e.Node:
        """A formula about a node and its child, written for a node in the place of the child."""
        return e.reindexed(formula, {self.node: e.Parent(self.node), self.child: self.node})


def steps_away(read: Expr, computed: Expr) -> Expr:
    """How far a quantity that is read lies from what is computed: 0 within a node and on the edges to its children, -1
    at a child, 1 at the parent.
    """
    node = computed.node if isinstance(computed, e.Edge) else computed
    if isinstance(read, e.Edge):
        return Integer(0 if read.node == node else 1)
    if read == node:
        return Integer(0)
    return Integer(1 if isinstance(read, e.Parent) else -1)


def letters_of(
    node: Symbol, lefts: Iterable[Expr | None], formulas: Iterable[e.Node], names: Collection[str]
) -> TreeIndices:
    """The letters of a tree: that of the child is the first one that an edge on a left side has, or else a sum."""
    written = [when.child for when in lefts if isinstance(when, e.Edge) and isinstance(when.child, Symbol)]
    parts = (part for formula in formulas for part in e.children_first(formula))
    written += [part.index for part in parts if isinstance(part, e.SumOverChildren)]
    free = [e.index(letter) for letter in _LETTERS if letter not in names and letter != node.name]
    child = (*written, *free)[0]
    return TreeIndices(node, child, next(letter for letter in free if letter != child))


def unified(tree: TreeIndices, left: e.Timed, right: e.Node, span: Span | None) -> tuple[e.Timed, e.Node]:
    """Both sides of an equation with the tree's own letters, also under sums over children.

    Raises
    ------
    CellError : the left side is neither a node's nor an edge's, or the right side reads what is no neighbour of it.
    """
    when = left.time
    on_edge = isinstance(when, e.Edge)
    if when != tree.node and not (on_edge and when.node == tree.node and isinstance(when.child, Symbol)):
        raise CellError(
            f"{left} is neither of the node {tree.node} nor of an edge from it to a child",
            span=span,
            expected=f"{left.name}_{tree.node}, or {left.name}_{{{tree.node}{tree.child if tree.child != tree.node else tree.other}}}",
        )
    if on_edge and when.child != tree.child:
        moved = {when.child: tree.child}
        left, right = left.xreplace(moved), e.reindexed(right, moved)
    _check_neighbours(tree, left, right, span)
    return left, _with_letter(right, tree)


def _with_letter(formula: e.Node, tree: TreeIndices) -> e.Node:
    """Sums over the children of a node by the letter of the child."""
    if not formula.has(e.SumOverChildren):
        return formula
    operands = [_with_letter(operand, tree) for operand in formula.operands]
    formula = formula.with_operands(operands)
    if isinstance(formula, e.SumOverChildren) and formula.index != tree.child and formula.node == tree.node:
        return e.SumOverChildren(tree.child, formula.node, e.reindexed(formula.body, {formula.index: tree.child}))
    return formula


def check_kinds(formulas: Iterable[tuple[e.Node, Span | None]]) -> None:
    """A name is that of nodes or of edges.

    Raises
    ------
    CellError : one name is used as both; at the second use.
    """
    known: dict[str, e.Timed] = {}
    for formula, span in formulas:
        for leaf in sorted(formula.atoms(e.Timed), key=str):
            first = known.setdefault(leaf.name, leaf)
            if isinstance(first.time, e.Edge) != isinstance(leaf.time, e.Edge):
                raise CellError(
                    f"{leaf.name} is a quantity of {_KINDS[isinstance(first.time, e.Edge)]} elsewhere, as in {first}",
                    span=span,
                    expected=f"the same indices everywhere, as in {first.latex()}",
                    hint=f"{leaf} has {'two' if isinstance(leaf.time, e.Edge) else 'one'}",
                )


_KINDS = {True: "the edges", False: "the nodes"}


def check_reads_nodes(tree: TreeIndices, name: str, formula: e.Node, span: Span | None) -> None:
    """What has no index, as a loss, reads nodes: every one, or certain ones.

    Raises
    ------
    CellError : it reads an edge, a child or a parent, or sums over children.
    """
    others = [leaf for leaf in sorted(formula.atoms(e.Timed), key=str) if leaf.time.has(e.NodeIndex)]
    if others or formula.has(e.SumOverChildren, e.ProductOverPath):
        raise CellError(
            f"{name} reads {others[0]}" if others else f"{name} sums over the children of a node",
            span=span,
            expected=f"quantities of nodes, as in \\sum_{{{tree.node}=1}}^{{T}} L_{tree.node}(h_{tree.node}), or of the root, h_T",
            hint=f"give what it reads a name by an equation for the node {tree.node}",
        )


def _check_neighbours(tree: TreeIndices, left: e.Timed, right: e.Node, span: Span | None) -> None:
    on_edge = isinstance(left.time, e.Edge)
    bound: set[Basic] = {tree.child} if on_edge else set()
    for node, inside in _with_bound(right, frozenset(bound)):
        if isinstance(node, e.SumOverChildren) and node.body.has(e.SumOverChildren):
            raise CellError(
                f"{left.name} sums over children inside a sum over children",
                span=span,
                expected="one sum in the other's place",
                hint="name the inner sum by an equation of its own",
            )
        if isinstance(node, e.SumOverChildren) and (node.node != tree.node or on_edge):
            raise CellError(
                f"{left.name} sums over the children of {index_text(node.node)}"
                + (", in an equation for an edge" if on_edge else ""),
                span=span,
                expected=f"sums over the children of {tree.node} in equations for the node {tree.node}",
                hint=f"name the sum by an equation of its own, s_{tree.node} = ..., and read s_{tree.node}",
            )
        if not isinstance(node, e.Timed):
            continue
        when = node.time
        plain = when == tree.node or when in inside
        plain = plain or (isinstance(when, e.Edge) and when.node == tree.node and when.child in inside)
        near = isinstance(when, (e.OrderedChild, e.Parent)) and when.node == tree.node and not on_edge
        if not plain and not near:
            raise CellError(
                f"{left.name} reads {node}, {_why(tree, when, on_edge)}",
                span=span,
                expected=f"quantities of {tree.node}, of {tree.child}, or of the edge {tree.node}{tree.child}"
                if on_edge
                else f"quantities of {tree.node}, of its parent \\pi({tree.node}), of a child l({tree.node}) or r({tree.node}), "
                f"or of {tree.child} under \\sum_{{{tree.child} \\in C({tree.node})}}",
            )


def _why(tree: TreeIndices, when: Expr, on_edge: bool) -> str:
    """Why a quantity at an index cannot be read."""
    if isinstance(when, Symbol) and when != e.size("T") and not on_edge:
        return f"but {when} stands outside a sum over children"
    return (
        f"which is neither of the edge {tree.node}{tree.child} nor of its ends"
        if on_edge
        else "which is no neighbour of it"
    )


def index_text(index: Expr) -> str:
    """An index as it is written."""
    return str(e.Scalar(index))


def _with_bound(node: e.Node, bound: frozenset[Basic]) -> Iterable[tuple[e.Node, frozenset[Basic]]]:
    yield node, bound
    inside = bound | {node.index} if isinstance(node, e.Over) else bound
    for operand in node.operands:
        yield from _with_bound(operand, inside)


def arriving(tree: TreeIndices, reader: e.Timed, reach: Reach) -> tuple[e.Node, int]:
    """What reaches a quantity from the equation of a reader, written for the quantity at its own node or edge, and how
    many steps later the reader is computed.

    A child has one parent, so what the parent passes to each of its children reaches a node from π(j) alone; what each
    child takes from its parent adds up over the children.
    """
    when, part = reach.leaf.time, reach.part
    if isinstance(when, e.Edge):
        return part, 0
    if when == tree.child:
        return tree.parent_of_child(part), 1
    whole = e.SumOverChildren(tree.child, tree.node, part) if isinstance(reader.time, e.Edge) else reach.summed
    if isinstance(when, e.OrderedChild):
        above = e.Parent(tree.node)
        here = Eq(tree.node, when.xreplace({tree.node: above}))
        return make.times(e.Scalar(Piecewise((1, here), (0, True))), e.reindexed(whole, {tree.node: above})), 1
    if isinstance(when, e.Parent):
        child = another(tree.child, whole) if tree.child in whole.atoms(Symbol) else tree.child
        return e.SumOverChildren(child, tree.node, e.reindexed(whole, {tree.node: child})), -1
    return whole, 0


def by_child(terms: Sequence[e.Node]) -> list[e.Node]:
    """Terms of a sum, those that act on the same child, [j = l(π(j))], under one bracket."""
    found: dict[e.Node, list[e.Node]] = {}
    for term in terms:
        bracket = term.operands[0] if isinstance(term, e.Times) and _is_child_bracket(term.operands[0]) else None
        if bracket is None:
            found.setdefault(term, []).append(term)
        else:
            found.setdefault(bracket, []).append(make.times(*term.operands[1:]))
    return [
        make.times(key, make.plus(*parts)) if _is_child_bracket(key) else make.plus(*parts)
        for key, parts in found.items()
    ]


def _is_child_bracket(node: e.Node) -> bool:
    return isinstance(node, e.Scalar) and bool(node.value.atoms(e.OrderedChild))
