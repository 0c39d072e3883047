"""Whether the words around a starting value choose it, or only speak of it: "let h_0 = 0" beside "often h_0 = 0", "unless h_0 = 0"."""

from __future__ import annotations

import re

from verify.claims import Claim
from verify.defining import DEFINING

_DENIED = re.compile(
    r"\b(?:not|never|no|without|if|many|others?|unlike|could|would|instead|rather|case|silly|figure|code|nicht|nie|kein\w*|ohne|falls|wenn|statt|viele|anders"
    r"|abbildung)\b|n['’]t\b",
    re.IGNORECASE,
)
"""Words before a number that is not given."""
_CHOOSING = frozenset(
    r"""
    usual wie üblich throughout always start starts starting value values take choose fix assume assuming suppose zero null since
    because da aus wird gegeben begin begins beginning initialized initialised dass numbers data item
    """.split()
)
_CHOOSING_STEMS = ("initial", "anfangs", "start", "wert")
"""Words of a sentence that chooses a starting value, up to the formula, besides those of definitions; any other word leaves it open."""
_NOT_SO = re.compile(
    r"\s*\?|\s*(?:\)|,)?\s*(?:(?:is|are|be|would|was|were|ist|sei|wäre|wird)\s+(?:\w+\s+){0,2}?(?:bad|poor|wrong|excluded|not|never|only|one|"
    r"possible|chosen|common|schlecht\w*|falsch|ausgeschlossen|nicht|nie|nur|möglich|üblich)\b|in\s+(?:general|pytorch|the lecture)"
    r"|does\b|need\b|muss\b|or\b|oder\b|but\b|aber\b)",
    re.IGNORECASE,
)
"""Words behind a starting value by which it is not meant."""
_OPEN = re.compile(
    r"\A[^.!?$]*\b(?:arbitrary|any|free|learn\w*|trainable|parameter|general|beliebig\w*|frei|gelernt|lernbar)\b",
    re.IGNORECASE,
)
"""Words behind a starting value that may be anything."""
_APART = re.compile(
    r"\\(begin|end)\s*\{\s*(?:example|exercise|remark|examples|lemma|theorem|proposition|corollary|claim|case|proof|beispiel|aufgabe|"
    r"bemerkung|satz|beweis)\*?\s*\}"
)
"""Environments, what is assumed in which holds there alone."""


def is_chosen(claim: Claim) -> bool:
    """Whether the sentence of a starting value chooses it, for the whole of the document."""
    words = re.findall(r"\\?\w+", claim.sentence.lower())
    known = _CHOOSING | DEFINING
    chooses = all(word.lstrip("\\") in known or word.startswith(_CHOOSING_STEMS) for word in words)
    return chooses and _NOT_SO.match(claim.after) is None and not _stands_apart(claim)


def is_denied(claim: Claim) -> bool:
    """Whether the sentence of a number says that it is not given, or is one of somebody else."""
    return _DENIED.search(claim.sentence) is not None


def is_left_open(claim: Claim) -> bool:
    """Whether the words behind a starting value say that it may be anything."""
    return _OPEN.search(claim.after) is not None


def _stands_apart(claim: Claim) -> bool:
    place = claim.span.original
    marks = [mark[1] for mark in _APART.finditer(place.source.text, 0, place.start)]
    return bool(marks) and marks[-1] == "begin"


__all__ = ["is_chosen", "is_denied", "is_left_open"]
