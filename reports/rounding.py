"""Exact numbers rounded for printing, zeros at the end kept: they say how many digits are known."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

import sympy as sp

from derive.notation import surface as s

_PRECISION = 400


def _decimal(value: sp.Expr) -> Decimal:
    if value.is_Rational:
        return Decimal(int(value.p)) / Decimal(int(value.q))
    return Decimal(str(sp.N(value, _PRECISION // 4)))


def decimals(value: sp.Expr, digits: int) -> str:
    """A number to so many decimals.

    >>> decimals(sp.Rational("0.0271296"), 6)
    '0.027130'
    """
    with localcontext(Context(prec=_PRECISION, rounding=ROUND_HALF_EVEN)):
        return _plain(_decimal(value).quantize(Decimal(1).scaleb(-digits)))


def significant(value: sp.Expr, digits: int) -> str:
    """A number to so many significant digits.

    >>> significant(sp.Rational("0.042391"), 2), significant(sp.Integer(1), 3)
    ('0.042', '1.00')
    """
    with localcontext(Context(prec=_PRECISION, rounding=ROUND_HALF_EVEN)):
        exact = _decimal(value)
        if exact == 0:
            return "0"
        first = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1))
        return _plain(first.quantize(Decimal(1).scaleb(min(0, first.adjusted() - digits + 1))))


def _plain(value: Decimal) -> str:
    return format(abs(value) if value == 0 else value, "f")


def spelled(value: sp.Expr, digits: int) -> s.Surface:
    """A number to so many significant digits, with a power of ten where it is far from one."""
    size = 0 if value == 0 else int(sp.floor(sp.log(abs(value), 10)))
    if -4 <= size < max(6, digits):
        return number_surface(significant(value, digits))
    return power_of_ten(significant(value / sp.Integer(10) ** size, digits), size)


def power_of_ten(mantissa: str, exponent: int) -> s.Surface:
    """mantissa · 10^exponent."""
    return s.Infix(
        ("cdot",), (number_surface(mantissa), s.Scripted(s.Number("10"), sups=(number_surface(str(exponent)),)))
    )


def number_surface(text: str) -> s.Surface:
    """A number as it is spelled."""
    return s.Sum((-1,), (s.Number(text[1:]),)) if text.startswith("-") else s.Number(text)


def neat(node: s.Surface) -> s.Surface:
    """A formula of exact numbers with roots and the imaginary unit as one writes them: √2 for 2^{1/2}, i for I."""
    half = s.Fraction(s.Number("1"), s.Number("2"))
    match node:
        case s.Scripted(base, (), (power,)) if power == half:
            return s.Root(neat(base))
        case s.Name("I"):
            return s.Name("i")
        case s.Fraction(above, below):
            return s.Fraction(neat(above), neat(below))
        case s.Sum(signs, items):
            return s.Sum(signs, tuple(map(neat, items)))
        case s.Infix(operators, items):
            return s.Infix(operators, tuple(map(neat, items)))
        case s.Matrix(rows):
            return s.Matrix(tuple(tuple(map(neat, row)) for row in rows))
        case s.Scripted(base, subs, sups):
            return s.Scripted(neat(base), subs, sups)
        case s.Bracket(kind, items):
            return s.Bracket(kind, tuple(map(neat, items)))
        case _:
            return node


def matrix_surface(matrix: sp.Matrix, spell: Callable[[sp.Expr], s.Surface]) -> s.Surface:
    """A matrix with its entries spelled; a single entry stands without brackets."""
    rows = tuple(tuple(spell(matrix[i, j]) for j in range(matrix.cols)) for i in range(matrix.rows))
    return rows[0][0] if matrix.shape == (1, 1) else s.Matrix(rows)
