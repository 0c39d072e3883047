"""How much of a loss at the end arrives at the states before: ‖∂L/∂s_t‖ for the joint state s of a cell.

The sequence is run in stretches; between two of them stands the joint state (h, C, …), and its gradient is kept. That needs nothing of
the cell but the layer's interface, so both kinds of gradients are measured alike.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from training.layers.recurrent import Recurrent


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
        state = None
        kept: list[list[Tensor]] = []
        for start, end in zip([0, *times[:-1]], times, strict=True):
            output, after = layer(x[start:end], state)
            if end == length:
                # The last state is what the loss reads, so its gradient is that by the output.
                last = output[-1].detach().requires_grad_()
                kept.append([last])
                (seed,) = torch.autograd.grad(loss(last), last)
                output[-1].backward(seed)
                last.grad = seed
            else:
                state = dict(after)
                for value in state.values():
                    value.retain_grad()
                kept.append([*state.values()])
    layer.zero_grad(set_to_none=True)
    return times, [_norm(values, batch) for values in kept]


def _norm(values: list[Tensor], batch: int) -> float:
    """Of per-sequence gradients: a mean over B sequences has divided each of them by B."""
    total = sum(float(value.grad.square().sum()) for value in values if value.grad is not None)
    return float((total * batch) ** 0.5)


__all__ = ["gradient_norms"]
