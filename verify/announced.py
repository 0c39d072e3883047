"""Whether words say that a formula gives a name a meaning: ``let g_t = ...``, ``where g_t = ...``, ``let A be B``, ``write A for B``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeGuard

from derive.errors import ParseError
from derive.notation import surface as s
from derive.notation.scope import CONVENTIONAL_INDICES, base_of
from verify.claims import Claim
from verify.document import Formula
from verify.wording import (
    ALTERED,
    BESIDE,
    BETWEEN,
    BY,
    CLOSED,
    COMPARED,
    CONDITION,
    ENDS,
    HERE,
    LEADS,
    NAMES,
    OF,
    OF_LOSS,
    OF_THE_LOSS,
    OTHER,
    SAID,
    SIGN,
    STARTS,
    SUBORDINATE,
    THAT_IS,
    WORDS,
    first_words,
    plain,
    speaks_of_others,
)

DEFINES = ("=", ":=", "==")
"""The signs between a name and its meaning."""


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
    words = plain(claim.words)
    return WORDS.search(words) is not None or BESIDE.search(words) is not None


def named_on_the_left(claim: Claim) -> Claim:
    """``let formula = name`` as ``name = formula``, and ``let name^\\top = formula`` as ``name = formula^\\top``."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or len(surface.items) != 2 or surface.operators[0] not in DEFINES:
        return claim
    left, right = surface.items
    if _is_turned(left) and says_meaning(claim):
        turned = s.Scripted(s.Bracket("(", (right,)), sups=left.sups[-1:])
        return replace(claim, surface=s.Relation(surface.operators, (_unturned(left), turned), span=surface.span))
    if base_of(s.bare(left))[0] is not None or base_of(s.bare(right))[0] is None or not says_meaning(claim):
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
        third = found[k + 2] if k + 2 < len(found) else None
        statement = _Statement(first, second, formula, third, plain(first.sentence), loss)
        named = statement.naming()
        if named is not None:
            yield named
    yield from _in_words_alone(found, loss)


@dataclass(frozen=True)
class _Statement:
    """Two formulas of a sentence, of which the words may say that one is the other.

    Parameters
    ----------
    formula  : the second one, with what follows it.
    third    : the formula after them.
    sentence : the words of the sentence before the first one.
    loss     : what is differentiated where words alone say so.
    """

    first: Claim
    second: Claim
    formula: Formula
    third: tuple[Formula, Claim] | None
    sentence: str
    loss: s.Surface

    def naming(self) -> Claim | None:
        """The equation that is said, with an error where the words make something else of it; None where nothing is said."""
        if not self._may_be_said():
            return None
        altered, announced = self.altered, self.announced
        stated = announced or self.by or (altered and self.said and STARTS.match(self.between) is not None)
        if not stated and (self._is_aside or OTHER.search(THAT_IS.sub("", self.between))):
            return None
        meant = self.second.surface if altered else self._meant()
        named = None if meant is None else _named(self.first, meant)
        if named is None:
            return None
        if altered and (stated or SAID.search(self.between)):
            return replace(named, altered=True, error=ParseError("what the words make of the formula is not read"))
        if altered or (not announced and CONDITION.match(self.sentence)):
            return None
        if announced or _is_of_adjoints(named):
            return replace(named, words="let" if announced else named.words)
        is_subject = not OF.search(plain(self.first.words)) and CLOSED.match(self.formula.after)
        return named if is_subject and BETWEEN.match(self.between) else None  # of a letter of the cell, it must hold

    def _may_be_said(self) -> bool:
        second = self.second
        alone = _is_alone(self.first) and _is_alone(second)
        plainly = not second.qualified and not second.conditions and self.first.surface != self.loss
        one = ENDS.search(self.between) is None
        return alone and plainly and one and not speaks_of_others(f"{self.sentence} {self.between}")

    @property
    def between(self) -> str:
        return plain(self.second.words)

    @property
    def _around(self) -> str:
        return f"{self.sentence} {self.between} {first_words(self.formula.after)}"

    @property
    def _is_aside(self) -> bool:
        """Whether nothing but the place of the two formulas makes one the other: no sign or word between them does, or the sentence is
        about something else.
        """
        told = BETWEEN.match(self.between) or SIGN.fullmatch(self.between) or NAMES.search(self.between)
        about = NAMES.search(self.sentence)
        return (
            SUBORDINATE.search(self.sentence) is not None
            or COMPARED.search(self.between) is not None
            or not (told or about)
        )

    @property
    def said(self) -> bool:
        """Whether the sentence begins as one that says what a letter is."""
        return says_meaning(self.first) or HERE.search(self.sentence) is not None

    @property
    def by(self) -> bool:
        """Whether the words speak of a derivative by the second formula, or of it."""
        return BY.search(self.between) is not None and LEADS.match(self.between) is not None

    @property
    def announced(self) -> bool:
        return self.said and (BETWEEN.match(self.between) is not None or self.by)

    @property
    def altered(self) -> bool:
        """Whether the letter is something else than the formula: twice of it, or the gradient of 2 L."""
        last = (
            self.third[0] if self.by and self.third is not None and self.second.surface == self.loss else self.formula
        )
        in_words = ALTERED.search(self.between) or ALTERED.match(first_words(last.after))
        return in_words is not None or (self.by and not _is_name(self.second.surface))

    def _meant(self) -> s.Surface | None:
        """What is said of the first formula: the second, or the derivative of the loss by it, or by the third one."""
        second = self.second.surface
        surface = second.items[0] if isinstance(second, s.Relation) else second
        if surface is None or (isinstance(surface, s.Name) and surface.text in CONVENTIONAL_INDICES):
            return None
        if not self.by:
            return surface
        if surface == self.loss:
            third = None if self.third is None else self.third[1]
            given = third is not None and _is_alone(third) and OF_LOSS.match(plain(third.words)) is not None
            surface = third.surface if given and third is not None else None
        return None if surface is None else s.Sequence((s.Scripted(s.Mark("nabla"), (surface,)), self.loss))


def _in_words_alone(found: Sequence[tuple[Formula, Claim]], loss: s.Surface) -> Iterator[Claim]:
    """Letters that words alone say to be something else than usual: ``where $z_t$ is twice the pre-activation``, ``$L$ is the mean of``."""
    for formula, claim in found:
        of_the_loss = claim.surface == loss and OF_THE_LOSS.search(plain(claim.sentence)) is not None
        said = _is_alone(claim) and (says_meaning(claim) or of_the_loss or HERE.search(plain(claim.sentence)))
        words = first_words(formula.after)
        if said and STARTS.match(words) and ALTERED.search(words) and claim.surface is not None:
            surface = s.Relation((":=",), (_subject(claim.surface), s.Text(words.strip())), span=claim.surface.span)
            yield replace(claim, surface=surface, altered=True, error=ParseError("what the words say is not read"))


def _is_name(surface: s.Surface | None) -> bool:
    return surface is not None and base_of(s.bare(surface))[0] is not None


def _subject(surface: s.Surface) -> s.Surface:
    return surface.items[0] if isinstance(surface, s.Relation) else surface


def _is_alone(claim: Claim) -> bool:
    """Whether a formula within a line is no equation; a set that it belongs to says nothing but its size."""
    surface = claim.surface
    alone = not isinstance(surface, (s.Relation, s.Line, type(None))) or (
        isinstance(surface, s.Relation) and surface.operators == ("in",)
    )
    return claim.inline and claim.error is None and alone


def _is_of_adjoints(claim: Claim) -> bool:
    """Whether an equation gives a letter that everybody takes for a derivative another derivative as its meaning."""
    if not isinstance(claim.surface, s.Relation):
        return False
    left, right = claim.surface.items
    marks = any(isinstance(node, s.Mark) and node.kind in ("nabla", "partial") for node in right.walk())
    return is_adjoint(left) and (marks or is_adjoint(right))


def is_adjoint(node: s.Surface) -> bool:
    """Whether a formula is δ or a letter with a bar, with whatever labels."""
    return means_adjoint(*base_of(s.bare(node)))


def means_adjoint(base: str | None, accents: Sequence[str]) -> bool:
    """Whether everybody takes a letter for a derivative of the loss."""
    return base == "delta" or "bar" in accents


def _named(first: Claim, meant: s.Surface) -> Claim | None:
    """The equation that gives one of two formulas, a name, the other as its meaning."""
    left = first.surface.items[0] if isinstance(first.surface, s.Relation) else first.surface
    if left is None:
        return None
    right = meant
    if base_of(s.bare(left))[0] is None:
        left, right = right, left
    if base_of(s.bare(left))[0] is None:
        return None
    return replace(
        first, surface=s.Relation((":=",), (left, right), span=None if first.surface is None else first.surface.span)
    )


__all__ = ["DEFINES", "is_adjoint", "means_adjoint", "named_on_the_left", "namings", "says_meaning"]
