"""For which times an equation is meant: conditions beside it, a length that the document gives, and a line of its own for the last step."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
LAST = Cell.from_text("h_t = \\lambda \\odot h_{t-1} + U x_t\nL = \\frac12 \\lVert A h_T - y \\rVert^2")
SQUARE = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\frac12 \\lVert h_T - y \\rVert^2")
STEP = (
    r"\frac{\partial h_t}{\partial h_k} = \frac{\partial h_t}{\partial h_{t-1}} \frac{\partial h_{t-1}}{\partial h_k}"
)
ADJOINT = r"\bar h_t = W^\top (\bar h_{t+1} \odot (1 - h_{t+1}^2))"


def verdicts(text: str, subject: Cell = RNN) -> list[str]:
    return [one.verdict for one in check(text, subject, explained=False)]


@pytest.mark.parametrize(
    "condition",
    [
        r", \quad t < T", r" \quad (t < T)", r" \quad (1 \le t < T)", r", \quad \text{for } t < T", r", \quad \text{for } t = 1, \dots, T-1",
        r", \quad t = T-1, \dots, 1", r" \quad (t = T-1, \ldots, 1)", r", \quad t = 1, 2, \dots, T-1", r", \quad t \in \{1, \dots, T-1\}",
    ],
)  # fmt: skip
def test_conditions_say_which_times_are_meant(condition: str) -> None:
    """The adjoint of a loss at the end alone, which does not hold at T."""
    assert verdicts(f"$${ADJOINT}{condition}$$", SQUARE) == ["correct"]
    assert verdicts(f"$${ADJOINT.replace('1 - ', '1 + ')}{condition}$$", SQUARE) == ["wrong"]


@pytest.mark.parametrize(
    ("condition", "verdict"), [("", "correct"), (r", \quad k < t", "correct"), (r", \quad 1 \le k \le t", "wrong")]
)
def test_a_condition_includes_what_it_says(condition: str, verdict: str) -> None:
    """At k = t the left side is the identity, and the right one zero."""
    assert verdicts(f"$${STEP}{condition}$$") == [verdict]


def test_where_alone_it_fails_is_said() -> None:
    (found,) = check(r"$$\bar h_t = \lambda \odot \bar h_{t+1}$$", LAST)
    assert found.verdict == "wrong" and "t = T, and nowhere else" in found.message


def test_a_line_for_the_last_step() -> None:
    last, before = r"$$\bar h_T = A^\top (A h_T - y)$$", r"$$\bar h_t = \lambda \odot \bar h_{t+1}$$"
    assert verdicts(before, LAST) == ["wrong"]
    assert verdicts(last + before, LAST) == verdicts(before + last, LAST) == ["correct", "correct"]
    assert verdicts(last + before.replace("lambda", "lambda \\odot \\lambda"), LAST) == ["correct", "wrong"]


@pytest.mark.parametrize(
    ("length", "claim", "verdict"),
    [
        (2, r"\nabla_W L = \delta_1 h_0^\top + \delta_2 h_1^\top", "correct"),
        (2, r"\nabla_W L = \delta_1 h_0^\top + \delta_2 h_2^\top", "wrong"),
        (3, r"\nabla_W L = \delta_1 h_0^\top + \delta_2 h_1^\top", "wrong"),
        (2, r"\delta_2 = (1 - h_2^2) \odot \nabla_{h_2} L_2", "correct"),
        (3, r"L = L_1 + L_2 + L_3", "correct"),
        (3, r"\nabla_b L = \sum_{t=1}^{3} \delta_t", "correct"),
        (4, r"\nabla_b L = \sum_{t=1}^{3} \delta_t", "wrong"),
    ],
)
def test_a_length_that_is_given(length: int, claim: str, verdict: str) -> None:
    (found,) = check(f"Let $T = {length}$. $${claim}$$", RNN)
    assert found.verdict == verdict
    assert ("as the document says" in found.reading) == (verdict == "correct")
    assert verdicts(f"$${claim}, \\quad T = {length}$$") == [verdict]


def test_short_sequences_are_tried() -> None:
    assert (
        verdicts(
            r"$$\nabla_b L = \sum_{t=1}^{T} \delta_t + [T = 1] b$$ $$\nabla_b L = \sum_{t=1}^{T} \delta_t + [T = 2] b$$"
        )
        == ["wrong"] * 2
    )


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\bar h_t = \nabla_{h_t} L_t + W^\top (\bar h_{t+1} \odot (1 - h_{t+1}^2))", "correct"),
        (r"\bar h_t = \nabla_{h_t} L_t + W (\bar h_{t+1} \odot (1 - h_{t+1}^2))", "wrong"),
        (r"\delta_t = (1 - h_t^2) \odot (\nabla_{h_t} L_t - W \delta_{t+1})", "wrong"),
        (r"\bar h_t = \nabla_{h_t} L_t", "wrong"),
        (r"L = \sum_{t=1}^{T} L_t", "correct"),
    ],
)
def test_a_step_without_a_loss_adds_nothing(claim: str, verdict: str) -> None:
    assert verdicts(f"$${claim}$$", SQUARE) == [verdict]


@pytest.mark.parametrize(
    "claim",
    [
        "T = T + 1", "n = n + 1", "q = q + 1", "q = 2 q + h_t", r"\nabla_W^2 L = (\nabla_W L)^2", "b_t = 0",
        r"c_t = q_t$$ $$q_t = c_t$$ $$q_t = 3 c_t",
    ],
)  # fmt: skip
def test_what_cannot_be_is_no_definition(claim: str) -> None:
    assert "correct" not in verdicts(f"$${claim}$$")


RELU = Cell.from_text("z_t = W h_{t-1} + U x_t\nh_t = \\operatorname{ReLU}(z_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("[h_t > 0] = [z_t > 0]", "correct"),
        ("[h_t > 0] = [h_t \\ge 0]", "wrong"),
        ("[z_t \\le 0] = 1 - [z_t > 0]", "correct"),
        ("h_t = [h_t > 0] \\odot z_t", "correct"),
        ("\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}([h_t > 0]) W", "correct"),
        ("\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}([h_t < 0]) W", "wrong"),
    ],
)
def test_comparisons_are_strict_or_not(claim: str, verdict: str) -> None:
    assert verdicts(f"$${claim}$$", RELU) == [verdict]
