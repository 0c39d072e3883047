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
_WHAT = (
    r"(?:(?:vector|gradient|error|matrix|product|adjoint|quantity|derivative|sum|input|value|jacobian|pre-activation|vektor|gradienten?|fehler|"
    r"produkt|ableitung|summe|eingabe|wert|jacobi-?matrix)(?:\s+matrix)?)"
)
_BETWEEN = re.compile(
    r"\s*,?\s*\(?(?:then\s+)?(?:(?:is\s+)?defined\s+(?:as|by|to\s+be)|to\s+be|that\s+is|i\.e\.|be|is|as|by|for|denotes?|means?|represents?|"
    r"stands?\s+for|equals?|gleich|sei|ist|für|mit|durch|bezeichnet|bedeutet)\b,?"
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
        alone = _is_alone(first) and _is_alone(second)
        if second.qualified or second.conditions or not alone or first.surface == loss or _ENDS.search(between):
            continue
        sentence = _sentence(found, k)
        if speaks_of_others(f"{sentence} {between}"):
            continue
        said = says_meaning(first) or _HERE.search(sentence) is not None
        announced = said and (_BETWEEN.match(between) is not None or _BY.search(between) is not None)
        around = f"{_ENDS.split(_plain(first.words))[-1]} {between} {_first_words(formula.after)}"
        by = _BY.search(between) is not None
        third = found[k + 2] if k + 2 < len(found) else None
        last = third[0] if by and third is not None and second.surface == loss else formula
        altered = bool(_ALTERED.search(between) or _ALTERED.match(_first_words(last.after)))
        altered = altered or (by and not _is_name(second.surface))  # the gradient of 2 L
        stated = announced or by or (altered and said and _STARTS.match(between))
        if not stated and (_NAMES.search(around) is None or _OTHER.search(_THAT_IS.sub("", between))):
            continue
        meant = second.surface if altered else _meant(second, between, loss, None if third is None else third[1])
        named = None if meant is None else _named(first, meant)
        if named is None:
            continue
        if altered and (stated or _SAID.search(between)):
            yield replace(named, words="let", error=ParseError("what the words make of the formula is not read"))
        elif altered or (not announced and _CONDITION.match(sentence)):
            continue
        elif announced or _is_of_adjoints(named):
            yield replace(named, words="let" if announced else named.words)
        elif _BETWEEN.match(between) and not _OF.search(_plain(first.words)) and _CLOSED.match(formula.after):
            yield named  # it says something of a letter of the cell, which must hold
    yield from _in_words_alone(found)


def _in_words_alone(found: Sequence[tuple[Formula, Claim]]) -> Iterator[Claim]:
    """Letters that words alone say to be something else than usual: ``where $z_t$ is twice the pre-activation``."""
    for k, (formula, claim) in enumerate(found):
        said = _is_alone(claim) and (says_meaning(claim) or _HERE.search(_sentence(found, k)))
        words = _first_words(formula.after)
        if said and _STARTS.match(words) and _ALTERED.search(words) and claim.surface is not None:
            surface = s.Relation((":=",), (_subject(claim.surface), s.Text(words.strip())), span=claim.surface.span)
            yield replace(claim, surface=surface, words="let", error=ParseError("what the words say is not read"))


def _is_name(surface: s.Surface | None) -> bool:
    return surface is not None and base_of(_base(surface))[0] is not None


def _subject(surface: s.Surface) -> s.Surface:
    return surface.items[0] if isinstance(surface, s.Relation) else surface


def _sentence(found: Sequence[tuple[Formula, Claim]], k: int) -> str:
    """The words of a sentence up to a formula."""
    words = _plain(found[k][1].words)
    while k > 0 and _ENDS.search(words) is None and found[k][0].inline:
        k -= 1
        words = f"{_plain(found[k][1].words)} \N{DOTTED CIRCLE} {words}"
    return _ENDS.split(words)[-1]


def speaks_of_others(words: str) -> bool:
    """Whether words speak of what holds elsewhere, or deny what follows: ``in other books``, ``one might think that``.

    >>> [speaks_of_others(words) for words in ("Note that it is not", "Some authors write", "Note that it is")]
    [True, True, False]
    """
    return _OTHERS.search(words) is not None


_OTHERS = re.compile(
    r"\b(?:not|never|no\s+longer|nicht|nie|kein\w*|might|would|could|könnte|würde|instead|stattdessen|statt|anstelle|unlike|"
    r"(?:other|some|many|several|andere\w*|manche\w*)\s+(?:books?|authors?|texts?|papers?|sources?|people|bücher\w*|autor\w*|texte\w*|quellen)|"
    r"elsewhere|anderswo|(?:linear|scalar|special|simple|lineare\w*|skalare\w*)\s+(?:case|fall)|"
    r"for\s+(?:small|large|relu|linear)\w*|für\s+(?:kleine|große|relu|lineare)\w*)\b|n['’]t\b",
    re.IGNORECASE,
)
_HERE = re.compile(r"\A\s*(?:here|hier|as usual|wie üblich)\b", re.IGNORECASE)
"""Words at the start of a sentence that says what a letter is."""
_CONDITION = re.compile(r"\s*(?:if|when|at|for|in|wenn|falls|bei|für|im)\b", re.IGNORECASE)
"""Words at the start of a sentence that says when something holds."""
_STARTS = re.compile(
    r"\s*,?\s*(?:be|is|are|denotes?|means?|equals?|stands?\s+for|represents?|sei|ist|bezeichnet|bedeutet)\b",
    re.IGNORECASE,
)
_THAT_IS = re.compile(r"\b(?:that is|das heißt)\b", re.IGNORECASE)
_SAID = re.compile(r"\b(?:denotes?|represents?|means?|stands?\s+for|bezeichnet|bedeutet)\b", re.IGNORECASE)


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
    r"|kürz\w*|heiß\w*|nenn\w*|abbreviat\w*|steht|stehe|meinen?|gleich|represents?"
    r"|defined?|that is|das heißt)\b|\A\s*[:|]|[:|]\s*(?:the\b|der\b|die\b|\Z)",
    re.IGNORECASE,
)
"""Words of a sentence that says what a letter is."""
_BY = re.compile(
    r"\b(?:gradient|derivative|adjoint|gradienten?|ableitung)\b.*\b(?:to|by|nach|of|von|bezüglich|respect)\b"
    r"(?:\s+(?:the|der|die|das|dem))?(?:\s+(?:hidden\s+)?(?:state|pre-activation|zustand|voraktivierung))?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""Words between a name and that by which the loss is differentiated."""


_ALTERED = re.compile(
    r"\s*(?:.*\b)?(?:times|twice|half|double|thrice|minus|plus|negative|opposite|squared?|transposed?|inverse|without|only|scaled|divided|last|"
    r"mean|average|mal|halbe?|hälfte|doppelte?|zweifache|transponierte|inverse|ohne|nur|geteilt|letzten?|mittlere|mittel)\b",
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


__all__ = ["DEFINES", "is_adjoint", "means_adjoint", "named_on_the_left", "namings", "says_meaning", "speaks_of_others"]
