"""Elementwise functions of vectors: exp, tanh and the logistic function in a handful of operations; others by their formula.

Errors are a few units in the last place; nothing overflows on the way to a result that is a number, and nan stays nan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, reduce

import sympy as sp
from sympy import And, Expr, Or

from derive.errors import MissingRuleError
from derive.functions import elementwise
from numeric.arrays.helpers import stable_formula
from numeric.native.vectors import LOOSE, Builder, Value, Vectors

_LN2 = {True: (6.93147180369123816490e-01, 1.90821492927058770002e-10), False: (0.693359375, -2.12194440e-4)}
"""log 2 in two parts, of which the first has few digits: its multiples are exact."""
_SMALL = {
    True: [1 / math.factorial(k) for k in range(13, 1, -1)],
    False: [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
}
"""(exp(r) - 1 - r) / r² for |r| ≤ log(2)/2: the series, and in float32 the polynomial of Cephes' expf (Moshier 1992)."""
_C_LIBRARY = {"log": "log", "sin": "sin", "cos": "cos", "sinh": "sinh", "cosh": "cosh", "atan": "atan", "erf": "erf"}
_Of = Callable[[Expr], Value]
"""The value of a part of a formula."""


class Formulas:
    """Functions of vectors, written where the builder stands."""

    def __init__(self, vectors: Vectors) -> None:
        self.v = vectors

    # -- exponentials ------------------------------------------------------------------------------

    def _polynomial(self, b: Builder, x: Value, coefficients: Sequence[float]) -> Value:
        result = self.v.const(coefficients[0])
        for coefficient in coefficients[1:]:
            result = self.v.fma(b, result, x, self.v.const(coefficient))
        return result

    def _power_of_two(self, b: Builder, k: Value) -> Value:
        bias, shift = (1023, 52) if self.v.double else (127, 23)
        moved = b.shl(b.add(k, self.v.const_integers(bias)), self.v.const_integers(shift))
        return b.bitcast(moved, self.v.vector)

    def _clamped(self, b: Builder, x: Value, low: float, high: float) -> Value:
        x = b.select(b.fcmp_ordered("<", x, self.v.const(low)), self.v.const(low), x)
        return b.select(b.fcmp_ordered(">", x, self.v.const(high)), self.v.const(high), x)

    def _split(self, b: Builder, x: Value) -> tuple[Value, Value]:
        """k and expm1(r) for x = k log 2 + r, |r| ≤ log(2)/2."""
        high, low = _LN2[self.v.double]
        k = self.v.unary(b, "rint", b.fmul(x, self.v.const(1 / math.log(2)), flags=LOOSE))
        r = self.v.fma(b, k, self.v.const(-high), x)
        r = self.v.fma(b, k, self.v.const(-low), r)
        square = b.fmul(r, r, flags=LOOSE)
        small = self.v.fma(b, square, self._polynomial(b, r, _SMALL[self.v.double]), r)
        return b.fptosi(k, self.v.integers), small

    def _same_nan(self, b: Builder, x: Value, result: Value) -> Value:
        return b.select(b.fcmp_unordered("uno", x, x), x, result)

    def _exp(self, b: Builder, x: Value) -> Value:
        ends = (-746.0, 710.0) if self.v.double else (-104.0, 89.0)
        k, small = self._split(b, self._clamped(b, x, *ends))
        near_one = b.fadd(small, self.v.const(1))
        half = b.ashr(k, self.v.const_integers(1))  # in two steps, so that subnormal numbers and inf come out right
        first, second = self._power_of_two(b, half), self._power_of_two(b, b.sub(k, half))
        return b.fmul(b.fmul(near_one, first), second)

    def exp(self, b: Builder, x: Value) -> Value:
        """exp(x)."""
        return self._same_nan(b, x, self._exp(b, x))

    def sigma(self, b: Builder, x: Value) -> Value:
        """1 / (1 + exp(-x))."""
        one = self.v.const(1)
        return self._same_nan(b, x, b.fdiv(one, b.fadd(one, self._exp(b, b.fneg(x)))))

    def tanh(self, b: Builder, x: Value) -> Value:
        """e / (e + 2) with e = exp(2x) - 1: as many digits near 0 as elsewhere, and exactly ±1 far out."""
        k, small = self._split(b, self._clamped(b, b.fadd(x, x), -44.0, 44.0))
        scale = self._power_of_two(b, k)
        e = self.v.fma(b, scale, small, b.fsub(scale, self.v.const(1)))
        return self._same_nan(b, x, b.fdiv(e, b.fadd(e, self.v.const(2))))

    def log1p_exp_of_minus_abs(self, b: Builder, x: Value) -> Value:
        """log(1 + exp(-|x|)), which softplus and the logarithm of the logistic function are made of."""
        return self.v.by_lane(b, "log1p", self.exp(b, b.fneg(self.v.unary(b, "fabs", x))))

    def softplus(self, b: Builder, x: Value) -> Value:
        """log(1 + exp(x))."""
        return b.fadd(self.larger(b, x, self.v.const(0)), self.log1p_exp_of_minus_abs(b, x))

    def log_sigma(self, b: Builder, x: Value) -> Value:
        """log σ(x) = min(x, 0) - log(1 + exp(-|x|))."""
        return b.fsub(self.smaller(b, x, self.v.const(0)), self.log1p_exp_of_minus_abs(b, x))

    def larger(self, b: Builder, x: Value, y: Value) -> Value:
        """max(x, y); nan where either is nan, as in NumPy."""
        found = b.select(b.fcmp_ordered(">", x, y), x, y)
        return self._same_nan(b, x, found)

    def smaller(self, b: Builder, x: Value, y: Value) -> Value:
        """min(x, y); nan where either is nan, as in NumPy."""
        found = b.select(b.fcmp_ordered("<", x, y), x, y)
        return self._same_nan(b, x, found)

    # -- declared functions ------------------------------------------------------------------------

    def apply(self, b: Builder, spelled: str, order: int, x: Value) -> Value:
        """A declared function by any of its names, or a derivative of it."""
        declaration = elementwise(spelled)
        name = spelled if declaration is None else declaration.name
        own = getattr(self, name, None) if order == 0 and name in _OWN else None
        if own is not None:
            return own(b, x)
        formula, by_output = _formula(name, order)
        argument = self.apply(b, name, 0, x) if by_output else x
        return self._same_nan(b, x, self.formula(b, formula, argument))

    def formula(self, b: Builder, formula: Expr, z: Value) -> Value:
        """A formula in one letter."""
        found: dict[Expr, Value] = {}

        def value(node: Expr) -> Value:
            if node not in found:
                found[node] = self._node(b, node, z, value)
            return found[node]

        return value(formula)

    def _node(self, b: Builder, node: Expr, z: Value, value: _Of) -> Value:
        v = self.v
        if node.is_number:
            return v.const(float(node))
        if node.is_Symbol:
            return z
        if node.is_Piecewise:
            result = value(node.args[-1].expr)
            for branch, condition in reversed(node.args[:-1]):
                result = b.select(self._condition(b, condition, value), value(branch), result)
            return result
        if node.is_Pow:
            return self.power(b, value(node.base), node.exp) if node.exp.is_number else self._pow(b, node, value)
        arguments = [value(argument) for argument in node.args]
        if node.is_Add or node.is_Mul:
            combine = b.fadd if node.is_Add else b.fmul
            result = arguments[0]
            for argument in arguments[1:]:
                result = combine(result, argument, flags=LOOSE)
            return result
        return self._function(b, node.func.__name__, arguments)

    def _pow(self, b: Builder, node: Expr, value: _Of) -> Value:
        return self.v.by_lane(b, "pow", value(node.base), value(node.exp))

    def _condition(self, b: Builder, condition: Expr, value: _Of) -> Value:
        if isinstance(condition, (And, Or)):
            parts = [self._condition(b, part, value) for part in condition.args]
            return reduce(b.and_ if isinstance(condition, And) else b.or_, parts)
        return b.fcmp_ordered(condition.rel_op, value(condition.lhs), value(condition.rhs))

    def _function(self, b: Builder, name: str, arguments: Sequence[Value]) -> Value:
        if name in ("exp", "tanh", "sigma", "softplus"):
            found: Value = getattr(self, name)(b, *arguments)
            return found
        if name in ("Abs", "Max", "Min"):
            if name == "Abs":
                return self.v.unary(b, "fabs", arguments[0])
            join = self.larger if name == "Max" else self.smaller
            result = arguments[0]
            for argument in arguments[1:]:
                result = join(b, result, argument)
            return result
        if name not in _C_LIBRARY:
            raise MissingRuleError(f"{name} is not compiled")
        return self.v.by_lane(b, _C_LIBRARY[name], *arguments)

    def power(self, b: Builder, x: Value, exponent: Expr) -> Value:
        """x to a number: by products where it is a small integer."""
        if exponent.is_Integer and 0 < abs(int(exponent)) <= 8:
            result = self._repeated(b, x, abs(int(exponent)))
            return b.fdiv(self.v.const(1), result) if exponent < 0 else result
        if exponent in (sp.Rational(1, 2), sp.Rational(-1, 2)):
            root = self.v.unary(b, "sqrt", x)
            return b.fdiv(self.v.const(1), root) if exponent < 0 else root
        return self.v.by_lane(b, "pow", x, self.v.const(float(exponent)))

    def _repeated(self, b: Builder, x: Value, times: int) -> Value:
        if times == 1:
            return x
        half = self._repeated(b, x, times // 2)
        square = b.fmul(half, half, flags=LOOSE)
        return b.fmul(square, x, flags=LOOSE) if times % 2 else square


_OWN = ("exp", "sigma", "tanh", "softplus")


@cache
def _formula(name: str, order: int) -> tuple[Expr, bool]:
    """A function or its derivative as a formula, and whether the letter is what the function itself gives."""
    function = elementwise(name)
    if function is None:
        raise MissingRuleError(f"{name} is no function that is declared")
    y = sp.Symbol("y")
    by_output = function.derivative_in_output(y, order) if order else None
    if by_output is not None and by_output.is_polynomial(y):
        return (sp.factor(by_output) if order == 1 else by_output), True
    return stable_formula(function, order), False


__all__ = ["Formulas"]
