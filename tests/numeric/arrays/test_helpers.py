"""Elementwise functions as both libraries compute them, against mpmath with many digits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch

from derive.functions import ElementwiseFunction, declared
from numeric.arrays.helpers import helper_source
from numeric.arrays.library import Library
from numeric.arrays.numpy_library import NUMPY
from numeric.arrays.torch_library import TORCH

POINTS = (-1e4, -800.0, -90.0, -3.0, -0.5, 0.25, 2.0, 90.0, 800.0, 1e4)


def _computed(name: str, library: Library, dtype: str, points: list[float]) -> Any:
    scope: dict[str, Any] = {}
    exec("\n".join([library.opening, *helper_source([name], library)]), scope)
    if library is TORCH:
        return scope[name](torch.tensor(points, dtype=getattr(torch, dtype))).numpy()
    with np.errstate(all="ignore"):
        return scope[name](np.array(points, dtype))


def _inside(function: ElementwiseFunction, point: float, dtype: str) -> bool:
    """Whether a function has a value there that is a number of the type."""
    if function.name in ("log", "sqrt") and point <= 0:
        return False
    limit = 88 if dtype == "float32" else 700
    return function.name not in ("exp", "sinh", "cosh") or abs(point) < limit


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("library", [NUMPY, TORCH], ids=lambda one: one.name)
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("function", declared(), ids=lambda one: one.name)
def test_values_and_derivatives(function: ElementwiseFunction, order: int, library: Library, dtype: str) -> None:
    points = [float(np.dtype(dtype).type(point)) for point in POINTS if _inside(function, point, dtype)]
    found = _computed(function.name + "_prime" * order, library, dtype, points)
    z = sp.Symbol("z", real=True)
    formula = function.derivative(z, order) if order else function.definition(z)
    exact = sp.lambdify(z, formula, "mpmath")
    with mpmath.workdps(60):
        truth = np.array([float(exact(mpmath.mpf(point))) for point in points])
    assert found.dtype == np.dtype(dtype)
    step = np.finfo(dtype).eps
    sizes = np.maximum(1.0, np.abs(points)) if function.name in ("sin", "cos") else 1.0
    np.testing.assert_array_less(np.abs(found - truth), 60 * step * np.maximum(sizes, np.abs(truth)))
