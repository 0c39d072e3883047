"""What a source says about sizes: memberships such as y ∈ Rⁿ."""

from __future__ import annotations

from derive import expressions as e
from derive.errors import ParseError
from derive.expressions.node import ONE, show_shape
from derive.notation import surface as s
from derive.notation.elaborate import Context, elaborate
from derive.notation.present import index_surface
from verify.names import Names
from verify.verdict import Verdict


def is_membership(surface: s.Surface) -> bool:
    """Whether a formula says what set something belongs to."""
    items = surface.items if isinstance(surface, s.Line) else (surface,)
    return any(isinstance(item, s.Relation) and item.operators == ("in",) for item in items)


def judge_sizes(names: Names, surface: s.Surface, context: Context | None = None) -> Verdict:
    """The verdict on memberships, several with commas between them: the sizes in the cell are what the text says.

    Raises
    ------
    ParseError : it is no list of memberships, or a set is not one of real vectors or matrices.
    """
    waiting: list[s.Surface] = []
    derived = False
    for item in surface.items if isinstance(surface, s.Line) else (surface,):
        if not isinstance(item, s.Relation):
            waiting.append(item)
            continue
        if item.operators != ("in",) or not _is_real(item.items[1]):
            raise ParseError("this is no list of memberships", span=item.span, expected=r"such as y \in \mathbb{R}^{n}")
        for left in (*waiting, item.items[0]):
            node = elaborate(left, context or names.context)
            if not _same_set(item.items[1], node):
                return Verdict("wrong", "proved", message=f"'{node}' is {show_shape(node.shape)}")
            derived = derived or not isinstance(node, e.Leaf)
        waiting = []
    if waiting:
        raise ParseError("the list ends without a set", span=waiting[0].span, expected=r"such as y \in \mathbb{R}^{n}")
    return Verdict("correct", "proved" if derived else "definition")


def _is_real(written: s.Surface) -> bool:
    base, sups = (written.base, written.sups) if isinstance(written, s.Scripted) else (written, ())
    return base in (s.Mark("reals"), s.Name("R")) and len(sups) <= 1 and not any(isinstance(x, s.Line) for x in sups)


def _same_set(written: s.Surface, node: e.Node) -> bool:
    """Whether a set is that of the node's shape; a plain R is read as the real numbers."""
    if isinstance(written, s.Scripted) and written.base == s.Name("R"):
        written = s.Scripted(s.Mark("reals"), written.subs, written.sups)
    if written == s.Name("R"):
        written = s.Mark("reals")
    return written in _sets(node)


def _sets(node: e.Node) -> tuple[s.Surface, ...]:
    reals = s.Mark("reals")
    if len(node.shape) != 2:
        sizes = tuple(index_surface(size) for size in node.shape)
        return (s.Scripted(reals, sups=(s.Infix(("times",) * (len(sizes) - 1), sizes),)),)
    rows, columns = (index_surface(size) for size in node.shape)
    sets: list[s.Surface] = [s.Scripted(reals, sups=(s.Infix(("times",), (rows, columns)),))]
    if node.shape[1] == ONE:
        sets.append(s.Scripted(reals, sups=(rows,)))
    if node.shape == (ONE, ONE):
        sets.append(reals)
    return tuple(sets)
