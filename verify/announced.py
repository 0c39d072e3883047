"""Whether words say that a formula gives a name a meaning: ``let g_t = ...``, ``where g_t = ...``, ``let A be B``, ``write A for B``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeGuard

from derive.errors import ParseError
from derive.notation import surface as s
from derive.notation.scope import CONVENTIONAL_INDICES, base_of
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
_WHAT = r"(?:vector|gradient|error|matrix|product|adjoint|quantity|derivative|vektor|gradienten?|fehler|matrix|produkt|ableitung)"
_BETWEEN = re.compile(
    r"\s*,?\s*(?:then\s+)?(?:be|is|as|by|for|denotes?|means?|stands?\s+for|equals?|sei|ist|für|mit|durch|bezeichnet)\b"
    rf"(?:\s+(?:the|a|an|der|die|das|den))?(?:\s+{_WHAT}\b)?\s*\Z",
    re.IGNORECASE,
)
"""Words between a name and its meaning, or a meaning and its name."""


def says_meaning(claim: Claim) -> bool:
    """Whether the words before an equation, or its sign, say that it gives its left side a meaning.

    >>> from verify.sentences import all_claims
    >>> from verify.document import formulas_of
    >>> from derive.notation.source import Source
    >>> text = "Let $a = b$. With respect to that $c = d$, with $e = f$."
    >>> [says_meaning(claim) for _, claim in all_claims(formulas_of(Source(text, "text")))]
    [True, False, True]
    """
    if isinstance(claim.surface, s.Relation) and claim.surface.operators[0] in (":=", "=="):
        return True
    words = _plain(claim.words)
    return _WORDS.search(words) is not None or _BESIDE.search(words) is not None


def named_on_the_left(claim: Claim) -> Claim:
    """``let formula = name`` as ``name = formula``, and ``let name^\\top = formula`` as ``name = formula^\\top``."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or len(surface.items) != 2 or surface.operators[0] not in DEFINES:
        return claim
    left, right = surface.items
    if _is_turned(left) and says_meaning(claim):
        turned = s.Scripted(s.Bracket("(", (right,)), sups=left.sups[-1:])
        return replace(claim, surface=s.Relation(surface.operators, (_unturned(left), turned), span=surface.span))
    if base_of(_base(left))[0] is not None or base_of(_base(right))[0] is None or not says_meaning(claim):
        return claim
    return replace(claim, surface=s.Relation(surface.operators, (right, left), span=surface.span))


def _is_turned(left: s.Surface) -> TypeGuard[s.Scripted]:
    """Whether a name stands transposed."""
    return isinstance(left, s.Scripted) and left.sups[-1:] == (s.Mark("top"),) and base_of(left.base)[0] is not None


def _unturned(left: s.Scripted) -> s.Surface:
    plain = replace(left, sups=left.sups[:-1])
    return plain if plain.subs or plain.sups or plain.primes else plain.base


def namings(found: Sequence[tuple[Formula, Claim]], loss: s.Surface) -> Iterator[Claim]:
    """The meanings that are given in words between two formulas of a sentence, as equations: ``let $\\delta_t$ be $\\nabla_{h_t} L$``,
    ``write $A$ for $B$``, ``denote $B$ by $A$``, ``$\\delta_t$ is the gradient of the loss with respect to $h_t$``.

    Parameters
    ----------
    loss : what is differentiated where words alone say so.
    """
    for k, ((_, first), (formula, second)) in enumerate(pairwise(found)):
        between = _plain(second.words)
        if (
            second.qualified
            or second.conditions
            or not (_is_alone(first) and _is_alone(second))
            or first.surface == loss
            or _ENDS.search(between)
        ):
            continue
        announced = says_meaning(first) and (_BETWEEN.match(between) is not None or _BY.search(between) is not None)
        around = f"{_ENDS.split(_plain(first.words))[-1]} {between} {_first_words(formula.after)}"
        by = _BY.search(between) is not None
        if not (announced or by) and (_NAMES.search(around) is None or _OTHER.search(between)):
            continue
        meant = _meant(second, between, loss, found[k + 2][1] if k + 2 < len(found) else None)
        named = None if meant is None else _named(first, meant)
        if named is None:
            continue
        if _ALTERED.search(between) and (announced or by or _is_of_adjoints(named)):
            yield replace(named, words="let", error=ParseError("what the words make of the formula is not read"))
        elif announced or _is_of_adjoints(named):
            yield replace(named, words="let" if announced else named.words)
        elif _BETWEEN.match(between) and not _OF.search(_plain(first.words)) and _CLOSED.match(formula.after):
            yield named  # it says something of a letter of the cell, which must hold


def _meant(second: Claim, between: str, loss: s.Surface, third: Claim | None) -> s.Surface | None:
    """What the second formula of a sentence says of the first: itself, or the derivative of the loss by it, or by the third one."""
    surface = second.surface.items[0] if isinstance(second.surface, s.Relation) else second.surface
    if surface is None or (isinstance(surface, s.Name) and surface.text in CONVENTIONAL_INDICES):
        return None
    if _BY.search(between) is None:
        return surface
    if surface == loss:
        given = third is not None and _is_alone(third) and _OF_LOSS.match(_plain(third.words)) is not None
        surface = third.surface if given and third is not None else None
    return None if surface is None else s.Sequence((s.Scripted(s.Mark("nabla"), (surface,)), loss))


_ENDS = re.compile(r"[.!?;](?:\s|\Z)|\n\s*\n")
_OF_LOSS = re.compile(r"\s*(?:with respect to|by|nach|bezüglich|w\.r\.t\.)\s*\Z", re.IGNORECASE)
_NAMES = re.compile(
    r"\b(?:mean|means|denotes?|denoted|denoting|use|uses|call|called|writes?|written|is(?!\s+(?:then\s+|now\s+|also\s+)?\w+ed\b)|stands?|equals?|name[ds]?|be|sei|bezeichne\w*|bezeichnet|schreib\w*"
    r"|kürz\w*|heiß\w*|nenn\w*|abbreviat\w*|steht|stehe|meinen?|gleich)\b|\A\s*[:|]|[:|]\s*(?:the\b|der\b|die\b|\Z)",
    re.IGNORECASE,
)
"""Words of a sentence that says what a letter is."""
_BY = re.compile(
    r"\b(?:gradient|derivative|adjoint|gradienten?|ableitung)\b.*\b(?:to|by|nach|of|von|bezüglich|respect)\b\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""Words between a name and that by which the loss is differentiated."""


_ALTERED = re.compile(
    r"\b(?:times|twice|half|double|thrice|minus|negative|opposite|squared?|transposed?|inverse|without|only|scaled|mal|halbe?|doppelte?|zweifache|"
    r"transponierte|inverse|ohne|nur)\b",
    re.IGNORECASE,
)
"""Words between a name and a formula by which it is something else than the formula."""
_OF = re.compile(
    r"\b(?:of|by|to|at|for|in|from|with|than|on|and|or|that|if|when|as|von|nach|durch|mit|auf|für|bei|und|oder|wenn|dass)(?:\s+(?:the|der|die|das))?(?:\s+\w+)?\s*\Z",
    re.IGNORECASE,
)
"""Words before a formula that is not what its sentence is about."""
_CLOSED = re.compile(r"\s*(?:[.,;:!?)]|\Z|\n\s*\n)")
"""What follows a formula with which its clause ends."""


def _is_alone(claim: Claim) -> bool:
    """Whether a formula within a line is no equation; a set that it belongs to says nothing but its size."""
    surface = claim.surface
    alone = not isinstance(surface, (s.Relation, s.Line, type(None))) or (
        isinstance(surface, s.Relation) and surface.operators == ("in",)
    )
    return claim.inline and claim.error is None and alone


_OTHER = re.compile(r"\b(?:and|und|at|an|that|of|von|to|zu|from|aus|with|but|aber|or|oder)\b", re.IGNORECASE)
"""Words between two formulas of which neither is said to be the other."""


def _is_of_adjoints(claim: Claim) -> bool:
    """Whether an equation gives a letter that everybody takes for a derivative another derivative as its meaning."""
    if not isinstance(claim.surface, s.Relation):
        return False
    left, right = claim.surface.items
    marks = any(isinstance(node, s.Mark) and node.kind in ("nabla", "partial") for node in right.walk())
    return is_adjoint(left) and (marks or is_adjoint(right))


def is_adjoint(node: s.Surface) -> bool:
    """Whether a formula is δ or a letter with a bar, with whatever labels."""
    return means_adjoint(*base_of(_base(node)))


def means_adjoint(base: str | None, accents: Sequence[str]) -> bool:
    """Whether everybody takes a letter for a derivative of the loss."""
    return base == "delta" or "bar" in accents


def _first_words(words: str) -> str:
    return re.split(r"[.!?;,$]|\n\s*\n", words)[0]


def _named(first: Claim, meant: s.Surface) -> Claim | None:
    """The equation that gives one of two formulas, a name, the other as its meaning."""
    left = first.surface.items[0] if isinstance(first.surface, s.Relation) else first.surface
    if left is None:
        return None
    right = meant
    if base_of(_base(left))[0] is None:
        left, right = right, left
    if base_of(_base(left))[0] is None:
        return None
    return replace(
        first, surface=s.Relation((":=",), (left, right), span=None if first.surface is None else first.surface.span)
    )


def _base(surface: s.Surface) -> s.Surface:
    return surface.base if isinstance(surface, s.Scripted) else surface


def _plain(words: str) -> str:
    return re.sub(r"\\[A-Za-z]+\*?|[{}*_#$]", " ", words)


__all__ = ["DEFINES", "is_adjoint", "means_adjoint", "named_on_the_left", "namings", "says_meaning"]
