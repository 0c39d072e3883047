"""Formulas for the writers: a list that shows every construct, random surface trees, and what a MathML element shows as
plain structure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from xml.etree import ElementTree

from hypothesis import strategies as st

from derive.notation import surface as s
from derive.notation.elaborate import read_formula
from derive.notation.parser import parse_one
from derive.notation.present import present
from derive.notation.vocabulary import ACCENTS, FUNCTION_COMMANDS, GREEK, RELATIONS

FORMULAS = [line.strip() for line in r"""
    W
    \alpha + \beta
    \Gamma \Lambda \Upsilon \varepsilon \epsilon \varphi \phi \varpi \varrho \varsigma \vartheta \ell \infty
    0.58
    1e-5
    -x
    a - b + c
    -\tanh x
    \lambda = -0.5
    W_{hh}
    W_{ih} x_t
    x_{\mathrm{init}}
    W_{i,t}
    h_{t-1}
    h_t^{[1]}
    h^{(2)}_{t}
    z^f_t
    W_{[0:n]}
    x_\alpha
    x^*
    A^\dagger
    W^\top
    W^{-1}
    e^{-z}
    e^{-\frac{x^2}{2}}
    \sigma'(z_j)
    f''(x)
    h_t'^2
    \sigma_t'(z)
    \tilde{C}_t
    \hat{y} \bar{h}_t \dot{x} \ddot{x} \check{x} \breve{x} \underline{x}
    \overrightarrow{h}^{[1]}_t + \overleftarrow{h}_t
    \overline{a b}
    \hat{\tilde{x}}
    f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f)
    \tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)
    C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t
    h_t = o_t \odot \tanh(C_t)
    (1 - z_t) \odot h_{t-1}
    \operatorname{softmax}(z_t) W \operatorname{ReLU}(x)
    \operatorname{diag}(o_t) W \tanh x
    \max_i x_i
    f(x, y)
    \frac{f(x, y)}{b}
    [a, b] + [a; b] + \{a, b\} + \langle u, v \rangle
    \{1, \dots, T\}
    \left[ \frac{a}{b} \right] \left\{ \frac{a}{b} \right\} \left\langle \frac{a}{b}, c \right\rangle
    \lVert W \rVert_F^2 + \lvert -x \rvert
    \left\lVert \frac{\partial h_t}{\partial h_k} \right\rVert \le (\gamma_\sigma \lVert W \rVert)^{t-k}
    a \cdot b \times c \otimes d * e / f
    2 \cdot 3
    2 3 x
    \frac{1}{1+e^{-z}}
    \frac{\partial L}{\partial W} = \sum_{t=0}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial^{+} h_k}{\partial W}
    \prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W
    \sum_t x_t
    \left( \sum_{t=1}^{T} x_t \right)^2
    x^{\sum_{i=1}^n y_i}
    \sqrt{x} + \sqrt[3]{x + 1}
    \begin{pmatrix} 0.58 & -0.81 \\ 0.81 & 0.58 \end{pmatrix}
    \begin{pmatrix} \frac{\partial h_t}{\partial h_{t-1}} & 0 \\ f(x, y) & \sum_{k=1}^{t} J_k \end{pmatrix}
    W^{30} = Q \Lambda^{30} Q^{-1}
    \bar{h}_t = \nabla_{h_t} L_t + W^\top \delta_{t+1}
    a \in \mathbb{R}^{n \times d}
    t = 1, \dots, T
    W : A \to B
    a < b \le c > d \ge e \approx f \ne g \equiv h \propto k \sim l \Rightarrow m \notin n \subset o \coloneqq p
    a_1 + \dots + a_n = W_1 \dots W_n
    \mathbf{1}^\top x
    \mathcal{L} + \mathcal{H} + \mathfrak{g} + \mathfrak{C} + \mathbb{E} + \mathbb{N}
    {a + b}^2
    {x_t}^2
    \frac{a}{b}^2
    x = 1, y > 2 \text{for all t > 0}
    """.strip().splitlines()]  # fmt: skip
"""Formulas as people write them; together they hold every kind of surface node, mark, operator, relation, accent and
bracket that is read.
"""

EXPRESSIONS = [
    r"\sigma'(z_t) \odot W h_{t-1}",
    r"h_t = \tanh(W h_{t-1} + U x_t + b)",
    r"\lVert W h_t \rVert^2 + e^{-\alpha}",
    r"W \prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W",
    r"-2 (W^\top)^{-1} h_t + \frac{1}{2} \sqrt{\alpha} h_t",
    "sigmoid(W @ h[t-1] + U @ x[t] + b) * tanh(c[t])",
    r"\nabla_{h_t} L_t + W^\top \delta_{t+1}",
    r"\sum_{t=1}^{T} \delta_t h_{t-1}^\top + \frac{\partial L}{\partial W}",
    r"h_t = \begin{pmatrix} W h_{t-1} \\ U x_t \end{pmatrix}",
]
"""Formulas that are read as expressions and presented again."""


ALL = [*FORMULAS, *EXPRESSIONS]


def example(text: str) -> s.Surface:
    """One of the formulas as a surface tree."""
    return present(read_formula(text)) if text in EXPRESSIONS else parse_one(text)


# -- random trees ----------------------------------------------------------------------------------

MARKS = ("ones", "reals", "nabla", "partial", "dots", "top", "star", "+", "-", "infty", "prime", "dagger", "transpose")
OPERATORS = ("odot", "cdot", "times", "otimes", "ast", "slash", "at", "by")

_WORDS = ("ell", "infty", "calL", "frakg", "bbE", "hh", "h1", "init", "softmax", "W1", "vec", "mat", "a-b", '#x"\\')
_names = st.sampled_from([*"abWhLéλ字", *GREEK, *FUNCTION_COMMANDS, *_WORDS])
_numbers = st.sampled_from(["0", "7", "30", "0.58", ".5", "1e-5", "2.5E+3"])

leaves = st.one_of(
    _names.map(s.Name),
    _numbers.map(s.Number),
    st.sampled_from(MARKS).map(s.Mark),
    st.one_of(st.text(max_size=6), st.sampled_from(['"', "\\", '\\"', "a & <b>", "$x$ #f(1)", "x, y; z"])).map(s.Text),
)


@st.composite
def _joined(draw: st.DrawFn, below: st.SearchStrategy[s.Surface]) -> s.Surface:
    """Several trees in a row, with signs between them."""
    items = tuple(draw(st.lists(below, min_size=1, max_size=3)))
    kind = draw(st.sampled_from(("sequence", "sum", "infix", "relation", "line", "bracket", "row")))

    def signs(choices: tuple[Any, ...], count: int) -> tuple[Any, ...]:
        return tuple(draw(st.sampled_from(choices)) for _ in range(count))

    if kind == "sum":
        return s.Sum(signs((1, -1), len(items)), items)
    if kind == "infix":
        return s.Infix(signs(OPERATORS, len(items) - 1), items)
    if kind == "relation":
        return s.Relation(signs(tuple(sorted(set(RELATIONS.values()))), len(items) - 1), items)
    if kind == "bracket":
        kept = items[: draw(st.integers(0, 3))]
        return s.Bracket(
            draw(st.sampled_from(("(", "[", "{", "<", "group", "time"))), kept, draw(st.sampled_from((",", ";")))
        )
    if kind == "row":
        return s.Matrix((items, items[::-1]))
    return s.Line(items) if kind == "line" else s.Sequence(items)


def _above(below: st.SearchStrategy[s.Surface]) -> st.SearchStrategy[s.Surface]:
    scripts = st.lists(below, max_size=2).map(tuple)
    maybe = st.none() | below
    return st.one_of(
        _joined(below),
        st.builds(s.Scripted, below, scripts, scripts, st.integers(0, 4)),
        st.builds(s.Accent, st.sampled_from(sorted(set(ACCENTS.values()))), below),
        st.builds(s.Fence, st.sampled_from(("norm", "abs")), below),
        st.builds(s.Fraction, below, below),
        st.builds(s.Root, below, maybe),
        st.builds(s.Big, st.sampled_from(("sum", "prod")), maybe, maybe, below),
    )


surfaces = st.recursive(leaves, _above, max_leaves=10)
"""Random surface trees, far wilder than anything that is read or derived."""


# -- what an output shows --------------------------------------------------------------------------

_INVISIBLE = re.compile(r"[\s\u2061\u2062\x00-\x1f\x7f-\x9f\ufffe\uffff\u200b-\u200f\u2028-\u202e\ufeff]")


def shown(text: str) -> str:
    """Characters by what they are, without alphabets and invisible ones."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).replace("−", "-"))


def outline(mathml: str) -> str:
    """What a MathML element shows: its signs in reading order, with the structures named. Accents, which differ in
    characters, by a tilde.
    """
    return _outline(ElementTree.fromstring(mathml))


def _outline(element: ElementTree.Element) -> str:
    parts = [_outline(child) for child in element]
    if not parts:
        return shown(element.text or "")
    if element.get("accent") or element.get("accentunder"):
        return f"accent{{{parts[0]}}}"
    if element.tag == "mfrac":
        return f"frac{{{parts[0]}}}{{{parts[1]}}}"
    if element.tag in ("msqrt", "mroot"):
        return f"root{{{parts[1]}}}{{{parts[0]}}}" if element.tag == "mroot" else f"root{{{''.join(parts)}}}"
    if element.tag == "mtr":
        return "&".join(parts) + ";"
    scripts = {"msub": "_", "munder": "_", "msup": "^", "mover": "^", "msubsup": "_^", "munderover": "_^"}.get(
        element.tag
    )
    if scripts:
        return parts[0] + "".join(f"{sign}{{{part}}}" for sign, part in zip(scripts, parts[1:], strict=True))
    return "".join(parts)
