"""Reading and printing formulas: round trips, slips, and hostile input."""

from __future__ import annotations

import pytest

from derive.errors import AmbiguityError, BpttError, ParseError, ShapeError, UnknownNameError
from derive.notation.elaborate import read_formula
from derive.notation.parser import MAX_LENGTH, parse_lines

ROUND_TRIPS = [
    r"h_t = \sigma(W h_{t-1} + U x_t + b)",
    r"C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t",
    r"\frac{\partial L}{\partial W} = \sum_{t=0}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial h_k}{\partial W}",
    r"\prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W",
    r"W^{30} = Q \Lambda^{30} Q^{-1}",
    r"\begin{pmatrix}0.58 & 0.24\\0.24&0.72\end{pmatrix}",
    r"x^{[1]}_{(0)}",
    r"\boldsymbol{h}_t = \mathbf{W}_{hh} \boldsymbol{h}_{t-1}",
    r"\delta_t = (W^\top \delta_{t+1}) \odot \sigma'(z_t)",
    r"\left\lVert \frac{\partial h_t}{\partial h_k} \right\rVert \le \left(\gamma_\sigma \lVert W \rVert\right)^{t-k}",
    r"\begin{aligned} a_t &= b_t + c_t \\ &= c_t + b_t \end{aligned}",
    r"\frac{dL}{dW}", r"\nabla_W L", r"\partial^{+} h_k", r"W^n = Q \Lambda^n Q^{-1}", r"-e_{y_t} \cdot \log p_t",
    r"f_t = \sigma(W_f [h_{t-1}, x_t] + b_f)", r"s_i = s_{i-1} U + x_i W", r"\frac{\partial (u_2 + w_2)}{\partial w_2}",
    r"S_t = S_{t-1} + v_t k_t^\top", r"\lVert W \rVert_F^2", r"\lVert h_t - y_t \rVert^2", r"\sqrt{1 + \lvert \alpha \rvert}",
    r"\mathbf{1}^\top e_t = 1", r"\begin{pmatrix} A & 0 \\ B & I \end{pmatrix}", r"(u^\top v) w", r"a_t - (b_t - c_t)", r"-(a_t + b_t)",
    r"\overrightarrow{h}^{[1]}_t", r"\frac{1}{1 + e^{-z}}", r"\langle A, B \rangle", r"A \otimes B", r"(W h_t)^2", r"W^{-1} W^{-\top}",
    "h[t] = sigmoid(W @ h[t-1] + U @ x[t] + b)", "∂h[t]/∂h[t-1] = diag(sigma'(z[t])) @ W", "sum_{t=1}^{T} L[t]",
]  # fmt: skip


@pytest.mark.parametrize("text", ROUND_TRIPS)
def test_round_trip(text: str) -> None:
    """What is printed, in LaTeX and in plain text, reads back as the same expression."""
    first = read_formula(text)
    assert read_formula(first.latex()) == first
    assert read_formula(str(first)) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\mathbf{W}^T \boldsymbol{\delta}_{t+1}", r"W^\top\delta_{t+1}"),
        (r"\left( a_t + b_t \right)", "a_t+b_t"),
        (r"\tfrac{1}{2} x_t", r"\frac12 x_t"),
        (r"h_t \circ x_t", r"h_t \odot x_t"),
        (r"\operatorname{sigmoid}(z_t)", r"\sigma(z_t)"),
        ("W @ h[t-1]", r"W h_{t-1}"),
        (r"\displaystyle h_t \, x_t^{\mathsf{T}}", r"h_t x_t^\top"),
        (r"h_{t} \quad % a remark", "h_t"),
        (r"h_t \nabla_{h_t} L_t^\top", r"h_t (\nabla_{h_t} L_t)^\top"),
        (r"h_t \nabla_{h_t} L^T", r"h_t (\nabla_{h_t} L)^\top"),
    ],
)
def test_spellings_of_one_formula_compare_equal(one: str, other: str) -> None:
    assert read_formula(one) == read_formula(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("W h_t + x_t", "x_t + W h_t"),
        (r"h_t \odot x_t", r"x_t \odot h_t"),
        ("W_f h_t", "W_i h_t"),
        ("h_t", "h_{t-1}"),
        (r"\tilde{C}_t", "C_t"),
    ],
)
def test_order_and_labels_are_kept(one: str, other: str) -> None:
    assert read_formula(one) != read_formula(other)


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("h_t-1 + x_t", 1, 3, "{t-1}"),
        ("W^30", 1, 2, "^{30}"),
        (r"\sgima(x_t)", 1, 1, r"\sigma"),
        (r"h_t = \tanh(W h_{t-1", 1, 17, "never closed"),
        (r"h_t = \frac{a}{b", 1, 15, "never closed"),
        ("a_t + \\odot b_t", 1, 7, "unexpected"),
        ("a_t = b_t }", 1, 11, "closes nothing"),
        (r"\left( a \right]", 1, 16, "does not close"),
        ("a_t = W h_{t-1} +", 1, 18, "too early"),
        ("x_t^2^2", 1, 7, "two superscripts"),
        ("a_t\n= = b", 2, 3, "unexpected"),
        (r"\sum_{k} h_k", 1, 1, "bounds"),
        (r"\log p_t q_t", 1, 1, "parentheses"),
        (r"h_1 + \dots + h_t", 1, 7, "dots"),
        (r"\begin{align} a", 1, 1, "never closed"),
        ("a & b ! c", 1, 7, "not part"),
    ],
)
def test_errors_point_at_the_place(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(BpttError) as caught:
        read_formula(text)
    error = caught.value
    assert error.span is not None
    assert (error.span.line, error.span.column) == (line, column)
    shown = str(error)
    assert says in shown
    assert "^" in shown.splitlines()[2]
    caret = shown.splitlines()[2].index("^") - 4
    assert caret == column - 1


def test_ambiguities_are_errors() -> None:
    with pytest.raises(AmbiguityError):
        read_formula(r"\sigma z_t")
    with pytest.raises(AmbiguityError):
        read_formula(r"\tanh W h_t")


def test_shape_errors_name_both_operands() -> None:
    from derive.cell import Cell

    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)")
    with pytest.raises(ShapeError, match=r"'W' is a matrix of shape n x n, 'x_t' is a vector of size d"):
        subject.read("W x_t")


def test_unknown_names_are_errors_in_a_cell() -> None:
    from derive.cell import Cell

    with pytest.raises(UnknownNameError, match="V"):
        Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)").read("V h_t")


def test_a_hundred_parentheses_are_read() -> None:
    assert read_formula("(" * 100 + "x_t" + ")" * 100) == read_formula("x_t")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 150_000, "(" * (MAX_LENGTH + 1), "{" * 1000, r"\frac{" * 500, "-(" * 300 + "x" + ")" * 300,
        r"\input{/etc/passwd}", r"\write18{ls}",
        r"\def\x{\x\x}\x", "\x00", "x" * 100_000 + "^", "_" * 1000, r"\left" * 100, "a" + "'" * 5000 + "^2^2", "\\",
        "\\begin{", "$$$$", r"\text{",
        "_{_{_{_{", "a = b = c = ", "|" * 999, r"\|" * 501, "\u202e\u0000\ufffd", "🙂",
    ],
)  # fmt: skip
def test_hostile_input_is_one_error(text: str) -> None:
    with pytest.raises(BpttError):
        read_formula(text)


def test_lines() -> None:
    assert len(parse_lines("a_t = b_t\n\nc_t = d_t\n  + e_t\n")) == 2
    assert len(parse_lines(r"\begin{align} a &= b \\ &= c \\ d &= e \end{align}")) == 2


def test_an_empty_text_has_no_formula() -> None:
    with pytest.raises(ParseError, match="no formula"):
        read_formula("  % nothing\n")


@pytest.mark.parametrize(
    "text",
    [
        r"\sigma(z_t)'", r"\frac{\partial_+ h_t}{\partial W}", r"\partial_W L^\top",
        r"\max(W h_t)", r"\max_x(h_t)", r"\log_2(h_t)", r"\tanh^{-1}(h_t)", r"F(h_t)", r"\dot{\sigma}(h_t)",
        r"\mathcal{H}(h_t, x_t)", r"s(t)", r"W^1 h_t", r"1/2 h_t", r"\sum_{k=t}^{1} h_k",
        r"\operatorname{LayerNorm}(h_t)", r"\det(W)",
        r"\operatorname{clip}(h_t)",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(text: str) -> None:
    """Nothing is dropped, and no unknown function becomes a parameter."""
    with pytest.raises(BpttError):
        read_formula(text)


@pytest.mark.parametrize(
    "text", ["9" * 5000 + " x_t", "0." + "9" * 5000 + " x_t", "1e999999999 x_t", "x_{" + "9" * 5000 + "}"]
)
def test_numbers_beyond_all_measure_are_refused(text: str) -> None:
    """Numbers are exact, so a short text could fill the memory."""
    with pytest.raises(ParseError):
        read_formula(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"|| h_t ||^2", r"\lVert h_t \rVert^2"),
        (r"\partial L/\partial h_t \partial h_t / \partial W",
        r"\frac{\partial L}{\partial h_t} \frac{\partial h_t}{\partial W}"),
        (r"3 \cdot 10^{-5} h_t", "3e-5 h_t"), (r"\mathbf{diag}(h_t)", r"\operatorname{diag}(h_t)"),
        (r"\operatorname{Tr}(W)", r"\operatorname{tr}(W)"),
        (r"\sum_{k < t} h_k", r"\sum_{k=1}^{t-1} h_k"), (r"\prod_{k < j \le t} J_j", r"\prod_{j=k+1}^{t} J_j"),
        (r"\prod_{j=t}^{k+1} J_j", r"\prod_{j=k+1}^{t} J_j"),
        (r"h^{<t-1>} + h^{\langle t \rangle}", "h_{t-1} + h_t"), (r"\mathrm{d}h_t", r"\partial h_t"),
        (r"\max(a_t, b_t, c_t)", r"\max(\max(a_t, b_t), c_t)"),
        (r"[2 \le t \le T] h_t", r"[t \ge 2, T \ge t] h_t"), (r"[W]_{0:n, 0:2} v", r"W_{0:n, 0:2} v"),
    ],
)  # fmt: skip
def test_other_ways_to_write_the_same(one: str, other: str) -> None:
    assert read_formula(one) == read_formula(other)
    assert read_formula(read_formula(one).latex()) == read_formula(str(read_formula(one))) == read_formula(one)


def test_substitution_by_letter() -> None:
    assert read_formula("W h_{t-1}").subs("t", 3) == read_formula("W h_{t-1}").subs({"t": 3})
    assert str(read_formula("W h_{t-1}").subs("t", 3)) == "W @ h[2]"


def test_delta_is_no_differential() -> None:
    quotient = read_formula(r"\frac{\delta_t}{\delta_{t+1}}")
    assert str(quotient) == "delta[t]/delta[t+1]"
