"""Backward passes with planted mistakes: the wrong gradient, the step, and the reason are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import bptt
from derive.cell import Cell
from derive.errors import DataError, UsageError, ValidationError
from verify.programs.report import GradientReport, assert_gradients, check_gradients

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)")
TAGGER = Cell.from_text(
    "h_t = \\tanh(W h_{t-1} + U x_t)\np_t = \\operatorname{softmax}(V h_t)\nL = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t"
)


def backward(slip: str = "") -> Callable[..., dict[str, Any]]:
    """A backward pass of the RNN, with a mistake."""

    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        h = [h_0]
        for step in x:
            h.append(np.tanh(W @ h[-1] + U @ step + (0 * b if slip == "no bias" else b)))
        dW, dU, db, dx, carried, total = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), [], 0 * h_0, []
        for t in reversed(range(len(x))):
            at_state = dh[t] + (0 if slip == "nothing carried" else carried)
            slope = h[t + 1] * (1 - h[t + 1]) if slip == "slope of sigma" else 1 - h[t + 1] ** 2
            dz = slope * at_state
            dW += np.outer(dz, h[t + 1] if slip == "later state" else h[t])
            dU += np.outer(x[t], dz).T
            db += dz
            carried = (W if slip == "not transposed" else W.T) @ dz
            dx.append(U.T @ dz)
            total.append(at_state)
        if slip == "in the order of the pass":
            dx = dx[::-1]
        return {
            "h": np.array(h[1:]), "dW": dW.T if slip == "turned" else dW, "dU": dU[:, :1] if slip == "cut" else dU,
            "db": 3 * db if slip == "three times" else db, "dx": np.array(dx[::-1]), "dh_0": carried, "dh": np.array(total[::-1]),
        }  # fmt: skip

    return run


def wrong(report: GradientReport) -> dict[str, str]:
    return {finding.name: finding.why for finding in report.findings if not finding.right}


def test_a_right_one() -> None:
    report = check_gradients(backward(), RNN)
    assert report.right and not report.missing and not report.unknown
    assert_gradients(backward(), RNN)


@pytest.mark.parametrize(
    ("slip", "names", "why"),
    [
        ("later state", {"dW"}, "h[t] stands where h[t-1] belongs"),
        ("not transposed", {"dW", "dU", "db", "dx", "dh_0", "dh"}, "W stands where W.T belongs"),
        ("nothing carried", {"dW", "dU", "db", "dx", "dh_0", "dh"}, "∇_{h[t]} L[t]"),
        (
            "slope of sigma",
            {"dW", "dU", "db", "dx", "dh_0", "dh"},
            "h[t] * (1 - h[t]) stands where tanh'(z[t]) belongs",
        ),
        ("three times", {"db"}, "3 times as large"),
        ("turned", {"dW"}, "it is transposed"),
        ("in the order of the pass", {"dx"}, ""),
        ("cut", {"dU"}, ""),
        ("no bias", {"h", "dW", "dU", "db", "dx", "dh_0", "dh"}, ""),
    ],
)
def test_a_planted_mistake(slip: str, names: set[str], why: str) -> None:
    report = check_gradients(backward(slip), RNN)
    found = wrong(report)
    assert set(found) == names
    assert any(why in said for said in found.values())
    with pytest.raises(ValidationError, match=r"dW|dU|db|dx"):
        assert_gradients(backward(slip), RNN)


def test_where_it_goes_wrong() -> None:
    findings = {finding.name: finding for finding in check_gradients(backward("not transposed"), RNN).findings}
    assert findings["dW"].where == "it is right for T = 1, and wrong for longer sequences"
    assert findings["dh"].where == "at step 6 first, going back from T = 7"  # the last step is right
    findings = {finding.name: finding for finding in check_gradients(backward("no bias"), RNN).findings}
    assert findings["h"].where.startswith("from step 1 on")
    findings = {finding.name: finding for finding in check_gradients(backward("cut"), RNN).findings}
    assert "expected" in findings["dU"].where


# -- a published program -------------------------------------------------------------------------------

SHEET = Cell.from_text("s_i = \\sigma(s_{i-1} U + x_i W)\na = s_2 V\ny = \\sigma(a)\nL = \\frac{1}{2}(y - \\hat y)^2")


def _over_a_sum(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.sum(np.exp(x) + 1)


def program(sigmoid: Callable[[np.ndarray], np.ndarray], first: str) -> Callable[..., dict[str, Any]]:
    def run(U, W, V, x1, x2, s0, y_hat):  # type: ignore[no-untyped-def]
        s1 = sigmoid(s0 @ U + x1 @ W)
        s2 = sigmoid(s1 @ U + x2 @ W)
        y = sigmoid(s2 @ V)
        da = (y - y_hat) * y * (1 - y)
        do2 = da * V * s2 * (1 - s2)
        do1 = (do2 @ U.T) * s1 * (1 - s1)
        return {
            "dV": s2 * da, "dU_1": np.outer(s1 if first == "s1" else s0, do1), "dU_2": np.outer(s1, do2),
            "dW_1": np.outer(x1, do1), "dW_2": np.outer(x2, do2),
        }  # fmt: skip

    return run


def test_a_published_program_with_two_mistakes() -> None:
    report = check_gradients(program(_over_a_sum, "s1"), SHEET, length=2)
    found = wrong(report)
    assert set(found) == {"dV", "dU_1", "dU_2", "dW_1", "dW_2"}
    assert "divides by a sum" in found["dV"] and "divides by a sum" in found["dW_1"]
    assert "s[1] stands where s[0] belongs" in found["dU_1"]


def test_the_same_program_put_right_step_by_step() -> None:
    logistic = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    found = wrong(check_gradients(program(logistic, "s1"), SHEET, length=2))
    assert set(found) == {"dU_1"} and "s[1] stands where s[0] belongs" in found["dU_1"]
    assert check_gradients(program(logistic, "s0"), SHEET, length=2).right


# -- ways to be called ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("subject", [RNN, TAGGER, bptt.cell("lstm")], ids=["rnn", "tagger", "lstm"])
def test_compiled_cells_are_right(subject: Cell, batch: bool, backend: str) -> None:
    function = bptt.compile(subject, backend)

    def run(params, inputs, initial_state, cotangents, targets):  # type: ignore[no-untyped-def]
        return function(params, inputs, initial_state, cotangents or None, targets or None)

    report = check_gradients(run, subject, torch=backend == "torch", batch=batch)
    assert report.right and not report.missing, report


def test_autograd_of_tensors_is_right_and_a_detached_step_is_not() -> None:
    def run(W, U, b, x, h_0, dh, cut=False):  # type: ignore[no-untyped-def]
        leaves = [value.clone().requires_grad_() for value in (W, U, b)]
        h, loss = h_0, 0.0
        for step, cotangent in zip(x, dh, strict=True):
            h = torch.tanh(leaves[0] @ (h.detach() if cut else h) + leaves[1] @ step + leaves[2])
            loss = loss + h @ cotangent
        return torch.autograd.grad(loss, leaves)

    names = ["dW", "dU", "db"]
    assert check_gradients(run, RNN, torch=True, returns=names).right
    cut = check_gradients(lambda W, U, b, x, h_0, dh: run(W, U, b, x, h_0, dh, True), RNN, torch=True, returns=names)
    assert all("∇_{h[t]} L[t], where" in finding.why for finding in cut.findings)


def test_what_is_not_returned_or_not_known() -> None:
    report = check_gradients(lambda W, U, b, x, h_0, dh: {"dW": backward()(W, U, b, x, h_0, dh)["dW"], "foo": W}, RNN)
    assert report.right and report.missing == ("U", "b") and report.unknown == ("foo",)
    with pytest.raises(ValidationError, match="not returned: U, b"):
        assert_gradients(lambda W, U, b, x, h_0, dh: {"dW": backward()(W, U, b, x, h_0, dh)["dW"]}, RNN)


def test_numbers_that_are_not_finite() -> None:
    report = check_gradients(lambda W, U, b, x, h_0, dh: {"dW": W * np.nan}, RNN)
    assert not report.right and "not finite" in report.findings[0].where


def _takes_nothing() -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("function", "error", "said"),
    [
        (lambda Q: {}, UsageError, "takes Q, which is no quantity"),
        (lambda W: 3, DataError, "without names"),
        (lambda W: {"dW": "x"}, DataError, "no array of numbers"),
        (_takes_nothing, UsageError, "takes no quantity by its name"),
    ],
)
def test_functions_of_other_kinds(function: Callable[..., Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        check_gradients(function, RNN)
