"""Conditions that leave out times: a definition for some times is no definition for all, and a condition on the index of a sum is not read."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check, checked
from verify.names import Names
from verify.require import read_wanted

SUM = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
COLUMN = Cell.from_text(
    "h_t = \\tanh(W h_{t-1} + U x_t)\ny = v^\\top h_T\nL = \\frac{1}{2}(y-\\hat y)^2\ny \\in \\mathbb{R}"
)
ROW = Cell.from_text(
    "z_i = s_{i-1}U + x_iW\ns_i = \\sigma(z_i)\ny = s_T V\nL = \\frac{1}{2}(y-\\hat y)^2\n"
    "s_i \\in \\mathbb{R}^{1 \\times n}, x_i \\in \\mathbb{R}^{1 \\times d}, y \\in \\mathbb{R}"
)


def cases(*rows: str) -> str:
    return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"


@pytest.mark.parametrize(
    ("definition", "claim"),
    [
        ("$$g_t = " + cases(r"\delta_t & t<T", r"0 & t \ge T") + "$$", r"\nabla_b L = \sum_{t=1}^{T} g_t"),
        ("$$g_t = " + cases(r"\delta_t & t \ge 2", r"0 & \text{otherwise}") + "$$", r"\nabla_b L = \sum_{t=1}^{T} g_t"),
        ("$$g_t = " + cases(r"\delta_t & t \le T-1", r"2\delta_t & t > T-1") + "$$", r"\nabla_b L = \sum_{t=1}^{T} g_t"),
        ("$$g_t = " + cases(r"2\delta_t & t\le1", r"\delta_t & t>1") + "$$", r"\nabla_b L = \frac12\sum_{t=1}^{T} g_t"),
        ("$$e_t = " + cases(r"\delta_t + e_{t-1} & t>1", r"0 & \text{otherwise}") + "$$", r"\nabla_b L = e_T"),
        ("$$e_t = " + cases(r"\delta_t + e_{t+1} & t \le T", r"b & t>T") + "$$", r"\nabla_b L = e_1"),
        (r"$$g_t = \delta_t, \quad t \ge 2$$", r"\nabla_b L = \sum_{t=1}^{T} g_t"),
        (r"$$g_t = \delta_t, \quad t \in \{2, 4\}$$", r"\nabla_b L = \sum_{t=1}^{T} g_t"),
        (r"Define $g_t=\delta_t$ for $t\ge 2$.", r"\nabla_b L = \sum_{t=1}^{T} g_t"),
    ],
)  # fmt: skip
def test_a_name_that_is_defined_for_some_times_is_not_known_at_all(definition: str, claim: str) -> None:
    *_, found = check(f"{definition} $${claim}$$", SUM)
    assert found.verdict in ("unreadable", "wrong")


@pytest.mark.parametrize(
    "claim",
    [
        r"\nabla_b L = \sum_{t=1}^{T} " + cases(r"\delta_t & t<T-1", r"\delta_t & t=T"),
        r"\nabla_b L = \sum_{k=1}^{T} " + cases(r"\delta_k & k \ge 2"),
        r"\bar h_t = \sum_{k=1}^{T} " + cases(r"(\frac{\partial h_k}{\partial h_t})^\top \nabla_{h_k}L_k & k>t"),
        r"\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} " + cases(r"\operatorname{diag}(\tanh'(z_j))W & j<t"),
        r"\nabla_b L = \sum_{t=1}^{T}\delta_t, \quad t=1",
    ],
)
def test_a_condition_on_the_index_of_a_sum_is_not_read(claim: str) -> None:
    assert all(found.verdict == "unsupported" and "condition" in found.message for found in check(f"$${claim}$$", SUM))


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\nabla_b L = \sum_{t=1}^T \delta_t, \quad 1 \le t \le T", "correct"),
        (r"\bar h_t = \nabla_{h_t} L_t + W^\top\delta_{t+1}, \quad t \in \{1,\dots,T-1\}", "correct"),
        (r"\bar h_t = \nabla_{h_t} L_t, \quad t \in \{T\}", "correct"),
        (r"\bar h_t = \nabla_{h_t} L_t, \quad t \in \{1,\dots,T-1\}", "wrong"),
        (r"\delta_t = 0, \quad t > T", "correct"),
        (r"\delta_t = 1, \quad t > T", "wrong"),
    ],
)
def test_times_that_are_meant(claim: str, verdict: str) -> None:
    assert check(f"$${claim}$$", SUM)[0].verdict == verdict


@pytest.mark.parametrize(
    ("subject", "claim"),
    [
        (SUM, r"\frac{\partial L}{\partial W} = \frac{\partial L}{\partial W}^{(t)}"),
        (COLUMN, r"\frac{\partial L}{\partial W} = \frac{\partial L^{(3)}}{\partial W}"),
        (SUM, r"\frac{\partial L}{\partial W} = \frac{\partial L}{\partial W^{(t)}} = \delta_t h_{t-1}^\top"),
        (COLUMN, r"\frac{\partial L}{\partial W} - \frac{\partial L}{\partial W^{(1)}} = 0"),
        (COLUMN, r"2\frac{\partial L}{\partial W}^{(2)} = \frac{\partial L}{\partial W} + \delta_2 h_1^\top"),
        (COLUMN, r"\frac{\partial L^{(2)}}{\partial W^{(1)}} = \delta_2 h_1^\top"),
        (COLUMN, r"\frac{\partial L}{\partial W}^{(t)} = \frac{\partial L}{\partial h_T} \frac{\partial h_T}{\partial W}"),
        (ROW, r"V = V^\top"), (ROW, r"s_T = s_T^\top"), (COLUMN, r"h_t = h_t^\top"),
        (ROW, r"\frac{\partial L}{\partial V} = (y-\hat y)s_T = s_T^\top(y-\hat y)"),
    ],
)  # fmt: skip
def test_a_share_is_not_the_whole_and_a_row_no_column(subject: Cell, claim: str) -> None:
    (found,) = check(f"$${claim}$$", subject)
    assert found.verdict not in ("correct", "layout")


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial L}{\partial s_T} = (y-\hat y) V",
        r"\frac{\partial L}{\partial s_i} = U \frac{\partial L}{\partial z_{i+1}}",
    ],
)
def test_the_derivative_by_a_row_as_a_column_is_another_layout(claim: str) -> None:
    assert check(f"$${claim}$$", ROW)[0].verdict == "layout"


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (r"\nabla_W L", r"\nabla_W L = \delta_1 h_0^\top, \quad T = 1"),
        (r"\bar h_t", r"\bar h_t = 0, \quad t > T"),
        (r"\bar h_t", r"\bar h_t = " + cases(r"\nabla_{h_T} L & t=T", r"W\delta_{t+1} & t<T")),
    ],
)
def test_a_part_of_an_answer_earns_nothing_by_itself(wanted: str, answer: str) -> None:
    document = checked(f"$${answer}$$", COLUMN)
    (result,) = document.results(read_wanted(f"3 {wanted}", Names(COLUMN)))
    assert result.points == 0


def test_a_condition_that_is_not_read_is_said() -> None:
    (found,) = check(r"$$\bar h_t = \nabla_{h_t} L_t, \quad t \in \{2, 4\}$$", SUM)
    assert found.verdict == "unsupported" and "condition" in found.message
