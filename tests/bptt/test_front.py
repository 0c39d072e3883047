"""Public names, and the examples of the README."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import bptt

ROOT = Path(__file__).parents[2]


def test_every_public_name_is_there() -> None:
    for name in bptt.__all__:
        assert getattr(bptt, name) is not None


def test_errors_are_one_tree() -> None:
    for name in bptt.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(bptt, name), bptt.BpttError)


@pytest.mark.parametrize("page", ["README.md", "docs/compiling.md", "docs/checking.md"])
def test_the_documentation_runs(page: str) -> None:
    failures, tried = doctest.testfile(
        str(ROOT / page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 5 and failures == 0


def test_the_readme_shows_what_the_command_prints() -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1]
    derivation = bptt.cell(r"h_t = \sigma(W h_{t-1} + U x_t)").gradient("W")
    assert str(derivation) in shown


def test_formulas_of_a_cell() -> None:
    cell = bptt.cell("lstm")
    formula = bptt.parse(r"\sigma'(z^f_t) \odot C_{t-1}", cell)
    assert formula.shape == cell.shapes["C"]
    assert str(formula.subs("t", 3) if False else formula) == "sigma'(z^{f}[t]) * C[t-1]"


def test_results_are_sympy_objects() -> None:
    import sympy

    cell = bptt.cell("rnn")
    result = cell.jacobian("h_t", "h_k").result
    t = sympy.Symbol("t", integer=True)
    assert isinstance(result, sympy.Basic)
    assert t in result.free_symbols
    assert str(result.subs(t, 5)) == "prod_{j=k+1}^{5} diag(tanh'(z[j])) @ W"
    assert sympy.latex(result) == result.latex()
