"""Sentences that may give δ another meaning than everybody's are seen by what they speak of; those that speak of δ otherwise do no harm."""

from __future__ import annotations

import pytest

import bptt
from bptt import Cell

RNN = bptt.cell("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
OWN = bptt.cell("z_t = W h_{t-1} + U x_t + b\nh_t = \\tanh(z_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
SUM = r"$$\nabla_b L = \sum_{t=1}^{T} \delta_t$$"
"""Right where δ_t is the derivative by the pre-activation, and wrong where it is that by h_t."""
SLOPE = r"$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\tanh'(z_t)) W$$"
RECURSION = r"$$\delta_t = \tanh'(z_t) \odot (\nabla_{h_t} L_t + W^\top \delta_{t+1})$$"


def verdicts(text: str, cell: Cell | None = RNN) -> list[str]:
    return [one.verdict for one in bptt.check(text, cell=cell, explained=False)]


@pytest.mark.parametrize(
    "said",
    [
        r"Let $\delta_t$ be the gradient of the loss with respect to the hidden state. ",
        r"Let $\delta_t$ be the gradient of the loss w.r.t. the hidden state at time $t$. ",
        r"(with $\delta_t$ the gradient w.r.t.\ $h_t$) ",
        r"$\delta_t$ is the derivative of $L$ by the hidden state $h_t$. ",
        r"Sei $\delta_t$ der Gradient des Verlusts nach dem verborgenen Zustand $h_t$. ",
        "wobei $\\delta_t$ der Gradient bezüglich des Zustands ist: ",
        "mit der Abkürzung $\\delta_t$ für $\\frac{\\partial L}{\\partial h_t}$ ",
        r"Denote the error of the hidden layer, i.e. $\nabla_{h_t} L$, with $\delta_t$. ",
        "$\\delta_t$, i.e. $\\partial L/\\partial h_t$, is propagated backwards.\n\n",
        "$\\delta_t$ ($= \\partial L/\\partial h_t$) is propagated backwards.\n\n",
        r"Write $\delta_t$ in place of $\nabla_{h_t} L$. ",
        r"where $\delta_t$ is the gradient flowing into $h_t$. ",
        r"The vector $\delta_t$ collects the derivatives $\partial L/\partial h_{t,i}$. ",
        r"We define the error at the hidden state as $\delta_t$. ",
        "Note: $\\delta_t$ is taken with respect to $h_t$, not $z_t$. ",
        r"Let $\delta_t$ and $\epsilon_t$ be the gradients $\nabla_{h_t} L$ and $\nabla_{z_t} L$, respectively. ",
        r"Let $(\delta_t)_i = \partial L / \partial h_{t,i}$. ",
        "\\begin{tabular}{ll} $\\delta_t$ & $\\nabla_{h_t} L$ \\\\ $h_t$ & state \\end{tabular}\n\n",
        r"\begin{itemize}\item[$\delta_t$] the gradient $\nabla_{h_t} L$\end{itemize} ",
        "# Notation\n\n* $\\delta_t$ -- $\\partial L/\\partial h_t$\n\n",
        "| $\\delta_t$ | $\\partial L/\\partial h_t$ |\n\n",
        r"Let $g_t = \delta_t$. From now on $g_t$ denotes $\nabla_{h_t} L$; and $\delta_t$ now stands beside $\nabla_{h_t} L$. ",
    ],
)
def test_sentences_that_may_give_another_meaning(said: str) -> None:
    assert verdicts(said + SUM)[-1] not in ("correct", "layout")
    assert verdicts(said + SUM, OWN)[-1] not in ("correct", "layout")


@pytest.mark.parametrize(
    "behind", [r" where $\delta_t$ is the gradient of $L$ at $h_t$.", "\n\n($\\delta_t$: gradient w.r.t. the state)"]
)
def test_they_may_stand_behind(behind: str) -> None:
    assert verdicts(SUM + behind) == ["unsupported"]


@pytest.mark.parametrize(
    "said",
    [
        r"Let $\delta_t = \nabla_{z_t} L$. It flows back through $W$ and gives the gradient with respect to $h_{t-1}$. ",
        r"where $\delta_t$ is the gradient of the loss with respect to the pre-activation $z_t$ of the state $h_t$. ",
        r"The error signal $\delta_t$ is carried from step to step. ",
        r"From $\delta_{t+1}$ we get $\nabla_{h_t} L$ by adding the direct part $\nabla_{h_t} L_t$. ",
        r"Once all $\delta_t$ are known, the gradient with respect to $W$ is a sum over time. ",
        r"Sei $\delta_t$ der Gradient nach der Voraktivierung $z_t$. ",
        r"Here $\delta_{T+1} = 0$, since no state follows $h_T$. ",
        r"Note that $\delta_t$ is not the gradient with respect to $h_t$. ",
        r"In the book of Nielsen $\delta_t$ is called the error. ",
        r"Each $\delta_t$ has the size of $h_t$. ",
        r"Let $\delta_t = \nabla_{z_t} L$ and $\bar h_t = \nabla_{h_t} L$. ",
        r"Let $\bar h_t = \nabla_{h_t} L$ and $\delta_t = \nabla_{z_t} L$. ",
        r"Let $\bar h_t = \nabla_{h_t} L$ be the gradient at the state, and $\delta_t = \nabla_{z_t} L \in \mathbb{R}^n$. ",
        r"Multiplying the gradient with respect to $h_t$ by the slope gives $\delta_t$. ",
        r"Since $h_t = \tanh(z_t)$, the gradient is $\delta_t = \tanh'(z_t) \odot \nabla_{h_t} L$. ",
        r"Let $\bar h_t$ be the gradient of $L$ with respect to $h_t$ and $\delta_t$ that with respect to $z_t$. ",
        r"The loss depends on $h_t$ through $z_{t+1}$ as well, so the adjoint $\delta_t$ has two contributions. ",
    ],
)
def test_sentences_that_do_no_harm(said: str) -> None:
    assert verdicts(said + SUM)[-1] == "correct"
    assert verdicts(said + SUM, OWN)[-1] == "correct"


@pytest.mark.parametrize(
    "said",
    [
        r"The loss is $L = L_T(h_T)$, only the last step counts. ",
        r"The loss is $L = \frac{1}{T} \sum_t L_t$. ",
        r"$L$ is the mean of the $L_t$. ",
    ],
)
def test_another_loss(said: str) -> None:
    assert verdicts(said + RECURSION) == ["unsupported"]
    assert verdicts(r"The loss is $L = \sum_t L_t$. " + RECURSION) == ["correct"]


def test_a_slope_that_is_said_and_false() -> None:
    assert verdicts(r"where $\tanh'(z) = 1 - \tanh(z)$: " + SLOPE) == ["unsupported"]
    assert verdicts(r"where $\tanh'(z) = 1 - \tanh(z)^2$: " + SLOPE) == ["correct"]


def test_what_is_assumed_and_not_used_makes_nothing_wrong() -> None:
    turned = r"$$\delta_t = \tanh'(z_t) \odot (\nabla_{h_t} L_t + W \delta_{t+1})$$"
    assert verdicts(turned) == ["wrong"]
    assert verdicts(r"Assume $W = W^\top$. " + turned) == ["unsupported"]


@pytest.mark.parametrize("said", [r"with $\phi = \tanh$. ", r"where $\phi := \tanh$. ", "Dabei sei $\\phi = \\tanh$. "])
def test_functions_by_a_letter(said: str) -> None:
    own = r"$$z_t = W h_{t-1} + U x_t + b, \quad h_t = \phi(z_t)$$ "
    right = r"$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) W$$"
    wrong = r"$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(h_t \odot (1 - h_t)) W$$"
    assert verdicts(own + said + right + wrong, None)[2:] == ["correct", "wrong"]
    assert verdicts(said + right.replace("(1 - h_t^2)", r"(\phi'(z_t))")) == ["correct"]
    assert verdicts(right.replace("(1 - h_t^2)", r"(\phi'(z_t))")) != ["correct"]


FROM_TWO = r"$$\nabla_W L = \sum_{t=2}^{T} \delta_t h_{t-1}^\top$$"


@pytest.mark.parametrize(
    "said", [r"Let $h_0 = 0$. ", r"The initial state is $h_0 = 0$. ", r"with $h_0=0$: ", r"Wir setzen $h_0 = 0$. "]
)
def test_states_that_start_from_zero(said: str) -> None:
    assert verdicts(said + FROM_TWO) == ["correct"]


@pytest.mark.parametrize(
    "said",
    [
        "", r"$h_0 \neq 0$ in general, but often $h_0=0$ is chosen. ", r"Some people set $h_0=0$, we do not. ",
        r"Besides the usual $h_0=0$ we allow any $h_0$. ", r"Until now $h_0 = 0$; from now on $h_0$ is a parameter. ", r"Unless $h_0=0$: ",
        r"Contrary to the lecture ($h_0=0$), the start is arbitrary. ", r"When $h_0=0$ the gradient is smaller. In general, ",
        r"$h_0 = 0$ is a bad choice. We learn $h_0$: ", r"\footnote{$h_0 = 0$ in PyTorch} ", r"\begin{example} Let $h_0=0$. \end{example} ",
        r"Let $h_0 = 0$ be excluded. ", r"Let $h_0=0$ and $h_0 = b$. ",
    ],
)  # fmt: skip
def test_states_that_need_not(said: str) -> None:
    assert verdicts(said + FROM_TWO)[-1] not in ("correct", "layout")


THREE = r"$$\nabla_b L = \delta_1 + \delta_2 + \delta_3$$"


@pytest.mark.parametrize(
    "said",
    [
        r"Consider a sequence of length $T=3$. ", r"Unrolling over $T=3$ time steps gives ", r"The sequence has length three ($T=3$). ",
        "Die Sequenzlänge ist $T=3$. ", r"Three steps, i.e. $T=3$: ", r"Example ($T = 3$): ", r"$T=3$: ", r"Since there are $T=3$ steps, ",
    ],
)  # fmt: skip
def test_lengths_of_what_is_written_out(said: str) -> None:
    assert verdicts(said + THREE) == ["correct"]
    assert verdicts(said + THREE.replace(r" + \delta_3", "")) == ["wrong"]


@pytest.mark.parametrize(
    "said",
    [
        r"Let $T=1$. Now for general $T$: ", r"\section{Warm-up} Let $T=1$. \section{General} ", r"\emph{Example.} Let $T=1$. End of the example. ",
        r"\begin{example} Let $T=1$. \end{example} ", r"Let $T = 1$ and $T = 2$. ",
    ],
)  # fmt: skip
def test_lengths_that_are_over(said: str) -> None:
    assert verdicts(said + r"$$\nabla_b L = \delta_1$$")[-1] == "wrong"


@pytest.mark.parametrize(
    "said",
    [
        r"In a linear network, $\delta_t = \nabla_{h_t} L$. ",
        r"Zeige, dass $\delta_t = \nabla_{h_t} L$ falsch ist. ",
        r"In Exercise 1 we had $\delta_t = \nabla_{h_t} L$. ",
        r"A careless reader takes $\delta_t = \nabla_{h_t} L$. ",
        r"Close to saturation $\delta_t = \nabla_{h_t} L$. ",
    ],
)
def test_meanings_of_other_places_are_neither_taken_nor_denied(said: str) -> None:
    assert verdicts(said + SUM)[-1] in ("correct", "unsupported")
    of_state = r"$$\nabla_b L = \sum_{t=1}^{T} \tanh'(z_t) \odot \delta_t$$"
    assert verdicts(said + of_state)[-1] in ("wrong", "unsupported")
    given = r"In this course $\delta_t = \nabla_{h_t} L$. "
    assert verdicts(given + of_state)[-1] == "correct" and verdicts(given + SUM)[-1] == "wrong"


@pytest.mark.parametrize(
    "said",
    [
        r"Componentwise, $\delta_{t,i} = \partial L / \partial h_{t,i}$. ",
        r"Remember that $\nabla_{z_t} L = -\delta_t$. ",
        r"The input is the previous output, $x_{t+1} = h_t$. ",
        r"Als Eingabe dient der vorige Zustand: $x_t = h_{t-1}$. ",
        r"The start is $h_0 = h_T$. ",
        r"with $h_0 = W v$ for a fixed vector $v$. ",
        r"Units are leaky: $h_t = (1-\alpha) h_{t-1} + \alpha \tanh(z_t)$. ",
        r"Recall $h_t = 2 \tanh(z_t) - h_{t-1}$. ",
        r"We use $\tanh(u) = \max(0, u)$. ",
        r"That is $\tanh(u) = 2/(1+e^{-u/\tau})$. ",
    ],
)
def test_what_a_line_makes_of_the_cell_is_heeded(said: str) -> None:
    assert verdicts(RECURSION + SUM)[-2:] == ["correct", "correct"]
    assert verdicts(said + RECURSION + SUM)[-2:] == ["unsupported", "unsupported"]


def test_a_matrix_of_each_step_is_another_one() -> None:
    assert verdicts(r"Here $W_t = W + tI$. " + SLOPE)[-1] == "unsupported"
    assert verdicts(r"Here $W = 0.5 I$. " + SLOPE)[-1] == "correct"


@pytest.mark.parametrize(
    "said",
    [
        r"The state is some function $h_t = f(h_{t-1}, x_t)$. ",
        r"Recall $h_t = \tanh(z_t)$. ",
        r"Since $\tanh'(u) = 1 - \tanh(u)^2$, all is known. ",
        r"Unrolled, $h_t = \tanh(W \dots)$. ",
        r"One reads $x_t$ and $h_{t-1}$ and writes $h_t$. ",
        r"Many authors stack layers, $x_t = h_t$. ",
    ],
)
def test_what_a_line_says_in_passing_or_rightly_is_no_harm(said: str) -> None:
    assert verdicts(said + RECURSION + SUM)[-2:] == ["correct", "correct"]


def test_starting_values_of_another_place() -> None:
    cell = bptt.cell("lstm")
    claim = r"$$\nabla_{W_f} L = \sum_{t=2}^{T} \delta^f_t h_{t-1}^\top$$"
    assert verdicts(r"Let $h_0 = 0$ and $c_0 = 0$. " + claim, cell)[-1] == "correct"
    assert (
        verdicts(r"Part (a) had $h_0 = 0$, $c_0 = 0$. In part (b) the start is random. " + claim, cell)[-1] == "wrong"
    )


def test_it_is_said_which_starts_are_missing() -> None:
    cell = bptt.cell(
        "z_t = A a_{t-1} + P x_t\na_t = \\tanh(z_t)\nv_t = B b_{t+1} + a_t\nb_t = \\tanh(v_t)\nL = \\sum_{t=1}^T L_t(b_t)"
    )
    found = bptt.check(r"$$\nabla_B L = \sum_{t=1}^{T-1} \bar v_t b_{t+1}^\top$$", cell=cell, explained=False)[-1]
    assert found.verdict == "wrong" and "say so by a_0 = 0 and b_{T+1} = 0" in found.message


def test_a_start_is_chosen_beside_a_meaning() -> None:
    said = r"We write $\delta_t = \nabla_{z_t} L$ for the error signal, with $h_0 = 0$. "
    claim = r"$$\nabla_W L = \sum_{t=2}^{T} \delta_t h_{t-1}^\top$$"
    assert verdicts(said + claim)[-1] == "correct"
    assert verdicts(said.replace("with", "unlike the book, which has") + claim)[-1] != "correct"
