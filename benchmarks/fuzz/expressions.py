"""Random expressions: of any kind, of one shape, or of numbers alone."""

from __future__ import annotations

import re
from random import Random

from benchmarks.fuzz.pieces import listed

_SHAPES = listed(
    r"""
    A B  A + B  A - B  A \odot B  (A) B  -A  \frac{A}{B}  (A)^\top  \tanh(A)  \sigma'(A)  \operatorname{diag}(A)
    (A)^2  (A)^{-1}  \sum_{k=1}^{t} A  \sum_{t=1}^{T} A B  \prod_{k=2}^{t} (A)  \lVert A \rVert  \sqrt{A}
    \left[ A \right]  {A}  A^{B}  \frac{\partial A}{\partial B}  \nabla_{A} B  \frac{\partial h_t}{\partial h_{t-1}} A
    \operatorname{tr}(A)  \begin{pmatrix} A & B \end{pmatrix}  \begin{pmatrix} A \\ B \end{pmatrix}  \max(A, B)
    A \otimes B  \underbrace{A}_{B}  \operatorname{vec}(A)  A \cdot B  \exp(A)  \log(A)  \lvert A \rvert
    \operatorname{softmax}(A)  \mathbf{1}^\top A  A_{B}  \hat{A}  A / B  \lVert A \rVert_F^2  \langle A, B \rangle
    (A)^{1/2}  [A; B]  \det(A)  A^{(B)}
    """
)
_LEAVES = listed(r"h_t  h_{t-1}  W  U  x_t  b  \delta_t  \delta_{t+1}  2  h_k  1  I  h_T  T  t  0.5")


def anything(random: Random, depth: int) -> str:
    """A random expression, which need not conform."""
    if depth <= 0 or random.random() < 0.12:
        return random.choice(_LEAVES)
    return re.sub("[AB]", lambda _: anything(random, depth - 1), random.choice(_SHAPES))


_CONFORMING = {
    "V": listed(
        r"""
        h_t  h_{t-1}  b  h_0  h_T  h_k  \delta_t  \delta_{t+1}  \nabla_{h_t} L  \nabla_b L  \bar{h}_t  z_t  (V + V)
        (V - V)  V \odot V  M V  S V  \tanh(V)  \tanh'(V)  (V)^2  (M)^\top V  \sum_{k=1}^{t} V
        \operatorname{diag}(V) V  -V  \frac{V}{S}  \mathbf{1}  \operatorname{diag}(M)
        \frac{\partial S}{\partial h_t}^\top  \exp(V)  \max(V, V)  \frac{V}{V}
        """
    ),
    "M": listed(
        r"""
        W  W^\top  I  \operatorname{diag}(V)  V V^\top  (M + M)  M M  S M  \frac{\partial h_t}{\partial h_{t-1}}
        \nabla_W L  \prod_{k=1}^{t} (M)  \sum_{k=1}^{t} M  (M)^2  (M)^{-1}  \frac{\partial h_t}{\partial h_k}
        \frac{\partial V}{\partial h_t}  (M)^{t-k}  M \odot M  \frac{\partial^+ h_t}{\partial h_{t-1}}  \tanh(M)
        W^{50}  \prod_{k=t+1}^{T} (M)  \frac{\partial V}{\partial b}
        """
    ),
    "S": listed(
        r"""
        2  \frac{1}{2}  \lVert V \rVert  V^\top V  \operatorname{tr}(M)  (S + S)  S S  \frac{S}{S}  L_t  L  T  t  0
        \lVert M \rVert  \mathbf{1}^\top V  \sqrt{S}  (S)^2  \log(S)  \exp(S)  \sum_{k=1}^{t} S  \lVert M \rVert_F
        \prod_{k=1}^{t} S  \max(S, S)  -S  37
        """
    ),
}
"""Forms of vectors, matrices and scalars."""


def conforming(random: Random, kind: str, depth: int) -> str:
    """A random expression of the shape of a vector, a matrix or a scalar."""
    forms = _CONFORMING[kind]
    form = random.choice([form for form in forms if depth > 0 or not re.search(r"[VMS]", form)] or forms)
    return re.sub("[VMS]", lambda match: conforming(random, match.group(), depth - 1), form)


_CLOSED = listed(
    r"""
    A + A  A - A  A A  A \cdot A  \frac{A}{A}  \sqrt{A}  A^{2}  (A)^{A}  (A)^{-1}  -A  \exp(A)  \log(A)  \tanh(A)  \sigma(A)
    \cos(A)  \sqrt[3]{A}  \lvert A \rvert  \max(A, A)  \begin{pmatrix} A & A \\ A & A \end{pmatrix}  (A)^\top  \sum_{k=1}^{3} k A
    \begin{pmatrix} A \\ A \end{pmatrix}  \lVert A \rVert  \operatorname{tr}(A)  \det(A)  10^{A}  (A)^{1/2}  \tanh'(A)  A \odot A
    """
)


def closed(random: Random, depth: int) -> str:
    """A random expression of numbers alone."""
    if depth <= 0 or random.random() < 0.1:
        return random.choice(listed("0  1  2  3  10  0.5  -1  7  100  1.5  \\frac{1}{3}  0.25  \\frac{22}{7}"))
    return re.sub("A", lambda _: f"({closed(random, depth - 1)})", random.choice(_CLOSED))
