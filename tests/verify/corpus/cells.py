"""The recurrent networks of the corpus, twice each: as the text of a cell, and as a step in torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


class Step(Protocol):
    """What a step of a network sees: values at this and earlier times, and where it puts what it computes."""

    def q(self, name: str, offset: int = 0) -> Tensor: ...

    def p(self, name: str) -> Tensor: ...

    def let(self, name: str, value: Tensor) -> Tensor: ...

    def abstract_loss(self, value: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Model:
    """A network. Shapes are two letters of n, d, m and 1, rows first; a scalar has none.

    `activations` says which quantity is which function of which: ``{"h": ("tanh", "z")}``.
    """

    name: str
    text: str
    step: Callable[[Step], None]
    params: dict[str, str]
    starts: dict[str, str]
    inputs: dict[str, str] = field(default_factory=lambda: {"x": "d1"})
    activations: dict[str, tuple[str, str]] = field(default_factory=dict)
    rows: bool = False
    lags: int = 1
    index: str = "t"


def affine(s: Step, label: str, state: Tensor) -> Tensor:
    """W h + U x + b with the labels of a gate."""
    return s.p(f"W_{label}") @ state + s.p(f"U_{label}") @ s.q("x") + s.p(f"b_{label}")


def gates(labels: str) -> dict[str, str]:
    """The parameters of gates, and their shapes."""
    return {f"{name}_{label}": shape for label in labels for name, shape in (("W", "nn"), ("U", "nd"), ("b", "n1"))}


def rnn_tanh(s: Step) -> None:
    z = s.let("z", s.p("W") @ s.q("h", -1) + s.p("U") @ s.q("x") + s.p("b"))
    s.let("L", s.abstract_loss(s.let("h", torch.tanh(z))))


def rnn_sigma(s: Step) -> None:
    a = s.let("a", s.p("W") @ s.q("h", -1) + s.p("U") @ s.q("x"))
    s.let("L", s.abstract_loss(s.let("h", torch.sigmoid(a))))


def rnn_softmax(s: Step) -> None:
    z = s.let("z", s.p("W") @ s.q("h", -1) + s.p("U") @ s.q("x") + s.p("b"))
    h = s.let("h", torch.tanh(z))
    q = s.let("q", s.p("V") @ h + s.p("c"))
    p = s.let("p", torch.softmax(q, 0))
    s.let("L", -(s.q("e_y") * torch.log(p)).sum())


def rnn_squared(s: Step) -> None:
    z = s.let("z", s.p("W") @ s.q("h", -1) + s.p("U") @ s.q("x") + s.p("b"))
    h = s.let("h", torch.sigmoid(z))
    y = s.let("y", s.p("V") @ h + s.p("c"))
    s.let("L", ((y - s.q("r")) ** 2).sum() / 2)


def linear(s: Step) -> None:
    h = s.let("h", s.p("W") @ s.q("h", -1) + s.p("U") @ s.q("x"))
    s.let("L", s.abstract_loss(h))


def two_lags(s: Step) -> None:
    z = s.let("z", s.p("W") @ s.q("h", -1) + s.p("V") @ s.q("h", -2) + s.p("U") @ s.q("x"))
    s.let("L", s.abstract_loss(s.let("h", torch.tanh(z))))


def leaky(s: Step) -> None:
    z = s.let("z", s.p("W") @ s.q("h", -1) + s.p("U") @ s.q("x") + s.p("b"))
    h = s.let("h", (1 - s.p("alpha")) * s.q("h", -1) + s.p("alpha") * torch.tanh(z))
    s.let("L", s.abstract_loss(h))


def indrnn(s: Step) -> None:
    z = s.let("z", s.p("w") * s.q("h", -1) + s.p("U") @ s.q("x") + s.p("b"))
    s.let("L", s.abstract_loss(s.let("h", torch.sigmoid(z))))


def row(s: Step) -> None:
    z = s.let("z", s.q("s", -1) @ s.p("U") + s.q("x") @ s.p("W"))
    s.let("L", s.abstract_loss(s.let("s", torch.tanh(z))))


def two_layers(s: Step) -> None:
    z1 = s.let("z^[1]", s.p("W_1") @ s.q("h^[1]", -1) + s.p("U_1") @ s.q("x") + s.p("b_1"))
    h1 = s.let("h^[1]", torch.tanh(z1))
    z2 = s.let("z^[2]", s.p("W_2") @ s.q("h^[2]", -1) + s.p("U_2") @ h1 + s.p("b_2"))
    s.let("L", s.abstract_loss(s.let("h^[2]", torch.tanh(z2))))


def lstm(s: Step) -> None:
    f = s.let("f", torch.sigmoid(s.let("z^f", affine(s, "f", s.q("h", -1)))))
    i = s.let("i", torch.sigmoid(s.let("z^i", affine(s, "i", s.q("h", -1)))))
    o = s.let("o", torch.sigmoid(s.let("z^o", affine(s, "o", s.q("h", -1)))))
    candidate = s.let("~C", torch.tanh(s.let("z^C", affine(s, "c", s.q("h", -1)))))
    c = s.let("C", f * s.q("C", -1) + i * candidate)
    s.let("L", s.abstract_loss(s.let("h", o * torch.tanh(c))))


def peephole(s: Step) -> None:
    h, before = s.q("h", -1), s.q("C", -1)
    f = s.let("f", torch.sigmoid(s.let("z^f", affine(s, "f", h) + s.p("p_f") * before)))
    i = s.let("i", torch.sigmoid(s.let("z^i", affine(s, "i", h) + s.p("p_i") * before)))
    candidate = s.let("~C", torch.tanh(s.let("z^C", affine(s, "c", h))))
    c = s.let("C", f * before + i * candidate)
    o = s.let("o", torch.sigmoid(s.let("z^o", affine(s, "o", h) + s.p("p_o") * c)))
    s.let("L", s.abstract_loss(s.let("h", o * torch.tanh(c))))


def gru(s: Step) -> None:
    before = s.q("h", -1)
    r = s.let("r", torch.sigmoid(s.let("z^r", affine(s, "r", before))))
    u = s.let("u", torch.sigmoid(s.let("z^u", affine(s, "u", before))))
    candidate = s.let("~h", torch.tanh(s.let("z^h", affine(s, "h", r * before))))
    s.let("L", s.abstract_loss(s.let("h", (1 - u) * before + u * candidate)))


def mgu(s: Step) -> None:
    before = s.q("h", -1)
    f = s.let("f", torch.sigmoid(s.let("z^f", affine(s, "f", before))))
    candidate = s.let("~h", torch.tanh(s.let("z^h", affine(s, "h", f * before))))
    s.let("L", s.abstract_loss(s.let("h", (1 - f) * before + f * candidate)))


LOSS = r"L = \sum_{t=1}^{T} L_t(h_t)"
ELMAN = {"W": "nn", "U": "nd", "b": "n1"}
LSTM = {"f": ("sigma", "z^f"), "i": ("sigma", "z^i"), "o": ("sigma", "z^o"), "~C": ("tanh", "z^C")}


def lines(*equations: str) -> str:
    return "\n".join(equations)


MODELS = {
    model.name: model
    for model in (
        Model(
            "rnn-tanh",
            lines(r"h_t = \tanh(W h_{t-1} + U x_t + b)", LOSS),
            rnn_tanh,
            ELMAN,
            {"h": "n1"},
            activations={"h": ("tanh", "z")},
        ),
        Model(
            "rnn-sigma",
            lines(r"a_t = W h_{t-1} + U x_t", r"h_t = \sigma(a_t)", LOSS),
            rnn_sigma,
            {"W": "nn", "U": "nd"},
            {"h": "n1"},
            activations={"h": ("sigma", "a")},
        ),
        Model(
            "rnn-softmax",
            lines(
                r"h_t = \tanh(W h_{t-1} + U x_t + b)",
                r"q_t = V h_t + c",
                r"p_t = \operatorname{softmax}(q_t)",
                r"L_t = -e_{y_t}^\top \log(p_t)",
                r"L = \sum_{t=1}^{T} L_t",
            ),
            rnn_softmax,
            {**ELMAN, "V": "mn", "c": "m1"},
            {"h": "n1"},
            {"x": "d1", "e_y": "m1"},
            {"h": ("tanh", "z")},
        ),
        Model(
            "rnn-squared",
            lines(
                r"h_t = \sigma(W h_{t-1} + U x_t + b)",
                r"y_t = V h_t + c",
                r"L = \frac{1}{2} \sum_{t=1}^{T} \lVert y_t - r_t \rVert^2",
            ),
            rnn_squared,
            {**ELMAN, "V": "mn", "c": "m1"},
            {"h": "n1"},
            {"x": "d1", "r": "m1"},
            {"h": ("sigma", "z")},
        ),
        Model(
            "linear",
            lines(r"h_t = W h_{t-1} + U x_t", LOSS),
            linear,
            {"W": "nn", "U": "nd"},
            {"h": "n1"},
        ),
        Model(
            "two-lags",
            lines(r"h_t = \tanh(W h_{t-1} + V h_{t-2} + U x_t)", LOSS),
            two_lags,
            {"W": "nn", "V": "nn", "U": "nd"},
            {"h": "n1"},
            activations={"h": ("tanh", "z")},
            lags=2,
        ),
        Model(
            "leaky",
            lines(r"h_t = (1 - \alpha) h_{t-1} + \alpha \tanh(W h_{t-1} + U x_t + b)", LOSS),
            leaky,
            {**ELMAN, "alpha": ""},
            {"h": "n1"},
        ),
        Model(
            "indrnn",
            lines(r"h_t = \sigma(w \odot h_{t-1} + U x_t + b)", LOSS),
            indrnn,
            {"w": "n1", "U": "nd", "b": "n1"},
            {"h": "n1"},
            activations={"h": ("sigma", "z")},
        ),
        Model(
            "row",
            lines(r"z_i = s_{i-1} U + x_i W", r"s_i = \tanh(z_i)", r"L = \sum_{i=1}^{T} L_i(s_i)"),
            row,
            {"U": "nn", "W": "dn"},
            {"s": "1n"},
            {"x": "1d"},
            {"s": ("tanh", "z")},
            rows=True,
            index="i",
        ),
        Model(
            "two-layers",
            lines(
                r"h^{[1]}_t = \tanh(W_1 h^{[1]}_{t-1} + U_1 x_t + b_1)",
                r"h^{[2]}_t = \tanh(W_2 h^{[2]}_{t-1} + U_2 h^{[1]}_t + b_2)",
                r"L = \sum_{t=1}^{T} L_t(h^{[2]}_t)",
            ),
            two_layers,
            {"W_1": "nn", "U_1": "nd", "b_1": "n1", "W_2": "mm", "U_2": "mn", "b_2": "m1"},
            {"h^[1]": "n1", "h^[2]": "m1"},
            activations={"h^[1]": ("tanh", "z^[1]"), "h^[2]": ("tanh", "z^[2]")},
        ),
        Model(
            "lstm",
            lines(
                r"f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)",
                r"i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)",
                r"o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)",
                r"\tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)",
                r"C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t",
                r"h_t = o_t \odot \tanh(C_t)",
                LOSS,
            ),
            lstm,
            gates("fioc"),
            {"h": "n1", "C": "n1"},
            activations=LSTM,
        ),
        Model(
            "peephole-lstm",
            lines(
                r"f_t = \sigma(W_f h_{t-1} + U_f x_t + p_f \odot C_{t-1} + b_f)",
                r"i_t = \sigma(W_i h_{t-1} + U_i x_t + p_i \odot C_{t-1} + b_i)",
                r"\tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)",
                r"C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t",
                r"o_t = \sigma(W_o h_{t-1} + U_o x_t + p_o \odot C_t + b_o)",
                r"h_t = o_t \odot \tanh(C_t)",
                LOSS,
            ),
            peephole,
            {**gates("fioc"), "p_f": "n1", "p_i": "n1", "p_o": "n1"},
            {"h": "n1", "C": "n1"},
            activations=LSTM,
        ),
        Model(
            "gru",
            lines(
                r"r_t = \sigma(W_r h_{t-1} + U_r x_t + b_r)",
                r"u_t = \sigma(W_u h_{t-1} + U_u x_t + b_u)",
                r"\tilde{h}_t = \tanh(W_h (r_t \odot h_{t-1}) + U_h x_t + b_h)",
                r"h_t = (1 - u_t) \odot h_{t-1} + u_t \odot \tilde{h}_t",
                LOSS,
            ),
            gru,
            gates("ruh"),
            {"h": "n1"},
            activations={"r": ("sigma", "z^r"), "u": ("sigma", "z^u"), "~h": ("tanh", "z^h")},
        ),
        Model(
            "mgu",
            lines(
                r"f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)",
                r"\tilde{h}_t = \tanh(W_h (f_t \odot h_{t-1}) + U_h x_t + b_h)",
                r"h_t = (1 - f_t) \odot h_{t-1} + f_t \odot \tilde{h}_t",
                LOSS,
            ),
            mgu,
            gates("fh"),
            {"h": "n1"},
            activations={"f": ("sigma", "z^f"), "~h": ("tanh", "z^h")},
        ),
    )
}
