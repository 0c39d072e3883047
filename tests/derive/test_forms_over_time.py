"""Truncated BPTT, forward sensitivities, Hessian-vector products and norm bounds: what they say, and that they are right."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Integer

from derive import expressions as e
from derive.bounds import norm_bound
from derive.cell import cell, library
from derive.errors import MissingRuleError, UsageError
from numeric.bounds import measure_bound
from numeric.draws import draw, run_of
from numeric.tangents import TangentPass
from numeric.validate import validate_derivation, validate_hessian_vector

RNN = "h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)"
WITH_LOSSES = [name for name in library() if cell(name).loss_terms and cell(name).parameters]


def first_matrix(name: str) -> str:
    """A parameter that acts in the recurrence: the first matrix, else the first of all."""
    subject = cell(name)
    return next((key for key in subject.parameters if 1 not in subject.shapes[key]), subject.parameters[0])


# -- truncated -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", ["K", 1, 3])
@pytest.mark.parametrize("form", ["recursion", "double-sum"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "minimal-rnn"])
def test_truncated_gradients_agree_with_a_detached_referee(name: str, form: str, window: int | str) -> None:
    subject = cell(name)
    for key in (subject.parameters[0], subject.parameters[-1]):
        validate_derivation(subject, subject.gradient(key, form, truncate_after=window), draws=6)


@pytest.mark.parametrize("name", WITH_LOSSES)
def test_every_cell_can_be_truncated(name: str) -> None:
    subject = cell(name)
    if subject.max_lead:
        with pytest.raises(MissingRuleError, match="next step"):
            subject.gradient(subject.parameters[0], truncate_after=2)
        return
    validate_derivation(subject, subject.gradient(first_matrix(name), truncate_after="K"), draws=3)


def test_a_window_as_long_as_the_sequence_leaves_nothing_out() -> None:
    subject = cell(RNN)
    exact = subject.gradient("W", "unrolled", steps=4)
    assert subject.gradient("W", "unrolled", steps=4, truncate_after=4).result == exact.result
    assert (
        len(subject.gradient("W", "unrolled", steps=4, truncate_after=2).result.operands) == 7
    )  # 4 + 3 pairs t - k < 2


def test_a_longer_window_is_another_gradient() -> None:
    subject = cell(RNN)
    derivation = subject.gradient("W", truncate_after=2)
    wrong = type(derivation)(**{**derivation.__dict__, "window": Integer(3)})
    with pytest.raises(Exception, match="disagrees"):
        validate_derivation(subject, wrong, draws=6)


def test_a_truncated_gradient_says_that_it_is_one() -> None:
    derivation = cell(RNN).gradient("W", truncate_after="K")
    assert derivation.equation.operators == ("~",)
    assert derivation.steps[-1].operator == "~" and "left out" in derivation.steps[-1].reason
    assert str(derivation.result) == "sum_{r=1}^{T} sum_{t=max(1, r-K+1)}^{r} delta^{(r)}[t] @ h[t-1].T"


@pytest.mark.parametrize(
    ("window", "form", "message"),
    [
        (0, "recursion", "truncated after"),
        ("T", "recursion", "truncated after"),
        (2, "rtrl", "not truncated"),
        ("K", "unrolled", "no number"),
    ],
)
def test_windows_that_are_none(window: int | str, form: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cell(RNN).gradient("W", form, truncate_after=window)


def test_the_bounds_of_a_window_are_read_back() -> None:
    subject = cell(RNN)
    result = subject.gradient("W", "double-sum", truncate_after=3).result
    assert subject.read(str(result)) == result
    assert subject.read(result.latex()) == result


# -- forward sensitivities -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_LOSSES)
def test_forward_sensitivities_agree_with_autograd(name: str) -> None:
    subject = cell(name)
    validate_derivation(subject, subject.gradient(first_matrix(name), "rtrl"), draws=3)


def test_sensitivities_through_sums_over_time_and_starting_values() -> None:
    text = "h_t = \\tanh(W h_{t-1} + U x_t)\nh_0 = \\tanh(b)\ns = w^\\top \\frac{1}{T} \\sum_{t=1}^{T} h_t\nL = \\frac{1}{2} (s - q)^2"
    subject = cell(text)
    for key in subject.parameters:
        validate_derivation(subject, subject.gradient(key, "rtrl"), draws=6)


def test_a_wrong_line_of_the_sensitivities_is_noticed() -> None:
    subject = cell(RNN)
    derivation = subject.gradient("W", "rtrl")
    lines = tuple(
        e.Relation("=", line.lhs, e.Plus(line.rhs, line.rhs)) if "z[t]" in str(line.lhs) else line
        for line in derivation.recursion
    )
    wrong = type(derivation)(**{**derivation.__dict__, "recursion": lines})
    with pytest.raises(Exception, match="disagrees"):
        validate_derivation(subject, wrong, draws=4)


# -- Hessian-vector products ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_LOSSES)
def test_hessian_vector_products_agree_with_autograd(name: str) -> None:
    validate_hessian_vector(cell(name), draws=3)


def test_a_direction_in_one_parameter() -> None:
    subject = cell(RNN)
    derivation = subject.hessian_vector("b", along=["W"])
    assert str(derivation.result) == "sum_{t=1}^{T} delta_dot[t]"
    assert not any("U_dot" in str(step) for step in derivation.steps)
    validate_hessian_vector(subject, ["W"], draws=6)


def test_the_hessian_is_symmetric() -> None:
    """⟨u, H v⟩ = ⟨v, H u⟩ for directions in different parameters."""
    subject = cell(RNN)
    drawn = draw(subject, 5, length=4)
    run = run_of(subject, drawn)
    generator = np.random.default_rng(0)
    u = generator.normal(size=drawn.given[("W", None)].shape)
    v = generator.normal(size=drawn.given[("b", None)].shape)
    left = np.sum(u * TangentPass(run, {"b": v}).parameter("W"))
    right = np.sum(v * TangentPass(run, {"W": u}).parameter("b"))
    assert left == pytest.approx(right, rel=1e-12)
    assert abs(left) > 1e-6


def test_an_abstract_loss_of_a_matrix_has_no_second_derivative_in_matrix_form() -> None:
    with pytest.raises(MissingRuleError, match="more than two indices"):
        cell("S_t = A S_{t-1} + v_t k_t^\\top").hessian_vector()


# -- norm bounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_LOSSES)
def test_bounds_hold(name: str) -> None:
    subject = cell(name)
    try:
        derivation = subject.norm_bound()
    except MissingRuleError as error:
        assert "next step" in str(error) or "other steps" in str(error)
        return
    measured = measure_bound(subject, draws=10, derivation=derivation)
    assert all(0 <= one.smallest <= one.largest <= 1 + 1e-9 for one in measured)


def test_constant_factors_become_a_power() -> None:
    bounds = [str(step) for step in norm_bound(cell("h_t = \\sigma(W h_{t-1} + U x_t)")).steps if step.operator == "<="]
    assert bounds[0].endswith("prod_{j=t+1}^{T} ‖diag(sigma'(z[j])) @ W‖")
    assert bounds[1].endswith("‖W‖^{T-t} * prod_{j=t+1}^{T} ‖diag(sigma'(z[j]))‖")
    assert bounds[2].endswith("((1/4) * ‖W‖)^{T-t}")


def test_a_weight_that_varies_stays_under_the_product() -> None:
    bounds = norm_bound(cell("h_t = \\tanh(W_t h_{t-1} + U x_t)\nW_t \\in \\mathbb{R}^{n \\times n}")).steps
    assert str(bounds[-1].rhs).endswith("prod_{j=t+1}^{T} ‖W[j]‖")


def test_a_bound_that_is_too_small_is_noticed() -> None:
    subject = cell(RNN)
    derivation = subject.norm_bound()
    steps = tuple(
        type(step)(step.lhs, e.Times(e.Scalar(Integer(1) / 2), step.rhs), step.rule, operator=step.operator)
        if step.operator == "<="
        else step
        for step in derivation.steps
    )
    wrong = type(derivation)(**{**derivation.__dict__, "steps": steps})
    with pytest.raises(Exception, match="does not hold"):
        measure_bound(subject, draws=10, derivation=wrong)


# -- the joint state -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in WITH_LOSSES if cell(name).states and not cell(name).max_lead])
def test_joint_jacobians_of_the_library(name: str) -> None:
    subject = cell(name)
    vec = any(1 not in subject.shapes[key] for key in subject.states)
    validate_derivation(subject, subject.jacobian(vec=vec), draws=4)


@pytest.mark.parametrize("name", WITH_LOSSES)
def test_every_adjoint_in_a_recursion_has_a_line(name: str) -> None:
    subject = cell(name)
    steps = subject.gradients().steps
    defined = {step.lhs.name for step in steps if isinstance(step.lhs, (e.Timed, e.Var))}
    used = {
        leaf.name for step in steps for leaf in step.rhs.atoms(e.Timed, e.Var) if leaf.name in subject.adjoint_owners
    }
    assert used <= defined
