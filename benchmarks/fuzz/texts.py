"""Cells, true equations and documents, which the generators change."""

from __future__ import annotations

import json
from typing import Any

RNN = r"""h_t = \tanh(W h_{t-1} + U x_t + b)
L = \sum_{t=1}^{T} L_t(h_t)"""
LSTM = r"""f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
i_t = \sigma(W_i h_{t-1} + U_i x_t + b_i)
o_t = \sigma(W_o h_{t-1} + U_o x_t + b_o)
\tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)
C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t
h_t = o_t \odot \tanh(C_t)
L = \sum_{t=1}^{T} L_t(h_t)"""
READOUT = r"""h_t = \sigma(W h_{t-1} + U x_t)
y_t = V h_t
L = \sum_{t=1}^{T} L_t(y_t)"""
SCALAR = r"""h_t = w h_{t-1} + u x_t
h_t, x_t, y_t \in \mathbb{R}
L = \sum_{t=1}^{T} (h_t - y_t)^2"""
ROWS = r"""s_i = \tanh(s_{i-1} U + x_i W + b)
o_i = \operatorname{softmax}(s_i V + c)
L = -\sum_{i=1}^{T} \log(o_i) e_{y_i}^\top"""
PLAIN = "h[t] = tanh(W @ h[t-1] + U @ x[t])\nL = sum_{t=1}^{T} L[t](h[t])"
TREE = r"""\tilde{h}_j = \sum_{k \in C(j)} h_k
h_j = \tanh(W x_j + U \tilde{h}_j)
L = \sum_{j=1}^{T} L_j(h_j)"""
MATRIX = r"""S_t = S_{t-1} + v_t k_t^\top
o_t = S_t q_t
L = \sum_{t=1}^{T} L_t(o_t)"""
CELLS = (RNN, LSTM, READOUT, SCALAR, ROWS, PLAIN, TREE, MATRIX)
"""Cells that can be read."""
TRUE = (
    (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) W"),
    (RNN, r"\nabla_W L = \sum_{t=1}^{T} \delta_t h_{t-1}^\top"),
    (RNN, r"\delta_t = (1 - h_t \odot h_t) \odot (\nabla_{h_t} L_t + W^\top \delta_{t+1})"),
    (RNN, r"\frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} \frac{\partial h_i}{\partial h_{i-1}}"),
    (
        RNN,
        r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t} "
        r"\frac{\partial h_t}{\partial h_k} \frac{\partial^+ h_k}{\partial W}",
    ),
    (RNN, r"h_t = \tanh(W h_{t-1} + U x_t + b)"),
    (RNN, r"\nabla_b L = \sum_{t=1}^T \delta_t"),
    (RNN, r"\lVert h_t \odot h_t \rVert \ge 0"),
    (LSTM, r"\frac{\partial^{+} C_t}{\partial C_{t-1}} = \operatorname{diag}(f_t)"),
    (LSTM, r"\nabla_{W_f} L = \sum_{t=1}^{T} \delta^f_t h_{t-1}^\top"),
    (LSTM, r"\bar{h}_t = \nabla_{h_t} L"),
    (SCALAR, r"\frac{\partial h_t}{\partial h_{t-1}} = w"),
    (SCALAR, r"\frac{\partial L}{\partial h_T} = 2 (h_T - y_T)"),
    (RNN, r"\frac{1}{2} + \frac{1}{3} = \frac{5}{6}"),
    (
        RNN,
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{pmatrix} 1 \\ 1 \end{pmatrix}"
        r" = \begin{pmatrix} 3 \\ 7 \end{pmatrix}",
    ),
    (RNN, r"W \in \mathbb{R}^{n \times n}"),
    (RNN, r"h_1 = \tanh(W h_0 + U x_1 + b) = h_1 + 0"),
    (ROWS, r"\nabla_V L = \sum_{i=1}^{T} s_i^\top (o_i - e_{y_i})"),
    (MATRIX, r"\nabla_{S_t} L = \bar{S}_t"),
)
"""Equations that are true, with their cells."""
_ARTICLE = r"""\documentclass{article}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\begin{document}
Let $g_t = \nabla_{h_t} L$. % a comment
\begin{align}
  \pd{h_t}{h_{t-1}} &= \operatorname{diag}(1 - h_t^2) W \label{eq:one} \\
  \nabla_W L &= \sum_{t=1}^{T} ((1 - h_t^2) \odot g_t) h_{t-1}^\top, \quad 1 \le t \le T
\end{align}
\[ \frac{\partial L}{\partial b} = \sum_{t=1}^{T} \delta_t^\top \]
\end{document}
"""
_ANSWERS = r"""# Answers

We have $$\frac{\partial C_t}{\partial C_{t-1}} = \operatorname{diag}(f_t)$$ and

```math
\nabla_{W_i} L = \sum_{t=1}^{T} \delta^i_t h_{t-1}^\top
\delta^i_t = \bar{C}_t \odot \tilde{C}_t \odot i_t \odot (1 - i_t)
```

- where $a_t := o_t \odot (1 - o_t)$, `code`, and \(h_t = o_t \odot \tanh(C_t)\).
"""
_LINES = """h_t = \\tanh(W h_{t-1} + U x_t + b)
delta[t] = (1 - h[t]**2) * (∇_{h[t]} L[t] + W.T @ delta[t+1])
"""
_OWN = r"""\[ h_t = \tanh(W h_{t-1} + U x_t) \]
\[ L = \sum_{t=1}^T L_t(h_t) \]
\begin{gather*} \nabla_U L = \sum_{t=1}^T \delta_t x_t^\top \end{gather*}
"""
_VALUES = r"""Set $$x_1 = \begin{pmatrix} 1 \\ 0 \end{pmatrix}$$
$$W = \begin{pmatrix} 0.1 & 0.8 \\ 0.2 & 0.5 \end{pmatrix}$$ $$U = \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}$$
$$b = \begin{pmatrix} 0 \\ 0 \end{pmatrix}$$ $$T = 1$$ $$h_0 = \begin{pmatrix} 0 \\ 0 \end{pmatrix}$$
$$h_1 \approx \begin{pmatrix} 0.76 \\ 0 \end{pmatrix}$$
"""
_CASES = r"""\[ \delta_t = \begin{cases} (1 - h_T^2) \odot \nabla_{h_T} L_T & \text{if } t = T, \\
  (1 - h_t^2) \odot (\nabla_{h_t} L_t + W^\top \delta_{t+1}) & \text{otherwise} \end{cases} \]
$$\begin{aligned} \partial_b L &= \sum_{t=1}^T \delta_t^\top \\ \partial_{h_{t-1}} h_t &= \operatorname{diag}(1 - h_t^2) W \end{aligned}$$
"""
_BOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "markdown", "source": ["# One\n", "$$\\nabla_b L = \\sum_{t=1}^T \\delta_t$$"]},
        {"cell_type": "code", "source": "import os"},
        {"cell_type": "markdown", "source": "\\[ W = W^\\top \\]"},
    ],
    "nbformat": 4,
}
DOCUMENTS: tuple[tuple[str | None, str], ...] = (
    (RNN, _ARTICLE),
    (LSTM, _ANSWERS),
    (RNN, _LINES),
    (None, _OWN),
    (RNN, _VALUES),
    (RNN, _CASES),
    (RNN, json.dumps(_BOOK)),
)
"""Documents, with their cells."""
