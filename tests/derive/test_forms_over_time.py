"""Truncated BPTT, forward sensitivities, Hessian-vector products and norm bounds: what they say, and that they are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sympy import Integer

from derive import expressions as e
from derive.bounds import norm_bound
from derive.cell import cell, library
from derive.errors import MissingRuleError, UsageError, ValidationError
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
    if subject.max_lead or subject.tree is not None:
        with pytest.raises(MissingRuleError, match="next step" if subject.tree is None else "not in a row"):
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
    wrong = replace(derivation, window=Integer(3))
    with pytest.raises(ValidationError, match="disagrees"):
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
        ("K", "unrolled", "window in numbers"),
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
    wrong = replace(derivation, recursion=lines)
    with pytest.raises(ValidationError, match="disagrees"):
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
    wrong = replace(derivation, steps=steps)
    with pytest.raises(ValidationError, match="does not hold"):
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


# -- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["\\frac{1}{T} \\sum_{t=1}^{T} L_t", "\\sum_{t=1}^{T} L_t^2", "2 \\sum_{t=1}^{T} L_t"])
@pytest.mark.parametrize("form", ["double-sum", "unrolled"])
def test_weights_of_a_step_loss_are_not_lost(loss: str, form: str) -> None:
    for body in ("L_t = \\lVert h_t - y_t \\rVert^2\n", ""):
        written = loss if body else loss.replace("L_t", "L_t(h_t)")
        subject = cell(f"h_t = \\tanh(W h_{{t-1}} + U x_t)\n{body}L = {written}")
        derivation = subject.gradient("W", form)
        assert any(step.rule == "step loss" for step in derivation.steps)
        validate_derivation(subject, derivation, draws=3)
        subject.equivalence("W")


@pytest.mark.parametrize("letter", ["r", "t", "k", "n", "W", "I", "e"])
def test_a_window_is_a_letter_that_means_nothing_else(letter: str) -> None:
    with pytest.raises(UsageError, match=r"truncated after|in use"):
        cell(RNN).gradient("W", truncate_after=letter)


def test_indices_are_no_names_of_the_cell() -> None:
    subject = cell("k_t = \\tanh(W k_{t-1} + j \\odot r_{t-1})\nr_t = \\tanh(V r_{t-1} + k_t)")
    for derivation in (
        subject.jacobian(),
        subject.gradient("W", truncate_after=2),
        subject.gradient("W", "double-sum"),
    ):
        bound = {node.index.name for step in derivation.steps for node in step.rhs.atoms(e.OverTime)}
        assert not bound & {"k", "j", "r"}
        validate_derivation(subject, derivation, draws=3)


def test_names_of_blocks_are_their_own() -> None:
    text = "h_t = \\tanh(W h_{t-1} + J^{ch}_t \\odot c_{t-1})\nc_t = \\tanh(V c_{t-1} + U h_{t-1})\nJ^{ch}_t = \\sigma(B h_{t-1})"
    subject = cell(text)
    derivation = subject.jacobian()
    named = [
        step.lhs.name for step in derivation.steps if isinstance(step.lhs, e.Timed) and step.rule.startswith("block")
    ]
    assert len(named) == 4 == len(set(named)) and not set(named) & set(subject.shapes)
    validate_derivation(subject, derivation, draws=3)


def test_every_name_of_a_truncated_recursion_has_a_line() -> None:
    subject = cell("h_t = \\tanh(W h_{t-1})\nv_t = V h_{t-2} + h_t\nL = \\sum_{t=1}^{T} \\lVert v_t \\rVert^2")
    lines = [str(step) for step in subject.gradient("W", truncate_after=2).steps]
    assert "v_bar^{(r)}[t] = 0" in lines


def test_the_tangent_recursion_says_where_it_starts() -> None:
    lines = [str(step) for step in cell(RNN).hessian_vector().steps]
    assert {"h_dot[0] = 0", "delta[T+1] = 0", "delta_dot[T+1] = 0"} <= set(lines)


def test_a_hessian_of_a_loss_that_reads_an_expression() -> None:
    subject = cell("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} \\ell(V h_t, y_t)")
    validate_hessian_vector(subject, draws=4)


@pytest.mark.parametrize(
    "loss", ["\\lVert h_2 \\rVert^2", "\\sum_{t=1}^{T-1} \\lVert h_t \\rVert^2", "\\lVert W \\rVert_F^2"]
)
def test_no_bound_for_a_loss_that_is_not_there(loss: str) -> None:
    with pytest.raises(MissingRuleError, match="no part at T"):
        cell(f"h_t = \\tanh(W h_{{t-1}} + U x_t)\nL = {loss}").norm_bound()


def test_a_gradient_by_one_of_several_arguments_is_not_total() -> None:
    """C_t is computed from h_t, and both are read by the loss."""
    from verify.judge import judge

    subject = cell("h_t = \\tanh(W h_{t-1})\nC_t = V C_{t-1} + A h_t\nL = \\sum_{t=1}^{T} L_t(h_t, C_t)")
    for step in subject.gradient("W").steps:
        assert judge(subject, step.relation, 5, 0).verdict == "correct", str(step)


def test_what_the_loss_does_not_depend_on_has_no_adjoint() -> None:
    subject = cell("g_t = A h_{t-1}\nh_t = \\tanh(W h_{t-1} + x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
    assert str(subject.gradient("A").result) == "0"
    assert "g_bar" not in str(subject.gradients())
