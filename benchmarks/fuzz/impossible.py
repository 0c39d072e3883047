"""Verdicts that cannot be: places outside the document, what stays true when a number is added, corrections that are not true."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import bptt
from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.texts import TRUE
from derive.notation import surface as s
from verify.check import CheckedDocument
from verify.checked import Checked

VERDICTS = frozenset({"correct", "layout", "wrong", "unreadable", "unsupported"})
NO_EQUATIONS = ("\\le", "\\ge", "<", ">", "\\in", "\\ne", "\\approx", "\\sim", "≤", "≥", "≈", "≠", "∈")
"""What stays true, or may, when a number is added."""
Again = Callable[[Case], CheckedDocument]
"""Checks another document about the same cell."""


def fault_of(given: Case, found: CheckedDocument, again: Again) -> str:
    """What is impossible about the verdicts on a document; empty if nothing is."""
    for one in found.equations:
        if one.verdict not in VERDICTS:
            return f"the verdict is {one.verdict!r}"
        if not is_place(given, one.line, one.column):
            return f"the place is {one.line}:{one.column}"
    return _spoiled(given, found, again) or _uncorrected(given, found, again)


def is_place(given: Case, line: int, column: int) -> bool:
    """Whether there may be such a place in a document; notebooks write the ends of lines as two characters."""
    return 1 <= line <= given.text.count("\n") + given.text.count("\\n") + 1 and column >= 1


def _spoiled(given: Case, found: CheckedDocument, again: Again) -> str:
    """An equation that stays true when a number is added at its end."""
    if any(word in given.text for word in ("\\def", "command", "\\DeclareMath", "%")) or _is_empty(found):
        return ""
    for one in found.equations[:3]:
        if not _claims(given, found, one) or not _stands_alone(given, one.claim):
            continue
        other = replace(given, text=given.text.replace(one.claim, f"{one.claim} + 7 "))
        with contextlib.suppress(bptt.BpttError):
            changed = again(other)
            for same in changed.equations:
                if (same.line, same.column) == (one.line, one.column) and _claims(other, changed, same):
                    return f"{one.claim!r} is {one.verdict}, and {same.claim!r} as well"
    return ""


def _is_empty(found: CheckedDocument) -> bool:
    """Whether the cell is about vectors without entries, of which everything is true."""
    return any(size == 0 for shape in found.names.system.shapes.values() for size in shape)


def _claims(given: Case, found: CheckedDocument, one: Checked) -> bool:
    """Whether an equation is found true, and not because it says what a name means."""
    return one.accepted and one.evidence != "definition" and not _defines(given, found, one.surface)


def _defines(given: Case, found: CheckedDocument, surface: s.Surface | None) -> bool:
    """Whether an equation says what a name means: for the document, or for the cell where the document is its own."""
    if not isinstance(surface, s.Relation) or len(surface.items) != 2:
        return False
    introduced = surface.span in {definition.span for definition in found.names.definitions}
    of_cell = given.cell is None and found.names.key_of(surface.items[0]) is not None
    return introduced or of_cell or surface.operators == (":=",)


def _stands_alone(given: Case, claim: str) -> bool:
    """Whether a claim is an equation on a line, written once, so that a number can be put behind it."""
    once = given.text.count(claim) == 1 and given.text.count(claim + "\n") == 0 and "\n" not in claim
    return once and "=" in claim and not any(sign in claim for sign in NO_EQUATIONS)


def _uncorrected(given: Case, found: CheckedDocument, again: Again) -> str:
    """A correction that is not found true. Names that the document introduces are not known without it."""
    known = given.cell is not None and not given.aliases and not found.names.definitions
    if not known or "\\def" in given.text or "command" in given.text or len(found.equations) > 4:
        return ""
    for one in found.equations[:2]:
        if one.correction:
            judged = again(Case("", f"$${one.correction}$$")).equations
            if judged and judged[0].verdict == "wrong":
                return f"the correction {one.correction!r} of {one.claim!r} is wrong: {judged[0].message}"
    return ""


def unsound() -> str:
    """What is true and is not found so: an input that is stopped half-way must leave nothing behind. Empty if all is well, or if the
    machine is too slow to say.
    """
    for cell, text in TRUE:
        (found,) = bptt.check(f"$${text}$$", bptt.cell(cell))
        if not found.accepted and "takes more than" not in found.message:
            return f"afterwards {text} is {found.verdict}: {found.message}"
    return ""
