"""What a source says about sizes: memberships such as y ∈ Rⁿ."""

from __future__ import annotations

import re

from derive import expressions as e
from derive.cell import Cell
from derive.errors import ParseError
from derive.expressions.node import ONE, show_shape
from derive.notation import surface as s
from derive.notation.present import index_surface
from verify.judge import Verdict

_MEMBER = re.compile(r"\\in(?![A-Za-z])")


def is_membership(text: str) -> bool:
    """Whether a text says what set something belongs to."""
    return _MEMBER.search(text) is not None


def judge_sizes(subject: Cell, text: str, surface: s.Surface) -> Verdict:
    """The verdict on memberships, several with commas between them: the sizes in the cell are what the text says.

    Raises
    ------
    ParseError : a set is not one of real vectors or matrices.
    """
    relations = surface.items if isinstance(surface, s.Line) else (surface,)
    lefts = [_MEMBER.split(part)[0].strip() for part in _parts(text, len(relations))]
    derived = False
    for left, relation in zip(lefts, relations, strict=True):
        if not isinstance(relation, s.Relation) or relation.operators != ("in",):
            raise ParseError(f"{text!r} is not a list of memberships", expected=r"such as y \in \mathbb{R}^{n}")
        node = subject.read(left)
        if not _same_set(relation.items[1], node):
            return Verdict("wrong", "proved", message=f"'{left}' is {show_shape(node.shape)}")
        derived = derived or not isinstance(node, e.Leaf)
    return Verdict("correct", "proved" if derived else "definition")


def _parts(text: str, count: int) -> list[str]:
    """The text cut before each left side: commas separate memberships, but also stand inside scripts."""
    parts = text.split(",")
    while len(parts) > count:
        position = next(k for k, part in enumerate(parts) if not is_membership(part))
        parts[position : position + 2] = [",".join(parts[position : position + 2])]
    return parts


def _same_set(written: s.Surface, node: e.Node) -> bool:
    """Whether a set is that of the node's shape; a plain R is read as the real numbers."""
    if isinstance(written, s.Scripted) and written.base == s.Name("R"):
        written = s.Scripted(s.Mark("reals"), written.subs, written.sups)
    if written == s.Name("R"):
        written = s.Mark("reals")
    return written in _sets(node)


def _sets(node: e.Node) -> tuple[s.Surface, ...]:
    rows, columns = (index_surface(size) for size in node.shape)
    reals = s.Mark("reals")
    sets: list[s.Surface] = [s.Scripted(reals, sups=(s.Infix(("times",), (rows, columns)),))]
    if node.shape[1] == ONE:
        sets.append(s.Scripted(reals, sups=(rows,)))
    if node.shape == (ONE, ONE):
        sets.append(reals)
    return tuple(sets)
