"""Backward passes by hand, in which mistakes can be planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.cell import Cell

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)")
LSTM = Cell.from_text(
    r"""
f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)
o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)
g_t = \tanh(W_g h_{t-1} + U_g x_t + b_g)
C_t = f_t \odot C_{t-1} + i_t \odot g_t
h_t = o_t \odot \tanh(C_t)
"""
)
Pass = Callable[..., dict[str, Any]]


def _sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


_FORWARD: dict[str, Callable[[np.ndarray], np.ndarray]] = {"sigma": _sigma, "linear": lambda z: z}


def rnn(slip: str = "", last: int | None = None) -> Pass:
    """A backward pass of the RNN, with a mistake; ``last``: it goes back over so many steps only."""

    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        used = W.T if slip == "forward transposed" else W
        h, f = [0 * h_0 if slip == "forward from zero" else h_0], _FORWARD.get(slip.removeprefix("forward "), np.tanh)
        for step in x:
            h.append(f(used @ h[-1] + U @ step + (0 * b if slip == "forward without bias" else b)))
        dW, dU, db, dx, carried = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), 0 * x, 0 * h_0
        for t in list(reversed(range(len(x))))[:last]:
            slope = 1 - h[t + 1] ** 2
            slope = h[t + 1] * (1 - h[t + 1]) if slip in ("forward sigma", "slope of sigma") else slope
            slope = 1 if slip in ("forward linear", "no slope") else slope
            dz = slope * (dh[t] + (0 if slip == "nothing carried" else carried))
            share = np.outer(dz, h[t])
            dW = share if slip == "overwritten" else dW + share
            dU += np.outer(dz, x[t])
            db += dz
            carried = used.T @ dz
            dx[t] = U.T @ dz
        return {"dW": dW, "dU": dU, "db": db, "dx": dx, "dh_0": carried, "h": np.array(h[1:])}

    return run


def lstm(slip: str = "") -> Pass:
    """A backward pass of the LSTM, with a mistake."""

    def run(W_f, U_f, b_f, W_i, U_i, b_i, W_o, U_o, b_o, W_g, U_g, b_g, x, h_0, C_0, dh):  # type: ignore[no-untyped-def]
        gates = {"f": (W_f, U_f, b_f), "i": (W_i, U_i, b_i), "o": (W_o, U_o, b_o), "g": (W_g, U_g, b_g)}
        h, C, kept = [h_0], [C_0], []
        for step in x:
            z = {k: W @ h[-1] + U @ step + b for k, (W, U, b) in gates.items()}
            f, i, o, g = _sigma(z["f"]), _sigma(z["i"]), _sigma(z["o"]), np.tanh(z["g"])
            kept.append((f, i, o, g))
            C.append(f * C[-1] + i * g)
            h.append(o * np.tanh(C[-1]))
        found = {f"d{n}_{k}": np.zeros_like(p) for k, ps in gates.items() for n, p in zip("WUb", ps, strict=True)}
        from_h, from_C = 0 * h_0, 0 * C_0
        for t in reversed(range(len(x))):
            f, i, o, g = kept[t]
            at_h = dh[t] + from_h
            at_C = at_h * (1 if slip == "no output gate" else o) * (1 - np.tanh(C[t + 1]) ** 2)
            at_C = at_C + (0 if slip == "no memory" else from_C)
            dz = {
                "f": at_C * (C[t + 1] if slip == "later memory" else C[t]) * f * (1 - f),
                "i": at_C * g * i * (1 - i),
                "o": at_h * np.tanh(C[t + 1]) * (1 if slip == "no slope of o" else o * (1 - o)),
                "g": at_C * i * (g * (1 - g) if slip == "slope of sigma" else 1 - g**2),
            }
            from_C = at_C * (i if slip == "other gate" else f)
            turned = "o" if slip == "not transposed" else ""
            from_h = sum((gates[k][0] if k == turned else gates[k][0].T) @ dz[k] for k in gates)
            for k in gates:
                found[f"dW_{k}"] += np.outer(dz[k], h[t])
                found[f"dU_{k}"] += np.outer(dz[k], x[t])
                found[f"db_{k}"] += dz[k]
        return {**found, "dh_0": from_h, "dC_0": from_C}

    return run
