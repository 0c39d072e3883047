"""True claims about networks with gates, as trees."""

from __future__ import annotations

from tests.verify.corpus.claims import Pairs, T, by_loss, h, h_bar, j, k, t, x
from tests.verify.corpus.language import (
    Node,
    Quantity,
    Time,
    add,
    comp,
    der,
    dfn,
    diag,
    eye,
    fn,
    grad,
    jac,
    mul,
    param,
    power,
    product,
    total,
)

C, C_bar, candidate = Quantity("C"), Quantity("C", "bar"), Quantity("~C")
f, i, o = Quantity("f"), Quantity("i"), Quantity("o")


class Gate:
    """A gate or a candidate: its parameters, its pre-activation and the slope of its activation there."""

    def __init__(self, label: str, function: str = "sigma", parameters: str | None = None) -> None:
        self.W, self.U, self.b = (param(f"{name}_{parameters or label}") for name in "WUb")
        self.z, self.delta = Quantity(f"z^{label}"), Quantity(f"z^{label}", "delta")
        self.function = function

    def slope(self, time: Time) -> Node:
        return dfn(self.function, self.z[time])

    def parameters(self, read: Node) -> Pairs:
        """The gradients of its parameters, where it reads this in the place of h_{t-1}."""
        return [
            (grad(self.W), total(t, 1, T, self.delta[t] @ read.T)),
            (grad(self.U), total(t, 1, T, self.delta[t] @ x[t].T)),
            (grad(self.b), total(t, 1, T, self.delta[t])),
        ]


FORGET, WRITE, READ, NEW = Gate("f"), Gate("i"), Gate("o"), Gate("C", "tanh", "c")
RESET, UPDATE, HIDDEN = Gate("r"), Gate("u"), Gate("h", "tanh")


def back(gates: tuple[Gate, ...], time: Time | int, letter: str) -> Node:
    """The sum of W^T delta, or U^T delta, over gates."""
    return add(*(getattr(gate, letter).T @ gate.delta[time] for gate in gates))


def memory() -> Pairs:
    """What an LSTM has with and without peepholes."""
    by_h = add(
        diag(C[t - 1] * FORGET.slope(t)) @ FORGET.W,
        diag(candidate[t] * WRITE.slope(t)) @ WRITE.W,
        diag(i[t] * NEW.slope(t)) @ NEW.W,
    )
    return [
        (jac(C[t], f[t]), diag(C[t - 1])),
        (jac(C[t], i[t]), diag(candidate[t])),
        (jac(C[t], candidate[t]), diag(i[t])),
        (jac(C[t], h[t - 1]), by_h),
        (FORGET.delta[t], C_bar[t] * C[t - 1] * FORGET.slope(t)),
        (WRITE.delta[t], C_bar[t] * candidate[t] * WRITE.slope(t)),
        (NEW.delta[t], C_bar[t] * i[t] * NEW.slope(t)),
        (READ.delta[t], h_bar[t] * fn("tanh", C[t]) * READ.slope(t)),
        (h_bar[t], by_loss(t) + back((FORGET, WRITE, READ, NEW), t + 1, "W")),
        (grad(x[t]), back((FORGET, WRITE, READ, NEW), t, "U")),
        (grad(h[0]), back((FORGET, WRITE, READ, NEW), 1, "W")),
        *FORGET.parameters(h[t - 1]),
        *NEW.parameters(h[t - 1])[:2],
        *READ.parameters(h[t - 1])[:1],
        (grad(WRITE.W), total(t, 1, T, (C_bar[t] * candidate[t] * WRITE.slope(t)) @ h[t - 1].T)),
    ]


def lstm() -> Pairs:
    by_c = diag(o[t] * dfn("tanh", C[t]))
    reads = C_bar[t] * candidate[t] * i[t] * comp(i[t])
    return [
        *memory(),
        (jac(C[t], C[t - 1], immediate=True), diag(f[t])),
        (jac(C[t], C[t - 1]), diag(f[t]) + jac(C[t], h[t - 1]) @ jac(h[t - 1], C[t - 1])),
        (jac(h[t], C[t]), by_c),
        (jac(h[t], C[t]), diag(o[t]) @ diag(comp(power(fn("tanh", C[t]), 2)))),
        (jac(h[t], o[t]), diag(fn("tanh", C[t]))),
        (jac(h[t], h[t - 1]), diag(fn("tanh", C[t]) * READ.slope(t)) @ READ.W + by_c @ jac(C[t], h[t - 1])),
        (jac(f[t], h[t - 1]), diag(f[t] * comp(f[t])) @ FORGET.W),
        (jac(i[t], x[t]), diag(WRITE.slope(t)) @ WRITE.U),
        (C_bar[t], h_bar[t] * o[t] * dfn("tanh", C[t]) + C_bar[t + 1] * f[t + 1]),
        (C_bar[t], o[t] * dfn("tanh", C[t]) * h_bar[t] + f[t + 1] * C_bar[t + 1]),
        (C_bar[T], by_loss(T) * o[T] * comp(power(fn("tanh", C[T]), 2))),
        (grad(C[0]), f[1] * C_bar[1]),
        (der(C[t]), der(h[t]) @ jac(h[t], C[t]) + der(C[t + 1]) @ diag(f[t + 1])),
        (der(C[t]), der(h[t]) @ jac(h[t], C[t]) + der(C[t + 1]) @ jac(C[t + 1], C[t], immediate=True)),
        (WRITE.slope(t), i[t] * comp(i[t])),
        (NEW.slope(t), comp(power(candidate[t], 2))),
        (WRITE.delta[t], reads),
        (
            jac(C[t], FORGET.W, immediate=True),
            diag(C[t - 1] * FORGET.slope(t)) @ jac(FORGET.z[t], FORGET.W, immediate=True),
        ),
    ]


def peephole() -> Pairs:
    p_f, p_i, p_o = (param(f"p_{label}") for label in "fio")
    through = h_bar[t] * o[t] * dfn("tanh", C[t]) + p_o * READ.delta[t]
    later = f[t + 1] * C_bar[t + 1] + p_f * FORGET.delta[t + 1] + p_i * WRITE.delta[t + 1]
    return [
        *memory(),
        (jac(h[t], C[t]), diag(o[t] * dfn("tanh", C[t])) + diag(fn("tanh", C[t]) * READ.slope(t) * p_o)),
        (
            jac(C[t], C[t - 1], immediate=True),
            add(diag(f[t]), diag(C[t - 1] * FORGET.slope(t) * p_f), diag(candidate[t] * WRITE.slope(t) * p_i)),
        ),
        (jac(f[t], C[t - 1], immediate=True), diag(FORGET.slope(t) * p_f)),
        (jac(o[t], C[t]), diag(READ.slope(t) * p_o)),
        (C_bar[t], through + later),
        (C_bar[T], h_bar[T] * o[T] * dfn("tanh", C[T]) + p_o * READ.delta[T]),
        (grad(p_f), total(t, 1, T, FORGET.delta[t] * C[t - 1])),
        (grad(p_i), total(t, 1, T, WRITE.delta[t] * C[t - 1])),
        (grad(p_o), total(t, 1, T, READ.delta[t] * C[t])),
        (grad(C[0]), f[1] * C_bar[1] + p_f * FORGET.delta[1] + p_i * WRITE.delta[1]),
    ]


def gru() -> Pairs:
    r, u, new = Quantity("r"), Quantity("u"), Quantity("~h")
    inner = diag(r[t]) + diag(h[t - 1] * RESET.slope(t)) @ RESET.W
    by_new = diag(u[t] * HIDDEN.slope(t)) @ HIDDEN.W
    step = diag(comp(u[t])) + diag((new[t] - h[t - 1]) * UPDATE.slope(t)) @ UPDATE.W + mul(by_new, inner)
    reset = r[t + 1] * (HIDDEN.W.T @ HIDDEN.delta[t + 1])
    return [
        (jac(h[t], h[t - 1]), step),
        (jac(h[t], new[t]), diag(u[t])),
        (jac(h[t], u[t]), diag(new[t] - h[t - 1])),
        (jac(new[t], r[t]), diag(HIDDEN.slope(t)) @ HIDDEN.W @ diag(h[t - 1])),
        (jac(new[t], h[t - 1]), mul(diag(HIDDEN.slope(t)), HIDDEN.W, inner)),
        (jac(u[t], h[t - 1]), diag(UPDATE.slope(t)) @ UPDATE.W),
        (jac(h[t], h[k]), product(j, k + 1, t, jac(h[j], h[j - 1]))),
        (HIDDEN.delta[t], h_bar[t] * u[t] * HIDDEN.slope(t)),
        (UPDATE.delta[t], h_bar[t] * (new[t] - h[t - 1]) * UPDATE.slope(t)),
        (RESET.delta[t], (HIDDEN.W.T @ HIDDEN.delta[t]) * h[t - 1] * RESET.slope(t)),
        (h_bar[t], add(by_loss(t), comp(u[t + 1]) * h_bar[t + 1], back((UPDATE, RESET), t + 1, "W"), reset)),
        (h_bar[T], by_loss(T)),
        *HIDDEN.parameters(r[t] * h[t - 1]),
        *UPDATE.parameters(h[t - 1])[:2],
        *RESET.parameters(h[t - 1])[:1],
        (grad(x[t]), back((RESET, UPDATE, HIDDEN), t, "U")),
        (UPDATE.slope(t), u[t] * comp(u[t])),
        (HIDDEN.slope(t), comp(power(new[t], 2))),
        (h[t], h[t - 1] + u[t] * (new[t] - h[t - 1])),
        (grad(h[t]), total(k, t, T, jac(h[k], h[t]).T @ by_loss(k))),
    ]


def mgu() -> Pairs:
    new = Quantity("~h")
    inner = diag(f[t]) + diag(h[t - 1] * FORGET.slope(t)) @ FORGET.W
    step = add(
        eye() - diag(f[t]),
        diag((new[t] - h[t - 1]) * FORGET.slope(t)) @ FORGET.W,
        mul(diag(f[t] * HIDDEN.slope(t)), HIDDEN.W, inner),
    )
    through = (new[t] - h[t - 1]) * h_bar[t] + h[t - 1] * (HIDDEN.W.T @ HIDDEN.delta[t])
    forgotten = f[t + 1] * (HIDDEN.W.T @ HIDDEN.delta[t + 1])
    return [
        (jac(h[t], h[t - 1]), step),
        (jac(h[t], new[t]), diag(f[t])),
        (jac(new[t], h[t - 1]), mul(diag(HIDDEN.slope(t)), HIDDEN.W, inner)),
        (jac(new[t], f[t]), diag(HIDDEN.slope(t)) @ HIDDEN.W @ diag(h[t - 1])),
        (HIDDEN.delta[t], f[t] * HIDDEN.slope(t) * h_bar[t]),
        (FORGET.delta[t], FORGET.slope(t) * through),
        (h_bar[t], add(by_loss(t), comp(f[t + 1]) * h_bar[t + 1], FORGET.W.T @ FORGET.delta[t + 1], forgotten)),
        *HIDDEN.parameters(f[t] * h[t - 1]),
        *FORGET.parameters(h[t - 1]),
        (grad(x[t]), back((FORGET, HIDDEN), t, "U")),
        (grad(h[0]), add(comp(f[1]) * h_bar[1], FORGET.W.T @ FORGET.delta[1], f[1] * (HIDDEN.W.T @ HIDDEN.delta[1]))),
        (FORGET.slope(t), f[t] * comp(f[t])),
        (der(h[t]), total(k, t, T, der(h[k], k) @ jac(h[k], h[t]))),
        (grad(HIDDEN.W), total(t, 1, T, (h_bar[t] * f[t] * comp(power(new[t], 2))) @ (f[t] * h[t - 1]).T)),
    ]
