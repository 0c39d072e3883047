"""Formulas in which nothing has a time: functions alone, and what a document defines beside the cell."""

from __future__ import annotations

import numpy as np
import pytest

from derive.cell import Cell
from verify.check import check

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")


def verdicts(text: str) -> list[str]:
    return [one.verdict for one in check(text, RNN, inline=True)]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\sigma(z) = \frac{1}{1 + e^{-z}}", "correct"),
        (r"\sigma(z) = \frac{1}{1 - e^{-z}}", "wrong"),
        (r"\sigma'(z) = \sigma(z) (1 - \sigma(z))", "correct"),
        (r"\sigma'(z) = \sigma(z) \odot (1 - \sigma(z))", "correct"),
        (r"\sigma'(z) = \sigma(z) = \sigma(z) (1 - \sigma(z))", "wrong"),
        (r"\frac{d \sigma(x)}{dx} = \sigma(x) (1 - \sigma(x))", "correct"),
        (r"\frac{\partial \sigma(z)}{\partial z} = \operatorname{diag}(\sigma(z) \odot (1 - \sigma(z)))", "correct"),
        (r"\frac{\partial \sigma(z)}{\partial z} = \sigma(z) \odot (1 - \sigma(z))", "wrong"),
        (r"\tanh'(x) = 1 - \tanh^2(x)", "correct"),
        (r"\tanh'(x) = 1 - \tanh(x)", "wrong"),
        (r"\tanh(u) = 2 \sigma(2u) - 1", "correct"),
        (r"\sigma(-a) = 1 - \sigma(a)", "correct"),
        (r"\operatorname{ReLU}(z) = \max(0, z)", "correct"),
        (r"\operatorname{ReLU}(z) = z", "wrong"),
        (r"\sigma'(z) \le \frac{1}{4}", "correct"),
        (r"\sigma'(z) \le \frac{1}{5}", "wrong"),
        (r"\frac{\partial \operatorname{softmax}(z)}{\partial z} = \operatorname{diag}(\operatorname{softmax}(z))"
         r" - \operatorname{softmax}(z) \operatorname{softmax}(z)^\top", "correct"),
        (r"\frac{\partial \operatorname{softmax}(z)}{\partial z} = \operatorname{diag}(\operatorname{softmax}(z))", "wrong"),
    ],
)  # fmt: skip
def test_functions_alone(claim: str, verdict: str) -> None:
    assert verdicts(f"$${claim}$$") == [verdict]


@pytest.mark.parametrize(
    "claim",
    [
        r"h = \sigma(z)",  # the time is left out, and is not guessed
        r"\frac{\partial h}{\partial z} = 0",
        r"\sigma'(z) = h (1 - h)",
        r"\phi(z) = \tanh(z)",
        r"z = W h",
        r"\alpha = \beta",  # nothing says that it is a definition, and nothing uses it
        r"q = W r",
    ],
)
def test_quantities_of_the_cell_have_a_time(claim: str) -> None:
    assert verdicts(f"$${claim}$$") == ["unreadable"]


GIVEN = (
    r"Given $y = \sigma(W x)$ with $y \in \mathbb{R}^n$, $x \in \mathbb{R}^d$ and $W \in \mathbb{R}^{n \times d}$."
    "\n\n"
)


def test_what_is_defined_beside_the_cell() -> None:
    assert verdicts(GIVEN) == ["correct"] * 4
    assert verdicts(
        GIVEN + r"$$\frac{\partial y}{\partial x} = \operatorname{diag}(\sigma'(Wx)) W \in \mathbb{R}^{n \times d}$$"
    )[4:] == ["correct"]
    wrong = [
        r"\frac{\partial y}{\partial x} = W \operatorname{diag}(\sigma'(Wx))",
        r"\frac{\partial y}{\partial x} = \operatorname{diag}(y) W",
        r"\frac{\partial y}{\partial x} = \operatorname{diag}(\sigma'(Wx)) W \in \mathbb{R}^{d \times n}",
    ]
    assert verdicts(GIVEN + "".join(f"$${claim}$$" for claim in wrong))[4:] == ["wrong"] * 3


def test_sizes_that_do_not_conform_with_a_definition_are_wrong() -> None:
    found = verdicts(GIVEN.replace(r"{n \times d}", r"{d \times n}"))
    assert found[0] == "correct" and found[3] == "wrong"


def test_memberships_far_from_a_definition_are_about_the_cell() -> None:
    assert verdicts(GIVEN + "\n\n" + r"$$W \in \mathbb{R}^{n \times d}$$")[-1] == "wrong"


def test_a_power_of_a_factored_matrix() -> None:
    beside = r"$M = Q \Lambda Q^{-1}$ "
    assert verdicts(beside + r"$M^n = Q \Lambda^n Q^{-1}$") == ["correct", "correct"]
    assert verdicts(beside + r"$M^n = Q^n \Lambda Q^{-1}$") == ["correct", "wrong"]


# -- numbers in the place of letters -------------------------------------------------------------------


def _matrix(array: np.ndarray) -> str:
    rows = r" \\ ".join(" & ".join(f"{float(entry):g}" for entry in row) for row in array)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


@pytest.mark.parametrize("spoiled", ["", "product", "inverse"])
def test_a_product_that_is_written_out(spoiled: str) -> None:
    q, values = np.array([[0.8, -0.6], [0.6, 0.8]]), np.diag([0.4, 0.9])
    inverse = q.T.copy()
    product = (q @ values @ inverse).round(10)
    if spoiled == "product":
        product[0, 1] *= -1
    if spoiled == "inverse":
        inverse[1, 1] = 0.7
    given = f"$W = {_matrix(product)}$ "
    chain = rf"$$W = Q \Lambda Q^{{-1}} = {_matrix(q)} {_matrix(values)} {_matrix(inverse)}$$"
    found = check(given + chain, RNN)[-1]
    assert found.verdict == ("wrong" if spoiled else "correct")
    if spoiled == "inverse":
        assert "inverse of Q" in found.message


NUMBERS = r"$W = \begin{pmatrix} 0.5 & 0 \\ 0 & 1 \end{pmatrix}$, $U = \begin{pmatrix} 1 \\ 2 \end{pmatrix}$, $h_0 = \begin{pmatrix} 0 \\ 0 \end{pmatrix}$ "


def test_numbers_beside_letters_and_in_lists() -> None:
    given = NUMBERS + "$[x_1, x_2] = [0, 0.5]$ "
    assert verdicts(given)[-1] == "correct"
    right = r"$$h_1 = \sigma(\begin{pmatrix} 0.5 & 0 \\ 0 & 1 \end{pmatrix} h_0 + \begin{pmatrix} 1 \\ 2 \end{pmatrix} x_1)$$ $$= \begin{pmatrix} 0.5 \\ 0.5 \end{pmatrix}$$"
    assert verdicts(given + right)[-2:] == ["correct", "correct"]
    assert verdicts(given + right.replace("{pmatrix} 1", "{pmatrix} 3").replace("x_1", "x_2"))[-2] == "wrong"
    assert verdicts(given + r"$$h_1 = \begin{pmatrix} 0.5 \\ 0.5 \\ 0.5 \end{pmatrix}$$")[-1] == "wrong"


def test_an_input_that_is_not_given_is_not_zero() -> None:
    found = check(NUMBERS + r"$x_2 = 0$ $$h_1 = \begin{pmatrix} 0.5 \\ 0.5 \end{pmatrix}$$", RNN)[-1]
    assert found.verdict == "unsupported" and "x at 1" in found.message


def test_a_softmax_of_numbers() -> None:
    subject = Cell.from_text(
        "h_t = \\tanh(W h_{t-1} + U x_t)\np_t = \\operatorname{softmax}(V h_t)\nL = -\\sum_{t=1}^{T} \\log p_{t, y_t}"
    )
    given = r"$e_{y_1} = \begin{pmatrix} 0 \\ 1 \end{pmatrix}$ $V = \begin{pmatrix} 1 \\ 0 \end{pmatrix}$ $W = 0$, $U = 1$, $h_0 = 0$, $x_1 = 0$ "
    claims = r"$$p_1 = \operatorname{softmax}\begin{pmatrix} 0 \\ 0 \end{pmatrix} = \begin{pmatrix} 0.5 \\ 0.5 \end{pmatrix}$$ $$L \approx 0.69$$ $$L \approx 0.79$$"
    assert [one.verdict for one in check(given + claims, subject)] == ["correct", "correct", "wrong"]
