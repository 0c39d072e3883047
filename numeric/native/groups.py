"""Operations in groups: entrywise ones of one shape run in one loop, in which what the others read stays in registers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sympy import Expr

from derive import expressions as e
from derive.system import leaves
from numeric.native.flatten import Contract, Entrywise, Leaf, Multiply, Operation, Outer


@dataclass
class Group:
    """Operations that run together: one of any kind, or entrywise ones of one shape."""

    operations: list[Operation] = field(default_factory=list)

    @property
    def entrywise(self) -> bool:
        return isinstance(self.operations[0], Entrywise)

    @property
    def shape(self) -> tuple[Expr, ...]:
        first = self.operations[0]
        return first.value.shape if isinstance(first, Entrywise) else ()


def operands(operation: Operation) -> Iterator[e.Node]:
    """The formulas that an operation reads."""
    if isinstance(operation, Multiply):
        yield from (operation.operand, operation.matrix)
    elif isinstance(operation, (Contract, Outer)):
        yield from (operation.left, operation.right)
    else:
        yield operation.value


def read(operation: Operation) -> set[Leaf]:
    """The quantities that an operation reads, at their times."""
    return {leaf for node in operands(operation) for leaf in leaves(node)}


def exact(operation: Operation) -> set[Leaf]:
    """Those that an entrywise operation reads only where it writes: entry by entry."""
    if not isinstance(operation, Entrywise):
        return set()
    found: set[Leaf] = set()
    elsewhere: set[Leaf] = set()

    def walk(node: e.Node, here: bool) -> None:
        if isinstance(node, (e.Timed, e.Var)):
            (found if here and node.shape == operation.value.shape else elsewhere).add(node)
            return
        moved = isinstance(node, (e.Transpose, e.Slice, e.DiagPart, e.Diag, e.OneHot))
        for operand in node.operands:
            walk(operand, here and not moved)

    walk(operation.value, True)
    return found - elsewhere


def grouped(operations: Sequence[Operation]) -> list[Group]:
    """Groups in an order in which they can run."""
    groups: list[Group] = []
    for operation in operations:
        reads, at_entry = read(operation), exact(operation)
        first = 0
        for place, group in enumerate(groups):
            for other in group.operations:
                if other.target in at_entry and isinstance(other, Entrywise) and _covers(other):
                    first = max(first, place)
                elif other.target in reads:
                    first = max(first, place + 1)
                elif operation.target in read(other):
                    first = max(first, place if operation.target in exact(other) else place + 1)
                elif other.target == operation.target:
                    apart = isinstance(other, Entrywise) and isinstance(operation, Entrywise) and not _covers(other)
                    first = max(first, place if apart else place + 1)
        fitting = (
            group
            for group in groups[first:]
            if isinstance(operation, Entrywise) and group.entrywise and group.shape == operation.value.shape
        )
        chosen = next(fitting, None)
        if chosen is None:
            groups.append(Group([operation]))
        else:
            chosen.operations.append(operation)
    return groups


def _covers(operation: Entrywise) -> bool:
    """Whether all of the target is written."""
    return operation.value.shape == operation.target.shape


__all__ = ["Group", "exact", "grouped", "operands", "read"]
