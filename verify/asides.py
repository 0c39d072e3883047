"""Formulas about no step of the cell, in which nothing has a time: what y = σ(Wx) leads to, and functions alone, such as
σ'(z) = σ(z)(1 - σ(z)). They are about a small system of their own, in which the letters that nothing defines are parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from derive.cell import Cell
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import resolve
from derive.notation.infer import walk
from derive.notation.operations import Pre
from derive.notation.write_latex import write_latex
from verify.claims import Claim
from verify.introduced import is_announced
from verify.memberships import is_membership
from verify.names import Names

_OF_VECTORS = frozenset(
    {"diag", "softmax", "transpose", "hadamard", "norm", "identity", "ones", "onehot", "trace", "vec", "kron", "inner", "sum_entries"}
)  # fmt: skip
"""Operations that only somebody writes who means vectors."""
_FUNCTIONS = frozenset({"apply", "softmax", "extreme"})
_OWN = ("eta", "xi", "zeta")
MOST_LINES = 40


@dataclass
class _Group:
    """Definitions that belong together, and memberships beside them."""

    lines: dict[str, str] = field(default_factory=dict)
    members: list[tuple[Claim, str]] = field(default_factory=list)

    def names(self) -> Names | None:
        """The system of these lines, with as many of the memberships as agree with them."""
        found, lines = _system("\n".join(self.lines.values())), list(self.lines.values())
        for _, member in self.members if found is not None else ():
            more = _system("\n".join([*lines, member]))
            if more is not None:
                found = more
                lines.append(member)
        return found


class Asides:
    """The formulas of a document in which nothing has a time and that its cell does not explain.

    Parameters
    ----------
    names  : those of the cell, and the author's.
    claims : all formulas of the document, those within lines as well.
    """

    def __init__(self, names: Names, claims: Sequence[Claim]) -> None:
        self.known = names.context.shapes
        self.groups: list[_Group] = []
        self.of: dict[int, _Group] = {}
        """Which definitions a claim comes after, or stands in one paragraph with."""
        defined = {id(claim): line for claim in claims if (line := self._defined(claim, claims)) is not None}
        for claim in claims:
            self._place(claim, defined.get(id(claim)))
        self._members(claims, [claim for claim in claims if id(claim) in defined])

    def subjects(self, claim: Claim) -> Iterator[Names]:
        """What a claim may be about, the likelier one first; nothing for one that is about steps of the cell."""
        group = self.of.get(id(claim))
        if isinstance(claim.surface, (s.Relation, s.Line)) and group is not None and self._speaks_of(claim, group):
            found = group.names()
            if found is not None:
                yield found
                return
        if isinstance(claim.surface, s.Relation):
            yield from _of_functions(claim.surface)

    def _place(self, claim: Claim, defined: tuple[str, str] | None) -> None:
        if defined is not None:
            key, line = defined
            if not self.groups or key in self.groups[-1].lines or len(self.groups[-1].lines) >= MOST_LINES:
                self.groups.append(_Group())
            self.groups[-1].lines[key] = line
        if self.groups:
            self.of[id(claim)] = self.groups[-1]

    def _members(self, claims: Sequence[Claim], definers: Sequence[Claim]) -> None:
        """Memberships in one paragraph with a definition, before or after it."""
        for claim in claims:
            if claim.surface is None or not is_membership(claim.surface):
                continue
            near = next((one for one in definers if _one_paragraph(one, claim)), None)
            if near is None:
                self.of.pop(id(claim), None)
                continue
            group = self.of[id(near)]
            self.of[id(claim)] = group
            group.members.append((claim, write_latex(claim.surface)))

    def _defined(self, claim: Claim, claims: Sequence[Claim]) -> tuple[str, str] | None:
        """The name that a claim defines and the cell does not have, and the claim as a line of a cell."""
        surface = claim.surface
        if not isinstance(surface, s.Relation) or claim.error is not None or surface.operators[0] not in ("=", ":="):
            return None
        sides = [_read(item) for item in surface.items[:2]]
        left, right = sides
        if left is None or right is None or left.op != "name" or left.data[1] is not None:
            return None
        if left.data[0] in self.known or _has_time(right) or not _letters(right):
            return None
        if any(node.op in ("derivative", "gradient") for node in walk(right)) or not is_announced(claim, claims):
            return None
        return left.data[0], write_latex(s.Relation(("=",), surface.items[:2]))

    def _speaks_of(self, claim: Claim, group: _Group) -> bool:
        if claim.surface is None:
            return False
        if is_membership(claim.surface):
            return any(one is claim for one, _ in group.members)
        sides = [_read(item) for item in _formulas(claim.surface)]
        if any(side is None or _has_time(side) for side in sides):
            return False
        left = sides[0] if sides else None
        return left is not None and bool(_letters(left) & set(group.lines))


def _of_functions(surface: s.Relation) -> Iterator[Names]:
    """The letters of a claim about functions, as vectors; and as numbers, where nothing in it speaks of vectors."""
    sides = [_read(item) for item in _formulas(surface)]
    read = [side for side in sides if side is not None and not _has_time(side)]
    if len(read) < len(sides):
        return
    letters = _letters(read[0])
    if not letters or not all(_letters(side) <= letters for side in read[1:]) or not all(map(_is_small, letters)):
        return
    operations = {node.op for side in read for node in walk(side)}
    if not any(node.op in _FUNCTIONS for node in walk(read[0])):
        return
    own = next((name for name in _OWN if name not in letters), None)
    if own is None:
        return
    line = rf"\{own} = {' + '.join(map(_written, sorted(letters)))}"
    for sets in ("^n", "") if not operations & _OF_VECTORS else ("^n",):
        members = [rf"{_written(letter)} \in \mathbb{{R}}{sets}" for letter in sorted(letters)]
        found = _system("\n".join([line, *members]))
        if found is not None:
            yield found


@lru_cache(maxsize=64)
def _system(text: str) -> Names | None:
    try:
        return Names(Cell.from_text(text))
    except BpttError:
        return None


def _formulas(surface: s.Surface) -> Sequence[s.Surface]:
    """The sides of an equation, without the set that they belong to."""
    if not isinstance(surface, s.Relation):
        return ()
    return surface.items[:-1] if surface.operators[-1] == "in" else surface.items


def _read(item: s.Surface) -> Pre | None:
    """A side, with nothing known of its names."""
    try:
        return resolve(item)
    except BpttError:
        return None


def _letters(pre: Pre) -> set[str]:
    return {node.data[0] for node in walk(pre) if node.op == "name"}


def _has_time(pre: Pre) -> bool:
    return any(node.op == "name" and node.data[1] is not None for node in walk(pre))


def _is_small(key: str) -> bool:
    return re.fullmatch(r"[a-z]+", key) is not None


def _written(key: str) -> str:
    return key if len(key) == 1 else rf"\{key}"


def _one_paragraph(one: Claim, two: Claim) -> bool:
    """Whether no empty line stands between two formulas."""
    (first, last) = sorted((one.span.original, two.span.original), key=lambda span: span.start)
    between = first.source.text[first.end : last.start]
    return one.cell == two.cell and re.search(r"\n[ \t>]*\n", between) is None


__all__ = ["Asides"]
