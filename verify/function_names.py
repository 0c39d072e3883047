"""Functions by a letter that the document gives: ``h_t = \\phi(z_t)`` with ``\\phi = \\tanh``, or ``let \\sigma = \\tanh``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from derive.functions import elementwise
from derive.notation import surface as s
from derive.notation.rebuild import rebuilt
from verify.announced import DEFINES, says_meaning
from verify.claims import Claim
from verify.document import Formula
from verify.wording import speaks_of_others


def with_functions(found: Sequence[tuple[Formula, Claim]]) -> list[tuple[Formula, Claim]]:
    """The claims with the functions themselves in place of their letters. A letter that is given two functions stays what it is."""
    meant: dict[str, set[str]] = {}
    for _, claim in found:
        pair = _meaning(claim)
        if pair is not None:
            meant.setdefault(pair[0], set()).add(pair[1])
    known = {letter: next(iter(functions)) for letter, functions in meant.items() if len(functions) == 1}
    if not known:
        return list(found)
    return [
        (formula, claim if claim.surface is None else replace(claim, surface=_written_out(claim.surface, known)))
        for formula, claim in found
    ]


def _meaning(claim: Claim) -> tuple[str, str] | None:
    """The letter and the function of an equation such as φ = tanh, which the words before it, or its sign, make a definition."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or surface.operators[0] not in DEFINES or len(surface.items) != 2:
        return None
    left, right = surface.items
    if not isinstance(left, s.Name) or not isinstance(right, s.Name) or elementwise(right.text) is None:
        return None
    said = says_meaning(claim) and not speaks_of_others(claim.sentence) and not claim.qualified
    return (left.text, right.text) if said and left.text != right.text else None


def _written_out(surface: s.Surface, known: Mapping[str, str]) -> s.Surface:
    def change(node: s.Surface) -> s.Surface:
        if isinstance(node, s.Scripted) and node.primes and not node.subs and not node.sups:
            return replace(node, base=_function(node.base, known))
        if not isinstance(node, s.Sequence):
            return node
        following = (*node.items[1:], None)
        return replace(
            node,
            items=tuple(
                _function(item, known) if isinstance(after, s.Bracket) and after.kind == "(" else item
                for item, after in zip(node.items, following, strict=True)
            ),
        )

    return rebuilt(surface, change)


def _function(node: s.Surface, known: Mapping[str, str]) -> s.Surface:
    return replace(node, text=known[node.text]) if isinstance(node, s.Name) and node.text in known else node


__all__ = ["with_functions"]
