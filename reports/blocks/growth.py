"""Blocks about what long products do: norms of powers as a table and as a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import sympy as sp

from derive.cell import Cell
from derive.errors import UsageError
from derive.notation import surface as s
from derive.notation.present import present
from derive.notation.source import Span
from derive.notation.write_latex import write_latex
from derive.spectra import MAX_POWER, Growth, behaviour, from_sympy, growth
from numeric.draws import draw
from numeric.products import product_norms
from numeric.trees import caterpillar
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.phrases import with_formulas
from reports.blocks.registry import REGISTRY
from reports.blocks.spectra import matrix_of
from reports.document import Alignment, Block, Figure, Inlines, Math, Table, words
from reports.plot import Plot, Reference, Series
from reports.plot_style import COLOURS
from reports.rounding import number_surface, power_of_ten
from reports.walk import plain_text

_NORM = s.Fence("norm", s.Scripted(s.Name("W"), sups=(s.Name("n"),)))


class Labelled(NamedTuple):
    """A line of a block's body."""

    label: Inlines
    matrix: sp.Matrix


@REGISTRY.block("growth-table", options=("powers", "caption"), body="required")
def growth_table_block(call: BlockCall) -> Sequence[Block]:
    """``bptt growth-table``: for each matrix of the body (``label: matrix``), its eigenvalues, the spectral norm ‖Wⁿ‖
    at some n, and what it does.
    """
    powers = call.integers("powers", "1, 10, 30, 60", most=MAX_POWER)
    rows: list[tuple[Inlines, ...]] = []
    for label, matrix in _matrices(call):
        found = _growth(matrix.as_immutable(), max(powers))
        norms = [(Math(short_number(found.norms[n - 1])),) for n in powers]
        shown = (Math(present(from_sympy(matrix))),)
        rows.append((label, shown, _eigenvalues(found.eigenvalues), *norms, with_formulas(behaviour(matrix))))
    at = [(Math(s.Relation(("=",), (s.Name("n"), s.Number(str(n))))),) for n in powers]
    header = (words("matrix"), (Math(s.Name("W")),), words("eigenvalues"), *at, words("powers"))
    centred: tuple[Alignment, ...] = tuple("center" for _ in header[2:])
    caption = call.sentence("caption") or (
        *words("Spectral norm "),
        Math(_NORM),
        *words(" of the powers of some matrices "),
        Math(s.Name("W")),
        *words("."),
    )
    return [Table(header, tuple(rows), ("left", *centred, "left"), caption)]


@lru_cache(maxsize=64)
def _growth(matrix: sp.ImmutableMatrix, number: int) -> Growth:
    """Norms of powers; a table and a plot often show the same matrices."""
    return growth(matrix.as_mutable(), "", number)


def _matrices(call: BlockCall) -> list[Labelled]:
    """The lines ``label: matrix`` of the body; a label is a sentence, which may hold formulas."""
    found = []
    offset = 0
    for line in call.body.split("\n"):
        if line.strip():
            label, separator, text = line.partition(":")
            if not separator:
                raise call.error(f"{line!r} is not 'label: matrix'", expected="a label, a colon and a matrix")
            place = Span(offset, offset + len(label), call.body_source)
            found.append(Labelled(call.reader.sentence(label.strip(), place), matrix_of(text.strip(), call)))
        offset += len(line) + 1
    if not found:
        raise call.error("there are no matrices", expected="lines 'label: matrix' below ---")
    return found


def _eigenvalues(values: Sequence[complex]) -> Inlines:
    pieces = [piece for value in values for piece in (*words(", "), Math(_eigenvalue(value)))]
    return tuple(pieces[1:])


def _eigenvalue(value: complex) -> s.Surface:
    real = number_surface(f"{value.real:.4g}")
    if abs(value.imag) < 1e-12:
        return real
    size = f"{abs(value.imag):.4g}"
    imaginary = s.Name("i") if size == "1" else s.Sequence((s.Number(size), s.Name("i")))
    sign = 1 if value.imag > 0 else -1
    if abs(value.real) < 1e-12:
        return imaginary if sign > 0 else s.Sum((-1,), (imaginary,))
    return s.Sum((-1 if value.real < 0 else 1, sign), (number_surface(f"{abs(value.real):.4g}"), imaginary))


def short_number(value: float) -> s.Surface:
    """A positive number with three digits, with a power of ten where it is far from one."""
    if value == 0 or 1e-3 <= value < 1e4:
        digits = 2 - math.floor(math.log10(value)) if value else 0
        return number_surface(f"{value:.{max(0, digits)}f}")
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return power_of_ten(mantissa, int(exponent))


@REGISTRY.block(
    "growth-plot", options=("count", "caption", "cell", "parameter", "matrix", "cell-label", "lowest"), body="required"
)
def growth_plot_block(call: BlockCall) -> Sequence[Block]:
    """``bptt growth-plot``: ‖Wⁿ‖ against n for the matrices of the body; with ``cell``, ``parameter`` and ``matrix``,
    also ‖∏ J_j‖ of that cell.
    """
    context = context_of(call)
    number = call.integer("count", 60, least=1, most=MAX_POWER)
    steps = tuple(float(n) for n in range(1, number + 1))
    series = [
        Series(plot_label(label), steps, _growth(matrix.as_immutable(), number).norms)
        for label, matrix in _matrices(call)
    ]
    if "cell" in call.options:
        matrix = matrix_of(_needed(call, "matrix"), call)
        norms = norms_with(
            context.cell(call), _needed(call, "parameter"), np.array(matrix.tolist(), dtype=float), number, context.seed
        )
        series.append(Series(plot_label(call.sentence("cell-label") or words("with the nonlinearity")), steps, norms))
    if len(series) > len(COLOURS):
        raise call.error(
            f"{len(series)} lines in one plot", expected=f"at most {len(COLOURS)}, which can be told apart"
        )
    highest = max(value for line in series for value in line.y)
    limits = (10.0 ** -call.integer("lowest", 12, least=1, most=300), 10 * highest)
    plot = Plot(
        tuple(series),
        "number of factors $n$",
        "spectral norm of the product",
        y_scale="log",
        references=(Reference(1.0),),
        y_limits=limits,
    )
    caption = call.sentence("caption") or (
        *words("Spectral norm "),
        Math(_NORM),
        *words(" of the powers of some matrices "),
        Math(s.Name("W")),
        *words("."),
    )
    return [Figure(plot, caption, "Line plot of the norms of matrix powers against the exponent, logarithmic scale.")]


def _needed(call: BlockCall, option: str) -> str:
    if option not in call.options:
        raise call.error(
            "a cell in the plot needs its recurrent parameter and a matrix", "cell", expected=f"an option {option}"
        )
    return call.options[option]


def plot_label(body: Inlines) -> str:
    """A sentence as a label of a plot: formulas in TeX between dollar signs."""
    return "".join(
        f"${write_latex(piece.surface)}$" if isinstance(piece, Math) else _plain_label(plain_text((piece,)))
        for piece in body
    )


def _plain_label(text: str) -> str:
    return text.replace("$", r"\$")


def norms_with(subject: Cell, parameter: str, matrix: np.ndarray, number: int, seed: int) -> tuple[float, ...]:
    """‖J_n ... J_1‖ for a cell run on random inputs, with a given recurrent matrix.

    Raises
    ------
    UsageError : the name is not that of a square matrix among the parameters.
    """
    key = subject.resolve_name(parameter)
    shape = subject.shapes[key]
    if key not in subject.parameters or shape[0] != shape[1] or shape[0] == 1:
        square = [name for name in subject.parameters if subject.shapes[name][0] == subject.shapes[name][1] != 1]
        raise UsageError(
            f"{parameter} is no square matrix of the cell", expected=f"one of {', '.join(square) or 'none'}"
        )
    sizes = {str(subject.shapes[key][0]): matrix.shape[0]}
    tree = None if subject.tree is None else caterpillar(number + 1)
    drawn = draw(subject, seed, length=number, fixed=sizes, tree=tree)
    drawn.given[(key, None)] = matrix
    return product_norms(subject, drawn)
