"""Spellings of derivatives that people use and the notation does not have, written out before anything is read: the loss by another
letter, dots, ``\\delta C_t`` or ``dC_t`` for the adjoint of C_t, ``\\delta_{C_t}`` for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from derive import expressions as e
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.rebuild import rebuilt
from derive.notation.references import ReferenceReader
from derive.notation.scope import LOSS_LETTERS, OBJECTIVE_LETTERS, base_of
from verify.claims import Claim
from verify.dots import without_dots
from verify.names import Names

Change = Callable[[s.Surface], s.Surface]


def written_out(claims: Iterable[Claim], names: Names) -> list[Claim]:
    """The claims in the notation's own spellings.

    Parameters
    ----------
    names : those of the cell.

    >>> from derive.cell import cell
    >>> from derive.notation.source import Source
    >>> from derive.notation.write_plain import write_plain
    >>> from verify.document import formulas_of
    >>> from verify.sentences import all_claims
    >>> rnn = cell("h_t = \\\\tanh(W h_{t-1} + U x_t)")
    >>> text = Source(r"$$dW = \\sum_{t=1}^{T} dz_t h_{t-1}^\\top$$", "text")
    >>> [write_plain(c.surface) for c in written_out([c for _, c in all_claims(formulas_of(text))], Names(rnn))]
    ['W_bar = sum_{t=1}^{T} delta_t h_{t - 1}.T']
    """
    claims = list(claims)
    reader = ReferenceReader(names.context.scope)
    claims = [_without_dots(claim, reader) for claim in claims]
    for change in (*_losses(claims, names), _subscripts(names), *_differentials(claims, names)):
        claims = [
            claim if claim.surface is None else replace(claim, surface=rebuilt(claim.surface, change))
            for claim in claims
        ]
    return claims


def _without_dots(claim: Claim, reader: ReferenceReader) -> Claim:
    if claim.surface is None:
        return claim
    surface = without_dots(claim.surface, reader)
    return claim if surface is claim.surface else replace(claim, surface=surface, ordered=surface != claim.surface)


# -- the loss --------------------------------------------------------------------------------------


def _losses(claims: Sequence[Claim], names: Names) -> Iterator[Change]:
    """Letters for the loss that the cell does not use: L for 𝓛 or 𝓛 for L, ℓ_t for the loss of a step; and E or J, where a document
    differentiates it and does not say that it is something else.
    """
    own = QName.from_key(names.system.loss_name).base
    known = {QName.from_key(key).base for key in names.context.shapes}
    others = LOSS_LETTERS - known if own in LOSS_LETTERS else frozenset[str]()
    whole = others - {"ell"}
    surfaces = [claim.surface for claim in claims if claim.surface is not None]
    objectives = {
        letter
        for letter in OBJECTIVE_LETTERS - known
        if any(_is_differentiated(surface, letter) for surface in surfaces)
        and not any(_gives_meaning(surface, letter) for surface in surfaces)
    }
    if not others and not objectives:
        return

    def change(node: s.Surface) -> s.Surface:
        if isinstance(node, s.Name) and node.text in whole | objectives:
            return replace(node, text=own)
        if isinstance(node, s.Scripted) and node.subs and node.base == s.Name("ell") and "ell" in others:
            return replace(node, base=s.Name(own, span=node.base.span))
        return node

    yield change


def _is_differentiated(surface: s.Surface, letter: str) -> bool:
    """Whether a letter stands above ∂ or behind ∇ somewhere."""
    for node in surface.walk():
        if isinstance(node, s.Fraction) and _of(node.numerator, "partial") == s.Name(letter):
            return True
        if isinstance(node, s.Sequence):
            for sign, of in zip(node.items, node.items[1:], strict=False):
                if _mark(sign) == "nabla" and of == s.Name(letter):
                    return True
    return False


def _of(numerator: s.Surface, mark: str) -> s.Surface | None:
    """What is differentiated, in ∂E or dE."""
    if not isinstance(numerator, s.Sequence) or len(numerator.items) != 2:
        return None
    first, second = numerator.items
    return second if _mark(first) == mark or first == s.Name("d") else None


def _mark(node: s.Surface) -> str:
    base = node.base if isinstance(node, s.Scripted) else node
    return base.kind if isinstance(base, s.Mark) else ""


def _gives_meaning(surface: s.Surface, letter: str) -> bool:
    """Whether an equation says what a letter is, other than that it is a sum of its own parts."""
    if not isinstance(surface, s.Relation) or surface.operators[0] not in ("=", ":=", "=="):
        return False
    left = surface.items[0]
    base = left.base if isinstance(left, s.Scripted) else left
    if base != s.Name(letter):
        return False
    parts = surface.items[1]
    return not (isinstance(parts, s.Big) and parts.kind == "sum" and _letter(parts.body) == letter)


def _letter(node: s.Surface) -> str | None:
    return base_of(node.base if isinstance(node, s.Scripted) else node)[0]


# -- adjoints --------------------------------------------------------------------------------------


def _subscripts(names: Names) -> Change:
    """δ_{C_t}, with a quantity of the cell and its time below, as the adjoint of C_t."""

    def change(node: s.Surface) -> s.Surface:
        if not isinstance(node, s.Scripted) or node.base != s.Name("delta") or len(node.subs) != 1 or node.primes:
            return node
        if not isinstance(node.subs[0], s.Scripted):
            return node  # a label
        adjoint = _adjoint_of(node.subs[0], names)
        if adjoint is None:
            return node
        return replace(adjoint, sups=(*adjoint.sups, *node.sups), span=node.span)

    return change


def _differentials(claims: Sequence[Claim], names: Names) -> Iterator[Change]:
    """δC_t and dC_t for the adjoint of C_t, where the document has one of them alone on the left of an equation: d and δ are no factors
    then.
    """
    for sign in ("delta", "d"):
        if any(_is_differential(claim, sign, names) for claim in claims):
            if sign == "d":
                yield _with_partial
            yield _joined(sign, names)


def _is_differential(claim: Claim, sign: str, names: Names) -> bool:
    surface = claim.surface
    left = surface.items[0] if isinstance(surface, s.Relation) else None
    if not isinstance(left, s.Sequence) or len(left.items) != 2 or left.items[0] != s.Name(sign):
        return False
    return _adjoint_of(left.items[1], names) is not None


def _with_partial(node: s.Surface) -> s.Surface:
    """dL/dW as ∂L/∂W, which is the same, and is not made of differentials."""
    if not isinstance(node, s.Fraction) or not (_starts(node.numerator, "d") and _starts(node.denominator, "d")):
        return node
    above, below = (
        s.Sequence((s.Mark("partial"), *part.items[1:]), span=part.span)
        for part in (node.numerator, node.denominator)
        if isinstance(part, s.Sequence)
    )
    return replace(node, numerator=above, denominator=below)


def _starts(node: s.Surface, letter: str) -> bool:
    return isinstance(node, s.Sequence) and len(node.items) > 1 and node.items[0] == s.Name(letter)


def _joined(sign: str, names: Names) -> Change:
    def change(node: s.Surface) -> s.Surface:
        if not isinstance(node, s.Sequence):
            return node
        items: list[s.Surface] = []
        for item in node.items:
            adjoint = _adjoint_of(item, names) if items and items[-1] == s.Name(sign) else None
            if adjoint is None:
                items.append(item)
                continue
            first = items.pop().span
            span = first.to(item.span) if first is not None and item.span is not None else item.span
            acting = item.sups[-1:] if isinstance(item, s.Scripted) and _is_turned(item) else ()
            items.append(replace(adjoint, sups=(*adjoint.sups, *acting), span=span))
        return items[0] if len(items) == 1 else replace(node, items=tuple(items))

    return change


def _is_turned(node: s.Scripted) -> bool:
    return bool(node.sups) and (_mark(node.sups[-1]) == "top" or node.sups[-1] == s.Name("T"))


def _adjoint_of(node: s.Surface, names: Names) -> s.Scripted | None:
    """The adjoint of what a formula names, as the notation writes it; None where it is nothing that the cell has."""
    plain = replace(node, sups=node.sups[:-1]) if isinstance(node, s.Scripted) and _is_turned(node) else node
    found = names.key_of(plain)
    if found is None:
        return None
    key, has_time = found
    if key in names.conventions:
        meant = names.lines[key][0].rhs
        key = getattr(meant, "name", key)
    if key not in names.system.adjoint_names:
        return None
    timed = isinstance(names.system.quantity(key), e.Timed)
    time = _time_of(plain) if has_time else ()
    if timed != bool(time):
        return None
    written = QName.from_key(names.system.adjoint_names[key]).surface(*time)
    return written if isinstance(written, s.Scripted) else s.Scripted(written)


def _time_of(node: s.Surface) -> tuple[s.Surface, ...]:
    """The time of h_t, or of h^{(t)}."""
    if not isinstance(node, s.Scripted):
        return ()
    above = [item for sup in node.sups if isinstance(sup, s.Bracket) and sup.kind in ("(", "<") for item in sup.items]
    return node.subs[-1:] or tuple(above[-1:])


__all__ = ["written_out"]
