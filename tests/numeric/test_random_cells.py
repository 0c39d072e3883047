"""Random cells against autograd: gradients, Jacobians and round trips of everything that a cell is made of."""

from __future__ import annotations

from hypothesis import given
from strategies import cells

from derive.cell import Cell
from numeric.validate import validate_derivation, validate_gradients


@given(cells())
def test_gradients_agree_with_autograd(text: str) -> None:
    validate_gradients(Cell.from_text(text), draws=2, tolerance=1e-8, scale=0.2)


@given(cells(max_states=2, depth=2))
def test_joint_jacobians_agree_with_autograd(text: str) -> None:
    subject = Cell.from_text(text)
    if subject.max_lag > 1 or not subject.states:
        return
    state = subject.states[-1]
    try:
        derivation = subject.jacobian(f"{state}_t", f"{subject.states[0]}_k")
    except Exception as error:
        from derive.errors import MissingRuleError

        assert isinstance(error, MissingRuleError)
        return
    validate_derivation(subject, derivation, draws=1, tolerance=1e-8)


@given(cells(depth=2))
def test_equations_read_back(text: str) -> None:
    """Every equation, printed in LaTeX and in plain text, reads back as itself."""
    subject = Cell.from_text(text)
    for equation in subject.steps:
        for printed in (f"{equation.lhs.latex()} = {equation.rhs.latex()}", f"{equation.lhs} = {equation.rhs}"):
            assert subject.read(printed).rhs == equation.rhs  # type: ignore[attr-defined]
