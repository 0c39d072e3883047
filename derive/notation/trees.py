"""Nodes of a tree in scripts and under sum signs: ``h_{l(j)}``, ``x_{\\pi(j)}``, ``f_{jk}``, ``k \\in C(j)``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Symbol

from derive.errors import AmbiguityError
from derive.expressions.tree import ChildAt, Edge, Left, NodeIndex, Parent, Right
from derive.notation import surface as s
from derive.notation.rebuild import rebuilt

_CHILD_SETS = frozenset({"C", "calC", "children", "Children", "ch", "Ch"})
_FUNCTIONS: dict[str, type[NodeIndex]] = {
    "l": Left, "ell": Left, "left": Left,
    "r": Right, "right": Right,
    "pi": Parent, "parent": Parent, "pa": Parent,
}  # fmt: skip
_NUMBERED = ("c", "child")


@dataclass(frozen=True)
class TreeLetters:
    """The letter of a node, and those of the children of a node."""

    node: str
    children: frozenset[str]


def member_of_children(node: s.Surface | None) -> tuple[s.Name, s.Surface] | None:
    """``k \\in C(j)`` as the index k and the node j."""
    if not isinstance(node, s.Relation) or node.operators != ("in",):
        return None
    index, space = node.items
    applied = _application(space)
    if not isinstance(index, s.Name) or applied is None:
        return None
    head, argument = applied
    return (index, argument) if isinstance(head, s.Name) and head.text in _CHILD_SETS else None


def on_path(node: s.Surface | None) -> tuple[s.Name, s.Surface, s.Surface] | None:
    """``i \\in P(k, j)`` as the index i and the two ends."""
    if not isinstance(node, s.Relation) or node.operators != ("in",):
        return None
    index, space = node.items
    head, ends = space.items if isinstance(space, s.Sequence) and len(space.items) == 2 else (None, None)
    named = isinstance(head, s.Name) and head.text in ("P", "calP", "path")
    if not named or not isinstance(index, s.Name) or not isinstance(ends, s.Bracket) or len(ends.items) != 2:
        return None
    return index, ends.items[0], ends.items[1]


def found_from(node: s.Surface) -> tuple[Callable[[Expr], Expr], s.Surface] | None:
    """``l(j)``, ``\\pi(j)``, ``c_2(j)`` as what makes the index, and the node that it is found from."""
    applied = _application(node)
    if applied is None or not _is_node(applied[1]):
        return None
    head, argument = applied
    if isinstance(head, s.Name) and head.text in _FUNCTIONS:
        return _FUNCTIONS[head.text], argument
    place = _place(head)
    return None if place is None else (lambda value: ChildAt(value, Integer(place)), argument)


def _application(node: s.Surface) -> tuple[s.Surface, s.Surface] | None:
    """A head and the one argument in parentheses behind it."""
    if not isinstance(node, s.Sequence) or len(node.items) != 2:
        return None
    head, argument = node.items
    single = isinstance(argument, s.Bracket) and argument.kind == "(" and len(argument.items) == 1
    return (head, argument.items[0]) if isinstance(argument, s.Bracket) and single else None


def is_application(node: s.Surface) -> bool:
    """Whether a script looks like a node that is found from another one, ``p(j)``."""
    return _application(node) is not None


def _is_node(node: s.Surface) -> bool:
    return (isinstance(node, s.Name) and len(node.text) == 1) or found_from(node) is not None


def _place(head: s.Surface) -> int | None:
    """The number of ``c_2``."""
    if not isinstance(head, s.Scripted) or not isinstance(head.base, s.Name) or head.base.text not in _NUMBERED:
        return None
    number = head.subs[0] if len(head.subs) == 1 and not head.sups and not head.primes else None
    return int(number.text) if isinstance(number, s.Number) and number.text.isdigit() and number.text != "0" else None


def tree_letters(lines: Iterable[s.Surface]) -> TreeLetters | None:
    """The letters of a text in which nodes of a tree occur; None where there is no tree.

    Raises
    ------
    AmbiguityError : nodes have several letters.
    """
    lines = list(lines)
    nodes: dict[str, s.Surface] = {}
    children: set[str] = set()
    for part in (part for line in lines for part in line.walk()):
        member = member_of_children(part.sub) if isinstance(part, s.Big) else None
        path = on_path(part.sub) if isinstance(part, s.Big) else None
        if path is not None:
            low, high = (_letters(end) - {"T"} for end in path[1:])
            nodes.update(dict.fromkeys(high or low, path[2]))
            children.update({path[0].text, *(low if high else ())})
        if member is not None:
            children.add(member[0].text)
            nodes.update(dict.fromkeys(_letters(member[1]) - {"T"}, member[1]))
        for script in part.subs if isinstance(part, s.Scripted) else ():
            found = found_from(script)
            if found is not None:
                nodes.update(dict.fromkeys(_letters(found[1]) - {"T"}, script))
    if not nodes:
        return None
    own = [letter for letter in nodes if letter not in children]
    if len(own) != 1:
        raise AmbiguityError(
            f"{' and '.join(sorted(own))} are all letters of a node"
            if own
            else f"{' and '.join(sorted(nodes))} is the letter of a node and of its children",
            span=list(nodes.values())[-1].span,
            expected="one letter for the node that an equation computes, as in \\sum_{k \\in C(j)} h_k",
        )
    return TreeLetters(own[0], frozenset(children) | _edges_on_the_left(lines, own[0]))


def _edges_on_the_left(lines: Iterable[s.Surface], node: str) -> frozenset[str]:
    """The letters of children in ``f_{jk} = ... h_k``, also where no sum runs over them."""
    found = set()
    for line in lines:
        left = line.items[0] if isinstance(line, s.Relation) and line.operators == ("=",) else None
        subs = left.subs if isinstance(left, s.Scripted) else ()
        pair = subs[0].items if len(subs) == 1 and isinstance(subs[0], s.Sequence) else subs
        ends = [end for end in pair if isinstance(end, s.Name) and len(end.text) == 1]
        if len(pair) == len(ends) == 2 and ends[0].text == node:
            alone = (part.subs for part in line.walk() if isinstance(part, s.Scripted))
            found |= {ends[1].text} if any(script == (ends[1],) for script in alone) else set()
    return frozenset(found)


def _letters(node: s.Surface) -> set[str]:
    return {leaf.text for leaf in node.walk() if isinstance(leaf, s.Name) and leaf.text not in _FUNCTIONS}


def with_edges(node: s.Surface, letters: TreeLetters | None, on_edges: Collection[str] = ()) -> s.Surface:
    """The same surface with the two subscripts of an edge, ``f_{jk}`` or ``f_{j,k}``, as one; those of names ``on_edges``
    whatever their letters are.
    """
    if letters is None:
        return node
    own = {letters.node, *letters.children}

    def is_end(part: s.Surface, certain: bool) -> bool:
        found = found_from(part)
        if found is not None:
            return is_end(found[1], certain)
        return isinstance(part, s.Name) and (part.text in own or (certain and len(part.text) == 1))

    def change(part: s.Surface) -> s.Surface:
        if not isinstance(part, s.Scripted):
            return part
        subs = list(part.subs)
        certain = _base(part) in on_edges
        for k, sub in enumerate(subs):
            pair = subs[k : k + 2] if len(subs) > k + 1 else _side_by_side(sub)
            if len(pair) == 2 and all(is_end(end, certain) for end in pair):
                width = 1 if pair[0] is not sub else 2
                subs[k : k + width] = [s.Bracket(EDGE, tuple(pair), span=sub.span)]
                break
        return replace(part, subs=tuple(subs))

    return rebuilt(node, change)


def _base(node: s.Scripted) -> str:
    base: s.Surface = node.base
    while isinstance(base, s.Accent):
        base = base.body
    return base.text if isinstance(base, s.Name) else ""


def _side_by_side(node: s.Surface) -> list[s.Surface]:
    """The parts of ``jk`` or ``\\pi(j) j``."""
    found: list[s.Surface] = []
    for item in node.items if isinstance(node, s.Sequence) else ():
        if found and isinstance(item, s.Bracket) and item.kind == "(":
            found[-1] = s.Sequence((found[-1], item), span=item.span)
        else:
            found.append(item)
    return found


EDGE = "edge"
"""The kind of bracket that holds the two ends of an edge."""


def edge_ends(node: s.Surface) -> tuple[s.Surface, s.Surface] | None:
    """The two ends of an edge."""
    return (node.items[0], node.items[1]) if isinstance(node, s.Bracket) and node.kind == EDGE else None


def index_items(value: NodeIndex, surface: Callable[[Expr], s.Surface]) -> tuple[s.Surface, ...]:
    """How the index of a node is written: ``l(j)``, or the two ends of an edge."""
    if isinstance(value, Edge):
        ends = surface(value.node), surface(value.child)
        letters = all(isinstance(end, s.Name) and len(end.text) == 1 for end in ends)
        return (s.Sequence(ends),) if letters else ends
    if isinstance(value, ChildAt):
        head: s.Surface = s.Scripted(s.Name("c"), (s.Number(str(value.position)),))
    else:
        head = s.Name({Left: "l", Right: "r", Parent: "pi"}[type(value)])
    return (s.Sequence((head, s.Bracket("(", (surface(value.node),)))),)


def path_surface(index: Symbol, lower: Expr, upper: Expr, surface: Callable[[Expr], s.Surface]) -> s.Surface:
    """``i \\in P(k, j)``."""
    space = s.Sequence((s.Name("P"), s.Bracket("(", (surface(lower), surface(upper)))))
    return s.Relation(("in",), (surface(index), space))


def children_surface(index: Symbol, node: Expr, surface: Callable[[Expr], s.Surface]) -> s.Surface:
    """``k \\in C(j)``."""
    space = s.Sequence((s.Name("C"), s.Bracket("(", (surface(node),))))
    return s.Relation(("in",), (surface(index), space))
