"""What stands around an equation: words that say what a name means, or when an equation holds, and words that only seem to. Which claims are
wrong was found by autograd, in a loop over the cell's equations with sizes that differ, at T = 1 to 5.
"""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check, checked
from verify.require import read_wanted

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
END = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = L_T(h_T)")
LINEAR = Cell.from_text("h_t = W h_{t-1} + U x_t\nL = \\sum_{t=1}^{T} L_t(h_t)")
WEIGHTED = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} \\gamma^{T-t} L_t(h_t)")
COUNTED = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} t L_t(h_t)")
SCALAR = Cell.from_text(
    "h_t = \\tanh(w h_{t-1} + u x_t)\nh_t \\in \\mathbb{R}, x_t \\in \\mathbb{R}\nL = \\frac12 (h_T - y)^2\ny \\in \\mathbb{R}"
)
RECURSION = r"$$\delta_t = \tanh'(z_t)\odot(\nabla_{h_t}L_t + W^\top \delta_{t+1})$$"
SPOILED = r"$$\delta_t = \tanh'(z_t)\odot(\nabla_{h_t}L_t + W \delta_{t+1})$$"
ADJOINT = r"$$\bar h_t = \nabla_{h_t} L_t + W \delta_{t+1}$$"
BIAS = r"$$\nabla_b L = \sum_{t=1}^{T} \delta_t$$"
JACOBIAN = r"$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\tanh'(z_t)) W$$"
NUMBERS = r"$w = 0.5$, $u = 1$, $h_0 = 0$, $x_1 = 1$, $x_2 = -1$, $y = 0.5$. "


def accepted(document: str, cell: Cell = RNN) -> list[bool]:
    return [found.accepted for found in check(document, cell, explained=False)]


@pytest.mark.parametrize(
    "words",
    [
        "Differentiating with respect to the state gives", "We continue with the equation", "In this notation:", "Now we can write",
        "Let us compute the adjoint:", "Given the loss, this yields", "Mit der Kettenregel folgt", "where",
    ],
)  # fmt: skip
@pytest.mark.parametrize("claim", [ADJOINT, SPOILED])
def test_no_words_make_a_definition_of_a_wrong_claim_about_an_adjoint(words: str, claim: str) -> None:
    assert accepted(f"{words} {claim}") == [False]


@pytest.mark.parametrize(
    "claim",
    [r"\bar h_t = 0", r"\delta_t = 7 b", r"\delta_{T+1} = b", r"\delta_T = \tanh'(z_T) \odot W \nabla_{h_T} L_T"],
)
def test_nor_of_the_value_of_one(claim: str) -> None:
    assert accepted(f"We start with $${claim}$$") == [False] and accepted(f"with $${claim}$$") == [False]


@pytest.mark.parametrize(
    "said",
    [
        r"Let $\nabla_{h_t} L =: \delta_t$.", r"Let $\nabla_{h_t} L = \delta_t$.", r"Let $\delta_t$ be $\nabla_{h_t} L$.",
        r"We write $\delta_k$ for $\nabla_{h_k} L$.", r"Let $\delta_t \equiv \nabla_{h_t} L$.", r"$\delta_k = \nabla_{h_k} L$ is the error.",
        r"We denote $\nabla_{h_t} L$ by $\delta_t$.", r"Here, $\delta_t = \nabla_{h_t} L$.", r"Mit $\delta_t = \frac{\partial L}{\partial h_t}$ gilt",
        r"where $\delta_t = \frac{\partial L}{\partial h_t} \odot q_t$", r"By $\delta_t$ we mean $\nabla_{h_t} L$.",
        r"Let us denote by $\delta_t$ the vector $\nabla_{h_t} L$.", r"The gradient $\nabla_{h_t} L$ is called $\delta_t$.",
        r"Wir kürzen $\nabla_{h_t} L$ mit $\delta_t$ ab.", r"$\delta_t$ is the gradient of the loss with respect to $h_t$.",
        r"Let $\delta_t$ be the gradient of $L$ with respect to $h_t$.", r"where $\delta_t$ equals $\bar h_t$.",
        r"Let $\bar h_t = \delta_t = \nabla_{h_t} L$.", "- $\\delta_t$: the gradient $\\nabla_{h_t} L$\n\n",
    ],
)  # fmt: skip
def test_a_letter_that_means_something_else(said: str) -> None:
    assert accepted(f"{said} {BIAS}") == [False]
    assert accepted(BIAS) == [True]


def test_a_letter_that_is_defined_in_words_is_read() -> None:
    claim = r"$$\nabla_b L = \sum_{t=1}^{T} \tanh'(z_t) \odot \delta_t$$"
    assert accepted(r"Let $\delta_t$ be $\nabla_{h_t} L$. " + claim) == [True]


@pytest.mark.parametrize(
    "said",
    [
        "where $z_t = W h_{t-1}$:", "Let $z_t := 2 (W h_{t-1} + U x_t + b)$.", "with $z_t = h_t$",
    ],
)  # fmt: skip
def test_what_the_document_says_of_the_cell_must_hold(said: str) -> None:
    assert accepted(f"{said} {JACOBIAN}") == [False]
    assert accepted(f"where $z_t = W h_{{t-1}} + U x_t + b$: {JACOBIAN}") == [True]


@pytest.mark.parametrize(
    "said", [r"Let $g_t = \delta_t$. Now let $g_t = 2\delta_t$.", r"Let $A = W$. Let $A = W^\top$."]
)
def test_a_second_meaning_is_not_dropped_in_silence(said: str) -> None:
    claim = BIAS.replace(r"\delta", "g") if "g_t" in said else JACOBIAN.replace("W", "A")
    assert accepted(f"{said} {claim}") == [False]


@pytest.mark.parametrize(
    "tail",
    [
        "for $t = T$ down to $1$.", "for $t = T$, $T-1$, ..., $1$.", "for $t=T$ to $1$", "für $t = T$ bis $1$.", "for $t = T$, and in general.",
        r"for $t \in \{T, \dots, 1\}$.", "for $t = T$; the same for $t<T$.", "if $t = T$, where we start.", "\n\nFor $t = T$ this is clear.", "If $t = T$, then nothing comes later.",
    ],
)  # fmt: skip
def test_words_that_are_no_condition(tail: str) -> None:
    assert accepted(f"{ADJOINT} {tail}") == [False]


@pytest.mark.parametrize(
    "words",
    [
        "For $t = T$ to $1$:",
        "For $t=T$ we start, for the others",
        "Für $t = T$ bis $1$:",
        "For $t=T$ and $t<T$ alike",
        "If $t=T$ or not,",
    ],
)
def test_words_in_front_that_are_no_condition(words: str) -> None:
    assert accepted(f"{words} {ADJOINT}") == [False]
    assert accepted(f"For $t = T$ {ADJOINT} and likewise for all t.") == [False]


@pytest.mark.parametrize(
    "words",
    [
        "For $t = 1, \\dots, T$ we have", r"Let $\delta_t$ be the gradient of $L$ with respect to $z_t$. Then",
        r"where $\delta_t$ is the error at step $t$ and $h_0$ the start:", r"Recall that $\delta_t = \nabla_{z_t} L$ and $\bar h_t = \nabla_{h_t} L$.",
        r"The adjoints $\delta_t$ are used below; $\nabla_{h_t} L$ is computed first.", r"Using the chain rule and $\nabla_{h_t} L = \bar h_t$ we get",
    ],
)  # fmt: skip
def test_words_that_change_nothing(words: str) -> None:
    assert accepted(f"{words} {RECURSION}") == [True]


def test_a_condition_at_which_a_term_is_nothing_hides_no_error() -> None:
    assert accepted(f"{ADJOINT} for $t = T$.") == [False]
    assert accepted(r"$$\bar h_t = \nabla_{h_t} L_t$$ for $t = T$.") == [True]


def test_conditions_before_and_behind_an_equation() -> None:
    last = r"$$\bar h_t = \nabla_{h_t} L_t$$"
    assert accepted(f"For $t = T$ we have {last}") == accepted(f"{last} for $t = T$.") == [True]
    assert accepted(last) == accepted(f"For $t < T$ we have {last}") == [False]
    assert accepted(f"For $t = T$ we stop. {last}") == [False]


@pytest.mark.parametrize(
    "said",
    [
        "For $t \\ge 2$ let $g_t = \\delta_t$.", "Let $g_t = \\delta_t$ ($t > 1$).", "Let $g_t = \\delta_t$, $t > 1$.", "Let $g_t = \\delta_t$ unless $t = 1$.",
        "Let $g_t = \\delta_t$ as long as $t>1$.", "Let $g_t = \\delta_t$ for even $t$.",
    ],
)  # fmt: skip
def test_a_definition_for_some_times(said: str) -> None:
    assert accepted(f"{said} {BIAS.replace('delta', 'g').replace(chr(92) + 'g', 'g')}") == [False]


def test_lengths_and_starts_that_are_only_spoken_of() -> None:
    one = r"$$\nabla_b L = \delta_1$$"
    assert accepted("In the special case $T = 1$ the sum has one summand. For all T we claim " + one) == [False]
    assert accepted(one + "\n\nFor $T = 1$ there is nothing more to do.") == [False]
    assert accepted("Let $T = 1$. " + one) == [True]
    assert accepted("Let $T = 1$. " + one + " In general " + one) == [True, False]
    assert accepted("The figure is drawn with $T=1$. " + one) == accepted("We do not let $T=1$. " + one) == [False]
    assert accepted(r"If $h_0 = 0$ the first term vanishes. $$\nabla_W L = \sum_{t=2}^{T} \delta_t h_{t-1}^\top$$") == [
        False
    ]
    assert accepted(r"We do not assume that $h_0 = 0$. $$\nabla_W L = \sum_{t=2}^{T} \delta_t h_{t-1}^\top$$") == [
        False
    ]


@pytest.mark.parametrize("line", [r"$$\bar h_T = 5 b$$", r"$$\bar h_T = \bar h_T$$"])
def test_a_line_for_the_last_step_must_say_something_true(line: str) -> None:
    assert accepted(r"$$\bar h_t = W^\top \delta_{t+1}$$ " + line, END)[0] is False


def test_a_per_cent_sign_in_prose_hides_nothing() -> None:
    assert accepted(f"I am 100% sure that {ADJOINT}\n\nand {BIAS}") == [False, True]


# -- right claims in ordinary words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        f"{RECURSION} with $\\delta_{{T+1}} = 0$. {BIAS}",
        f"We set $\\delta_{{T+1}} = 0$ and find {RECURSION}",
        f"Mit $\\delta_{{T+1}} = 0$ gilt {RECURSION}",
        r"Backpropagation starts with $$\delta_T = \tanh'(z_T)\odot \nabla_{h_T}L_T$$ and goes on by " + RECURSION,
        r"With $h_0 = 0$: $$\delta_{T+1} = 0$$ $$\frac{\partial h_t}{\partial h_k} = 0, \quad k > t$$",
        r"$$M_t = \operatorname{diag}(\tanh'(z_t)) W M_{t-1}, \quad M_0 = I$$ $$\frac{\partial h_t}{\partial h_0} = M_t$$",
        r"let $p_t = \delta_t^\top W$. $$p_t = \frac{\partial L}{\partial h_{t-1}} - \frac{\partial L_{t-1}}{\partial h_{t-1}}$$",
        r"$$\delta_t = \nabla_{h_t}L_t + W^\top (\tanh'(z_{t+1})\odot\delta_{t+1})$$ $$\nabla_b L = \sum_{t=1}^T \tanh'(z_t)\odot\delta_t$$",
        r"$$g_{t+1} = \delta_t + g_{t}, g_1 = 0$$ $$\nabla_b L = g_{T+1}$$",
        r"$$\bar h_0 = W^\top \delta_1$$",
    ],
)  # fmt: skip
def test_right_in_ordinary_words(document: str) -> None:
    assert all(accepted(document))


def test_a_recursion_of_another_adjoint_is_told() -> None:
    found = check(r"$$\delta_t = \nabla_{h_t}L_t + W^\top (\tanh'(z_{t+1})\odot\delta_{t+1})$$", RNN)[0]
    assert found.verdict == "correct" and "adjoint of h" in found.reading
    assert accepted(r"$$\delta_t = \nabla_{h_t}L_t + W (\tanh'(z_{t+1})\odot\delta_{t+1})$$") == [False]


def test_a_power_of_the_length() -> None:
    assert accepted(r"$$\frac{\partial h_T}{\partial h_0} = W^{T}$$", LINEAR) == [True]
    assert accepted(r"$$\frac{\partial h_t}{\partial h_{t-1}} = W^{T}$$", LINEAR) == [
        True
    ]  # as a transpose, in the other layout
    assert accepted(r"$$\frac{\partial h_t}{\partial h_0} = W^{T}$$", LINEAR) == [False]


@pytest.mark.parametrize(
    "said",
    [
        r"where $\delta_t = \partial L/\partial z_t$.", r"Let $\delta_t := \frac{\partial L}{\partial z_t}$ be the error.", r"With $\delta_{T+1} = 0 \in \mathbb{R}^n$ we have",
        r"Let $\bar h_t$ be the gradient of $L$ with respect to $h_t$.", r"Let $\bar h_t$ denote the adjoint of $h_t$ and $\delta_t$ that of $z_t$.",
        r"Sei $h_t$ der Zustand und $x_t$ die Eingabe.", r"One must not write $\delta_t = W \delta_{t+1}$.", r"In the linear case $h_t = W h_{t-1}$ things are simpler.",
        r"Network: $h_t = f(z_t)$ with $f = \tanh$.", r"Let $a_t = W h_{t-1} + U x_t + b$ and let $\delta_t = \nabla_{a_t} L$.", r"where $h_{-1} = 0$ and",
        r"Let $\bar h_t = \frac{\partial L}{\partial h_t}$.", r"If $\delta_t = 0$ nothing is learned.", r"For $z_t = 0$ the slope is one.",
        r"as $h_t = f(h_{t-1}, x_t)$ with some $f$,", r"with $\delta^{(l)}_{T+1} = 0$",
    ],
)  # fmt: skip
def test_ordinary_sentences(said: str) -> None:
    assert accepted(f"{said} {RECURSION}") == [True]
    assert accepted(f"{said} {SPOILED}") == [False]


def test_meanings_are_not_overruled() -> None:
    recursion = r"$$\delta_t = \nabla_{h_t} L_t + W^\top (\tanh'(z_{t+1}) \odot \delta_{t+1})$$"
    assert accepted(r"$$\delta_t = \nabla_{z_t} L$$ " + recursion) == [True, False]


@pytest.mark.parametrize(
    "meaning", ["twice $\\delta_t$", "minus $\\delta_t$", "the sum of $\\delta_t$ and $b$", "$\\delta_t$ for $t>1$"]
)
def test_words_that_change_a_meaning_are_none(meaning: str) -> None:
    assert accepted(rf"Let $g_t$ be {meaning}. $$\nabla_b L = \sum_{{t=1}}^T g_t$$") == [False]


def test_a_condition_is_one_of_its_own_equation_alone() -> None:
    last = r"$$\bar h_t = \nabla_{h_t} L_t$$"
    assert accepted(f"For $t = T$ we have {last} and working backwards {ADJOINT}") == [True, False]
    assert accepted(f"For $t = T$ we have {last} and for the others {last}") == [True, False]


def test_each_equation_has_its_own_times() -> None:
    last, rest = r"$$\bar h_t = \nabla_{h_t} L_t.$$", r"$$\bar h_t = \nabla_{h_t} L_t + W^\top \delta_{t+1}$$"
    assert (
        accepted(f"For $t=T$ we have {last} In general {rest}")
        == accepted(f"Für $t=T$ erhält man {last} {rest}")
        == [True, True]
    )
    assert accepted(f"{last.replace('.$$', '$$')} for $t=T$; {rest} for $t<T$.") == [True, True]


def test_reasons_in_a_column_of_their_own() -> None:
    rows = r"\begin{align} \bar h_t ={}& \nabla_{h_t} L_t && \text{(chain rule)} \\ & + W^\top \delta_{t+1}. \label{eq:a} \end{align}"
    assert accepted(rows) == [True]
    assert accepted(rows.replace(r"W^\top", "W")) == [False]


def test_inputs_do_not_exist_before_the_first_step() -> None:
    assert accepted(r"$$h_t = \sum_{k=1}^{t} W^{t-k} U x_{k} + W^{t} h_0$$", LINEAR) == [True]
    assert accepted(r"$$h_t = \sum_{k=0}^{t} W^{t-k} U x_{k} + W^{t} h_0$$", LINEAR) == [False]


# -- chains, layouts, counting from zero --------------------------------------------------------------------


@pytest.mark.parametrize(
    "chain",
    [
        r"\frac{\partial h_t}{\partial b} = \sum_{k=1}^{t} \frac{\partial h_t}{\partial h_k}\frac{\partial h_k}{\partial b} = \frac{\partial h_t}{\partial b} + \sum_{k=1}^{t-1} \frac{\partial h_t}{\partial h_k}\frac{\partial h_k}{\partial b}",
        r"\frac{\partial h_t}{\partial h_{t-2}} = \prod_{j=t-1}^{t} \operatorname{diag}(\tanh'(z_j)) W = \operatorname{diag}(\tanh'(z_{t-1}))W\,\operatorname{diag}(\tanh'(z_{t}))W",
        r"\operatorname{diag}(\tanh'(z_t))W = \frac{\partial h_t}{\partial h_{t-1}} = W^\top \operatorname{diag}(\tanh'(z_t))",
        r"\sum_{t=1}^{T} \delta_t x_{t}^\top = \nabla_U L = \sum_{t=1}^{T} x_{t} \delta_t^\top",
    ],
)  # fmt: skip
def test_the_ends_of_a_chain_are_equal(chain: str) -> None:
    assert accepted(f"$${chain}$$") == [False]


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial h_t}{\partial h_{t-1}} = (\frac{\partial h_t}{\partial h_{t-1}})^\top", r"\nabla_W L = (\nabla_W L)^\top",
        r"\frac{\partial h_t}{\partial x_t} = (\frac{\partial h_t}{\partial x_t})^\top", r"\delta_t = \delta_t^\top", r"\nabla_W L = \nabla_{W^\top} L",
    ],
)  # fmt: skip
def test_what_is_turned_is_not_itself(claim: str) -> None:
    assert accepted(f"$${claim}$$") == [False]


def test_a_derivative_by_a_transpose() -> None:
    assert [found.verdict for found in check(r"$$\nabla_{U^\top} L = \sum_{t=1}^T x_t \delta_t^\top$$", RNN)] == [
        "correct"
    ]


def test_a_name_is_not_its_transpose() -> None:
    assert accepted(r"let $M = U$. $$M = U^\top$$") == [False]
    assert accepted(r"let $v_t = h_t^\top$. $$v_t = 2 h_t$$") == [False]


def test_counting_from_zero_moves_weights_as_well() -> None:
    assert accepted(r"$$\nabla_W L = \sum_{t=0}^{T-1} \gamma^{T-1-t} \nabla_W L_t$$", WEIGHTED) == [True]
    assert accepted(r"$$\nabla_W L = \sum_{t=0}^{T-1} \gamma^{T-t} \nabla_W L_t$$", WEIGHTED) == [False]
    assert accepted(r"$$L = \sum_{t=0}^{T-1} (t+1) L_t$$", COUNTED) == [True]
    assert accepted(r"$$L = \sum_{t=0}^{T-1} t L_t$$", COUNTED) == [False]
    assert accepted(r"$$\bar h_t = \sum_{k=t}^{T-1} (\frac{\partial h_k}{\partial h_t})^\top \nabla_{h_k} L_k$$") == [
        False
    ]


@pytest.mark.parametrize(
    "note", [r"\underbrace{W^\top \delta_{t+1}}_{= 0}", r"\overset{\neq \delta_t}{W^\top \delta_{t+1}}"]
)
def test_an_equation_at_a_brace_is_not_passed_over(note: str) -> None:
    assert not all(accepted(rf"$$\bar h_t = \nabla_{{h_t}} L_t + {note}$$"))


# -- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        (r"h_1 = 0.76", True), (r"h_1 = \tanh(1)", True), (r"h_1 < 0.8", True), (r"h_1 > 0.8", False), (r"h_1 = \tanh(0.9)", False),
        (r"h_1 = \sqrt{0.6}", False), (r"h_1 = \frac{4.0}{5}", False), (r"h_1 = \tanh(0.5 \cdot 0 + 1) = 0.762", True),
    ],
)  # fmt: skip
def test_how_far_rounding_goes(claim: str, right: bool) -> None:
    assert accepted(f"{NUMBERS}$${claim}$$", SCALAR) == [right]


def test_a_zero_among_decimals_is_no_half() -> None:
    matrix = r"\begin{pmatrix}0.5&0.2\\0.3&0.4\end{pmatrix}^2 \approx "
    assert accepted(rf"$${matrix} \begin{{pmatrix}}0.31&0\\0&0.22\end{{pmatrix}}$$") == [False]
    assert accepted(rf"$${matrix} \begin{{pmatrix}}0.31&0.18\\0.27&0.22\end{{pmatrix}}$$") == [True]


def test_numbers_that_are_given_twice() -> None:
    found = check(r"$w = 0.5$, $u=1$, $h_0=0$, $x_1 = 1$, then $x_1 = 2$: $$h_1 = 0.7616$$", SCALAR)
    assert found[-1].verdict == "unsupported" and "two different numbers" in found[-1].message


# -- marks --------------------------------------------------------------------------------------------------


def points(document: str, wanted: str) -> float:
    found = checked(document, RNN, explained=False)
    (result,) = found.results(read_wanted(f"5 {wanted}", found.names))
    return float(result.points)


@pytest.mark.parametrize(
    ("answer", "earned"),
    [
        (r"$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\tanh'(z_t)) W$$", 5),
        (r"$$\frac{\partial h_t}{\partial h_{t-1}} = \frac{1}{2}\frac{\partial (2 h_t)}{\partial h_{t-1}}$$", 0),
        (r"$$\frac{\partial h_t}{\partial h_{t-1}} = \frac{\partial \tanh(z_t)}{\partial h_{t-1}}$$", 0),
        (r"$$\frac{\partial h_t}{\partial h_{t-1}} = \frac{\partial^+ h_t}{\partial h_{t-1}}$$", 0),
    ],
)  # fmt: skip
def test_rewriting_earns_nothing(answer: str, earned: float) -> None:
    assert points(answer, r"\frac{\partial h_t}{\partial h_{t-1}}") == earned


@pytest.mark.parametrize(
    "rest", [r"I, \quad k = t", r"0, \quad k > t", r"\operatorname{diag}(\tanh'(z_t)) W, \quad k = t-1"]
)
def test_some_times_are_no_answer(rest: str) -> None:
    assert points(rf"$$\frac{{\partial h_t}}{{\partial h_k}} = {rest}$$", r"\frac{\partial h_t}{\partial h_k}") == 0


def test_a_product_with_its_condition_is_an_answer() -> None:
    product = (
        r"$$\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} \operatorname{diag}(\tanh'(z_j)) W, \quad k < t$$"
    )
    assert points(product, r"\frac{\partial h_t}{\partial h_k}") == 5


def test_words_beside_a_recursion_leave_it_its_marks() -> None:
    assert points(RECURSION[:-2] + r", \quad \text{with } \delta_{T+1} = 0$$", r"\delta_t") == 5
    assert points(r"$T=2$ $$\nabla_W L = \delta_1 h_0^\top + \delta_2 h_1^\top$$", r"\nabla_W L") == 0


@pytest.mark.parametrize(
    "said",
    [
        r"$\delta_t$ is defined as $\nabla_{h_t} L$.", r"We define $\delta_t$ to be $\nabla_{h_t} L$.", r"$\delta_t$ (that is, $\nabla_{h_t} L$) obeys",
        r"The symbol $\delta_t$ represents $\nabla_{h_t} L$.", r"As usual, $\delta_t$ is the derivative of the loss by the state $h_t$.",
        r"Let $\delta_t$ be the gradient of $L$ by $z_t$ divided by $T$.", r"Let $\delta_t$ be the gradient of $2 L$ with respect to $z_t$.",
        r"Let $\delta_t$ be $\nabla_{z_t} L$ times two.", r"Here $z_t$ is $W h_{t-1} + U x_t$ without the bias.", r"Here $z_t$ is the input $x_t$.",
        r"Let $z_t$ be half of $W h_{t-1} + U x_t + b$.", r"where $z_t$ is twice the pre-activation.", r"Hier ist $z_t$ gleich $W h_{t-1} + U x_t$.",
        r"Let $z_t$ be the sum $W h_{t-1} + U x_t$.", r"Let $z_t$ denote the input $x_t$.",
    ],
)  # fmt: skip
def test_words_that_make_something_else_of_a_letter_are_heeded(said: str) -> None:
    assert accepted(f"{said} {RECURSION}") == [False]


@pytest.mark.parametrize(
    "said",
    [
        r"Note that $\delta_t$ is not $\nabla_{h_t} L$.", r"$\delta_t$ is no longer $\nabla_{h_t} L$.", r"One might think that $\delta_t$ is $\nabla_{h_t} L$.",
        r"In the linear case $\delta_t$ is $\nabla_{h_t} L$.", r"In other books $\delta_t$ is $\nabla_{h_t} L$; here it is $\nabla_{z_t} L$.",
        r"Some authors write $\delta_t$ for $\nabla_{h_t} L$, we do not.", r"Instead of $\delta_t = \nabla_{h_t} L$ we use the gradient by $z_t$.",
        r"The vector $\delta_t$ is not $\bar h_t$.", r"$\delta_t$ is $\bar h_t$ times $\tanh'(z_t)$ entry by entry.", r"For small inputs $h_t$ is $z_t$.",
        r"For ReLU, $h_t = \max(0, z_t)$ instead.", r"(Other texts: $z_t = U h_{t-1} + W x_t + b$.)",
        r"If $\delta_{t+1}$ is zero, $\delta_t$ is $\tanh'(z_t) \odot \nabla_{h_t} L_t$.",
    ],
)  # fmt: skip
def test_words_that_speak_of_others_change_nothing(said: str) -> None:
    assert accepted(f"{said} {RECURSION}") == [True]
