"""Elementwise functions, each declared once.

A declaration gives the scalar definition in SymPy (from which every derivative follows), the spellings in LaTeX, NumPy
and torch, and, where there is one, the derivative in terms of the output, such as sigma' = sigma (1 - sigma).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import sympy as sp
from sympy import Expr, Symbol


@dataclass(frozen=True)
class ElementwiseFunction:
    """A function R -> R that is applied to every entry.

    Parameters
    ----------
    name       : its name in the notation and in plain text.
    definition : its value as a SymPy expression in x.
    latex      : its LaTeX command.
    numpy, torch : how the numeric rooms spell it (None: from the definition).
    in_output  : its derivative as a function of its value y, or None.
    range      : lower and upper bound of its values (open interval).
    slope      : largest absolute value of its derivative, or None if unbounded.
    aliases    : other names that mean it.
    parity     : ``odd`` (f(-x) = -f(x)), ``even``, ``complement`` (f(-x) = 1 - f(x)), or empty.
    """

    name: str
    definition: Callable[[Expr], Expr]
    latex: str
    numpy: str | None = None
    torch: str | None = None
    in_output: Callable[[Expr], Expr] | None = None
    range: tuple[Expr, Expr] = (-sp.oo, sp.oo)
    slope: Expr | None = None
    aliases: tuple[str, ...] = field(default=())
    parity: str = ""

    def derivative(self, x: Expr, order: int = 1) -> Expr:
        """The derivative of the definition, by SymPy."""
        u = Symbol("u", real=True)
        return sp.diff(self.definition(u), u, order).subs(u, x)

    def derivative_in_output(self, y: Expr, order: int = 1) -> Expr | None:
        """The derivative of the given order as a polynomial in the output: d/dx p(y) = p'(y) y'."""
        if self.in_output is None:
            return None
        v = Symbol("v")
        first = self.in_output(v)
        result: Expr = v
        for _ in range(order):
            result = sp.diff(result, v) * first
        return sp.expand(result).subs(v, y)


def _logistic(x: Expr) -> Expr:
    return 1 / (1 + sp.exp(-x))


def _relu(x: Expr) -> Expr:
    return sp.Piecewise((x, x > 0), (sp.Integer(0), True))


def _absolute(x: Expr) -> Expr:
    return sp.Piecewise((x, x > 0), (-x, True))


def _step(x: Expr) -> Expr:
    return sp.Piecewise((sp.Integer(1), x > 0), (sp.Integer(0), x < 0), (sp.Rational(1, 2), True))


def _positive(x: Expr) -> Expr:
    return sp.Piecewise((sp.Integer(1), x > 0), (sp.Integer(0), True))


def _elu(x: Expr) -> Expr:
    return sp.Piecewise((x, x > 0), (sp.exp(x) - 1, True))


def _leaky_relu(x: Expr) -> Expr:
    return sp.Piecewise((x, x > 0), (x / 100, True))


def _hard_tanh(x: Expr) -> Expr:
    return sp.Piecewise((sp.Integer(1), x > 1), (sp.Integer(-1), x < -1), (x, True))


def _sign(x: Expr) -> Expr:
    return sp.Piecewise((sp.Integer(1), x > 0), (sp.Integer(-1), x < 0), (sp.Integer(0), True))


def _gelu(x: Expr) -> Expr:
    return x * (1 + sp.erf(x / sp.sqrt(2))) / 2


_DECLARED = (
    ElementwiseFunction(
        "sigma",
        _logistic,
        r"\sigma",
        "sigmoid",
        "sigmoid",
        lambda y: y * (1 - y),
        (sp.Integer(0), sp.Integer(1)),
        sp.Rational(1, 4),
        ("sigmoid", "logistic", "sigm"),
        "complement",
    ),
    ElementwiseFunction(
        "tanh",
        sp.tanh,
        r"\tanh",
        "tanh",
        "tanh",
        lambda y: 1 - y**2,
        (sp.Integer(-1), sp.Integer(1)),
        sp.Integer(1),
        parity="odd",
    ),
    ElementwiseFunction("exp", sp.exp, r"\exp", "exp", "exp", lambda y: y, (sp.Integer(0), sp.oo)),
    ElementwiseFunction("log", sp.log, r"\log", "log", "log", aliases=("ln",)),
    ElementwiseFunction(
        "sin", sp.sin, r"\sin", "sin", "sin", range=(sp.Integer(-1), sp.Integer(1)), slope=sp.Integer(1), parity="odd"
    ),
    ElementwiseFunction(
        "cos", sp.cos, r"\cos", "cos", "cos", range=(sp.Integer(-1), sp.Integer(1)), slope=sp.Integer(1), parity="even"
    ),
    ElementwiseFunction("sinh", sp.sinh, r"\sinh", "sinh", "sinh", parity="odd"),
    ElementwiseFunction("cosh", sp.cosh, r"\cosh", "cosh", "cosh", range=(sp.Integer(1), sp.oo), parity="even"),
    ElementwiseFunction(
        "arctan", sp.atan, r"\arctan", "arctan", "arctan", slope=sp.Integer(1), aliases=("atan",), parity="odd"
    ),
    ElementwiseFunction("sqrt", sp.sqrt, r"\sqrt", "sqrt", "sqrt", lambda y: 1 / (2 * y), (sp.Integer(0), sp.oo)),
    ElementwiseFunction(
        "abs",
        _absolute,
        r"\operatorname{abs}",
        "abs",
        "abs",
        range=(sp.Integer(0), sp.oo),
        slope=sp.Integer(1),
        parity="even",
    ),
    ElementwiseFunction(
        "sign",
        _sign,
        r"\operatorname{sign}",
        "sign",
        "sign",
        range=(sp.Integer(-1), sp.Integer(1)),
        aliases=("sgn",),
        parity="odd",
    ),
    ElementwiseFunction(
        "relu",
        _relu,
        r"\operatorname{ReLU}",
        "relu",
        "relu",
        range=(sp.Integer(0), sp.oo),
        slope=sp.Integer(1),
        aliases=("ReLU", "Relu"),
    ),
    ElementwiseFunction(
        "softplus",
        lambda x: sp.log(1 + sp.exp(x)),
        r"\operatorname{softplus}",
        "softplus",
        "softplus",
        lambda y: 1 - sp.exp(-y),
        (sp.Integer(0), sp.oo),
        sp.Integer(1),
        ("Softplus",),
    ),
    ElementwiseFunction(
        "silu", lambda x: x * _logistic(x), r"\operatorname{SiLU}", "silu", "silu", aliases=("SiLU", "swish", "Swish")
    ),
    ElementwiseFunction("gelu", _gelu, r"\operatorname{GELU}", "gelu", "gelu", aliases=("GELU",)),
    ElementwiseFunction(
        "step",
        _step,
        r"\operatorname{step}",
        range=(sp.Integer(0), sp.Integer(1)),
        aliases=("heaviside", "Heaviside"),
        parity="complement",
    ),
    ElementwiseFunction(
        "positive", _positive, r"\operatorname{positive}", range=(sp.Integer(0), sp.Integer(1)), slope=sp.Integer(0)
    ),
    ElementwiseFunction(
        "elu",
        _elu,
        r"\operatorname{ELU}",
        "elu",
        "elu",
        range=(sp.Integer(-1), sp.oo),
        slope=sp.Integer(1),
        aliases=("ELU",),
    ),
    ElementwiseFunction(
        "leaky_relu",
        _leaky_relu,
        r"\operatorname{LeakyReLU}",
        "leaky_relu",
        "leaky_relu",
        slope=sp.Integer(1),
        aliases=("LeakyReLU", "LReLU", "leakyrelu"),
    ),
    ElementwiseFunction(
        "hardtanh",
        _hard_tanh,
        r"\operatorname{hardtanh}",
        "hardtanh",
        "hardtanh",
        range=(sp.Integer(-1), sp.Integer(1)),
        slope=sp.Integer(1),
        aliases=("Hardtanh", "HardTanh"),
        parity="odd",
    ),
    ElementwiseFunction(
        "softsign",
        lambda x: x / (1 + _absolute(x)),
        r"\operatorname{softsign}",
        "softsign",
        "softsign",
        range=(sp.Integer(-1), sp.Integer(1)),
        slope=sp.Integer(1),
        aliases=("Softsign",),
        parity="odd",
    ),
    ElementwiseFunction(
        "mish", lambda x: x * sp.tanh(sp.log(1 + sp.exp(x))), r"\operatorname{mish}", "mish", "mish", aliases=("Mish",)
    ),
    ElementwiseFunction(
        "erf", sp.erf, r"\operatorname{erf}", "erf", "erf", range=(sp.Integer(-1), sp.Integer(1)), parity="odd"
    ),
)

_BY_NAME = {name: function for function in _DECLARED for name in (function.name, *function.aliases)}


def elementwise(name: str) -> ElementwiseFunction | None:
    """The declared function of this name or alias."""
    return _BY_NAME.get(name)


@lru_cache(maxsize=1)
def declared() -> tuple[ElementwiseFunction, ...]:
    """All declared elementwise functions."""
    return _DECLARED
