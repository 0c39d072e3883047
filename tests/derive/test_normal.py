"""The canonical index form: equal formulas are proved equal, different ones never."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive import expressions as e
from derive.cell import Cell
from derive.normal import equal
from numeric.draws import draw, run_of

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
LSTM = Cell.from_text(
    r"""f_t = \sigma(W_f h_{t-1} + U_f x_t)
    i_t = \sigma(W_i h_{t-1} + U_i x_t)
    C_t = f_t \odot C_{t-1} + i_t
    h_t = \tanh(C_t)"""
)
DOUBLE = r"\frac{\partial L_t}{\partial h_t}\frac{\partial h_t}{\partial h_k}\frac{\partial^{+} h_k}{\partial W}"

SIZES = Cell.from_text(
    "a_t = \\tanh(A a_{t-1} + B b_t)\ng_t = \\tanh(a_t)\nd_t = \\tanh(g_t)\nf_t = \\tanh(b_t)\nc_t = \\tanh(f_t)\n\\gamma \\in \\mathbb{R}\n"
    "q_t = \\gamma a_t\nb_t \\in \\mathbb{R}^m"
)
"""a, g, d of one size, b, c, f of another, and a number γ."""

EQUAL = [
    (SIZES, r"[\operatorname{diag}([a_t; b_t])]_{0:n, n:n+m} b_t", r"0 \odot a_t"),
    (SIZES, r"\max(a_t, g_{t-1})", r"\max(g_{t-1}, a_t)"),
    (SIZES, r"(((a_t^\top a_t) a_t)^2)^2 + g_t", r"g_t + (a_t^\top a_t)^4 a_t^4"),
    (SIZES, r"\sum_{i=1}^{T} \sigma(a_i - g_i)", r"\sum_{i=1}^{T} (1 - \sigma(g_i - a_i))"),
    (SIZES, r"\sum_{k=1}^{T} k a_k", r"\sum_{j=1}^{T} j a_j"),
    (SIZES, r"\sum_{k=1}^{t} \gamma^{t-k} a_k", r"\sum_{j=1}^{t} \gamma^{t-j} a_j"),
    (SIZES, r"\sum_{k=1}^{t} A^{t-k} B b_k", r"\sum_{j=0}^{t-1} A^{t-j-1} B b_{j+1}"),
    (SIZES, r"[a_t; b_t]^\top [d_t; c_t]", r"a_t^\top d_t + b_t^\top c_t"),
    (SIZES, r"\sum_{k=1}^{3} k a_k", r"a_1 + 2 a_2 + 3 a_3"),
    (SIZES, r"\sum_{k=1}^{T} a_t", r"T a_t"),
    (SIZES, r"\sum_{s=1}^{T} \sum_{k=1}^{T} a_s", r"T \sum_{s=1}^{T} a_s"),
    (SIZES, r"\sigma(g_t - a_t)", r"1 - \sigma(a_t - g_t)"),
    (SIZES, r"\tanh(\gamma g_t - a_t) + \tanh(a_t - \gamma g_t)", r"0 \odot a_t"),
    (SIZES, r"\tanh'(g_t - a_t)", r"\tanh'(a_t - g_t)"),
    (SIZES, r"\sigma''(-a_t)", r"-\sigma''(a_t)"),
    (SIZES, r"(A^{-1})^\top a_t", r"(A^\top)^{-1} a_t"),
    (RNN, r"\operatorname{diag}(\sigma'(z_t)) W", r"\operatorname{diag}(\sigma(z_t)\odot(1-\sigma(z_t))) W"),
    (RNN, r"W^\top (\sigma'(z_t) \odot h_t)", r"W^\top \operatorname{diag}(h_t) \sigma'(z_t)"),
    (RNN, r"\sigma(W h_{t-1} + U x_t)", r"\sigma(U x_t + W h_{t-1})"),
    (RNN, rf"\sum_{{t=1}}^{{T}}\sum_{{k=1}}^{{t}} {DOUBLE}", rf"\sum_{{k=1}}^{{T}}\sum_{{t=k}}^{{T}} {DOUBLE}"),
    (RNN, r"\sum_{t=1}^{T} W h_{t-1}", r"W \sum_{s=0}^{T-1} h_s"),
    (
        RNN,
        r"\prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W",
        r"\prod_{i=k}^{t-1} \operatorname{diag}(\sigma'(z_{i+1})) W",
    ),
    (
        RNN,
        r"\prod_{j=1}^{2} \operatorname{diag}(\sigma'(z_j)) W",
        r"\operatorname{diag}(\sigma'(z_2)) W \operatorname{diag}(\sigma'(z_1)) W",
    ),
    (RNN, r"\sum_{t=1}^{3} h_t h_t^\top", r"h_3 h_3^\top + h_2 h_2^\top + h_1 h_1^\top"),
    (RNN, r"h_t^\top W h_t", r"h_t^\top W^\top h_t"),
    (RNN, r"(h_t + h_{t-1})^2", r"h_t^2 + 2 h_t \odot h_{t-1} + h_{t-1}^2"),
    (RNN, r"\operatorname{tr}(W W^\top W)", r"\operatorname{tr}(W^\top W W^\top)"),
    (RNN, r"\lVert h_t \rVert^2", r"h_t^\top h_t"),
    (RNN, r"\sum_{t=1}^{T}\sigma(h_t+h_{t-1})", r"\sum_{s=0}^{T-1}\sigma(h_{s+1}+h_s)"),
    (RNN, r"\mathbf{1}^\top (h_t \odot h_t)", r"h_t^\top h_t"),
    (LSTM, r"\tanh'(C_t)", r"1 - \tanh(C_t)^2"),
    (LSTM, r"\begin{pmatrix} W_f & W_i \end{pmatrix}\begin{pmatrix} C_t \\ h_t\end{pmatrix}", r"W_i h_t + W_f C_t"),
    (
        LSTM,
        r"\begin{pmatrix} W_f & 0 \\ 0 & W_i \end{pmatrix}^\top\begin{pmatrix} C_t \\ h_t\end{pmatrix}",
        r"\begin{pmatrix} W_f^\top C_t \\ W_i^\top h_t\end{pmatrix}",
    ),
    (SIZES, r"\operatorname{diag}(a_t^\top a_t) A", r"(a_t^\top a_t) A"),
]

PARTS = Cell.from_text(
    "h_t = \\tanh(M h_{t-1} + v)\nh_t \\in \\mathbb{R}^{2n}\nx_t = \\tanh([h_t]_{0:n})\nz_t = \\tanh(h_t)\nv \\in \\mathbb{R}^{2n}"
)

DIFFERENT = [
    (PARTS, r"\max(h_t, z_{t-1})", r"\max(z_t, h_{t-1})"),
    (PARTS, r"\lVert v \rVert", r"\lVert [v]_{0:n} \rVert"),
    (PARTS, r"\lVert M \rVert_F", r"\lVert [M]_{0:n, 0:n} \rVert_F"),
    (PARTS, r"[\operatorname{softmax}(v)]_{0:n}", r"\operatorname{softmax}([v]_{0:n})"),
    (PARTS, r"[M^{-1}]_{0:n, 0:n} x_t", r"([M]_{0:n, 0:n})^{-1} x_t"),
    (PARTS, r"[M^9]_{0:n, 0:n} x_t", r"([M]_{0:n, 0:n})^9 x_t"),
    (PARTS, r"[\operatorname{diag}(v)]_{0:n, n:2n} [v]_{n:2n}", r"[v]_{0:n} \odot [v]_{0:n}"),
    (
        PARTS,
        r"\sum_{i=1}^{T} \sum_{j=1}^{T} \sigma(h_i - h_j) \odot h_i",
        r"\sum_{i=1}^{T} \sum_{j=1}^{T} \sigma(h_j - h_i) \odot h_i",
    ),
    (
        PARTS,
        r"\sum_{t=1}^{T} \sigma(\sum_{k=1}^{T} h_k \odot z_t)",
        r"\sum_{t=1}^{T} \sigma(\sum_{k=1}^{T} h_t \odot z_k)",
    ),
    (SIZES, r"\sum_{k=1}^{t} a_t", r"t a_t"),
    (SIZES, r"\sum_{k=1}^{T} k a_t", r"T a_t"),
    (SIZES, r"\sum_{s=1}^{T} \sum_{k=1}^{s} a_t", r"T^2 a_t"),
    (SIZES, r"\sigma(g_t - a_t)", r"-\sigma(a_t - g_t)"),
    (SIZES, r"\exp(-a_t)", r"-\exp(a_t)"),
    (SIZES, r"[a_t; b_t]^\top [c_t; d_t]", "0"),
    (SIZES, r"[a_t; b_t] \odot [c_t; d_t]", r"[a_t; b_t] \odot [f_t; g_t]"),
    (SIZES, r"[[a_t; b_t]; c_t]", r"[[g_t; f_t]; c_t]"),
    (SIZES, r"[a_t; [b_t; c_t]]", r"[a_t; [c_t; b_t]]"),
    (SIZES, r"\sum_{s=1}^{T}\sum_{t=1}^{T}\tanh(t a_t)", r"\sum_{s=1}^{T}\sum_{t=1}^{T}\tanh(t a_s)"),
    (SIZES, r"\sum_{k=1}^T\sum_{j=1}^T \gamma^k a_k", r"\sum_{k=1}^T\sum_{j=1}^T \gamma^k a_j"),
    (SIZES, r"\sum_{j=1}^T\sum_{k=j}^{T}\gamma^k a_k", r"\sum_{k=1}^T\sum_{j=k}^{T}\gamma^k a_j"),
    (SIZES, r"\sum_{j=1}^T\sum_{k=j}^T\gamma^k", r"\sum_{k=1}^T\sum_{j=k}^T\gamma^k"),
    (SIZES, r"\sum_{k=1}^{T} k a_k", r"\sum_{k=1}^{T} (k+1) a_k"),
    (RNN, r"\operatorname{diag}(\sigma'(z_t)) W", r"W \operatorname{diag}(\sigma'(z_t))"),
    (RNN, r"\sigma(W h_{t-1} + U x_t)", r"\sigma(W h_t + U x_{t-1})"),
    (RNN, rf"\sum_{{t=1}}^{{T}}\sum_{{k=1}}^{{t}} {DOUBLE}", rf"\sum_{{k=1}}^{{T}}\sum_{{t=k+1}}^{{T}} {DOUBLE}"),
    (RNN, r"h_t^\top W h_{t-1}", r"h_t^\top W^\top h_{t-1}"),
    (RNN, r"\sum_{t=1}^{T} h_t", r"\sum_{t=0}^{T} h_t"),
    (RNN, r"\sum_{t=1}^{T} h_t", r"\sum_{t=1}^{T} h_{t-1}"),
    (RNN, r"W W^\top", r"W^\top W"),
    (
        RNN,
        r"\prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W",
        r"\prod_{j=k}^{t} \operatorname{diag}(\sigma'(z_j)) W",
    ),
    (
        RNN,
        r"\prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W",
        r"\prod_{j=k+1}^{t} W \operatorname{diag}(\sigma'(z_j))",
    ),
    (RNN, r"\sigma(h_t) + \sigma(h_{t-1})", r"2 \sigma(h_t)"),
    (RNN, r"\frac{\partial h_t}{\partial h_k}", r"\frac{\partial h_k}{\partial h_t}"),
    (RNN, r"\frac{\partial h_t}{\partial h_k}", r"\frac{\partial^{+} h_t}{\partial h_k}"),
    (LSTM, r"\begin{pmatrix} C_t \\ h_t\end{pmatrix}", r"\begin{pmatrix} h_t \\ C_t\end{pmatrix}"),
    (LSTM, r"\sigma(C_t \odot h_t)", r"\sigma(C_t) \odot \sigma(h_t)"),
]


@pytest.mark.parametrize(("subject", "a", "b"), EQUAL, ids=range(len(EQUAL)))
def test_proved(subject: Cell, a: str, b: str) -> None:
    assert equal(subject.read(a), subject.read(b))


@pytest.mark.parametrize(("subject", "a", "b"), DIFFERENT, ids=range(len(DIFFERENT)))
def test_not_proved(subject: Cell, a: str, b: str) -> None:
    assert not equal(subject.read(a), subject.read(b))


# -- random formulas: what is called equal is equal in numbers -------------------------------------


@st.composite
def formulas(draw_: st.DrawFn, depth: int = 3) -> str:
    """A vector of size n about the RNN."""
    if depth == 0:
        return draw_(st.sampled_from(["h_2", "h_1", "z_2", "z_1", "h_3"]))
    below = formulas(depth - 1)
    a, b = f"({draw_(below)})", f"({draw_(below)})"
    return draw_(
        st.sampled_from(
            [
                f"W {a}", f"W^\\top {a}", f"{a} \\odot {b}", f"{a} + {b}", f"{a} - {b}", f"\\sigma'{a}", f"\\tanh{a}", f"{a}^2",
                f"\\operatorname{{diag}}{a} {b}", f"({a}^\\top {b}) {a}", f"\\sum_{{t=1}}^{{3}} {a} \\odot h_t", f"2 {a}",
                f"\\operatorname{{diag}}(W) \\odot {a}",
            ]
        )
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(formulas(), formulas(), st.integers(0, 3))
def test_equal_forms_have_equal_values(a: str, b: str, seed: int) -> None:
    """Soundness: a claim of equality between two random formulas, or rearrangements of one, is never false in numbers."""
    drawn = draw(RNN, seed, length=3, scale=0.5)
    run = run_of(RNN, drawn)
    left, right = RNN.read(a), RNN.read(b)
    swapped = RNN.read(f"({b}) + ({a})")
    joined = RNN.read(f"({a}) + ({b})")
    assert equal(joined, swapped)
    if equal(left, right):
        np.testing.assert_allclose(run.evaluator()(left), run.evaluator()(right), rtol=1e-9, atol=1e-12)
    difference = e.Plus(joined, e.Neg(swapped))
    assert equal(difference, e.make.zero(difference.shape))
