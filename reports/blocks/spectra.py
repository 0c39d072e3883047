"""Blocks about powers of matrices: eigendecomposition, Wⁿ, and what long products do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp

from derive import expressions as e
from derive.cell import Cell
from derive.errors import ValidationError
from derive.jacobian import JacobianEngine
from derive.notation import surface as s
from derive.notation.elaborate import read_formula
from derive.notation.present import present
from derive.spectra import MAX_POWER, behaviour, eigendecomposition, from_sympy, growth, power_theorem, scalar, to_sympy
from numeric.draws import draw, run_of
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.derivations import lines_of
from reports.blocks.registry import REGISTRY
from reports.document import Aligned, AlignedLine, Alignment, Block, Figure, Inlines, Math, Table, words
from reports.plot import Plot, Reference, Series


def matrix_of(text: str, call: BlockCall) -> sp.Matrix:
    """A matrix of numbers from its LaTeX.

    Raises
    ------
    ParseError : it is not one.
    """
    node = read_formula(text)
    if not isinstance(node, e.Block):
        raise call.error(f"{text!r} is not a matrix", expected="a matrix such as \\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}")
    return to_sympy(node)


@REGISTRY.block("power-theorem")
def power_theorem_block(call: BlockCall) -> Sequence[Block]:
    """``bptt power-theorem``: Mⁿ = QΛⁿQ⁻¹ by induction."""
    return [lines_of(power_theorem().steps)]


@REGISTRY.block("eigen", options=("name",), required=("matrix",))
def eigen_block(call: BlockCall) -> Sequence[Block]:
    """``bptt eigen``: the exact eigendecomposition of ``matrix``, checked by multiplying out."""
    matrix = matrix_of(call.text("matrix"), call)
    found = eigendecomposition(matrix)
    if not found.agrees():
        raise ValidationError("the eigendecomposition does not multiply out to the matrix", span=call.span)
    name = s.Name(call.options.get("name", "W"))
    inverse = s.Scripted(s.Name("Q"), sups=(s.Sum((-1,), (s.Number("1"),)),))
    product = e.Times(from_sympy(found.basis), from_sympy(found.values), from_sympy(found.basis.inv()))
    symbols = s.Sequence((s.Name("Q"), s.Name("Lambda"), inverse))
    return [Aligned((AlignedLine(name, "=", symbols), AlignedLine(None, "=", present(product)), AlignedLine(None, "=", present(from_sympy(matrix)))))]


@REGISTRY.block("power", options=("digits", "name", "exact"), required=("matrix", "exponent"))
def power_block(call: BlockCall) -> Sequence[Block]:
    """``bptt power``: ``matrix`` to the power ``exponent``, through the eigenvalues, rounded to ``digits``; ``exact: yes`` also exact."""
    matrix = matrix_of(call.text("matrix"), call)
    exponent, digits = call.integer("exponent", 30, least=1, most=MAX_POWER), call.integer("digits", 6, least=1, most=50)
    found = eigendecomposition(matrix)
    power = found.power(exponent)
    if not found.agrees(exponent):
        raise ValidationError("the power through the eigenvalues differs from the repeated product", span=call.span)
    name = s.Scripted(s.Name(call.options.get("name", "W")), sups=(s.Number(str(exponent)),))
    lines = []
    if found.diagonalizable:
        values = s.Matrix(tuple(
            tuple(s.Scripted(present(scalar(found.values[i, i])), sups=(s.Number(str(exponent)),)) if i == j else s.Number("0") for j in range(matrix.cols))
            for i in range(matrix.rows)
        ))  # fmt: skip
        factors = (present(from_sympy(found.basis)), values, present(from_sympy(found.basis.inv())))
        lines.append(AlignedLine(name, "=", s.Infix(("at", "at"), factors)))
    if call.options.get("exact") == "yes":
        lines.append(AlignedLine(name if not lines else None, "=", present(from_sympy(power))))
    lines.append(AlignedLine(name if not lines else None, "~", present(from_sympy(found.rounded_power(exponent, digits)))))
    return [Aligned(tuple(lines))]


@REGISTRY.block("growth-table", options=("powers",), body="required")
def growth_table_block(call: BlockCall) -> Sequence[Block]:
    """``bptt growth-table``: for each matrix of the body (``label: matrix``), its eigenvalues, ‖Wⁿ‖ at some n, and what it does."""
    powers = call.integers("powers", "1, 10, 30, 60", most=MAX_POWER)
    rows: list[tuple[Inlines, ...]] = []
    for label, matrix in _matrices(call):
        found = growth(matrix, label, max(powers))
        eigenvalues = ", ".join(_short(value) for value in found.eigenvalues)
        norms = [words(_norm(found.norms[n - 1])) for n in powers]
        rows.append(((Math(present(from_sympy(matrix))),), words(eigenvalues), *norms, words(behaviour(matrix))))
    header = (words("matrix"), words("eigenvalues"), *(words(f"norm at n = {n}") for n in powers), words("powers"))
    centred: tuple[Alignment, ...] = tuple("center" for _ in header)
    return [Table(header, tuple(rows), centred)]


def _matrices(call: BlockCall) -> list[tuple[str, sp.Matrix]]:
    found = []
    for line in call.body.splitlines():
        if line.strip():
            label, separator, text = line.partition(":")
            if not separator:
                raise call.error(f"{line!r} is not 'label: matrix'", expected="a label, a colon and a matrix")
            found.append((label.strip(), matrix_of(text.strip(), call)))
    if not found:
        raise call.error("there are no matrices", expected="lines 'label: matrix' below ---")
    return found


def _short(value: complex) -> str:
    text = f"{value.real:.4g}"
    return text if abs(value.imag) < 1e-12 else f"{text} {'+' if value.imag > 0 else '-'} {abs(value.imag):.4g}i"


def _norm(value: float) -> str:
    return f"{value:.3g}" if 1e-3 <= value < 1e4 else f"{value:.2e}".replace("e-0", "e-").replace("e+0", "e")


@REGISTRY.block("growth-plot", options=("count", "caption", "cell", "parameter", "matrix", "cell-label", "lowest"), body="required")
def growth_plot_block(call: BlockCall) -> Sequence[Block]:
    """``bptt growth-plot``: ‖Wⁿ‖ against n for the matrices of the body; with ``cell`` and ``matrix``, also ‖∏ J_j‖ of that cell with that W."""
    context = context_of(call)
    number = call.integer("count", 60, least=1, most=MAX_POWER)
    series = []
    for label, matrix in _matrices(call):
        found = growth(matrix, label, number)
        series.append(Series(label, tuple(float(n) for n in range(1, number + 1)), found.norms))
    if "cell" in call.options:
        subject = context.cell(call)
        matrix = matrix_of(call.text("matrix"), call)
        norms = product_norms(subject, call.text("parameter"), np.array(matrix.tolist(), dtype=float), number, context.seed)
        series.append(Series(call.options.get("cell-label", "with the nonlinearity"), tuple(float(n) for n in range(1, number + 1)), norms))
    highest = max(value for line in series for value in line.y)
    limits = (10.0 ** -call.integer("lowest", 12, least=1, most=300), 10 * highest)
    plot = Plot(tuple(series), "number of factors $n$", "spectral norm of the product", y_scale="log", references=(Reference(1.0),), y_limits=limits)
    caption = call.sentence("caption") or words("Norms of powers.")
    return [Figure(plot, caption, "Line plot of the norms of matrix powers against the exponent, logarithmic scale.")]


def product_norms(subject: Cell, parameter: str, matrix: np.ndarray, number: int, seed: int) -> tuple[float, ...]:
    """‖J_n ... J_1‖ for a cell run on random inputs, with a given recurrent matrix."""
    key = subject.resolve_name(parameter)
    block = JacobianEngine(subject).block()
    sizes = {str(subject.shapes[key][0]): matrix.shape[0]}
    drawn = draw(subject, seed, length=number, fixed=sizes)
    drawn.given[(key, None)] = matrix
    run = run_of(subject, drawn)
    product, norms = np.eye(matrix.shape[0]), []
    for time in range(1, number + 1):
        product = run.evaluator(**{subject.time.name: time})(block) @ product
        norms.append(float(np.linalg.norm(product, 2)))
    return tuple(norms)
