"""Formulas without a cell: relations between numbers and matrices of numbers, decided exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.exceptions import MatrixError

from derive import expressions as e
from derive.errors import DataError, ShapeError
from verify.verdict import Counterexample, Verdict

MAX_EXPONENT = 1000
"""The highest root that is computed exactly."""
MAX_ENTRY = 60
"""The longest exact number, in characters, that a function is applied to; the formulas of its derivatives are many times longer."""
NO_DIGIT = "zero shows no digit that counts, so that it is right for nothing else"
"""Why a number is not zero to the digits shown."""
MAX_BITS = 14_000
"""The longest power that is computed exactly, in binary digits."""


def value_of(node: e.Node) -> sp.Matrix:
    """The exact value of a closed formula, as a SymPy matrix (1 x 1 for a number).

    Raises
    ------
    ShapeError : it contains a quantity, or an operation that has no exact value here.
    DataError  : it has no value among the real numbers: a division by zero, the root of a negative number.
    """
    rule = _RULES.get(type(node))
    if rule is None:
        raise ShapeError(f"{node} is not a number or a matrix of numbers")
    value = rule(node)
    if not all(entry.is_finite and entry.is_real for entry in value):
        raise DataError(f"{node} has no real value", expected="numbers that can be computed")
    return value


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


def _quotient(node: e.Divide) -> sp.Matrix:
    above, below = (value_of(operand) for operand in node.operands)
    if any(entry == 0 for entry in below):
        raise DataError(f"{node} is a division by zero", expected="a denominator other than 0")
    return (
        above / below[0, 0] if below.shape == (1, 1) else above.multiply_elementwise(below.applyfunc(lambda x: 1 / x))
    )


def _inverse(node: e.Inverse) -> sp.Matrix:
    return _inverted(value_of(node.operands[0]), node)


def _inverted(matrix: sp.Matrix, node: e.Node) -> sp.Matrix:
    if sp.simplify(matrix.det()) == 0:
        raise DataError(f"{node} does not exist: the determinant is 0", expected="a matrix that has an inverse")
    return matrix.inv()


def _check_length(base: sp.Matrix, exponent: sp.Expr) -> None:
    if not exponent.is_Rational or exponent.q > MAX_EXPONENT or abs(exponent) * max(map(_bits, base)) > MAX_BITS:
        raise ShapeError(
            "a power is too large for an exact value", expected=f"one of at most {MAX_BITS:,} binary digits"
        )


def _power(node: e.Power) -> sp.Matrix:
    """A power of each entry, if its exact value is short enough to be written down."""
    base, exponent = value_of(node.operands[0]), value_of(node.operands[1])[0, 0]
    _check_length(base, exponent)
    if exponent < 0 and any(entry == 0 for entry in base):
        raise DataError(f"{node} is a division by zero", expected="a base other than 0")
    return base.applyfunc(lambda entry: entry**exponent)


def _matrix_power(node: e.MatrixPower) -> sp.Matrix:
    base, exponent = value_of(node.operands[0]), node.exponent
    _check_length(base, exponent)
    if not exponent.is_Integer:
        raise ShapeError(f"{node} has no exact value here", expected="a whole number as exponent of a matrix")
    if exponent < 0:
        base = _inverted(base, node)
    return base.pow(abs(exponent), method="multiply")


def _bits(entry: sp.Expr) -> int:
    """How long an exact number is; roots are as long as they are written."""
    return max(int(entry.p).bit_length(), int(entry.q).bit_length()) if entry.is_Rational else 4 * len(str(entry))


def _applied(node: e.Apply) -> sp.Matrix:
    """A declared function of each entry."""
    declared = node.declaration
    if declared is None:
        raise ShapeError(f"{node} is a function without a formula")
    argument = value_of(node.argument)
    if any(len(str(entry)) > MAX_ENTRY for entry in argument):
        raise ShapeError(f"{node} is too long for an exact value")
    return argument.applyfunc(lambda entry: sp.simplify(declared.derivative(entry, node.order)))


def _softmax(node: e.Node) -> sp.Matrix:
    logits = value_of(node.operands[0])
    powers = logits.applyfunc(lambda entry: sp.exp(entry - logits[0]))  # equal logits cancel
    if any(len(str(entry)) > MAX_ENTRY for entry in powers):
        raise ShapeError(f"{node} is too long for an exact value")
    return powers / sum(powers)


def _hadamard(node: e.Node) -> sp.Matrix:
    values = [value_of(operand) for operand in node.operands]
    total = values[0]
    for value in values[1:]:
        total = total.multiply_elementwise(value)
    return total


def _size(size: sp.Expr) -> int:
    if not size.is_Integer:
        raise ShapeError(f"the size {size} is no number")
    return int(size)


def _norm(node: e.Norm) -> sp.Matrix:
    """Of a vector, or Frobenius's of a matrix; the spectral norm is a root of a polynomial, which has no short exact value."""
    value = value_of(node.operands[0])
    if node.kind != "F" and 1 not in value.shape:
        try:
            largest = (value.T * value).eigenvals()
        except MatrixError:  # roots of a polynomial of degree 5 or more
            largest = {}
        if not largest or not all(root.is_real for root in largest):
            raise ShapeError(f"{node} has no exact value here")
        return sp.Matrix([[sp.sqrt(max(largest, key=lambda root: root.evalf()))]])
    return sp.Matrix([[sp.sqrt(sum(entry**2 for entry in value))]])


_RULES: dict[type[e.Node], Callable[[Any], sp.Matrix]] = {
    e.Apply: _applied,
    e.Softmax: _softmax,
    e.Hadamard: _hadamard,
    e.Identity: lambda node: sp.eye(_size(node.shape[0])),
    e.Ones: lambda node: sp.ones(_size(node.shape[0]), _size(node.shape[1])),
    e.Diag: lambda node: sp.diag(*value_of(node.operands[0])),
    e.Inner: lambda node: sp.Matrix([[value_of(node.operands[0]).dot(value_of(node.operands[1]))]]),
    e.SumEntries: lambda node: sp.Matrix([[sum(value_of(node.operands[0]))]]),
    e.Norm: _norm,
    e.Scalar: lambda node: sp.Matrix([[node.value]]),
    e.Block: lambda node: sp.Matrix([[value_of(entry)[0, 0] for entry in row] for row in node.rows]),
    e.Zero: lambda node: sp.zeros(*node.shape),
    e.Plus: _sum,
    e.Neg: lambda node: -value_of(node.operands[0]),
    e.Times: _product,
    e.Divide: _quotient,
    e.Power: _power,
    e.MatrixPower: _matrix_power,
    e.Inverse: _inverse,
    e.Transpose: lambda node: value_of(node.operands[0]).T,
    e.Trace: lambda node: sp.Matrix([[value_of(node.operands[0]).trace()]]),
}

_COMPARISONS: dict[str, Callable[[sp.Expr], Any]] = {
    "<": lambda gap: gap < 0,
    "<=": lambda gap: gap <= 0,
    ">": lambda gap: gap > 0,
    ">=": lambda gap: gap >= 0,
}


def judge_closed(relation: e.Relation) -> Verdict:
    """The verdict on a relation between numbers, link by link: the first that does not hold, or else the last.

    ≈ is equality to the digits that the right side shows, or the left one where the right side is exact.
    """
    found = Verdict("unsupported", "tested")
    for position, operator in enumerate(relation.operators):
        found = _judge_link(operator, *relation.items[position : position + 2])
        if found.verdict != "correct":
            several = len(relation.operators) > 1
            return replace(found, message=found.message or (f"link {position + 1} does not hold" if several else ""))
    return found


def _judge_link(operator: str, a: e.Node, b: e.Node) -> Verdict:
    left, right = value_of(a), value_of(b)
    if left.shape != right.shape:
        return Verdict("wrong", "proved", message=f"the sides have the shapes {left.shape} and {right.shape}")
    gap = left - right
    if operator in _COMPARISONS and left.shape != (1, 1):
        return Verdict("unsupported", "tested", message="matrices are not compared by size")
    if operator in _COMPARISONS:
        holds = bool(_COMPARISONS[operator](gap[0, 0]))
    elif operator == "~" or (operator == "=" and _rounds(a, left, b, right)):
        holds = all(abs(entry) <= unit / 2 for entry, unit in zip(gap, _units(a, b, left.shape), strict=True))
    elif operator in ("=", "!="):
        holds = (sp.simplify(gap) == sp.zeros(*gap.shape)) == (operator == "=")
    else:
        return Verdict("unsupported", "tested", message=f"'{operator}' is not decided between numbers")
    rounded = operator in ("=", "~") and not gap.is_zero_matrix
    if holds and rounded and (left.is_zero_matrix or right.is_zero_matrix):
        return Verdict("unsupported", "tested", message=NO_DIGIT)
    if holds:
        return Verdict("correct", "proved", points=1, holds=1, exact=True)
    scale = max(left.norm().evalf(), right.norm().evalf())
    counterexample = Counterexample({}, {}, _array(left), _array(right))
    error = float(gap.norm().evalf() / scale) if scale else 0.0
    return Verdict("wrong", "proved", points=1, error=error, counterexample=counterexample, exact=True)


def _rounds(a: e.Node, left: sp.Matrix, b: e.Node, right: sp.Matrix) -> bool:
    """Whether one side is decimals as they stand, and the other one has values that no decimal can be: tanh(1) = 0.762."""
    pairs = ((a, right), (b, left))
    return any(_is_decimal(node) and not all(entry.is_rational for entry in value) for node, value in pairs) or any(
        _is_decimal(one) and not _is_decimal(other) and _has_long_decimal(other) for one, other in ((a, b), (b, a))
    )


def _has_long_decimal(node: e.Node) -> bool:
    """Whether something is computed with a number that has been rounded: 0.7616, and not 0.5."""
    return any(n.digits is not None and len(Decimal(n.digits).as_tuple().digits) > 2 for n in node.atoms(e.Scalar))


def _is_decimal(node: e.Node) -> bool:
    """Whether a formula is a decimal, or a matrix of numbers with decimals among them."""
    inner = node.operands[0] if isinstance(node, e.Neg) else node
    parts = inner.operands if isinstance(inner, e.Block) else (inner,)
    plain = [part.operands[0] if isinstance(part, e.Neg) else part for part in parts]
    return all(isinstance(part, e.Scalar) for part in plain) and _shown(node) is not None


def _array(matrix: sp.Matrix) -> Any:
    return np.array(matrix.evalf().tolist(), dtype=float)


def _units(a: e.Node, b: e.Node, shape: tuple[int, int]) -> list[sp.Rational]:
    """What one in the last digit that is shown is worth, for each entry; 1 where both sides are whole numbers."""
    shown = _shown(b) or _shown(a)
    if shown is None:
        return [sp.Integer(1)] * (shape[0] * shape[1])
    return shown if len(shown) > 1 else shown * (shape[0] * shape[1])


def shown_units(node: e.Node, shape: tuple[int, int]) -> list[sp.Rational]:
    """What one in the last digit is worth that a formula shows, for each entry; zero where it is exact."""
    shown = _shown(node)
    count = shape[0] * shape[1]
    if shown is None:
        return [sp.Integer(0)] * count
    return shown if len(shown) == count else [max(shown)] * count


def last_digit(digits: str) -> sp.Rational | None:
    """What one in the last digit of a number is worth; None for a whole number, which is exact in whatever way it is written."""
    exponent = int(Decimal(digits).as_tuple().exponent)
    whole = "." not in digits and exponent >= 0
    return None if whole else sp.Integer(10) ** exponent


def _shown(node: e.Node) -> list[sp.Rational] | None:
    """The units of a formula that shows decimals; None where it is exact."""
    if isinstance(node, e.Scalar):
        unit = None if node.digits is None else last_digit(node.digits)
        return None if unit is None else [unit]
    if isinstance(node, e.Block):
        inside = [_shown(entry) for entry in node.operands]
        if all(units is None for units in inside):
            return None
        shown = [units[0] for units in inside if units]
        return [units[0] if units else max(shown) for units in inside]  # 0 among decimals is 0.00
    units = [(k, found) for k, operand in enumerate(node.operands) if (found := _shown(operand)) is not None]
    if not units:
        return None
    if isinstance(node, e.Neg):
        return units[0][1]
    if (
        isinstance(node, e.Times)
        and len(units) == 1
        and all(_is_exact_number(f) for f in node.operands if not _shown(f))
    ):
        # 1.2 · 10^6: the other factors are exact, and scale the last digit.
        exact = [value_of(f)[0, 0] for k, f in enumerate(node.operands) if k != units[0][0] and f.is_scalar]
        factor = abs(sp.prod(exact))
        if factor > 1 and value_of(node)[0, 0] == 0:  # 1000 · 0.0 shows no digit that counts
            factor = sp.Integer(1)
        return [unit * factor for unit in units[0][1]]
    return _carried(node)


def _is_exact_number(node: e.Node) -> bool:
    return not node.has(e.Apply) and _shown(node) is None


MOST_DIGITS_EXACT = 1
"""Decimals with so few digits are meant as they stand where something is computed with them: 0.6 in √0.6 is no rounded 0.58."""


def _carried(node: e.Node) -> list[sp.Rational]:
    """How far the value of a computation may be off by the rounding of the longer decimals in it, twice, as that of a decimal is one in its
    last digit: each is moved by half of that, and the changes are added up.
    """
    numbers = [
        n
        for n in node.atoms(e.Scalar)
        if n.digits is not None and len(Decimal(n.digits).as_tuple().digits) > MOST_DIGITS_EXACT
    ]
    at = value_of(node)
    room = sp.zeros(*at.shape)
    for number in numbers:
        half = sp.Rational(1, 2) * sp.Integer(10) ** int(Decimal(number.digits).as_tuple().exponent)
        moved = value_of(node.xreplace({number: e.Scalar(number.value + half)}))
        room += (moved - at).applyfunc(sp.Abs)
    return [2 * entry for entry in room]
