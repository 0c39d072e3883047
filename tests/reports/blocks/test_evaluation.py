"""Numbers put into a cell; the truth is computed here with NumPy."""

from __future__ import annotations

import re

import numpy as np
import pytest

from derive.errors import BpttError
from derive.notation.source import Source
from derive.notation.write_latex import write_latex
from reports import document as d
from reports.blocks import REGISTRY, SheetContext
from reports.markdown import read_markdown

ROWS = r"""
```bptt cell
name: n
show: no
---
u_i = s_{i-1} U
w_i = x_i W
o_i = u_i + w_i
s_i = \sigma(o_i)
a = s_2 V
y = \sigma(a)
L = \frac{1}{2} (y - \hat y)^2
x_i \in \mathbb{R}^{1 \times 3}, s_i \in \mathbb{R}^{1 \times 2}, y \in \mathbb{R}
```

```bptt evaluate
cell: n
given: x_1 = \begin{pmatrix} 1.0 & 0.5 & 2.0 \end{pmatrix}, x_2 = \begin{pmatrix} 0.1 & 0.8 & 1.0 \end{pmatrix}, \hat{y} = 1
  U = \begin{pmatrix} 0.1 & 0.8 \\ 0.2 & 0.5 \end{pmatrix}, V = \begin{pmatrix} 0.5 \\ 0.3 \end{pmatrix}
  W = \begin{pmatrix} 0.1 & 0.8 \\ 0.2 & 0.5 \\ 0.4 & 1.0 \end{pmatrix}, s_0 = \begin{pmatrix} 0.0 & 0.0 \end{pmatrix}
of: OF
digits: 7
```
"""
TAGGER = r"""
```bptt cell
name: tagger
show: no
---
z_t = W_{hh} h_{t-1} + W_{hx} x_t + b_h
h_t = \tanh(z_t)
o_t = W_{yh} h_t + b_y
p_t = \operatorname{softmax}(o_t)
L = -\sum_{t=1}^{T} e_{y_t}^\top \log(p_t)
```

```bptt evaluate
cell: tagger
given: x_1 = \begin{pmatrix} 4 \\ 0 \\ 0 \\ 0 \end{pmatrix}, x_2 = \begin{pmatrix} 0 \\ 8 \\ 2 \\ 0 \end{pmatrix}
  W_{hx} = \begin{pmatrix} 0.1 & 0.1 & 0.1 & 0.1 \\ 0.1 & 0.1 & 0.1 & 0.1 \\ 0.1 & 0.1 & 0.1 & 0.1 \end{pmatrix}
  W_{hh} = \begin{pmatrix} 0.1 & 0.1 & 0.1 \\ 0.1 & 0.1 & 0.1 \\ 0.1 & 0.1 & 0.1 \end{pmatrix}
  W_{yh} = \begin{pmatrix} 0.1 & 0.1 & 0.1 \\ 0.1 & 0.1 & 0.1 \end{pmatrix}
  b_h = \begin{pmatrix} 0.1 \\ 0.1 \\ 0.1 \end{pmatrix}, b_y = \begin{pmatrix} 0.1 \\ 0.1 \end{pmatrix}
  e_{y_1} = \begin{pmatrix} 1 \\ 0 \end{pmatrix}, e_{y_2} = \begin{pmatrix} 0 \\ 1 \end{pmatrix}
of: OF
exact: yes
```
"""


def lines(text: str) -> list[str]:
    document = read_markdown(Source(text, "s.md"), REGISTRY, SheetContext(draws=2))
    (found,) = [block for block in document.blocks if isinstance(block, d.Aligned)]
    return [f"{line.operator} {write_latex(line.rhs)}" for line in found.lines]


def numbers(line: str) -> np.ndarray:
    return np.array([float(text) for text in re.findall(r"-?\d+\.?\d*", line.replace("- ", "-"))])


def sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


X = np.array([[1.0, 0.5, 2.0], [0.1, 0.8, 1.0]])
U, W, V = np.array([[0.1, 0.8], [0.2, 0.5]]), np.array([[0.1, 0.8], [0.2, 0.5], [0.4, 1.0]]), np.array([0.5, 0.3])
S1 = sigma(X[0] @ W)
S2 = sigma(S1 @ U + X[1] @ W)
Y = sigma(np.array(S2 @ V))
DA = (Y - 1) * Y * (1 - Y)
DO2 = DA * V * S2 * (1 - S2)
DO1 = DO2 @ U.T * S1 * (1 - S1)
VALUES = {
    "u_1": np.zeros(2), "w_2": X[1] @ W, "s_1": S1, "s_2": S2, "y": Y, "L": (Y - 1) ** 2 / 2,
    r"\frac{\partial L}{\partial y}": Y - 1, r"\frac{\partial L}{\partial a} = \frac{\partial L}{\partial y} y (1 - y)": DA,
    r"\frac{\partial L}{\partial V} = s_2^\top \frac{\partial L}{\partial a}": DA * S2,
    r"\frac{\partial L}{\partial o_1}": DO1, r"\frac{\partial L}{\partial W}": np.outer(X[0], DO1) + np.outer(X[1], DO2),
    r"\frac{\partial L}{\partial U} = s_1^\top \frac{\partial L}{\partial u_2}": np.outer(S1, DO2),
}  # fmt: skip


@pytest.mark.parametrize("formula", VALUES)
def test_values_are_those_of_numpy(formula: str) -> None:
    found = numbers(lines(ROWS.replace("OF", formula))[-1])
    assert found == pytest.approx(np.ravel(VALUES[formula]), rel=1e-6)


def test_the_formula_is_printed_with_the_numbers_in_it() -> None:
    first, second, third = lines(ROWS.replace("OF", r"a").replace("digits: 7", "digits: 3"))
    assert first == "= s_2 V"
    assert second == r"= \begin{pmatrix} 0.697 & 0.927 \end{pmatrix} \begin{pmatrix} 0.5 \\ 0.3 \end{pmatrix}"
    assert third.split()[0] == "~" and numbers(third) == pytest.approx(S2 @ V, abs=5e-4)
    _, inside, _ = lines(
        ROWS.replace("OF", r"\frac{\partial L}{\partial a} = \frac{\partial L}{\partial y} y (1 - y)").replace("7", "3")
    )
    assert inside == r"= (-0.348) \cdot 0.652 \cdot (1 - 0.652)"
    assert len(lines(ROWS.replace("OF", "a").replace("digits: 7", "matrices: no"))) == 2


def test_exact_values() -> None:
    t = np.tanh(0.5)
    assert lines(TAGGER.replace("OF", "h_1"))[-1] == (
        r"= \begin{pmatrix} \tanh(0.5) \\ \tanh(0.5) \\ \tanh(0.5) \end{pmatrix} \approx "
        r"\begin{pmatrix} 0.4621 \\ 0.4621 \\ 0.4621 \end{pmatrix}"
    )
    assert lines(TAGGER.replace("OF", "z_2"))[-1].startswith(r"= \begin{pmatrix} 0.3 \tanh(0.5) + 1.1 \\ ")
    assert numbers(lines(TAGGER.replace("OF", "o_2"))[-1].split("approx")[1]) == pytest.approx(
        [0.3 * np.tanh(1.1 + 0.3 * t) + 0.1] * 2, abs=5e-5
    )
    assert lines(TAGGER.replace("OF", "p_2"))[-1] == r"= \begin{pmatrix} 0.5 \\ 0.5 \end{pmatrix}"
    assert lines(TAGGER.replace("OF", "L"))[-1] == r"= 2 \log(2) \approx 1.386"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROWS.replace("OF", r"\frac{\partial L}{\partial a} = \frac{\partial L}{\partial y} y"), "with these numbers"),
        (ROWS.replace("OF", "q_1"), "q"),
        (ROWS.replace("OF", "s_7"), ""),
        (ROWS.replace("OF", "y").replace(r"\hat{y} = 1", r"y = 1"), "gives no number"),
        (ROWS.replace("OF", "L").replace(r", \hat{y} = 1", ""), "hat"),
        (ROWS.replace("OF", "y").replace(r"V = \begin{pmatrix} 0.5 \\ 0.3 \end{pmatrix}", r"V = \begin{pmatrix} 0.5 \\ 0.3 \\ 1 \end{pmatrix}"), "in this cell V is a vector of size 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused(text: str, said: str) -> None:
    with pytest.raises(BpttError) as found:
        lines(text)
    assert said in str(found.value) and "s.md" in str(found.value)


def test_errors_point_at_their_line_of_an_option() -> None:
    text = ROWS.replace("OF", "s_1\n  s_2\n  q_1")
    with pytest.raises(BpttError) as found:
        lines(text)
    assert found.value.span is not None
    assert found.value.span.line == text[: text.index("q_1")].count("\n") + 1 and found.value.span.column == 3
    assert "q_1" in found.value.span.excerpt()


def test_numbers_are_kept_for_the_next_block_about_the_cell() -> None:
    once = ROWS.replace("OF", "s_1")
    again = "\n```bptt evaluate\ncell: n\nof: y\ndigits: 7\n```\n"
    blocks = read_markdown(Source(once + again, "s.md"), REGISTRY, SheetContext(draws=2)).blocks
    last = blocks[-1]
    assert isinstance(last, d.Aligned) and numbers(write_latex(last.lines[-1].rhs)) == pytest.approx([Y], rel=1e-6)
    with pytest.raises(BpttError, match="no numbers are given"):
        lines(re.sub(r"given: .*\n(  .*\n)*", "", once))
