"""Sentences that speak of δ, or of another letter for a derivative of the loss, and of the derivative by something else: whatever they say
of the letter, what it means is not sure then. The usual ways of giving a letter a meaning are read (:mod:`verify.announced`); language has
more of them than anybody can list, so the others are found by what they speak of, and not by their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from derive import expressions as e
from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.elaborate import resolve
from derive.notation.names import QName
from derive.notation.scope import base_of
from derive.notation.write_latex import write_latex
from verify.announced import DEFINES, says_meaning
from verify.claims import Claim
from verify.document import Formula
from verify.names import Names
from verify.wording import ENDS, speaks_of_others

_LETTER, _OTHER, _OWNER, _REST = "⟦δ⟧", "⟦q⟧", "⟦z⟧", "⟦⟧"
"""What stands in a sentence for its formulas: the letter, another quantity of the cell, what the letter belongs to, the rest."""
_BY_OTHER = re.compile(
    r"(?:gradient|derivative|ableitung|differential|error|fehler|sensitivit|respect|w\.?\s?r\.?\s?t\b|bezüglich)[^⟦]{0,60}?"
    r"(?:⟦q⟧|\bstates?\b|\b\w*zust[aä]nd\w*)",
    re.IGNORECASE,
)
"""A derivative by another quantity, in words."""
_OWN = re.compile(
    r"⟦z⟧|pre-?activation|net(?:to)?[- ]?input|voraktivierung|nettoeingabe|weighted input|logit", re.IGNORECASE
)
_RESULT = re.compile(
    r"\b(?:gives?|yields?|gets?|obtains?|results?\s+in|leads?\s+to|becomes?|ergibt|liefert|erhält|erhalten|folgt)\s+(?:\w+\s+)?⟦δ⟧",
    re.IGNORECASE,
)
"""The letter as what comes out of something that is done with such a derivative."""
_DENIES = re.compile(r"\b(?:not|rather|instead|nicht|statt)\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"\b(?:from now on|now on|now|hereafter|henceforth|part|exercise|section|instead|redefin\w*|ab jetzt|ab hier|von nun an|nun|"
    r"im folgenden|teil|aufgabe|abschnitt|stattdessen)\b",
    re.IGNORECASE,
)
"""Words by which a letter that has a meaning may get another."""
_TARGET = re.compile(
    r"(?:\\partial|\\nabla\s*_|\\mathrm\s*\{\s*d\s*\}|\bd(?=\s*[A-Za-z]_))\s*\{?\s*(?:\\(?:tilde|hat|bar|mathbf|boldsymbol|bm|vec)\s*\{?\s*)?"
    r"(\\[A-Za-z]+|[A-Za-z])\}?\s*(?:_\s*\{?\s*([^\s,}]*))?"
)
"""What is differentiated by, and its time."""

_OF_A_STEP = re.compile(r"(?:[LEJ]|\\ell|\\(?:mathcal|mathscr)\s*\{?\s*[LEJ]\s*\}?)\s*_")
"""The loss of one step: the derivative of that is a part of an adjoint."""


def mentions(found: Sequence[tuple[Formula, Claim]], claims: Sequence[Claim], names: Names) -> Iterator[Claim]:
    """For each letter of a derivative that a sentence may give another meaning, a claim that says so, and nothing that can be read.

    Parameters
    ----------
    found  : the formulas of a document with their claims as they were found.
    claims : the claims as they are read, in the same order.
    """
    said = settled(claims, names)
    for sentence in _sentences(found, claims):
        for place, (formula, claim) in enumerate(sentence.formulas):
            letter = _letter(formula, claim, names)
            if letter is None or _is_by_its_own(claim, letter):
                continue
            if letter.key in said and not _speaks_anew(sentence, claim):
                continue
            if _by_another(sentence, place, letter, names):
                surface = s.Relation((":=",), (letter.surface, s.Text("this")), span=claim.span)
                unread = ParseError("what the sentence says of it is not read")
                yield replace(claim, surface=surface, conditions=(), altered=True, error=unread)


@dataclass
class _Sentence:
    """Words, with the place of each formula in them."""

    formulas: list[tuple[Formula, Claim]] = field(default_factory=list)
    words: list[str] = field(default_factory=lambda: [""])
    """Those before each formula, and behind the last one."""


def _sentences(found: Sequence[tuple[Formula, Claim]], claims: Sequence[Claim]) -> Iterator[_Sentence]:
    now, last, cell = _Sentence(), None, None
    for (formula, _), claim in zip(found, claims, strict=False):
        if formula is last:
            continue  # another claim of the same formula
        parts = ENDS.split(formula.words)
        now.words[-1] += parts[0]
        if len(parts) > 1 or formula.cell != cell:
            yield now
            now = _Sentence(words=[parts[-1]])
        if not formula.inline and isinstance(claim.surface, s.Relation):
            yield now  # an equation on a line of its own is a claim
            now = _Sentence()
        else:
            now.formulas.append((formula, claim))
            now.words.append("")
        last, cell = formula, formula.cell
    if last is not None:
        now.words[-1] += ENDS.split(last.after)[0]
    yield now


@dataclass(frozen=True)
class _Letter:
    """A letter for a derivative of the loss: as it is written, its key, and the quantity by which one differentiates."""

    surface: s.Surface
    key: str
    owner: str


def _letter(formula: Formula, claim: Claim, names: Names) -> _Letter | None:
    """The letter that a formula within a line is, or that stands on its left side."""
    surface = claim.surface.items[0] if isinstance(claim.surface, s.Relation) else claim.surface
    if surface is None and re.match(r"\s*\(*\s*(?:\\delta(?![A-Za-z])|δ)", formula.source.text):
        surface = s.Scripted(s.Name("delta"), (s.Name("t"),))  # what cannot be read begins with it
    while surface is not None and isinstance(bracket := s.bare(surface), s.Bracket) and len(bracket.items) == 1:
        surface = bracket.items[0]
    shown = not formula.inline and claim.surface is not None  # an equation on a line of its own is judged
    surface = None if surface is None else _without_component(surface)
    if surface is None or shown or base_of(s.bare(surface))[0] is None:
        return None
    key = (names.key_of(surface) or ("", False))[0]
    owner = names.system.adjoint_owners.get(key)
    for line in names.lines.get(key, ()):
        if isinstance(line.rhs, (e.Timed, e.Var)):
            owner = names.system.adjoint_owners.get(line.rhs.name, owner)
    return None if owner is None else _Letter(surface, key, owner)


def _without_component(surface: s.Surface) -> s.Surface:
    """A vector for one of its entries: δ_t for δ_{t,i} and for δ_i(t)."""
    if isinstance(surface, s.Sequence) and len(surface.items) == 2 and isinstance(surface.items[1], s.Bracket):
        name, time = surface.items
        return replace(name, subs=time.children()) if isinstance(name, s.Scripted) and len(name.subs) == 1 else surface
    if isinstance(surface, s.Scripted) and len(surface.subs) == 2 and isinstance(surface.subs[1], s.Name):
        return replace(surface, subs=surface.subs[:1])
    return surface


def settled(claims: Sequence[Claim], names: Names) -> set[str]:
    """The letters of which an equation says that they are the derivative by what they belong to."""
    found: set[str] = set()
    for claim in claims:
        surface = claim.surface
        if not isinstance(surface, s.Relation) or claim.error is not None or surface.operators[0] not in DEFINES:
            continue
        key = (names.key_of(surface.items[0]) or ("", False))[0]
        if key not in names.lines and key not in names.system.adjoint_owners:
            continue
        try:
            right = resolve(surface.items[1], names.context)
        except BpttError:
            continue
        right = right.args[0] if right.op in ("transpose", "transpose_or_power") else right
        if right.op in ("gradient", "derivative") or (right.op == "name" and right.data[0] in names.lines):
            found.add(key)
    return found


def _speaks_anew(sentence: _Sentence, claim: Claim) -> bool:
    """Whether a sentence may give a letter with a meaning another one."""
    in_words = says_meaning(claim) and not isinstance(claim.surface, s.Relation)
    return in_words or _CHANGES.search(" ".join(sentence.words)) is not None


def _by_another(sentence: _Sentence, place: int, letter: _Letter, names: Names) -> bool:
    """Whether a sentence speaks of the derivative by another quantity of the cell at the same time."""
    system = names.system
    own = QName.from_key(letter.owner).base
    others = {QName.from_key(key).base for key in system.definitions} - {own, QName.from_key(system.loss_name).base}
    time = _first_index(letter.surface)
    for k, (formula, claim) in enumerate(sentence.formulas):
        text = formula.source.text
        if k == place and _is_judged(claim, letter):
            continue
        other = any(
            base.lstrip("\\") in others and (not time or not index or index == time)
            for base, index in _TARGET.findall(text)
        )
        if other and not _OF_A_STEP.search(text) and not speaks_of_others(" ".join(sentence.words[: k + 1])):
            return True
    shown = "".join(
        f"{words}{_mark(k == place, claim, own, others, system.loss_name)}"
        for k, (words, (_, claim)) in enumerate(zip(sentence.words, sentence.formulas, strict=False))
    )
    shown += sentence.words[-1]
    said = _BY_OTHER.search(shown)
    if said is None or speaks_of_others(shown[: said.end()]) or _RESULT.search(shown, said.end()):
        return False
    return _OWN.search(shown) is None or _DENIES.search(shown) is not None


def _is_by_its_own(claim: Claim, letter: _Letter) -> bool:
    """Whether an equation says that the letter is the derivative by the quantity that it belongs to."""
    if not isinstance(claim.surface, s.Relation) or claim.error is not None:
        return False
    bases = {base.lstrip("\\") for base, _ in _TARGET.findall(write_latex(claim.surface.items[1]))}
    return bases == {QName.from_key(letter.owner).base}


def _is_judged(claim: Claim, letter: _Letter) -> bool:
    """Whether a formula is an equation for the letter that is read, or that says more of it than which derivative it is."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or surface.items[0] != letter.surface:
        return False
    plain = all(
        isinstance(part, (s.Sequence, s.Fraction, s.Infix, s.Mark)) or base_of(s.bare(part))[0]
        for part in _parts(surface.items[1])
    )
    return says_meaning(claim) or not plain


def _parts(surface: s.Surface) -> Iterator[s.Surface]:
    """The pieces of a formula, down to its names."""
    yield surface
    if not isinstance(surface, s.Scripted):
        for child in surface.children():
            yield from _parts(child)


def _mark(is_letter: bool, claim: Claim, own: str, others: set[str], loss: str) -> str:
    if is_letter:
        return _LETTER
    base = None if claim.surface is None or isinstance(claim.surface, s.Relation) else base_of(s.bare(claim.surface))[0]
    if base is None:
        return _REST
    if base == QName.from_key(loss).base:
        return " the loss "
    return _OWNER if base == own else _OTHER if base in others else _REST


def _first_index(surface: s.Surface) -> str:
    script = surface.subs[0] if isinstance(surface, s.Scripted) and surface.subs else None
    return "" if script is None else write_latex(script).replace(" ", "")


__all__ = ["mentions", "settled"]
