"""What the letters of a document are taken for where it does not say it by an equation: a verdict holds with these meanings, and a reader
who means something else by a letter sees it there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sympy import Symbol

from derive import expressions as e
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.write_latex import write_latex
from verify.claims import Claim
from verify.mentions import settled
from verify.names import Names


def usual_meanings(claims: Iterable[Claim], all_claims: Collection[Claim], names: Names) -> Iterator[str]:
    """The derivatives that some claims speak of by a letter alone, as equations in LaTeX: ``\\\\delta_t = \\\\nabla_{z_t} L``.

    Parameters
    ----------
    claims     : those that were judged.
    all_claims : all that the document says.
    """
    said = settled(list(all_claims), names)
    keys = {key for claim in claims if claim.surface is not None for key in names.keys_in(claim.surface)}
    for key in sorted(keys - said):
        owner = _owner(key, names)
        if owner is None:
            continue
        quantity = names.system.quantity(owner)
        letter = QName.from_key(key).surface()
        if isinstance(quantity, e.Timed):
            letter = _with_time(letter, quantity.time)
        by = e.Gradient(quantity, e.Var(names.system.loss_name))
        yield f"{write_latex(letter)} = {by.latex()}"


def _owner(key: str, names: Names) -> str | None:
    """The quantity by which a letter is the derivative, if everybody means that by it."""
    owners = names.system.adjoint_owners
    if key in owners:
        return owners[key]
    if key not in names.conventions:
        return None
    return owners.get(getattr(names.lines[key][0].rhs, "name", ""))


def _with_time(letter: s.Surface, time: Symbol) -> s.Surface:
    base = s.bare(letter)
    subs = letter.subs if isinstance(letter, s.Scripted) else ()
    sups = letter.sups if isinstance(letter, s.Scripted) else ()
    return s.Scripted(base, (*subs, s.Name(str(time))), sups)


__all__ = ["usual_meanings"]
