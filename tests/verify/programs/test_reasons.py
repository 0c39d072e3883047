"""Why backward passes are wrong: planted mistakes are named, in cells by hand and in random ones, and soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import cells, examples

import bptt
from derive.cell import Cell
from derive.errors import UsageError
from tests.verify.programs.passes import LSTM, RNN, lstm, rnn
from verify.programs.cases import Way, cases_for
from verify.programs.compare import apart
from verify.programs.naming import Target
from verify.programs.recursion import Recursion
from verify.programs.report import GradientReport, check_gradients

BOUND = 10.0
"""No report takes longer, in seconds."""


def reasons(report: GradientReport) -> dict[str, str]:
    return {finding.name: finding.why for finding in report.findings if not finding.right}


@pytest.mark.parametrize(
    ("slip", "last", "name", "why"),
    [
        ("no slope", None, "dW", "the factor tanh'(z[t]) is missing"),
        ("overwritten", None, "dW", "it is what step 1 alone adds"),
        ("nothing carried", None, "dU", "the summand W.T @ delta[t+1] is missing"),
        ("", 1, "dU", "it is right for the last step alone"),
        ("", 2, "dU", "it is what the last 2 steps add: the backward pass ends there"),
        ("", 5, "db", "it is what the last 5 steps add: the backward pass ends there"),
    ],
)
def test_plain_words(slip: str, last: int | None, name: str, why: str) -> None:
    found = reasons(check_gradients(rnn(slip, last), RNN))
    assert why in found[name]
    assert not any("[t-1] stands where delta[t+1]" in said or "z[0]" in said for said in found.values())


@pytest.mark.parametrize(
    ("factor", "why"),
    [
        (0.0, "it is zero"),
        (-1.0, "its sign is wrong"),
        (2.0, "it is 2 times as large"),
        (0.5, "it is 0.5 times as large"),
    ],
)
def test_numbers_beside_a_gradient(factor: float, why: str) -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn()(W, U, b, x, h_0, dh)
        return {**found, "dW": factor * found["dW"], "dx": found["dx"][::-1], "dU": found["dU"] / len(x)}

    found = reasons(check_gradients(run, RNN))
    assert found == {"dW": why, "dU": "it is divided by T", "dx": "its steps are in the order of the backward pass"}


def test_a_gradient_for_another() -> None:
    def run(params, inputs, initial_state, cotangents):  # type: ignore[no-untyped-def]
        found = lstm()(**params, **inputs, **initial_state, dh=cotangents["h"])
        return {**found, "dW_f": found["dW_i"], "dW_i": found["dW_f"]}

    found = reasons(check_gradients(run, LSTM))
    assert found == {"dW_f": "it is the gradient by W_i", "dW_i": "it is the gradient by W_f"}


def test_truncated_backpropagation() -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        h = [h_0]
        for step in x:
            h.append(np.tanh(W @ h[-1] + U @ step + b))
        dW, dU = 0 * W, 0 * U
        for t in range(len(x)):
            dz = dh[t] * (1 - h[t + 1] ** 2)
            for k in range(t, max(-1, t - 4), -1):
                dW += np.outer(dz, h[k])
                dU += np.outer(dz, x[k])
                dz = (W.T @ dz) * (1 - h[k] ** 2)
        return {"dW": dW, "dU": dU}

    report = check_gradients(run, RNN)
    assert set(reasons(report).values()) == {"each loss goes back 4 steps: it is truncated"}
    assert report.findings[0].where == "it is right for T = 4, and wrong for longer sequences"


def test_longer_sequences_are_only_spoken_of_where_they_were_tried() -> None:
    report = check_gradients(
        lambda W, U, b, x, h_0, dh: {"dW": rnn()(W, U, b, x, h_0, dh)["dW"] * (2 if len(x) < 4 else 1)}, RNN
    )
    assert "longer" not in report.findings[0].where and "wrong for T = 1, 2, 3" in report.findings[0].where
    assert "longer" not in check_gradients(rnn("overwritten"), RNN, length=4).findings[0].where


@pytest.mark.parametrize(
    ("slip", "why"),
    [
        ("no output gate", "the factor o[t] is missing"),
        ("no memory", "the summand f[t+1] * C_bar[t+1] is missing"),
        ("later memory", "C[t] stands where C[t-1] belongs"),
        ("slope of sigma", "g[t] * (1 - g[t]) stands where tanh'(z^{g}[t]) belongs"),
    ],
)
def test_lines_of_the_lstm(slip: str, why: str) -> None:
    begun = time.process_time()
    found = reasons(check_gradients(lstm(slip), LSTM))
    assert time.process_time() - begun < BOUND
    assert why in found["dW_f"] and len(set(found.values())) == 1


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("without bias", "right for h[t] = tanh(W @ h[t-1] + U @ x[t]), without b"),
        ("from zero", "right for h[0] = 0"),
        ("sigma", "right for h[t] = sigma(W @ h[t-1] + U @ x[t] + b)"),
        ("linear", "right for h[t] = W @ h[t-1] + U @ x[t] + b"),
        ("transposed", "W.T stands where W belongs"),
    ],
)
@pytest.mark.parametrize("states", [False, True])
def test_another_forward_pass(slip: str, said: str, states: bool) -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn(f"forward {slip}")(W, U, b, x, h_0, dh)
        return found if states else {key: value for key, value in found.items() if key != "h"}

    found = reasons(check_gradients(run, RNN))
    assert said in found["dU"] and "the forward pass is not that of the cell" in found["db"]
    assert found["dW"] == ("it is transposed" if slip == "transposed" else found["dU"])


# -- random cells --------------------------------------------------------------------------------------


@examples(10)
@given(cells(max_states=2, depth=2), st.integers(0, 1000))
def test_the_recursion_that_is_changed_is_the_truth_before(text: str, seed: int) -> None:
    """With no line changed it gives what the unrolled cell has, for one sequence and for a batch."""
    cell = Cell.from_text(text)
    recursion = Recursion.derived(cell)
    for case in (*cases_for(Way(cell, False), seed, (3,)), *cases_for(Way(cell, True), seed, (2,))):
        for target in [Target("gradient", key) for key in cell.parameters]:
            right, value = case.right(target), recursion.value(target, case)
            if right is not None and np.all(np.isfinite(right)):
                assert value is not None and apart(value, right) < 1e-6, target


@examples(6)
@given(cells(max_states=2, depth=1), st.sampled_from([-1.0, 0.0, 3.0]), st.data())
def test_right_and_wrong_passes_of_random_cells(text: str, factor: float, data: st.DataObject) -> None:
    """Compiled cells are right; with a factor at one gradient that one is wrong, for that reason, in a batch and alone."""
    cell = Cell.from_text(text)
    key, batch = data.draw(st.sampled_from(cell.parameters)), data.draw(st.booleans())
    if "{t=0}" in text:
        with pytest.raises(UsageError, match="the loss reads step 0"):
            check_gradients(_scaled(cell, key, 1.0), cell)
        return
    report = check_gradients(_scaled(cell, key, 1.0), cell, batch=batch, length=2, tolerance=1e-5)
    assert not reasons(report)
    found = check_gradients(_scaled(cell, key, factor), cell, batch=batch, length=2, tolerance=1e-5)
    if any(finding.name == key and finding.error > 0.1 for finding in found.findings):
        assert set(reasons(found)) == {key}
        assert reasons(found)[key] in ("its sign is wrong", "it is zero", "it is 3 times as large")


def _scaled(cell: Cell, key: str, factor: float) -> Callable[..., dict[str, Any]]:
    compiled = bptt.compile(cell)

    def run(params, inputs, initial_state, cotangents, targets, length):  # type: ignore[no-untyped-def]
        result = compiled(params, inputs, initial_state, cotangents or None, targets or None, length)
        return {key: factor * result.gradients[key], **{k: v for k, v in result.gradients.items() if k != key}}

    return run
