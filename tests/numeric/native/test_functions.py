"""Elementwise functions in machine code, against mpmath with many digits; what is not finite stays so."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy as sp

import bptt
from derive.functions import ElementwiseFunction, declared

POINTS = (-1e4, -800.0, -745.0, -90.0, -3.0, -0.5, -1e-6, 1e-9, 0.25, 2.0, 16.0, 90.0, 710.0, 800.0, 1e4)


def _inside(function: ElementwiseFunction, point: float, dtype: str) -> bool:
    if function.name in ("log", "sqrt") and point <= 0:
        return False
    limit = 88 if dtype == "float32" else 700
    return function.name not in ("exp", "sinh", "cosh") or abs(point) < limit


def _spelled(function: ElementwiseFunction) -> str:
    return next(name for name in (function.name, *function.aliases) if "_" not in name)


def _exact(function: ElementwiseFunction, order: int, points: np.ndarray) -> np.ndarray:
    z = sp.Symbol("z", real=True)
    exact = sp.lambdify(z, function.derivative(z, order) if order else function.definition(z), "mpmath")
    with mpmath.workdps(60):
        return np.array([float(exact(mpmath.mpf(float(point)))) for point in points])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("function", declared(), ids=lambda one: one.name)
def test_values_and_derivatives(function: ElementwiseFunction, dtype: str) -> None:
    points = np.array([point for point in POINTS if _inside(function, point, dtype)], dtype)
    compiled = bptt.compile(bptt.cell(f"y[t] = {_spelled(function)}(x[t])"), "compiled", dtype)
    found = compiled(inputs={"x": points[None]}, cotangents={"y": np.ones((1, len(points)))})
    step = 60 * np.finfo(dtype).eps
    for order, values in ((0, found.states["y"][0]), (1, found.gradients["x"][0])):
        truth = _exact(function, order, points)
        assert values.dtype == np.dtype(dtype)
        sizes = np.maximum(1.0, np.abs(points)) if function.name in ("sin", "cos") else 1.0
        np.testing.assert_array_less(np.abs(values - truth), step * np.maximum(sizes, np.abs(truth)))


@pytest.mark.parametrize("dtype, units", [("float64", 4), ("float32", 4)])
@pytest.mark.parametrize("name", ["exp", "tanh", "sigma"])
def test_a_few_units_in_the_last_place(name: str, dtype: str, units: int) -> None:
    """Relative to the value itself, near zero as well."""
    generator = np.random.default_rng(0)
    points = np.concatenate([generator.normal(size=400) * 10.0**k for k in range(-6, 2)]).astype(dtype)
    function = next(one for one in declared() if one.name == name)
    found = bptt.compile(bptt.cell(f"y[t] = {name}(x[t])"), "compiled", dtype)(inputs={"x": points[None]})
    truth = _exact(function, 0, points)
    smallest = np.finfo(dtype).smallest_normal
    error = np.abs(found.states["y"][0] - truth) / np.maximum(np.abs(truth), smallest)
    assert error.max() < units * np.finfo(dtype).eps


@pytest.mark.filterwarnings("ignore::bptt.NonFiniteWarning")
@pytest.mark.parametrize("function", declared(), ids=lambda one: one.name)
def test_what_is_no_number_stays_so(function: ElementwiseFunction) -> None:
    compiled = bptt.compile(bptt.cell(f"y[t] = {_spelled(function)}(x[t])"), "compiled")
    found = compiled(inputs={"x": np.array([[np.nan, 0.5, 1.0]])})
    assert np.isnan(found.states["y"][0, 0])
    assert np.isfinite(found.states["y"][0, 1:]).all()


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_softmax_and_cross_entropy_of_large_logits(dtype: str, scale: float) -> None:
    """Against NumPy, whose results are tested against mpmath."""
    text = "p_t = \\operatorname{softmax}(V x_t)\nL = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t"
    generator = np.random.default_rng(0)
    given = ({"V": generator.normal(size=(19, 3)) * scale}, {"x": generator.normal(size=(6, 2, 3))})
    targets = {"y": generator.integers(0, 19, size=(6, 2))}
    found, truth = (
        bptt.compile(bptt.cell(text), name, dtype)(*given, targets=targets) for name in ("compiled", "numpy")
    )
    rough = 2e-5 if dtype == "float32" else 1e-12
    assert found.loss == pytest.approx(truth.loss, rel=rough)
    for key, value in truth.gradients.items():
        np.testing.assert_allclose(found.gradients[key], value, rtol=0, atol=rough * max(1, np.abs(value).max()))
