"""Verdicts on displays as authors set them: with numbers, columns, words between lines, braces, and sums without an end."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
SUM = r"\sum_{t=1}^{T} \delta_t"
OUT = r"\sum_{t=1}^{T} \tanh'(z_t) \odot \bar{h}_t"
LAST, REST = r"\bar{h}_t &= \nabla_{h_t} L_t", r"\bar{h}_t &= \nabla_{h_t} L_t + W^\top \delta_{t+1}"


def verdicts(text: str) -> str:
    return " ".join(one.verdict for one in check(text, RNN, explained=False))


def align(*rows: str) -> str:
    return r"\begin{align} " + r" \\ ".join(rows) + r" \end{align}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (align(rf"\nabla_b L &= \frac12 {SUM} && (2)"), "wrong"),
        (rf"$$(2) \quad \nabla_b L = 2 {SUM}$$", "wrong"),
        (rf"$$\nabla_b L = \tfrac12 {SUM} \; (2)$$", "unreadable"),
        (rf"$$\nabla_b L = (2) \tfrac12 {SUM}$$", "correct"),
        (align(rf"\nabla_b L &= {SUM} && (1)", r"\bar{h}_T &= \nabla_{h_T} L_T && (2)"), "correct correct"),
        (align(rf"\nabla_b L &= {SUM} & \bar{{h}}_T &= \nabla_{{h_T}} L_T"), "correct correct"),
        (align(rf"\nabla_b L &= {SUM} & \bar{{h}}_T &= W^\top \nabla_{{h_T}} L_T"), "correct wrong"),
        (align(f"{LAST} && t = T", f"{REST} && t < T"), "correct correct"),
        (align(f"{LAST} && t < T", f"{REST} && t < T"), "wrong correct"),
        (align(REST, r"&= \nabla_{h_t} L_t && (t = T)"), "correct correct"),
        (align(REST, r"&= \nabla_{h_t} L_t && (t < T)"), "correct wrong"),
        (align(f"{LAST} && t = T", r"&= \nabla_{h_t} L_t + W^\top \delta_{t+1}"), "correct unreadable"),
        (align(rf"\nabla_b L &= {SUM} && \text{{by (2)}}", rf"&= {OUT} && \text{{(by \eqref{{x}})}}"), "correct"),
        (align(rf"\nabla_b L &= {SUM} && \text{{only for }} T = 1"), "unreadable"),
        (align(rf"\nabla_b L &= {SUM}", rf"\intertext{{and with the chain rule}} &= {OUT}"), "correct correct"),
        (align(rf"\nabla_b L &= {SUM}", rf"\shortintertext{{so that}} &= 2 {OUT}") + " $$h_t = h_t$$", "correct wrong correct"),
        (align(r"g_t &= \delta_t", r"\intertext{Let $r_t = g_t$. Then} \nabla_b L &= \sum_{t=1}^T r_t"), "correct correct"),
        (r"\newcommand{\W}{W} \renewcommand{\W}{W^\top} $$" + REST.replace("&", "").replace(r"W^\top", r"\W") + "$$", "correct"),
        (rf"$\newcommand{{\e}}{{\delta}}$ $$\nabla_b L = {SUM}$$".replace(r"\delta_t", r"\e_t"), "correct"),
        (rf"Define \[\delta_t \doteq \nabla_{{h_t}} L\] Then $$\nabla_b L = {SUM}$$", "correct wrong"),
        (rf"Define \[\nabla_{{h_t}} L \eqqcolon \delta_t\] Then $$\nabla_b L = {SUM}$$", "correct wrong"),
        (r"$$\nabla_b L = \sum_t \underbrace{\tanh'(z_t) \odot \bar{h}_t}_{=: g_t}$$ $$\nabla_b L = \sum_t g_t$$", "correct correct correct"),
        (r"$$\nabla_b L = \sum_t \underbrace{\tanh'(z_t) \odot \bar{h}_t}_{= h_t}$$", "wrong correct"),
        (r"$$\frac{\partial L}{\partial h_t} = \sum_{k \ge t} \frac{\partial L_k}{\partial h_t}$$", "correct"),
        (r"$$\frac{\partial L}{\partial h_t} = \sum_{k > t} \frac{\partial L_k}{\partial h_t}$$", "wrong"),
        (r"$$\frac{\partial L}{\partial h_k} = \sum_{t \ge k} \frac{\partial L_t}{\partial h_k}$$", "correct"),
        (r"$$\frac{\partial L_t}{\partial b} = \sum_{t \ge k} \frac{\partial L_t}{\partial h_k} \frac{\partial^+ h_k}{\partial b}$$", "correct"),
        (r"$$\frac{\partial L}{\partial b} = \sum_{1 \le k \le t \le T} \frac{\partial L_t}{\partial h_k} \frac{\partial^+ h_k}{\partial b}$$", "correct"),
        (r"$$\frac{\partial L}{\partial b} = \sum_{1 \le k < t \le T} \frac{\partial L_t}{\partial h_k} \frac{\partial^+ h_k}{\partial b}$$", "wrong"),
    ],
)  # fmt: skip
def test_verdicts(text: str, expected: str) -> None:
    assert verdicts(text) == expected
