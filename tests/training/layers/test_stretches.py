"""Cells in stretches and gradients over time, against loops of plain tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from derive.errors import UsageError
from training.layers.gradient_over_time import gradient_norms
from training.layers.recurrent import Recurrent

B, D, N = 3, 2, 4
Weights = Mapping[str, Tensor]
GRADS = pytest.mark.parametrize("grad", ["autograd", "derived"])


class Written(NamedTuple):
    """A cell twice: its equations, and one step (w, states, newest last, inputs, newest last) -> (state, output) of plain tensors."""

    text: str
    step: Callable[[Weights, Sequence[Tensor], Sequence[Tensor]], tuple[Tensor, Tensor]]
    begin: Callable[[Weights], Tensor] = lambda w: torch.zeros(N, dtype=torch.float64)
    lag: int = 1


def _of_two_inputs(w: Weights, h: Sequence[Tensor], x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    state = torch.tanh(h[-1] @ w["W"].T + x[-1] @ w["U"].T + x[-2] @ w["V"].T + w["b"])
    return state, state


def _plain(w: Weights, h: Sequence[Tensor], x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    state = torch.tanh(h[-1] @ w["W"].T + x[-1] @ w["U"].T + w["b"])
    return state, state


def _of_two_states(w: Weights, h: Sequence[Tensor], x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    state = torch.tanh(h[-1] @ w["W"].T + h[-2] @ w["V"].T + x[-1] @ w["U"].T + w["b"])
    return state, state


def _read_off(w: Weights, h: Sequence[Tensor], x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    state, _ = _plain(w, h, x)
    return state, state @ w["V"].T + h[-1] @ w["Z"].T + w["c"]


CELLS = {
    "x_{t-1}": Written(r"h_t = \tanh(W h_{t-1} + U x_t + V x_{t-1} + b)", _of_two_inputs),
    "h_0 = tanh(p)": Written("h_t = \\tanh(W h_{t-1} + U x_t + b)\nh_0 = \\tanh(p)", _plain, lambda w: w["p"].tanh()),
    "h_{t-2}": Written(r"h_t = \tanh(W h_{t-1} + V h_{t-2} + U x_t + b)", _of_two_states, lag=2),
    "h_{t-2}, h_0 = p": Written(
        "h_t = \\tanh(W h_{t-1} + V h_{t-2} + U x_t + b)\nh_0 = p\nh_{-1} = p", _of_two_states, lambda w: w["p"], 2
    ),
    "y_t": Written(
        "s_t = \\tanh(W s_{t-1} + U x_t + b)\ny_t = V s_t + Z s_{t-1} + c\nL = \\sum_{t=1}^{T} L_t(y_t)", _read_off
    ),
}


def layer_of(written: Written, grad: str) -> Recurrent:
    torch.manual_seed(3)
    layer = Recurrent(written.text, D, N, grad, "float64")
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(torch.randn_like(weight))
    return layer


def rows_of(written: Written, w: Weights, x: Tensor, cut: int = -1) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs, and the states before step ``cut`` + 1 (the newest first), of which the later ones are functions."""
    states = [written.begin(w).expand(B, N) for _ in range(2)]
    inputs = [torch.zeros(B, D, dtype=torch.float64)]
    outputs, leaves = [], []
    for t, row in enumerate([*x, None]):
        if t == cut:
            leaves = [state.detach().requires_grad_() for state in states[: -written.lag - 1 : -1]]
            states = [*states[: -written.lag], *leaves[::-1]]
        if row is not None:
            inputs.append(row)
            state, output = written.step(w, states, inputs)
            states.append(state)
            outputs.append(output)
    if cut == len(x):  # what is read off the last step, of the states at its end
        _, now = states[-1], states[:-1]
        outputs[-1] = _output_at_the_end(written, w, now, inputs, leaves[0])
    return outputs, leaves


def _output_at_the_end(
    written: Written, w: Weights, before: Sequence[Tensor], x: Sequence[Tensor], state: Tensor
) -> Tensor:
    return state @ w["V"].T + before[-1] @ w["Z"].T + w["c"] if written.step is _read_off else state


@GRADS
@pytest.mark.parametrize("name", CELLS)
def test_step_by_step_is_the_whole_sequence(name: str, grad: str) -> None:
    written, x = CELLS[name], torch.randn(5, B, D, dtype=torch.float64)
    layer = layer_of(written, grad)
    wanted, _ = rows_of(written, dict(layer.cell.weights.items()), x)
    weights = [*layer.parameters()]
    meant = torch.autograd.grad(torch.stack(wanted).square().sum(), weights)
    for cuts in ((), (1, 2, 3, 4), (3,)):
        state, parts = None, []
        for start, end in zip((0, *cuts), (*cuts, 5), strict=True):
            rows, state = layer(x[start:end], state)
            parts.append(rows)
        found = torch.cat(parts)
        torch.testing.assert_close(found, torch.stack(wanted))
        torch.testing.assert_close(torch.autograd.grad(found.square().sum(), weights), meant)


@GRADS
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("length", "points"), [(6, 6), (9, 6)])
def test_gradients_over_time_are_those_by_the_joint_state(name: str, grad: str, length: int, points: int) -> None:
    """Some stretches have one step, others two."""
    written, x = CELLS[name], torch.randn(length, B, D, dtype=torch.float64)
    layer = layer_of(written, grad)
    times, norms = gradient_norms(layer, x, lambda row: row.square().sum(-1).mean(), points)
    weights, wanted = {key: value.detach() for key, value in layer.cell.weights.items()}, []
    for t in times:
        outputs, leaves = rows_of(written, weights, x, t)
        found = torch.autograd.grad(outputs[-1].square().sum(-1).mean(), leaves, allow_unused=True)
        wanted.append((B * sum(float(value.square().sum()) for value in found if value is not None)) ** 0.5)
    assert times[-1] == length and norms == pytest.approx(wanted, rel=1e-10)


def test_moved_layers_take_all_their_weights_along() -> None:
    layer = Recurrent(CELLS["h_0 = tanh(p)"].text, D, N, "derived").to("meta")
    assert {*layer.state_dict()} == {f"cell.weights.{key}" for key in "WUbp"}
    x = torch.zeros(2, B, D, device="meta")
    assert layer(x, layer(x)[1])[0].device.type == "meta"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"h_t = \tanh(W h_{t-1} + U x_{t+1})", "the future"),
        (r"h_t = \frac{1}{t} h_{t-1} + x_t", "the number of the step"),
        ("c = V x_1\nh_t = \\tanh(W h_{t-1} + U x_t + c)", "a certain time"),
    ],
)
def test_what_no_state_hands_on_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"reads {why}"):
        Recurrent(text, D, N)
