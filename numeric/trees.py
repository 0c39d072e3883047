"""Trees in numbers: nodes 1 .. T, every child before its parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr

from derive import expressions as e
from derive.errors import DataError

_ALONE = 0.1
"""How often a node of a random tree is a root of its own."""


@dataclass(frozen=True)
class Tree:
    """One tree, or several beside each other.

    Parameters
    ----------
    parents : the parent of each of the nodes 1 .. T; T + 1 for a root.
    places  : for each node its place among the children of its parent, from 1 on; in the order of their numbers, if none
              are given.

    Raises
    ------
    DataError : a parent has no larger number than its child, or two children have one place.

    >>> tree = Tree((3, 3, 4))
    >>> tree.children(3), tree.parent(3), tree.child(3, 2), tree.child(1, 1)
    ((1, 2), 4, 2, 0)
    """

    parents: tuple[int, ...]
    places: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        length = len(self.parents)
        if any(not isinstance(number, int) for number in (*self.parents, *self.places)):
            raise DataError("parents and places are integers", expected="a parent for each node, T + 1 for a root")
        if self.places and (len(self.places) != length or min(self.places) < 1):
            raise DataError("the places do not fit the nodes", expected="a place for each node, from 1 on")
        for node, parent in enumerate(self.parents, 1):
            if not node < parent <= length + 1:
                raise DataError(
                    f"node {node} has the parent {parent}",
                    expected=f"a parent from {node + 1} to {length}, or {length + 1} for a root",
                    hint="number the nodes so that every child comes before its parent",
                )
        if not self.places:
            counts: dict[int, int] = {}
            places = []
            for parent in self.parents:
                counts[parent] = counts.get(parent, 0) + 1
                places.append(counts[parent])
            object.__setattr__(self, "places", tuple(places))
        inner = [(p, place) for p, place in zip(self.parents, self.places, strict=True) if p <= length]
        if len(set(inner)) < len(inner):
            raise DataError(
                "two children have the same place", expected="places 1, 2, ... among the children of a node"
            )

    @cached_property
    def _children(self) -> dict[int, tuple[int, ...]]:
        found: dict[int, list[int]] = {}
        for node, parent in enumerate(self.parents, 1):
            found.setdefault(parent, []).append(node)
        return {parent: tuple(sorted(nodes, key=lambda node: self.places[node - 1])) for parent, nodes in found.items()}

    def children(self, node: int) -> tuple[int, ...]:
        """The children of a node, by their places; none beyond the ends."""
        return self._children.get(node, ()) if 1 <= node <= len(self.parents) else ()

    def parent(self, node: int) -> int:
        """The parent of a node; T + 1 for a root, and for what lies beyond the ends."""
        return self.parents[node - 1] if 1 <= node <= len(self.parents) else len(self.parents) + 1

    def child(self, node: int, place: int) -> int:
        """The child at a place; 0 where there is none."""
        return next((child for child in self.children(node) if self.places[child - 1] == place), 0)

    def path(self, lower: int, upper: int) -> tuple[int, ...]:
        """The nodes from one up to another, the latter not included.

        Raises
        ------
        DataError : the second is not above the first.
        """
        if not self.is_above(upper, lower):
            raise DataError(f"node {upper} is not above node {lower}")
        found: list[int] = []
        while lower < upper:
            found.append(lower)
            lower = self.parent(lower)
        return tuple(found)

    def is_above(self, upper: int, lower: int) -> bool:
        """Whether the path from one node upward leads to another, or they are the same."""
        while lower < upper:
            lower = self.parent(lower)
        return lower == upper

    def is_edge(self, node: int, child: int) -> bool:
        """Whether a node is the parent of another one."""
        return child in self.children(node)

    def arrays(self, places: int) -> dict[str, Any]:
        """The tree as arrays over the numbers 0 .. T + 1: parents, children, and the child at each place."""
        numbers = range(len(self.parents) + 2)
        found: dict[str, Any] = {
            "nodes": np.arange(len(numbers)),
            "parent": np.array([self.parent(node) for node in numbers]),
            "children": [np.array(self.children(node), dtype=np.intp) for node in numbers],
        }
        for place in range(1, places + 1):
            found[f"child_{place}"] = np.array([self.child(node, place) for node in numbers])
        return found

    def find(self, index: e.NodeIndex, arguments: Sequence[int]) -> int:
        """The number of a node that is found from others; an edge has that of its child, 0 where it is none."""
        if isinstance(index, e.Edge):
            node, child = arguments
            return child if self.is_edge(node, child) else 0
        if isinstance(index, e.OrderedChild):
            return self.child(arguments[0], index.position)
        return self.parent(arguments[0])


def places_in(formulas: Sequence[e.Node]) -> int:
    """How many places children have, where they are read by their place; 0 where only sums run over them."""
    found = [index for formula in formulas for index in indices_in(formula) if isinstance(index, e.OrderedChild)]
    return max((index.position for index in found), default=0)


def indices_in(formula: e.Node) -> set[Expr]:
    """All indices of nodes that are found from others."""
    return {index for leaf in formula.atoms(e.Timed) for index in leaf.time.atoms(e.NodeIndex)}


def random_tree(length: int, generator: np.random.Generator, places: int = 0) -> Tree:
    """A tree in which T is the root, and now and then others beside it: each node has a random later parent, which has a
    place left (``places``: how many each node has, 0 for any number). With places, some stay empty.
    """
    free = {node: list(range(1, places + 1)) for node in range(1, length + 1)}
    parents, taken = [length + 1] * length, [1] * length
    for node in reversed(range(1, length)):
        options = [parent for parent in range(node + 1, length + 1) if free[parent] or not places]
        if generator.random() < _ALONE:
            continue
        parent = parents[node - 1] = int(generator.choice(options))
        if places:
            taken[node - 1] = free[parent].pop(int(generator.integers(len(free[parent]))))
    return Tree(tuple(parents), tuple(taken) if places else ())


def caterpillar(length: int) -> Tree:
    """A tree with one long path: every node on it has a child on the path and a leaf, which take turns in being the first."""
    parents, places = [], []
    for step in range(1, length):
        above = 2 * step + 1  # the path is 1, 3, 5, ...; the leaves beside it are 2, 4, 6, ...
        parents += [above, above]
        places += [1 + step % 2, 2 - step % 2]
    return Tree((*parents, 2 * length), (*places, 1))
