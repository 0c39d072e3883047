"""Formulas that nobody would write: of any shape, of one shape, of numbers, and bounds."""

from __future__ import annotations

import re
from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import page, shown
from benchmarks.fuzz.expressions import anything, closed, conforming
from benchmarks.fuzz.pieces import NUMBERS, listed
from benchmarks.fuzz.texts import CELLS, READOUT, RNN, SCALAR, TREE


def random_formula(random: Random) -> Case:
    """Equations between random expressions."""
    relation = random.choice(listed(" =  =  =  \\le  \\approx  :=  <  \\in  \\ne  \\equiv"))
    made = [
        f" {relation} ".join(anything(random, random.randint(0, 3)) for _ in range(random.choice((1, 2, 2, 2, 2, 3))))
        for _ in range(random.randint(1, 2))
    ]
    return Case("", page(random, made), random.choice(CELLS))


def conforming_formula(random: Random) -> Case:
    """Equations between random expressions of one shape, some of them of both sides alike."""
    kind, sign = random.choice("VMS"), random.choice(("=", "=", "=", "=", "\\le", "<", "\\approx", "\\ne"))
    left, right = (conforming(random, kind, random.randint(0, 3)) for _ in range(2))
    if random.random() < 0.3:
        right = random.choice(
            (f"{left} + 0", f"1 \\cdot ({left})", f"({left})^{{1}}", f"-(-({left}))", f"({left}^\\top)^\\top")
        )
    return Case("", shown(random, f"{left} {sign} {right}"), random.choice((RNN, RNN, READOUT)))


_SIGNS = listed("=  =  =  <  \\le  \\approx  \\ne  >")


def closed_formula(random: Random) -> Case:
    """Relations between numbers, or numbers that are given and asked for."""
    left, right = (closed(random, random.randint(0, 4)) for _ in range(2))
    right = random.choice((right, right, left, f"{left} + 10^{{-30}}"))
    text = f"{left} {random.choice(_SIGNS)} {right}"
    if random.random() < 0.2:
        lines = [f"w = {left}", "h_0 = 1", "T = 2", f"h_2 = {right}", text]
        return Case("", page(random, lines), "h_t = w h_{t-1}\nw, h_t \\in \\mathbb{R}")
    return Case("", shown(random, text), random.choice((RNN, SCALAR)))


_NUMBERED = listed(
    r"""
    h_{N} = 1  h_{t-N} = W  h_{t-N} = h_t  h_{t+N} = h_t  \sum_{k=N}^{N} h_k = h_t  \sum_{t=1}^{N} t = N
    \prod_{k=1}^{N} W = W  \prod_{k=N}^{N} k = 1  N = N  N + N = N + N  N h_t = N h_t  h_t^{N} = h_t  W^{N} = W
    W^N = N  N^{N} = 1  \frac{N}{N} = \frac{N}{N}  \sqrt[N]{N} = 1  \exp(N) = N  \tanh(N) \approx N  \log(N) = N
    T = N  T = N, T = N  x_{N} = N  \frac{\partial h_{N}}{\partial h_{N}} = 0
    \frac{\partial h_t}{\partial h_{t-N}} = W^{N}  \lVert h_t \rVert \le N  N < N < N  \nabla_{h_{N}} L = 0
    \delta_{N} = \delta_{N}  L = N  h_N = h_N  \sum_{t=N}^{T} \delta_t = \nabla_b L
    \begin{pmatrix} N & N \end{pmatrix} = \begin{pmatrix} N & N \end{pmatrix}  \frac{h_t}{N} = \frac{N}{h_t}  b = N
    W \in \mathbb{R}^{N \times N}  h_t \in \mathbb{R}^{N}  I_{N} = I_{N}  e_{N} = N  h_t = W^{-N} h_t  W_{N} = W_{N}
    \begin{pmatrix} N & 1 \\ N & 2 \end{pmatrix}^{N} = N  \operatorname{diag}(N, N) = W  \lVert N \rVert = N
    \max(N, N) = N  \sum_{k=1}^{N} \sum_{j=1}^{N} h_j = h_t  N h_{t-1} = h_t, \quad t > N  h_t^{(N)} = N
    \tanh^{N}(h_t) = N  \mathbf{1}_{N} = N  \frac{\partial^{N} h_t}{\partial h_{t-1}^{N}} = 0  h_{N} \le h_t
    h_t < h_{t-N}  \sigma'(N) = N  N \approx N  N \ne N  \tanh(\exp(N)) = N  \cos(N) \le N  N \cdot 10^{N} \approx N
    \lvert N \rvert = N  \sqrt{N} \sqrt{N} = N  N / N / N = N
    """
)


def numbers(random: Random) -> Case:
    """Odd and huge numbers wherever a number may stand."""
    more = listed("T = N  x_{N} = N  W = N  g_t = N h_t")
    forms = [random.choice(_NUMBERED), *(random.choice(more) for _ in range(random.choice((0, 0, 1, 2))))]
    made = [re.sub(r"N(?!A)", lambda _: random.choice(NUMBERS), form) for form in forms]
    return Case("", page(random, made), random.choice(CELLS[:4]))


_SIDES = listed(
    r"""
    \lVert h_t \rVert  0  1  \infty  -\infty  W  h_t  \lVert W \rVert^{t-k}  L  T  \frac{1}{0}  \lVert W \rVert^{999}
    k  t  \gamma  \left\lVert \frac{\partial h_t}{\partial h_k} \right\rVert  \exp(\lVert W \rVert^{99})
    \log(\lVert h_t \rVert)  \sqrt{-1}  \max(h_t, 0)  \lVert \delta_t \rVert  \prod_{k=1}^T \lVert W \rVert
    \lvert h_t \rvert  \lVert x_{t-9} \rVert  \frac{h_t}{h_t}  \operatorname{tr}(W)
    \lVert W \rVert_2 \lVert U \rVert_F  1e-300  h_{999}  W^{-1}  \max_t h_t  \lVert W^{-1} \rVert
    \lVert h_{t-40} \rVert
    """
)


def bounds(random: Random) -> Case:
    """Inequalities with odd sides."""
    text = random.choice(_SIDES)
    for _ in range(random.choice((1, 1, 2, 3))):
        sign = random.choice(listed("\\le  <  \\ge  >  =  \\leq  \\ne  \\ll  \\propto"))
        text += f" {sign} {random.choice(_SIDES)}"
    return Case("", page(random, [text]), random.choice((*CELLS[:4], TREE)))
