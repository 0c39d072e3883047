"""MathML output: well-formed, made of MathML Core, and showing the right signs in the right places."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from derive.notation import surface as s
from derive.notation.parser import parse_one
from derive.notation.write_mathml import write_mathml
from tests.derive.notation.surfaces import ALL, example, outline, surfaces

CORE = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
    "munder", "mover", "munderover",
    "mtable", "mtr", "mtd", "mpadded",
}  # fmt: skip
CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}
ATTRIBUTES = {
    "display", "mathvariant", "lspace", "rspace", "form", "stretchy", "largeop", "movablelimits", "accent",
    "accentunder", "width", "height",
    "voffset", "scriptlevel", "mathsize", "style",
}  # fmt: skip

LEAVES = {
    "W_{hh} h_{t-1}": "W h h ⁢ h t − 1",
    r"\sigma'(z_t)": "σ ′ ⁡ ( z t )",
    r"f''(x)": "f ″ ⁡ ( x )",
    r"\operatorname{diag}(o_t) W": "diag ⁡ ( o t ) ⁢ W",
    r"W \tanh x": "W ⁢ tanh ⁢ x",
    r"C_t = f_t \odot C_{t-1} + i_t \odot \tilde{C}_t": "C t = f t ⊙ C t − 1 + i t ⊙ C ˜ t",
    r"\sum_{t=0}^{T} \frac{\partial L_t}{\partial h_t}": "∑ t = 0 T ∂ L t ∂ h t",
    r"\frac{\partial^{+} h_k}{\partial W}": "∂ + h k ∂ W",
    r"W^\top x": "W ⊤ ⁢ x",
    r"z^f_t": "z t f",
    r"\overrightarrow{h}^{[1]}_t": "h → t [ 1 ]",
    r"\left\lVert \frac{a}{b} \right\rVert \le \lvert x \rvert": "‖ a b ‖ ≤ | x |",
    r"\begin{pmatrix} 0.58 & -0.81 \\ 1 & 0 \end{pmatrix}": "( 0.58 − 0.81 1 0 )",
    r"a \in \mathbb{R}^{n \times d}": "a ∈ ℝ n × d",
    r"\mathcal{L} + \mathbf{1}": "ℒ + 𝟏",
    r"\sqrt[3]{x}": "x 3",
    "2 \\cdot 3": "2 ⋅ 3",
    r"a_1 + \dots + a_n": "a 1 + ⋯ + a n",
    r"t = 1, \dots, T": "t = 1 , … , T",
    "1e-5 x": "10 − 5 ⁢ x",
}
"""Formulas and their leaves in document order."""


def leaves_of(mathml: str) -> str:
    return " ".join(e.text for e in ElementTree.fromstring(mathml).iter() if e.text)


def check_core(mathml: str) -> None:
    """Only elements and attributes of MathML Core, each with the number of children it needs."""
    for element in ElementTree.fromstring(mathml).iter():
        assert element.tag in CORE
        assert set(element.attrib) <= ATTRIBUTES
        assert element.get("mathvariant", "normal") == "normal"
        assert len(element) == CHILDREN.get(element.tag, len(element))
        assert not (len(element) and element.text), "text beside elements"
        assert not element.tail


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("text", ALL)
def test_formulas_are_mathml_core(text: str, display: bool) -> None:
    check_core(write_mathml(example(text), display))


@pytest.mark.parametrize(("text", "expected"), LEAVES.items())
def test_leaves(text: str, expected: str) -> None:
    line = parse_one(text)
    assert leaves_of(write_mathml(line.items[0] if len(line.items) == 1 else line)).split() == expected.split()


def test_numbers_in_scientific_form_are_powers_of_ten() -> None:
    assert outline(write_mathml(s.Number("1e-5"))) == "10^{-5}"
    assert outline(write_mathml(s.Scripted(s.Number("2.5E+3"), sups=(s.Number("2"),)))) == "(2.5×10^{3})^{2}"


def test_a_whole_element() -> None:
    expected = '<math display="block"><mrow><mo form="prefix">−</mo><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    assert write_mathml(parse_one("-x^2"), display=True) == expected


def test_text_is_escaped_and_keeps_its_spaces() -> None:
    assert (
        write_mathml(s.Text('if a < b & "c"\x00'))
        == '<math><mtext>if&#xA0;a&#xA0;&lt;&#xA0;b&#xA0;&amp;&#xA0;"c"</mtext></math>'
    )


def test_bounds_stand_above_and_below_only_in_a_display() -> None:
    def movable(text: str, display: bool) -> list[str | None]:
        return [
            e.get("movablelimits")
            for e in ElementTree.fromstring(write_mathml(parse_one(text), display)).iter("mo")
            if e.get("largeop")
        ]

    assert movable(r"\sum_{t=1}^T x_t", True) == ["false"]
    assert movable(r"\sum_{t=1}^T x_t", False) == ["true"]
    assert movable(r"\frac{\sum_{t=1}^T x_t}{T}", True) == ["true"]
    assert "<munder>" in write_mathml(parse_one(r"\max_i x_i"), True)
    assert "<munder>" not in write_mathml(parse_one(r"\max_i x_i"), False)


def test_signs_in_scripts_stand_close() -> None:
    assert '<mo lspace="0" rspace="0">−</mo>' in write_mathml(parse_one("h_{t-1}"))
    assert "<mo>−</mo>" in write_mathml(parse_one("t - 1"))


def test_brackets_grow_around_fractions_only() -> None:
    assert 'stretchy="true"' in write_mathml(parse_one(r"(\frac{a}{b})"))
    assert 'stretchy="true"' not in write_mathml(parse_one("(a_t + b^2)"))


@settings(deadline=None)
@given(surfaces)
def test_random_trees_are_mathml_core(node: s.Surface) -> None:
    check_core(write_mathml(node))
    check_core(write_mathml(node, display=True))
