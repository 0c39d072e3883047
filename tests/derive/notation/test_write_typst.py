"""Typst output: it compiles, without warnings, and Typst shows the same signs in the same structure as the MathML
output does.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import typst
from hypothesis import given, settings

from derive.notation import surface as s
from derive.notation.parser import parse_one
from derive.notation.write_mathml import write_mathml
from derive.notation.write_typst import write_typst
from tests.derive.notation.surfaces import ALL, example, outline, shown, surfaces

SPELLINGS = {
    "W_{hh} h_{t-1}": "W_(h h) h_(t - 1)",
    r"x_{\mathrm{init}}": 'x_("init")',
    r"\sigma'(z_j)": r"sigma' \(z_j\)",
    r"\operatorname{diag}(o_t) W": r'op("diag") \(o_t\) W',
    r"W^\top \delta_{t+1}": "W^top delta_(t + 1)",
    r"\frac{\partial^{+} h_k}{\partial W}": "frac(partial^+ h_k, partial W)",
    r"\frac{f(x, y)}{b}": r"frac(f \(x\, y\), b)",
    r"(\frac{a}{b})": "(frac(a, b))",
    r"h^{(t)}_{[1]}": r"h_(\[1\])^(\(t\))",
    r"\lVert W \rVert": "norm(W, size: #1em)",
    r"a / b": r"a \/ b",
    r"\begin{pmatrix} 1 & -2 \\ [a; b] & f(x, y) \end{pmatrix}": r"mat(1, -2; \[a\; b\], f \(x\, y\))",
    r"\mathcal{L} + \mathbf{1}^\top": "cal(L) + bold(1)^top",
    r"\sum_{t=0}^{T} x_t": "sum_(t = 0)^T x_t",
    r"\tilde{C}_t": "tilde(C)_t",
    r"\phi \varphi \epsilon": "phi.alt phi epsilon.alt",
}


def document(formulas: list[str], display: bool = True) -> bytes:
    return "\n\n".join(f"$ {formula} $" if display else f"${formula}$" for formula in formulas).encode()


def compile_cleanly(source: bytes) -> None:
    _, warnings = typst.compile_with_warnings(source, format="svg")
    assert not [str(warning.message) for warning in warnings if "font" not in str(warning.message)]


def typst_outline(formula: str) -> str:
    """What Typst has understood, in the notation of :func:`tests.derive.notation.surfaces.outline`."""
    (equation,) = json.loads(typst.query(document([formula]), "math.equation"))
    return _outline(equation["body"])


def _outline(node: Any) -> str:
    if isinstance(node, str):
        return shown(node)
    kind = node["func"]
    if kind == "sequence":
        return "".join(map(_outline, node["children"]))
    if kind == "attach":
        primes = _outline(node["tr"]) if "tr" in node else ""
        upper = primes + (_outline(node["t"]) if "t" in node else "")
        return (
            _outline(node["base"])
            + (f"_{{{_outline(node['b'])}}}" if "b" in node else "")
            + (f"^{{{upper}}}" if "t" in node or primes else "")
        )
    if kind == "primes":
        return shown("′" * node["count"])
    if kind in ("accent", "overline", "underline"):
        return f"accent{{{_outline(node.get('base', node.get('body')))}}}"
    if kind == "frac":
        return f"frac{{{_outline(node['num'])}}}{{{_outline(node['denom'])}}}"
    if kind == "root":
        return (
            "root"
            + (f"{{{_outline(node['index'])}}}" if node.get("index") else "")
            + f"{{{_outline(node['radicand'])}}}"
        )
    if kind == "mat":
        return "(" + "".join("&".join(map(_outline, row)) + ";" for row in node["rows"]) + ")"
    if kind in ("space", "h"):
        return ""
    return _outline(node.get("body", node.get("child", node.get("text"))))


@pytest.mark.parametrize(("text", "expected"), SPELLINGS.items())
def test_spelling(text: str, expected: str) -> None:
    assert write_typst(parse_one(text)) == expected


def test_all_formulas_compile_in_one_document() -> None:
    formulas = [write_typst(node) for node in map(example, ALL)]
    assert len(formulas) >= 60
    compile_cleanly(document(formulas) + b"\n\n" + document(formulas, display=False))


@pytest.mark.parametrize("text", ALL)
def test_formula_compiles_to_what_mathml_shows(text: str) -> None:
    node = example(text)
    formula = write_typst(node)
    compile_cleanly(document([formula]))
    assert typst_outline(formula) == outline(write_mathml(node))


def test_text_cannot_leave_its_quotes() -> None:
    for text in ('"', "\\", '\\"', '#panic("x")', "$ x $", "// no comment", "*/"):
        assert typst_outline(write_typst(s.Line((s.Text(text), s.Name("x"))))) == shown(text) + ",x"


@settings(deadline=None, max_examples=60)
@given(surfaces)
def test_random_trees_compile_to_what_mathml_shows(node: s.Surface) -> None:
    formula = write_typst(node)
    compile_cleanly(document([formula]))
    assert typst_outline(formula) == outline(write_mathml(node))
