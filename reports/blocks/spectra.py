"""Blocks about powers of matrices: eigendecomposition and Wⁿ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from derive import expressions as e
from derive.errors import ValidationError
from derive.notation import surface as s
from derive.notation.elaborate import read_formula
from derive.notation.present import present
from derive.spectra import (
    MAX_POWER,
    Eigendecomposition,
    eigendecomposition,
    from_sympy,
    power_theorem,
    scalar,
    to_sympy,
)
from reports.block_calls import BlockCall
from reports.blocks.derivations import lines_of
from reports.blocks.registry import REGISTRY
from reports.document import Aligned, AlignedLine, Block
from reports.rounding import decimals, matrix_surface, neat, number_surface


def matrix_of(text: str, call: BlockCall) -> sp.Matrix:
    """A matrix of numbers from its LaTeX.

    Raises
    ------
    ParseError : it is not one.
    """
    node = read_formula(text)
    if not isinstance(node, e.Block):
        raise call.error(
            f"{text!r} is not a matrix", expected="a matrix such as \\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}"
        )
    return to_sympy(node)


@REGISTRY.block("power-theorem")
def power_theorem_block(call: BlockCall) -> Sequence[Block]:
    """``bptt power-theorem``: Mⁿ = QΛⁿQ⁻¹ by induction."""
    return [Aligned(lines_of(power_theorem().steps))]


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
    return [
        Aligned(
            (
                AlignedLine(name, "=", symbols),
                AlignedLine(None, "=", neat(present(product))),
                AlignedLine(None, "=", neat(present(from_sympy(matrix)))),
            )
        )
    ]


@REGISTRY.block("power", options=("digits", "name", "exact"), required=("matrix", "exponent"))
def power_block(call: BlockCall) -> Sequence[Block]:
    """``bptt power``: ``matrix`` to the power ``exponent``, through the eigenvalues, rounded to ``digits``; ``exact:
    yes`` also exact.
    """
    matrix = matrix_of(call.text("matrix"), call)
    exponent, digits = (
        call.integer("exponent", 30, least=1, most=MAX_POWER),
        call.integer("digits", 6, least=1, most=50),
    )
    found = eigendecomposition(matrix)
    power = found.power(exponent)
    if not found.agrees(exponent):
        raise ValidationError("the power through the eigenvalues differs from the repeated product", span=call.span)
    name = s.Scripted(s.Name(call.options.get("name", "W")), sups=(s.Number(str(exponent)),))
    lines = [AlignedLine(name, "=", _through(found, exponent))] if found.diagonalizable else []
    rounded = any(sp.Rational(decimals(entry, digits)) != entry for entry in power)
    if not rounded or call.flag("exact"):
        lines.append(AlignedLine(None, "=", neat(present(from_sympy(power)))))
    if rounded:
        lines.append(
            AlignedLine(None, "~", matrix_surface(power, lambda entry: number_surface(decimals(entry, digits))))
        )
    lines[0] = replace(lines[0], lhs=name)
    return [Aligned(tuple(lines))]


def _through(found: Eigendecomposition, exponent: int) -> s.Surface:
    """Q Λⁿ Q⁻¹ with the eigenvalues raised to the power."""
    size = found.matrix.rows
    raised = tuple(_raised(found.values[k, k], exponent) for k in range(size))
    values = s.Matrix(tuple(tuple(raised[i] if i == j else s.Number("0") for j in range(size)) for i in range(size)))
    basis, inverse = (neat(present(from_sympy(matrix))) for matrix in (found.basis, found.basis.inv()))
    return s.Infix(("at", "at"), (basis, values, inverse))


def _raised(value: sp.Expr, exponent: int) -> s.Surface:
    base = neat(present(scalar(value)))
    plain = isinstance(base, (s.Number, s.Name))
    return s.Scripted(base if plain else s.Bracket("(", (base,)), sups=(s.Number(str(exponent)),))
