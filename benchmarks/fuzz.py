"""Hostile documents for ``bptt check``: random ones by a seed, each checked under an alarm, with little memory, and watched.

``python benchmarks/fuzz.py --inputs N --seed S [--seconds-each 10]`` prints how the inputs end, which are the slowest, and every input that
ends as none may: by an exception that is no BpttError, too late, with too much memory, with a file touched or a command run, or with a
verdict that cannot be. The exit status is 1 if there is one.

What is checked of verdicts needs no second implementation: an equation that is found true must not stay true when a number is added
to it, and a correction that is offered must itself be found true.

::

    seed, number ──generators──▶ Case ──attempt──▶ Outcome          (a worker, which is replaced where it dies or stands still)
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MEMORY = 1_500_000_000
"""How many bytes one input may take."""
FATAL = frozenset({"crash", "hang", "stuck", "died", "touched", "impossible"})
"""Ends that no input may have."""


@dataclass(frozen=True)
class Case:
    """An input.

    Parameters
    ----------
    kind    : which generator made it.
    text    : the document.
    cell    : the text of the cell; None where the document is to be its own.
    name    : what the document is called.
    aliases : names of the author.
    inline  : whether formulas within lines are checked.
    command : whether it goes through the command line instead of the function.
    """

    kind: str
    text: str
    cell: str | None = None
    name: str = "<text>"
    aliases: tuple[str, ...] = ()
    inline: bool = False
    command: bool = False

    def literal(self, most: int = 700) -> str:
        """It as Python, for a report; long texts are cut."""
        parts = [_literal(self.text, most)]
        parts += [] if self.cell is None else [f"cell={_literal(self.cell, most)}"]
        parts += [] if self.name == "<text>" else [f"name={self.name!r}"]
        parts += [f"aliases={self.aliases!r}"] if self.aliases else []
        parts += ["inline=True"] if self.inline else []
        return f"{'command' if self.command else 'check'}({', '.join(parts)})"


def _literal(text: str, most: int) -> str:
    shown = repr(text)
    return shown if len(shown) <= most else f"{shown[: most // 2]} ...{len(text)} characters... {shown[-most // 2 :]}"


@dataclass(frozen=True)
class Outcome:
    """How an input ended.

    Parameters
    ----------
    end      : ``checked``, ``refused``, or one of ``FATAL``.
    seconds  : how long it took.
    detail   : the error, and where it was raised.
    verdicts : how often each verdict was given.
    memory   : by how many bytes the largest memory of the process grew.
    """

    end: str
    seconds: float
    detail: str = ""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    memory: int = 0


# -- material ------------------------------------------------------------------------------------------


def listed(text: str) -> tuple[str, ...]:
    """The pieces of a text between which there are two spaces or more, or an end of line."""
    return tuple(piece for piece in re.split(r" {2,}|\n\s*", text) if piece)


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
    (RNN, json.dumps(_BOOK)),
)
"""Documents, with their cells."""

WORDS = listed(
    r"""
    h_t  h_{t-1}  h_{t+1}  h_T  h_0  h_k  x_t  x_1  W  U  b  L  L_t  \delta_t  \bar{h}_t  \nabla_W  \nabla_{h_t}
    W^\top  \frac{\partial h_t}{\partial h_{t-1}}  \frac{\partial L}{\partial W}  W^{-1}  h_t^2  \tanh(h_t)  \sigma'
    \sqrt  \operatorname{diag}(h_t)  \sum_{t=1}^{T}  \prod_{k=1}^{t}  \lVert h_t \rVert  \mathbf{1}  \mathbb{R}^n  I
    0  1  -1  2  0.5  \infty  T  t  k  n  \odot  \cdot  \otimes  \times  +  -  /  =  \le  <  \in  \approx  \ne  :=
    \equiv  \to  ^  _  ^\top  {  }  (  )  [  ]  \left(  \right)  \left.  |  \|  &  \\  ,  ;  :  !  '  ''  \,  \quad  $
    $$  \[  \]  \(  \)  %  #  ~  `  ```  \begin{align}  \end{align}  \begin{cases}  \end{cases}  \begin{pmatrix}
    \end{pmatrix}  \text{for}  \text{if}  \text{ where }  \text{(not for } t = 1)  \label{a}  \tag{1}  \ldots  \dots
    \cdots  \partial  \nabla  \sqrt[3]{2}  \frac  \frac{1}{0}  \frac12  \hat  \tilde{h}  \operatorname  \mathrm{tr}
    \max  \exp  \log  \det  \vec  \underbrace{h}_{a}  \overbrace  \newcommand  \def\x{  \input{/etc/passwd}
    \write18{ls}  \csname  \verb|  \limits  \limits_  \int  \lim_{T\to\infty}  e_{y_t}  C(j)  \pi(j)  \arg\max
    \mathbb{N}  \mathcal{L}  \partial^+  \frac{d}{dt}  h(t)  h^{(t)}  h^{<t>}  h[t]  W.T  @  **  delta[t]  ∂  ∇  ⊙  ≤
    ᵀ  ²  ½  ∑  α
    """
)
"""Pieces of formulas, good and bad."""

NUMBERS = (
    *listed(
        r"""
        0  1  -1  00  0.0  1e308  1e-308  1e999999  1e-999999  10^{10^{10}}  2^{2^{2^{2^{2}}}}  99999999999
        1000000000  4294967296  9223372036854775808  0.1  .5  1.  1,000  1/3  \frac{1}{0}  \frac{0}{0}  0^0  0^{-1}
        (-1)^{1/2}  \sqrt{-1}  \sqrt[0]{2}  \infty  -\infty  1e400  \exp(1000)  \exp(\exp(\exp(9)))  \log(0)  10!
        1e-7  1e200  \pi  e  i  NaN  inf  0x10  1_000  \tan(1.5707963)  100000  501  40  \frac{1}{2}  37
        """
    ),
    "9" * 59,
    "9" * 5000,
    f"0.{'0' * 300}1",
    "\uff11",
    "\u0663",
    "\u00b2",
)
"""Numbers that are odd, or too large."""

UNICODE = (
    *"\u0301\u202e\u200b\u200d\ufeff\u0000\ud800\udfff\u2028\u0085\x07\u00ad\u1d44a\U0001d44a\u0130\u01c5\ufb01\u2126\u0661",
    *"\u06f5\u0967\uff1d\u2212\u00a0\u3000\u05d0\u0627\U0001f600\u2061\r\x0b\x0c\t\u2207\u2202\u22a4\u1d40\u2081\u209c\u00b5",
    "\x1b[2J",
    "e\u0301" * 40,
    "\u0301" * 500,
    "\r\n",
    "\u207b\u00b9",
    "h\u209c",
    "\u03c3\u2032",
)
"""Characters that texts rarely hold."""

COMMANDS = listed(
    r"""
    \input{/etc/passwd}  \include{/etc/hosts}  \write18{touch /tmp/bptt-was-here}  \immediate\write18{id}
    \read5 to \x  \openin5=/etc/passwd  \csname input\endcsname{/etc/passwd}  \catcode`\@=11  \catcode`\%=12
    \lowercase{\def\x}  \expandafter\x\x  \loop\iftrue\repeat  \let\x=\y  \let\tanh\sigma  \def\x{\x\x}\x
    \def\x#1{\x{#1#1}}\x{1}  \edef\x{\x}  \gdef\x{1}  \futurelet\x  \newif\ifx  \iffalse  \fi  \else  \ifnum1=1
    \the\count0  \number99999999  \romannumeral 999999999  \uppercase{h}  \verb|$$h_t = 1$$|  \verb|  \verb*+x+
    \lstinputlisting{/etc/passwd}  \includegraphics{/dev/zero}  \usepackage{shellesc}
    \begin{verbatim}$$1=1$$\end{verbatim}  \begin{verbatim}  \begin{comment}  \end{comment}  \begin{filecontents}{x}
    \end{document}  \makeatletter  \ShellEscape{id}  \directlua{os.execute('id')}  \special{x}  \par  \halign{#\cr}
    \hbox{$h_t$}  \text{$h_t=1$}  \ensuremath{h_t}  \phantom{= 0}  \hphantom{x}  \cancel{W}  \color{white}
    \textcolor{red}{W}  \mathchoice{a}{b}{c}{d}  \char`\$  __import__('os').system('id')  {{7*7}}  ${IFS}  {% raw %}
    <script>alert(1)</script>  \x00  %n%s%x  ../../../../etc/passwd  \boxed{W}  \not=  \overset{!}{=}  \stackrel{a}{=}
    \substack{a \\ b}  \intertext{= 0}
    """
)
"""Commands that do something in TeX or elsewhere, or hide something."""

DISPLAYS = (
    ("$$", "$$"),
    ("\\[", "\\]"),
    ("\\begin{equation}", "\\end{equation}"),
    ("\\begin{align*}", "\\end{align*}"),
    ("\\begin{gather}", "\\end{gather}"),
    ("\\begin{alignat}{2}", "\\end{alignat}"),
    ("\\begin{eqnarray}", "\\end{eqnarray}"),
    ("\\begin{equation*}\\begin{split}", "\\end{split}\\end{equation*}"),
    ("\\begin{multline}", "\\end{multline}"),
    ("$$\\begin{aligned}", "\\end{aligned}$$"),
    ("```math\n", "\n```"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("", ""),
)
"""What formulas stand in."""


# -- generators ----------------------------------------------------------------------------------------

Generator = Callable[[Random], Case]
GENERATORS: dict[str, tuple[int, Generator]] = {}
"""By name, with how often each is used."""


def generator(weight: int) -> Callable[[Generator], Generator]:
    """Register one."""

    def register(function: Generator) -> Generator:
        GENERATORS[function.__name__.replace("_", " ")] = (weight, function)
        return function

    return register


def case(seed: int, number: int) -> Case:
    """One input, which depends on the seed and its own number alone."""
    random = Random(f"{seed}/{number}")
    kind = random.choices(list(GENERATORS), [weight for weight, _ in GENERATORS.values()])[0]
    made = GENERATORS[kind][1](random)
    text = _line_ends(random, made.text) if random.random() < 0.1 else made.text
    command = random.random() < 0.06
    return replace(made, kind=kind, text=text[:999_000], inline=random.random() < 0.2, command=command)


def _line_ends(random: Random, text: str) -> str:
    ends = ["\n", "\r\n", "\r", "\n\n", "\n\r", "\u2028", "\x0b"]
    return "".join(random.choice(ends) if char == "\n" else char for char in text)


def shown(random: Random, formula: str) -> str:
    """A formula in one of the displays."""
    left, right = random.choice(DISPLAYS[:-4]) if random.random() < 0.8 else random.choice(DISPLAYS)
    return f"{left}{formula}{right}"


def page(random: Random, formulas: Sequence[str]) -> str:
    """Formulas with words between them."""
    links = ("\n\n", "\n", " and so ", "\n\nLet ", "\n\nwhere ", "\n\n# Part\n\n", "\n% remark\n", " ")
    return "".join(random.choice(links) + shown(random, formula) for formula in formulas)


def filled(random: Random, text: str, **choices: Sequence[str]) -> str:
    """A text with a random choice for each occurrence of a capital word such as ``NUMBER``."""
    pattern = re.compile("|".join(choices))
    return pattern.sub(lambda match: random.choice(choices[match.group()]), text)


def mutated(random: Random, text: str, most: int = 6) -> str:
    """A text after a few random changes."""
    for _ in range(random.randint(1, most)):
        a, c = random.randint(0, len(text)), random.randint(0, len(text))
        b = min(len(text), a + random.choice((1, 2, 5, 20, 200)))
        kind = random.randrange(10)
        if kind == 0:
            text = text[:a] + text[b:]
        elif kind == 1:
            text = text[:b] + text[a:b] * random.choice((1, 1, 2, 50)) + text[b:]
        elif kind == 2:
            rest = text[:a] + text[b:]
            text = rest[:c] + text[a:b] + rest[c:]
        elif kind <= 5:
            text = f"{text[:a]} {random.choice(WORDS)} {text[a if kind == 3 else b :]}"
        elif kind == 6:
            other = random.choice([text for _, text in (*DOCUMENTS, *TRUE)])
            start = random.randint(0, len(other))
            text = text[:a] + other[start : start + random.choice((2, 10, 80))] + text[b:]
        elif kind == 7:
            digits = [place for place, char in enumerate(text) if char.isdigit()]
            place = random.choice(digits) if digits else a
            text = text[:place] + random.choice(NUMBERS) + text[place + 1 :]
        elif kind == 8:
            text = text[:a] + random.choice(UNICODE) + text[a if random.random() < 0.7 else b :]
        else:
            text = text[:a] + random.choice(COMMANDS) + text[b:]
    return text


_PIECE = re.compile(r"\\[A-Za-z]+|[A-Za-z]+|\d+|.", re.DOTALL)


def retold(random: Random, text: str) -> str:
    """A formula with one or two of its signs in the place of others, which can mostly still be read."""
    pieces = _PIECE.findall(text)
    for _ in range(random.randint(1, 2)):
        place, other = random.randrange(len(pieces)), random.randrange(len(pieces))
        kind = random.randrange(4)
        if kind == 0:
            pieces[place] = pieces[other]
        elif kind == 1:
            pieces[place], pieces[other] = pieces[other], pieces[place]
        elif kind == 2:
            pieces[place] = random.choice(
                ("h", "W", "t", "k", "T", "1", "0", "2", "+", "-", "\\odot", "\\delta", "^", "x")
            )
        else:
            pieces.insert(place, random.choice((*WORDS[:40], "^\\top", "-", "2 ")))
    return "".join(f"{piece} " if piece.startswith("\\") else piece for piece in pieces)


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


@generator(12)
def changed_document(random: Random) -> Case:
    """A document with a few changes."""
    cell, text = random.choice(DOCUMENTS)
    name = "x.ipynb" if text.startswith("{") and random.random() < 0.5 else "<text>"
    own = random.random() < 0.1
    return Case("", mutated(random, text, 3 if len(text) < 200 else 6), None if own else cell, name)


@generator(10)
def changed_truth(random: Random) -> Case:
    """A true equation with one or two changes."""
    cell, text = random.choice(TRUE)
    return Case("", shown(random, mutated(random, text, 2)), cell)


@generator(14)
def retold_truth(random: Random) -> Case:
    """A true equation with one or two other signs."""
    cell, text = random.choice(TRUE)
    return Case("", shown(random, retold(random, text)), cell)


@generator(6)
def random_formula(random: Random) -> Case:
    """Equations between random expressions."""
    relation = random.choice(listed(" =  =  =  \\le  \\approx  :=  <  \\in  \\ne  \\equiv"))
    made = [
        f" {relation} ".join(anything(random, random.randint(0, 3)) for _ in range(random.choice((1, 2, 2, 2, 2, 3))))
        for _ in range(random.randint(1, 2))
    ]
    return Case("", page(random, made), random.choice(CELLS))


@generator(14)
def conforming_formula(random: Random) -> Case:
    """Equations between random expressions of one shape, some of them of both sides alike."""
    kind, sign = random.choice("VMS"), random.choice(("=", "=", "=", "=", "\\le", "<", "\\approx", "\\ne"))
    left, right = (conforming(random, kind, random.randint(0, 3)) for _ in range(2))
    if random.random() < 0.3:
        right = random.choice(
            (f"{left} + 0", f"1 \\cdot ({left})", f"({left})^{{1}}", f"-(-({left}))", f"({left}^\\top)^\\top")
        )
    return Case("", shown(random, f"{left} {sign} {right}"), random.choice((RNN, RNN, READOUT)))


@generator(4)
def soup(random: Random) -> Case:
    """Pieces in any order."""
    text = " ".join(random.choice(WORDS) for _ in range(random.choice((3, 8, 20, 60, 400))))
    return Case("", shown(random, text) if random.random() < 0.7 else text, random.choice((RNN, LSTM, None)))


_NESTED = listed(
    r"""
    (|)  {|}  [|]  \left(|\right)  \frac{|}{2}  \sqrt{|}  -|  h_{|}  h^{|}  W^{|}  \tanh(|)  \lVert | \rVert  \hat{|}
    \sum_{t=1}^{T} |  \sum_{t=1}^{2} |  \begin{pmatrix}|\end{pmatrix}  \begin{align}|\end{align}  2^|
    \prod_{k=1}^{t} |  \operatorname{diag}(|)  \frac{\partial |}{\partial h_t}  \nabla_{|} L  (h_t + |)  (W |)
    h_t \odot (|)  \underbrace{|}_{a}  \mathrm{|}  \text{|}  1/(|)  h_t^{|}  (|)^2  (|)^\top  \frac{1}{|}  \exp(|)
    \sum_{k=1}^{|} 1  \prod_{k=1}^{|} W  \max(1, |)  2^{|}  (1 + |)^2  \begin{cases}|\end{cases}  \left\{|\right\}
    \lvert | \rvert  (|)^{-1}  \tanh'(|)  \log(|)  h_{t + |}
    """
)


_CLOSED = listed(
    r"""
    A + A  A - A  A A  A \cdot A  \frac{A}{A}  \sqrt{A}  A^{2}  (A)^{A}  (A)^{-1}  -A  \exp(A)  \log(A)  \tanh(A)  \sigma(A)
    \cos(A)  \sqrt[3]{A}  \lvert A \rvert  \max(A, A)  \begin{pmatrix} A & A \\ A & A \end{pmatrix}  (A)^\top  \sum_{k=1}^{3} k A
    \begin{pmatrix} A \\ A \end{pmatrix}  \lVert A \rVert  \operatorname{tr}(A)  \det(A)  10^{A}  (A)^{1/2}  \tanh'(A)  A \odot A
    """
)


_SIGNS = listed("=  =  =  <  \\le  \\approx  \\ne  >")


def closed(random: Random, depth: int) -> str:
    """A random expression of numbers alone."""
    if depth <= 0 or random.random() < 0.1:
        return random.choice(listed("0  1  2  3  10  0.5  -1  7  100  1.5  \\frac{1}{3}  0.25  \\frac{22}{7}"))
    return re.sub("A", lambda _: f"({closed(random, depth - 1)})", random.choice(_CLOSED))


@generator(7)
def closed_formula(random: Random) -> Case:
    """Relations between numbers, or numbers that are given and asked for."""
    left, right = (closed(random, random.randint(0, 4)) for _ in range(2))
    right = random.choice((right, right, left, f"{left} + 10^{{-30}}"))
    text = f"{left} {random.choice(_SIGNS)} {right}"
    if random.random() < 0.2:
        lines = [f"w = {left}", "h_0 = 1", "T = 2", f"h_2 = {right}", text]
        return Case("", page(random, lines), "h_t = w h_{t-1}\nw, h_t \\in \\mathbb{R}")
    return Case("", shown(random, text), random.choice((RNN, SCALAR)))


@generator(4)
def deep(random: Random) -> Case:
    """Nesting without end, or without closing."""
    depth = random.choice((5, 10, 20, 40, 60, 140, 160, 390, 410, 3000, 30_000))
    opening, closing = random.choice(_NESTED).split("|")
    inner = random.choice(("h_t", "W", "1", "", "2", "x_t", "t"))
    closed = depth if random.random() < 0.7 else random.randint(0, depth)
    text = f"{random.choice(('h_t', '1', 'W'))} = {opening * depth}{inner}{closing * closed}"
    return Case("", shown(random, text), random.choice(CELLS[:4]))


_MARKS = listed(
    r"""
    {  }  (  )  [  ]  \left(  \right)  \left\{  \right.  $  $$  \[  \]  \(  \)  |  \|  \begin{align}  \end{align}  &
    \\  \begin{pmatrix}  \end{pmatrix}  ```  `  %  \verb|  \begin{verbatim}  h_t  =  W  1  +  x  h_t  =  W  1  +
    """
)


@generator(4)
def unbalanced(random: Random) -> Case:
    """Brackets, environments and dollars at random."""
    pieces = [random.choice((*_MARKS, "\n", "\n\n")) for _ in range(random.choice((5, 20, 100, 1000)))]
    return Case("", random.choice((" ", "")).join(pieces), RNN)


_MACROS = listed(
    r"""
    \newcommand{NAME}[COUNT]{BODY}  \newcommand{NAME}{BODY}  \newcommand*NAME[COUNT][h_t]{BODY}
    \renewcommand{NAME}{BODY}  \def NAME#1{BODY}  \def NAME{BODY}  \def NAME#1#2#3#4#5#6#7#8#9{BODY}
    \DeclareMathOperator{NAME}{BODY}  \def NAME  \providecommand{NAME}[COUNT]{BODY}  \newcommand{NAME}
    \newcommand{NAME}[COUNT  \let NAME=\b  %\def NAME{BODY}  \newcommand NAME BODY
    \begin{verbatim}\def NAME{BODY}\end{verbatim}  {\def NAME{BODY}}
    """
)


@generator(8)
def macros(random: Random) -> Case:
    """Macros that use themselves or each other, grow, hide, or change what signs mean."""
    names = listed("\\a  \\b  \\cc  \\W  \\pd  \\top  \\frac  \\sum  \\h")
    inside = (*names, *listed("#1  #2  #9  #  ##  {  }  W  h_t  =  %  \\newcommand{\\a}{1}  $  \\\\"), "")
    lines = []
    for _ in range(random.randint(1, 8)):
        body = " ".join(random.choice(inside) for _ in range(random.choice((0, 1, 2, 5, 30))))
        body = re.sub("[{}%]", "", body) if random.random() < 0.7 else body
        form = random.choice(_MACROS).replace("NAME", random.choice(names))
        lines.append(form.replace("COUNT", random.choice("0012390")).replace("BODY", body))
    if random.random() < 0.3:  # 10^10 copies
        lines.append("\\def\\xa{h_t}")
        lines += [f"\\def\\x{after}{{{f'{chr(92)}x{name} ' * 10}}}" for name, after in pairwise("abcdefghijk")]
    words = (*names, *listed("\\xk  h_t  {1}  {h_t}  W  =  +  [2]"))
    uses = [" ".join(random.choice(words) for _ in range(random.randint(1, 8))) for _ in range(random.randint(1, 3))]
    return Case("", "\n".join(lines) + page(random, [f"h_t = {use}" for use in uses]), random.choice((RNN, LSTM)))


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


@generator(10)
def numbers(random: Random) -> Case:
    """Odd and huge numbers wherever a number may stand."""
    more = listed("T = N  x_{N} = N  W = N  g_t = N h_t")
    forms = [random.choice(_NUMBERED), *(random.choice(more) for _ in range(random.choice((0, 0, 1, 2))))]
    made = [re.sub(r"N(?!A)", lambda _: random.choice(NUMBERS), form) for form in forms]
    return Case("", page(random, made), random.choice(CELLS[:4]))


_ROW = " \\\\ "
_MATRICES = listed(
    r"""
    M = M  W = M  x_1 = M  M^{-1} = M  M^2 = M  M^{50} = M  M M = M  \lVert M \rVert = 1  \det M = 0  M^\top M = I
    \tanh(M) = M  M h_t = h_t  \operatorname{tr}(M) = 3  M = 0  M + 1 = M  \frac{1}{M} = M  \exp(M) \approx M  M \le M
    h_t = M  \frac{M}{M} = M  \lVert M \rVert_F \ge 2  M^{1/2} = M  M \odot M = M  \operatorname{diag}(M) = M
    M M^{-1} = I  \mathbf{1}^\top M = 1  M \otimes M = M
    """
)


@generator(3)
def matrices(random: Random) -> Case:
    """Matrices that are large, ragged, empty or nested, and claims about them."""
    rows = random.choice((0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 8, 8, 12, 30, random.choice((30, 200))))
    columns = random.choice((1, 2, 3, rows, rows, rows, 50)) or 1
    filling = (
        "1 2 0",
        "0.5 1",
        "h_t W",
        "\\frac{1}{3} \\sqrt{2}",
        "1e9 1e-9",
        "1 \\exp(1)",
        "\\sqrt{2} \\sqrt{3} \\tanh(1)",
    )
    entries = random.choice([*(text.split() for text in filling), NUMBERS, ("", "1")])
    ragged = random.random() < 0.1
    lines = [
        " & ".join(random.choice(entries) for _ in range(columns + (ragged and random.random() < 0.5)))
        for _ in range(rows)
    ]
    kind = random.choice(listed("pmatrix  pmatrix  bmatrix  matrix  vmatrix  array  cases  smallmatrix"))
    columns_of = "{cc}" if kind == "array" else ""
    matrix = f"\\begin{{{kind}}}{columns_of} {_ROW.join(lines)} \\end{{{kind}}}"
    more = [f"h_1 = {matrix}"] if random.random() < 0.3 else []
    return Case("", page(random, [random.choice(_MATRICES).replace("M", matrix), *more]), RNN)


_REPEATED = listed(
    r"""
    $$1=1$$|  $$h_t = 1$$ |  \newcommand{\a}{1}|$$\a=1$$  $|  \[|  \(|  \begin{align}|  `|  ```math |  {|$$1=1$$
    % x |$$1=2$$  \def\a{|  \begin{|  a |$$1=2$$  \verb+|  ~~~ |  \verb+x+|  \end{align}|  \right)|$$1=1$$  - x |  \\|
    &|  #|  %|  $$ |
    """
)
_JOINED = listed(
    r"""
    h_t! = !  h_t = !h_t + !1  h_t = !W !h_t  h_t = !W!h_t  \begin{align}!1 &= 1 \\ !1 &= 2\end{align}
    !h_t = h_t, !1 = 1  h_t = h_{t-1}! \le h_t!  !{!h_t = h_t  h_t = !x!  h_t = h_t \text{!y!}  h_t = h!'!
    h_t = h_!{t!  !\sum_{t=1}^T !h_t = 1  !h_t \odot !h_t = h_t  !(h_t + x_t) \odot !1 = h_t  h_t = !(W + U)!h_t
    !(1 + h_t)^{9} \odot !h_t = 1  h_{t!+1!} = h_t  h_{t!-1!} = W  h_t = !\tanh(W !h_{t-1}  1! = 1!  1! \le 1!
    1 = !1 + !1  1 = !2 \cdot !3  h_t = !(1 + h_t)!  h_t! = h_t + 1!  \begin{pmatrix}!1 & !1\end{pmatrix} = 1
    \begin{pmatrix}!1 \\ !1\end{pmatrix} = h_t  1 = !\sqrt{2} + !\sqrt{3}  1 = !(1 + \sqrt{2}) !1  1 = !\exp(1) !1
    \sum_{t=1}^T! \sum_{k=1}^t! h_k = h_t  \prod_{k=1}^t !(W + I)! = W
    """
)


@generator(2)
def many(random: Random) -> Case:
    """Very many equations, links, names, factors or summands."""
    count = random.choice((10, 50, 300, 300, 2001, 5000))
    kind = random.randrange(5)
    if kind == 0:
        piece, after = random.choice(_REPEATED).split("|")
        return Case("", piece.replace(" ", "\n") * count + after, RNN)
    if kind == 1:
        few = min(count, 40)
        text = random.choice(
            ("Let $$g^{{({0})}}_t = h_t$$ ", "$$a_{{{0}}} = a_{{{1}}}$$ ", "$$p^{0}_t = p^{1}_t + h_t$$ ")
        )
        return Case("", "".join(text.format(k, k + 1) for k in range(few)), RNN)
    before, piece, after = random.choice(_JOINED).split("!")
    return Case("", f"$${before}{piece * count}{after}$$", RNN)


@generator(6)
def unicode(random: Random) -> Case:
    """Characters of all kinds in all places."""
    text = random.choice([text for _, text in (*TRUE, *DOCUMENTS)])
    for _ in range(random.randint(1, 6)):
        place = random.randint(0, len(text))
        any_one = chr(random.choice((random.randrange(0x300), random.randrange(0x10FFFF))))
        text = text[:place] + (random.choice(UNICODE) if random.random() < 0.7 else any_one) + text[place:]
    return Case("", shown(random, text) if random.random() < 0.5 else text, random.choice((RNN, LSTM)))


@generator(6)
def commands(random: Random) -> Case:
    """Commands of TeX around and within formulas."""
    pieces = [random.choice(COMMANDS) for _ in range(random.randint(1, 3))]
    cell, true = random.choice(TRUE)
    if random.random() < 0.5:
        place = random.randint(0, len(true))
        return Case("", shown(random, true[:place] + " ".join(pieces) + true[place:]), cell)
    return Case("", " ".join(pieces) + "\n" + shown(random, true) + random.choice(pieces), cell)


_MARKDOWN = listed(
    "```  ```math  ~~~  ````  ```latex  `  ``  >  -  1.  #  | a |  |---|  ***  <!--  -->  \\  $  $$  [x](y)"
)


@generator(4)
def markdown(random: Random) -> Case:
    """Fences, code, lists and quotes."""
    lines = []
    for _ in range(random.choice((3, 8, 30))):
        true, mark = random.choice(TRUE[:8])[1], random.choice((*_MARKDOWN, "    ", "\t"))
        lines.append(
            random.choice((mark, mark + true, f"{mark} {true}", true, f"$${true}$$", f"${true}$", "", "words"))
        )
    text = random.choice(("\n", "\n\n", "\r\n")).join(lines)
    return Case("", text, RNN, random.choice(("a.md", "<text>", "b.tex")))


_ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", [], {}, [[]], ["$$1=1$$"], "$$1=2$$", {"source": 1}, 10**30)
_NO_BOOKS = listed(
    """
    []  null  3  "x"  {  NaN  {"cells": [[]]}  {"cells": {}}  {"cells": "markdown"}  {"cells": [], "cells": 3}
    {"cells": [{}]}  {"cells": [{"cell_type": "markdown", "source": NaN}]}
    {"cells": [{"cell_type": "markdown", "source": {"$$1=2$$": 1}}]}
    {"cells": [{"cell_type": "markdown", "source": 1e999}]}
    {"cells": [{"cell_type": "markdown", "source": ["a", null]}]}
    {"cells": [{"cell_type": "markdown", "source": "\\ud800$$1=2$$\\u0000"}]}
    {"metadata": 1, "cells": [{"cell_type": "markdown"}]}
    """
)


@generator(5)
def notebooks(random: Random) -> Case:
    """Notebooks that are damaged, or JSON of another kind."""
    odd = (*_ODD, "\ud800", "\x00", [None], [1], {"a": {"b": []}})
    sources = ("$$h_t = 1$$", ["$$h_t", " = ", "h_t$$"], *odd)
    book: Any = {
        "cells": [
            {"cell_type": random.choice(("markdown", "code", "raw", None, 3)), "source": random.choice(sources)}
            for _ in range(random.randint(0, 4))
        ],
        "metadata": random.choice(odd),
        "nbformat": random.choice(odd),
    }
    if random.random() < 0.4:
        book[random.choice(("cells", "metadata"))] = random.choice((*odd, [random.choice(odd) for _ in range(3)]))
    text = json.dumps(book, ensure_ascii=random.random() < 0.5)
    kind = random.randrange(8)
    if kind == 0:
        text = mutated(random, text, 4)
    elif kind == 1:
        depth, opening = random.choice((100, 2000, 200_000)), random.choice(("[]", '{"a":  }')).split("  ")[0]
        text = f'{{"cells": {opening[:-1] * depth}{opening[-1] * random.choice((0, depth))}}}'
    elif kind == 2:
        long = random.choice(
            ("9" * 5000, json.dumps("$$" * 999), '{"a":' * 990 + "1" + "}" * 990, json.dumps(["$$1=1$$"] * 3000))
        )
        text = f'{{"cells": [{{"cell_type": "markdown", "source": {long}}}]}}'
    elif kind == 3:
        text = random.choice((*_NO_BOOKS, "", "9" * 5000, "\ufeff{}"))
    return Case("", text, RNN, "book.ipynb" if random.random() < 0.7 else "<text>")


_LEFTS = listed(
    r"a_t  b_t  g_t  q  R  h_t  W  \delta_t  p_t  s  z_t  T  t  x_t  L  L_t  f(t)  g_{t,k}  u^t  \alpha  g_{t+1}  g_T"
)
_RIGHTS = (
    *_LEFTS,
    *listed(
        r"""
        a_{t+1}  b_{t-1}  g_0  g_{T+1}  1  0  \frac{\partial L}{\partial a_t}  \nabla_{b_t} L
        \frac{\partial g_t}{\partial h_t}  h_{t-1}  \sum_{k=1}^t g_k  \tanh(g_t)  W a_t  g_{99}  g_{t+99999}  g_{2t}
        g_{-t}  g_{g_t}  \prod_{k=1}^t a_k  \nabla_{h_t} L  W^\top g_{t+1}  (1 - h_t^2) \odot g_t  g_k  a_{t-k}
        b_{\max(t,k)}  \sum_{k=t}^{T} g_{k+1}  \frac{\partial h_t}{\partial g_t}
        """
    ),
)


@generator(10)
def definitions(random: Random) -> Case:
    """Names that are made of each other, of themselves, or of the cell's."""
    lines = []
    for _ in range(random.choice((1, 2, 3, 6, 12))):
        left = random.choice(_LEFTS if random.random() < 0.9 else _RIGHTS)
        sign = random.choice((" + ", " ", " \\odot ", " - "))
        right = sign.join(random.choice(_RIGHTS) for _ in range(random.choice((1, 1, 2, 3))))
        lines.append(f"{left} {random.choice(('=', '=', '=', ':=', chr(92) + 'equiv'))} {right}")
    words = random.choice(("Let ", "where ", "Define ", "", "We set "))
    return Case("", words + f" {words}".join(shown(random, line) for line in lines), random.choice((*CELLS[:5], None)))


_GIVEN = listed("W  U  b  x_1  x_2  h_0  V  w  u  T  y_1  y_2  x_0  x_{-1}  h_1  c  x_{T}  x_3")
_ASKED = listed(
    r"h_1  h_2  y_1  L  h_T  W h_0  h_1 + h_2  h_9  h_{-1}  \delta_1  \nabla_W L  g_1  h_t  x_1  \lVert h_1 \rVert"
)


def _array(random: Random, size: int) -> str:
    """A number, or a matrix whose sizes mostly fit those of others."""
    pool = (*("0.5", "1", "0", "2", "-1"), *((*NUMBERS, "1e10", "1e300") if random.random() < 0.2 else ()))
    if random.random() < 0.15:
        return random.choice(pool)
    rows, columns = (
        random.choice((size, size, size, size, 1, 3, 40)) if random.random() < 0.3 else size for _ in range(2)
    )
    columns = random.choice((1, columns))
    lines = [" & ".join(random.choice(pool) for _ in range(columns)) for _ in range(rows)]
    return f"\\begin{{pmatrix}} {_ROW.join(lines)} \\end{{pmatrix}}"


@generator(8)
def values(random: Random) -> Case:
    """Numbers that are given to quantities, with sizes that fit or do not."""
    size, lengths = random.choice((1, 2, 2, 3)), ("1", "2", "3", "0", "-1", "1000000", "0.5", "99999999999")
    lines = []
    for name in (*_GIVEN[:7], "T") if random.random() < 0.5 else random.sample(_GIVEN, random.randint(2, 14)):
        lines.append(f"{name} = {random.choice(lengths) if name == 'T' else _array(random, size)}")
    for _ in range(random.randint(1, 3)):
        lines.append(
            f"{random.choice(_ASKED)} {random.choice(('=', chr(92) + 'approx', ':=', '<'))} {_array(random, size)}"
        )
    return Case("", page(random, lines), random.choice((RNN, RNN, READOUT, SCALAR, SCALAR, ROWS, "h_t = W h_{t-1}")))


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


@generator(4)
def bounds(random: Random) -> Case:
    """Inequalities with odd sides."""
    text = random.choice(_SIDES)
    for _ in range(random.choice((1, 1, 2, 3))):
        sign = random.choice(listed("\\le  <  \\ge  >  =  \\leq  \\ne  \\ll  \\propto"))
        text += f" {sign} {random.choice(_SIDES)}"
    return Case("", page(random, [text]), random.choice((*CELLS[:4], TREE)))


_BAD_CELLS = tuple(
    text.replace(" ; ", "\n")
    for text in listed(
        r"""
        h_t = h_t  h_t = h_{t+1} + h_{t-1}  h_t = 1  =  h = h  W = W  T = T  L = L  h_t = h_{t-100}  h_t = h_{t-99999}
        x_t = x_t + 1  h_t = x_{t-1}^{99999}  h_t = \sum_{k=1}^{t} h_k  h_t = \sum_{k=1}^{1000000000} h_{t-1}
        h_t = W^{999} h_{t-1}  h_t = W h_{t-1} ; h_t \in \mathbb{R}^{1000000}
        h_t = W h_{t-1} ; h_t \in \mathbb{R}^{500}  h_t = W h_{t-1} ; h_t \in \mathbb{R}^{0}
        h_t = W h_{t-1} ; h_t \in \mathbb{R}^{-3}  h_t = W h_{t-1} ; h_t \in \mathbb{R}^{n^n}
        h_t = W h_{t-1} ; h_t \in \mathbb{R}^{60}  h_t = \tanh(W h_{t-1}) / 0  h_t = \exp(\exp(\exp(h_{t-1} + 99)))
        h_t = 1e300 h_{t-1}  h_t = h_{t-1}^{50}  h_t = \frac{1}{h_{t-1}}  h_t = \log(h_{t-1})  h_t = W^{-1} h_{t-1}
        h_t = a_t, a_t = h_t  h_t = a_t ; a_t = h_{t-1}  h_t = W h_{t-1} ; 0 < W < 0  h_t = W h_{t-1} ; 1 < W < 0
        h_t = w h_{t-1} ; 0 < w < 1e-300  h_t = W h_{t-1} + c ; L = \sum_{t=1}^{1000000000} L_t(h_t)
        h_t = W h_{t-1} ; L = L_{999999}(h_{999999})  h_t = W h_{t-1} ; h_0 = h_1  h_t = \max(h_{t-1}, h_{t-2})
        h_t = W h_{t-1} ; h_{-99999} = 0  h_t = \frac{\partial h_{t-1}}{\partial W}
        h_t = \operatorname{softmax}(h_{t-1} + \mathbf{1})  h_t = \phi(h_{t-1})  a ; b ; c  % title: x ; =
        h_t = \sqrt{h_{t-1}}  h_t = h_{t-1} \otimes h_{t-1}
        h_t = h_{t-1} h_{t-1}^\top h_{t-1} ; h_t \in \mathbb{R}^{400}  h[t] = h[t-1]
        h[t] = __import__('os').system('id')  h_t = W^{h_{t-1}}  h_t = \sum_{k=1}^{T} h_{t-1} ; T \in \mathbb{N}
        h_t = T h_{t-1} ; T \in \mathbb{N}  h_t = \prod_{k=1}^{9999} W h_{t-1}  h_t = 2^{2^{2^{2^{9}}}} h_{t-1}
        h_t = h_{t-1} / T ; T \in \mathbb{N}  h_t = 0.5 h_{t-1} ; h_0 = 1  h_t = W_{1e-7} h_{t-1}  h_t = h_{t-1e9}
        h_t = W h_{t-1} ; h_{0.5} = 1  h_t = h_{t/2}  h_t = h_{t-k}  h_t = h_{t-T}  h_t = e_{h_{t-1}}
        h_t = \begin{pmatrix} h_{t-1} \\ 1 \end{pmatrix}  h_t = [h_{t-1}; x_t]
        h_t = W h_{t-1} ; W \in \mathbb{R}^{400 \times 400}  H_t = H_{t-1} H_{t-1}  H_t = H_{t-1}^{-1}
        H_t = W H_{t-1} ; H_t \in \mathbb{R}^{90 \times 90}  h_t = \tanh(h_{t-1}) + \tanh(h_{t+1})
        """
    )
)
_ABOUT_THEM = listed(
    r"""
    \frac{\partial h_t}{\partial h_{t-1}} = W  \nabla_W L = \sum_{t=1}^T \delta_t h_{t-1}^\top  h_t = W h_{t-1}
    \lVert h_t \rVert \le 1  \delta_t = W^\top \delta_{t+1}  h_2 = 0.25
    \frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} \frac{\partial h_i}{\partial h_{i-1}}  h_1 = h_1 + 0
    """
)


@generator(10)
def hostile_cells(random: Random) -> Case:
    """Cells that are damaged, odd, huge or circular."""
    kind = random.randrange(6)
    cell, true = random.choice(TRUE)
    if kind <= 1:
        cell = mutated(random, random.choice(CELLS), 2)
    elif kind == 2:
        cell = "\n".join(retold(random, line) if random.random() < 0.5 else line for line in cell.split("\n"))
    elif kind == 3:
        cell = f"h_t = {conforming(random, 'V', random.randint(1, 3))} + h_{{t-1}}\nL = {conforming(random, 'S', 1)}"
        true = random.choice(_ABOUT_THEM)
    elif kind == 4:
        large = random.choice((20, 60, 150))
        more = (
            "\n".join(f"h^{k}_t = h^{k + 1}_t" for k in range(large)),
            "\n".join(f"h_{{{k}, t}} = h_{{{k}, t-1}}" for k in range(large)),
            "\n".join(
                f"h^{{({k})}}_t = \\tanh(W h^{{({max(1, k - 1)})}}_{{t{'-1' if k < 2 else ''}}})"
                for k in range(1, large)
            ),
            f"h_t = {'(' * large}h_{{t-1}}{')' * large}",
            f"h_t = {' + '.join(['W h_{t-1}'] * large)}",
            f"h_t = {chr(92)}tanh({f'{chr(92)}tanh(' * large}h_{{t-1}}{')' * large})",
            f"h_t = {'(1 + h_{t-1}) ' * min(20, large)}\nh_t \\in \\mathbb{{R}}",
            "h_t = h_{t-1} \\odot " + " \\odot ".join(["h_{t-1}"] * large),
        )
        cell, true = random.choice((*_BAD_CELLS, *_BAD_CELLS, *more)), random.choice(_ABOUT_THEM)
    else:
        words = [
            " ".join(random.choice(WORDS) for _ in range(random.randint(1, 6))) for _ in range(random.randint(1, 5))
        ]
        cell = "\n".join(f"{random.choice(WORDS)} = {word}" for word in words)
    return Case("", page(random, [true]), cell if "=" in cell or "\n" in cell else f"{cell}\n")


@generator(4)
def own_cells(random: Random) -> Case:
    """Documents that are their own cell, damaged."""
    lines = [*random.choice(CELLS).split("\n"), random.choice(TRUE)[1], random.choice(TRUE)[1]]
    if random.random() < 0.3:
        random.shuffle(lines)
    lines = [retold(random, line) if random.random() < 0.2 else line for line in lines]
    return Case("", page(random, lines) if random.random() < 0.6 else "\n".join(lines), None)


@generator(4)
def aliases(random: Random) -> Case:
    """Aliases in cycles, of nothing, or with hostile texts."""
    names = listed(r"g_t  a_t  q_t  s  R")
    good = listed(
        r"g_t  a_t  q_t  \delta_t  \nabla_{h_t} L  g_{t+1}  h_{t-1} + g_t  \tanh(a_{t-1})  W a_t  R  1e300 h_t"
    )
    bad = (*listed(r"h_t  W  =  1  \x  T  x_1  ((((  \input{x}  h_t = h_t  1e999  W W W"), "", "\x00", "\ud800")
    safe = random.random() < 0.7
    given = tuple(
        f"{random.choice(names if safe else (*names, *bad))}{'=' if safe else random.choice(('=', '', '=='))}"
        f"{random.choice(good if safe else bad)}"
        for _ in range(random.randint(1, 4))
    )
    text = page(random, [f"{random.choice(names)} = {random.choice(good)}" for _ in range(2)])
    return Case("", text, random.choice((RNN, RNN, LSTM, None)), aliases=given)


@generator(2)
def noise(random: Random) -> Case:
    """Characters."""
    size = random.choice((0, 1, 2, 10, 100, 5000))
    alphabets = ("\\{}$^_&%#~ \n", "ab=\\${}", "".join(map(chr, range(256))), "=", "\\", "$\n", "h_t=W()+-{}^1\\frac ")
    return Case("", "".join(random.choices(random.choice(alphabets), k=size)), random.choice((RNN, None)))


_LARGE = listed(
    r"""
    a  $  \  {  $$h_t = 1$$ words  `  % x_  \verb|  \begin{align}  \def\a{1}  h_t = h_t_  \[  $x$  ```_  >
    \newcommand{\a}[1]{#1}  %  - x_  \a  =  h_t = W \\  \(  (  $$x_  \begin{verbatim}  \\  &  #  ^  '  \left(  1+  $$1
    \text{  \a{  \frac  \newcommand  \b  -_  ~  [
    """
)


@generator(1)
def large(random: Random) -> Case:
    """Texts of up to a megabyte."""
    size, piece = random.choice((50_000, 300_000, 999_000)), random.choice((*_LARGE, "\n", "\ud800", "\u0301", " "))
    piece = f"{piece[:-1]}\n" if piece.endswith("_") else piece
    before = random.choice(
        ("", "$$", "\\begin{align}", "\\newcommand{\\a}{b}", "# x\n", "\\newcommand{\\a}[1]{#1 #1}", "$")
    )
    return Case("", before + piece * (size // len(piece)), RNN)


# -- watching ------------------------------------------------------------------------------------------


class TimeIsUp(BaseException):
    """The alarm; no ``except Exception`` stops it."""


_watching = False
_touched: list[str] = []
_mine = ""
_RUNS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "os.spawn",
    "socket.connect",
    "socket.bind",
    "pty.spawn",
    "webbrowser.open",
)
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
    "shutil.rmtree",
    "shutil.copyfile",
    "tempfile.mkstemp",
)
_LIBRARIES = tuple({sys.prefix, sys.base_prefix, *(str(path) for path in sys.path if path.endswith("-packages"))})


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Notes what is opened, run or changed while an input is checked."""
    if not _watching:
        return
    if event in _RUNS or (event in _CHANGES and "__pycache__" not in str(arguments[0])):
        _touched.append(f"{event} {arguments[:2]!r}"[:200])
    elif event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path, mode = os.fsdecode(arguments[0]), str(arguments[1] or "")
        writes = any(letter in mode for letter in "wax+") or bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        own = path == _mine or path.endswith((".pyc", ".py", ".so")) or "__pycache__" in path or path == os.devnull
        library = path.startswith(_LIBRARIES) or (path.startswith(str(ROOT)) and path.endswith((".lark", ".tex")))
        if not own and (writes or not library) and not path.startswith("/proc/self/"):
            _touched.append(f"open {path[:150]} {mode}")


_hooked = False


def _watch() -> None:
    global _hooked
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True


@contextlib.contextmanager
def limited(seconds: float, memory: int = MEMORY) -> Iterator[None]:
    """An alarm, so much memory more than the process has, and notes of what is touched. The alarm goes off again where something
    swallows it.
    """
    global _watching
    armed = True

    def ring(*_: object) -> None:
        if armed:
            raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    _watching = True
    try:
        yield
    finally:
        armed = _watching = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def allowance(given: Case, seconds: float) -> float:
    """How long a document may take: so long an equation, with more for each of many and for a long text."""
    marks = ("$$", "\\[", "\\begin{equation", "\n", "" if "matrix}" in given.text else "\\\\")
    lines = sum(given.text.count(mark) for mark in marks if mark) // 2
    return seconds + min(30.0, 0.3 * max(0, lines - 10)) + len(given.text) / 40_000


def attempt(given: Case, seconds: float = 10.0) -> Outcome:
    """Check one input."""
    from bptt import BpttError  # whatever is imported first must not count as time or memory

    _watch()
    _touched.clear()
    start, memory = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end, detail, verdicts = "checked", "", Counter[str]()
    try:
        verdicts, detail = _commanded(given, seconds) if given.command else _checked(given, seconds)
        end = "impossible" if detail else "refused" if "refused" in verdicts else "checked"
    except TimeIsUp as error:
        end, detail = "hang", _where(error)
    except BpttError as error:
        end, detail = "refused", type(error).__name__
    except (Exception, SystemExit) as error:
        end, detail = "crash", f"{type(error).__name__}: {str(error)[:200]} {_where(error)}"
    if _touched:
        end, detail = "touched", "; ".join(_touched[:5])
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory)
    return Outcome(end, time.perf_counter() - start, detail, dict(verdicts), grown)


def _where(error: BaseException) -> str:
    """The innermost frames of the project, and the innermost of all."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if frame.filename.startswith(str(ROOT)) and frame.name != "ring"]
    chosen = [*own[-2:], *[frame for frame in frames[-1:] if frame not in own[-2:]]]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(chosen))


def _verdicts(given: Case, cell: Any, seconds: float) -> Sequence[Any]:
    """What is found in a document."""
    import bptt

    with limited(allowance(given, seconds)):
        found = bptt.check(given.text, cell, name=given.name, aliases=given.aliases, inline=given.inline)
        json.dumps([one.data() for one in found], allow_nan=False)
        "".join(str(one.counterexample) for one in found)
    return found


def _checked(given: Case, seconds: float) -> tuple[Counter[str], str]:
    """Verdicts, and what is impossible about them."""
    import bptt

    cell = None
    if given.cell is not None:
        with limited(allowance(given, seconds)):
            cell = bptt.cell(given.cell)
    found = _verdicts(given, cell, seconds)
    for one in found:
        if one.verdict not in ("correct", "layout", "wrong", "unreadable", "unsupported"):
            return Counter(), f"the verdict is {one.verdict!r}"
        if one.line < 1 or one.column < 1 or one.line > given.text.count("\n") + given.text.count("\\n") + 1:
            return Counter(), f"the place is {one.line}:{one.column}"
    fault = _spoiled(given, cell, found, seconds) or _uncorrected(given, cell, found, seconds)
    return Counter(one.verdict for one in found), fault


def _spoiled(given: Case, cell: Any, found: Sequence[Any], seconds: float) -> str:
    """An equation that stays true when a number is added at its end."""
    import bptt

    plain = not any(word in given.text for word in ("\\def", "command", "\\DeclareMath", "%"))
    for one in found[:3] if plain else ():
        claim = one.claim
        sides = any(
            sign in claim
            for sign in ("\\le", "\\ge", "<", ">", "\\in", "\\ne", "\\approx", "\\sim", "≤", "≥", "≈", "≠", "∈")
        )
        if (
            not one.accepted
            or one.evidence == "definition"
            or sides
            or given.text.count(claim) != 1
            or "=" not in claim
        ):
            continue
        if given.text.count(claim + "\n") or "\n" in claim:
            continue
        text = given.text.replace(claim, f"{claim} + 7 ")
        with contextlib.suppress(bptt.BpttError):
            for other in _verdicts(replace(given, text=text), cell, seconds):
                if (
                    (other.line, other.column) == (one.line, one.column)
                    and other.accepted
                    and other.evidence != "definition"
                ):
                    return f"{claim!r} is {one.verdict}, and {other.claim!r} as well"
    return ""


def _uncorrected(given: Case, cell: Any, found: Sequence[Any], seconds: float) -> str:
    """A correction that is not found true."""
    if cell is None or given.aliases or "\\def" in given.text or "command" in given.text or len(found) > 4:
        return ""
    for one in found[:2]:
        if one.correction:
            again = next(iter(_verdicts(Case("", f"$${one.correction}$$"), cell, seconds)), None)
            known = {"a_t", "b_t", "g_t"}  # names that the document introduces are not known without it
            if (
                again is not None
                and not again.accepted
                and not any(name in given.text for name in known)
                and again.verdict == "wrong"
            ):
                return f"the correction {one.correction!r} of {one.claim!r} is {again.verdict}: {again.message}"
    return ""


def sound() -> str:
    """Whether what is true is still found true: an input that is stopped half-way must leave nothing behind. Empty if so."""
    import bptt

    for cell, text in TRUE:
        (found,) = bptt.check(f"$${text}$$", bptt.cell(cell))
        if not found.accepted:
            return f"afterwards {text} is {found.verdict}: {found.message}"
    return ""


def _commanded(given: Case, seconds: float) -> tuple[Counter[str], str]:
    """The same through the command line, twice: as text and as JSON."""
    global _mine
    from bptt.cli import main as command

    counts: Counter[str] = Counter()
    for option in ([], ["--json"]):
        with tempfile.TemporaryDirectory() as folder:
            ending = ".ipynb" if given.name.endswith(".ipynb") else ".tex"
            path = Path(folder) / f"document{ending}"
            path.write_bytes(given.text.encode("utf-8", "surrogatepass"))
            _mine = str(path)
            arguments = ["check", str(path), *option, *(["--inline"] if given.inline else [])]
            arguments += [] if given.cell is None else [f"--cell={given.cell}"]
            arguments += [f"--alias={alias}" for alias in given.aliases]
            with (
                contextlib.redirect_stdout(io.StringIO()) as out,
                contextlib.redirect_stderr(io.StringIO()) as err,
                limited(allowance(given, seconds)),
            ):
                status = command(arguments)
        said = err.getvalue()
        if status not in (0, 1, 2) or "nested too deeply" in said or "not enough memory" in said:
            return counts, f"status {status}: {said[:300]}"
        if status == 2:
            if not said.strip():
                return counts, "status 2 without a word"
            return Counter({"refused": 1}), ""
        if option:
            counts.update(str(one["verdict"]) for one in json.loads(out.getvalue()))
    return counts, ""


# -- the run -------------------------------------------------------------------------------------------


def _work(seed: int, first: int, last: int, seconds: float) -> None:
    """In a worker: one line before each input, and one after."""
    import bptt

    os.environ["BPTT_TRACEBACK"] = "1"
    bptt.check("$$1 = 1$$", bptt.cell(RNN))
    for number in range(first, last):
        print(json.dumps({"start": number}), flush=True)
        given = case(seed, number)
        outcome = attempt(given, seconds)
        if outcome.seconds > seconds / 3 or number == last - 1:
            after = sound()
            outcome = replace(outcome, end="impossible", detail=f"{after} ({outcome.end})") if after else outcome
        print(json.dumps(outcome.__dict__), flush=True)


@dataclass
class Tally:
    """What is found in a run."""

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    seconds: list[tuple[float, int]] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, number: int, given: Case, outcome: Outcome) -> None:
        """One more."""
        self.ends[given.kind, outcome.end] += 1
        self.verdicts.update(outcome.verdicts)
        self.spent[given.kind] += round(1000 * outcome.seconds)
        self.seconds = sorted([*self.seconds, (outcome.seconds, number)], reverse=True)[:12]
        self.memory = sorted([*self.memory, (outcome.memory, number)], reverse=True)[:5]
        if outcome.end in FATAL:
            self.faults.append((number, outcome.end, outcome.detail))


def run(seed: int, count: int, seconds: float, first: int = 0, say: Callable[[str], None] = print) -> Tally:
    """Check so many inputs, by workers that are replaced now and then, and where one dies or stands still."""
    tally, number, last = Tally(), first, first + count
    while number < last:
        upto = min(last, number + 1000)
        command = [sys.executable, __file__, "--worker", str(seed), str(number), str(upto), str(seconds)]
        worker = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert worker.stdout is not None
        for line in _lines(worker, 4 * seconds + 300):
            data = json.loads(line)
            if "end" in data:
                done = Outcome(data["end"], data["seconds"], data["detail"], data["verdicts"], data["memory"])
                given = case(seed, number)
                tally.add(number, given, done)
                if done.end in FATAL:
                    say(f"#{number} {done.end} {done.seconds:.1f} s  {done.detail}\n    {given.literal()}")
                number += 1
        if number < upto:
            end = "stuck" if worker.poll() is None else "died"
            worker.kill()
            given = case(seed, number)
            tally.add(number, given, Outcome(end, 4 * seconds, f"exit status {worker.poll()}"))
            say(f"#{number} {end}\n    {given.literal()}")
            number += 1
        worker.kill()
        worker.wait()
    return tally


def _lines(worker: subprocess.Popen[bytes], patience: float) -> Iterator[str]:
    """What a worker says, until it ends or says nothing for too long."""
    assert worker.stdout is not None
    rest = b""
    while select.select([worker.stdout], [], [], patience)[0]:
        chunk = os.read(worker.stdout.fileno(), 1 << 16)
        if not chunk:
            worker.wait()
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)


def report(tally: Tally, seed: int, elapsed: float) -> None:
    """Tables: ends by kind, verdicts, the slowest and the largest."""
    ends = sorted({end for _, end in tally.ends})
    print(f"\n{'kind':<20}{'seconds':>9}" + "".join(f"{end:>12}" for end in ends))
    for kind in sorted({kind for kind, _ in tally.ends}):
        print(
            f"{kind:<20}{tally.spent[kind] / 1000:>9.1f}"
            + "".join(f"{tally.ends[kind, end] or '':>12}" for end in ends)
        )
    total = sum(tally.ends.values())
    print(
        f"{'all':<20}{elapsed:>9.1f}"
        + "".join(f"{sum(n for (_, e), n in tally.ends.items() if e == end):>12}" for end in ends)
    )
    print("\nverdicts: " + ", ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.most_common()))
    print(f"{total} inputs in {elapsed:.0f} s, {total / elapsed:.1f} a second\n\nthe slowest")
    for seconds, number in tally.seconds:
        print(f"{seconds:7.2f} s  #{number}  {case(seed, number).literal(160)}")
    print("\nthe largest growth of memory")
    for memory, number in tally.memory:
        print(f"{memory / 1e6:7.0f} MB  #{number}  {case(seed, number).literal(160)}")
    if tally.faults:
        print(f"\n{len(tally.faults)} inputs ended as none may")
        alike: dict[str, list[int]] = {}
        for number, end, detail in tally.faults:
            alike.setdefault(f"{end}: {re.sub(r'([^ ]*[0-9][^ ]*)(?= |$)', _digits, detail)}", []).append(number)
        for detail, numbers in sorted(alike.items(), key=lambda item: -len(item[1])):
            print(f"{len(numbers):5}  {detail[:300]}  #{', #'.join(map(str, numbers[:4]))}")


def _digits(match: re.Match[str]) -> str:
    """A word without its numbers, unless it is a place in a file: so faults that are alike are counted together."""
    return match[1] if re.match(r"\w+\.py:", match[1]) else re.sub("[0-9]+", "N", match[1])


def main() -> int:
    """Run, print, and say whether all went well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--seconds-each", type=float, default=10.0)
    parser.add_argument("--show", type=int, nargs="*", help="print these inputs instead")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        seed, first, last, seconds = options.worker
        _work(int(seed), int(first), int(last), float(seconds))
        return 0
    if options.show is not None:
        for number in options.show:
            print(f"#{number} {case(options.seed, number).literal(1_000_000)}")
        return 0
    start = time.perf_counter()
    tally = run(options.seed, options.inputs, options.seconds_each, options.first, lambda line: print(line, flush=True))
    report(tally, options.seed, time.perf_counter() - start)
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
