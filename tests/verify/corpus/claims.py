"""True claims about networks without gates, as trees."""

from __future__ import annotations

from collections.abc import Callable

from tests.verify.corpus.language import (
    Claim,
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
    had,
    jac,
    mul,
    param,
    power,
    product,
    total,
)

t, k, j, T = Time("t"), Time("k"), Time("j"), Time("T")
W, U, V, b, c = (param(name) for name in "WUVbc")
h, x = Quantity("h"), Quantity("x")
h_bar = Quantity("h", "bar")
Pairs = list[tuple[Node, Node]]


def claims(pairs: Pairs) -> list[Claim]:
    return [Claim(left, right) for left, right in pairs]


def recurrent(slope: Callable[[Time], Node], pre: str, source: Callable[[Time], Node]) -> Pairs:
    """What holds of h_t = f(z_t) with z_t = W h_{t-1} + U x_t.

    `slope` is f'(z_t), `pre` the name of z, `source` the gradient of what the loss reads at t by h_t.
    """
    z, delta = Quantity(pre), Quantity(pre, "delta")
    step = diag(slope(t)) @ W
    stretch = product(j, k + 1, t, diag(slope(j)) @ W)
    return [
        (jac(h[t], h[t - 1]), step),
        (jac(h[t], z[t]), diag(slope(t))),
        (jac(h[t + 1], h[t]), diag(slope(t + 1)) @ W),
        (jac(z[t], h[t - 1]), W),
        (jac(z[t], z[t - 1]), W @ diag(slope(t - 1))),
        (jac(h[t], x[t]), diag(slope(t)) @ U),
        (jac(h[t], h[k]), stretch),
        (jac(h[t], h[k]), product(j, k + 1, t, jac(h[j], h[j - 1]))),
        (jac(h[T], h[t]), product(k, t, T - 1, jac(h[k + 1], h[k]))),
        (jac(h[t], x[k]), stretch @ diag(slope(k)) @ U),
        (jac(h[t], h[t - 2]), step @ diag(slope(t - 1)) @ W),
        (delta[t], slope(t) * h_bar[t]),
        (delta[t], slope(t) * (source(t) + W.T @ delta[t + 1])),
        (delta[T], slope(T) * source(T)),
        (h_bar[t], source(t) + W.T @ delta[t + 1]),
        (h_bar[t], source(t) + W.T @ diag(slope(t + 1)) @ h_bar[t + 1]),
        (h_bar[T], source(T)),
        (grad(h[t]), total(k, t, T, jac(h[k], h[t]).T @ source(k))),
        (grad(W), total(t, 1, T, delta[t] @ h[t - 1].T)),
        (grad(U), total(t, 1, T, delta[t] @ x[t].T)),
        (grad(W), total(t, 1, T, (slope(t) * grad(h[t])) @ h[t - 1].T)),
        (grad(U), total(t, 1, T, diag(slope(t)) @ h_bar[t] @ x[t].T)),
        (grad(x[t]), U.T @ delta[t]),
        (der(x[t]), delta[t].T @ U),
        (grad(h[0]), W.T @ delta[1]),
        (der(z[t]), der(h[t]) @ diag(slope(t))),
        (grad(W), total(t, 1, T, total(k, 1, t, (slope(k) * (jac(h[t], h[k]).T @ source(t))) @ h[k - 1].T))),
    ]


def step_losses(slope: Callable[[Time], Node], pre: str) -> Pairs:
    """What holds where the loss is a sum of losses L_t of h_t."""
    z = Quantity(pre)
    chain = der(h[t], t) @ jac(h[t], h[k])
    return [
        (der(W), total(t, 1, T, total(k, 1, t, chain @ jac(h[k], W)))),
        (der(W), total(t, 1, T, total(k, 1, t, chain @ jac(h[k], W, immediate=True)))),
        (der(h[t - 1]), der(h[t - 1], t - 1) + der(h[t]) @ jac(h[t], h[t - 1])),
        (der(h[k], t), der(h[t], t) @ product(j, k + 1, t, jac(h[j], h[j - 1]))),
        (der(z[t]), (der(h[t], t) + der(h[t + 1]) @ jac(h[t + 1], h[t])) @ diag(slope(t))),
        (der(h[t]), total(k, t, T, der(h[k], k) @ jac(h[k], h[t]))),
        (der(x[k], t), chain @ diag(slope(k)) @ U),
    ]


def bias(slope: Callable[[Time], Node], pre: str) -> Pairs:
    """What holds of a bias b."""
    delta = Quantity(pre, "delta")
    stretch = product(j, k + 1, t, diag(slope(j)) @ W)
    return [
        (grad(b), total(t, 1, T, delta[t])),
        (der(b), total(t, 1, T, delta[t].T)),
        (jac(h[t], b, immediate=True), diag(slope(t))),
        (jac(h[t], b), total(k, 1, t, stretch @ diag(slope(k)))),
        (jac(h[t], b), jac(h[t], b, immediate=True) + jac(h[t], h[t - 1]) @ jac(h[t - 1], b)),
    ]


def by_loss(time: Time) -> Node:
    return grad(h[time], time)


def rnn_tanh() -> Pairs:
    z = Quantity("z")

    def slope(time: Time) -> Node:
        return dfn("tanh", z[time])

    rewrites: Pairs = [
        (slope(t), comp(power(h[t], 2))),
        (jac(h[t], h[t - 1]), diag(comp(power(h[t], 2))) @ W),
        (W.T @ (slope(t) * h_bar[t]), (diag(slope(t)) @ W).T @ h_bar[t]),
        (had(h[t], h[t]) @ x[t].T, diag(h[t]) @ h[t] @ x[t].T),
    ]
    return recurrent(slope, "z", by_loss) + step_losses(slope, "z") + bias(slope, "z") + rewrites


def rnn_sigma() -> Pairs:
    a = Quantity("a")

    def slope(time: Time) -> Node:
        return dfn("sigma", a[time])

    rewrites: Pairs = [
        (slope(t), h[t] * comp(h[t])),
        (jac(h[t], h[t - 1]), diag(h[t] * comp(h[t])) @ W),
        ((diag(h[t]) @ W).T, W.T @ diag(h[t])),
        (diag(slope(t)), diag(h[t]) - diag(power(h[t], 2))),
    ]
    return recurrent(slope, "a", by_loss) + step_losses(slope, "a") + rewrites


def rnn_softmax() -> Pairs:
    z, q, p, e = Quantity("z"), Quantity("q"), Quantity("p"), Quantity("e_y")
    delta = Quantity("z", "delta")

    def slope(time: Time) -> Node:
        return dfn("tanh", z[time])

    def source(time: Time) -> Node:
        return V.T @ (p[time] - e[time])

    return [
        *recurrent(slope, "z", source)[11:],
        (jac(p[t], q[t]), diag(p[t]) - p[t] @ p[t].T),
        (grad(q[t]), p[t] - e[t]),
        (grad(q[t], t), p[t] - e[t]),
        (der(h[t], t), (p[t] - e[t]).T @ V),
        (grad(h[t], t), V.T @ (p[t] - e[t])),
        (grad(V), total(t, 1, T, (p[t] - e[t]) @ h[t].T)),
        (grad(c), total(t, 1, T, p[t] - e[t])),
        (grad(b), total(t, 1, T, delta[t])),
        (jac(p[t], h[t]), (diag(p[t]) - p[t] @ p[t].T) @ V),
        (der(V), total(t, 1, T, grad(q[t]) @ h[t].T)),
        (p[t], fn("softmax", V @ h[t] + c)),
    ]


def rnn_squared() -> Pairs:
    z, y, r = Quantity("z"), Quantity("y"), Quantity("r")

    def slope(time: Time) -> Node:
        return dfn("sigma", z[time])

    def source(time: Time) -> Node:
        return V.T @ (y[time] - r[time])

    return [
        *recurrent(slope, "z", source)[11:],
        *bias(slope, "z"),
        (grad(y[t]), y[t] - r[t]),
        (grad(V), total(t, 1, T, (y[t] - r[t]) @ h[t].T)),
        (grad(c), total(t, 1, T, y[t] - r[t])),
        (jac(y[t], h[t - 1]), V @ diag(slope(t)) @ W),
        (jac(y[t], h[k]), V @ product(j, k + 1, t, diag(slope(j)) @ W)),
        (der(r[t]), (r[t] - y[t]).T),
    ]


def linear() -> Pairs:
    return [
        (jac(h[t], h[t - 1]), W),
        (jac(h[t], h[k]), product(j, k + 1, t, W)),
        (jac(h[t], x[t]), U),
        (jac(h[t], x[t - 1]), W @ U),
        (h_bar[t], by_loss(t) + W.T @ h_bar[t + 1]),
        (grad(h[t]), total(k, t, T, jac(h[k], h[t]).T @ by_loss(k))),
        (grad(W), total(t, 1, T, h_bar[t] @ h[t - 1].T)),
        (grad(U), total(t, 1, T, h_bar[t] @ x[t].T)),
        (grad(x[t]), U.T @ h_bar[t]),
        (grad(h[0]), W.T @ h_bar[1]),
        (der(h[t]), der(h[t], t) + der(h[t + 1]) @ W),
        (grad(h[t - 1]), by_loss(t - 1) + W.T @ grad(h[t])),
        (jac(h[t], h[t - 2]), W @ W),
        (der(W), total(t, 1, T, total(k, 1, t, der(h[t], t) @ jac(h[t], h[k]) @ jac(h[k], W)))),
        (grad(W), total(t, 1, T, total(k, 1, t, (jac(h[t], h[k]).T @ by_loss(t)) @ h[k - 1].T))),
        (h[t], W @ W @ h[t - 2] + W @ U @ x[t - 1] + U @ x[t]),
        (h_bar[T - 1], by_loss(T - 1) + W.T @ by_loss(T)),
    ]


def two_lags() -> Pairs:
    z, delta = Quantity("z"), Quantity("z", "delta")

    def slope(time: Time) -> Node:
        return dfn("tanh", z[time])

    return [
        (jac(h[t], h[t - 1]), diag(slope(t)) @ W),
        (jac(h[t], h[t - 2], immediate=True), diag(slope(t)) @ V),
        (jac(h[t], h[t - 2]), diag(slope(t)) @ (W @ diag(slope(t - 1)) @ W + V)),
        (jac(h[t], h[t - 2]), jac(h[t], h[t - 1]) @ jac(h[t - 1], h[t - 2]) + diag(slope(t)) @ V),
        (delta[t], slope(t) * h_bar[t]),
        (delta[t], slope(t) * (by_loss(t) + W.T @ delta[t + 1] + V.T @ delta[t + 2])),
        (h_bar[t], by_loss(t) + W.T @ delta[t + 1] + V.T @ delta[t + 2]),
        (h_bar[T], by_loss(T)),
        (grad(W), total(t, 1, T, delta[t] @ h[t - 1].T)),
        (grad(V), total(t, 1, T, delta[t] @ h[t - 2].T)),
        (grad(U), total(t, 1, T, delta[t] @ x[t].T)),
        (grad(V), total(t, 1, T, (slope(t) * h_bar[t]) @ h[t - 2].T)),
        (grad(x[t]), U.T @ delta[t]),
        (grad(h[0]), W.T @ delta[1] + V.T @ delta[2]),
        (grad(h[-1]), V.T @ delta[1]),
        (grad(h[t]), total(k, t, T, jac(h[k], h[t]).T @ by_loss(k))),
        (der(h[t]), total(k, t, T, der(h[k], k) @ jac(h[k], h[t]))),
        (slope(t), comp(power(h[t], 2))),
    ]


def leaky() -> Pairs:
    z, delta, alpha = Quantity("z"), Quantity("z", "delta"), param("alpha")

    def slope(time: Time) -> Node:
        return dfn("tanh", z[time])

    step = comp(alpha) @ eye() + alpha @ diag(slope(t)) @ W
    return [
        (jac(h[t], h[t - 1]), step),
        (jac(h[t], z[t]), alpha @ diag(slope(t))),
        (jac(h[t], x[t]), alpha @ diag(slope(t)) @ U),
        (jac(h[t], h[k]), product(j, k + 1, t, comp(alpha) @ eye() + alpha @ diag(slope(j)) @ W)),
        (jac(h[t], b, immediate=True), alpha @ diag(slope(t))),
        (delta[t], alpha @ (slope(t) * h_bar[t])),
        (h_bar[t], by_loss(t) + comp(alpha) @ h_bar[t + 1] + W.T @ delta[t + 1]),
        (h_bar[t], by_loss(t) + comp(alpha) @ h_bar[t + 1] + alpha @ W.T @ (slope(t + 1) * h_bar[t + 1])),
        (h_bar[T], by_loss(T)),
        (grad(W), total(t, 1, T, delta[t] @ h[t - 1].T)),
        (grad(U), total(t, 1, T, delta[t] @ x[t].T)),
        (grad(b), total(t, 1, T, delta[t])),
        (grad(W), alpha @ total(t, 1, T, (slope(t) * h_bar[t]) @ h[t - 1].T)),
        (der(alpha), total(t, 1, T, h_bar[t].T @ (fn("tanh", z[t]) - h[t - 1]))),
        (grad(h[0]), comp(alpha) @ h_bar[1] + W.T @ delta[1]),
        (grad(h[t]), total(k, t, T, jac(h[k], h[t]).T @ by_loss(k))),
        (jac(h[t], h[t - 2]), jac(h[t], h[t - 1]) @ jac(h[t - 1], h[t - 2])),
    ]


def indrnn() -> Pairs:
    z, delta, w = Quantity("z"), Quantity("z", "delta"), param("w")

    def slope(time: Time) -> Node:
        return dfn("sigma", z[time])

    return [
        (jac(h[t], h[t - 1]), diag(slope(t) * w)),
        (jac(h[t], h[t - 1]), diag(slope(t)) @ diag(w)),
        (jac(z[t], h[t - 1]), diag(w)),
        (jac(h[t], h[k]), product(j, k + 1, t, diag(slope(j) * w))),
        (jac(h[t], x[t]), diag(slope(t)) @ U),
        (jac(h[t], w, immediate=True), diag(slope(t) * h[t - 1])),
        (jac(h[t], w), diag(slope(t) * h[t - 1]) + diag(slope(t) * w) @ jac(h[t - 1], w)),
        (delta[t], slope(t) * h_bar[t]),
        (delta[t], slope(t) * (by_loss(t) + w * delta[t + 1])),
        (h_bar[t], by_loss(t) + w * slope(t + 1) * h_bar[t + 1]),
        (grad(w), total(t, 1, T, delta[t] * h[t - 1])),
        (grad(w), total(t, 1, T, slope(t) * h_bar[t] * h[t - 1])),
        (grad(U), total(t, 1, T, delta[t] @ x[t].T)),
        (grad(b), total(t, 1, T, delta[t])),
        (grad(x[t]), U.T @ delta[t]),
        (grad(h[0]), w * delta[1]),
        (der(w), total(t, 1, T, total(k, 1, t, der(h[t], t) @ jac(h[t], h[k]) @ jac(h[k], w)))),
        (slope(t), h[t] * comp(h[t])),
    ]


def row() -> Pairs:
    i, s, z = Time("i"), Quantity("s"), Quantity("z")
    delta, s_bar = Quantity("z", "delta"), Quantity("s", "bar")

    def slope(time: Time) -> Node:
        return dfn("tanh", z[time])

    return [
        (jac(s[i], s[i - 1]), diag(slope(i)) @ U.T),
        (jac(s[i], s[k]), product(j, k + 1, i, diag(slope(j)) @ U.T)),
        (jac(s[i], z[i]), diag(slope(i))),
        (delta[i], s_bar[i] * slope(i)),
        (delta[i], (grad(s[i], i) + delta[i + 1] @ U.T) * slope(i)),
        (s_bar[i], grad(s[i], i) + delta[i + 1] @ U.T),
        (s_bar[i], grad(s[i], i) + s_bar[i + 1] @ diag(slope(i + 1)) @ U.T),
        (s_bar[T], grad(s[T], T)),
        (grad(U), total(i, 1, T, s[i - 1].T @ delta[i])),
        (grad(W), total(i, 1, T, x[i].T @ delta[i])),
        (grad(U), total(i, 1, T, s[i - 1].T @ (s_bar[i] * slope(i)))),
        (grad(x[i]), delta[i] @ W.T),
        (grad(s[0]), delta[1] @ U.T),
        (slope(i), comp(power(s[i], 2))),
        (grad(W), total(i, 1, T, x[i].T @ (s_bar[i] * comp(power(s[i], 2))))),
        (z[i], s[i - 1] @ U + x[i] @ W),
    ]


def two_layers() -> Pairs:
    h1, h2, z1, z2 = (Quantity(name) for name in ("h^[1]", "h^[2]", "z^[1]", "z^[2]"))
    d1, d2 = Quantity("z^[1]", "delta"), Quantity("z^[2]", "delta")
    bar1, bar2 = Quantity("h^[1]", "bar"), Quantity("h^[2]", "bar")
    W1, W2, U1, U2, b1 = (param(name) for name in ("W_1", "W_2", "U_1", "U_2", "b_1"))

    def slope1(time: Time) -> Node:
        return dfn("tanh", z1[time])

    def slope2(time: Time) -> Node:
        return dfn("tanh", z2[time])

    across = diag(slope2(t)) @ add(W2 @ diag(slope2(t - 1)) @ U2, U2 @ diag(slope1(t)) @ W1)
    return [
        (jac(h1[t], h1[t - 1]), diag(slope1(t)) @ W1),
        (jac(h2[t], h2[t - 1]), diag(slope2(t)) @ W2),
        (jac(h2[t], h1[t]), diag(slope2(t)) @ U2),
        (jac(h2[t], h1[t - 1]), across),
        (d2[t], slope2(t) * (grad(h2[t], t) + W2.T @ d2[t + 1])),
        (d1[t], slope1(t) * (U2.T @ d2[t] + W1.T @ d1[t + 1])),
        (d1[t], slope1(t) * bar1[t]),
        (bar1[t], U2.T @ d2[t] + W1.T @ d1[t + 1]),
        (bar2[t], grad(h2[t], t) + W2.T @ d2[t + 1]),
        (grad(W1), total(t, 1, T, d1[t] @ h1[t - 1].T)),
        (grad(W2), total(t, 1, T, d2[t] @ h2[t - 1].T)),
        (grad(U1), total(t, 1, T, d1[t] @ x[t].T)),
        (grad(U2), total(t, 1, T, d2[t] @ h1[t].T)),
        (grad(b1), total(t, 1, T, d1[t])),
        (grad(x[t]), U1.T @ d1[t]),
        (grad(h1[0]), W1.T @ d1[1]),
        (jac(h2[t], h2[k]), product(j, k + 1, t, diag(slope2(j)) @ W2)),
        (d1[T], slope1(T) * (U2.T @ d2[T])),
        (jac(h2[t], x[t]), mul(diag(slope2(t)), U2, diag(slope1(t)), U1)),
    ]
