"""How functions are called, and what is said of what they do beside computing arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import bptt
from derive.cell import Cell
from derive.errors import DataError, UsageError, ValidationError
from tests.verify.programs.passes import LSTM, RNN, lstm, rnn
from verify.programs.naming import Naming
from verify.programs.report import assert_gradients, check_gradients

SQUARES = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\frac12 \\sum_{t=1}^{T} h_t^\\top h_t")
SHEET = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = v^\\top h_2")


# -- starting values -----------------------------------------------------------------------------------


def from_zero(W, U, b, x, dh):  # type: ignore[no-untyped-def]
    return {key: value for key, value in rnn()(W, U, b, x, np.zeros(len(b)), dh).items() if key != "dh_0"}


def test_without_the_starting_value_it_starts_from_zero() -> None:
    report = check_gradients(from_zero, RNN)
    assert report.right and not report.missing
    assert "h[0] is zero: the function does not take it" in report.notes


def test_of_two_starting_values_one_is_zero() -> None:
    def run(W_f, U_f, b_f, W_i, U_i, b_i, W_o, U_o, b_o, W_g, U_g, b_g, x, h_0, dh):  # type: ignore[no-untyped-def]
        every = locals()
        return lstm()(**every, C_0=np.zeros(len(b_f)))

    report = check_gradients(run, LSTM)
    assert report.right and any(note.startswith("C[0] is zero") for note in report.notes)


def test_a_starting_value_with_a_default_is_passed() -> None:
    def run(W, U, b, x, dh, h_0=None, verbose=False):  # type: ignore[no-untyped-def]
        assert h_0 is not None and np.any(h_0) and verbose is False
        return rnn()(W, U, b, x, h_0, dh)

    report = check_gradients(run, RNN)
    assert report.right and not report.notes


@pytest.mark.parametrize("name", ["h", "h_0", "h[0]", "h_{0}"])
def test_names_of_starting_values_in_a_mapping(name: str) -> None:
    def run(params, inputs, initial_state, cotangents):  # type: ignore[no-untyped-def]
        assert name in initial_state and "C_0" not in initial_state and initial_state.get("C_0") is None
        assert list(initial_state) == ["h_0"]
        return rnn()(params["W"], params["U"], params["b"], inputs["x"], initial_state[name], cotangents["h"])

    assert check_gradients(run, RNN).right


# -- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled", ["d{}", "grad_{}", "dL_d{}", "dL/d{}", "{}_grad", "g{}", "∇{}", "∇_{}", "d_{}", "{}", "dloss_d{}"]
)
def test_names_of_gradients(spelled: str) -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn()(W, U, b, x, h_0, dh)
        return {spelled.format(key): found[f"d{key}"] for key in ("W", "U", "b")}

    report = check_gradients(run, RNN)
    assert report.right and not report.missing


def test_names_without_their_underscores() -> None:
    naming = Naming(LSTM)
    assert [str(naming.target(name)) for name in ("dWf", "dW_f", "dh0", "dC_0", "dz_f", "Wx")] == [
        "the gradient by W_f", "the gradient by W_f", "the gradient by h at step 0", "the gradient by C at step 0",
        "the gradient by z^f", "None",
    ]  # fmt: skip


def test_one_name_is_one_name() -> None:
    report = check_gradients(lambda W, U, b, x, h_0, dh: rnn()(W, U, b, x, h_0, dh)["dW"], RNN, returns="dW")
    assert report.right and [finding.name for finding in report.findings] == ["dW"]


def test_states_with_the_starting_value_in_front() -> None:
    def run(W, U, b, x, h_0, dh, off=0.0):  # type: ignore[no-untyped-def]
        return {"h": np.concatenate([[h_0 + off], rnn()(W, U, b, x, h_0, dh)["h"]])}

    assert check_gradients(run, RNN).right
    assert not check_gradients(lambda W, U, b, x, h_0, dh: run(W, U, b, x, h_0, dh, 1.0), RNN).right


def test_inputs_of_single_steps_give_the_length() -> None:
    def run(W, U, v, x1, x2, h0):  # type: ignore[no-untyped-def]
        first = np.tanh(W @ h0 + U @ x1)
        second = np.tanh(W @ first + U @ x2)
        dz2 = v * (1 - second**2)
        dz1 = (W.T @ dz2) * (1 - first**2)
        return {
            "dW": np.outer(dz1, h0) + np.outer(dz2, first),
            "dW_1": np.outer(dz1, h0),
            "dv": second,
            "dx1": U.T @ dz1,
        }

    assert check_gradients(run, SHEET).right
    with pytest.raises(UsageError, match="takes step 9 of an input"):
        check_gradients(lambda W, x9: {}, RNN, length=4)


# -- what comes back -----------------------------------------------------------------------------------


def test_single_precision() -> None:
    def run(W, U, b, x, h_0, dh, factor=1.0):  # type: ignore[no-untyped-def]
        found = rnn()(*(np.float32(value) for value in (W, U, b, x, h_0, dh)))
        return {key: np.float32(value * factor) for key, value in found.items()}

    report = check_gradients(run, RNN)
    assert report.right and "of float32, held to 1e-04" in str(report)
    assert not check_gradients(run, RNN, tolerance=1e-12).right
    threefold = check_gradients(lambda W, U, b, x, h_0, dh: run(W, U, b, x, h_0, dh, 3.0), RNN)
    assert {finding.why for finding in threefold.findings if finding.name == "dW"} == {"it is 3 times as large"}


def test_single_precision_of_tensors_and_double_precision_is_strict() -> None:
    def tensors(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn()(*(value.float().numpy() for value in (W, U, b, x, h_0, dh)))
        return {key: torch.tensor(value, dtype=torch.float32) for key, value in found.items()}

    assert check_gradients(tensors, RNN, torch=True).right

    def rounded(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        return {"dW": rnn()(W, U, b, x, h_0, dh)["dW"] * (1 + 3e-6)}

    report = check_gradients(rounded, RNN)
    assert not report.right and "single precision" in report.findings[0].where


def test_what_is_no_array_of_real_numbers() -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn()(W, U, b, x, h_0, dh)
        return {"dW": None, "dU": found["dU"] * (1 + 1e-3j), "db": found["db"] + 0j, "dW_99": W, "foo": 1}

    report = check_gradients(run, RNN)
    said = {finding.name: (finding.right, finding.where) for finding in report.findings}
    assert said == {"dW": (False, "it is None"), "dU": (False, "it has an imaginary part"), "db": (True, "")}
    assert set(report.unknown) == {"dW_99", "foo"} and "dW_99: there is no step 99" in report.unchecked


def test_a_loss() -> None:
    def run(W, U, x, h_0, off=0.0):  # type: ignore[no-untyped-def]
        h, loss = h_0, off
        for step in x:
            h = np.tanh(W @ h + U @ step)
            loss += h @ h / 2
        return loss

    assert check_gradients(lambda W, U, x, h_0: {"loss": run(W, U, x, h_0)}, SQUARES).right
    beside = check_gradients(lambda W, U, x, h_0: (run(W, U, x, h_0, 1.0), {"dW": 0 * W}), SQUARES)
    assert {finding.name for finding in beside.findings if not finding.right} == {"loss", "dW"}
    for wrong in (0.0, 1.0):
        assert not check_gradients(lambda W, wrong_=None, _w=wrong: {"loss": _w}, SQUARES).right
    unnamed = check_gradients(lambda W, U, x, h_0: (x, {"loss": run(W, U, x, h_0)}), SQUARES)
    assert unnamed.right and "beside the mapping has no name" in str(unnamed)


def test_numbers_as_arrays_of_one() -> None:
    cell = bptt.cell("sentiment")
    report = check_gradients(bptt.compile(cell, backend="torch"), cell, torch=True)
    assert report.right and not report.missing and not report.unknown


# -- what functions do beside --------------------------------------------------------------------------


def test_arguments_that_are_changed() -> None:
    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn()(W.copy(), U, b, x.copy(), h_0, dh)
        W -= 0.1 * found["dW"]
        x[:] = 0
        return found

    report = check_gradients(run, RNN)
    assert all(finding.right for finding in report.findings) and not report.right
    assert report.faults == ("the function changes what it is given: W, x",) and "the function is not" in report.verdict
    with pytest.raises(ValidationError, match="changes what it is given: W, x"):
        assert_gradients(run, RNN)


def test_changed_mappings_and_tensors() -> None:
    def run(params, inputs):  # type: ignore[no-untyped-def]
        params["W"] += 1
        inputs["new"] = 3
        return {"dW": params["W"]}

    assert check_gradients(run, RNN, torch=True).faults == (
        "the function changes what it is given: params['W'], inputs",
    )


def test_what_is_left_from_earlier_calls() -> None:
    kept: dict[str, np.ndarray] = {}

    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        found = rnn()(W, U, b, x, h_0, dh)
        kept["dW"] = found["dW"] = kept.get("dW", 0) + found["dW"]
        return found

    report = check_gradients(run, RNN)
    assert not report.right and "not the same in two calls with the same arguments: dW;" in report.faults[0]
    assert [finding.name for finding in report.findings if not finding.right] == ["dW"]


def test_errors_say_for_which_arrays() -> None:
    def run(W: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
        raise ZeroDivisionError("division")

    with pytest.raises(
        DataError, match=r"raises ZeroDivisionError for T = 3: division\n.*W \(\d, \d\), x \(3, \d\)"
    ) as raised:
        check_gradients(run, RNN)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_nothing_is_written_to_the_terminal(recwarn: pytest.WarningsRecorder) -> None:
    check_gradients(lambda W, x: {"dW": W / 0, "db": np.array([1 + 1j])}, RNN)
    assert not recwarn.list


# -- options -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"length": 0}, "length is 0\nexpected: a whole number from 1"),
        ({"length": 2.5}, "length is 2.5"),
        ({"length": True}, "length is True"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"seed": -1}, "seed is -1"),
        ({"tolerance": "a"}, "tolerance is 'a'\nexpected: a positive number"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"returns": 3}, "returns is 3"),
        ({"returns": [1]}, "returns is"),
    ],
)
def test_options_of_other_kinds(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_gradients(rnn(), RNN, **options)


@pytest.mark.parametrize(
    ("function", "said"),
    [(lambda W: {}, "a mapping with nothing in it"), (lambda W: (1.0, {}), "a mapping with nothing in it"), (lambda W: {"dW": [[1], [1, 2]]}, "equally long")],
)  # fmt: skip
def test_empty_and_ragged(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_gradients(function, RNN)


def test_the_verdict() -> None:
    assert check_gradients(rnn(), RNN).verdict == "everything that is returned is right"
    assert str(check_gradients(rnn("overwritten"), RNN)).startswith("the backward pass is wrong: dW\n")
    report = check_gradients(lambda W: {"foo": W}, RNN)
    assert not report.right and report.verdict == "nothing could be checked" and "not checked: foo" in str(report)
    assert check_gradients(lambda W, U, b, x, h_0, dh: {"h": rnn()(W, U, b, x, h_0, dh)["h"]}, RNN).verdict.endswith(
        "but not all is returned"
    )
