"""The block ``findings``: what a source says and what holds, one callout a claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from derive.notation import surface as s
from reports.block_calls import BlockCall
from reports.blocks.context import Finding, context_of
from reports.blocks.phrases import message, percent, scientific
from reports.blocks.registry import REGISTRY
from reports.document import Block, Callout, CalloutKind, CodeBlock, Inlines, Math, Paragraph, words
from reports.walk import aligned, plain_text
from verify.readings import FROM_ZERO, IMMEDIATE, TURNED, ZERO_START
from verify.verdict import Verdict

_TITLES: dict[str, tuple[str, CalloutKind]] = {
    "correct": ("holds", "result"), "definition": ("a definition", "result"), "wrong": ("false", "warning"),
    "approximation": ("an approximation", "note"), "special case": ("only in a special case", "note"),
    "unreadable": ("cannot be read", "warning"), "layout": ("holds, in the other layout", "note"),
}  # fmt: skip

_READINGS = {
    "": "As it stands",
    IMMEDIATE: "Read with the immediate derivative of the state by the parameter",
    FROM_ZERO: "With times counted from 0",
    ZERO_START: "With states that start from zero",
    TURNED: "With the factors of the product in the opposite order",
}
"""How the readings that are tried are called on a sheet."""

_SUMMARY = {
    "correct": ("holds", "hold"), "definition": ("is a definition", "are definitions"),
    "special case": ("holds in a special case only", "hold in a special case only"),
    "approximation": ("is an approximation", "are approximations"),
    "layout": ("holds in the other layout", "hold in the other layout"),
    "wrong": ("is false", "are false"), "unreadable": ("cannot be read", "cannot be read"),
}  # fmt: skip
"""What is said of one claim, and of several."""

_OWN = "our reading"


@REGISTRY.block("findings", options=("summary",))
def findings_block(call: BlockCall) -> Sequence[Block]:
    """``bptt findings``: each claim with its verdict, how that was found, and the correct form; ``summary: no`` leaves
    out the count above them.
    """
    context = context_of(call)
    findings = context.findings
    if not findings and not context.answers:
        return []  # the claims stand in answers, which are left out
    if not findings:
        raise call.error("no claim stands before this block", expected="a block 'bptt claim' above it")
    shown: list[Block] = [_summary(findings)] if call.flag("summary", True) else []
    return [*shown, *(finding_callout(finding) for finding in findings)]


def _summary(findings: Sequence[Finding]) -> Paragraph:
    counts = Counter(finding.expected for finding in findings)
    parts = [f"{counts[kind]} {said[counts[kind] > 1]}" for kind, said in _SUMMARY.items() if counts[kind]]
    unsure = sum(finding.expected == "correct" and bool(finding.verdict.tried) for finding in findings)
    if unsure:
        parts[0] += f" ({unsure} of them in one of its readings only)"
    listed = ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else parts[0]
    own = sum(not finding.printed for finding in findings)
    readings = f" Not printed in the source, but our reading of its words, and marked so: {own}." if own else ""
    return Paragraph(words(f"Of {len(findings)} formula{'s' if len(findings) > 1 else ''}, {listed}.{readings}"))


def finding_callout(finding: Finding) -> Callout:
    """One claim: where it stands and what was found, the formula, how it was found, and what holds."""
    title, kind = _TITLES[finding.expected]
    if finding.expected == "correct" and finding.verdict.tried:
        title, kind = "holds in one reading", "note"
    place = finding.place if finding.printed else (*finding.place, *words(f", {_OWN}"))
    evidence = _joined(_evidence(finding))
    inside: list[Block] = [_formula(finding.printed, () if finding.reading else evidence)] if finding.printed else []
    if finding.unreadable:
        inside.append(Paragraph((*words("As printed it cannot be read: "), *message(finding.unreadable), *words("."))))
    if finding.reading:
        inside += [*([Paragraph(words("Read as"))] if finding.printed else []), _formula(finding.reading, evidence)]
    if finding.correction is not None:
        correction = finding.correction
        inside += [
            Paragraph(words("What holds:")),
            _formula(correction.body, _agreement(correction.verdict, correction.draws, _is_bound(correction.body))),
        ]
    if finding.note:
        inside.append(Paragraph(finding.note))
    return Callout(kind, (*place, *words(f": {title}")), tuple(inside))


def _formula(body: Inlines, footer: Inlines) -> Block:
    """A formula on lines of its own, broken where it is long; text that could not be read as one stays text."""
    first = body[0]
    return (
        replace(aligned(first.surface), footer=footer)
        if isinstance(first, Math)
        else CodeBlock(plain_text(body), "latex")
    )


def _joined(sentences: Sequence[Inlines]) -> Inlines:
    return tuple(piece for k, sentence in enumerate(sentences) for piece in (*(words(" ") if k else ()), *sentence))


def _evidence(finding: Finding) -> list[Inlines]:
    """How the verdict was found, a sentence for each reading that was tried."""
    verdict, draws = finding.verdict, finding.draws
    if verdict.verdict == "unreadable" or finding.expected == "definition":
        return []
    special = [(*words("It holds for "), *finding.case, *words("."))] if finding.case else []
    if verdict.tried:
        return [*(_of_reading(tried, draws) for tried in verdict.tried), *special]
    if verdict.verdict in ("correct", "layout"):
        body = finding.reading or finding.printed
        return [_agreement(verdict, draws, _is_bound(body), _is_membership(body))]
    if verdict.message and not verdict.points:
        return [(*words("It has no meaning: "), *message(verdict.message), *words("."))]
    return [_disagreement(verdict, draws), *special]


def _of_reading(verdict: Verdict, draws: int) -> Inlines:
    """What was found in one of several readings."""
    how = _READINGS.get(verdict.reading, f"Read so that {verdict.reading}")
    found = _agreement(verdict, draws) if verdict.verdict == "correct" else _disagreement(verdict, draws)
    return (*words(f"{how}: "), *_lowered(found))


def _lowered(sentence: Inlines) -> Inlines:
    first = plain_text(sentence[:1])
    return (*words(first[:1].lower() + first[1:]), *sentence[1:])


def _is_bound(formula: Inlines) -> bool:
    """Whether a formula says that something is at most, or at least, something else."""
    surfaces = (piece.surface for piece in formula if isinstance(piece, Math))
    return any(
        isinstance(surface, s.Relation) and set(surface.operators) & {"<", "<=", ">", ">="} for surface in surfaces
    )


def _is_membership(formula: Inlines) -> bool:
    """Whether a formula says of which size something is."""
    surfaces = (piece.surface for piece in formula if isinstance(piece, Math))
    return any(
        isinstance(item, s.Relation) and "in" in item.operators
        for surface in surfaces
        for item in (surface.items if isinstance(surface, s.Line) else (surface,))
    )


def _agreement(verdict: Verdict, draws: int, bound: bool = False, membership: bool = False) -> Inlines:
    if verdict.evidence == "definition":
        sizes = "The equations and the declared sizes leave no other."
        return words(sizes if membership else "An equation of the cell.")
    if verdict.exact:
        return words("Computed exactly.")
    if verdict.evidence == "proved":
        return words("Proved, for all sizes and all T." if verdict.points else "Proved, for all sizes.")
    where = _where(verdict.points, draws)
    if bound:
        return words(f"The bound holds at {where}.")
    if verdict.error == 0:
        return words(f"The two sides are exactly equal at {where}.")
    return (
        *words(f"The two sides agree at {where}, up to a relative error of "),
        *scientific(verdict.error),
        *words("."),
    )


def _disagreement(verdict: Verdict, draws: int) -> Inlines:
    if verdict.exact:
        return words(f"Computed exactly, the two sides differ by {percent(verdict.error)}.")
    if verdict.holds:
        apart = verdict.points - verdict.holds
        return words(
            f"The two sides differ at {apart} of {_where(verdict.points, draws)}, there by {percent(verdict.error)} in the median."
        )
    return words(
        f"The two sides differ at all {_where(verdict.points, draws)}, by {percent(verdict.error)} in the median."
    )


def _where(points: int, draws: int) -> str:
    return f"{points} points of {draws} draws"
