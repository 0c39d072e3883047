"""Mistakes that short sequences of vectors with few entries hide are found, and it is said where they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from derive.cell import Cell
from tests.verify.programs.passes import RNN, rnn
from verify.programs.beyond import beyond
from verify.programs.cases import Way, cases_for
from verify.programs.naming import Target
from verify.programs.report import GradientReport, check_gradients
from verify.programs.results import Point

LOW_RANK = Cell.from_text(
    "h_t = \\tanh(P Q^\\top h_{t-1} + U x_t)\nP \\in \\mathbb{R}^{n \\times r}\nQ \\in \\mathbb{R}^{n \\times r}"
)


def altered(alter: Callable[[np.ndarray, int, int], np.ndarray], slope: int = 0) -> Callable[..., dict[str, Any]]:
    """A backward pass in which the adjoint of the pre-activation at a step (from 0) of T is altered; ``slope``: so many steps away the
    slope is taken, where there is one.
    """

    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        h = [h_0]
        for step in x:
            h.append(np.tanh(W @ h[-1] + U @ step + b))
        dW, dU, db, carried = 0 * W, 0 * U, 0 * b, 0 * h_0
        for t in reversed(range(len(x))):
            place = t + 1 + slope if t + 1 + slope <= len(x) else t + 1
            dz = alter((1 - h[place] ** 2) * (dh[t] + carried), t, len(x))
            dW, dU, db, carried = dW + np.outer(dz, h[t]), dU + np.outer(dz, x[t]), db + dz, W.T @ dz
        return {"dW": dW, "dU": dU, "db": db, "dh_0": carried}

    return run


@pytest.mark.parametrize(
    ("alter", "where", "why"),
    [
        (lambda dz, t, T: dz * (T - t <= 8), "it is right for T = 7, and wrong for longer sequences", "it is what the last 8 steps add"),
        (lambda dz, t, T: dz * (T - t <= 20), "it is right for T = 12, and wrong for longer sequences", "it is what the last 20 steps add"),
        (lambda dz, t, T: dz * (1 + (T % 2 == 0 and T > 4)), "it is wrong for T = 12, and right for T = 1, 2, 3, 4, 7, 25", ""),
        (lambda dz, t, T: np.clip(dz, -5, 5), "it is right for small gradients, and wrong for large ones", ""),
        (lambda dz, t, T: dz * (1 + (len(dz) > 8)), "it is wrong for d = 11, n = 10, and right for", ""),
        (lambda dz, t, T: dz * (1 + (len(dz) == 1)), "it is wrong for d = 5, n = 1, and right for", ""),
    ],
)  # fmt: skip
def test_what_shows_only_beyond_ordinary_cases(alter: Callable[..., Any], where: str, why: str) -> None:
    report = check_gradients(altered(alter), RNN)
    found = next(one for one in report.findings if one.name == "dW")
    assert not found.right and where in found.where and why in found.why
    assert "T = 1, 2, 3, 4, 7, 12, 25 with d = 2, n = 3" in str(report)


def test_what_is_given_stays_what_it_is() -> None:
    seen = set()

    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        seen.add((len(x), *W.shape))
        return rnn()(W, U, b, x, h_0, dh)

    fixed = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nh_t \\in \\mathbb{R}^3\nx_t \\in \\mathbb{R}^2")
    assert check_gradients(run, fixed, length=6).right and seen == {(6, 3, 3)}
    seen.clear()
    assert check_gradients(run, RNN, length=6).right and {one[0] for one in seen} == {6}
    assert {1, 3} < {one[1] for one in seen}


def test_a_function_that_fails_for_other_sizes_is_at_fault() -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        if len(b) == 1:
            raise ValueError("squeezed")
        return rnn()(W, U, b, x, h_0, dh)

    report = check_gradients(run, RNN)
    assert not report.right and all(finding.right for finding in report.findings)
    assert "the function raises ValueError for T = 6, d = 5, n = 1: squeezed" in str(report)


def test_in_long_sequences_the_end_depends_on_the_beginning() -> None:
    for text in (
        "h_t = \\tanh(W h_{t-1} + U x_t)",
        "h_t = W h_{t-1} + U x_t",
        "c_t = \\sigma(a) \\odot c_{t-1} + U x_t",
    ):
        way = Way(Cell.from_text(text), False)
        long = [case for case in beyond(way, 0, cases_for(way, 0, (3,))[0], None) if case.beyond == "length"]
        assert [case.length for case in long] == [12, 25]
        for case in long:
            (state,) = case.system.states
            jacobian = case.points[0].run.evaluator()(
                case.system.read(f"\\frac{{\\partial {state}_T}}{{\\partial {state}_1}}")
            )
            assert 1e-7 < np.max(np.abs(jacobian)) < 1e5


def test_gradients_with_many_entries_are_those_of_every_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Way(RNN, False).case(3, {"n": 5, "d": 4, "T": 6})
    taken = [case.right(Target("gradient", key)) for key in RNN.parameters]
    monkeypatch.setattr(Point, "_agrees", lambda *_: False)  # one by one
    again = Way(RNN, False).case(3, {"n": 5, "d": 4, "T": 6})
    for one, key in zip(taken, RNN.parameters, strict=True):
        assert one is not None and np.allclose(one, again.right(Target("gradient", key)), rtol=1e-10, atol=1e-12)


# -- reasons -------------------------------------------------------------------------------------------


def reasons(report: GradientReport) -> set[str]:
    return {finding.why for finding in report.findings if not finding.right}


@pytest.mark.parametrize(
    ("slope", "why"),
    [(1, "z[t+1] stands where z[t] belongs"), (-1, "1 - h[t-1] * h[t-1] stands where tanh'(z[t]) belongs")],
)
def test_the_slope_of_another_step(slope: int, why: str) -> None:
    (said,) = reasons(check_gradients(altered(lambda dz, t, T: dz, slope), RNN))
    assert said.endswith(why)


def test_only_what_is_carried() -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        return rnn()(W, U, b, x, h_0, np.concatenate([0 * dh[:-1], dh[-1:]]))

    found = check_gradients(
        lambda W, U, b, x, h_0, dh: {k: v for k, v in run(W, U, b, x, h_0, dh).items() if k != "h"}, RNN
    )
    assert reasons(found) == {"only what the loss passes at the last step is carried back"}


def test_the_factors_of_a_product_in_the_wrong_order() -> None:
    def run(P, Q, U, x, h_0, dh):  # type: ignore[no-untyped-def]
        h = [h_0]
        for step in x:
            h.append(np.tanh(P @ Q.T @ h[-1] + U @ step))
        dP, dQ, dU, carried = 0 * P, 0 * Q, 0 * U, 0 * h_0
        for t in reversed(range(len(x))):
            dz = (1 - h[t + 1] ** 2) * (dh[t] + carried)
            dP, dQ, dU = dP + np.outer(dz, Q.T @ h[t]), dQ + np.outer(h[t], P.T @ dz), dU + np.outer(dz, x[t])
            carried = P @ Q.T @ dz
        return {"dP": dP, "dQ": dQ, "dU": dU, "dh_0": carried}

    (said,) = reasons(check_gradients(run, LOW_RANK))
    assert "P @ Q.T @ delta[t+1], where" in said and "Q @ P.T @ delta[t+1] belongs" in said


def test_sizes_that_would_be_negative_are_not_tried() -> None:
    cell = Cell.from_text("h_t = \\tanh(W h_{t-1} + U [x_t; v])\nv \\in \\mathbb{R}^{n-2}\nh_t \\in \\mathbb{R}^n")
    way = Way(cell, False)
    sizes = [case.points[0].drawn.sizes["n"] for case in beyond(way, 3, way.case(3, {"n": 4, "d": 3, "T": 4}), None)]
    assert sizes and min(sizes) >= 2
