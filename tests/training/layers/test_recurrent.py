"""Derived gradients, autograd's through tensors, autograd's through the equations, and torch's own layers."""

from __future__ import annotations

import pytest
import torch

from derive.cell import library
from derive.errors import UsageError
from training.layers.equations import run_equations
from training.layers.recurrent import Recurrent

T, B, D, N = 5, 2, 3, 4
REFUSED = {
    "bidirectional-rnn", "clockwork", "hopfield", "leaky-echo-state", "recursive", "row-tagger", "s4d", "scrn", "stacked-rnn",
    "tree-lstm", "tree-lstm-binary",
}  # fmt: skip
UNBOUNDED = {"fast-weights"}
"""Linear in its own square: random weights overflow."""


def both(name: str) -> tuple[Recurrent, Recurrent]:
    torch.manual_seed(1)
    first, second = (Recurrent(name, D, N, grad, "float64") for grad in ("autograd", "derived"))
    second.load_state_dict(first.state_dict())
    return first, second


@pytest.mark.parametrize("name", sorted({*library()} - REFUSED - UNBOUNDED))
def test_both_gradients_agree_for_the_cells_of_the_library(name: str) -> None:
    """Over two stretches, the second one from the state in which the first one ends."""
    layers = both(name)
    x = torch.randn(T, B, D, dtype=torch.float64)
    found = []
    for layer in layers:
        output, state = layer(x)
        after, _ = layer(x, state)
        (output.square().sum() + after.square().sum()).backward()
        found.append((after.detach(), [weight.grad for weight in layer.parameters()]))
    (out, grads), (other, others) = found
    torch.testing.assert_close(out, other, rtol=1e-11, atol=1e-12)
    for one, two in zip(grads, others, strict=True):
        torch.testing.assert_close(torch.zeros_like(two) if one is None else one, two, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_cells_that_are_no_layers(name: str) -> None:
    with pytest.raises(UsageError, match="expected: a cell that reads one vector"):
        Recurrent(name, D, N)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_cells_of_tensors_are_what_the_library_says(name: str) -> None:
    layer, _ = both(name)
    x = torch.randn(T, B, D, dtype=torch.float64)
    starts = {(start.name, int(start.time)): torch.zeros(B, N, dtype=torch.float64) for start in layer.cell.cell.starts}
    meant = run_equations(layer.cell.cell, layer.sizes, dict(layer.cell.weights.items()), x, starts, ("h",))["h"]
    torch.testing.assert_close(layer(x)[0], meant, rtol=1e-12, atol=1e-13)


def test_the_lstm_is_torchs() -> None:
    layer, derived = both("lstm")
    theirs = torch.nn.LSTM(D, N, dtype=torch.float64)
    weights = layer.cell.weights
    with torch.no_grad():
        for target, letter in ((theirs.weight_hh_l0, "W"), (theirs.weight_ih_l0, "U"), (theirs.bias_ih_l0, "b")):
            target.copy_(torch.cat([weights[f"{letter}_{gate}"] for gate in "ifco"]))
        theirs.bias_hh_l0.zero_()
    x = torch.randn(T, B, D, dtype=torch.float64)
    wanted, _ = theirs(x)
    wanted.square().sum().backward()
    for ours in (layer, derived):
        output, _ = ours(x)
        torch.testing.assert_close(output, wanted)
        output.square().sum().backward()
        grad = torch.cat([ours.cell.weights[f"W_{gate}"].grad for gate in "ifco"])
        torch.testing.assert_close(grad, theirs.weight_hh_l0.grad)


def test_a_cell_of_ones_own() -> None:
    layer = Recurrent("h_t = \\tanh(W h_{t-1} + U x_t + W_2 h_{t-2})", D, N, "derived")
    output, state = layer(torch.randn(1, B, D))
    assert output.shape == (1, B, N) and set(state) == {("h", 0), ("h", -1)}
    torch.testing.assert_close(state["h", -1], torch.zeros(B, N))


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="no cell 'nothing'"):
        Recurrent("nothing", D, N)
    with pytest.raises(UsageError, match="no gradients called"):
        Recurrent("rnn", D, N, "numeric")
