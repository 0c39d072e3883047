"""Differentiating one formula: tangents forward, cotangents backward.

Every rule stands with its operation (``jvp`` and ``vjp`` in :mod:`derive.expressions`); here they are only chained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derive.errors import MissingRuleError
from derive.expressions import Leaf, Node, Over, SumOver, SumOverChildren, Timed, Var, make


def push(node: Node, tangents: Mapping[Node, Node]) -> Node | None:
    """The directional derivative of a formula, given the tangents of its leaves; None if it does not vary."""
    if node in tangents:
        return tangents[node]
    if isinstance(node, Leaf):
        return None
    parts = [push(operand, tangents) for operand in node.operands]
    return None if all(part is None for part in parts) else node.jvp(parts)


@dataclass(frozen=True)
class Reach:
    """What a cotangent passes to one quantity. Inside a sum (over time, or over the children of a node) it does so for
    every value of ``over``'s index.
    """

    leaf: Timed | Var
    part: Node
    over: Over | None = None

    @property
    def summed(self) -> Node:
        """What is passed in all, over everything that the sum runs through."""
        return self.part if self.over is None else self.over.with_body(self.part)


def reaches(node: Node, cotangent: Node) -> Iterator[Reach]:
    """Every contribution that a formula's adjoint makes to a quantity in it, in the order of occurrence.

    Raises
    ------
    MissingRuleError : a quantity stands inside a sum inside a sum over time.
    """
    stack: list[tuple[Node, Node, Over | None]] = [(node, cotangent, None)]
    while stack:
        current, incoming, over = stack.pop()
        if isinstance(current, (Timed, Var)):
            yield Reach(current, incoming, over)
        elif isinstance(current, (SumOver, SumOverChildren)):
            if over is not None:
                raise MissingRuleError(
                    f"{current} is a sum inside another", hint="name the inner sum by an equation of its own"
                )
            stack.append((current.body, incoming, current))
        elif current.operands:
            passed = current.vjp(incoming)
            below = [
                (operand, part, over)
                for operand, part in zip(current.operands, passed, strict=True)
                if part is not None
            ]
            stack.extend(reversed(below))


def pull(node: Node, cotangent: Node) -> dict[Node, Node]:
    """For every quantity in a formula, its adjoint given the adjoint of the formula: contributions added in the order
    of occurrence.
    """
    found: dict[Node, list[Node]] = {}
    for reach in reaches(node, cotangent):
        if reach.over is None:
            found.setdefault(reach.leaf, []).append(reach.part)
        elif isinstance(reach.leaf, Timed):
            raise MissingRuleError(
                f"{reach.over} sums over time, so it has no adjoint within one step",
                hint="name the sum by an equation without a time",
            )
        else:
            found.setdefault(reach.leaf, []).append(reach.summed)
    return {leaf: make.plus(*parts) for leaf, parts in found.items()}
