"""The referee itself: torch.nn with the weights copied across, planted errors, and agreement of the truths."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Integer

from derive.cell import Cell, cell, library
from derive.errors import ValidationError
from derive.expressions import Hadamard, Times, make
from derive.expressions.node import Node
from numeric.adjoints import AdjointPass
from numeric.draws import draw, run_of
from numeric.simulate import Run
from numeric.validate import TorchReferee, validate_derivation, validate_gradients

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", library())
def test_library_cells(name: str) -> None:
    validate_gradients(cell(name))


def _copied(module: torch.nn.Module, weights: dict[str, np.ndarray]) -> None:
    with torch.no_grad():
        for key, value in weights.items():
            getattr(module, key).copy_(torch.tensor(value))


def _values(subject: Cell, seed: int, length: int) -> Run:
    return run_of(subject, draw(subject, seed, length=length))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_against_torch_nn(name: str, seed: int) -> None:
    """Values and gradients equal those of nn.RNN, nn.LSTM and nn.GRU with the same weights."""
    subject = cell(name)
    length = 4
    run = _values(subject, seed, length)
    n, d = run.shape("h")[0], run.shape("x")[0]
    p = {key: run.value(key, None) for key in subject.parameters}
    gates, kind = {"rnn": ([("W", "U", "b")], torch.nn.RNN), "lstm": ([("W_i", "U_i", "b_i"), ("W_f", "U_f", "b_f"), ("W_c", "U_c", "b_c"), ("W_o", "U_o", "b_o")], torch.nn.LSTM),
                   "gru": ([("W_r", "U_r", "b_r"), ("W_u", "U_u", "b_u"), ("W_h", "U_h", "b_h")], torch.nn.GRU)}[name]  # fmt: skip
    module = kind(d, n).double()
    hidden_bias = np.zeros((len(gates) * n,))
    if name == "gru":
        hidden_bias[2 * n :] = p["c_h"].ravel()
    _copied(module, {
        "weight_hh_l0": np.vstack([p[w] for w, _, _ in gates]), "weight_ih_l0": np.vstack([p[u] for _, u, _ in gates]),
        "bias_ih_l0": np.concatenate([p[b].ravel() for _, _, b in gates]), "bias_hh_l0": hidden_bias,
    })  # fmt: skip
    x = torch.tensor(np.array([run.value("x", t).ravel() for t in range(1, length + 1)]), requires_grad=True)
    h0 = torch.tensor(run.value("h", 0).ravel()[None], requires_grad=True)
    start = (h0, torch.tensor(run.value("C", 0).ravel()[None])) if name == "lstm" else h0
    states, _ = module(x, start)
    mine = np.array([run.value("h", t).ravel() for t in range(1, length + 1)])
    np.testing.assert_allclose(mine, states.detach().numpy(), rtol=1e-12, atol=1e-13)
    loss = sum(run.loss.value(t, [states[t - 1].reshape(-1, 1)]) for t in range(1, length + 1))
    loss.sum().backward()
    backward = AdjointPass(run)
    got = np.vstack([backward.parameter(w) for w, _, _ in gates])
    np.testing.assert_allclose(got, module.weight_hh_l0.grad.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        backward.initial("h", Integer(0)).ravel(), h0.grad.numpy().ravel(), rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(
        np.array([backward.input("x", t).ravel() for t in range(1, length + 1)]), x.grad.numpy(), rtol=1e-10, atol=1e-12
    )


def test_a_planted_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Node, cotangent: Node) -> tuple[Node | None, ...]:
        return tuple(cotangent for _ in self.operands)

    monkeypatch.setattr(Hadamard, "vjp", wrong)
    text = "f_t = \\sigma(W h_{t-1} + U x_t)\nh_t = f_t \\odot h_{t-1} + x_t"
    with pytest.raises(ValidationError, match="disagrees with autograd"):
        validate_gradients(Cell.from_text(text), draws=3)


def test_a_planted_missing_transpose_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(k: int, factors: list[Node], cotangent: Node) -> Node:
        left, right = factors[:k], factors[k + 1 :]
        square = left and left[-1].shape[0] == left[-1].shape[1]
        turned = list(left) if square else [make.transpose(f) for f in reversed(left)]
        return make.times(*turned, cotangent, *(make.transpose(f) for f in reversed(right)))

    monkeypatch.setattr(Times, "_factor_vjp", staticmethod(wrong))
    with pytest.raises(ValidationError):
        validate_gradients(Cell.from_text("h_t = \\tanh(W h_{t-1} + x_t)"), draws=3)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_the_complex_step_agrees_with_autograd(name: str) -> None:
    """Two truths that share nothing: total derivatives by the complex step, and by torch."""
    subject = cell(name)
    drawn = draw(subject, 3, length=4)
    run = run_of(subject, drawn)
    state = subject.states[0]
    of, by = (state, 4), (state, 1)
    truth = TorchReferee(subject, drawn, [by]).jacobian(of, by)
    stepped = run.evaluator()(subject.read(f"\\frac{{\\partial {state}_4}}{{\\partial {state}_1}}"))
    np.testing.assert_allclose(stepped, truth, rtol=1e-11, atol=1e-13)


def test_a_number_stands_for_every_entry() -> None:
    """A gate that is held at a number is a vector all the same: diag(1 - u_t) keeps its size."""
    subject = cell("gru").replacing("u_t = 0")
    assert validate_derivation(subject, subject.jacobian("h_t", "h_{t-1}"), draws=3).error < 1e-12
