"""Names that authors introduce: by words, by :=, by recursions, by using them elsewhere, and by options."""

from __future__ import annotations

import pytest

from derive.cell import Cell, cell
from derive.errors import UsageError
from verify.check import check

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
LSTM_LIKE = Cell.from_text("f_t = \\sigma(W h_{t-1} + U x_t)\nh_t = f_t \\odot \\tanh(V h_{t-1})")


def verdicts(text: str, subject: Cell = RNN, **options: object) -> list[str]:
    found = check(text, subject, **options)  # type: ignore[arg-type]
    return [one.evidence if one.evidence == "definition" else one.verdict for one in found]


USE = "$$\\nabla_W L = \\sum_{t=1}^{T} g_t h_{t-1}^\\top$$"
WRONG_USE = "$$\\nabla_W L = \\sum_{t=1}^{T} g_t h_t^\\top$$"


@pytest.mark.parametrize(
    "introduced",
    [
        "Let $g_t = \\delta_t$. {}",
        "{} where $g_t = \\delta_t$",
        "We define $$g_t := \\sigma'(z_t) \\odot \\bar{{h}}_t$$ {}",
        "$$g_t = \\sigma'(z_t) \\odot (\\nabla_{{h_t}} L_t + W^\\top g_{{t+1}})$$ {}",  # a recursion
        "$$g_t = \\frac{{\\partial L}}{{\\partial z_t}}^\\top$$ {}",  # used elsewhere
        "Let $e_t = g_t$ and let $g_k = \\delta_k$: {}",
        "Sei $g_{{t}} = \\delta_t$ {}",
        "Let $v_t = \\bar h_t$ and let $g_t = \\sigma'(z_t) \\odot v_t$ {}",
    ],
)
def test_names_mean_what_is_said(introduced: str) -> None:
    assert verdicts(introduced.format(USE))[-1] == "correct"
    assert verdicts(introduced.format(WRONG_USE))[-1] == "wrong"


def test_mutual_recursions_are_zero_beyond_the_end() -> None:
    text = (
        "$$v_t = \\nabla_{h_t} L_t + W^\\top g_{t+1}$$ $$g_t = \\sigma'(z_t) \\odot v_t$$"
        "$$\\nabla_{h_t} L = v_t$$ $$\\nabla_b L = \\sum_{t=1}^{T} g_t$$ $$\\nabla_b L = \\sum_{t=1}^{T} v_t$$"
    )
    assert verdicts(text) == ["definition", "definition", "correct", "correct", "wrong"]


def test_a_line_for_the_last_step() -> None:
    right = "$$g_T = \\sigma'(z_T) \\odot \\nabla_{h_T} L_T$$ $$g_t = \\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top g_{t+1})$$"
    assert verdicts(right + USE) == ["definition", "definition", "correct"]
    wrong = right.replace("\\odot \\nabla_{h_T} L_T", "\\odot h_T")
    assert verdicts(wrong + USE)[-1] == "wrong"


def test_a_recursion_forward_in_time() -> None:
    text = (
        "$$J_t = \\operatorname{diag}(\\sigma'(z_t)) W$$"
        "$$\\frac{\\partial h_t}{\\partial h_{t-1}} = J_t$$ $$\\frac{\\partial h_t}{\\partial h_k} = \\prod_{j=k+1}^{t} J_j$$"
        "$$\\frac{\\partial h_t}{\\partial h_k} = \\prod_{j=k}^{t} J_j$$"
    )
    assert verdicts(text) == ["definition", "correct", "correct", "wrong"]


def test_what_nothing_introduces_is_named() -> None:
    (found,) = check("$$\\nabla_W L = \\sum_{t=1}^{T} g_t h_{t-1}^\\top$$", RNN)
    assert found.verdict == "unreadable" and "g" in found.message
    (found,) = check("$$q_t = W h_{t-1}$$", RNN)  # used nowhere, introduced by no word
    assert found.verdict == "unreadable"


def test_a_conventional_name_keeps_its_meaning_unless_the_author_says_otherwise() -> None:
    claim = "$$\\delta_t = \\nabla_{h_t} L$$"
    assert verdicts(claim) == ["wrong"]
    assert verdicts("We define " + claim + "$$\\nabla_b L = \\sum_{t=1}^{T} \\sigma'(z_t) \\odot \\delta_t$$") == [
        "correct",
        "correct",
    ]


def test_names_of_the_cell_are_never_redefined() -> None:
    assert verdicts("Let $$h_t = W x_t$$") != ["definition"]
    assert verdicts("Let $$W = W^\\top$$") == ["wrong"]


def test_cycles_have_no_value() -> None:
    text = "Let $$g_t = e_t$$ and let $$e_t = g_t$$ $$\\nabla_W L = \\sum_{t=1}^{T} g_t h_{t-1}^\\top$$"
    assert "correct" not in verdicts(text)
    assert "correct" not in verdicts("Let $$g = g + 1$$ $$h_t = g h_t$$")[1:]


def test_derivatives_of_abbreviations() -> None:
    text = "Let $a_t = W h_{t-1}$. $$\\frac{\\partial a_t}{\\partial h_{t-1}} = W$$ $$\\frac{\\partial a_t}{\\partial h_{t-1}} = W^\\top$$"
    found = check(text, RNN)
    assert [one.verdict for one in found] == ["correct", "layout"]
    text = "Let $r_t = \\nabla_{h_t} L$. $$\\frac{\\partial r_t}{\\partial h_{t-1}} = W$$"
    assert verdicts(text) == ["unsupported"]


# -- options -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alias", [{"g_t": "\\delta_t"}, ["g_t=\\delta_t"], ["g_k = \\delta_k"]])
def test_aliases(alias: object) -> None:
    assert verdicts(USE, aliases=alias) == ["correct"]
    assert verdicts(WRONG_USE, aliases=alias) == ["wrong"]


@pytest.mark.parametrize("alias", ["g_t", "=\\delta_t", "g_t=\\nonsense", "g_t + 1=\\delta_t", "g_t="])
def test_aliases_that_are_none(alias: str) -> None:
    with pytest.raises(UsageError, match="alias"):
        check(USE, RNN, aliases=[alias])


TAGGER = Cell.from_text(
    "h_t = \\tanh(W h_{t-1} + U x_t)\np_t = \\operatorname{softmax}(V h_t)\nL = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t"
)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("\\delta_t = \\tanh'(z_t) \\odot (V^\\top (p_t - e_{y_t}) + W^\\top \\delta_{t+1})", "correct"),
        ("\\delta_t = \\tanh'(z_t) \\odot (V^\\top (p_t - e_{y_t}) + W \\delta_{t+1})", "wrong"),
        ("a_t = W h_{t-1} + U x_t", "definition"),
        ("a_t = W h_{t-1}", "wrong"),
        ("\\nabla_W L = \\sum_{t=1}^{T} \\delta_t h_{t-1}^\\top", "correct"),
        ("\\frac{\\partial h_t}{\\partial a_t} = \\operatorname{diag}(1 - \\tanh(a_t)^2)", "correct"),
    ],
)
def test_conventional_names_without_a_label_are_those_of_the_state(claim: str, expected: str) -> None:
    assert verdicts(f"$${claim}$$", TAGGER) == [expected]
    assert verdicts(f"$${claim}$$ $$\\nabla_b L = \\delta_t + a_t$$", TAGGER)[0] == expected
    assert check(claim, cell("lstm"))[0].verdict == "unreadable"  # with several gates it is nobody's


NAMED = Cell.from_text(
    "z_t = W h_{t-1} + U x_t\nh_t = \\tanh(z_t)\np_t = \\operatorname{softmax}(V h_t)\nL = -\\sum_{t=1}^{T} \\log p_{t, y_t}"
)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (r"\delta_t = \nabla_{z_t} L", "correct"),
        (r"\delta_t = p_t - e_{y_t}", "wrong"),
        (r"\delta_t = \tanh'(z_t) \odot (V^\top (p_t - e_{y_t}) + W^\top \nabla_{z_{t+1}} L)", "correct"),
        (r"\delta_t = \tanh'(z_t) \odot (V^\top p_t - W^\top e_{y_t} + W^\top \nabla_{z_{t+1}} L)", "wrong"),
        (r"\nabla_{h_t} L_t = V^\top p_t - V^\top e_{y_t}", "correct"),
        (r"\frac{\partial L_t}{\partial p_t} = -\frac{1}{p_{t, y_t}} e_{y_t}^\top", "correct"),
        (r"\frac{\partial L_t}{\partial p_t} = -\frac{1}{p_{t, y_t}} e_{y_{t-1}}^\top", "wrong"),
    ],
)
def test_an_adjoint_is_that_of_the_state_where_its_argument_has_a_name(claim: str, expected: str) -> None:
    assert verdicts(f"$${claim}$$", NAMED) == [expected]


def test_one_hot_vectors_have_the_size_of_their_label() -> None:
    (found,) = check(r"$$\nabla_{z_t} L = W^\top e_{y_t}$$", NAMED)
    assert found.verdict == "wrong"
    assert "'e_{y_t}' is a vector of size m" in found.message


GATE = Cell.from_text(
    "a_t = A h_{t-1} + U x_t\ni_t = \\sigma(a_t)\nh_t = i_t \\odot h_{t-1} + \\tanh(B x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)"
)


@pytest.mark.parametrize("name", [r"\delta^a_t", r"\delta_{a,t}", r"\delta^i_t", r"\delta_{i,t}", r"\delta_t"])
def test_the_adjoint_of_a_gate(name: str) -> None:
    """Without a label it may be that of several, and the document says which."""
    said = "$$\\delta_t = \\nabla_{a_t} L$$ " if name == r"\delta_t" else ""
    assert verdicts(f"{said}$$\\nabla_A L = \\sum_{{t=1}}^{{T}} {name} h_{{t-1}}^\\top$$", GATE)[-1] == "correct"
    assert verdicts(f"{said}$$\\nabla_B L = \\sum_{{t=1}}^{{T}} {name} x_t^\\top$$", GATE)[-1] == "wrong"


def test_nothing_with_three_indices_gets_a_name() -> None:
    text = r"Let $$g_{t+9} = W$$ $$h_t = g_{-t} a_{t+1}$$ Let $$g_t \equiv \frac{\partial g_t}{\partial h_t}$$"
    assert "correct" not in [one.verdict for one in check(text, RNN)]
