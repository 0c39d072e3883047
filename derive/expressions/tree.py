"""Indices of nodes in a tree, and sums over a node's children: what stands in the place of time where a cell computes
each node from its children.

The nodes of a tree (or of several) are numbered 1 .. T so that every child comes before its parent; T is a root.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sympy import Expr, Function

from derive.expressions.calculus import Over, ProductOver
from derive.expressions.node import Conform, Node, Shape, linear_jvp

if TYPE_CHECKING:
    from typing import Self


class NodeIndex(Function):
    """A node that is found from another one."""

    is_integer = True

    @property
    def node(self) -> Expr:
        """The node that it is found from."""
        return self.args[0]


class Parent(NodeIndex):
    """``\\pi(j)``: the parent of a node; beyond T for a root."""


class OrderedChild(NodeIndex):
    """A child by its place among its siblings; 0 where there is none, whose quantities are zero."""

    @property
    def position(self) -> int:
        """Its place, from 1 on."""
        raise NotImplementedError


class Left(OrderedChild):
    """``l(j)``: the first of two children."""

    @property
    def position(self) -> int:
        return 1


class Right(OrderedChild):
    """``r(j)``: the second of two children."""

    @property
    def position(self) -> int:
        return 2


class ChildAt(OrderedChild):
    """``c_i(j)``: the i-th child."""

    @property
    def position(self) -> int:
        return int(self.args[1])


class Edge(NodeIndex):
    """``jk``: the edge from a node j to its child k."""

    @property
    def child(self) -> Expr:
        return self.args[1]


class SumOverChildren(Over):
    """``\\sum_{k \\in C(j)} body``: the sum over the children k of a node j; zero where it has none."""

    __slots__ = ()

    def __new__(cls, index: Any, node: Any, body: Node) -> Self:
        return super().__new__(cls, index, node, body)

    @property
    def node(self) -> Expr:
        return self.args[1]

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)


class ProductOverPath(Over):
    """``\\prod_{i \\in P(k, j)} body``: the ordered product over the nodes i from k, included, up to j, not included; the
    one nearest to j first. The empty product, where k is j, is the identity.
    """

    __slots__ = ()

    def __new__(cls, index: Any, lower: Any, upper: Any, body: Node) -> Self:
        return super().__new__(cls, index, lower, upper, body)

    @property
    def lower(self) -> Expr:
        return self.args[1]

    @property
    def upper(self) -> Expr:
        return self.args[2]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return ProductOver.shape_rule(shapes, conform, parameters)
