"""What one step adds to the derivative by a shared parameter, against torch autograd with a copy of the parameter for each step."""

from __future__ import annotations

import pytest
import torch

from derive.cell import Cell
from verify.check import check
from verify.shares import READING

ROWS = Cell.from_text(
    "u_i = s_{i-1} U\nw_i = x_i W\no_i = u_i + w_i\ns_i = \\sigma(o_i)\na = s_2 V\ny = \\sigma(a)\nL = \\frac{1}{2} (y - \\hat{y})^2\n"
    "x_i \\in \\mathbb{R}^{1 \\times 3}, s_i \\in \\mathbb{R}^{1 \\times 2}, y \\in \\mathbb{R}"
)
COLUMNS = Cell.from_text("z_t = W h_{t-1} + U x_t + b\nh_t = \\tanh(z_t)\nL = \\lVert h_T - y \\rVert^2")
LOSSES = Cell.from_text("z_t = W h_{t-1} + U x_t\nh_t = \\tanh(z_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")


@pytest.mark.parametrize(
    ("subject", "claim", "verdict"),
    [
        (ROWS, r"\frac{\partial L^{(2)}}{\partial W} = x_2^T \frac{\partial L}{\partial w_2}", "correct"),
        (ROWS, r"\frac{\partial L^{(1)}}{\partial W} = \frac{\partial L}{\partial w_1} \frac{\partial w_1}{\partial W} = x_1^T \frac{\partial L}{\partial w_1}", "correct"),
        (ROWS, r"\frac{\partial L}{\partial W}^{(2)} = x_2^T \frac{\partial L}{\partial w_2}", "correct"),
        (ROWS, r"\left(\frac{\partial L}{\partial W}\right)^{(2)} = x_2^T \frac{\partial L}{\partial w_2}", "correct"),
        (ROWS, r"\frac{\partial L}{\partial W^{(2)}} = x_2^T \frac{\partial L}{\partial w_2}", "correct"),
        (ROWS, r"\frac{\partial L^{(1)}}{\partial U} = s_0^T \frac{\partial L}{\partial u_1}", "correct"),
        (ROWS, r"\frac{\partial L^{(1)}}{\partial U} = s_1^T \frac{\partial L}{\partial u_1}", "wrong"),
        (ROWS, r"\frac{\partial L^{(2)}}{\partial W} = x_1^T \frac{\partial L}{\partial w_2}", "wrong"),
        (ROWS, r"\frac{\partial L^{(2)}}{\partial W} = x_1^T \frac{\partial L}{\partial w_1} + x_2^T \frac{\partial L}{\partial w_2}", "wrong"),
        (COLUMNS, r"\frac{\partial L}{\partial W}^{(t)} = \delta_t h_{t-1}^\top", "correct"),
        (COLUMNS, r"\frac{\partial L}{\partial W}^{(t)} = \delta_t h_t^\top", "wrong"),
        (COLUMNS, r"\frac{\partial L^{(t)}}{\partial W} = \delta_t h_{t-1}^\top", "correct"),
        (COLUMNS, r"\frac{\partial L^{(T)}}{\partial W} = \delta_T h_{T-1}^\top", "correct"),
        (COLUMNS, r"\frac{\partial L}{\partial U^{(t)}} = \delta_t x_t^\top", "correct"),
    ],
)  # fmt: skip
def test_the_share_of_a_step(subject: Cell, claim: str, verdict: str) -> None:
    (found,) = check(f"$${claim}$$", subject)
    assert found.verdict == verdict, found
    assert found.reading == READING


def test_where_the_loss_has_parts_a_number_names_one_of_them() -> None:
    (found,) = check(r"$$\frac{\partial L^{(t)}}{\partial W} = \delta_t h_{t-1}^\top$$", LOSSES)
    assert found.verdict == "wrong" and found.reading != READING


def test_the_share_of_the_last_step_is_not_the_whole() -> None:
    (found,) = check(r"$$\frac{\partial L^{(T)}}{\partial W} = \frac{\partial L}{\partial W}$$", COLUMNS)
    assert found.verdict == "unsupported"


def test_several_steps_in_one_formula_are_not_read() -> None:
    (found,) = check(
        r"$$\frac{\partial L}{\partial W} = \frac{\partial L^{(1)}}{\partial W} + \frac{\partial L^{(2)}}{\partial W}$$",
        ROWS,
    )
    assert found.verdict in ("unsupported", "unreadable")


def test_the_share_is_the_derivative_by_a_copy_of_the_parameter() -> None:
    torch.manual_seed(0)
    x, s0, v = torch.randn(2, 1, 3).double(), torch.randn(1, 2).double(), torch.randn(2, 1).double()
    u, w = torch.randn(2, 2).double(), torch.randn(3, 2).double()
    copies = [w.clone().requires_grad_() for _ in range(2)]
    inside, s = [], s0
    for step in range(2):
        z = x[step] @ copies[step]
        z.retain_grad()
        inside.append(z)
        s = torch.sigmoid(s @ u + z)
    ((torch.sigmoid(s @ v) - 1) ** 2 / 2).sum().backward()
    for step in range(2):
        assert torch.allclose(copies[step].grad, x[step].T @ inside[step].grad)
