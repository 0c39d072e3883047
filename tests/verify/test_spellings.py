"""What stands around equations in people's documents, and says nothing of its own."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
SUM = r"\sum_{t=1}^T \delta_t"
AROUND = [
    r"\boxed{\nabla_b L = SUM}", r"\nabla_b L = \boxed{SUM}", r"\nabla_b L \overset{!}{=} SUM", r"\nabla_b L \stackrel{(1)}{=} SUM",
    r"\nabla_b L \underset{z}{=} SUM", r"\therefore \nabla_b L = SUM", r"\nabla_b L = SUM \blacksquare", r"\nabla_b L = SUM \qquad\square",
    r"\Rightarrow \nabla_b L = SUM", r"\begin{aligned} &\implies \nabla_b L = SUM \end{aligned}", r"\nabla_b L = SUM \quad (2.1a)",
    r"\nabla_b L = SUM \quad (*)", r"\nabla_b L = SUM \qquad \text{(eq. 3)}", r"\nabla_b L = \underbrace{SUM}_{\text{all steps}}",
    r"\nabla_b L = SUM!", r"\nabla_b \mathcal{L} = SUM", r"\mathbf{\nabla_b} L = SUM", r"\nabla_b L = SUM \quad \forall t",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_what_stands_around_is_passed_over_and_nothing_else(around: str) -> None:
    def verdict(formula: str) -> str:
        (found,) = check(f"$${around.replace('SUM', formula)}$$", RNN, explained=False)
        return found.verdict

    assert verdict(SUM) == "correct"
    assert verdict(r"\sum_{t=1}^T \bar h_t") == "wrong"
    assert verdict(SUM + " + b") in ("wrong", "unreadable")


@pytest.mark.parametrize(
    ("claim", "verdicts"),
    [
        (r"\delta_t = (1 - h_t^2) \odot \bar h_t \Rightarrow \nabla_b L = SUM", ["correct", "correct"]),
        (r"\delta_t = (1 - h_t) \odot \bar h_t \implies \nabla_b L = SUM", ["wrong", "correct"]),
        (r"\delta_t = (1 - h_t^{\odot 2}) \odot \bar h_t", ["correct"]),
        (r"\delta_t = (1 - h_t^{\circ 3}) \odot \bar h_t", ["wrong"]),
        (r"\nabla_b L = \sum_{1 \le t \le T} \delta_t", ["correct"]),
        (r"\partial_b L = \sum_{t=1}^T \delta_t^\top", ["correct"]),
        (r"\partial_b L = \sum_{t=1}^T \bar h_t^\top", ["wrong"]),
        (r"\partial_{h_{t-1}} h_t = \operatorname{diag}(1 - h_t^2) W", ["correct"]),
        (r"\partial^{+}_{h_{t-1}} h_t = \operatorname{diag}(1 - h_t^2) W", ["correct"]),
        (r"\partial_{h_{t-1}} h_t = W \operatorname{diag}(1 - h_t^2)", ["wrong"]),
        (r"\bar h_t = \nabla_{h_t} L_t + (\partial_{h_t} h_{t+1})^\top \bar h_{t+1}", ["correct"]),
        (r"\partial_t L = 1", ["unreadable"]),
        (r"\partial_b L^\top = \sum_{t=1}^T \delta_t", ["unreadable"]),
        (r"\partial_{b} = \sum_{t=1}^T \delta_t", ["unreadable"]),
        (r"\nabla_b L = \sum_{1 < t \le T} \delta_t", ["wrong"]),
        (r"\nabla_b L = \sum_{t \le T} \delta_t", ["correct"]),
        (r"\nabla_b L = \sum_{t < T} \delta_t", ["wrong"]),
        (r"\boxed{\nabla_b L = SUM", ["unreadable"]),
    ],
)
def test_spellings(claim: str, verdicts: list[str]) -> None:
    assert [one.verdict for one in check(f"$${claim.replace('SUM', SUM)}$$", RNN, explained=False)] == verdicts


def test_a_formula_is_shown_with_its_fonts() -> None:
    (found,) = check(
        r"$$\mathbf{h}_t = \tanh(\mathbf{W} \mathbf{h}_{t-1} + \mathbf{U} \mathbf{x}_t + \mathbf{b})$$", RNN
    )
    assert found.claim.startswith(r"\mathbf{h}_t") and found.claim.endswith(r"\mathbf{b})") and found.column == 3


def test_the_cell_of_a_document_may_be_bold() -> None:
    text = r"$$\mathbf{z}_t = \mathbf{W} \mathbf{h}_{t-1} + \mathbf{U} \mathbf{x}_t$$ $$\mathbf{h}_t = \sigma(\mathbf{z}_t)$$"
    claim = r"$$\frac{\partial \mathbf{h}_t}{\partial \mathbf{z}_t} = \operatorname{diag}(\mathbf{h}_t \odot (1 - \mathbf{h}_t))$$"
    assert [one.verdict for one in check(text + claim)] == ["correct"] * 3


def test_a_display_that_begins_with_a_sign_goes_on() -> None:
    steps = r"$$\nabla_b L = \sum_{t=1}^T \delta_t$$ so that $$= \sum_{t=1}^T (1 - h_t^2) \odot \bar h_t$$ $$= 0$$"
    assert [one.verdict for one in check(steps, RNN)] == ["correct", "correct", "wrong"]


@pytest.mark.parametrize(
    "entry", [r"W_{ij}", r"(W)_{ij}", r"h_{t,i}", r"\left[\frac{\partial h_t}{\partial h_{t-1}}\right]_{ij}"]
)
def test_entries_are_not_read_and_it_is_said_what_to_write(entry: str) -> None:
    (found,) = check(f"$${entry} = 0$$", RNN)
    assert found.verdict == "unreadable" and "single entries are not read" in found.hint


LSTM = Cell.from_text(
    r"""f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)
o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)
\tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)
C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t
h_t = o_t \odot \tanh(C_t)
L = \sum_{t=1}^{T} L_t(h_t)"""
)
OF_CELL = r"\bar h_t \odot o_t \odot (1 - \tanh^2(C_t)) + f_{t+1} \odot \bar C_{t+1}"
OF_CANDIDATE = r"\bar C_t \odot i_t \odot (1 - \tilde C_t^2)"
OF_STATE = r"\nabla_{h_t} L_t + W_f^\top \delta^f_{t+1} + W_i^\top \delta^i_{t+1} + W_o^\top \delta^o_{t+1} + W_c^\top \delta^{\tilde C}_{t+1}"


@pytest.mark.parametrize(
    ("spelling", "right", "slip"),
    [
        (r"\delta^{\tilde C}_t", OF_CANDIDATE, (r"\tilde C_t^2", r"\tilde C_t")),
        (r"\delta^{c}_t", OF_CANDIDATE, (r"i_t", r"f_t")),
        (r"\delta_{\tilde C, t}", OF_CANDIDATE, (r"\odot (1", r"\odot o_t \odot (1")),
        (r"\delta_{\tilde C_t}", r"\bar C_t \odot i_t", (r"i_t", r"f_t")),
        (r"\delta_{C_t}", OF_CELL, ("f_{t+1}", "f_t")),
        (r"\delta^h_t", OF_STATE, (r"W_o^\top", "W_o")),
        (r"\delta_{h_t}", OF_STATE, (r"\delta^o_{t+1}", r"\delta^o_t")),
        (r"\delta C_t", OF_CELL.replace(r"\bar h_t", r"\delta h_t").replace(r"\bar C", r"\delta C"), ("o_t", "f_t")),
        (r"dC_t", OF_CELL.replace(r"\bar h_t", "dh_t").replace(r"\bar C", "dC"), ("f_{t+1}", "f_t")),
        (r"dW_f", r"\sum_{t=1}^T \delta^f_t h_{t-1}^\top", ("h_{t-1}", "h_t")),
        (r"\frac{\partial E}{\partial b_f}", r"(\sum_{t=1}^T \delta^f_t)^\top", ("t=1", "t=2")),
    ],
)  # fmt: skip
def test_adjoints_have_many_spellings(spelling: str, right: str, slip: tuple[str, str]) -> None:
    assert slip[0] in right
    for formula, accepted in ((right, True), (right.replace(*slip), False)):
        (found,) = check(f"$${spelling} = {formula}$$", LSTM, explained=False)
        assert found.accepted is accepted and (accepted or found.verdict == "wrong"), found.message


def test_the_label_of_a_recursion_may_mean_the_cell() -> None:
    recursion = OF_CELL.replace(r"\bar C", r"\delta^c")
    found = check(
        f"$$\\delta^c_t = {recursion}$$ $$\\delta^f_t = \\delta^c_t \\odot C_{{t-1}} \\odot f_t \\odot (1 - f_t)$$",
        LSTM,
    )
    assert [one.accepted for one in found] == [True, True] and "adjoint of C" in found[1].reading
    slipped = check(f"$$\\delta^c_t = {recursion.replace('f_{t+1}', 'f_t')}$$", LSTM, explained=False)
    assert [one.verdict for one in slipped] == ["wrong"]


def test_quotients_of_differentials_are_derivatives_beside_differentials() -> None:
    text = r"$$dh_t = \left(\frac{dL_t}{dh_t}\right)^\top + W^\top dz_{t+1}$$ $$db = \sum_{t=1}^{T} dz_t$$ $$dW = \sum_{t=1}^{T} dz_t x_t^\top$$"
    assert [one.verdict for one in check(text, RNN, explained=False)] == ["correct", "correct", "wrong"]


@pytest.mark.parametrize("letter", ["E", "J", r"\mathcal{J}"])
def test_another_letter_for_the_loss_is_one_that_is_differentiated(letter: str) -> None:
    right = f"$$\\frac{{\\partial {letter}}}{{\\partial W}} = \\sum_{{t=1}}^T \\delta_t h_{{t-1}}^\\top$$"
    assert [one.verdict for one in check(right, RNN, explained=False)] == ["correct"]
    assert [one.verdict for one in check(right.replace("{t-1}^", "t^"), RNN, explained=False)] == ["wrong"]
    jacobian = f"Let ${letter} = 2 L$. {right}"
    assert [one.accepted for one in check(jacobian, RNN, explained=False)] == [False]


@pytest.mark.parametrize(
    ("said", "verdicts"),
    [
        (r"$a_t = W h_{t-1} + U x_t + b$", ["correct", "correct"]),
        (r"Let $a_k = U x_k + b + W h_{k-1}$.", ["correct", "correct"]),
        (r"Let $a_t = W h_{t-1} + U x_t$.", ["unsupported", "unsupported"]),
    ],
)
def test_one_may_differentiate_by_a_name_for_what_the_cell_computes(said: str, verdicts: list[str]) -> None:
    cell = Cell.from_text(
        "h_t = \\tanh(W h_{t-1} + U x_t + b) \\odot q_t\nq_t = \\sigma(V x_t + Q h_{t-1})\nL = \\sum_{t=1}^{T} L_t(h_t)"
    )
    text = (
        said
        + r" $$\nabla_{a_t} L = q_t \odot (1 - \tanh^2(a_t)) \odot \bar h_t$$ $$\nabla_b L = \sum_{t=1}^T \nabla_{a_t} L$$"
    )
    assert [one.verdict for one in check(text, cell, explained=False)] == verdicts


def test_a_letter_for_a_row_may_be_used_as_a_column() -> None:
    said = r"Let $e_t = \frac{\partial L_t}{\partial h_t}$. "
    right = r"$$\delta_t = \tanh'(z_t) \odot (e_t + W^\top \delta_{t+1})$$"
    for words in (said, said.replace("e_t =", r"e_t^\top =")):
        (found,) = check(words + right, RNN, explained=False)
        assert found.verdict == ("layout" if words is said else "correct")
        assert [one.verdict for one in check(words + right.replace(r"W^\top", "W"), RNN, explained=False)] == ["wrong"]


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        (r"Here $z_t$ is $W h_{t-1}$.", False), (r"Here $z_t$ is $W h_{t-1} + U x_t + b$.", True), (r"Let $\delta_t$ be two times $\nabla_{z_t} L$.", False),
        (r"Let $\delta_t$ be the gradient $\nabla_{z_t} L$.", True), (r"where $\delta_t$ is minus $\nabla_{z_t} L$.", False),
        (r"The gradient of $h_t$ is $W^\top \delta_{t+1}$ plus that of its loss.", True), (r"where $h_t = h_t(W, U, b)$ depends on all of them.", True),
    ],
)  # fmt: skip
def test_what_words_say_of_a_letter_must_hold(said: str, accepted: bool) -> None:
    claim = r"$$\delta_t = \tanh'(z_t) \odot (\nabla_{h_t} L_t + W^\top \delta_{t+1})$$"
    (found,) = check(f"{said} {claim}", RNN, explained=False)
    assert found.accepted is accepted and found.verdict != "wrong"


LOWER = Cell.from_text(
    r"""f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)
o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)
\tilde c_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)
c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t
h_t = o_t \odot \tanh(c_t)
L = \sum_{t=1}^{T} L_t(h_t)"""
)
GRU = Cell.from_text(
    r"""z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)
r_t = \sigma(W_r x_t + U_r h_{t-1} + b_r)
\tilde{h}_t = \tanh(W_h x_t + U_h (r_t \odot h_{t-1}) + b_h)
h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde{h}_t
L = \sum_{t=1}^{T} L_t(h_t)"""
)
CELL_ERROR = r"$$\delta^c_t = \bar h_t \odot o_t \odot (1 - \tanh^2(c_t)) + f_{t+1} \odot \delta^c_{t+1}$$ "
STATE_ERROR = r"$$\delta_t = \nabla_{h_t} L_t + W^\top (\tanh'(z_{t+1}) \odot \delta_{t+1})$$ "
GRU_ERROR = (
    r"$$\delta^h_t = \nabla_{h_t} L_t + (1-z_{t+1}) \odot \delta^h_{t+1} + U_z^\top \delta^z_{t+1} + U_r^\top \delta^r_{t+1}"
    r" + r_{t+1} \odot (U_h^\top \delta^{\tilde h}_{t+1})$$ "
)


@pytest.mark.parametrize(
    ("cell", "document", "truth"),
    [
        (LOWER, CELL_ERROR + r"$$\delta^f_t = \delta^{\tilde c}_t \odot c_{t-1} \odot f_t \odot (1-f_t)$$", [True, False]),
        (LOWER, CELL_ERROR + r"$$\delta^{\tilde c}_t = \delta^c_t \odot i_t \odot (1 - \tilde c_t^2)$$", [True, True]),
        (LOWER, CELL_ERROR + r"$$\nabla_{W_c} L = \sum_{t=1}^T \delta^{\tilde c}_t h_{t-1}^\top$$", [True, True]),
        (LOWER, r"where $\delta^c_t = \nabla_{c_t} L$ $$\delta^{\tilde c}_t = \delta^c_t \odot i_t \odot (1-\tilde c_t^2)$$", [True]),
        (LSTM, CELL_ERROR.replace("c", "C").replace("\\odot", "\\odot") + r"$$\delta^{\tilde C}_t = \bar C_t$$", [True, False]),
        (GRU, GRU_ERROR + r"$$\delta^{\tilde h}_t = \delta^h_t \odot z_t \odot (1-\tilde h_t^2)$$", [True, True]),
        (GRU, GRU_ERROR + r"$$\delta^z_t = \delta^h_t \odot (\tilde h_t - h_{t-1}) \odot z_t \odot (1-z_t)$$", [True, True]),
        (GRU, GRU_ERROR.replace("(1-z", "(z"), [False]),
        (RNN, r"Let $\delta_t = \nabla_{h_t} L$. $$\delta_{z_t} = \delta_t$$ $$dz_t = \tanh'(z_t) \odot \delta_t$$", [False, True]),
        (RNN, STATE_ERROR + r"$$\delta^z_t = \delta_t$$ $$\delta_{z_t} = \tanh'(z_t) \odot \delta_t$$ $$\nabla_b L = \sum_t \delta_{z_t}$$", [True, False, True, True]),
        (RNN, r"Let $\bar h_t = \nabla_{h_t} L_t$. $$\delta_{h_t} = \bar h_t$$ $$\delta_{h_t} = \bar h_t + W^\top \delta_{z_{t+1}}$$", [False, True]),
        (RNN, r"Let $\bar W = \frac{1}{2} W$. $$dW = \bar W$$", [False]),
        (RNN, r"Let $s_t = W h_{t-1} + U x_t + b$. $$ds_t = \tanh'(s_t) \odot dh_t$$ $$dh_t = \nabla_{h_t} L_t + W^\top ds_{t+1}$$", [True, True]),
    ],
)  # fmt: skip
def test_a_letter_of_the_authors_leaves_the_other_spellings_what_they_are(
    cell: Cell, document: str, truth: list[bool]
) -> None:
    found = check(document, cell, explained=False)
    assert [one.accepted for one in found] == truth
    assert all(one.verdict == "wrong" for one, right in zip(found, truth, strict=True) if not right)


@pytest.mark.parametrize(
    ("cell", "document", "verdict"),
    [
        ("h_t = (1-\\delta) h_{t-1} + \\delta \\tanh(W h_{t-1} + U x_t + b)", r"\delta h_t = \delta (1-\delta) h_{t-1} + \delta^2 \tanh(z_t)", "correct"),
        ("h_t = \\tanh(W h_{t-1} + U x_t + b)", r"dh_t = \operatorname{diag}(1-h_t^2)(W dh_{t-1} + U dx_t)", "unreadable"),
        ("h_t = \\tanh(W h_{t-1} + U x_t + b)", r"\delta z_t = W \delta h_{t-1}", "unreadable"),
        ("h_t = \\tanh(W h_{t-1} + U x_t + b)", r"L(W, U, b) = \sum_{t=1}^T L_t", "correct"),
    ],
)  # fmt: skip
def test_what_only_looks_like_an_adjoint(cell: str, document: str, verdict: str) -> None:
    (found,) = check(f"$${document}$$", Cell.from_text(cell + "\nL = \\sum_{t=1}^{T} L_t(h_t)"), explained=False)
    assert found.verdict == verdict


def test_corrections_keep_the_authors_names() -> None:
    (found,) = check(r"$$\delta_{\tilde C, t} = \delta_{C_t} \odot f_t \odot (1 - \tilde C_t^2)$$", LSTM)
    assert found.correction == r"\delta_{\tilde{C}, t} = \delta_{C_t} \odot i_t \odot (1 - \tilde{C}_t^2)"


@pytest.mark.parametrize(("name", "by"), [("W", r"\sum_t h_{t-1} \delta_t^\top"), ("U", r"\sum_t x_t \delta_t^\top")])
def test_a_derivative_by_a_name_for_a_transposed_matrix_is_transposed(name: str, by: str) -> None:
    for right, accepted in ((by, True), (f"({by})^\\top", False)):
        (found,) = check(f"Let $V = {name}^\\top$. $$\\nabla_V L = {right}$$", RNN, explained=False)
        assert (found.verdict == "correct") is accepted


LETTER = r"$$\frac{\partial E}{\partial W} = \sum_{t=1}^T \delta_t h_{t-1}^\top$$"


@pytest.mark.parametrize(
    "said",
    [
        r"Let $E$ be half of $L$.", r"Let $E$ be the negative of the loss $L$.", r"where $E$ is $L$ plus $\lambda \lVert W\rVert_F^2$.",
        r"where $E(\theta) = L(\theta) + \lambda \lVert W \rVert^2$.", r"Here $E$ is the mean loss, $L = T E$.", r"The total error is $E = E_2 + \dots + E_T$.",
        r"We have $L_t = 2 E_t$.", r"$$L = \frac{1}{2} E$$", r"$$E = \sum_{t=2}^T E_t$$", r"Let $E$ denote the loss of the last step.",
    ],
)  # fmt: skip
def test_a_letter_that_is_said_to_be_something_else_is_not_the_loss(said: str) -> None:
    assert not check(f"{said} {LETTER}", RNN, explained=False)[-1].accepted


@pytest.mark.parametrize(
    "said",
    [
        r"Let $E$ be the total loss.", r"$$E = \sum_{t=1}^T E_t(h_t)$$", r"The gradient of the loss $E$ with respect to $W$ is", r"where $E = \sum_t E_t$.",
        r"Let $J_t$ be the Jacobian $\frac{\partial h_t}{\partial h_{t-1}}$.",
    ],
)  # fmt: skip
def test_a_letter_that_is_said_to_be_the_loss_is_the_loss(said: str) -> None:
    letter = LETTER.replace("E", "J") if "J_t" in said else LETTER
    assert all(found.verdict == "correct" for found in check(f"{said} {letter}", RNN, explained=False))


TWO = Cell.from_text(
    "v_t = B x_t + C g_{t-1}\ng_t = \\sigma(v_t)\nz_t = g_t \\odot (A h_{t-1}) + D x_t\nh_t = \\tanh(z_t)\nL = \\sum_{t=1}^{T} L_t(h_t)"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$$\nabla_D L = \sum_{t=1}^{T} \delta_t x_t^\top$$", "unsupported"),
        (r"$$\nabla_B L = \sum_{t=1}^{T} \delta_t x_t^\top$$", "unsupported"),
        (r"$$\nabla_D L = \sum_{t=1}^{T} \delta^z_t x_t^\top$$", "correct"),
        (r"$$\nabla_D L = \sum_{t=1}^{T} \delta^v_t x_t^\top$$", "wrong"),
        (r"Let $\delta_t = \nabla_{z_t} L$. $$\nabla_D L = \sum_{t=1}^{T} \delta_t x_t^\top$$", "correct"),
        (r"Let $\delta_t = \nabla_{v_t} L$. $$\nabla_D L = \sum_{t=1}^{T} \delta_t x_t^\top$$", "wrong"),
        (r"Let $\delta_t = \bar v_t$. $$\nabla_B L = \sum_{t=1}^{T} \delta_t x_t^\top$$", "correct"),
    ],
)
def test_delta_without_a_label_where_two_states_might_have_it(text: str, expected: str) -> None:
    found = check(text, TWO, explained=False)[-1]
    assert found.verdict == expected
    assert expected != "unsupported" or "the adjoint of v[t] or z[t]" in found.message
