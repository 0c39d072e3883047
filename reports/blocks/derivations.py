"""Blocks that derive: cells, Jacobians, gradients, proofs. Each result is measured against autograd before it is printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from derive import expressions as e
from derive.cell import Cell
from derive.cell_text import read_cell_text
from derive.derivation import Derivation, Step
from derive.errors import UsageError, clipped
from derive.expressions import make
from derive.forms import MAX_STEPS
from derive.notation.present import present
from derive.ranges import ranges
from derive.substitute import substitute
from numeric.validate import Validation, validate_derivation, validate_gradients
from reports.block_calls import BlockCall
from reports.blocks.context import Measurement, SheetContext, context_of
from reports.blocks.registry import REGISTRY
from reports.document import Aligned, AlignedLine, Block, Display, Inlines, Math, Paragraph, Table, words

_RANGE = re.compile(r"([0-9]{1,6})(?:\s*-\s*([0-9]{1,6}))?")


@REGISTRY.block("cell", options=("show", "based-on", "preactivations"), required=("name",), body="required")
def cell_block(call: BlockCall) -> Sequence[Block]:
    """``bptt cell``: define a cell by its equations (the body) under a ``name``; ``show: no`` prints nothing, ``based-on`` replaces equations."""
    context = context_of(call)
    name = call.text("name")
    if name in context.cells:
        raise call.error(f"the sheet has a cell called {clipped(name)!r} already", "name", expected="another name")
    if "based-on" in call.options:
        base = context.cell(call, "based-on")
        subject = base.replacing(*(line for line in call.body.splitlines() if line.strip()))
    else:
        subject = Cell(read_cell_text(call.body_source))
    context.cells[name] = subject
    if not call.flag("show", True):
        return []
    shown = subject.steps if call.flag("preactivations") else subject.equations
    return [Aligned(tuple(AlignedLine(present(q.lhs), "=", present(q.rhs)) for q in shown))]


def lines_of(steps: Sequence[Step], notes: bool = True) -> Aligned:
    """Steps as aligned lines, each with its rule beside it; a left side that repeats is not printed again."""
    lines = []
    previous: e.Node | None = None
    for step in steps:
        lhs = None if step.lhs == previous else present(step.lhs)
        lines.append(AlignedLine(lhs, step.operator, present(step.rhs), words(step.rule) if notes else ()))
        previous = step.lhs
    return Aligned(tuple(lines))


def _selected(call: BlockCall, derivation: Derivation) -> Sequence[Step]:
    """The steps that a block asks for: ``all``, ``derived`` (without the equations of the cell), ``result``, or numbers such as ``3-5, 7``."""
    wanted = call.options.get("steps", "derived")
    if wanted == "all":
        return derivation.steps
    if wanted == "derived":
        return [step for step in derivation.steps if step.proved != "definition" or step.rule not in ("equation of the cell", "pre-activation")]
    if wanted == "result":
        gradients = [step for step in derivation.steps if call.name == "gradients" and isinstance(step.lhs, e.Gradient)]
        return gradients or derivation.steps[-1:]
    return [derivation.steps[k - 1] for k in _numbers(call, wanted, len(derivation.steps))]


def _numbers(call: BlockCall, text: str, last: int) -> list[int]:
    chosen: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise call.error(f"steps is {clipped(text)!r}", "steps", expected="all, derived, result, or numbers such as 3-5, 7")
        low, high = int(match.group(1)), int(match.group(2) or match.group(1))
        if not 1 <= low <= high <= last:
            raise call.error(f"steps is {clipped(text)!r}, but there are {last} steps", "steps", expected=f"numbers from 1 to {last}")
        chosen += range(low, high + 1)
    return chosen


def _printed(call: BlockCall, context: SheetContext, derivation: Derivation, measured: Validation | None) -> list[Block]:
    blocks: list[Block] = []
    steps = _selected(call, derivation)
    if steps:
        blocks.append(lines_of(steps, call.flag("rules", True)))
    if measured is not None:
        subject: Inlines = (Math(present(derivation.target)), *words(_kind(derivation)))
        context.measurements.append(Measurement(subject, measured))
        if call.flag("show-measured", True):
            blocks.append(measured_line(measured))
    return blocks


def _kind(derivation: Derivation) -> str:
    for phrase, name in (("double sum,", ""), ("as a double sum", ", double sum"), ("written out", ", written out"), ("adjoint recursion", ", adjoint recursion")):
        if phrase in derivation.title and name:
            return name
    return ""


def measured_line(measured: Validation) -> Paragraph:
    """What was measured, in one sentence."""
    low, high = measured.lengths
    length = f"T = {low}" if low == high else f"T = {low} to {high}"
    sizes = f"{', '.join(measured.sizes)} from 2 to 6" if measured.sizes else "fixed sizes"
    size = f"largest relative error {scientific(measured.error)} over {measured.draws} random draws ({sizes}, {length}, float64)"
    return Paragraph(words(f"Measured against automatic differentiation: {size}."))


def scientific(value: float) -> str:
    """A small number for a sentence: 3·10⁻¹⁶."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{raised}"


@REGISTRY.block("jacobian", options=("steps", "rules", "show-measured", "where"), required=("cell", "of", "wrt"))
def jacobian_block(call: BlockCall) -> Sequence[Block]:
    """``bptt jacobian``: ∂a/∂b with its steps. Options: cell, of, wrt, steps, rules, where (values such as ``f_t = 1``), show-measured."""
    context = context_of(call)
    subject = context.cell(call)
    derivation = subject.jacobian(call.text("of"), call.text("wrt"))
    measured = validate_derivation(subject, derivation, context.draws, context.seed)
    blocks = _printed(call, context, derivation, measured)
    if "where" in call.options:
        blocks.append(Display(present(_special_case(subject, derivation, call.options["where"]))))
    return blocks


def _special_case(subject: Cell, derivation: Derivation, where: str) -> e.Relation:
    """The result with quantities replaced by what the cell says they are, simplified."""
    values: dict[e.Node, e.Node] = {}
    for part in where.split(","):
        relation = subject.read(part.strip())
        if not isinstance(relation, e.Relation):
            raise UsageError(f"{part.strip()!r} is not an equation", expected="values such as f_t = \\mathbf{1}, i_t = 0")
        value = relation.rhs
        values[relation.lhs] = make.zero(relation.lhs.shape) if make.is_zero(value) else value
    return e.Relation("=", derivation.target, substitute(derivation.result, values))


@REGISTRY.block("gradient", options=("form", "length", "steps", "rules", "show-measured"), required=("cell", "wrt"))
def gradient_block(call: BlockCall) -> Sequence[Block]:
    """``bptt gradient``: ∇L by ``wrt``. Options: cell, wrt, form (recursion, double-sum, unrolled), length, steps, rules, show-measured."""
    context = context_of(call)
    subject = context.cell(call)
    form = call.options.get("form", "recursion")
    derivation = subject.gradient(call.text("wrt"), form, call.integer("length", 3, least=1, most=MAX_STEPS))
    # The double sum's truth runs the whole unrolled system once for every entry of every derivative in it.
    draws = context.draws if form == "recursion" else max(2, context.draws // 4)
    measured = validate_derivation(subject, derivation, draws, context.seed)
    return _printed(call, context, derivation, measured)


@REGISTRY.block("gradients", options=("steps", "rules", "show-measured"), required=("cell",))
def gradients_block(call: BlockCall) -> Sequence[Block]:
    """``bptt gradients``: the whole adjoint recursion and all gradients of a cell."""
    context = context_of(call)
    subject = context.cell(call)
    derivation = replace(subject.gradients(), target=e.Gradient(e.Var("theta"), e.Var(subject.loss_name)))
    measured = replace(validate_gradients(subject, context.draws, context.seed), subject="all gradients")
    return _printed(call, context, derivation, measured)


@REGISTRY.block("proof", options=("steps", "rules"), required=("cell", "wrt"))
def proof_block(call: BlockCall) -> Sequence[Block]:
    """``bptt proof``: the double sum for ``wrt`` equals the adjoint recursion, for every T."""
    context = context_of(call)
    derivation = context.cell(call).equivalence(call.text("wrt"))
    return _printed(call, context, derivation, None)


@REGISTRY.block("ranges", required=("cell",))
def ranges_block(call: BlockCall) -> Sequence[Block]:
    """``bptt ranges``: in which interval each quantity of a cell lies, and whether it is always positive."""
    context = context_of(call)
    subject = context.cell(call)
    rows: list[tuple[Inlines, ...]] = []
    for key, interval in ranges(subject).items():
        equation = next(q for q in subject.equations if q.key == key)
        rows.append((
            (Math(present(e.Relation("=", equation.lhs, equation.rhs))),), words(str(interval)), words("yes" if interval.positive else "no"),
        ))  # fmt: skip
    header = (words("quantity"), words("entries lie in"), words("always positive"))
    return [Table(header, tuple(rows), ("left", "center", "center"))]


@REGISTRY.block("measurements")
def measurements_block(call: BlockCall) -> Sequence[Block]:
    """``bptt measurements``: a table of everything that was measured so far."""
    context = context_of(call)
    rows = []
    for entry in context.measurements:
        low, high = entry.validation.lengths
        rows.append((
            entry.subject, words(str(entry.validation.draws)), words(f"{low} to {high}" if low != high else str(low)),
            words(scientific(entry.validation.error)),
        ))  # fmt: skip
    if not rows:
        raise call.error("nothing was measured before this block", expected="a block such as jacobian or gradient above it")
    header = (words("result"), words("draws"), words("length T"), words("largest relative error"))
    return [Table(header, tuple(rows), ("left", "center", "center", "right"))]


__all__ = ["cell_block", "gradient_block", "gradients_block", "jacobian_block", "lines_of", "measurements_block", "proof_block", "ranges_block"]
