"""Blocks about what a source says: every formula is judged by evaluation, and what the author of the sheet expects must be what is found."""

from __future__ import annotations

from collections.abc import Sequence

from derive import expressions as e
from derive.errors import BpttError, ParseError, ValidationError
from derive.notation.elaborate import read_formula
from derive.notation.present import present
from derive.notation.surface import Surface
from reports.block_calls import BlockCall
from reports.blocks.context import Finding, SheetContext, context_of
from reports.blocks.derivations import scientific
from reports.blocks.registry import REGISTRY
from reports.document import Block, Callout, CalloutKind, CodeBlock, CodeSpan, Inlines, Math, Paragraph, aligned, plain_text, words
from verify.closed import judge_closed
from verify.judge import Verdict, judge

EXPECTATIONS = ("correct", "definition", "wrong", "special case", "unreadable")

_LABELS = {"correct": "holds", "definition": "definition", "wrong": "false", "special case": "only in a special case", "unreadable": "unreadable"}


@REGISTRY.block("claim", options=("cell", "holds", "holds-cell", "case", "draws", "note"), required=("place", "says", "expect"))
def claim_block(call: BlockCall) -> Sequence[Block]:
    """``bptt claim``: a formula of the source.

    Options: ``place`` (its number in the source), ``cell``, ``says`` (the formula as printed), ``expect`` (correct, definition, wrong, special
    case, unreadable), ``holds`` (the correct form, judged too), ``case`` (sizes such as ``n = 1`` in which it must hold, for a special case),
    ``draws``, ``note`` (a remark in Markdown). Prints nothing; the table comes from ``bptt findings``.
    """
    context = context_of(call)
    expected = call.choice("expect", EXPECTATIONS, "correct")
    text = call.text("says")
    verdict, printed = _judged(call, context, text)
    _insist(call, text, verdict, expected)
    if expected == "special case":
        _check_case(call, context, text)
    correction = _correction(call, context)
    note = call.sentence("note")
    context.findings.append(Finding(call.sentence("place"), printed, verdict, _LABELS[expected], correction, note))
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
        found = context.cell(call, "holds-cell").read(text)
    if not isinstance(found, e.Relation):
        raise call.error(f"{text!r} is not an equation", expected="left side = right side")
    return found


def _verdict(call: BlockCall, context: SheetContext, relation: e.Relation, cell_option: str, sizes: dict[str, int] | None = None) -> Verdict:
    if "cell" not in call.options:
        return judge_closed(relation)
    subject = context.cell(call) if cell_option == "cell" or "holds-cell" not in call.options else context.cell(call, "holds-cell")
    draws = call.integer("draws", 6, least=1, most=1000)
    return judge(subject, relation, draws, context.seed, sizes)


def _insist(call: BlockCall, text: str, verdict: Verdict, expected: str) -> None:
    """What was found must be what the sheet says."""
    found = verdict.evidence if verdict.evidence == "definition" else verdict.verdict
    wanted = {"special case": "wrong"}.get(expected, expected)
    if found != wanted and not (wanted == "correct" and verdict.verdict == "correct"):
        raise ValidationError(
            f"the sheet calls this {expected}, but it was found {found}: {text}",
            span=call.places["expect"],
            hint=_why(verdict),
        )


def _why(verdict: Verdict) -> str | None:
    return verdict.message or (str(verdict.counterexample) if verdict.counterexample else None)


def _check_case(call: BlockCall, context: SheetContext, text: str) -> None:
    """In its special case the formula must hold."""
    sizes = {}
    for part in call.text("case").split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if not (name and value.isascii() and value.isdecimal() and 1 <= int(value) <= 6):
            raise call.error(f"case is {call.text('case')!r}", "case" if "case" in call.options else None, expected="sizes from 1 to 6, such as n = 1")
        sizes[name] = int(value)
    verdict = _verdict(call, context, _relation(call, context, text, "cell"), "cell", sizes)
    if verdict.verdict != "correct":
        raise ValidationError(f"the formula does not hold for {call.options['case']} either: {text}", span=call.places["case"], hint=_why(verdict))


def _correction(call: BlockCall, context: SheetContext) -> Inlines:
    """The correct form, if the sheet gives one; it is judged as well."""
    if "holds" not in call.options:
        return ()
    text = call.options["holds"]
    relation = _relation(call, context, text, "holds-cell")
    verdict = _verdict(call, context, relation, "holds-cell")
    if verdict.verdict != "correct":
        raise ValidationError(f"the correction does not hold: {text}", span=call.places["holds"], hint=_why(verdict))
    return (Math(present(relation)),)


@REGISTRY.block("findings")
def findings_block(call: BlockCall) -> Sequence[Block]:
    """``bptt findings``: what the source says and what holds: each claim with its verdict, its measured error, and the correct form."""
    context = context_of(call)
    if not context.findings:
        raise call.error("no claim stands before this block", expected="a block 'bptt claim' above it")
    return [block for finding in context.findings for block in _finding(finding)]


def _finding(finding: Finding) -> list[Block]:
    """One claim: where it stands and what was found, the formula as printed, and what holds."""
    kind: CalloutKind = "result" if finding.label in ("holds", "definition") else "warning"
    inside: list[Block] = [_formula(finding.printed)]
    if finding.correction:
        inside += [Paragraph(words("What holds:")), _formula(finding.correction)]
    if finding.note:
        inside.append(Paragraph(finding.note))
    return [Callout(kind, (*finding.place, *words(f": {_found(finding)}")), tuple(inside))]


def _formula(body: Inlines) -> Block:
    """A formula on lines of its own, broken where it is long; text that could not be read as one stays text."""
    first = body[0]
    return aligned(first.surface) if isinstance(first, Math) else CodeBlock(plain_text(body), "latex")


def _percent(error: float) -> str:
    """A relative error for a sentence."""
    return f"{100 * error:.2g} %" if error < 0.995 else f"{100 * error:.0f} %"


def _found(finding: Finding) -> str:
    verdict = finding.verdict
    if finding.label == "unreadable":
        return f"unreadable: {verdict.message}"
    if verdict.verdict == "wrong" and verdict.message:
        return f"{finding.label}: {verdict.message}"
    if verdict.verdict == "wrong":
        share = f"; holds at {verdict.holds} of {verdict.points} points" if verdict.holds else ""
        return f"{finding.label}; typical relative error {_percent(verdict.error)}{share}"
    if verdict.evidence == "definition":
        return "holds, by definition"
    if verdict.evidence == "proved":
        return "holds (proved)"
    reading = " with ∂⁺ for the last factor" if verdict.reading else ""
    return f"holds{reading} ({verdict.points} points, error {scientific(verdict.error)})"
