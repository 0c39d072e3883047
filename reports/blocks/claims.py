"""The block ``claim``: what a source says, judged. What the author of the sheet expects must be what is found."""

from __future__ import annotations

from collections.abc import Sequence

from derive.errors import ParseError, ValidationError
from reports.block_calls import BlockCall
from reports.blocks.context import Correction, Finding, SheetContext, context_of
from reports.blocks.judging import read_case, subject_of, surface_of, verdict_on
from reports.blocks.registry import REGISTRY
from reports.document import Block, CodeSpan, Inlines, Math
from verify.verdict import Verdict

EXPECTATIONS = ("correct", "layout", "definition", "wrong", "approximation", "special case", "unreadable")

_WRONG = ("wrong", "approximation", "special case")
"""Expectations under which the formula does not hold in general."""


@REGISTRY.block(
    "claim",
    options=("cell", "says", "reading", "holds", "holds-cell", "case", "draws", "note"),
    required=("place", "expect"),
)
def claim_block(call: BlockCall) -> Sequence[Block]:
    """``bptt claim``: a formula of a source, or our reading of it. Prints nothing; ``bptt findings`` prints all claims.

    Options: ``place`` (its number in the source), ``says`` (the formula as printed), ``reading`` (the formula that is
    judged, where the printed one leaves something open; without ``says`` it is marked as ours), ``cell``, ``expect``
    (what must be found), ``holds`` and ``holds-cell`` (the correct form, judged too), ``case`` (where it must hold: ``n
    = 1``, ``k = t-1``), ``draws``, ``note`` (a remark).
    """
    context = context_of(call)
    expected = call.choice("expect", EXPECTATIONS, "correct")
    if not (call.text("says") or call.text("reading")):
        raise call.error("the claim has no formula", expected="an option says or reading, or both")
    if (expected == "special case") != ("case" in call.options):
        raise call.error("the option case goes with expect: special case", "expect", expected="both, or neither")
    judged = call.text("reading") or call.text("says")
    verdict = verdict_on(subject_of(call, context), judged)
    _insist(call, judged, verdict, expected)
    if expected == "special case":
        _check_case(call, context, judged)
    context.findings.append(_finding(call, context, verdict, expected))
    return []


def _finding(call: BlockCall, context: SheetContext, verdict: Verdict, expected: str) -> Finding:
    printed, unreadable = _printed(call.text("says"))
    return Finding(
        place=call.sentence("place"),
        printed=printed,
        reading=_printed(call.text("reading"))[0],
        unreadable=unreadable,
        verdict=verdict,
        draws=subject_of(call, context).draws,
        expected=expected,
        case=_case(call),
        correction=_correction(call, context),
        note=call.sentence("note"),
    )


def _printed(text: str) -> tuple[Inlines, str]:
    """A formula as it is written, and why it cannot be read where it cannot."""
    if not text:
        return (), ""
    try:
        return (Math(surface_of(text)),), ""
    except ParseError as error:
        return (CodeSpan(text),), error.message


def _case(call: BlockCall) -> Inlines:
    return (Math(surface_of(call.text("case"))),) if "case" in call.options else ()


def _insist(call: BlockCall, text: str, verdict: Verdict, expected: str) -> None:
    """What was found must be what the sheet says. A definition of the source must hold in the cell, whichever way that
    is seen.
    """
    wanted = "wrong" if expected in _WRONG else "correct" if expected == "definition" else expected
    derived = "\\partial" in text or "\\nabla" in text  # a derivative is a result, and no definition
    if verdict.verdict == wanted and not (expected == "definition" and derived):
        return
    found = f"{verdict.verdict}: {text}"
    raise ValidationError(
        f"the sheet expects {expected!r}, but this was found {found}",
        span=call.places.get("expect", call.span),
        hint=_why(verdict),
    )


def _why(verdict: Verdict) -> str | None:
    return verdict.message or (str(verdict.counterexample) if verdict.counterexample else None)


def _check_case(call: BlockCall, context: SheetContext, text: str) -> None:
    """In its special case the formula must hold."""
    verdict = verdict_on(subject_of(call, context), text, read_case(call, subject_of(call, context)))
    if verdict.verdict != "correct":
        raise ValidationError(
            f"the formula does not hold for {call.options['case']} either: {text}",
            span=call.places["case"],
            hint=_why(verdict),
        )


def _correction(call: BlockCall, context: SheetContext) -> Correction | None:
    """The correct form, if the sheet gives one; it is judged as well."""
    if "holds" not in call.options:
        return None
    text = call.options["holds"]
    subject = subject_of(call, context, "holds-cell")
    verdict = verdict_on(subject, text)
    if verdict.verdict != "correct":
        raise ValidationError(f"the correction does not hold: {text}", span=call.places["holds"], hint=_why(verdict))
    return Correction((Math(surface_of(text)),), verdict, subject.draws)
