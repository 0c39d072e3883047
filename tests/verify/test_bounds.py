"""Inequalities: true ones stand, and those that are false only where they are tight fall."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check

SIGMOID = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t + b)")
NARROW = Cell.from_text("h_t = \\sigma(W h_{t-1} + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
TANH = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)")
LINEAR = Cell.from_text("h_t = W h_{t-1} + U x_t")
ROWS = Cell.from_text("s_i = \\tanh(s_{i-1} U + x_i W)")
JACOBIAN = "\\left\\| \\frac{\\partial h_t}{\\partial h_k} \\right\\|"


@pytest.mark.parametrize(
    ("subject", "claim", "expected"),
    [
        (SIGMOID, JACOBIAN + " \\le \\left(\\frac{1}{4} \\|W\\|\\right)^{t-k}", "correct"),
        (SIGMOID, JACOBIAN + " \\le (0.249 \\|W\\|)^{t-k}", "wrong"),
        (SIGMOID, JACOBIAN + " < (0.25 \\|W\\|)^{t-k}", "wrong"),  # it is reached
        (SIGMOID, JACOBIAN + " \\le (0.25 \\|W\\|)^{t-k+1}", "wrong"),
        (NARROW, JACOBIAN + " \\le (0.249 \\|W\\|)^{t-k}", "wrong"),  # no input: the bias alone makes z zero
        (TANH, JACOBIAN + " \\le \\|W\\|^{t-k}", "correct"),
        (TANH, JACOBIAN + " \\le (0.99 \\|W\\|)^{t-k}", "wrong"),
        (TANH, JACOBIAN + " \\ge (0.01 \\|W\\|)^{t-k}", "wrong"),
        (TANH, "\\|W\\|^{t-k} \\ge " + JACOBIAN, "correct"),
        (TANH, "\\| \\frac{\\partial h_t}{\\partial h_{t-1}} \\| \\le \\| \\operatorname{diag}(1 - h_t^2) \\| \\|W\\|", "correct"),
        (TANH, "\\| \\operatorname{diag}(1 - h_t^2) W \\| = \\| \\operatorname{diag}(1 - h_t^2) \\| \\|W\\|", "wrong"),
        (TANH, "\\|W\\| \\le \\|W\\|_F", "correct"),
        (TANH, "\\|W\\|_F \\le \\|W\\|", "wrong"),
        (LINEAR, "\\| W^2 \\| \\le \\|W\\|^2", "correct"),
        (LINEAR, "\\| W^2 \\| \\ge \\|W\\|^2", "wrong"),
        (ROWS, "\\| \\frac{\\partial s_i}{\\partial s_k} \\| \\le \\|U\\|^{i-k}", "correct"),
        (ROWS, "\\| \\frac{\\partial s_i}{\\partial s_k} \\| \\le (0.99 \\|U\\|)^{i-k}", "wrong"),
        (SIGMOID, "0 < \\sigma'(z_t) \\le \\frac{1}{4}", "correct"),
        (SIGMOID, "0 < \\sigma'(z_t) < \\frac{1}{4}", "wrong"),
        (SIGMOID, "h_t \\le 0.9", "wrong"),
        (SIGMOID, JACOBIAN + " \\le \\prod_{j=k+1}^{t} \\| \\frac{\\partial h_j}{\\partial h_{j-1}} \\| \\le (\\frac14 \\|W\\|)^{t-k}", "correct"),
        (SIGMOID, "2 < 3", "correct"),
        (SIGMOID, "3 \\le 2", "wrong"),
    ],
)  # fmt: skip
def test_bounds(subject: Cell, claim: str, expected: str) -> None:
    (found,) = check(claim, subject)
    assert found.verdict == expected, found
    if expected == "wrong" and found.counterexample is not None:
        data = found.counterexample.data()
        assert data["left"] and data["right"]
