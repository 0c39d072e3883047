"""Verdicts on formulas that are easily judged wrongly: relations of numbers, times that do not exist, long distances,
layouts, numbers that rounding hides. What is right is known from theory, not from the judge.
"""

from __future__ import annotations

import pytest

from derive.cell import Cell
from reports.blocks.judging import Subject, verdict_on

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
TWO = Cell.from_text(
    "h^{[1]}_t = \\tanh(W_1 h^{[1]}_{t-1} + U_1 x_t)\nh^{[2]}_t = \\tanh(W_2 h^{[2]}_{t-1} + U_2 h^{[1]}_t)\n"
    "L = \\sum_{t=1}^{T} L_t(h^{[2]}_t)"
)
BOTH = Cell.from_text("f_t = \\tanh(A x_t + B f_{t-1})\ng_t = \\tanh(C x_t + D g_{t+1})\ny_t = V f_t + U g_t")
LOGISTIC = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
BACKWARD = Cell.from_text("g_t = \\tanh(V g_{t+1} + R x_t)")
LAGGED = Cell.from_text("h_t = \\tanh(W h_{t-1} + V h_{t-2} + U x_t)")
NORMED = Cell.from_text(
    "z_t = W h_{t-1} + U x_t\nh_t = \\frac{z_t}{\\sqrt{\\operatorname{mean}(z_t^2) + 10^{-12}}}\nh_t \\in \\mathbb{R}^{n}"
)

NUMBERS = [
    ("2+2 = 5 = 4", "wrong"),
    ("1 = 2 = 1", "wrong"),
    (r"1 \approx 7 = 1", "wrong"),
    ("2 < 2", "wrong"),
    (r"3 \ne 3", "wrong"),
    (r"3 \ne 4", "correct"),
    ("1 < 2", "correct"),
    (r"\frac{1}{4} \le \frac{1}{2}", "correct"),
    (r"1 \le 1 \le 0 = 1", "wrong"),
    (r"0.4^{30} \approx 9.9 \cdot 10^{-12}", "wrong"),
    (r"0.4^{30} \approx 1.2 \cdot 10^{-12}", "correct"),
    (r"0.4^{30} \approx 5 \cdot 10^{-1}", "wrong"),
    (r"1250000 \approx 1.2 \cdot 10^6", "correct"),
    (r"0.00015 \approx 1.2\cdot 10^{-4}", "wrong"),
    (r"\frac{1}{3} \approx 0.333", "correct"),
    (r"\begin{pmatrix}1&1\\1&1\end{pmatrix} = 1", "wrong"),
    (r"\begin{pmatrix}1&2\\2&4\end{pmatrix}^{-1} = 1", "unreadable"),
    ("0^{-1} = 2", "unreadable"),
    (r"(-1)^{0.5} = 2", "unreadable"),
]


@pytest.mark.parametrize(("text", "verdict"), NUMBERS)
def test_relations_of_numbers(text: str, verdict: str) -> None:
    assert verdict_on(Subject(None, 6, 0), text).verdict == verdict


ABOUT_CELLS = [
    # Truncated after five steps, with states that do not exist, or true of short sequences only.
    (
        RNN,
        r"\nabla_W L = \sum_{t=1}^{T} \sum_{k=t-4}^{t} ((1-h_k^2) \odot ((\frac{\partial h_t}{\partial h_k})^\top \nabla_{h_t} L_t)) h_{k-1}^\top",
        "wrong",
    ),
    (RNN, r"h_t = h_t + [t \ge 6] h_t", "wrong"),
    (RNN, r"\sum_{t=1}^{T} h_t = \sum_{t=1}^{5} [t \le T] h_t", "wrong"),
    (RNN, r"\frac{\partial h_t}{\partial h_{t-6}} = 0", "wrong"),
    # Hidden by rounding, or by values that are never large.
    (RNN, r"10^{-14} h_t = 0", "unsupported"),
    (NORMED, r"h_t = \frac{z_t}{\sqrt{\operatorname{mean}(z_t^2)}}", "unsupported"),
    (RNN, r"\min(z_t, 9) = z_t", "wrong"),
    # True at every step, though not of starting values.
    (
        RNN,
        r"\frac{\partial L}{\partial h_t} = \sum_{s=t}^{T} \frac{\partial L_s}{\partial h_s} \frac{\partial h_s}{\partial h_t}",
        "correct",
    ),
    (RNN, r"\nabla_{h_t} L = \sum_{s=t}^{T} (\frac{\partial h_s}{\partial h_t})^\top \nabla_{h_s} L_s", "correct"),
    (
        TWO,
        r"\nabla_{h^{[1]}_t} L = U_2^\top ((1-(h^{[2]}_t)^2) \odot \nabla_{h^{[2]}_t} L) + W_1^\top ((1-(h^{[1]}_{t+1})^2) \odot \nabla_{h^{[1]}_{t+1}} L)",
        "correct",
    ),
    (BOTH, r"\frac{\partial g_t}{\partial g_{t+1}} = \operatorname{diag}(1-g_t^2) D", "correct"),
    (BOTH, r"\frac{\partial f_t}{\partial f_{t-1}} = \operatorname{diag}(1-f_t^2) B", "correct"),
    # The adjoints of the recursion, by their names.
    (RNN, r"\nabla_W L = \sum_{t=1}^{T} \delta_t h_{t-1}^\top", "correct"),
    (RNN, r"\nabla_W L = \sum_{t=1}^{T} \delta_t h_t^\top", "wrong"),
    (RNN, r"\delta_t = (1 - h_t^2) \odot (\nabla_{h_t} L_t + W^\top \delta_{t+1})", "correct"),
    (RNN, r"\delta_t = (1 - h_t^2) \odot (W^\top \delta_{t+1})", "wrong"),
    # Layouts.
    (RNN, r"\nabla_{h_t} L = \frac{\partial L}{\partial h_t}", "layout"),
    (RNN, r"\nabla_{h_t} L = 2 \frac{\partial L}{\partial h_t}", "wrong"),
    (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = W^\top \operatorname{diag}(1-h_t^2)", "layout"),
    (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = W \operatorname{diag}(1-h_t^2)", "wrong"),
    # What cannot be read, and sizes.
    (RNN, r"h_t = \eta_t", "unreadable"),
    (RNN, r"h_t \in [-1, 1]", "unreadable"),
    (RNN, r"\lVert I \rVert = 1", "unreadable"),
    (RNN, r"h_t, b \in \mathbb{R}^{n}", "correct"),
    # Ranges that run up or down, tensors, numbers beyond rounding or range, derivatives of the loss as columns.
    (LOGISTIC, r"\sum_{k=t}^{T} \prod_{j=t}^{k} W = W + (T-t) I", "wrong"),
    (LOGISTIC, r"\prod_{j=t}^{k} W = W^{t-k+1}", "wrong"),
    (LOGISTIC, r"\prod_{j=t}^{k} W = W^{k-t+1}", "correct"),
    (
        LOGISTIC,
        r"\frac{\partial h_k}{\partial h_t} = \prod_{j=t}^{k-1} \operatorname{diag}(h_{j+1}\odot(1-h_{j+1})) W",
        "correct",
    ),
    (
        LOGISTIC,
        r"\frac{\partial h_t}{\partial h_k} = \prod_{j=t}^{k+1} \operatorname{diag}(h_{j}\odot(1-h_{j})) W",
        "correct",
    ),
    (
        LOGISTIC,
        r"\nabla_{h_t} L = \sum_{k=t}^{T} (\prod_{j=t}^{k-1} \operatorname{diag}(h_{j+1}\odot(1-h_{j+1})) W)^\top \nabla_{h_k} L_k",
        "correct",
    ),
    (BACKWARD, r"\frac{\partial g_t}{\partial g_k} = \prod_{j=t}^{k-1} \operatorname{diag}(1-g_j^2)V", "correct"),
    (LOGISTIC, r"\sum_{j=t}^{k} W = (k-t+1)W", "correct"),
    (LOGISTIC, r"\frac{\partial h_t}{\partial W} = 0", "wrong"),
    (LOGISTIC, r"\frac{\partial h_t}{\partial W} \in \mathbb{R}^{n\times n\times n}", "correct"),
    (LOGISTIC, r"\operatorname{vec}(\frac{\partial h_t}{\partial W}) = 0", "wrong"),
    (LOGISTIC, r"h_t = h_t + e^{-40} h_t", "unsupported"),
    (LOGISTIC, r"h_t = h_t + \frac{h_t}{10^{12}}", "unsupported"),
    (LOGISTIC, r"h_t = h_t + 2^{-40} h_t", "unsupported"),
    (LOGISTIC, r"h_t = \frac{10^{12}}{10^{12}+1} h_t", "unsupported"),
    (LOGISTIC, r"\sigma(60) = 1", "wrong"),
    (LOGISTIC, r"\mathbb{1}[x_t > 100] = 0", "wrong"),
    (LOGISTIC, r"\operatorname{ReLU}(x_t - 100) = 0", "wrong"),
    (LOGISTIC, r"\max(x_t, -1000) = x_t", "wrong"),
    (LOGISTIC, r"(T-3)(T-4)(T-5) h_t = 0", "wrong"),
    (LOGISTIC, r"\delta_t = \sigma'(z_t) \odot \frac{\partial L}{\partial h_t}", "layout"),
    (LOGISTIC, r"\frac{\partial L}{\partial h_t} = \frac{\partial L_t}{\partial h_t} + W^\top \delta_{t+1}", "layout"),
    (
        LOGISTIC,
        r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \frac{\partial L}{\partial z_t} h_{t-1}^\top",
        "layout",
    ),
    (LOGISTIC, r"\frac{\partial L}{\partial x_t} = U^\top \frac{\partial L}{\partial z_t}", "layout"),
    (LOGISTIC, r"\frac{\partial L}{\partial x_t} = U \frac{\partial L}{\partial z_t}", "wrong"),
    (
        LOGISTIC,
        r"\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} W^\top \operatorname{diag}(\sigma'(z_j))",
        "layout",
    ),
    (
        LOGISTIC,
        r"\frac{\partial h_t}{\partial h_k} = \prod_{t \ge j > k} \operatorname{diag}(\sigma'(z_j)) W",
        "correct",
    ),
    (
        LAGGED,
        r"\frac{\partial h_t}{\partial h_{t-2}} = \operatorname{diag}(1-h_t^2)(W\operatorname{diag}(1-h_{t-1}^2)W+V)",
        "correct",
    ),
    (RNN, r"W, U \in \mathbb{R}^{n \times n}", "wrong"),
]


@pytest.mark.parametrize(("cell", "text", "verdict"), ABOUT_CELLS, ids=[text for _, text, _ in ABOUT_CELLS])
def test_formulas_about_cells(cell: Cell, text: str, verdict: str) -> None:
    assert verdict_on(Subject(cell, 6, 0), text).verdict == verdict


def test_a_start_from_zero_is_a_reading_and_named() -> None:
    """docs/cells.md: states are zero before the first step."""
    found = verdict_on(Subject(RNN, 6, 0), r"\nabla_W L = \sum_{t=2}^{T} \delta_t h_{t-1}^\top")
    assert found.verdict == "correct" and found.reading == "the states start from zero"
    given = Cell.from_text("h_0 = c\nh_t = \\tanh(W h_{t-1} + U x_t)")
    text = r"\nabla_W L = \sum_{t=2}^{T} \delta_t h_{t-1}^\top"
    assert verdict_on(Subject(given, 6, 0), text).verdict == "wrong"
