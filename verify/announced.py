"""Whether words say that a formula gives a name a meaning: ``let g_t = ...``, ``where g_t = ...``, ``let A be B``, ``write A for B``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from derive.notation import surface as s
from derive.notation.scope import base_of
from verify.claims import Claim
from verify.document import Formula

DEFINES = ("=", ":=", "==")
"""The signs between a name and its meaning."""

_VERBS = r"""
    let(?!\s+us\b|['’]s\b) | where | wherein | whereby | define[sd]? | denot(?:e|es|ed|ing) | (?<!the\ )set(?:ting)?
    | (?<!can\ )(?<!now\ )writ(?:e|ing) | call(?:ed)? | abbreviat\w* | introduc\w* | put | suppose | assum\w*
    | sei(?:en)? | wobei | setzen? | bezeichne\w* | definieren? | nenne\w*
"""
_AFTER = r"(?:\s+(?!respect\b|for\b|it\b|this\b|that\b)[\w'’-]+,?){0,4}\s*[:,]?\s*\Z"
_WORDS = re.compile(rf"\b(?:{_VERBS}){_AFTER}", re.IGNORECASE | re.VERBOSE)
_BESIDE = re.compile(r"\b(?:with|mit|given|gegeben|consider)\s*:?\s*\Z", re.IGNORECASE)
"""Words that announce a meaning only where they stand right before the formula: "with respect to" says nothing of a name."""
_BETWEEN = re.compile(
    r"\s*,?\s*(?:(?:then\s+)?(?:be|is|as|by|for|denotes?|means?|stands?\s+for|sei|ist|für|mit|durch|bezeichnet|der|die|das)\b)(?:\s+[\w'’-]+){0,4}\s*\Z",
    re.IGNORECASE,
)


def says_meaning(claim: Claim) -> bool:
    """Whether the words before an equation, or its sign, say that it gives its left side a meaning.

    >>> from verify.claims import all_claims
    >>> from verify.document import formulas_of
    >>> from derive.notation.source import Source
    >>> text = "Let $a = b$. With respect to that $c = d$, with $e = f$."
    >>> [says_meaning(claim) for _, claim in all_claims(formulas_of(Source(text, "text")))]
    [True, False, True]
    """
    if isinstance(claim.surface, s.Relation) and claim.surface.operators[0] == ":=":
        return True
    words = _plain(claim.words)
    return _WORDS.search(words) is not None or _BESIDE.search(words) is not None


def named_on_the_left(claim: Claim) -> Claim:
    """``let formula = name`` as ``name = formula``."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or len(surface.items) != 2 or surface.operators[0] not in DEFINES:
        return claim
    left, right = surface.items
    if base_of(_base(left))[0] is not None or base_of(_base(right))[0] is None or not says_meaning(claim):
        return claim
    return replace(claim, surface=s.Relation(surface.operators, (right, left), span=surface.span))


def namings(found: Iterable[tuple[Formula, Claim]]) -> Iterator[Claim]:
    """The meanings that are given in words between two formulas of a line, as equations: ``let $\\delta_t$ be $\\nabla_{h_t} L$``,
    ``write $A$ for $B$``, ``denote $B$ by $A$``.
    """
    before: Claim | None = None
    for formula, claim in found:
        alone = (
            formula.inline and claim.error is None and not isinstance(claim.surface, (s.Relation, s.Line, type(None)))
        )
        if alone and before is not None and _BETWEEN.match(_plain(claim.words)):
            named = _named(before, claim)
            if named is not None:
                yield named
        before = claim if alone and says_meaning(claim) else None


def _named(first: Claim, second: Claim) -> Claim | None:
    """The equation that gives one of two formulas, a name, the other as its meaning."""
    if first.surface is None or second.surface is None:
        return None
    sides = (first.surface, second.surface)
    if base_of(_base(sides[0]))[0] is None:
        sides = sides[1], sides[0]
    if base_of(_base(sides[0]))[0] is None:
        return None
    return replace(first, surface=s.Relation((":=",), sides, span=first.surface.span))


def _base(surface: s.Surface) -> s.Surface:
    return surface.base if isinstance(surface, s.Scripted) else surface


def _plain(words: str) -> str:
    return re.sub(r"\\[A-Za-z]+\*?|[{}*_#$]", " ", words)


__all__ = ["DEFINES", "named_on_the_left", "namings", "says_meaning"]
