"""Places in a tree of operations, and trees with something else at a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.notation.operations import Pre

Path = tuple[int, ...]

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def places(root: Pre) -> Iterator[tuple[Path, Pre]]:
    """Every operation with its place, outer ones first."""
    pending: list[tuple[Path, Pre]] = [((), root)]
    while pending:
        path, node = pending.pop(0)
        yield path, node
        pending += [((*path, position), arg) for position, arg in enumerate(node.args)]


def at(root: Pre, path: Path) -> Pre:
    """The operation at a place."""
    for position in path:
        root = root.args[position]
    return root


def put(root: Pre, path: Path, new: Pre) -> Pre:
    """The tree with another operation at a place."""
    if not path:
        return new
    position, *rest = path
    args = list(root.args)
    args[position] = put(args[position], tuple(rest), new)
    return replace(root, args=tuple(args))


def summand(root: Pre, path: Path) -> str:
    """In which summand a place is, in words; empty where there is only one."""
    node, found = root, ""
    for position in path:
        if node.op == "plus":
            found = f"{ordinal(position)} summand"
        node = node.args[position]
    return found


def ordinal(position: int) -> str:
    """``first`` for 0."""
    return _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"


__all__ = ["Path", "at", "ordinal", "places", "put", "summand"]
