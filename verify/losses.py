"""The loss by another letter than the cell's: 𝓛 for L, ℓ_t for the loss of a step; and E or J, where a document differentiates it, and all
that it says of the letter is that it is the loss.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.rebuild import rebuilt
from derive.notation.scope import LOSS_LETTERS, OBJECTIVE_LETTERS, base_of
from verify.claims import Claim
from verify.document import Formula
from verify.names import Names

Found = Sequence[tuple[Formula, Claim]]
Change = Callable[[s.Surface], s.Surface]

_IS_LOSS = re.compile(
    r"\s*(?:(?:be|is|denotes?|for|as|sei|ist|bezeichnet)\s+)?(?:(?:the|our|a|die|der|das|den)\s+)?"
    r"(?:(?:total|overall|whole|scalar|summed|gesamte?n?)\s+)?(?:loss|error|cost|objective|verlust|fehler|kosten)\w*(?:[\s-]function)?\s*(?:[.,;:)]|\Z)",
    re.IGNORECASE,
)
"""Words behind a letter that say no more than that it is the loss."""
_OF = re.compile(r"\b(?:of|the|loss|error|cost|objective|von|verlust|fehler|minimi[sz]e)\s*\Z", re.IGNORECASE)
_SAYS_NOTHING = re.compile(r"\s*(?:[.,;:)]|with\b|by\b|with respect|nach\b|bezüglich|and\b|\Z)", re.IGNORECASE)
"""Words around a letter that is spoken of, and not explained."""


def with_loss(found: Found, names: Names) -> list[Claim]:
    """The claims with the cell's letter for the loss.

    Parameters
    ----------
    names : those of the cell.
    """
    own = QName.from_key(names.system.loss_name).base
    known = {QName.from_key(key).base for key in names.context.shapes}
    others = LOSS_LETTERS - known if own in LOSS_LETTERS else frozenset[str]()
    changes = [_of_steps(own)] if "ell" in others else []
    changes += [_of_all(letter, own) for letter in sorted(others - {"ell"})]
    changes.append(_without_arguments(own))
    for letter in sorted(OBJECTIVE_LETTERS - known):
        if _is_loss(found, letter, own):
            changes += [_of_all(letter, own, scripted=not _is_said(found, letter, own, scripted=True))]
    return [_changed(claim, changes) for _, claim in found]


def _changed(claim: Claim, changes: Sequence[Change]) -> Claim:
    surface = claim.surface
    if surface is None:
        return claim
    for change in changes:
        surface = change(surface)
    return replace(claim, surface=surface)


def _without_arguments(own: str) -> Change:
    """L(W, U, b) = … as L = …: that the loss depends on the parameters is known."""

    def change(surface: s.Surface) -> s.Surface:
        left = surface.items[0] if isinstance(surface, s.Relation) else None
        if not isinstance(surface, s.Relation) or not isinstance(left, s.Sequence) or len(left.items) != 2:
            return surface
        name, given = left.items
        if name != s.Name(own) or not isinstance(given, s.Bracket) or given.kind != "(":
            return surface
        if not all(base_of(s.bare(item))[0] for item in given.items):
            return surface
        return replace(surface, items=(name, *surface.items[1:]))

    return change


def _of_steps(own: str) -> Change:
    def change(node: s.Surface) -> s.Surface:
        if isinstance(node, s.Scripted) and node.subs and node.base == s.Name("ell"):
            return replace(node, base=s.Name(own, span=node.base.span))
        return node

    return lambda surface: rebuilt(surface, change)


def _of_all(letter: str, own: str, scripted: bool = True) -> Change:
    """The letter as the cell's, alone and, where it is meant so, with a time."""
    waiting = f"@{letter}"

    def first(node: s.Surface) -> s.Surface:
        if isinstance(node, s.Scripted) and node.base == s.Name(waiting):
            return replace(node, base=s.Name(own if scripted else letter, span=node.base.span))
        return replace(node, text=waiting) if node == s.Name(letter) and isinstance(node, s.Name) else node

    def second(node: s.Surface) -> s.Surface:
        return replace(node, text=own) if isinstance(node, s.Name) and node.text == waiting else node

    return lambda surface: rebuilt(rebuilt(surface, first), second)


def _is_loss(found: Found, letter: str, own: str) -> bool:
    """Whether a document differentiates a letter and says nothing of it but that it is the loss."""
    differentiated = any(claim.surface is not None and _is_differentiated(claim.surface, letter) for _, claim in found)
    return differentiated and not _is_said(found, letter, own, scripted=False)


def _is_said(found: Found, letter: str, own: str, scripted: bool) -> bool:
    """Whether something is said of a letter, alone or with a time, other than its derivatives; ``own`` is the cell's letter."""
    for formula, claim in found:
        surface = claim.surface
        if surface is None:
            if re.search(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", claim.text):
                return True  # nobody knows what
            continue
        if _is_sum_of_steps(surface, letter):
            continue
        if not any(_loose(surface, letter, scripted)):
            beside = any(node.text == own for node in surface.walk() if isinstance(node, s.Name))
            if not (beside and isinstance(surface, s.Relation) and any(_loose(surface, letter, True))):
                continue  # nor is it held against the loss of a step
        alone = not isinstance(surface, (s.Relation, s.Line)) and formula.inline
        harmless = _IS_LOSS.match(formula.after) or (_OF.search(formula.words) and _SAYS_NOTHING.match(formula.after))
        if not (alone and harmless):
            return True
    return False


def _is_sum_of_steps(surface: s.Surface, letter: str) -> bool:
    """E = ∑_{t=1}^{T} E_t, of whatever arguments."""
    if not isinstance(surface, s.Relation) or len(surface.items) != 2 or base_of(s.bare(surface.items[0]))[0] != letter:
        return False
    total = surface.items[1]
    if not isinstance(total, s.Big) or total.kind != "sum" or total.sup not in (None, s.Name("T")):
        return False
    start = total.sub.items[1] if isinstance(total.sub, s.Relation) else None
    body = total.body.items[0] if isinstance(total.body, s.Sequence) else total.body
    arguments = total.body.items[1:] if isinstance(total.body, s.Sequence) else ()
    plain = all(isinstance(item, s.Bracket) for item in arguments) and len(arguments) < 2
    return (
        plain and start in (None, s.Number("1")) and isinstance(body, s.Scripted) and base_of(s.bare(body))[0] == letter
    )


def _loose(surface: s.Surface, letter: str, scripted: bool) -> Iterator[s.Surface]:
    """Where a letter stands, other than above ∂ and behind ∇."""
    if scripted and isinstance(surface, s.Scripted) and surface.base == s.Name(letter):
        yield surface
        return
    if surface == s.Name(letter) and not scripted:
        yield surface
        return
    children = list(surface.children())
    if isinstance(surface, s.Scripted) and surface.base == s.Name(letter):
        children = [child for child in children if child is not surface.base]
    if isinstance(surface, s.Fraction) and _is_of(surface.numerator, letter):
        children = [surface.denominator]
    if isinstance(surface, s.Sequence):
        children = [
            item
            for k, item in enumerate(surface.items)
            if not (k and _mark(surface.items[k - 1]) == "nabla" and base_of(s.bare(item))[0] == letter)
        ]
    for child in children:
        yield from _loose(child, letter, scripted)


def _is_differentiated(surface: s.Surface, letter: str) -> bool:
    for node in surface.walk():
        if isinstance(node, s.Fraction) and _is_of(node.numerator, letter):
            return True
        if isinstance(node, s.Sequence):
            pairs = zip(node.items, node.items[1:], strict=False)
            if any(_mark(sign) == "nabla" and base_of(s.bare(of))[0] == letter for sign, of in pairs):
                return True
    return False


def _is_of(numerator: s.Surface, letter: str) -> bool:
    """Whether something is ∂E, dE or ∂E_t."""
    if not isinstance(numerator, s.Sequence) or len(numerator.items) != 2:
        return False
    first, second = numerator.items
    return (_mark(first) == "partial" or first == s.Name("d")) and base_of(s.bare(second))[0] == letter


def _mark(node: s.Surface) -> str:
    base = s.bare(node)
    return base.kind if isinstance(base, s.Mark) else ""


__all__ = ["with_loss"]
