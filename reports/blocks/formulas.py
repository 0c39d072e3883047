"""Formulas of the sheet's own: checked before they are printed, or computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from derive import expressions as e
from derive.cell import Cell
from derive.errors import BpttError, ParseError, ValidationError
from derive.notation.elaborate import read_formula
from derive.notation.present import present
from derive.spectra import from_sympy, scalar
from numeric.draws import farthest
from numeric.evaluate import Evaluator
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.judging import Case, Subject, judged, read_relation, subject_of, surface_of
from reports.blocks.phrases import scientific
from reports.blocks.registry import REGISTRY
from reports.document import Aligned, AlignedLine, Block, Inlines, words
from reports.rounding import matrix_surface, significant, spelled
from reports.walk import aligned
from verify.closed import value_of
from verify.instances import Trial, instance, instances

SLACK = 1e-12
"""How far rounding may carry a side of an inequality beyond the other, relative to the larger."""

LONGEST_VALUE = 60
"""The longest exact number that is printed in one piece."""

_BOUNDS = {"<=": 1.0, "<": 1.0, ">=": -1.0, ">": -1.0}


@dataclass(frozen=True)
class Tested:
    """What the test of a link of a chain gave: ``points`` is 0 where it was proved or computed, ``error`` None for a
    bound.
    """

    points: int
    error: float | None = None
    bound: bool = False


@REGISTRY.block("formula", options=("cell", "draws", "show-measured"), required=("says",))
def formula_block(call: BlockCall) -> Sequence[Block]:
    """``bptt formula``: formulas of the sheet's own, printed only if they hold. ``says``: a chain of equations and
    bounds on each line; ``cell``, ``draws``.
    """
    context = context_of(call)
    subject = subject_of(call, context)
    lines: list[AlignedLine] = []
    found: list[Tested] = []
    for text in call.text("says").splitlines():
        relation = read_relation(subject, text)
        found += [_link(call, subject, relation, k) for k in range(len(relation.operators))]
        lines += aligned(surface_of(text)).lines
    footer = _sentence(found, subject) if call.flag("show-measured", True) and not context.short else ()
    return [Aligned(tuple(lines), footer)]


def _link(call: BlockCall, subject: Subject, relation: e.Relation, position: int) -> Tested:
    """One link of a chain.

    Raises
    ------
    ValidationError : it does not hold.
    """
    operator = relation.operators[position]
    link = e.Relation(operator, *relation.items[position : position + 2])
    if operator in _BOUNDS:
        return _exact_bound(call, link) if subject.cell is None else _bound(call, subject, subject.cell, link)
    verdict = judged(subject, link, Case())
    if verdict.verdict != "correct":
        detail = verdict.message or str(verdict.counterexample or "")
        raise ValidationError(f"this formula does not hold: {link}", span=call.places["says"], expected=detail or None)
    return Tested(verdict.points, verdict.error) if verdict.evidence == "tested" else Tested(0)


def _exact_bound(call: BlockCall, link: e.Relation) -> Tested:
    """An inequality of numbers, entry by entry."""
    left, right = (np.array(value_of(side).evalf(30).tolist(), dtype=float) for side in link.items)
    _insist_on_bound(call, link, left, right, {})
    return Tested(0, bound=True)


def _bound(call: BlockCall, subject: Subject, cell: Cell, link: e.Relation) -> Tested:
    """An inequality, entry by entry, at random points."""
    points = 0
    trial = Trial(subject.draws, subject.seed)
    for number in range(subject.draws):
        drawn, run = instance(cell, trial, number, farthest(link))
        for times in instances(link, run, np.random.default_rng([subject.seed + number, 3])):
            try:
                left, right = (np.real(Evaluator(run, drawn.sizes, times)(side)) for side in link.items)
            except BpttError:
                continue
            _insist_on_bound(call, link, left, right, times)
            points += 1
    if not points:
        raise call.error(f"there is no point at which every quantity of {link} exists", "says")
    return Tested(points, bound=True)


def _insist_on_bound(
    call: BlockCall, link: e.Relation, left: np.ndarray, right: np.ndarray, times: dict[str, int]
) -> None:
    operator = link.operators[0]
    gap = (right - left) * _BOUNDS[operator]
    slack = SLACK * max(float(np.max(np.abs(left))), float(np.max(np.abs(right))))
    holds = np.all(gap > 0) if operator in ("<", ">") else np.all(gap >= -slack)
    if not holds:
        where = f" at {times}" if times else ""
        raise ValidationError(
            f"this bound does not hold: {link}",
            span=call.places["says"],
            expected=f"left {left.ravel()}, right {right.ravel()}{where}",
        )


def _sentence(found: Sequence[Tested], subject: Subject) -> Inlines:
    """How the links were tested."""
    points = max(tested.points for tested in found)
    if subject.cell is None or not points:
        return words("Computed exactly." if subject.cell is None else "Proved, for all sizes.")
    errors = [tested.error for tested in found if tested.error is not None]
    largest = max(errors, default=0.0)
    agreement: Inlines = (
        (*words("; the sides agree up to a relative error of "), *scientific(largest)) if largest else ()
    )
    if errors and not largest:
        agreement = words("; the sides are exactly equal")
    proved = any(not tested.bound and not tested.points for tested in found)
    start = "Tested" if errors or not proved else "The equations are proved; the bound is tested"
    return (*words(f"{start} at {points} points of {subject.draws} draws"), *agreement, *words("."))


@REGISTRY.block("value", options=("digits", "name"), required=("of",))
def value_block(call: BlockCall) -> Sequence[Block]:
    """``bptt value``: what closed formulas come to. ``of``: one or more, a line each; ``digits``: rounded to so many;
    ``name`` stands before.
    """
    digits = call.integer("digits", 0, least=1, most=40)
    name = surface_of(call.options["name"]) if "name" in call.options else None
    lines: list[AlignedLine] = []
    for text in call.text("of").splitlines():
        formula, value = surface_of(text), _value(text, digits)
        lines += (
            [AlignedLine(name, "=", formula), replace(value, lhs=None)]
            if name is not None
            else [replace(value, lhs=formula)]
        )
    return [Aligned(tuple(lines))]


def _value(text: str, digits: int) -> AlignedLine:
    """= or ≈ and the value of a closed formula."""
    exact = value_of(read_formula(text))
    if not digits and max(len(str(entry)) for entry in exact) > LONGEST_VALUE:
        raise ParseError(
            f"the exact value has more than {LONGEST_VALUE} characters",
            expected="an option digits, which rounds it",
        )
    if not digits:
        return AlignedLine(None, "=", present(scalar(exact[0, 0]) if exact.shape == (1, 1) else from_sympy(exact)))
    rounded = any(sp.Rational(significant(entry, digits)) != entry for entry in exact)
    return AlignedLine(None, "~" if rounded else "=", matrix_surface(exact, lambda entry: spelled(entry, digits)))


__all__ = ["formula_block", "value_block"]
