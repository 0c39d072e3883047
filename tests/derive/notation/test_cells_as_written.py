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
