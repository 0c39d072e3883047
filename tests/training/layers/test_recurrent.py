"""Derived gradients, autograd's through tensors, autograd's through the equations, and torch's own layers."""

from __future__ import annotations

import pytest
import torch

from derive.cell import library
from derive.errors import UsageError
from training.layers import torch_cells
from training.layers.bidirectional import CellEncoder
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


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("pool", ["last", "max"])
def test_the_cell_of_the_task_lstm_cell_reads_padded_batches_as_torch_does(both: bool, pool: str) -> None:
    """``--cell lstm --set layer=cells``: the very function of the task, against nn.LSTM over packed sequences."""
    ours, theirs = (
        CellEncoder("lstm", D, N, both, pool, "float64", "autograd"),
        torch.nn.LSTM(D, N, bidirectional=both, dtype=torch.float64),
    )
    layers = [ours.ahead] if ours.back is None else [ours.ahead, ours.back]
    assert all(layer._step is torch_cells.lstm for layer in layers)
    with torch.no_grad():
        for layer, end in zip(layers, ("", "_reverse"), strict=False):
            for name, letter in (("weight_hh", "W"), ("weight_ih", "U"), ("bias_ih", "b")):
                stacked = torch.cat([layer.cell.weights[f"{letter}_{gate}"] for gate in "ifco"])
                getattr(theirs, f"{name}_l0{end}").copy_(stacked)
            getattr(theirs, f"bias_hh_l0{end}").zero_()
    x, lengths = torch.randn(9, 6, D, dtype=torch.float64), torch.tensor([9, 1, 4, 9, 2, 7])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
    rows, (last, _) = theirs(packed)
    if pool == "last":
        wanted = torch.cat([*last], dim=-1)
    else:
        padded, _ = torch.nn.utils.rnn.pad_packed_sequence(rows)
        wanted = torch.stack([padded[: int(length), k].amax(0) for k, length in enumerate(lengths)])
    for k, length in enumerate(lengths):  # what stands beyond the end of a sequence is read by nothing
        x[int(length) :, k] = 1e3
    torch.testing.assert_close(ours(x, lengths), wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("grad", ["autograd", "derived"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "mgu"])
def test_nothing_is_left_on_the_processor(name: str, grad: str) -> None:
    """On the device without memory an operation with anything that lies elsewhere is an error."""
    encoder = CellEncoder(name, D, N, True, "max", "float32", grad).to("meta")
    layer = encoder.ahead
    x = torch.zeros(T, B, D, device="meta")
    output, state = layer(x)
    after, _ = layer(x, state)
    read = encoder(x, torch.zeros(B, dtype=torch.int64, device="meta"))
    (output.sum() + after.sum() + read.sum()).backward()
    assert read.device.type == "meta" and {weight.grad.device.type for weight in encoder.parameters()} == {"meta"}
