"""The claims of a document, with what their sentences say of the times at which they hold: conditions in words, before an equation and
behind it, and words that leave it open.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from derive.errors import UsageError
from derive.notation import surface as s
from verify.beside import is_condition
from verify.claims import MAX_CLAIMS, Claim, claims_of, going_on
from verify.document import Formula
from verify.wording import FORMULA, sentence


def all_claims(formulas: Iterable[Formula], quantities: Collection[str] = ()) -> list[tuple[Formula, Claim]]:
    """The claims of all formulas. A display that starts with a sign of relation goes on with the equation before it; a condition in
    words is one of the equation before it in its sentence, or of the equation that its sentence begins with.

    Parameters
    ----------
    quantities : letters that are no times, since the cell has them: ``u = 1`` gives a number.
    """
    found: list[tuple[Formula, Claim]] = []
    opening: s.Relation | None = None
    for formula in formulas:
        claims = [replace(claim, inline=formula.inline, after=formula.after) for claim in claims_of(formula)]
        before = found[-1] if found else None
        if before is not None and before[0].inline == formula.inline and claims and claims[0].error is not None:
            claims = going_on(formula, before[1]) or claims
        if before is not None and (said := _behind(before[0], formula, claims, quantities)) is not None:
            found[-1] = (before[0], replace(before[1], conditions=(*before[1].conditions, said)))
            continue
        goes_on = opening is not None and _AFTER_CONDITION.match(formula.words) is not None
        if opening is not None and goes_on and (_ends_sentence(formula.source.text) or not _MORE.match(formula.after)):
            claims = [replace(claim, conditions=(*claim.conditions, opening)) for claim in claims]
        opens = _condition(claims, _OPENS_CONDITION, quantities) if formula.inline else None
        opening = opens or (opening if goes_on and opening is not None and _gives_length(opening) else None)
        found += [(formula, claim) for claim in claims if opens is None or _gives_length(opens)]
        if len(found) > MAX_CLAIMS:
            raise UsageError(f"the document holds more than {MAX_CLAIMS:,} equations", hint="is this the right file?")
    return _with_sentences(_qualified(found, quantities))


def _with_sentences(found: Sequence[tuple[Formula, Claim]]) -> list[tuple[Formula, Claim]]:
    """The claims with the words of their sentences. An equation on a line of its own ends one."""
    told: list[tuple[Formula, Claim]] = []
    words, cell = "", None
    for formula, claim in found:
        words = sentence(f"{words if formula.cell == cell else ''}{claim.words}")
        told.append((formula, replace(claim, sentence=words)))
        goes_on = formula.inline and not _ends_sentence(formula.source.text)
        words, cell = f"{words} {FORMULA} " if goes_on else "", formula.cell
    return told


def _behind(
    before: Formula, formula: Formula, claims: Sequence[Claim], quantities: Collection[str]
) -> s.Relation | None:
    """The condition that a formula is of the one before it, where they stand in one sentence that ends with the condition."""
    if before.cell != formula.cell or _ends_sentence(before.source.text) or not _BEHIND_CONDITION.match(formula.after):
        return None
    return _condition(claims, _BEFORE_CONDITION, quantities)


def _qualified(found: Sequence[tuple[Formula, Claim]], quantities: Collection[str]) -> list[tuple[Formula, Claim]]:
    """The claims, with those marked of which their sentence says at which times they hold, in a way that is not read."""
    marked: set[int] = set()
    for k, (formula, claim) in enumerate(found):
        if formula.inline and _QUALIFIED.match(formula.after):
            marked.add(k)
        surface = claim.surface
        if (
            not formula.inline
            or not isinstance(surface, s.Relation)
            or not _is_of_times(surface, quantities)
            or _gives_length(surface)
        ):
            continue
        if k > 0 and not _has_end(formula.words):
            marked.add(k - 1)
        if k + 1 < len(found) and not _has_end(found[k + 1][0].words) and not _ends_sentence(formula.source.text):
            marked.add(k + 1)
    return [
        (formula, replace(claim, qualified=True) if k in marked else claim) for k, (formula, claim) in enumerate(found)
    ]


def _has_end(words: str) -> bool:
    """Whether a sentence ends in some words."""
    return re.search(r"[.!?](?:\s|\Z)|\n\s*\n", words) is not None


_ALL = r"(?:\s+(?:all|every|each|any|alle|jedes))?"
_BEFORE_CONDITION = re.compile(
    r"(?:(?!\n\s*\n)[\s,(])*"
    rf"(?:(?<=[,(\s])[,(]?\s*(?:for|if|when|whenever|where|provided|at|in the case|für|wenn|falls|im fall){_ALL}\s*|(?<=[,(])\s*)\Z"
)
"""Words between an equation and its condition, in one sentence: no capital letter begins them, and no empty line stands there."""
_BEHIND_CONDITION = re.compile(
    r"\s*(?:[.)]|\Z|\n\s*\n|\n\s*(?:[-*#]|\d+[.)])|,\s*(?:where|with|wobei|mit)\s*(?:\$|\\\()"
    r"|[,;]?\s*(?:(?:and|but|und|aber)\s*)?(?:\$\$|\\\[|\\begin))"
)
"""What may follow such a condition. In "for $t = T$ down to $1$" and "for $t = T$, and in general" it is not all that is said."""
_OPENS_CONDITION = re.compile(
    rf"(?:\A|.*[.:;!?\n])\s*(?:(?:and|und|but|aber)\s+)?"
    rf"(?:for|if|when|at(?:\s+time)?|(?:at|in)\s+the\s+(?:last|first)\s+step|in\s+(?:the\s+)?case|für|wenn|falls|im\s+fall){_ALL}\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""Words before a condition that begins a sentence, and is one of the equation after it."""
_AFTER_CONDITION = re.compile(
    r"\s*(?:(?:[,:]|and|also|we|have|get|gets|obtain|find|write|it|its|is|this|that|then|so|there|the|holds|gives|reads|recursion|equation|formula|"
    r"adjoint|gradient|derivative|let|set|define|put|und|auch|wir|man|haben|erhalten|erhält|bekommt|folgt|follows|finden|es|ist|gilt|dann|so|sei|setze|setzen|die|der|das)(?![\w-])\s*)*\Z",
    re.IGNORECASE,
)
"""Words between such a condition and its equation."""
_MORE = re.compile(
    r"\s*[,;]?\s*(?:and\s+|und\s+)?"
    r"(?:likewise|similarly|the same|so on|in general|for all|for every|ebenso|genauso|allgemein|für alle)\b",
    re.IGNORECASE,
)
"""Words behind an equation by which it may hold at other times as well."""
_QUALIFIED = re.compile(
    r"[^.!?\n]*\b(?:unless|except|as long as|only|even|odd|außer|ausser|nur|solange|gerade|ungerade)\b", re.IGNORECASE
)
"""Words behind an equation that say of times what is not read."""


def _condition(claims: Sequence[Claim], words: re.Pattern[str], quantities: Collection[str]) -> s.Relation | None:
    """The condition that a formula is, if the words before it are such: ``$g_t = ...$ for $t \\ge 2$``."""
    if len(claims) != 1 or claims[0].error is not None or words.match(claims[0].words) is None:
        return None
    surface = claims[0].surface
    return surface if isinstance(surface, s.Relation) and _is_of_times(surface, quantities) else None


def _is_of_times(relation: s.Relation, quantities: Collection[str]) -> bool:
    names = {node.text for item in relation.items for node in item.walk() if isinstance(node, s.Name)}
    return is_condition(relation) and not names & set(quantities)


def _ends_sentence(text: str) -> bool:
    return text.rstrip().endswith((".", "!", "?"))


def _gives_length(relation: s.Relation) -> bool:
    return relation.operators == ("=",) and relation.items[0] == s.Name("T") and isinstance(relation.items[1], s.Number)


__all__ = ["all_claims"]
