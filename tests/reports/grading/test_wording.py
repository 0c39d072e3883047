"""What is said of formulas: those in sentences are typeset, sentences end once, and no raw arrays are shown."""

from __future__ import annotations

import numpy as np
import pytest

from derive.notation.write_latex import write_latex
from reports import document as d
from reports.grading.wording import looked_at, point, sentence
from reports.render import make
from reports.walk import plain_text
from verify.verdict import Counterexample


def shown(body: d.Inlines) -> str:
    """A sentence with its formulas in dollars and its code in backquotes."""
    signs = {d.Math: "${}$", d.CodeSpan: "`{}`"}
    pieces = [(one, write_latex(one.surface) if isinstance(one, d.Math) else plain_text((one,))) for one in body]
    return "".join(signs.get(type(one), "{}").format(text) for one, text in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h[t-1] belongs where h[t] stands", "$h_{t-1}$ belongs where $h_t$ stands."),
        (
            "second summand: the factor diag(sigma'(z[t])) is missing after W_c",
            "Second summand: the factor $\\operatorname{diag}(\\sigma'(z_t))$ is missing after $W_c$.",
        ),
        (
            "it is sum_{t=1}^{T} delta[t] @ h[t-1].T, a sum",
            "It is $\\sum_{t=1}^{T} \\delta_t h_{t-1}^\\top$, a sum.",
        ),
        ("delta belongs where 0 stands", "$\\delta$ belongs where 0 stands."),
        ("⊙ belongs between the factors: W ⊙ h[t]", "⊙ belongs between the factors: $W \\odot h_t$."),
        ("'h[t]' is a matrix of shape n x n", "$h_t$ is a matrix of shape $n \\times n$."),
        ("unexpected '*'", "Unexpected `*`."),
        ("nothing before the operator?", "Nothing before the operator?"),
        ("write \\operatorname{foo} if it is yours", "Write `\\operatorname{foo}` if it is yours."),
        ("it takes more than 6 s to decide", "It takes more than 6 s to decide."),
        ("a factor (entry by entry) is too many.", "A factor (entry by entry) is too many."),
        ("", ""),
        ("A belongs where a formula stands", "$A$ belongs where a formula stands."),
    ],
)
def test_sentences(text: str, expected: str) -> None:
    assert shown(sentence(text)) == expected


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("look at line 2, column 4: h_t^\\top", "Look at line 2, column 4: $h_t^\\top$."),
        ("look at line 2, column 4: \\frac{a ...", "Look at line 2, column 4: `\\frac{a ...`."),
        ("look once more", "Look once more."),
    ],
)
def test_where_to_look(hint: str, expected: str) -> None:
    assert shown(looked_at(hint)) == expected


def difference(left: object, right: object) -> Counterexample:
    return Counterexample({"n": 2}, {"t": 1}, np.array(left), np.array(right))


def test_small_matrices_are_typeset() -> None:
    said, formula = point(difference([[0.5, -2e-7], [0.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]]))
    assert isinstance(said, d.Paragraph) and isinstance(formula, d.Display)
    assert shown(said.body) == "At $n = 2$, $t = 1$ the left side is not the right side:"
    written = write_latex(formula.surface)
    assert "\\begin{pmatrix}" in written and "-2 \\cdot 10^{-7}" in written and "\\ne" in written


def test_large_matrices_are_left_out() -> None:
    (said,) = point(difference(np.zeros((4, 1)), np.ones((4, 1))))
    assert isinstance(said, d.Paragraph)
    assert shown(said.body) == "At $n = 2$, $t = 1$ the two sides differ."


@pytest.mark.parametrize("numbers", [2.0, [1.0, float("inf")], [[float("nan")] * 3] * 3])
def test_points_can_be_printed(numbers: object) -> None:
    document = d.Document(d.words("x"), blocks=point(difference(numbers, numbers)))
    assert make(document, "x", ("pdf", "html"), "typst").contents["x.pdf"].startswith(b"%PDF")
