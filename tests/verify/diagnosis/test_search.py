"""One slip in a true formula is found again: by its kind, its place, and the formula that it came from."""

from __future__ import annotations

import pytest

from derive.cell import Cell, cell
from derive.normal import equal
from verify.check import Checked, check

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t + b)")
LSTM = cell("lstm")
ROWS = Cell.from_text("s_i = \\tanh(s_{i-1} U + x_i W)\nL = \\sum_{i=1}^{T} L_i(s_i)")
TANH = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)")
TWO = Cell.from_text("a_t = \\tanh(W_1 h_{t-1} + U_1 x_t)\nh_t = \\tanh(W_2 a_t + U_2 h_{t-1})")
RESIDUAL = Cell.from_text("h_t = h_{t-1} + \\tanh(W h_{t-1} + U x_t)")
DISCOUNTED = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^T \\gamma^{T-t} L_t(h_t)")
MEAN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\frac{1}{T} \\sum_{t=1}^T L_t(h_t)")
J = "\\frac{\\partial h_t}{\\partial h_{t-1}} = "
W = "\\nabla_W L = "
D = "\\delta_t = "
H = "\\bar{h}_t = \\nabla_{h_t} L_t + W_f^\\top \\delta^f_{t+1} + W_i^\\top \\delta^i_{t+1}"


def explained(subject: Cell, claim: str) -> Checked:
    (found,) = check(claim, subject)
    assert found.verdict == "wrong", found
    return found


@pytest.mark.parametrize(
    ("subject", "claim", "about", "place", "truth"),
    [
        (RNN, J + "W \\operatorname{diag}(\\sigma'(z_t))", "order", "W \\operatorname", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, J + "\\operatorname{diag}(\\sigma(z_t)) W", "derivative", "\\sigma(z_t)", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, J + "\\sigma'(z_t) W", "", "", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, J + "W", "missing", "W", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, J + "\\operatorname{diag}(\\sigma'(z_t)) W W", "too many", "", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, J + "\\operatorname{diag}(h_t \\odot (1 + h_t)) W", "sign", "1 + h_t", J + "\\operatorname{diag}(h_t \\odot (1 - h_t)) W"),
        (RNN, J + "\\operatorname{diag}(h_t \\odot (2 - h_t)) W", "number", "2", J + "\\operatorname{diag}(h_t \\odot (1 - h_t)) W"),
        (RNN, J + "\\operatorname{diag}(\\sigma'(z_t)) U", "which", "U", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, J + "\\operatorname{diag}(\\sigma'(z_{t-1})) W", "time", "z_{t-1}", J + "\\operatorname{diag}(\\sigma'(z_t)) W"),
        (RNN, "\\frac{\\partial h_t}{\\partial h_k} = \\prod_{j=k}^{t} \\operatorname{diag}(\\sigma'(z_j)) W", "bounds", "\\prod",
         "\\frac{\\partial h_t}{\\partial h_k} = \\prod_{j=k+1}^{t} \\operatorname{diag}(\\sigma'(z_j)) W"),
        (RNN, W + "\\sum_{t=1}^{T} \\delta_t h_t^\\top", "time", "h_t", W + "\\sum_{t=1}^{T} \\delta_t h_{t-1}^\\top"),
        (RNN, W + "\\sum_{t=2}^{T} \\delta_t h_{t-1}^\\top", "bounds", "\\sum", W + "\\sum_{t=1}^{T} \\delta_t h_{t-1}^\\top"),
        (RNN, W + "\\sum_{t=1}^{T} \\delta_t h_{t-1}", "transpose", "h_{t-1}", W + "\\sum_{t=1}^{T} \\delta_t h_{t-1}^\\top"),
        (RNN, "\\nabla_U L = \\sum_{t=1}^{T} \\delta_t h_{t-1}^\\top", "which", "h_{t-1}", "\\nabla_U L = \\sum_{t=1}^{T} \\delta_t x_t^\\top"),
        (RNN, D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W \\delta_{t+1})", "transpose", "W", D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_{t+1})"),
        (RNN, D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_t)", "time", "\\delta_t", D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_{t+1})"),
        (RNN, D + "\\sigma'(z_t) \\odot W^\\top \\delta_{t+1}", "summand", "", D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_{t+1})"),
        (RNN, D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t - W^\\top \\delta_{t+1})", "sign", "", D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_{t+1})"),
        (RNN, D + "\\nabla_{h_t} L_t + W^\\top \\delta_{t+1}", "factor", "", D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_{t+1})"),
        (TANH, J + "\\operatorname{diag}((1 - h_t)^2) W", "exponent", "(1", J + "\\operatorname{diag}(1 - h_t^2) W"),
        (TWO, J + "\\operatorname{diag}(1 - h_t^2) (W_2 \\operatorname{diag}(1 - a_t^2) U_2 + W_1)", "which", "",
         J + "\\operatorname{diag}(1 - h_t^2) (W_2 \\operatorname{diag}(1 - a_t^2) W_1 + U_2)"),
        (RESIDUAL, J + "1 + \\operatorname{diag}(\\tanh'(z_t)) W", "number", "1", J + "I + \\operatorname{diag}(\\tanh'(z_t)) W"),
        (DISCOUNTED, "\\bar{h}_t = \\gamma^t \\nabla_{h_t} L_t + W^\\top \\delta_{t+1}", "exponent", "\\gamma", "\\bar{h}_t = \\gamma^{T-t} \\nabla_{h_t} L_t + W^\\top \\delta_{t+1}"),
        (MEAN, "\\bar{h}_t = \\nabla_{h_t} L_t + W^\\top \\delta_{t+1}", "missing", "\\nabla", "\\bar{h}_t = \\frac{1}{T} \\nabla_{h_t} L_t + W^\\top \\delta_{t+1}"),
        (LSTM, "\\frac{\\partial C_t}{\\partial C_{t-1}} = \\operatorname{diag}(f_t)", "immediate", "\\frac", "\\frac{\\partial^{+} C_t}{\\partial C_{t-1}} = \\operatorname{diag}(f_t)"),
        (LSTM, "\\frac{\\partial^{+} C_t}{\\partial C_{t-1}} = \\operatorname{diag}(i_t)", "which", "i_t", "\\frac{\\partial^{+} C_t}{\\partial C_{t-1}} = \\operatorname{diag}(f_t)"),
        (LSTM, H + " + W_o^\\top \\delta^o_{t+1}", "summand", "", H + " + W_o^\\top \\delta^o_{t+1} + W_c^\\top \\delta^C_{t+1}"),
        (LSTM, "\\delta^o_t = \\bar{h}_t \\odot C_t \\odot o_t \\odot (1 - o_t)", "function", "C_t", "\\delta^o_t = \\bar{h}_t \\odot \\tanh(C_t) \\odot o_t \\odot (1 - o_t)"),
        (LSTM, "\\delta^f_t = \\bar{C}_t \\odot C_t \\odot f_t \\odot (1 - f_t)", "time", "C_{t}", "\\delta^f_t = \\bar{C}_t \\odot C_{t-1} \\odot f_t \\odot (1 - f_t)"),
        (ROWS, "\\nabla_U L = \\sum_{i=1}^{T} s_i^\\top \\delta_i", "time", "s_i", "\\nabla_U L = \\sum_{i=1}^{T} s_{i-1}^\\top \\delta_i"),
    ],
)  # fmt: skip
def test_a_slip_is_found(subject: Cell, claim: str, about: str, place: str, truth: str) -> None:
    found = explained(subject, claim)
    assert found.correction, found
    assert about in found.hints[1] or about in found.hints[2]
    right, corrected = subject.read(truth), subject.read(found.correction)
    assert check(found.correction, subject)[0].verdict == "correct"
    assert corrected == right or equal(corrected.rhs, right.rhs) or corrected.lhs != right.lhs, found.correction  # type: ignore[attr-defined]
    if place:
        assert place.split("_")[0].strip("\\{") in found.hints[0]


def test_a_place_is_that_of_the_document() -> None:
    text = "Some words.\n\\begin{align}\n  h_t &= h_t \\\\\n  \\delta_t &= \\sigma'(z_t) \\odot (\\nabla_{h_t} L_t\n    + W \\delta_{t+1})\n\\end{align}"
    found = check(text, RNN)[1]
    assert found.hints[0].startswith("look at line 5, column 7: W")
    assert "second summand" in found.hints[2]


def test_of_a_chain_the_first_false_link_is_explained() -> None:
    text = J + "\\operatorname{diag}(\\sigma'(z_t)) W = \\operatorname{diag}(h_t) \\operatorname{diag}(1 + h_t) W"
    found = explained(RNN, text)
    assert found.links == ("correct", "wrong") and "link 2" in found.message and "sign" in found.hints[1]


def test_shapes_that_do_not_conform_are_told_with_both_operands() -> None:
    found = explained(RNN, "\\nabla_U L = \\sum_{t=1}^{T} \\delta_t x_t")
    assert "n" in found.message and "d" in found.message and "transpose" in found.hints[1]


def test_what_is_false_in_many_places_is_not_explained_wrongly() -> None:
    found = explained(RNN, W + "\\sum_{t=3}^{T} U x_t (b - h_{t-1})^\\top W")
    assert not found.correction or check(found.correction, RNN)[0].verdict == "correct"
    assert found.counterexample is not None


def test_the_same_input_gives_the_same_explanation() -> None:
    claim = D + "\\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W \\delta_t)"
    assert explained(RNN, claim) == explained(RNN, claim)


TAGGER = Cell.from_text(
    "h_t = \\tanh(W h_{t-1} + U x_t + b)\np_t = \\operatorname{softmax}(V h_t + c)\nL = -\\sum_{t=1}^{T} \\log p_{t, y_t}"
)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (r"\nabla_c L = \sum_{t=1}^{T} p_t - e_{y_t}", "brackets are missing"),
        (r"\nabla_V L = \sum_{t=1}^{T} p_t - e_{y_t} h_t^\top", "brackets are missing"),
        (r"\nabla_c L = \sum_{t=1}^{T} (e_{y_t} - p_t)", "the wrong way round"),
        (r"\nabla_{h_t} L = V^\top (p_t - e_{y_t})", "is missing"),  # nothing is carried back
    ],
)
def test_slips_in_what_a_sum_is_over(claim: str, said: str) -> None:
    found = explained(TAGGER, claim)
    assert said in found.hints[2]
    assert check(found.correction, TAGGER)[0].accepted


def test_no_correction_says_that_something_is_itself() -> None:
    for claim in (D + "0", "W = W^\\top", "\\bar{h}_t = 0"):
        found = explained(RNN, claim)
        assert not found.correction or found.correction.split(" = ")[0] not in found.correction.split(" = ")[1]


LAGGED = Cell.from_text("z_t = W h_{t-1} + U x_t + b\nh_t = h_{t-2} + \\tanh(z_t)")


@pytest.mark.parametrize(
    ("subject", "claim", "missing"),
    [
        (RNN, r"\frac{\partial L}{\partial h_t} = \frac{\partial L}{\partial h_{t+1}} \frac{\partial h_{t+1}}{\partial h_t}", r"\frac{\partial L_t}{\partial h_t}"),
        (RNN, r"\frac{\partial L}{\partial h_k} = \frac{\partial L}{\partial h_{k+1}} \operatorname{diag}(\sigma'(z_{k+1})) W", r"\frac{\partial L_k}{\partial h_k}"),
        (TAGGER, r"\frac{\partial L}{\partial h_{t-1}} = \frac{\partial L}{\partial h_t} \frac{\partial h_t}{\partial h_{t-1}}", r"\frac{\partial L_{t-1}}{\partial h_{t-1}}"),
        (RNN, r"\nabla_{h_t} L = \left(\frac{\partial h_{t+1}}{\partial h_t}\right)^\top \nabla_{h_{t+1}} L", r"\nabla_{h_t} L_t"),
        (LAGGED, r"\bar h_t = \nabla_{h_t} L_t + W^\top \delta_{t+1}", r"\bar{h}_{t+2}"),
        (LAGGED, r"\bar h_t = W^\top \delta_{t+1} + \bar h_{t+2}", r"\nabla_{h_t} L_t"),
    ],
)  # fmt: skip
def test_a_missing_summand_is_one_term_in_the_words_of_the_author(subject: Cell, claim: str, missing: str) -> None:
    found = explained(subject, claim)
    assert "summand" in found.hints[1] and found.correction.endswith(f" + {missing}")
    assert check(found.correction, subject)[0].verdict == "correct"


@pytest.mark.parametrize(
    ("claim", "left"),
    [
        (r"\nabla_W L_t = \sum_{t=1}^{T} \delta_t h_{t-1}^\top", r"\nabla_W L"),
        (r"\frac{\partial L_t}{\partial W} = \sum_{k=1}^{T} \delta_k h_{k-1}^\top", r"\frac{\partial L}{\partial W}"),
        (r"\nabla_{x_{t-1}} L = U^\top (h_t \odot (1 - h_t) \odot \bar h_t)", r"\nabla_{x_t} L"),
        (r"\delta_{t-1} = \sigma'(z_t) \odot \bar h_t", r"\delta_t"),
        (r"\frac{\partial h_t}{\partial h_{t-2}} = \operatorname{diag}(\sigma'(z_t)) W", r"\frac{\partial h_t}{\partial h_{t-1}}"),
        (r"\frac{\partial L_t}{\partial h_t} = \frac{\partial L_t}{\partial h_t} + \frac{\partial L}{\partial h_{t+1}} \frac{\partial h_{t+1}}{\partial h_t}",
         r"\frac{\partial L}{\partial h_t}"),
    ],
)  # fmt: skip
def test_the_left_side_may_be_what_is_wrong(claim: str, left: str) -> None:
    found = explained(RNN, claim)
    assert found.correction.split(" = ")[0] == left
    assert check(found.correction, RNN)[0].verdict == "correct"


def test_a_left_side_is_not_made_into_what_nobody_asks_for() -> None:
    for claim in (J + "I", J + "0"):
        assert not explained(RNN, claim).correction
