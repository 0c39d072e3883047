"""Bounds that hold at small sizes, for short sequences or for a tame loss alone."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
ANY = Cell.from_text("h_t = \\phi(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
LEAKY = Cell.from_text(
    "h_t = (1-\\alpha) h_{t-1} + \\alpha \\tanh(W h_{t-1} + U x_t)\n0 < \\alpha < 1\nL = \\sum_{t=1}^{T} L_t(h_t)"
)
LABELLED = Cell.from_text(
    "h_t = \\tanh(W h_{t-1} + U x_t)\np_t = \\operatorname{softmax}(V h_t)\nL = -\\sum_{t=1}^{T} y_t^\\top \\log(p_t)\n\\mathbf{1}^\\top y_t = 1"
)


@pytest.mark.parametrize(
    ("cell", "bound"),
    [
        (RNN, r"\|W\|_F \le \sqrt{2}\|W\|"),  # I of size 3
        (RNN, r"\operatorname{tr}(W) \le \frac{n+2}{2} \|W\|"),  # I of size 3
        (RNN, r"\|\sum_{t=1}^{T} h_t\| \le 4 \sqrt{n}"),  # T = 5
        (RNN, r"\|\sum_{t=1}^{T} h_t\| \le 40 \sqrt{n}"),  # T = 41
        (RNN, r"\|\nabla_{h_t} L_t\| \le 5"),
        (RNN, r"L_t \le 5"),
        (RNN, r"\|\frac{\partial h_t}{\partial h_k}\| \le \|W^{t-k}\|"),  # W = (1 1; -1 -1), whose square is zero
        (RNN, r"\|\frac{\partial h_t}{\partial h_{t-2}}\| \le \|W^2\|"),
        (ANY, r"\|\frac{\partial h_t}{\partial h_{t-1}}\| \le 2\|W\|"),
        (RNN, r"\|\sum_{t=1}^{T} h_t\| \le 5 \sqrt{\sum_{t=1}^{T} \|h_t\|^2}"),  # W = 0, T = 26
        (RNN, r"\|\frac{\partial h_t}{\partial h_k}\| \le (1 + \|W\|)^{12}"),  # W = 4 I, t - k = 15
        (RNN, r"\|\frac{\partial h_T}{\partial h_0}\| \le 1 + \|W\|^{30}"),  # W = 1.2 I, T = 31
        (LEAKY, r"\alpha \ge 0.05"),
        (LEAKY, r"\|\frac{\partial h_t}{\partial h_{t-1}}\| \le 0.9 + \alpha \|W\|"),
    ],
)  # fmt: skip
def test_false(cell: Cell, bound: str) -> None:
    (found,) = check(f"$${bound}$$", cell, explained=False)
    assert not found.accepted


@pytest.mark.parametrize(
    ("cell", "bound"),
    [
        (RNN, r"\|W\|_F \le \sqrt{n}\|W\|"),
        (RNN, r"\|\sum_{t=1}^{T} h_t\| \le T \sqrt{n}"),
        (RNN, r"\|\frac{\partial h_t}{\partial h_k}\| \le \|W\|^{t-k}"),
        (RNN, r"\|\sum_{t=1}^{T} h_t\| \le \sqrt{T \sum_{t=1}^{T} \|h_t\|^2}"),
        (RNN, r"\|\frac{\partial h_T}{\partial h_0}\| \le 1 + \|W\|^T"),
        (LEAKY, r"\|\frac{\partial h_t}{\partial h_{t-1}}\| \le 1 - \alpha + \alpha \|W\|"),
        (LABELLED, r"\mathbf{1}^\top y_t \le 1"),
    ],
)  # fmt: skip
def test_true(cell: Cell, bound: str) -> None:
    (found,) = check(f"$${bound}$$", cell, explained=False)
    assert found.verdict == "correct", found.message


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (r"\tanh'(z_t) \le 4 \exp(-2 |z_t|)", "correct"),  # 4 e^{-2z} / (1 + e^{-2z})^2
        (r"\tanh'(z_t) \ge \exp(-2 |z_t|)", "correct"),
        (r"1 - h_t^2 \le 4 \exp(-2 |z_t|)", "correct"),  # whose left side is rounding where h is nearly 1
        (r"1 - h_t^2 \le 3.9 \exp(-2 |z_t|)", "wrong"),
        (r"h_t > \tanh(z_t)", "wrong"),
        (r"h_t \le 0.99999999999", "unsupported"),  # z = 13
        (r"\|h_t\| \le [n > 1] \sqrt{n}", "wrong"),
    ],
)
def test_sides_that_are_near_to_each_other(bound: str, expected: str) -> None:
    (found,) = check(f"$${bound}$$", RNN, explained=False)
    assert found.verdict == expected, found.message
