"""The RNN, the GRU and the LSTM in one set of weights, and everybody who computes their gradients.

A peer is a function that runs forward and backward once and gives the states and all gradients under common names. Weights are those of
torch.nn, gate by gate; the two biases that torch.nn adds up are one here, so that all peers compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

import bptt

Run = Callable[[], Mapping[str, Any]]

EQUATIONS = {
    "rnn": "h_t = \\tanh(W_h h_{t-1} + U_h x_t + b_h)",
    "gru": r"""
r_t = \sigma(W_r h_{t-1} + U_r x_t + b_r)
z_t = \sigma(W_z h_{t-1} + U_z x_t + b_z)
n_t = \tanh(U_n x_t + b_n + r_t \odot (W_n h_{t-1} + c_n))
h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}
""",
    "lstm": r"""
i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)
f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
g_t = \tanh(W_g h_{t-1} + U_g x_t + b_g)
o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)
C_t = f_t \odot C_{t-1} + i_t \odot g_t
h_t = o_t \odot \tanh(C_t)
""",
}
GATES = {"rnn": "h", "gru": "rzn", "lstm": "ifgo"}
"""In the order of torch.nn."""


@dataclass(frozen=True)
class Problem:
    """One cell at one size, with numbers in float32."""

    cell: str
    T: int
    B: int
    d: int
    n: int

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        generator = np.random.default_rng(0)
        shapes = {f"{kind}_{gate}": shape for gate in self.gates for kind, shape in self._kinds().items()}
        if self.cell == "gru":
            shapes["c_n"] = (self.n,)
        reach = self.n**-0.5
        return {name: generator.uniform(-reach, reach, shape).astype("f4") for name, shape in shapes.items()}

    def _kinds(self) -> dict[str, tuple[int, ...]]:
        return {"W": (self.n, self.n), "U": (self.n, self.d), "b": (self.n,)}

    @property
    def gates(self) -> str:
        return GATES[self.cell]

    @cached_property
    def data(self) -> dict[str, np.ndarray]:
        """Inputs, cotangents of the states, starting values."""
        generator = np.random.default_rng(1)
        shapes = {"x": (self.T, self.B, self.d), "cotangent": (self.T, self.B, self.n), "h_0": (self.B, self.n)}
        if self.cell == "lstm":
            shapes["C_0"] = (self.B, self.n)
        return {name: generator.normal(size=shape).astype("f4") for name, shape in shapes.items()}

    @property
    def starts(self) -> dict[str, np.ndarray]:
        return {name: value for name, value in self.data.items() if name.endswith("_0")}


def compiled(problem: Problem, backend: str) -> Run:
    """A backend of bptt."""
    function = bptt.compile(bptt.cell(EQUATIONS[problem.cell]), backend, "float32")
    make: Callable[[np.ndarray], Any] = torch.from_numpy if backend == "torch" else np.asarray
    weights = {name: make(value) for name, value in problem.weights.items()}
    data = {name: make(value) for name, value in problem.data.items()}
    starts = {name: data[name] for name in problem.starts}

    def run() -> Mapping[str, Any]:
        result = function(weights, {"x": data["x"]}, starts, {"h": data["cotangent"]})
        return {"h": result.states["h"], **result.gradients}

    return run


def module(problem: Problem) -> Run:
    """The module of torch.nn."""
    kinds = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    network = kinds[problem.cell](problem.d, problem.n)
    with torch.no_grad():
        for kind, name in (("W", "weight_hh_l0"), ("U", "weight_ih_l0"), ("b", "bias_ih_l0")):
            rows = np.concatenate([problem.weights[f"{kind}_{gate}"] for gate in problem.gates])
            getattr(network, name).copy_(torch.from_numpy(rows))
        network.bias_hh_l0.zero_()
        if problem.cell == "gru":
            network.bias_hh_l0[-problem.n :].copy_(torch.from_numpy(problem.weights["c_n"]))
    x = torch.from_numpy(problem.data["x"]).requires_grad_()
    starts = {name: torch.from_numpy(value)[None].requires_grad_() for name, value in problem.starts.items()}
    cotangent = torch.from_numpy(problem.data["cotangent"])
    weights = [network.weight_hh_l0, network.weight_ih_l0, network.bias_ih_l0, network.bias_hh_l0]
    start = tuple(starts.values()) if problem.cell == "lstm" else starts["h_0"]

    def run() -> Mapping[str, Any]:
        states, _ = network(x, start)
        w, u, b, c, by_x, *by_starts = torch.autograd.grad(states, [*weights, x, *starts.values()], cotangent)
        found = {"h": states, "x": by_x, **{name: value[0] for name, value in zip(starts, by_starts, strict=True)}}
        for kind, stacked in (("W", w), ("U", u), ("b", b)):
            found.update(zip([f"{kind}_{gate}" for gate in problem.gates], stacked.split(problem.n), strict=True))
        return {**found, "c_n": c[-problem.n :]} if problem.cell == "gru" else found

    return run


def loop(problem: Problem) -> Run:
    """Autograd over a loop that follows the equations."""
    weights = {name: torch.from_numpy(value).requires_grad_() for name, value in problem.weights.items()}
    starts = {name: torch.from_numpy(value).requires_grad_() for name, value in problem.starts.items()}
    x = torch.from_numpy(problem.data["x"]).requires_grad_()
    cotangent = torch.from_numpy(problem.data["cotangent"])

    def gate(name: str, step: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return h @ weights[f"W_{name}"].T + step @ weights[f"U_{name}"].T + weights[f"b_{name}"]

    def run() -> Mapping[str, Any]:
        h, c, states = starts["h_0"], starts.get("C_0"), []
        for step in x.unbind(0):
            if problem.cell == "rnn":
                h = torch.tanh(gate("h", step, h))
            elif problem.cell == "gru":
                r, z = torch.sigmoid(gate("r", step, h)), torch.sigmoid(gate("z", step, h))
                n = step @ weights["U_n"].T + weights["b_n"] + r * (h @ weights["W_n"].T + weights["c_n"])
                h = (1 - z) * torch.tanh(n) + z * h
            else:
                i, f, o = (torch.sigmoid(gate(name, step, h)) for name in "ifo")
                c = f * c + i * torch.tanh(gate("g", step, h))
                h = o * torch.tanh(c)
            states.append(h)
        stacked = torch.stack(states)
        names = {**weights, "x": x, **starts}
        return {
            "h": stacked,
            **dict(zip(names, torch.autograd.grad(stacked, list(names.values()), cotangent), strict=True)),
        }

    return run


def scan(problem: Problem) -> Run | None:
    """JAX: jit, scan and grad; None where JAX is not installed."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None

    def step(weights: Any, carried: Any, x: Any) -> Any:
        h, c = carried

        def gate(name: str) -> Any:
            return h @ weights[f"W_{name}"].T + x @ weights[f"U_{name}"].T + weights[f"b_{name}"]

        if problem.cell == "rnn":
            h = jnp.tanh(gate("h"))
        elif problem.cell == "gru":
            r, z = jax.nn.sigmoid(gate("r")), jax.nn.sigmoid(gate("z"))
            n = x @ weights["U_n"].T + weights["b_n"] + r * (h @ weights["W_n"].T + weights["c_n"])
            h = (1 - z) * jnp.tanh(n) + z * h
        else:
            i, f, o = (jax.nn.sigmoid(gate(name)) for name in "ifo")
            c = f * c + i * jnp.tanh(gate("g"))
            h = o * jnp.tanh(c)
        return (h, c), h

    data = {name: jnp.asarray(value) for name, value in problem.data.items()}
    given = {**{name: jnp.asarray(value) for name, value in problem.weights.items()}, "x": data["x"]}
    given.update({name: data[name] for name in problem.starts})

    def total(arrays: Any) -> Any:
        start = (arrays["h_0"], arrays.get("C_0"))
        _, states = jax.lax.scan(lambda carried, x: step(arrays, carried, x), start, arrays["x"])
        return (states * data["cotangent"]).sum(), states

    function = jax.jit(jax.value_and_grad(total, has_aux=True))

    def run() -> Mapping[str, Any]:
        (_, states), gradients = jax.block_until_ready(function(given))
        return {"h": states, **gradients}

    return run


def products(problem: Problem) -> Run:
    """The matrix products alone, in the shapes that the recurrence forces: the floor under everybody."""
    T, B, d, n = problem.T, problem.B, problem.d, problem.n
    gates = len(problem.gates) * n
    h, z, x = torch.randn(T, B, n), torch.randn(T, B, gates), torch.randn(T * B, d)
    w, u = torch.randn(gates, n), torch.randn(gates, d)
    by_h, by_z, rows = torch.empty(B, n), torch.empty(B, gates), z.view(T * B, gates)
    by_x, by_w, by_u, by_rows = (
        torch.empty(T * B, d),
        torch.empty(gates, n),
        torch.empty(gates, d),
        torch.empty_like(rows),
    )

    def run() -> Mapping[str, Any]:
        torch.mm(x, u.T, out=by_rows)
        for t in range(T):
            torch.mm(h[t], w.T, out=by_z)
        for t in range(T):
            torch.mm(z[t], w, out=by_h)
        torch.mm(rows.T, h.view(T * B, n), out=by_w)
        torch.mm(rows.T, x, out=by_u)
        torch.mm(rows, u, out=by_x)
        return {}

    return run


def one_product(problem: Problem) -> Run:
    """As many multiplications as one large product."""
    rows, gates = problem.T * problem.B, len(problem.gates) * problem.n
    a, b = torch.randn(rows, 3 * (problem.n + problem.d)), torch.randn(3 * (problem.n + problem.d), gates)
    found = torch.empty(rows, gates)

    def run() -> Mapping[str, Any]:
        torch.mm(a, b, out=found)
        return {}

    return run
