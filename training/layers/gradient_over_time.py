"""How much of a loss at the end arrives at the states before: ‖∂L/∂s_t‖ for the joint state s of a cell.

The sequence is run in stretches; between two of them stands the joint state (h, C, …), and its gradient is kept. That needs nothing of
the cell but the layer's interface, so both kinds of gradients are measured alike. A loss that reads something else than a state, such as
y_t = V s_t + c, gives the last state the gradient that comes through it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from training.layers.recurrent import Recurrent, State


def gradient_norms(
    layer: Recurrent, x: Tensor, loss: Callable[[Tensor], Tensor], points: int = 20
) -> tuple[list[int], list[float]]:
    """Times t = T, …, in increasing order, and the norms ‖∂L/∂s_t‖, each the root of the mean of squares over the batch.

    Parameters
    ----------
    x    : inputs (T, B, d).
    loss : of the last output (B, m), as a mean over the batch.

    >>> layer = Recurrent(r"h_t = \\omega h_{t-1} + x_t", 1, 1, "derived", "float64")
    >>> _ = layer.cell.weights["omega"].data.fill_(0.5)
    >>> times, norms = gradient_norms(layer, torch.ones(4, 1, 1, dtype=torch.float64), lambda h: h.sum(), points=4)
    >>> times, [round(norm, 4) for norm in norms]
    ([1, 2, 3, 4], [0.125, 0.25, 0.5, 1.0])
    """
    length, batch = x.shape[:2]
    times = sorted({max(1, round(length * k / points)) for k in range(1, points + 1)})
    with torch.enable_grad():
        state: State | None = None
        kept: list[list[Tensor]] = []
        for start, end in zip([0, *times[:-1]], times, strict=True):
            output, after = layer(x[start:end], state)
            if end == length:
                last, seed = _seeded(layer, x, state, output, after, start, loss)
                kept.append(last)
                output[-1].backward(seed)
            else:
                # A stretch may hand on what it was given, and one value under two names: each place has a gradient of its own.
                state = {key: _separate(value) for key, value in after.items()}
                kept.append([state[key] for key in layer.states])
    layer.zero_grad(set_to_none=True)
    return times, [_norm(values, batch) for values in kept]


def _seeded(
    layer: Recurrent,
    x: Tensor,
    state: State | None,
    output: Tensor,
    after: State,
    start: int,
    loss: Callable[[Tensor], Tensor],
) -> tuple[list[Tensor], Tensor]:
    """The last joint state with its gradient, and the gradient by the last output. Of what the loss does not read it is None."""
    read = output[-1].detach().requires_grad_()
    (seed,) = torch.autograd.grad(loss(read), read)
    last = {key: after[key].detach().clone().requires_grad_() for key in layer.states}
    if (layer.output, 0) in last:
        last[layer.output, 0].grad = seed
        return [*last.values()], seed
    with torch.no_grad():
        before = state if start == len(x) - 1 else layer(x[start:-1], state)[1]
        before = None if before is None else {key: value.detach() for key, value in before.items()}
    torch.autograd.backward(layer.read_off(x[-1], before, last), seed)
    return [*last.values()], seed


def _separate(value: Tensor) -> Tensor:
    """The same value as a place of its own, whose gradient is kept."""
    found = value.clone() if value.requires_grad else value.detach().clone().requires_grad_()
    found.retain_grad()
    return found


def _norm(values: list[Tensor], batch: int) -> float:
    """Of per-sequence gradients: a mean over B sequences has divided each of them by B."""
    total = sum(float(value.grad.square().sum()) for value in values if value.grad is not None)
    return float((total * batch) ** 0.5)


__all__ = ["gradient_norms"]
