"""One equation of a document: what it is about, the verdict, and what is wrong."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from derive import expressions as e
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import elaborate
from derive.system import T
from verify.announced import says_meaning
from verify.asides import Asides
from verify.checked import Checked
from verify.chosen import is_denied
from verify.claims import Claim
from verify.conditions import bound_in, conditions_of, has_unread, letters_of, meant, restricts
from verify.diagnosis.explain import Explanation, explain
from verify.doubts import Doubts
from verify.factors import spelled_out
from verify.formula import Numeric, Subject, verdict_on
from verify.instances import Condition
from verify.limits import TooLong, limited
from verify.measure import LONGEST
from verify.memberships import is_membership
from verify.names import Names
from verify.put_in import judge_put_in
from verify.shares import READING, has_shares, of_steps
from verify.values import Values
from verify.verdict import Verdict

SECONDS, SECONDS_TO_EXPLAIN = 5, 3
"""How long one equation may take to be decided, and to be explained."""
_GENERAL = re.compile(
    r"\b(?:general|generally|arbitrary|any|every|each length|whatever|for all|all other|larger|longer|allgemein\w*|beliebig\w*|für alle"
    r"|exercise \d|aufgabe \d|end of|ende de[rs])\b|^#{1,6} |\\(?:sub)*(?:section|paragraph)\b"
    r"|\\end\s*\{\s*(?:example|exercise|remark|beispiel|aufgabe)",
    re.IGNORECASE | re.MULTILINE,
)
"""Words from which on no length is meant any more."""
_BEYOND = re.compile(
    r"\b(?:more than|longer than|less than|at least|at most|up to|until|beyond|last|previous|old|"
    r"mehr als|länger als|mindestens|höchstens|bis|"
    r"letzte\w*|"
    r"vorige\w*)\b",
    re.IGNORECASE,
)
"""Words before a length that is not that of the sequence."""
UNREAD = Verdict("unreadable", "tested")
"""The verdict on what nobody has looked at."""


@dataclass(frozen=True)
class Checker:
    """What every equation of a document is checked with."""

    names: Names
    values: Values
    asides: Asides
    claims: tuple[Claim, ...]
    draws: int
    explained: bool = False
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Letters that stand for something else than usual, and a sentence about each."""
    doubts: Doubts | None = None
    decided: dict[int, tuple[Claim, Subject, Verdict]] = field(default_factory=dict, repr=False, compare=False)
    """What was decided with these names: a document is gone through more than once."""

    def holds(self, names: Names, claim: Claim) -> bool:
        """Whether a claim is right, with these names in place of those of the document."""
        other = self if names is self.names else replace(self, names=names, values=Values(names), decided={})
        return replace(other, explained=False, doubts=None).checked(claim).accepted

    def checked(self, claim: Claim) -> Checked:
        """The verdict on one equation, with what is wrong with it."""
        conditions = meant(conditions_of(claim, self.names), claim)
        lengths = [int(b) for sign, a, b in conditions if sign == "=" and a == T and b.is_Integer and b > 0]
        sizes = {"T": lengths[0]} if lengths and lengths[0] < LONGEST else {}
        zero = self.values.start_from_zero
        subject = Subject(
            self.names, self.draws, sizes=sizes, conditions=conditions, zero_counts=zero, ordered=claim.ordered
        )
        verdict, explanation = UNREAD, None
        if has_unread(claim, self.names):
            unread = Verdict("unsupported", "tested", message="the condition beside it is not read")
            return _told(claim, unread, None)
        telling = [one for one in conditions if restricts([one]) or len(letters_of([one])) > 1]
        bound = bound_in(claim.surface, letters_of(telling))
        if bound:
            message = f"the condition speaks of {min(bound)}, which stands in a sum or a product alone"
            return _told(claim, Verdict("unsupported", "tested", message=message), None)
        if id(claim) not in self.decided:
            self.decided[id(claim)] = (claim, *self._in_time(claim, subject))
        _, subject, verdict = self.decided[id(claim)]
        verdict = self._with_names(claim, verdict)
        if self.explained and verdict.verdict == "wrong" and claim.surface is not None:
            with contextlib.suppress(TooLong, MemoryError, RecursionError), limited(SECONDS_TO_EXPLAIN):
                explanation = explain(subject, claim.surface, verdict)
        return _told(claim, verdict, explanation)

    def _in_time(self, claim: Claim, subject: Subject) -> tuple[Subject, Verdict]:
        """The verdict, where it is found in time."""
        try:
            with limited(SECONDS):
                return self._decided(claim, subject)
        except TooLong:
            message = f"it takes more than {SECONDS} s to decide"
        except (MemoryError, RecursionError):
            message = "it is too deep or too large to be decided"
        return subject, Verdict("unsupported", "tested", message=message)

    def _with_names(self, claim: Claim, verdict: Verdict) -> Verdict:
        """The verdict with what its letters mean, where that is not what everybody means; none, where nobody knows."""
        if verdict.verdict == "wrong" and self.doubts is not None and (left_open := self.doubts.left_open(claim)):
            return Verdict("unsupported", "tested", message=left_open)
        if verdict.verdict not in ("correct", "layout") or claim.surface is None:
            return verdict
        doubt = self.doubts.about(claim) if self.doubts is not None else ""
        if doubt:
            return Verdict("unsupported", "tested", message=doubt)
        found = [self.meanings[key] for key in self.meanings if key in self.names.keys_in(claim.surface)]
        return replace(verdict, reading="; ".join(filter(None, (verdict.reading, *found)))) if found else verdict

    def _decided(self, claim: Claim, subject: Subject) -> tuple[Subject, Verdict]:
        """The verdict, and what the equation is about where it is so: by the words of the document, or beside the cell."""
        shares = claim.surface is not None and has_shares(claim.surface, self.names)
        if shares and all(
            term.final for term in self.names.system.loss_terms
        ):  # L^{(T)} is no L_T, where the loss has no parts
            unread = Verdict(
                "unsupported", "tested", message="a share of a step stands beside another derivative by its parameter"
            )
            return self._of_steps(claim, subject) or (subject, unread)
        verdict = _verdict(claim, subject, self.values.judge)
        if verdict.verdict in ("wrong", "unsupported"):
            for other, reading in self._as_said(claim, subject):
                found = _verdict(claim, other, self.values.judge)
                if found.verdict in ("correct", "layout"):
                    said = "; ".join(filter(None, (found.reading, reading)))
                    return other, replace(found, reading=said, one_length=other.sizes != subject.sizes)
            found = _verdict(claim, subject, self._with_numbers) if self.values.any else verdict
            if found.verdict != "wrong" and verdict.verdict == "wrong":
                put_in = dict.fromkeys(link.put_in for link in (*found.links, found) if link.put_in)
                return subject, replace(found, reading="; ".join(filter(None, (found.reading, *put_in))))
        columns = self.names.in_columns if verdict.verdict == "wrong" else self.names
        if columns.definitions != self.names.definitions:
            other = replace(subject, names=columns)
            found = _verdict(claim, other, Values(columns).judge)
            if found.verdict in ("correct", "layout"):
                return other, replace(found, verdict="layout")
        if verdict.verdict in ("unsupported", "unreadable") and shares:
            share = self._of_steps(claim, subject)
            if share is not None:
                return share
        member = claim.surface is not None and is_membership(claim.surface)
        if verdict.verdict == "unreadable" or (member and verdict.verdict == "wrong"):
            return self._beside(claim) or (subject, verdict)
        return subject, verdict

    def _with_numbers(self, link: s.Relation) -> Verdict | None:
        return self.values.judge(link) or judge_put_in(self.values, link)

    def _of_steps(self, claim: Claim, subject: Subject) -> tuple[Subject, Verdict] | None:
        """The verdict on a formula about what one step adds to the derivative by a parameter; None where it is none."""
        found = None if claim.surface is None or claim.error else of_steps(claim.surface, self.names)
        if found is None:
            return None
        names, surface = found
        other = replace(subject, names=names)
        verdict = _verdict(replace(claim, surface=surface), other, Values(names).judge)
        return (other, replace(verdict, reading=READING)) if verdict.verdict != "unreadable" else None

    def _as_said(self, claim: Claim, subject: Subject) -> Iterator[tuple[Subject, str]]:
        """What the document says of the times that are meant: T = 3, or a line of its own for the last step."""
        zeros = self.values.zeros
        if zeros and not self.values.start_from_zero:
            yield (
                replace(subject, zeros=zeros),
                " and ".join(f"{start.latex()} = 0" for start in zeros) + ", as the document says",
            )
        length = self._length_before(claim)
        if length is not None and length < LONGEST:
            yield replace(subject, sizes={"T": length}), f"T is {length}, as the document says"
        before_end = self._before_the_end(claim)
        if before_end is not None:
            conditions = (*subject.conditions, before_end)
            reading = f"{before_end[1]} is less than T, for which there is a line of its own"
            yield replace(subject, conditions=conditions), reading

    def _length_before(self, claim: Claim) -> int | None:
        """The length of the sequence that the document has given where a claim stands: in a sentence of its own, by "let", or, for an
        equation that is written out for so many steps, by words of any kind that do not deny it.
        """
        found, written_out = None, _last_step(claim.surface)
        for other in self.claims:
            if other is claim:
                found = None if _GENERAL.search(claim.words) else found
                break
            if _GENERAL.search(other.words):
                found = None
            length = _length(other.surface) if other.error is None and not is_denied(other) else None
            if length is None:
                continue
            if found not in (None, length) and other.inline:
                found = None  # the document names two
            elif _BEYOND.search(other.sentence):
                continue
            elif says_meaning(other) or not other.inline or length == written_out:
                found = length
        return self.values.length_of_numbers if found is None else found

    def _beside(self, claim: Claim) -> tuple[Subject, Verdict] | None:
        """The verdict on a formula about something beside the cell; None for one that is about nothing known."""
        first: tuple[Subject, Verdict] | None = None
        for names in self.asides.subjects(claim):
            other = Subject(names, self.draws)
            found = _verdict(claim, other, Values(names).judge)
            if found.verdict in ("correct", "layout"):
                return other, found
            if found.verdict != "unreadable":
                first = first or (other, found)
        return first

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
        """The left sides that stand at T in equations that hold, and say more than X = X."""
        found = [(claim, _left(claim, self.names)) for claim in self.claims]
        own = replace(self, explained=False, doubts=None)
        return tuple(
            side
            for claim, side in found
            if isinstance(side, e.Timed) and side.time == T and not _is_empty(claim) and own.checked(claim).accepted
        )


def _is_empty(claim: Claim) -> bool:
    """Whether an equation has twice the same side."""
    return isinstance(claim.surface, s.Relation) and claim.surface.items[0] == claim.surface.items[1]


def _length(surface: s.Surface | None) -> int | None:
    """The number of T = 3."""
    if not isinstance(surface, s.Relation) or surface.operators not in (("=",), (":=",)):
        return None
    left, right = surface.items
    known = left == s.Name("T") and isinstance(right, s.Number) and right.text.isdecimal()
    return int(right.text) if known and isinstance(right, s.Number) else None


def _last_step(surface: s.Surface | None) -> int | None:
    """The last of the steps that an equation writes out one by one; None where a letter stands for a time."""
    nodes = [] if surface is None else list(surface.walk())
    times = [node.subs[-1] for node in nodes if isinstance(node, s.Scripted) and node.subs]
    numbers = [int(time.text) for time in times if isinstance(time, s.Number) and time.text.isdecimal()]
    open_ = any(isinstance(node, s.Big) for node in nodes) or s.Name("T") in times
    return None if open_ or not numbers else max(numbers)


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


def _verdict(claim: Claim, subject: Subject, numeric: Numeric) -> Verdict:
    if claim.surface is None or claim.error is not None:
        error = claim.error
        return Verdict(
            "unreadable",
            "tested",
            message="" if error is None else error.message,
            hint="" if error is None else _advice(error),
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
    return verdict_on(subject.names, surface, subject.decide, numeric)


def _advice(error: BpttError) -> str:
    """What to do about a formula that cannot be read."""
    expected = f"expected: {error.expected}" if error.expected else ""
    return "; ".join(filter(None, (expected, error.hint)))


def given(claim: Claim) -> Checked:
    """A number that the document gives to a quantity."""
    verdict = Verdict("correct", "definition")
    line, column = claim.span.line, claim.span.column
    return Checked(
        line, column, claim.text, "correct", "definition", cell=claim.cell, surface=claim.surface, found=verdict
    )


__all__ = ["UNREAD", "Checker", "given"]
