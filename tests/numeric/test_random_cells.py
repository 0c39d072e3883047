"""Random cells against autograd: gradients, Jacobians, every other form, and round trips of what a cell is made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from strategies import cells, examples

from derive.cell import Cell
from derive.derivation import Derivation
from derive.errors import MissingRuleError
from numeric.bounds import measure_bound
from numeric.validate import validate_derivation, validate_gradients, validate_hessian_vector

SETTINGS = {"tolerance": 1e-8, "scale": 0.2}
"""Small values, because random cells that grow leave the numbers where they can be compared."""


@examples(150)
@given(cells())
def test_gradients_agree_with_autograd(text: str) -> None:
    validate_gradients(Cell.from_text(text), draws=2, **SETTINGS)


@examples(50)
@given(cells(max_states=2, depth=2))
def test_joint_jacobians_agree_with_autograd(text: str) -> None:
    subject = Cell.from_text(text)
    try:
        derivation = subject.jacobian(vec=True)
    except MissingRuleError:
        return
    validate_derivation(subject, derivation, draws=1, **SETTINGS)


@examples(50)
@given(cells(max_states=2, depth=2), st.sampled_from(["rtrl", "recursion"]), st.data())
def test_other_forms_of_a_gradient_agree_with_autograd(text: str, form: str, data: st.DataObject) -> None:
    subject = Cell.from_text(text)
    key = data.draw(st.sampled_from(subject.parameters))
    window = None if form == "rtrl" else data.draw(st.sampled_from(["K", 1, 2]))
    derivation = _derived(lambda: subject.gradient(key, form, truncate_after=window))
    if derivation is not None:
        validate_derivation(subject, derivation, draws=2, **SETTINGS)


@examples(40)
@given(cells(max_states=2, depth=2))
def test_the_double_sum_is_proved_equal_to_the_recursion(text: str) -> None:
    """No line of a proof fails, whatever the cell; and the double sum is the gradient."""
    subject = Cell.from_text(text)
    key = subject.parameters[0]
    if _derived(lambda: subject.equivalence(key)) is not None:
        validate_derivation(subject, subject.gradient(key, "double-sum"), draws=1, **SETTINGS)


@examples(50)
@given(cells(max_states=2, depth=2))
def test_hessian_vector_products_agree_with_autograd(text: str) -> None:
    subject = Cell.from_text(text)
    if _derived(subject.hessian_vector) is not None:
        validate_hessian_vector(subject, draws=1, **SETTINGS)


@examples(30)
@given(cells(max_states=2, depth=2))
def test_norm_bounds_hold(text: str) -> None:
    subject = Cell.from_text(text)
    derivation = _derived(subject.norm_bound)
    if derivation is not None:
        measure_bound(subject, draws=2, derivation=derivation, scale=SETTINGS["scale"])


def _derived(derive) -> Derivation | None:  # type: ignore[no-untyped-def]
    """What is derived; None where it is refused with a reason."""
    try:
        found: Derivation = derive()
    except MissingRuleError as error:
        assert error.message
        return None
    return found


@examples(100)
@given(cells(depth=2))
def test_equations_read_back(text: str) -> None:
    """Every equation, printed in LaTeX and in plain text, reads back as itself."""
    subject = Cell.from_text(text)
    for equation in subject.steps:
        for printed in (f"{equation.lhs.latex()} = {equation.rhs.latex()}", f"{equation.lhs} = {equation.rhs}"):
            assert subject.read(printed).rhs == equation.rhs  # type: ignore[attr-defined]


@examples(50)
@given(cells(depth=2))
def test_cells_read_back(text: str) -> None:
    subject = Cell.from_text(text)
    assert Cell.from_text(str(subject)) == subject
    assert Cell.from_text(subject.latex()) == subject
