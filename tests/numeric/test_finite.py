"""Results that are not finite: what is said, and about which time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import bptt

SQUARES = "h_t = W (h_{t-1} \\odot h_{t-1}) + x_t"
ROOTS = "h_t = \\sqrt{W h_{t-1} + x_t}"
T, B, N = 30, 3, 2


def _first_lost(x: np.ndarray, limit: float) -> tuple[int, int]:
    """The time and the sequence in which h_t = h_{t-1}^2 + x_t leaves the numbers, by Python's own arithmetic."""
    found = []
    for k in range(B):
        h = 0.0
        for t in range(T):
            h = h * h + float(x[t, k, 0])
            if h > limit:
                found.append((t + 1, k))
                break
    return min(found)


@pytest.mark.parametrize("backend", ["numpy", "compiled", "torch"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_first_time_going_forward(dtype: str, backend: str) -> None:
    x = np.zeros((T, B, N))
    x[4, 1], x[9, 2] = 10, 10
    function = bptt.compile(bptt.cell(SQUARES), backend, dtype)
    time, sequence = _first_lost(x, float(np.finfo(dtype).max))
    with pytest.warns(bptt.NonFiniteWarning, match=f"^h is not finite from t = {time} on, in sequence {sequence} of"):
        result = function({"W": np.eye(N)}, {"x": x}, cotangents={"h": np.ones((T, B, N))})
    states = np.asarray(result.states["h"])
    assert np.isfinite(states[: time - 1]).all() and not np.isfinite(states[time - 1]).all()


@pytest.mark.parametrize("backend", ["numpy", "compiled", "torch"])
def test_the_last_time_going_backward(backend: str) -> None:
    """The root of zero has an infinite slope, although the state is a number everywhere."""
    x = np.ones((T, N))
    x[7] = 0
    function = bptt.compile(bptt.cell(ROOTS), backend)
    with pytest.warns(bptt.NonFiniteWarning, match="is not finite from t = 8 back$"):
        function({"W": np.zeros((N, N))}, {"x": x}, cotangents={"h": np.ones((T, N))})


def test_arguments_that_are_not_finite() -> None:
    x = np.ones((T, N))
    x[3, 1] = np.nan
    with pytest.warns(bptt.NonFiniteWarning, match="the argument x"):
        bptt.compile(bptt.cell(SQUARES))({"W": np.zeros((N, N))}, {"x": x}, cotangents={"h": np.ones((T, N))})


def test_a_sum_over_time_that_is_too_large() -> None:
    large: dict[str, Any] = {"h": np.full((T, N), 3e38, "f4")}
    with pytest.warns(bptt.NonFiniteWarning, match="a sum over time"):
        bptt.compile(bptt.cell("h_t = W h_{t-1} + x_t + b"), dtype="float32")(
            {"W": np.zeros((N, N)), "b": np.zeros(N)}, {"x": np.ones((T, N))}, cotangents=large
        )


def test_a_node_of_a_tree() -> None:
    subject = bptt.cell("h_j = W \\sum_{k \\in C(j)} (h_k \\odot h_k) + x_j")
    x = np.zeros((5, N))
    x[1] = 1e200
    with pytest.warns(bptt.NonFiniteWarning, match="^h is not finite from node 4 on"):
        bptt.compile(subject)({"W": np.eye(N)}, {"x": x}, cotangents={"h": np.ones((5, N))}, tree=(3, 4, 5, 5, 6))


def test_a_recursion_that_runs_backward_in_time() -> None:
    x = np.zeros((T, N))
    x[20] = 10
    subject = bptt.cell("h_t = W (h_{t+1} \\odot h_{t+1}) + x_t")
    with pytest.warns(bptt.NonFiniteWarning, match="^h is not finite from t = 12 back$"):
        bptt.compile(subject)({"W": np.eye(N)}, {"x": x}, cotangents={"h": np.ones((T, N))})


def test_a_gradient_that_is_not_finite() -> None:
    """x is 0, so that U changes no state; but the gradient by x is U^T delta, and 1e200 times 1e200 is no number."""
    shapes = {"n": N, "d": N}
    subject = bptt.cell("lstm")
    params = {key: np.zeros([shapes[str(s)] for s in subject.shapes[key] if s != 1]) for key in subject.parameters}
    params.update(U_c=np.full((N, N), 1e200))
    cotangents = np.zeros((T, N))
    cotangents[10] = 1e200
    with pytest.warns(bptt.NonFiniteWarning, match="^the gradient of x is not finite from t = 1 on$"):
        bptt.compile(subject)(params, {"x": np.zeros((T, N))}, cotangents={"h": cotangents})


def test_large_numbers_are_nothing_to_warn_about() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = bptt.compile(bptt.cell("h_t = W h_{t-1} + x_t"), dtype="float32")(
            {"W": np.zeros((N, N))}, {"x": np.full((T, N), 1e30)}, cotangents={"h": np.ones((T, N))}
        )
    assert np.isfinite(result.gradients["W"]).all()
