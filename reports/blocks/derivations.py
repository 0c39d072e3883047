"""Blocks that derive: cells, Jacobians, gradients, proofs. Each result is measured against autograd before it is
printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from derive import expressions as e
from derive.cell import FORMS, Cell
from derive.cell_text import read_cell_text
from derive.derivation import Derivation, Step
from derive.errors import ValidationError, clipped
from derive.expressions import make
from derive.forms import MAX_STEPS
from derive.notation import surface as s
from derive.notation.present import present
from derive.ranges import Interval, ranges
from derive.substitute import substitute
from numeric.bounds import measure_bound
from numeric.validate import validate_derivation, validate_gradients, validate_hessian_vector
from reports.block_calls import BlockCall
from reports.blocks.context import Measurement, context_of
from reports.blocks.measured import measured_sentence, measurement
from reports.blocks.phrases import remark
from reports.blocks.registry import REGISTRY
from reports.document import Aligned, AlignedLine, Block, Inlines, Math, Table, words
from verify.judge import judge

_RANGE = re.compile(r"([0-9]{1,6})(?:\s*-\s*([0-9]{1,6}))?")


@REGISTRY.block(
    "cell", options=("show", "based-on", "preactivations"), required=("name",), body="required", defines=True
)
def cell_block(call: BlockCall) -> Sequence[Block]:
    """``bptt cell``: define a cell by its equations (the body) under a ``name``; ``show: no`` prints nothing,
    ``based-on`` replaces equations.
    """
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
    shown = [(q.lhs, q.rhs) for q in (subject.steps if call.flag("preactivations") else subject.equations)]
    if subject.text.loss is not None:
        shown.append((e.Var(subject.loss_name), subject.text.loss))
    return [Aligned(tuple(AlignedLine(present(left), "=", present(right)) for left, right in shown))]


def lines_of(steps: Sequence[Step], notes: bool = True) -> tuple[AlignedLine, ...]:
    """Steps as aligned lines, each with its rule beside it. A left side that repeats is not printed again, and several
    quantities that are zero for one reason share a line."""
    lines: list[AlignedLine] = []
    previous: e.Node | None = None
    for group in _grouped(steps):
        first, *others = group
        note = remark(first) if notes else ()
        lhs = None if first.lhs == previous else present(first.lhs)
        rhs = present(first.rhs)
        if others:
            rhs = s.Relation(("=",) * len(others), (*(present(step.lhs) for step in others), rhs))
        lines.append(AlignedLine(lhs, first.operator, rhs, note))
        previous = group[-1].lhs
    return tuple(lines)


def _grouped(steps: Sequence[Step]) -> list[list[Step]]:
    groups: list[list[Step]] = []
    for step in steps:
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and make.is_zero(step.rhs)
            and make.is_zero(before.rhs)
            and step.rule == before.rule
            and step.lhs != before.lhs
        ):
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _selected(call: BlockCall, derivation: Derivation) -> Sequence[Step]:
    """The steps that a block asks for: ``all``, ``derived`` (without the equations of the cell), ``result``, ``bounds``
    (the inequalities), or numbers such as ``3-5, 7``.
    """
    wanted = call.options.get("steps", "derived")
    if context_of(call).short and wanted in ("all", "derived"):
        wanted = "result"
    if wanted == "all":
        return derivation.steps
    if wanted == "derived":
        return [
            step
            for step in derivation.steps
            if step.proved != "definition" or step.rule not in ("equation of the cell", "pre-activation")
        ]
    if wanted == "bounds":
        return [step for step in derivation.steps if step.operator == "<="]
    if wanted == "result":
        gradients = [step for step in derivation.steps if call.name == "gradients" and isinstance(step.lhs, e.Gradient)]
        return gradients or derivation.steps[-1:]
    return [derivation.steps[k - 1] for k in _numbers(call, wanted, len(derivation.steps))]


def _numbers(call: BlockCall, text: str, last: int) -> list[int]:
    chosen: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise call.error(
                f"steps is {clipped(text)!r}",
                "steps",
                expected="all, derived, result, bounds, or numbers such as 3-5, 7",
            )
        low, high = int(match.group(1)), int(match.group(2) or match.group(1))
        if not 1 <= low <= high <= last:
            raise call.error(
                f"steps is {clipped(text)!r}, but there are {last} steps", "steps", expected=f"numbers from 1 to {last}"
            )
        chosen += range(low, high + 1)
    return chosen


def _printed(
    call: BlockCall, derivation: Derivation, entry: Measurement | None, more: Sequence[AlignedLine] = ()
) -> list[Block]:
    """The lines that a block asks for, ``more`` lines after them, and what was measured."""
    short = context_of(call).short
    lines = (*lines_of(_selected(call, derivation), call.flag("rules", True) and not short), *more)
    footer: Inlines = ()
    if entry is not None:
        context_of(call).measurements.append(entry)
        footer = measured_sentence(entry) if call.flag("show-measured", True) and not short else ()
    return [Aligned(lines, footer)] if lines else []


@REGISTRY.block(
    "jacobian", options=("of", "wrt", "vec", "steps", "rules", "show-measured", "where"), required=("cell",)
)
def jacobian_block(call: BlockCall) -> Sequence[Block]:
    """``bptt jacobian``: ∂a/∂b with its steps, or the joint state's J_t where neither is named. Options: cell, of, wrt,
    vec, steps, rules, where (values such as ``f_t = 1``), show-measured.
    """
    context = context_of(call)
    subject = context.cell(call)
    if ("of" in call.options) != ("wrt" in call.options):
        raise call.error("of and wrt go together", "cell", expected="both, or none for the joint state of all states")
    derivation = subject.jacobian(call.options.get("of"), call.options.get("wrt"), call.flag("vec", False))
    measured = validate_derivation(subject, derivation, context.draws, context.seed)
    special = _special_case(call, subject, derivation, context.seed) if "where" in call.options else ()
    return _printed(call, derivation, measurement(subject, call.text("cell"), derivation, measured), special)


def _special_case(call: BlockCall, subject: Cell, derivation: Derivation, seed: int) -> tuple[AlignedLine, ...]:
    """The result with quantities replaced by values that they have in the cell, and what becomes of it.

    Raises
    ------
    ValidationError : the simplified result does not hold in the cell.
    """
    values: dict[e.Node, e.Node] = {}
    for part in call.options["where"].split(","):
        relation = subject.read(part.strip())
        if not isinstance(relation, e.Relation):
            raise call.error(
                f"{part.strip()!r} is not an equation", "where", expected="values such as f_t = \\mathbf{1}, i_t = 0"
            )
        value = relation.rhs
        values[relation.lhs] = make.zero(relation.lhs.shape) if make.is_zero(value) else value
    replaced, simplified = derivation.result.xreplace(values), substitute(derivation.result, values)
    if judge(subject, e.Relation("=", derivation.target, simplified), 3, seed).verdict != "correct":
        raise ValidationError(
            f"with {call.options['where']} the result does not hold in this cell", span=call.places["where"]
        )
    note: Inlines = tuple(
        piece for value in values.items() for piece in (*words(", "), Math(present(e.Relation("=", *value))))
    )[1:]
    lines = [AlignedLine(None, "=", present(replaced), note)]
    return (*lines, AlignedLine(None, "=", present(simplified))) if simplified != replaced else tuple(lines)


@REGISTRY.block(
    "gradient",
    options=("form", "length", "truncate-after", "steps", "rules", "show-measured"),
    required=("cell", "wrt"),
)
def gradient_block(call: BlockCall) -> Sequence[Block]:
    """``bptt gradient``: ∇L by ``wrt``. Options: cell, wrt, form (recursion, double-sum, unrolled, rtrl), length,
    truncate-after, steps, rules, show-measured.
    """
    context = context_of(call)
    subject = context.cell(call)
    form = call.choice("form", FORMS, "recursion")
    length = call.integer("length", 3, least=1, most=MAX_STEPS)
    derivation = subject.gradient(call.text("wrt"), form, length, call.options.get("truncate-after"))
    # The double sum's truth runs the whole unrolled system once for every entry of every derivative in it.
    draws = context.draws if form == "recursion" else max(2, context.draws // 4)
    measured = validate_derivation(subject, derivation, draws, context.seed)
    return _printed(call, derivation, measurement(subject, call.text("cell"), derivation, measured))


@REGISTRY.block("gradients", options=("steps", "rules", "show-measured"), required=("cell",))
def gradients_block(call: BlockCall) -> Sequence[Block]:
    """``bptt gradients``: the whole adjoint recursion and all gradients of a cell."""
    context = context_of(call)
    subject = context.cell(call)
    derivation = subject.gradients()
    measured = validate_gradients(subject, context.draws, context.seed)
    return _printed(
        call,
        derivation,
        measurement(subject, call.text("cell"), derivation, measured, words("all gradients, adjoint recursion")),
    )


@REGISTRY.block("hessian-vector", options=("wrt", "along", "steps", "rules", "show-measured"), required=("cell",))
def hessian_vector_block(call: BlockCall) -> Sequence[Block]:
    """``bptt hessian-vector``: the Hessian of the loss times a direction in the parameters ``along``, at ``wrt``. Options:
    cell, wrt, along (names with commas between them), steps, rules, show-measured.
    """
    context = context_of(call)
    subject = context.cell(call)
    along = [name.strip() for name in call.options.get("along", "").split(",") if name.strip()]
    derivation = subject.hessian_vector(call.options.get("wrt"), along)
    measured = validate_hessian_vector(subject, along, context.draws, context.seed)
    entry = measurement(subject, call.text("cell"), derivation, measured, words("Hessian-vector product"))
    return _printed(call, derivation, entry)


@REGISTRY.block("norm-bound", options=("steps", "rules", "show-measured"), required=("cell",))
def norm_bound_block(call: BlockCall) -> Sequence[Block]:
    """``bptt norm-bound``: how large the gradient of the last loss can be after many steps. Options: cell, steps, rules,
    show-measured.
    """
    context = context_of(call)
    subject = context.cell(call)
    derivation = subject.norm_bound()
    reached = measure_bound(subject, context.draws, context.seed, derivation)
    lines = lines_of(_selected(call, derivation), call.flag("rules", True))
    sharpest = reached[0]
    text = f"The left side is {sharpest.smallest:.2g} to {sharpest.largest:.2g} times the first bound in {sharpest.draws} draws."
    return [Aligned(lines, words(text) if call.flag("show-measured", True) else ())]


@REGISTRY.block("proof", options=("steps", "rules"), required=("cell", "wrt"))
def proof_block(call: BlockCall) -> Sequence[Block]:
    """``bptt proof``: the double sum for ``wrt`` equals the adjoint recursion, for every T."""
    context = context_of(call)
    derivation = context.cell(call).equivalence(call.text("wrt"))
    return _printed(call, derivation, None)


@REGISTRY.block("ranges", options=("caption",), required=("cell",))
def ranges_block(call: BlockCall) -> Sequence[Block]:
    """``bptt ranges``: in which interval each quantity of a cell lies, and whether it is always positive."""
    subject = context_of(call).cell(call)
    rows: list[tuple[Inlines, ...]] = []
    for key, interval in ranges(subject).items():
        equation = next(q for q in subject.equations if q.key == key)
        shown = Math(present(e.Relation("=", equation.lhs, equation.rhs)))
        rows.append(((shown,), words(interval_text(interval)), words("yes" if interval.positive else "no")))
    header = (words("quantity"), words("entries lie in"), words("always positive"))
    return [Table(header, tuple(rows), ("left", "center", "center"), call.sentence("caption"))]


def interval_text(interval: Interval) -> str:
    """An interval in words, with minus signs."""
    return str(interval).replace("-", "−")


__all__ = [
    "cell_block",
    "gradient_block",
    "gradients_block",
    "hessian_vector_block",
    "jacobian_block",
    "lines_of",
    "norm_bound_block",
    "proof_block",
    "ranges_block",
]
