"""Names that a document introduces: ``let g_t = ...``, ``where g_t = ...``, ``g_t := ...``, a recursion, or an abbreviation that is
used elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.scope import base_of
from verify.claims import Claim
from verify.names import Definition, Names

_WORDS = re.compile(
    r"\b(?:let|where|with|define[sd]?|denot(?:e|es|ed|ing)|set|sets|setting|write|writing|call|abbreviat\w*|introduc\w*|put|"
    r"notation|for short|sei|seien|wobei|mit|setze|setzen|bezeichne\w*|definier\w*|nenne\w*)\b[^.;$]*\Z",
    re.IGNORECASE,
)


def introduced(names: Names, claims: Sequence[Claim]) -> Names:
    """The names, with those that the claims of a document introduce. A definition may use what is introduced after it."""
    waiting = [claim for claim in claims if isinstance(claim.surface, s.Relation) and claim.error is None]
    while True:
        found: list[Definition] = []
        rest: list[Claim] = []
        for claim in waiting:
            definition = _definition(names, claim, claims)
            if definition is None:
                rest.append(claim)
            else:
                found.append(definition)
        if not found:
            return names
        names, waiting = names.with_definitions(found), rest


def _definition(names: Names, claim: Claim, claims: Sequence[Claim]) -> Definition | None:
    surface = claim.surface
    assert isinstance(surface, s.Relation)
    said = surface.operators[0] == ":=" or _WORDS.search(_plain(claim.words)) is not None
    first = s.Relation(surface.operators[:1], surface.items[:2], span=surface.span)
    try:
        definition = names.defined(first)
    except BpttError:
        return None
    if definition is None:
        return None
    key = definition.key
    if key in names.system.context.scope.names | names.system.context.scope.timed and not (
        said and key in names.system.adjoint_owners
    ):
        return None
    if said or definition.recursive or key in names.lines or _used_elsewhere(surface.items[0], claim, claims):
        return definition
    return None


def _plain(words: str) -> str:
    return re.sub(r"\\[A-Za-z]+\*?|[{}*_#]", " ", words)


def _used_elsewhere(left: s.Surface, claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether another formula reads the name."""
    letter = base_of(left.base if isinstance(left, s.Scripted) else left)
    for other in claims:
        if other is claim or other.surface is None:
            continue
        for node in other.surface.walk():
            if isinstance(node, (s.Name, s.Accent)) and base_of(node) == letter:
                return True
    return False


__all__ = ["introduced"]
