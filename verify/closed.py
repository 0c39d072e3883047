"""Formulas without a cell: equations between numbers and matrices of numbers, decided exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from derive import expressions as e
from derive.errors import ShapeError
from verify.judge import Counterexample, Verdict

MAX_EXPONENT = 1000
"""The highest root that is computed exactly."""
MAX_BITS = 20_000
"""The longest power that is computed exactly, in binary digits."""


def value_of(node: e.Node) -> sp.Matrix:
    """The exact value of a closed formula, as a SymPy matrix (1 x 1 for a number).

    Raises
    ------
    ShapeError : it contains a quantity, or an operation that has no exact value here.
    """
    rule = _RULES.get(type(node))
    if rule is None:
        raise ShapeError(f"{node} is not a number or a matrix of numbers")
    return rule(node)


def _product(node: e.Node) -> sp.Matrix:
    scalar, chain = sp.Integer(1), None
    for factor in node.operands:
        value = value_of(factor)
        if factor.is_scalar:
            scalar *= value[0, 0]
        else:
            chain = value if chain is None else chain * value
    return sp.Matrix([[scalar]]) if chain is None else chain * scalar


def _sum(node: e.Node) -> sp.Matrix:
    values = [value_of(operand) for operand in node.operands]
    full = next((value for value in values if value.shape != (1, 1)), values[0])
    ones = sp.ones(*full.shape)
    total = sp.zeros(*full.shape)
    for value in values:
        total += value if value.shape == full.shape else ones * value[0, 0]
    return total


def _power(node: e.Power | e.MatrixPower) -> sp.Matrix:
    """A power of each entry, or of the matrix, if its exact value is short enough to be written down."""
    base = value_of(node.operands[0])
    exponent = node.exponent if isinstance(node, e.MatrixPower) else value_of(node.operands[1])[0, 0]
    if not exponent.is_Rational or exponent.q > MAX_EXPONENT or abs(exponent) * max(map(_bits, base)) > MAX_BITS:
        raise ShapeError(
            "a power is too large for an exact value", expected=f"one of at most {MAX_BITS:,} binary digits"
        )
    return base**exponent if isinstance(node, e.MatrixPower) else base.applyfunc(lambda entry: entry**exponent)


def _bits(entry: sp.Expr) -> int:
    """How long an exact number is; roots are as long as they are written."""
    return max(int(entry.p).bit_length(), int(entry.q).bit_length()) if entry.is_Rational else 4 * len(str(entry))


_RULES: dict[type[e.Node], Callable[[Any], sp.Matrix]] = {
    e.Scalar: lambda node: sp.Matrix([[node.value]]),
    e.Block: lambda node: sp.Matrix([[value_of(entry)[0, 0] for entry in row] for row in node.rows]),
    e.Plus: _sum,
    e.Neg: lambda node: -value_of(node.operands[0]),
    e.Times: _product,
    e.Divide: lambda node: value_of(node.operands[0]) / value_of(node.operands[1])[0, 0],
    e.Power: _power,
    e.MatrixPower: _power,
    e.Inverse: lambda node: value_of(node.operands[0]).inv(),
    e.Transpose: lambda node: value_of(node.operands[0]).T,
    e.Trace: lambda node: sp.Matrix([[value_of(node.operands[0]).trace()]]),
}


def judge_closed(relation: e.Relation) -> Verdict:
    """The verdict on ``a = b`` or ``a ≈ b`` between numbers; ≈ is equality to the digits that the right side shows."""
    left, right = value_of(relation.lhs), value_of(relation.rhs)
    gap = left - right
    if relation.operators[-1] == "~":
        tolerance = sp.Rational(1, 2) * sp.Rational(1, 10 ** _digits(relation.rhs))
        holds = all(abs(entry) <= tolerance for entry in gap)
    else:
        holds = sp.simplify(gap) == sp.zeros(*gap.shape)
    if holds:
        return Verdict("correct", "proved", points=1, holds=1)
    scale = max(left.norm().evalf(), right.norm().evalf())
    counterexample = Counterexample({}, {}, _array(left), _array(right))
    return Verdict("wrong", "proved", points=1, error=float(gap.norm().evalf() / scale), counterexample=counterexample)


def _array(matrix: sp.Matrix):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.array(matrix.evalf().tolist(), dtype=float)


def _digits(node: e.Node) -> int:
    """The fewest decimals that a number of the formula shows."""
    shown = [len(str(leaf.digits).partition(".")[2]) for leaf in node.atoms(e.Scalar) if leaf.digits is not None]
    return min(shown, default=0)
