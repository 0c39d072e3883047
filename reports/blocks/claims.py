"""Blocks about what a source says: every formula is judged by evaluation, and what the author of the sheet expects must be what is found."""

from __future__ import annotations

from collections.abc import Sequence

from derive import expressions as e
from derive.errors import BpttError, ParseError, UsageError, ValidationError
from derive.notation.elaborate import read_formula
from derive.notation.present import present
from derive.notation.surface import Surface
from reports.blocks.context import Finding, SheetContext, allowed, required
from reports.blocks.derivations import scientific
from reports.document import Block, CodeSpan, Inlines, Math, Table, words
from reports.markdown import BlockCall, read_inlines
from verify.closed import judge_closed
from verify.judge import Verdict, judge

EXPECTATIONS = ("correct", "definition", "wrong", "special case", "unreadable")

_LABELS = {"correct": "holds", "definition": "definition", "wrong": "false", "special case": "only in a special case", "unreadable": "unreadable"}


def claim_block(call: BlockCall, context: SheetContext) -> Sequence[Block]:
    """``bptt claim``: a formula of the source.

    Options: ``place`` (its number in the source), ``cell``, ``says`` (the formula as printed), ``expect`` (correct, definition, wrong, special
    case, unreadable), ``holds`` (the correct form, judged too), ``case`` (sizes such as ``n = 1`` in which it must hold, for a special case),
    ``draws``, ``note`` (a remark in Markdown). Prints nothing; the table comes from ``bptt findings``.
    """
    allowed(call, "place", "cell", "says", "expect", "holds", "case", "draws", "note", "holds-cell")
    expected = required(call, "expect")
    if expected not in EXPECTATIONS:
        raise UsageError(f"'expect: {expected}'", span=call.span, expected=f"one of {', '.join(EXPECTATIONS)}")
    text = required(call, "says")
    verdict, printed = _judged(call, context, text)
    _insist(call, text, verdict, expected)
    if expected == "special case":
        _check_case(call, context, text)
    correction = _correction(call, context)
    note = read_inlines(call.options["note"], call) if "note" in call.options else ()
    context.findings.append(Finding(required(call, "place"), printed, verdict, _LABELS[expected], correction, note))
    return []


def _judged(call: BlockCall, context: SheetContext, text: str) -> tuple[Verdict, Inlines]:
    """The verdict on a formula, and how it is printed."""
    try:
        relation = _relation(call, context, text, "cell")
    except ParseError as error:
        return Verdict("unreadable", "tested", message=error.message), (CodeSpan(text),)
    except BpttError as error:
        # Read, but its operands do not conform or its names stand for nothing: that is what the source prints.
        return Verdict("wrong", "tested", message=error.message), (Math(_surface(text)),)
    return _verdict(call, context, relation, "cell"), (Math(present(relation)),)


def _surface(text: str) -> Surface:
    from derive.notation.parser import parse_one

    return parse_one(text).items[0]


def _relation(call: BlockCall, context: SheetContext, text: str, cell_option: str) -> e.Relation:
    found = context.cell(call).read(text) if "cell" in call.options else read_formula(text)
    if cell_option == "holds-cell" and "holds-cell" in call.options:
        found = context.cells[call.options["holds-cell"]].read(text)
    if not isinstance(found, e.Relation):
        raise UsageError(f"{text!r} is not an equation", span=call.span, expected="left side = right side")
    return found


def _verdict(call: BlockCall, context: SheetContext, relation: e.Relation, cell_option: str, sizes: dict[str, int] | None = None) -> Verdict:
    if "cell" not in call.options:
        return judge_closed(relation)
    subject = context.cell(call) if cell_option == "cell" or "holds-cell" not in call.options else context.cells[call.options["holds-cell"]]
    draws = int(call.options.get("draws", "6"))
    return judge(subject, relation, draws, context.seed, sizes)


def _insist(call: BlockCall, text: str, verdict: Verdict, expected: str) -> None:
    """What was found must be what the sheet says."""
    found = verdict.evidence if verdict.evidence == "definition" else verdict.verdict
    wanted = {"special case": "wrong"}.get(expected, expected)
    if found != wanted and not (wanted == "correct" and verdict.verdict == "correct"):
        raise ValidationError(
            f"the sheet calls this {expected}, but it was found {found}: {text}",
            span=call.span,
            expected=verdict.message or (str(verdict.counterexample) if verdict.counterexample else None),
        )


def _check_case(call: BlockCall, context: SheetContext, text: str) -> None:
    """In its special case the formula must hold."""
    sizes = {}
    for part in required(call, "case").split(","):
        name, _, value = part.partition("=")
        sizes[name.strip()] = int(value)
    verdict = _verdict(call, context, _relation(call, context, text, "cell"), "cell", sizes)
    if verdict.verdict != "correct":
        raise ValidationError(f"the formula does not hold for {call.options['case']} either: {text}", span=call.span)


def _correction(call: BlockCall, context: SheetContext) -> Inlines:
    """The correct form, if the sheet gives one; it is judged as well."""
    if "holds" not in call.options:
        return ()
    text = call.options["holds"]
    relation = _relation(call, context, text, "holds-cell")
    verdict = _verdict(call, context, relation, "holds-cell")
    if verdict.verdict != "correct":
        raise ValidationError(f"the correction does not hold: {text}", span=call.span, expected=str(verdict.counterexample or verdict.message))
    return (Math(present(relation)),)


def findings_block(call: BlockCall, context: SheetContext) -> Sequence[Block]:
    """``bptt findings``: what the source says and what holds, one row a claim."""
    allowed(call)
    if not context.findings:
        raise UsageError("no claim stands before this block", span=call.span, expected="a block 'bptt claim' above it")
    header = (words("where"), words("the source prints"), words("found"), words("what holds"))
    rows = []
    for finding in context.findings:
        separator: Inlines = words(" ") if finding.correction and finding.note else ()
        rows.append((words(finding.place), finding.printed, words(_found(finding)), (*finding.correction, *separator, *finding.note)))
    return [Table(header, tuple(rows), ("left", "left", "left", "left"))]


def _found(finding: Finding) -> str:
    verdict = finding.verdict
    if finding.label == "unreadable":
        return f"unreadable: {verdict.message}"
    if verdict.verdict == "wrong" and verdict.message:
        return f"{finding.label}: {verdict.message}"
    if verdict.verdict == "wrong":
        share = f"; holds at {verdict.holds} of {verdict.points} points" if verdict.holds else ""
        return f"{finding.label}; typical relative error {scientific(verdict.error)}{share}"
    if verdict.evidence == "definition":
        return "holds, by definition"
    if verdict.evidence == "proved":
        return "holds (proved)"
    reading = " with ∂⁺ for the last factor" if verdict.reading else ""
    return f"holds{reading} ({verdict.points} points, error {scientific(verdict.error)})"
