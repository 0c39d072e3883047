"""Whose adjoint δ is. By convention δ_t is that of a pre-activation; a recursion that does not hold so may be that of a state:
δ_t = ∇_{h_t} L_t + W^⊤ (σ'(z_{t+1}) ⊙ δ_{t+1}). What holds for no quantity of the cell defines nothing: it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from derive import expressions as e
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.write_latex import write_latex
from verify.claims import Claim
from verify.conventions import Definition
from verify.introduced import reads_itself, times_of
from verify.names import Names
from verify.spellings import own_name, with_own_names

Holds = Callable[[Names, Claim], bool]
"""Whether a claim is right with these names."""


def with_meanings(
    names: Names, claims: Sequence[Claim], holds: Holds
) -> tuple[Names, Sequence[Claim], Mapping[str, str]]:
    """The names, with δ as the adjoint for which the first equation about it holds, where it does not hold as everybody means δ; the
    claims, in which it has a name of its own then; and a sentence for each letter that was read so.
    """
    timed = times_of([claim.surface for claim in claims if isinstance(claim.surface, s.Relation)], names)
    said: dict[str, str] = {}
    seen: set[str] = set()
    for claim in list(claims):
        key = _letter_of_adjoint(claim, names, timed)
        if key is None or key in seen:
            continue
        seen.add(key)
        about = [one for one in claims if _key(one, names, timed) == key]
        if names.known(key) and any(holds(names, one) for one in about):
            continue
        own = own_name(key)
        renamed = with_own_names(claims, names, frozenset([key]), timed)
        about = [new for one, new in zip(claims, renamed, strict=True) if _key(one, names, timed) == key]
        for quantity in _quantities(names, QName.from_key(key)):
            other = names.with_definitions([_adjoint(names, own, quantity)])
            if all(holds(other, one) for one in about):
                names, claims = other, renamed
                said[own] = f"{_shown(own)} is the adjoint of {_shown(quantity)}"
                break
    return names, claims, said


def _letter_of_adjoint(claim: Claim, names: Names, timed: frozenset[str]) -> str | None:
    """The δ of a recursion, if the author has not said what it is."""
    surface = claim.surface
    if claim.error is not None or not isinstance(surface, s.Relation) or surface.operators[0] not in ("=", ":=", "=="):
        return None
    return _key(claim, names, timed) if reads_itself(surface) else None


def _key(claim: Claim, names: Names, timed: frozenset[str]) -> str | None:
    """The δ, with one label or none, that an equation for every time is about, if the author has not said what it is."""
    surface = claim.surface
    if claim.error is not None or not isinstance(surface, s.Relation) or claim.conditions:
        return None
    left = surface.items[0]
    if not isinstance(left, s.Scripted) or not isinstance(left.subs[-1] if left.subs else None, s.Name):
        return None
    if left.subs[-1] == s.Name("T"):
        return None
    found = names.key_of(left, timed)
    if found is None or not found[1]:
        return None
    name = QName.from_key(found[0])
    own = found[0] in names.lines and found[0] not in names.conventions
    plain = name.base == "delta" and not name.accents and len(_labels(name)) < 2 and ":" not in "".join(name.sups)
    return found[0] if plain and not own else None


def _labels(name: QName) -> list[str]:
    return [label for label in (*name.subs, *name.sups) if not label.startswith("@")]


def _quantities(names: Names, letter: QName) -> Iterator[str]:
    """What may have an adjoint: states and pre-activations, then everything else that a step computes; for a δ with a label, as in δ^c,
    what has that letter, C and \\tilde c among it.
    """
    system = names.system
    inner = [*system.preactivations, *system.named_preactivations]
    every = dict.fromkeys([*system.states, *inner, *(q.lhs.name for q in system.steps if isinstance(q.lhs, e.Timed))])
    labels = {label.split("~")[0].lower() for label in _labels(letter)}
    yield from (key for key in every if not labels or QName.from_key(key).base.lower() in labels)


def _adjoint(names: Names, key: str, quantity: str) -> Definition:
    meant = names.system.quantity(quantity)
    adjoint = names.system.adjoint_names[quantity]
    if not isinstance(meant, e.Timed):
        return Definition(e.Var(key, *meant.shape), e.Var(adjoint, *meant.shape))
    return Definition(e.Timed(key, meant.time, *meant.shape), e.Timed(adjoint, meant.time, *meant.shape))


def _shown(key: str) -> str:
    return write_latex(QName.from_key(key).surface())


__all__ = ["Holds", "with_meanings"]
