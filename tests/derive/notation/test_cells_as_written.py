"""Cells as books and papers write them: other letters, other places for the time, labelled functions; and slips that
must not pass.
"""

from __future__ import annotations

import pytest

from derive.cell import Cell
from derive.errors import AmbiguityError, BpttError, ShapeError
from numeric.validate import validate_gradients

ENCYCLOPEDIA = r"""
f_t = \sigma_g(W_f x_t + U_f h_{t-1} + b_f)
i_t = \sigma_g(W_i x_t + U_i h_{t-1} + b_i)
o_t = \sigma_g(W_o x_t + U_o h_{t-1} + b_o)
\tilde{c}_t = \sigma_c(W_c x_t + U_c h_{t-1} + b_c)
c_t = f_t \odot c_{t-1} + i_t \odot \tilde{c}_t
h_t = o_t \odot \sigma_h(c_t)
"""

COURSE = r"""
a^{<t>} = g(W_{aa} a^{<t-1>} + W_{ax} x^{<t>} + b_a)
\hat{y}^{<t>} = \operatorname{softmax}(W_{ya} a^{<t>} + b_y)
L = -\sum_{t=1}^{T} \log [\hat{y}^{<t>}]_{y^{<t>}}
"""

CALLS = r"""
h(t) = \tanh(W h(t-1) + U x(t) + b)
y(t) = V h(t)
L = \sum_{t=1}^{T} \lVert y(t) - d(t) \rVert^2
"""

SUPERSCRIPTS = r"h^t = \tanh(W h^{t-1} + U x^t + b) + x^{t \top} x^t h^{t-1}"

CONTINUOUS = r"h_t = h_{t-1} + \frac{\Delta t}{\tau} (-h_{t-1} + \tanh(W h_{t-1} + U x_t)) \quad (3.1)"

ATTENTION = r"""
h_t = \tanh(W h_{t-1} + U x_t)
\alpha_t = \sigma(v^\top h_t)
c_t = (1 - \alpha_t) c_{t-1} + \alpha_t h_t
"""

MATRIX_MEMORY = r"""
C_t = f_t C_{t-1} + i_t v_t k_t^\top
v_t = W_v x_t
k_t = W_k x_t
f_t = \sigma(w_f^\top x_t)
i_t = \exp(w_i^\top x_t)
h_t = C_t W_q x_t
"""

NORMALISED = r"""
r_t = \frac{h_{t-1}}{\sqrt{\operatorname{mean}(h_{t-1}^2) + \epsilon}}
h_t = \max(W r_t + U x_t, 0.1 \, (W r_t + U x_t))
"""


@pytest.mark.parametrize(
    "text", [ENCYCLOPEDIA, COURSE, CALLS, SUPERSCRIPTS, CONTINUOUS, ATTENTION, MATRIX_MEMORY, NORMALISED]
)
def test_gradients_of_cells_as_written(text: str) -> None:
    validate_gradients(Cell.from_text(text), draws=5)


@pytest.mark.parametrize("text", [CALLS, SUPERSCRIPTS])
def test_formulas_about_a_cell_use_its_way_to_write_times(text: str) -> None:
    subject = Cell.from_text(text)
    written = {CALLS: "W h(t-1) + b", SUPERSCRIPTS: "W h^{t-1} + b"}[text]
    assert subject.read(written) == subject.read("W h_{t-1} + b")


def test_a_starting_value_with_parameters_of_its_own() -> None:
    subject = Cell.from_text("h_0 = \\tanh(V c)\nh_t = \\tanh(W h_{t-1} + U x_t)")
    assert subject.parameters == ("W", "U", "V", "c")
    validate_gradients(subject, draws=5)


@pytest.mark.parametrize(
    "text",
    [
        "z_t = \\sigma(W_z x_t + U_z h_{t-1})\nh_t = (1 - z_t) h_{t-1} + z_t x_t",
        "f_t = \\sigma(W_f x_t + U_f h_{t-1})\nC_t = f_t C_{t-1} + W x_t\nh_t = \\tanh(C_t)",
        "h_t = \\sigma(W h_{t-1})(1 - \\sigma(W h_{t-1})) + x_t", "h_t = m_t h_{t-1} + \\tanh(W x_t)",
        "h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\phi(h_T)",
        "h_t = \\sigma(h_{t-1}) (1 - \\sigma(h_{t-1}))", "h_t = r h_{t-1} (1 - h_{t-1})",
        "f_t = \\sigma(U h_{t-1})\nh_t = f_t h_{t-1}", "f_t = \\sigma(z_t)\nh_t = f_t h_{t-1} + (1 - f_t) z_t",
        "x_t = \\lambda x_{t-1} (1 - x_{t-1}) + u_t", "d_t = \\exp(-a_t)\nh_t = d_t h_{t-1} + x_t",
        "f_t = \\sigma(W x_t)\nh_t = f_t \\times h_{t-1} + x_t", "f_t = \\sigma(W x_t)\nh_t = f_t \\cdot h_{t-1} + x_t",
    ],
)  # fmt: skip
def test_a_missing_elementwise_sign_is_no_number(text: str) -> None:
    """Without ⊙ the product conforms only if a gate is a single number: nobody is asked for that silently."""
    with pytest.raises((ShapeError, AmbiguityError)):
        Cell.from_text(text)


@pytest.mark.parametrize(
    "ending",
    [
        r", t = 1, \dots, T",
        r", \quad t = 1, 2, \ldots, T",
        r"\quad \text{for } t = 1, \dots, T",
        r", \qquad 1 \le t \le T",
        r", \quad t \ge 1",
        r"\qquad (4)",
    ],
)
def test_the_times_of_an_equation_may_be_said(ending: str) -> None:
    subject = Cell.from_text(f"h_t = \\tanh(W h_{{t-1}} + U x_t){ending}\ny_t = V h_t{ending}")
    assert subject.read("V h_t") == subject.definitions["y"].rhs
    assert (subject.inputs, subject.parameters) == (("x",), ("W", "U", "V"))


def test_numbers_that_are_declared_multiply() -> None:
    subject = Cell.from_text(
        "z_t = \\sigma(W_z x_t + U_z h_{t-1})\nh_t = (1 - z_t) h_{t-1} + z_t V x_t\nz_t \\in \\mathbb{R}"
    )
    assert subject.shapes["z"] == (1, 1)
    validate_gradients(subject, draws=3)


@pytest.mark.parametrize(
    "text",
    [
        "h_t = W_hh h_{t-1}",
        "h_t = \\tanh(F(h_{t-1}))",
        "h_t = \\tanh(W^1 h_{t-1} + W^2 x_t)",
        "h_t = 1/2 h_{t-1} + x_t",
    ],
)
def test_slips_are_told(text: str) -> None:
    with pytest.raises(BpttError) as caught:
        Cell.from_text(text)
    assert caught.value.span is not None


STABILISED = r"""
q_t = W_q x_t, k_t = W_k x_t, v_t = W_v x_t
\tilde{i}_t = w_i^\top x_t + b_i
\tilde{f}_t = w_f^\top x_t + b_f
m_t = \max(\tilde{f}_t + m_{t-1}, \tilde{i}_t)
i_t = \exp(\tilde{i}_t - m_t), f_t = \exp(\tilde{f}_t + m_{t-1} - m_t)
C_t = f_t C_{t-1} + i_t v_t k_t^\top
n_t = f_t n_{t-1} + i_t k_t
h_t = \sigma(W_o x_t) \odot \frac{C_t q_t}{\max(|n_t^\top q_t|, 1)}
"""


def test_numbers_that_are_made_of_numbers_need_no_declaration() -> None:
    """Seven quantities and two biases are numbers here, because they are made of inner products."""
    shapes = Cell.from_text(STABILISED).shapes
    assert all(shapes[key] == (1, 1) for key in ("i_tilde", "f_tilde", "m", "i", "f", "b_i", "b_f"))
    assert all(1 not in (shapes[key][0], *shapes["C"]) for key in ("n", "q", "h"))
    validate_gradients(Cell.from_text(STABILISED), draws=3)


def test_a_product_that_conforms_with_matrices_needs_none_declared() -> None:
    """W_t is an input that multiplies h from the left; S_t is made by an outer product."""
    assert 1 not in Cell.from_text("h_t = \\tanh(W_t h_{t-1} + x_t)").shapes["W"]
    assert 1 not in Cell.from_text("s_t = \\lambda s_{t-1} + x_t y_t^\\top").shapes["s"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"h^{l}_t = \tanh(W h^{l}_{t-1} + U h^{l-1}_{t})", "indexed by l"),
        ("h_1 = \\tanh(U x_1)\nh_t = \\tanh(W h_{t-1} + U x_t)", "a step of its own"),
        ("h_0 = h_T\nh_t = \\tanh(W h_{t-1})", "which is computed from it"),
        (r"h_t = h_{t-1} - \eta \nabla_{h_{t-1}} L", "a derivative inside a cell"),
        (r"h_t = \frac{d x_t}{d y_t} + h_{t-1}", "a derivative inside a cell"),
        (r"y_t = x_t' \beta + \rho y_{t-1}", "the prime may mean"),
        (r"h_t = \operatorname{softmax}((W h_{t-1} + x_t) / T)", "T is the length"),
        ("h_t = h_{t-1} + T x_t\nT \\in \\mathbb{R}", "T is the length"),
        ("s_i = \\tanh(s_{i-1} U + x_i W)\nL = \\sum_{i=1}^{T} y_i^\\top \\log(s_i)", "a scalar and a matrix"),
    ],
)
def test_what_was_once_read_as_something_else(text: str, found: str) -> None:
    with pytest.raises(BpttError, match=found) as caught:
        Cell.from_text(text)
    assert caught.value.span is not None


def test_the_length_may_be_a_number_where_it_is_said_so() -> None:
    validate_gradients(Cell.from_text("h_t = h_{t-1} + \\frac{1}{T} W x_t\nT \\in \\mathbb{N}"), draws=3)
    validate_gradients(Cell.from_text("h_t = h_{t-1} + \\frac{t}{T} W x_t"), draws=3)


SHAPES = {
    "h_t = A h_{t-1} + B x_t": {"h": "n", "A": "n n", "B": "n d"},
    "y_t = a y_{t-1} + w^\\top x_t": {"y": "", "a": "", "w": "d"},
    "g_t = \\sigma(w^\\top x_t + u g_{t-1} + b)": {"g": "", "u": "", "b": ""},
    "h_t = \\tanh(W h_{t-1} + U x_t)\nx_t \\in \\mathbb{R}": {"h": "n", "U": "n", "x": ""},
    "x_t = A x_{t-1} + B u_t\ny_t = C x_t\nu_t \\in \\mathbb{R}": {"x": "n", "B": "n", "C": "m n", "y": "m"},
    "g_t = \\sigma(w^\\top h_{t-1} + b)\nh_t = \\tanh(W h_{t-1} + U g_t)": {"g": "", "w": "n", "b": "", "U": "n"},
    "h_t = \\tanh(W h_{t-1} + V y_{t-1})\ny_t = c^\\top h_t": {"y": "", "c": "n", "V": "n"},
    "h_t = \\tanh(\\mathcal{W} h_{t-1} + \\mathcal{U} x_t)": {"calW": "n n", "calU": "n d"},
    "s_t = \\frac{q_t^\\top k_t}{\\sqrt{D}}\nh_t = s_t h_{t-1} + x_t": {"s": "", "D": "", "h": "n"},
    "v_t = v_{t-1} + \\frac{1}{C} (I_t - v_{t-1})": {"v": "n", "C": ""},
    "h_t = \\lambda \\odot h_{t-1} + B x_t": {"lambda": "n"},
    "h_t = \\operatorname{diag}(\\lambda) h_{t-1} + B x_t": {"lambda": "n"},
    "h_t = \\gamma \\odot (W h_{t-1} + x_t) + \\beta": {"gamma": "n", "beta": "n"},
    "X_t = X_{t-1} (2 I - A X_{t-1})": {"X": "n n_2", "A": "n_2 n"},
    "e_t = d_t - w_{t-1}^\\top x_t\nw_t = w_{t-1} + \\mu e_t x_t": {"e": "", "d": "", "w": "n", "mu": ""},
    "x_{k+1} = A x_k + B u_k\ny_k = C x_k": {"x": "n", "y": "m"},
    "S_t = \\gamma S_{t-1} + k_t^\\top v_t\no_t = q_t S_t\nS_t \\in \\mathbb{R}^{n \\times m}": {
        "S": "n m",
        "k": "n",
        "v": "m",
    },
}


@pytest.mark.parametrize("text", SHAPES)
def test_shapes_that_every_reader_sees(text: str) -> None:
    subject = Cell.from_text(text)
    for key, sizes in SHAPES[text].items():
        assert [str(size) for size in subject.shapes[key] if size != 1] == sizes.split(), key
    validate_gradients(subject, draws=3)
    assert Cell.from_text(str(subject)) == subject


def test_what_columns_and_rows_read_differently_is_asked() -> None:
    with pytest.raises(AmbiguityError, match="a matrix if they are rows"):
        Cell.from_text("S_t = S_{t-1} + K_t^\\top V_t\nO_t = Q_t S_t")
    for text in ("S_t = S_{t-1} A + v_t k_t^\\top", "S_t = \\alpha S_{t-1} A - v_t k_t^\\top\no_t = S_t q_t"):
        with pytest.raises(AmbiguityError, match="a matrix if they are columns"):
            Cell.from_text(text)
        for sizes, shape in (("n \\times m", ["n", "m"]), ("n", ["1", "n"])):
            if "q_t" not in text or sizes != "n":
                declared = Cell.from_text(f"{text}\nS_t \\in \\mathbb{{R}}^{{{sizes}}}")
                assert [str(size) for size in declared.shapes["S"]] == shape
    with pytest.raises(AmbiguityError, match="elementwise, the outer or the Kronecker"):
        Cell.from_text("h_t = z_t \\otimes h_{t-1} + x_t")


def test_a_sum_of_what_does_not_vary_counts_every_term() -> None:
    validate_gradients(Cell.from_text("m_t = \\frac{\\sum_{k=1}^{2} A}{2} m_{t-1} + x_t"), draws=3)


def test_a_vector_ends_where_its_last_slice_does() -> None:
    text = "a_t = W x_t + U h_{t-1} + b\ni_t = \\sigma([a_t]_{0:n})\ng_t = \\tanh([a_t]_{n:2n})\nh_t = h_{t-1} + i_t \\odot g_t"
    assert str(Cell.from_text(text).shapes["a"][0]) == "2*n"
    validate_gradients(Cell.from_text(text), draws=3)
    with pytest.raises(ShapeError, match="ends at"):
        Cell.from_text(text + "\na_t \\in \\mathbb{R}^{n}")


def test_an_objective_by_another_letter_sums_its_parts() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1})\nE_t = \\lVert h_t - y_t \\rVert^2\nE = \\sum_{t=1}^{T} E_t")
    assert subject.loss_name == "E"
    validate_gradients(subject, draws=3)


def test_labels_may_have_accents() -> None:
    text = "\\tilde h_t = \\tanh(W_{\\tilde h} h_{t-1} + U_{\\tilde h} x_t + b^{\\hat h})\nh_t = \\sigma(W_h \\tilde h_t + b_h)"
    cell = Cell.from_text(text)
    assert Cell.from_text(str(cell)).parameters == cell.parameters and len(cell.parameters) == 5
    assert r"W_{\tilde{h}}" in cell.gradient(r"W_{\tilde h}").latex() and "W_h" in cell.gradient("W_h").latex()
    assert cell.gradient("W_h_tilde").latex() == cell.gradient(r"W_{\tilde h}").latex()
    validate_gradients(cell, draws=2)


def test_a_capital_before_a_state_is_a_matrix_in_a_denominator_too() -> None:
    gate = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\ny_t = \\frac{h_t}{1 + \\exp(V h_t)}")
    assert [str(size) for size in gate.shapes["V"]] == ["n", "n"]
    score = Cell.from_text("s_t = \\frac{q_t^\\top k_t}{\\sqrt{D}}\nh_t = \\tanh(W h_{t-1} + s_t x_t)")
    assert [str(size) for size in score.shapes["D"]] == ["1", "1"]
