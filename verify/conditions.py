"""What the conditions beside an equation say of its times, and whether they leave any out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sympy import Integer

from derive import expressions as e
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import elaborate
from derive.notation.references import ReferenceReader
from derive.system import T
from verify.claims import Claim
from verify.instances import COMPARED, Condition
from verify.names import Names

LENGTH = 5
"""Conditions are tried for a sequence of this length."""


def conditions_of(claim: Claim, names: Names) -> tuple[Condition, ...]:
    """The relations between times beside an equation; ``t \\\\in \\\\{1, \\\\dots, T\\\\}`` by the ends of the set."""
    reader = ReferenceReader(names.context.scope)
    found: list[Condition] = []
    for written in claim.conditions:
        relation = _by_ends(written)
        if relation is None:
            continue
        values = [reader.index_or_none(item) for item in relation.items]
        for sign, (a, b) in zip(relation.operators, pairwise(values), strict=True):
            if a is not None and b is not None:
                found.append((sign, a, b))
    return tuple(found)


def has_unread(claim: Claim, names: Names) -> bool:
    """Whether a condition says something of the times that is not read, such as ``t \\in \\{2, 4\\}``."""
    reader = ReferenceReader(names.context.scope)
    for written in claim.conditions:
        relation = _by_ends(written)
        if relation is None:
            if isinstance(written.items[1], s.Bracket):
                return True
        elif any(reader.index_or_none(item) is None for item in relation.items):
            return True
    return False


def _by_ends(relation: s.Relation) -> s.Relation | None:
    """A membership as an inequality; None where the set is not one of times written down."""
    if relation.operators != ("in",):
        return relation
    letter, items = relation.items[0], relation.items[1]
    inside = items.items if isinstance(items, s.Bracket) else ()
    if len(inside) == 1:
        return s.Relation(("=",), (letter, inside[0]), span=relation.span)
    dots = [k for k, item in enumerate(inside) if item == s.Mark("dots")]
    if len(dots) == 1 and dots[0] == len(inside) - 2 >= 1:
        down = isinstance(inside[-1], s.Number) and not isinstance(inside[0], s.Number)
        low, high = (inside[-1], inside[0]) if down else (inside[0], inside[-1])
        return s.Relation(("<=", "<="), (low, letter, high), span=relation.span)
    return None


def letters_of(conditions: Sequence[Condition]) -> set[str]:
    """The letters of the times that conditions speak of, T left out."""
    return {symbol.name for _, a, b in conditions for symbol in a.free_symbols | b.free_symbols if symbol != T}


def times_that_meet(conditions: Sequence[Condition], letter: str) -> set[int]:
    """The times from 0 to T + 2, T = 5, at which the conditions on one letter alone hold."""
    own = [one for one in conditions if letters_of([one]) <= {letter}]
    return {time for time in range(LENGTH + 3) if all(_met(one, letter, time) for one in own)}


def _met(condition: Condition, letter: str, time: int) -> bool:
    sign, a, b = condition
    left, right = (
        side.xreplace({T: Integer(LENGTH), **{x: Integer(time) for x in side.free_symbols if x.name == letter}})
        for side in (a, b)
    )
    return bool(COMPARED[sign](left, right)) if left.is_number and right.is_number else True


def restricts(conditions: Sequence[Condition]) -> bool:
    """Whether conditions leave out times of the sequence, or speak of its length. How two times stand to each other, as in k < t, is no
    restriction: it says for which a formula is meant.
    """
    inside = set(range(1, LENGTH + 1))
    found = False
    for one in conditions:
        letters = letters_of([one])
        if not letters:
            found |= _leaves_out_lengths(one)
        elif len(letters) == 1:
            found |= not inside <= times_that_meet([one], next(iter(letters)))
    return found


def meant(conditions: Sequence[Condition], claim: Claim) -> tuple[Condition, ...]:
    """The conditions, without those on a letter t that leave t = T alone where the equation speaks of t + 1: nothing is there, so that
    whatever stands beside it could be wrong. Who writes so means a loop that begins at T; but in a line that goes on with the one above,
    t + 1 stands in that one, and the condition says why it is left out.
    """
    if claim.continues:
        return tuple(conditions)
    left = {
        letter
        for letter in letters_of(conditions)
        if times_that_meet(conditions, letter) & set(range(1, LENGTH + 1)) == {LENGTH} and letter in _followed(claim)
    }
    return tuple(one for one in conditions if not letters_of([one]) & left)


def _followed(claim: Claim) -> set[str]:
    """The letters t of which an equation speaks as t + 1, or t plus another number, in a subscript."""
    scripts = (
        [node.subs[-1] for node in claim.surface.walk() if isinstance(node, s.Scripted) and node.subs]
        if claim.surface
        else []
    )
    return {
        part.text
        for script in scripts
        if isinstance(script, s.Sum)
        and all(sign > 0 for sign in script.signs)
        and any(isinstance(i, s.Number) for i in script.items)
        for part in script.items
        if isinstance(part, s.Name)
    }


def _leaves_out_lengths(condition: Condition) -> bool:
    """Whether a condition on the length of the sequence alone excludes some."""
    sign, a, b = condition
    sides = [(a.xreplace({T: Integer(n)}), b.xreplace({T: Integer(n)})) for n in range(1, LENGTH + 1)]
    return not all(left.is_number and right.is_number and COMPARED[sign](left, right) for left, right in sides)


def narrows(conditions: Sequence[Condition], claim: Claim, names: Names) -> bool:
    """Whether conditions leave out times for which a result is wanted: some of the sequence, or, for a derivative of h_t by h_k, some k < t
    at a distance from t.
    """
    if restricts(conditions):
        return True
    pairs = [one for one in conditions if len(letters_of([one])) == 2]
    return any(not _is_natural(one, claim, names) for one in pairs)


def _is_natural(condition: Condition, claim: Claim, names: Names) -> bool:
    """Whether a condition on two times only says that what is differentiated comes after that by which it is."""
    sign, a, b = condition
    earlier, later = (a, b) if sign in ("<", "<=") else (b, a)
    if sign not in ("<", "<=", ">", ">=") or not isinstance(claim.surface, s.Relation):
        return False
    try:
        left = elaborate(claim.surface.items[0], names.context)
    except BpttError:
        return False
    found = [d for d in left.atoms(e.Derivative) if isinstance(d.of, e.Timed) and isinstance(d.by, e.Timed)]
    return all(
        d.of.time.free_symbols & later.free_symbols and d.by.time.free_symbols & earlier.free_symbols for d in found
    )


def bound_in(surface: s.Surface | None, letters: set[str]) -> set[str]:
    """Those of some letters that a sum or a product of a formula binds, and that stand nowhere else in it."""
    if surface is None:
        return set()
    bound = {name for node in surface.walk() if isinstance(node, s.Big) for name in _index(node)}
    return letters & bound - set(_free(surface, frozenset()))


def _index(big: s.Big) -> set[str]:
    if isinstance(big.sub, s.Relation) and len(big.sub.items) == 4:
        return {item.text for item in big.sub.items[1:3] if isinstance(item, s.Name)}
    names = [node.text for node in big.sub.walk() if isinstance(node, s.Name)] if big.sub is not None else []
    return set(names[:1])


def _free(node: s.Surface, bound: frozenset[str]) -> Iterator[str]:
    if isinstance(node, s.Name) and node.text not in bound:
        yield node.text
    inner = bound | _index(node) if isinstance(node, s.Big) else bound
    for child in node.children():
        yield from _free(child, inner)


__all__ = ["bound_in", "conditions_of", "has_unread", "letters_of", "meant", "narrows", "restricts", "times_that_meet"]
