"""Numbers that documents give, and what follows from them; the truth is computed here with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from derive.cell import Cell
from verify.check import check

TEXT = "s_i = \\sigma(s_{i-1} U + x_i W)\na = s_2 V\ny = \\sigma(a)\nL = \\frac{1}{2}(y - \\hat y)^2"
CELL = Cell.from_text(TEXT)
GIVEN = r"""
$$x_1 = \begin{pmatrix} 1.0 & 0.5 & 2.0 \end{pmatrix}, x_2 = \begin{pmatrix} 0.1 & 0.8 & 1.0 \end{pmatrix}, \hat{y} = 1$$
$$U = \begin{pmatrix} 0.1 & 0.8 \\ 0.2 & 0.5 \end{pmatrix}, W = \begin{pmatrix} 0.1 & 0.8 \\ 0.2 & 0.5 \\ 0.4 & 1.0 \end{pmatrix}$$
$$V = \begin{pmatrix} 0.5 \\ 0.3 \end{pmatrix}, \quad s_0 = 0$$
"""


def _sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


U, W = np.array([[0.1, 0.8], [0.2, 0.5]]), np.array([[0.1, 0.8], [0.2, 0.5], [0.4, 1.0]])
V, X = np.array([0.5, 0.3]), np.array([[1.0, 0.5, 2.0], [0.1, 0.8, 1.0]])
S1 = _sigma(X[0] @ W)
S2 = _sigma(S1 @ U + X[1] @ W)
Y = float(_sigma(np.array(S2 @ V)))
DA = (Y - 1) * Y * (1 - Y)
DV = S2 * DA


def row(values: np.ndarray, digits: int) -> str:
    return "\\begin{pmatrix} " + " & ".join(f"{value:.{digits}f}" for value in values) + " \\end{pmatrix}"


def last(claim: str) -> tuple[str, str]:
    found = check(f"{GIVEN}\n$${claim}$$", CELL)
    assert [one.evidence for one in found[:-1]] == ["definition"] * 7
    return found[-1].verdict, found[-1].message


@pytest.mark.parametrize("digits", [1, 3, 6])
def test_values_are_right_to_the_digits_shown(digits: int) -> None:
    assert last(f"s_1 = {row(S1, digits)}")[0] == "correct"
    assert last(f"s_2 \\approx {row(S2, digits)}")[0] == "correct"
    off = np.round(S1, digits) + np.array([0.0, 10.0**-digits])
    assert last(f"s_1 = {row(off, digits)}")[0] == "wrong"
    assert last(f"y \\approx {Y:.{digits}f}")[0] == "correct"
    assert last(f"y \\approx {Y + 10.0**-digits:.{digits}f}")[0] == "wrong"


def test_values_of_derivatives_and_of_chains() -> None:
    assert last(f"\\frac{{\\partial L}}{{\\partial a}} = (y - \\hat y) y (1 - y) = {DA:.4f}")[0] == "correct"
    verdict, message = last(f"\\frac{{\\partial L}}{{\\partial a}} = (y - \\hat y) y (1 - y) = {DA * 1.1:.4f}")
    assert verdict == "wrong" and f"{DA:.4f}" in message
    assert last(f"\\nabla_V L = {row(DV, 4)}^\\top")[0] == "correct"
    assert last("\\nabla_V L = \\begin{pmatrix} 1 & 2 & 3 \\end{pmatrix}")[0] == "wrong"


def test_a_matrix_of_values_that_is_laid_out_the_other_way() -> None:
    gradient = np.outer(X[0], DA * V * S2 * (1 - S2) @ U.T * S1 * (1 - S1)) + np.outer(X[1], DA * V * S2 * (1 - S2))
    rows = " \\\\ ".join(" & ".join(f"{value:.6f}" for value in line) for line in gradient)
    assert last(f"\\nabla_W L = \\begin{{pmatrix}} {rows} \\end{{pmatrix}}")[0] == "correct"
    columns = " \\\\ ".join(" & ".join(f"{value:.6f}" for value in line) for line in gradient.T)
    assert last(f"\\nabla_W L = \\begin{{pmatrix}} {columns} \\end{{pmatrix}}")[0] == "layout"
    assert last("s_1 = 0")[0] == "wrong"


def test_formulas_are_still_judged_for_all_values() -> None:
    assert last("\\frac{\\partial L}{\\partial a} = (y - \\hat y) y (1 + y)")[0] == "wrong"


def test_what_is_missing_is_told() -> None:
    found = check(
        "$$U = \\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}$$ $$s_1 = \\begin{pmatrix} 1 & 2 \\end{pmatrix}$$", CELL
    )
    assert found[-1].verdict == "unsupported" and found[-1].message
    found = check(GIVEN + "$$W = \\begin{pmatrix} 1 \\end{pmatrix}$$", CELL)
    assert found[-1].verdict != "correct"  # a second value for the same parameter


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("\\sigma(0) = \\frac{1}{2} = 0.5", "correct"), ("\\sigma'(0) = 0.25", "correct"), ("\\tanh'(0) = 0", "wrong"),
        ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} \\begin{pmatrix} 1 \\\\ 1 \\end{pmatrix} = \\begin{pmatrix} 3 \\\\ 7 \\end{pmatrix}", "correct"),
        ("0.9^{30} \\approx 0.0424", "correct"), ("0.9^{30} \\approx 0.0434", "wrong"),
        ("\\left\\| \\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix} \\right\\| = 5", "correct"),
        ("\\exp(1) \\approx 2.718", "correct"), ("\\exp(1) \\approx 2.719", "wrong"),
    ],
)  # fmt: skip
def test_numbers_alone_are_computed_exactly(claim: str, expected: str) -> None:
    assert check(claim, CELL)[-1].verdict == expected


def test_what_holds_for_a_start_from_zero_alone() -> None:
    """The first step of the sum adds nothing then; whether that is meant is for the document to say."""
    rnn = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)")
    claim = "$$\\nabla_W L = \\sum_{t=2}^{T} \\delta_t h_{t-1}^\\top$$"
    (found,) = check(claim, rnn)
    assert found.verdict == "wrong"
    said, found = check("$$h_0 = 0$$" + claim, rnn)
    assert said.evidence == "definition" and found.verdict == "correct" and "zero" in found.reading
    given = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nh_0 = 0")
    assert check(claim, given)[0].verdict == "correct"


def test_a_number_that_takes_too_long_keeps_nothing_from_its_verdict() -> None:
    slow = "\\tanh'(" * 20 + "1" + ")" * 20
    first, second = check(f"$$U = {slow}$$ $$\\frac{{\\partial s_i}}{{\\partial s_{{i-1}}}} = U$$", CELL)
    assert first.verdict in ("wrong", "unsupported") and second.verdict == "wrong"


def test_a_norm_that_has_no_roots_is_computed_in_numbers() -> None:
    matrix = np.random.default_rng(5).integers(-4, 5, (5, 5))
    size = float(np.linalg.norm(matrix, 2))
    rows = " \\\\ ".join(" & ".join(map(str, row)) for row in matrix)
    norm = f"\\lVert \\begin{{pmatrix}} {rows} \\end{{pmatrix}} \\rVert_2"
    verdicts = [check(f"$${norm} \\le {size + gap:.3f}$$", CELL)[0].verdict for gap in (0.1, -0.1)]
    assert verdicts[0] != "wrong" and verdicts[1] != "correct"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("h_1 = 0.76", "correct"),
        ("h_1 = 76e-2", "correct"),
        ("h_1 = 8e-1", "correct"),
        ("h_1 = 1e0", "wrong"),
        ("h_1 = 0e1", "wrong"),
        ("h_1 = 0.0e2", "unsupported"),
        ("h_1 - 0.76 = 0.00", "unsupported"),
        ("h_0 = 0.00", "correct"),
    ],
)
def test_digits_that_count(claim: str, expected: str) -> None:
    """h_1 = tanh(1) = 0.7616."""
    cell = Cell.from_text("h_t = \\tanh(w h_{t-1} + u x_t)\nh_t \\in \\mathbb{R}, x_t \\in \\mathbb{R}")
    given = "Let $T=1$, $w = 0.5$, $u = 1$, $h_0 = 0$, $x_1 = 1$. "
    assert check(f"{given}$${claim}$$", cell, explained=False)[-1].verdict == expected


BOTH = Cell.from_text(
    "a_t = \\tanh(A a_{t-1} + P x_t)\nv_t = B b_{t+1} + Q x_t\nb_t = \\tanh(v_t)\ny_t = V a_t + R b_t\nL = \\sum_{t=1}^{T} L_t(y_t)"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$$\nabla_B L = \sum_{t=1}^{T-1} \bar v_t b_{t+1}^\top$$", "wrong"),
        (r"With $b_{T+1} = 0$: $$\nabla_B L = \sum_{t=1}^{T-1} \bar v_t b_{t+1}^\top$$", "correct"),
        (r"$$b_{T+1} = 0$$ $$v_T = Q x_T$$", "correct"),
        (r"With $a_0 = 0$: $$v_T = Q x_T$$", "wrong"),
        (r"With $a_0 = 0$ and $b_{T+1} = 0$: $$v_T = Q x_T$$", "correct"),
    ],
)
def test_a_state_that_runs_backward_starts_from_a_value_after_the_end(text: str, expected: str) -> None:
    assert check(text, BOTH, explained=False)[-1].verdict == expected
