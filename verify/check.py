"""Checking a document: one verdict for each displayed equation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from derive import expressions as e
from derive.cell import Cell
from derive.errors import BpttError, ParseError, UsageError
from derive.notation import surface as s
from derive.notation.elaborate import elaborate
from derive.notation.parser import parse_one
from derive.notation.references import ReferenceReader
from derive.notation.source import Source
from derive.system import T
from verify.asides import Asides
from verify.checked import Checked
from verify.claims import Claim, all_claims
from verify.diagnosis.explain import Explanation, explain
from verify.document import formulas_of
from verify.factors import spelled_out
from verify.formula import Subject, verdict_on
from verify.instances import Condition
from verify.introduced import introduced, times_of, with_loss
from verify.limits import TooLong, limited
from verify.memberships import is_membership
from verify.names import Definition, Names
from verify.own_cell import own_cell
from verify.require import Answer, Result, Wanted, results
from verify.values import Values
from verify.verdict import Verdict

DRAWS = 8
"""How many random instances of the cell a formula is tried on."""
SECONDS, SECONDS_TO_EXPLAIN, SECONDS_TO_READ = 6, 3, 8
"""How long one equation may take to be decided and to be explained, and the definitions of a document to be found."""
MAX_BYTES = 1_000_000
"""The longest document that is checked."""


def check(
    text: str,
    cell: Cell | None = None,
    *,
    name: str = "<text>",
    aliases: Mapping[str, str] | Iterable[str] = (),
    inline: bool = False,
    draws: int = DRAWS,
    explained: bool = True,
) -> tuple[Checked, ...]:
    """Whether the equations of a document are true.

    Parameters
    ----------
    text    : LaTeX with or without a preamble, Markdown, a notebook, or equations alone.
    cell    : what it is about; without one, the equations of the document that define quantities are the cell.
    name    : what the document is called in messages; its ending says whether it is a notebook.
    aliases : the author's names for quantities, ``{"g_t": "\\\\delta_t"}`` or ``["g_t=\\\\delta_t"]``.
    inline  : whether formulas within lines are checked as well.
    draws   : how many random instances are tried.
    explained : whether it is looked for what is wrong with a wrong equation, which takes up to a few seconds.

    Raises
    ------
    UsageError : an alias cannot be read, the document is a damaged notebook, or there is no cell.

    >>> from derive.cell import cell
    >>> rnn = cell("h_t = \\\\sigma(W h_{t-1} + U x_t)")
    >>> [v.verdict for v in check("$$\\\\frac{\\\\partial h_t}{\\\\partial h_{t-1}} = W$$", rnn)]
    ['wrong']
    """
    return checked(text, cell, name=name, aliases=aliases, inline=inline, draws=draws, explained=explained).equations


@dataclass(frozen=True)
class CheckedDocument:
    """The equations of a document with their verdicts, and the names that they are about."""

    equations: tuple[Checked, ...]
    names: Names

    def results(self, wanted: Iterable[Wanted]) -> tuple[Result, ...]:
        """How far the document has what a marker wants."""
        answers = [Answer(one.surface, one.found or _UNREAD, one.line) for one in self.equations]
        return results(wanted, answers, self.names)


_UNREAD = Verdict("unreadable", "tested")


def checked(
    text: str,
    cell: Cell | None = None,
    *,
    name: str = "<text>",
    aliases: Mapping[str, str] | Iterable[str] = (),
    inline: bool = False,
    draws: int = DRAWS,
    explained: bool = True,
) -> CheckedDocument:
    """A document with its verdicts; see :func:`check`."""
    if not isinstance(text, str):
        raise UsageError(f"a document is text, not {type(text).__name__}")
    if len(text) > MAX_BYTES:
        raise UsageError(f"the document has more than {MAX_BYTES:,} characters", hint="is this the right file?")
    formulas = formulas_of(Source(text, name))
    found = all_claims(formulas)
    try:
        with limited(SECONDS_TO_READ):
            subject = (
                own_cell([claim for formula, claim in found if inline or not formula.inline]) if cell is None else cell
            )
            every = with_loss([claim for _, claim in found], Names(subject))
            claims = [claim for (formula, _), claim in zip(found, every, strict=True) if inline or not formula.inline]
            names = Names(subject).with_definitions(_aliases(Names(subject), aliases))
            names = introduced(names, every)
            values = Values(names)
            given = {id(claim) for claim in every if values.take(claim)}
            asides = Asides(names, every)
    except (TooLong, MemoryError, RecursionError):
        raise UsageError(
            "the definitions of the document are too many or too deep to be read", hint="name its cell with --cell"
        ) from None
    checker = _Checker(names, values, asides, tuple(every), draws, explained)
    equations = (_given(claim) if id(claim) in given else checker.checked(claim) for claim in claims)
    return CheckedDocument(tuple(equations), names)


def _given(claim: Claim) -> Checked:
    """A number that the document gives to a quantity."""
    verdict = Verdict("correct", "definition")
    line, column = claim.span.line, claim.span.column
    return Checked(
        line, column, claim.text, "correct", "definition", cell=claim.cell, surface=claim.surface, found=verdict
    )


def _aliases(names: Names, aliases: Mapping[str, str] | Iterable[str]) -> Sequence[Definition]:
    given = aliases.items() if isinstance(aliases, Mapping) else [_split(text) for text in aliases]
    found: list[Definition] = []
    for left, right in given:
        try:
            surface = parse_one(f"{left} = {right}").items[0]
            if not isinstance(surface, s.Relation) or len(surface.items) != 2:
                raise ParseError("it is no equation")
            defined = names.defined([surface], times_of([surface], names))
            if any(one.key in names.system.shapes for one in defined):
                raise ParseError("it is a quantity of the cell")
            found += defined
        except BpttError as error:
            raise UsageError(
                f"the alias {left}={right} cannot be read: {error.message}", expected="such as g_t=\\delta_t"
            ) from None
    return found


def _split(text: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not sign:
        raise UsageError(f"{text!r} is no alias", expected="NAME=FORMULA, such as g_t=\\delta_t")
    return left, right


@dataclass(frozen=True)
class _Checker:
    """What every equation of a document is checked with."""

    names: Names
    values: Values
    asides: Asides
    claims: tuple[Claim, ...]
    draws: int
    explained: bool

    def checked(self, claim: Claim) -> Checked:
        """The verdict on one equation, with what is wrong with it."""
        conditions = _conditions(claim, self.names)
        lengths = [int(b) for sign, a, b in conditions if sign == "=" and a == T and b.is_Integer and b > 0]
        sizes = {"T": lengths[0]} if lengths else {}
        zero = self.values.start_from_zero
        subject = Subject(self.names, self.draws, sizes=sizes, conditions=conditions, zero_counts=zero)
        verdict, explanation = _UNREAD, None
        try:
            with limited(SECONDS):
                subject, verdict = self._decided(claim, subject)
        except TooLong:
            verdict = Verdict("unsupported", "tested", message=f"it takes more than {SECONDS} s to decide")
        except (MemoryError, RecursionError):
            verdict = Verdict("unsupported", "tested", message="it is too deep or too large to be decided")
        if self.explained and verdict.verdict == "wrong" and claim.surface is not None:
            with contextlib.suppress(TooLong, MemoryError, RecursionError), limited(SECONDS_TO_EXPLAIN):
                explanation = explain(subject, claim.surface, verdict)
        return _told(claim, verdict, explanation)

    def _decided(self, claim: Claim, subject: Subject) -> tuple[Subject, Verdict]:
        """The verdict, and what the equation is about: the cell, or, where it says nothing to the cell, something beside it."""
        verdict = _verdict(claim, subject, self.values)
        if verdict.verdict in ("wrong", "unsupported") and self.values.length is not None:
            here = replace(subject, sizes={"T": self.values.length})
            found = _verdict(claim, here, self.values)
            if found.verdict in ("correct", "layout"):
                reading = f"T is {self.values.length}, as the document says"
                return here, replace(found, reading="; ".join(filter(None, (found.reading, reading))))
        if verdict.verdict == "wrong" and (before_end := self._before_the_end(claim)) is not None:
            here = replace(subject, conditions=(*subject.conditions, before_end))
            found = _verdict(claim, here, self.values)
            if found.verdict in ("correct", "layout"):
                reading = f"{before_end[1]} is less than T, for which there is a line of its own"
                return here, replace(found, reading="; ".join(filter(None, (found.reading, reading))))
        member = claim.surface is not None and is_membership(claim.surface)
        if verdict.verdict != "unreadable" and not (member and verdict.verdict == "wrong"):
            return subject, verdict
        aside: tuple[Subject, Verdict] | None = None
        for names in self.asides.subjects(claim):
            other = Subject(names, self.draws)
            found = _verdict(claim, other, Values(names))
            if found.verdict in ("correct", "layout"):
                return other, found
            if found.verdict != "unreadable":
                aside = aside or (other, found)
        return aside or (subject, verdict)

    def _before_the_end(self, claim: Claim) -> Condition | None:
        """t < T for a recursion that is written for every t, where the document says beside it what stands at T."""
        left = _left(claim, self.names)
        if not isinstance(left, e.Timed) or not left.time.is_Symbol or left.time == T:
            return None
        if not any(other.name == left.name and other.time == T for other in self.last):
            return None
        return "<", left.time, T

    @cached_property
    def last(self) -> tuple[e.Timed, ...]:
        """The left sides that stand at T."""
        sides = (_left(claim, self.names) for claim in self.claims)
        return tuple(side for side in sides if isinstance(side, e.Timed) and side.time == T)


def _left(claim: Claim, names: Names) -> e.Node | None:
    """What the left side of an equation is, where it can be read alone."""
    if not isinstance(claim.surface, s.Relation) or claim.error is not None or claim.surface.operators[0] != "=":
        return None
    try:
        node = elaborate(claim.surface.items[0], names.context)
    except BpttError:
        return None
    if isinstance(node, e.Gradient) and isinstance(node.by, e.Timed):
        return e.Timed(names.system.adjoint_names.get(node.by.name, ""), node.by.time, *node.by.shape)
    return node


def _told(claim: Claim, verdict: Verdict, explanation: Explanation | None) -> Checked:
    return Checked(
        claim.span.line,
        claim.span.column,
        claim.text,
        verdict.verdict,
        verdict.evidence,
        verdict.reading,
        verdict.message or ("the two sides differ" if verdict.verdict == "wrong" else ""),
        verdict.hint if explanation is None else explanation.steps[2],
        verdict.counterexample,
        claim.cell,
        tuple(link.verdict for link in verdict.links),
        "" if explanation is None else explanation.correction,
        () if explanation is None else explanation.steps,
        claim.surface,
        verdict,
    )


def _verdict(claim: Claim, subject: Subject, values: Values) -> Verdict:
    if claim.surface is None or claim.error is not None:
        error = claim.error
        return Verdict(
            "unreadable",
            "tested",
            message="" if error is None else error.message,
            hint=(error and error.hint) or "",
            error_at=None if error is None else error.span,
        )
    if not isinstance(claim.surface, (s.Relation, s.Line)):
        return Verdict("unsupported", "tested", message="it is no equation, so it claims nothing")
    surface = claim.surface
    if isinstance(surface, s.Relation):
        try:
            surface = spelled_out(surface, subject.names.context.shapes)
        except BpttError as error:
            return Verdict("wrong", "tested", message=error.message, error_at=error.span)
    return verdict_on(subject.names, surface, subject.decide, values.judge)


def _conditions(claim: Claim, names: Names) -> tuple[Condition, ...]:
    """The relations between times beside an equation."""
    reader = ReferenceReader(names.context.scope)
    found: list[Condition] = []
    for relation in claim.conditions:
        if relation.operators == ("in",):
            continue
        values = [reader.index_or_none(item) for item in relation.items]
        for sign, (a, b) in zip(relation.operators, pairwise(values), strict=True):
            if a is not None and b is not None:
                found.append((sign, a, b))
    return tuple(found)


__all__ = ["Checked", "CheckedDocument", "check", "checked"]
