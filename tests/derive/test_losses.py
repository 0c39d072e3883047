"""Losses: outputs that are read by their logarithms, softmax and sigmoid with cross entropy; sums within losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from derive.cell import Cell
from derive.errors import ParseError
from numeric.adjoints import AdjointPass
from numeric.draws import draw, run_of
from numeric.validate import validate_derivation, validate_gradients, validate_hessian_vector

STATE = "h_t = \\tanh(W h_{t-1} + U x_t)\n"
SOFTMAX = STATE + "p_t = \\operatorname{softmax}(V h_t + c)\n"
SIGMOID = STATE + "p_t = \\sigma(V h_t + c)\n"


def _passed(text: str) -> dict[str, str]:
    return {str(step.lhs): str(step.rhs) for step in Cell.from_text(text).gradients().steps}


@pytest.mark.parametrize(
    "text, adjoint, passed",
    [
        (SOFTMAX + r"L = -\sum_{t=1}^{T} e_{y_t}^\top \log p_t", "delta^{p}[t]", "p[t] - e_{y[t]}"),
        (SOFTMAX + r"L = -\sum_{t=1}^{T} \log [p_t]_{y_t}", "delta^{p}[t]", "p[t] - e_{y[t]}"),
        (SOFTMAX + r"L = -\sum_{t=1}^{T} \log p_{t, y_t}", "delta^{p}[t]", "p[t] - e_{y[t]}"),
        (SOFTMAX + r"L = -\frac{1}{T} \sum_{t=1}^{T} e_{y_t}^\top \log p_t", "delta^{p}[t]", "(1/T) * (p[t] - e_{y[t]})"),
        (SOFTMAX + r"L = -\sum_{t=1}^{T} y_t^\top \log p_t", "delta^{p}[t]", "(ones.T @ y[t]) * p[t] - y[t]"),
        (SOFTMAX + "L = -\\sum_{t=1}^{T} y_t^\\top \\log p_t\n\\mathbf{1}^\\top y_t = 1", "delta^{p}[t]", "p[t] - y[t]"),
        (SOFTMAX + r"L = -y_T^\top \log p_T + \lambda \lVert W \rVert_F^2", "delta^{p}[T]", "(ones.T @ y_T) * p[T] - y_T"),
        (SIGMOID + r"L = -\sum_{t=1}^{T} (y_t^\top \log p_t + (1 - y_t)^\top \log(1 - p_t))", "delta^{p}[t]", "p[t] - y[t]"),
        (STATE + "p = \\operatorname{softmax}(V h_T)\nL = -e_y^\\top \\log p\n\\mathbf{1}^\\top e_y = 1", "delta^{p}", "p - e_y"),
    ],
)  # fmt: skip
def test_what_is_passed_back_is_p_minus_y(text: str, adjoint: str, passed: str) -> None:
    assert _passed(text)[adjoint] == passed
    validate_gradients(Cell.from_text(text), draws=5)


@pytest.mark.parametrize(
    "text",
    [
        SOFTMAX + r"L = -\sum_{t=1}^{T} (e_{y_t}^\top \log p_t + \lambda p_t^\top \log p_t)",
        SOFTMAX + "q_t = A p_t\n" + r"L = -\sum_{t=1}^{T} (e_{y_t}^\top \log p_t + \lVert q_t \rVert^2)",
        SOFTMAX + r"L = -\sum_{t=2}^{T} e_{y_t}^\top \log p_t",
        SOFTMAX + r"L = -\sum_{t=2}^{T} e_{y_t}^\top \log p_{t-1}",
        SIGMOID + r"L = -\sum_{t=1}^{T} (y_t^\top \log p_t + (1 - y_t)^\top \log(2 - p_t))",
        SIGMOID + r"L = -\sum_{t=2}^{T} y_t^\top \log p_t - \lVert p_T \rVert^2",
        STATE + r"L = -\sum_{t=1}^{T} y_t^\top \log \operatorname{softmax}(V h_t)",
        STATE + r"L = -\sum_{t=1}^{T} \log \sigma(v^\top h_t)",
        "p_t = \\operatorname{softmax}(W p_{t-1} + U x_t)\nL = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t",
        "s_i = \\tanh(s_{i-1} U + x_i W)\np_i = \\operatorname{softmax}(s_i V)\nL = -\\sum_{i=1}^{T} y_i \\log(p_i)^\\top",
    ],
)
def test_other_losses_of_such_outputs_agree_with_autograd(text: str) -> None:
    subject = Cell.from_text(text)
    validate_gradients(subject, draws=5)
    validate_hessian_vector(subject, draws=3)


@pytest.mark.parametrize("scale", [1.0, 1e2, 1e4])
def test_logits_of_any_size_have_gradients(scale: float) -> None:
    """Against torch's own cross entropy of logits, where 1/p has no value."""
    subject = Cell.from_text("p_t = \\operatorname{softmax}(W x_t)\nL = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t")
    drawn = draw(subject, 3, length=4)
    drawn.given[("W", None)] = scale * drawn.given[("W", None)]
    with np.errstate(all="ignore"):
        found = AdjointPass(run_of(subject, drawn)).parameter("W")
    weights = torch.tensor(drawn.given[("W", None)], requires_grad=True)
    inputs = torch.tensor(np.hstack([drawn.given[("x", t)] for t in range(1, 5)]))
    labels = torch.tensor([int(drawn.given[("y", t)].item()) for t in range(1, 5)])
    torch.nn.functional.cross_entropy((weights @ inputs).T, labels, reduction="sum").backward()
    np.testing.assert_allclose(found, weights.grad.numpy(), rtol=1e-10, atol=1e-12)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "loss",
    [
        r"(\sum_{t=1}^{T} q^\top h_t)^2",
        r"\lVert \sum_{t=1}^{T} A h_t \rVert^2",
        r"\sum_{t=1}^{T} \sum_{i=1}^{t} \lVert h_i \rVert^2",
        r"\sum_{t=1}^{T} \sum_{i=2}^{T} \lVert h_i - h_t \rVert^2",
        r"\sum_{t=2}^{T} \sum_{i=t}^{T} h_i^\top h_t",
    ],
)
def test_sums_within_losses(loss: str) -> None:
    subject = Cell.from_text(STATE + "L = " + loss)
    validate_gradients(subject, draws=8)
    for key in subject.parameters:
        validate_derivation(subject, subject.gradient(key, "rtrl"), draws=4)


def test_what_follows_a_sum_is_not_taken_into_it() -> None:
    subject = Cell.from_text("h_t = W h_{t-1} + x_t\nm = (U \\sum_{t=1}^{T} h_t) \\odot v\nL = \\lVert m \\rVert^2")
    assert Cell.from_text(subject.latex()) == subject == Cell.from_text(str(subject))


def test_an_assumption_about_a_sum_reads_back() -> None:
    subject = Cell.from_text(SOFTMAX + "L = -\\sum_{t=1}^{T} y_t^\\top \\log p_t\n\\mathbf{1}^\\top y_t = 1")
    assert Cell.from_text(str(subject)) == subject == Cell.from_text(subject.latex())
    values = [value for (key, _), value in draw(subject, 0, length=3).given.items() if key == "y"]
    assert all(value.sum() == pytest.approx(1.0) and (value > 0).all() for value in values)


@pytest.mark.parametrize("line", [r"\mathbf{1}^\top h_t = 1", r"\mathbf{1}^\top W = 1", r"\mathbf{1}^\top q_t = 1"])
def test_only_given_vectors_are_assumed_to_sum_to_one(line: str) -> None:
    with pytest.raises(ParseError, match="vector that is given"):
        Cell.from_text(SOFTMAX + "L = -\\sum_{t=1}^{T} y_t^\\top \\log p_t\n" + line)
