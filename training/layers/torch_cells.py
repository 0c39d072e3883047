"""Cells written with torch tensors, one step each. Autograd differentiates them; nothing derived is used here.

Parameters have the names and shapes of the library's cells, so the same weights can be used both ways. Rows of ``x`` and of the
states are the sequences of a batch: x (B, d), states (B, n), matrices W (n, n) and U (n, d), vectors (n,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import linear

Weights = Mapping[str, Tensor]
States = Mapping[str, Tensor]
Step = Callable[[Weights, Tensor, States], States]


def rnn(w: Weights, x: Tensor, s: States) -> States:
    """h_t = tanh(W h_{t-1} + U x_t + b)."""
    return {"h": torch.tanh(linear(s["h"], w["W"]) + linear(x, w["U"], w["b"]))}


def gru(w: Weights, x: Tensor, s: States) -> States:
    """r, u = σ(W h_{t-1} + U x_t + b); h̃ = tanh(r ⊙ (W_h h_{t-1} + c_h) + U_h x_t + b_h); h_t = (1 - u) ⊙ h̃ + u ⊙ h_{t-1}."""
    h = s["h"]
    reset = torch.sigmoid(linear(h, w["W_r"]) + linear(x, w["U_r"], w["b_r"]))
    update = torch.sigmoid(linear(h, w["W_u"]) + linear(x, w["U_u"], w["b_u"]))
    candidate = torch.tanh(reset * linear(h, w["W_h"], w["c_h"]) + linear(x, w["U_h"], w["b_h"]))
    return {"h": (1 - update) * candidate + update * h}


def lstm(w: Weights, x: Tensor, s: States) -> States:
    """f, i, o = σ(W h_{t-1} + U x_t + b); C̃ = tanh(W_c h_{t-1} + U_c x_t + b_c); C_t = f ⊙ C_{t-1} + i ⊙ C̃; h_t = o ⊙ tanh(C_t).

    The four products are one: matrices are stacked in the order f, i, o, c.
    """
    gates = linear(s["h"], _stacked(w, "W")) + linear(x, _stacked(w, "U"), _stacked(w, "b"))
    f, i, o, c = gates.chunk(4, dim=-1)
    state = torch.sigmoid(f) * s["C"] + torch.sigmoid(i) * torch.tanh(c)
    return {"h": torch.sigmoid(o) * torch.tanh(state), "C": state}


def _stacked(w: Weights, letter: str) -> Tensor:
    return torch.cat([w[f"{letter}_{gate}"] for gate in "fioc"])


CELLS: Mapping[str, Step] = {"rnn": rnn, "gru": gru, "lstm": lstm}
"""By the names of the library."""

__all__ = ["CELLS", "Step", "gru", "lstm", "rnn"]
