"""Verdicts on true and false formulas; the truth behind them is tested in the numeric room."""

from __future__ import annotations

import pytest

from derive import expressions as e
from derive.cell import Cell, cell
from derive.notation.elaborate import read_formula
from verify.check import check
from verify.closed import judge_closed
from verify.judge import judge
from verify.verdict import Verdict

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nL = \\sum_{t=0}^{T} L_t(h_t)")
LSTM = cell("lstm")


def verdict(subject: Cell, text: str, **options: object) -> Verdict:
    relation = subject.read(text)
    assert isinstance(relation, e.Relation)
    return judge(subject, relation, draws=3, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "text", "expected", "evidence"),
    [
        (RNN, r"h_t = \sigma(U x_t + W h_{t-1})", "correct", "definition"),
        (RNN, r"\sigma'(z_t) = h_t \odot (1 - h_t)", "correct", "proved"),
        (RNN, r"\operatorname{diag}(h_t) W = \operatorname{diag}(h_t) \cdot W", "correct", "definition"),
        (RNN, r"W^\top (h_t \odot z_t) = W^\top \operatorname{diag}(z_t) h_t", "correct", "proved"),
        (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\sigma'(z_t)) W", "correct", "proved"),
        (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = W \operatorname{diag}(\sigma'(z_t))", "wrong", "tested"),
        (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\sigma'(z_t)) W^\top", "wrong", "tested"),
        (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\sigma(z_t)) W", "wrong", "tested"),
        (RNN, r"\nabla_W L = \sum_{t=1}^{T} (\sigma'(z_t) \odot \nabla_{h_t} L) h_{t-1}^\top", "correct", "proved"),
        (RNN, r"\nabla_W L = \sum_{t=1}^{T} (\sigma'(z_t) \odot \nabla_{h_t} L_t) h_{t-1}^\top", "wrong", "tested"),
        (
            RNN,
            r"\nabla_{h_t} L = \nabla_{h_t} L_t + W^\top (\sigma'(z_{t+1}) \odot \nabla_{h_{t+1}} L)",
            "correct",
            "tested",
        ),
        (
            LSTM,
            r"\frac{\partial C_t}{\partial C_k} = \prod_{i=k+1}^{t} \frac{\partial C_i}{\partial C_{i-1}}",
            "wrong",
            "tested",
        ),
        (LSTM, r"\frac{\partial^{+} C_t}{\partial C_{t-1}} = \operatorname{diag}(f_t)", "correct", "tested"),
    ],
)
def test_verdicts(subject: Cell, text: str, expected: str, evidence: str) -> None:
    found = verdict(subject, text)
    assert (found.verdict, found.evidence) == (expected, evidence)
    if expected == "wrong":
        assert found.counterexample is not None and found.error > 1e-6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"h_t = 7 h_t = h_t", "wrong"),
        (r"h_t = \sigma(W h_{t-1} + U x_t) + 1 = \sigma(W h_{t-1} + U x_t)", "wrong"),
        (r"h_t = h_t = 1 h_t", "correct"),
        (r"\frac{h_t}{x_t^\top (x_t - x_t)} = x_t^\top x_t h_t", "unsupported"),
        (r"\log(-1 - \lVert h_t \rVert^2) = 5", "unsupported"), (r"h_t < h_t", "wrong"),
        (r"T = 4", "wrong"), (r"\nabla_W L = \sum_{t=1}^{4} \nabla_W L_t", "wrong"),
        (r"\frac{\partial^{+} h_t}{\partial h_{t-1}} = \operatorname{diag}(h_t - h_t^2) W", "correct"),
    ],
)  # fmt: skip
def test_what_is_not_decided_is_never_correct(text: str, expected: str) -> None:
    assert verdict(RNN, text).verdict == expected


def test_a_loss_from_step_one_does_not_exist_at_step_zero() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
    assert (
        verdict(
            subject, r"\nabla_{h_t} L = \nabla_{h_t} L_t + W^\top ((1 - h_{t+1}^2) \odot \nabla_{h_{t+1}} L)"
        ).verdict
        == "correct"
    )


def test_the_reading_is_named() -> None:
    text = r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial h_k}{\partial W}"
    found = verdict(RNN, text)
    assert found.verdict == "correct" and "immediate" in found.reading
    assert [(one.verdict, one.reading != "") for one in found.tried] == [
        ("wrong", False),
        ("correct", True),
    ] and found.tried[0].error > 1e-3
    outside = verdict(RNN, r"\frac{\partial^{+} h_t}{\partial h_{t-1}} = \frac{\partial h_t}{\partial h_{t-1}}")
    assert outside.verdict == "correct" and outside.reading == "" and outside.tried == ()


def test_a_scalar_case_is_judged_with_its_sizes() -> None:
    text = r"\frac{\partial h_t}{\partial h_{t-1}} = W \operatorname{diag}(\sigma'(z_t))"
    assert verdict(RNN, text).verdict == "wrong"
    assert verdict(RNN, text, sizes={"n": 1}).verdict == "correct"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            r"\begin{pmatrix} 0.58 & 0.24 \\ 0.24 & 0.72 \end{pmatrix} = \begin{pmatrix} 0.8 & -0.6 \\ 0.6 & 0.8 \end{pmatrix}"
            r"\begin{pmatrix} 0.4 & 0 \\ 0 & 0.9 \end{pmatrix} \begin{pmatrix} 0.8 & 0.6 \\ -0.6 & 0.8 \end{pmatrix}",
            "wrong",
        ),
        (r"\begin{pmatrix} 0.8 & -0.6 \\ 0.6 & 0.8 \end{pmatrix}^{-1} = \begin{pmatrix} 0.8 & 0.6 \\ -0.6 & 0.8 \end{pmatrix}", "correct"),
        (r"\begin{pmatrix} 0.9 & 0 \\ 0 & 1 \end{pmatrix}^{30} \approx \begin{pmatrix} 0.04239 & 0 \\ 0 & 1 \end{pmatrix}", "correct"),
        (r"\frac{1}{3} \approx 0.333", "correct"),
        (r"\frac{1}{3} \approx 0.334", "wrong"),
    ],
)  # fmt: skip
def test_closed_formulas_are_decided_exactly(text: str, expected: str) -> None:
    relation = read_formula(text)
    assert isinstance(relation, e.Relation)
    assert judge_closed(relation).verdict == expected


RELU = Cell.from_text("z_t = W h_{t-1} + U x_t\nh_t = \\operatorname{ReLU}(z_t)")
TANH = Cell.from_text(
    "h_t = \\tanh(W h_{t-1} + U x_t)\np_t = \\operatorname{softmax}(h_t)\nL = \\sum_{t=1}^{T} L_t(h_t)"
)
PENALTY = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t) + \\lVert W \\rVert")


@pytest.mark.parametrize(
    ("subject", "claim", "verdict"),
    [
        (RELU, r"\frac{\partial h_t}{\partial z_t} = \operatorname{diag}(\mathbb{1}_{z_t > 0})", "correct"),
        (RELU, r"\frac{\partial h_t}{\partial z_t} = \operatorname{diag}(\mathbf{1}[z_t < 0])", "wrong"),
        (TANH, r"\mathbf{1}^\top \frac{\partial p_t}{\partial h_t} = 0", "correct"),
        (TANH, r"\mathbf{1}^\top \frac{\partial h_t}{\partial h_{t-1}} = 0", "wrong"),
        (TANH, r"\nabla_{h_t} L = \nabla_{h_t} L_t + W^\top ((1 - h_{t+1}^2) \odot \nabla_{h_{t+1}} L)", "correct"),
        (TANH, r"\frac{\partial^{+} L}{\partial h_t} = \frac{\partial L}{\partial h_t}", "wrong"),
        (TANH, r"\frac{\partial^{+} L}{\partial h_t} = \frac{\partial L_t}{\partial h_t}", "correct"),
        (TANH, r"\frac{\partial h_T}{\partial h_0} = \prod_{t=0}^{T-1} \operatorname{diag}(1 - h_{T-t}^2) W", "correct"),
        (TANH, r"\prod_{k=2}^{t} W = W^{t-1}", "correct"), (TANH, r"\prod_{k=2}^{t} W = W^{t}", "wrong"),
        (PENALTY, r"\nabla_W L = \sum_{t=1}^{T} ((1 - h_t^2) \odot \nabla_{h_t} L) h_{t-1}^\top", "wrong"),
    ],
)  # fmt: skip
def test_claims_of_all_kinds(subject: Cell, claim: str, verdict: str) -> None:
    assert judge(subject, subject.read(claim)).verdict == verdict


def test_a_product_in_the_other_order_is_a_reading() -> None:
    found = judge(
        TANH, TANH.read(r"\frac{\partial h_T}{\partial h_0} = \prod_{t=0}^{T-1} \operatorname{diag}(1 - h_{T-t}^2) W")
    )
    assert "lowest index on the left" in found.reading


TREE = Cell.from_text(r"h_j = \tanh(W \sum_{k \in C(j)} h_k + U x_j)")


@pytest.mark.parametrize(
    "claim, verdict",
    [
        (r"\bar{h}_j = \nabla_{h_j} L_j + W^\top \delta_{\pi(j)}", "correct"),
        (r"\bar{h}_j = \nabla_{h_j} L_j + W \delta_{\pi(j)}", "wrong"),
        (r"\frac{\partial h_j}{\partial h_k} = \operatorname{diag}(\tanh'(z_j)) W", "correct"),
        (r"\frac{\partial h_j}{\partial h_k} = W \operatorname{diag}(\tanh'(z_j))", "wrong"),
        (
            r"\frac{\partial h_j}{\partial h_m} = \prod_{i \in P(m, j)} \operatorname{diag}(\tanh'(z_{\pi(i)})) W",
            "correct",
        ),
        (r"\frac{\partial h_j}{\partial h_m} = \prod_{i \in P(m, j)} \operatorname{diag}(\tanh'(z_i)) W", "wrong"),
        (r"\nabla_W L = \sum_{j=1}^{T} \sum_{k \in C(j)} \delta_j h_k^\top", "correct"),
        (r"\nabla_W L = \sum_{j=1}^{T} \sum_{k \in C(j)} \delta_k h_k^\top", "wrong"),
        (r"\nabla_W L = \sum_{j=1}^{T} \sum_{k \in C(j)} \delta_j h_j^\top", "wrong"),
    ],
)
def test_claims_about_trees(claim: str, verdict: str) -> None:
    assert judge(TREE, TREE.read(claim)).verdict == verdict  # type: ignore[arg-type]


PRODUCT = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} \operatorname{diag}(1 - h_j^2) W", "correct"),
        (
            r"\frac{\partial h_t}{\partial h_k} = \prod_{j=t}^{k+1} \operatorname{diag}(1 - h_j^2) W",
            "correct",
        ),
        (r"\frac{\partial h_t}{\partial h_k} = \prod_{j=t}^{k} \operatorname{diag}(1 - h_j^2) W", "wrong"),
        (r"\frac{\partial h_t}{\partial h_k} = \prod_{j=t+1}^{k+1} \operatorname{diag}(1 - h_j^2) W", "wrong"),
        (r"\frac{\partial h_t}{\partial h_k} = \prod_{j=t}^{k+1} W \operatorname{diag}(1 - h_j^2)", "wrong"),
        (r"\frac{\partial h_T}{\partial h_t} = \prod_{j=T}^{t+1} \operatorname{diag}(1 - h_j^2) W", "correct"),
        (r"\frac{\partial h_T}{\partial h_t} = \prod_{j=T}^{t} \operatorname{diag}(1 - h_j^2) W", "wrong"),
        (r"\frac{\partial h_T}{\partial h_1} = \prod_{j=T}^{2} \operatorname{diag}(1 - h_j^2) W", "correct"),
    ],
)
def test_products_that_are_written_downward(claim: str, verdict: str) -> None:
    found = judge(PRODUCT, PRODUCT.read(claim))
    assert found.verdict == verdict


UPPER = Cell.from_text("h^{(t)} = \\tanh(W^{[1]} h^{(t-1)} + U x^{(t)})\nL = \\sum_{t=1}^{T} L^{(t)}(h^{(t)})")


@pytest.mark.parametrize("transposed", [r"\top", "T", r"\intercal"])
def test_a_transpose_behind_a_time_or_a_label(transposed: str) -> None:
    right = (
        rf"\nabla_{{h^{{(t)}}}} L = \nabla_{{h^{{(t)}}}} L^{{(t)}} + W^{{[1]{transposed}}} \delta^{{(t+1)}}",
        rf"\nabla_{{W^{{[1]}}}} L = \sum_{{t=1}}^{{T}} \delta^{{(t)}} h^{{(t-1){transposed}}}",
    )
    for claim in right:
        assert judge(UPPER, UPPER.read(claim)).verdict == "correct"
        assert judge(UPPER, UPPER.read(claim.replace("(t-1)", "(t)").replace("+ W", "- W"))).verdict == "wrong"


ROWS = Cell.from_text("z_t = s_{t-1} A + x_t B\ns_t = \\tanh(z_t)\nL = \\sum_{t=1}^{T} L_t(s_t)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\delta_t = \bar s_t \odot (1 - s_t^2)", "correct"),
        (r"\delta_t = \bar s_t (1 - s_t^2)", "correct"),
        (r"\nabla_A L = \sum_{t=1}^{T} s_{t-1}^\top (\bar s_t (1 - s_t^2))", "correct"),
        (r"\delta_t = \bar s_t s_t^2", "wrong"),
    ],
)
def test_rows_side_by_side_are_multiplied_entry_by_entry_in_a_row_cell(text: str, expected: str) -> None:
    (found,) = check(f"$${text}$$", ROWS, explained=False)
    assert found.verdict == expected


BIASED = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (r"\frac{3}{3}", "correct"),
        (r"\frac{n}{n}", "correct"),
        (r"\frac{\sqrt{n}}{\sqrt{n}}", "correct"),
        ("1.00000000001", "unsupported"),
        (r"\frac{1000000000001}{1000000000000}", "unsupported"),
        (r"\sqrt{\frac{2.000000000002}{2}}", "unsupported"),
        (r"(1 - \tanh(1) + 0.76159415595576)", "unsupported"),
        ("1.0001", "wrong"),
        ("[n > 1]", "wrong"),
        ("[n < 6]", "wrong"),
        ("[T > 4]", "wrong"),
        ("[n < 30]", "unsupported"),
        ("(1 + (n-2)(n-3)(n-4)(n-5))", "wrong"),
        ("(1 + n^4 - 14n^3 + 71n^2 - 154n + 120)", "wrong"),  # the same, multiplied out
    ],
)
def test_factors_that_are_nearly_or_mostly_one(factor: str, expected: str) -> None:
    (found,) = check(rf"$$\nabla_b L = {factor} \sum_{{t=1}}^{{T}} \delta_t$$", BIASED, explained=False)
    assert found.verdict == expected, found.message
