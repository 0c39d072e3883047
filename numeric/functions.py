"""Elementwise functions on arrays: stable where it matters, and correct on complex numbers, so that the complex step
can go through them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from derive.functions import ElementwiseFunction, elementwise

Array = Any
"""A NumPy array or a torch tensor."""


def total(x: Array) -> Array:
    """The sum of the entries of a matrix, or of each of a stack of them, as a (1, 1) array."""
    return x.sum(axis=(-2, -1), keepdims=True)


def _positive(x: Array) -> Array:
    return np.real(x) > 0


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow for large |x|."""
    small = np.exp(-np.where(_positive(x), x, -x))
    return np.where(_positive(x), 1.0, small) / (1.0 + small)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    size = np.where(_positive(x), x, -x)
    return np.where(_positive(x), x, 0.0 * x) + np.log1p(np.exp(-size))


def absolute(x: Array) -> Array:
    """|x| for real x; its analytic continuation beside the real axis."""
    return np.where(_positive(x), x, -x)


def relu(x: Array) -> Array:
    return np.where(_positive(x), x, 0.0 * x)


def sigmoid_slope(x: Array) -> Array:
    """σ'(x) = σ(x) σ(-x), of which no digits are lost for large x, as they are in σ(x) (1 - σ(x))."""
    return sigmoid(x) * sigmoid(-x)


def tanh_slope(x: Array) -> Array:
    """tanh'(x) = 1 / cosh²(x) = 4 σ'(2x), as stable for large |x|."""
    return 4.0 * sigmoid_slope(2.0 * x)


def silu(x: Array) -> Array:
    return x * sigmoid(x)


def erf(x: Array) -> Array:
    """The error function, through the complex step as well (first order is all that the step needs)."""
    from math import erf as real_erf

    real = np.vectorize(real_erf, otypes=[float])(np.real(x))
    if np.iscomplexobj(x):
        return real + 1j * np.imag(x) * 2.0 / np.sqrt(np.pi) * np.exp(-(np.real(x) ** 2))
    return real


def gelu(x: Array) -> Array:
    return 0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))


_NUMPY: dict[str, Callable[[Array], Array]] = {
    "sigma": sigmoid, "tanh": np.tanh, "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "sinh": np.sinh, "cosh": np.cosh,
    "arctan": np.arctan, "sqrt": np.sqrt, "abs": absolute, "sign": lambda x: np.sign(np.real(x)), "relu": relu,
    "softplus": softplus, "silu": silu,
    "gelu": gelu, "erf": erf,
}  # fmt: skip


_SLOPES: dict[str, Callable[[Array], Array]] = {"sigma": sigmoid_slope, "tanh": tanh_slope}
"""Derivatives that lose their digits where they are computed from the output."""


def stand_in(name: str) -> tuple[float, float, float, float]:
    """Coefficients (a, b, c, d) of what an abstract function phi is evaluated as: a tanh(b x + c) + d x.

    Smooth, and with no symmetry that a formula could hold by; two names stand for two functions. What holds for it at
    random points is not owed to a property that phi need not have.
    """
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    generator = np.random.default_rng(seed)
    a, b, c, d = generator.uniform((0.6, 0.7, 0.2, 0.1), (1.4, 1.5, 0.8, 0.4))
    return float(a), float(b), float(c), float(d)


def _abstract(name: str) -> ElementwiseFunction:
    a, b, c, d = stand_in(name)
    return ElementwiseFunction(name, lambda x: a * sp.tanh(b * x + c) + d * x, name)


@lru_cache(maxsize=256)
def numpy_function(name: str, order: int) -> Callable[[Array], Array]:
    """The function of a name, or its derivative of an order, on NumPy arrays; an abstract function by its
    :func:`stand_in`.
    """
    declared = elementwise(name)
    if declared is None:
        if order:
            return _from_definition(_abstract(name), order)
        a, b, c, d = stand_in(name)
        return lambda x: a * np.tanh(b * x + c) + d * x
    if order == 0:
        return _NUMPY[declared.name] if declared.name in _NUMPY else _from_definition(declared, 0)
    output = sp.Symbol("y")
    in_output = declared.derivative_in_output(output, order)
    if in_output is not None:
        base = numpy_function(declared.name, 0)
        if declared.name in _SLOPES:  # every derivative of higher order has the first as a factor
            slope = _SLOPES[declared.name]
            rest = sp.lambdify(output, sp.cancel(in_output / declared.derivative_in_output(output)), "numpy", cse=True)
            return lambda x: slope(x) * (rest(base(x)) + 0.0 * x)
        formula = sp.lambdify(output, in_output, "numpy", cse=True)
        return lambda x: formula(base(x)) + 0.0 * x
    return _from_definition(declared, order)


def _from_definition(declared: ElementwiseFunction, order: int) -> Callable[[Array], Array]:
    """A derivative from the SymPy definition. Off the real axis it is continued to first order, which is all that the
    complex step sees.
    """
    u = sp.Symbol("u", real=True)
    here, beyond = (sp.lambdify(u, declared.derivative(u, k), [{"erf": erf}, "numpy"]) for k in (order, order + 1))

    def value(x: Array) -> Array:
        real = np.real(x)
        result = here(real) + 0.0 * real
        return result + 1j * np.imag(x) * beyond(real) if np.iscomplexobj(x) else result

    return value


def softmax(x: Array, axis: int) -> Array:
    """exp(x) / sum exp(x), shifted by the largest entry."""
    shifted = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return shifted / np.sum(shifted, axis=axis, keepdims=True)
