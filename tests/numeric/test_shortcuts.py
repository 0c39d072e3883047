"""Calls of a form that was accepted before: their own numbers, other forms, and what is wrong, which is said all the same."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import bptt
from derive.errors import DataError
from tests.numeric.calls import N, compiled, example, plainly, same

BACKENDS = ["numpy", "compiled"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lead", [(6,), (6, 3), (1, 1), (1,)])
def test_every_call_takes_its_own_numbers(lead: tuple[int, ...], backend: str) -> None:
    function = compiled(backend)
    kept = []
    for seed in (0, 1, 2, 1):
        kept.append((function(**example(seed, *lead)), plainly(**example(seed, *lead))))
    for found, right in kept:  # what an earlier call gave is not touched by a later one
        same(found, right)


def _other_memory(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


CHANGES = {
    "float32": lambda array: array.astype("f4").astype("f8").astype("f4"),
    "every second number": _other_memory,
    "from last to first": lambda array: array[::-1].copy()[::-1],
    "columns first": np.asfortranarray,
    "big endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "a subclass": lambda array: array.view(np.matrix) if array.ndim == 2 else array,
    "a list": lambda array: array.tolist(),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_arrays_of_other_forms(change, backend: str) -> None:  # type: ignore[no-untyped-def]
    """After the shortcut is known for plain arrays, and again for these."""
    function = compiled(backend)
    function(**example(0, 6, 3))
    for seed in (1, 2):
        arguments = example(seed, 6, 3)
        for group in ("params", "inputs", "initial_state"):
            arguments[group] = {key: change(value) for key, value in arguments[group].items()}
        same(function(**arguments), plainly(**arguments))
        same(function(**example(seed, 6, 3)), plainly(**example(seed, 6, 3)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_that_must_not_be_written_to(backend: str) -> None:
    function = compiled(backend)
    for _ in range(2):
        arguments = example(0, 6, 3)
        for group in arguments.values():
            for array in group.values():
                array.setflags(write=False)
        same(function(**arguments), plainly(**example(0, 6, 3)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float64"])
def test_labels_of_every_type(kind: str, backend: str) -> None:
    function = compiled(backend)
    for seed in (0, 1):
        arguments = example(seed, 6, 3)
        arguments["targets"] = {"y": arguments["targets"]["y"].astype(kind)}
        same(function(**arguments), plainly(**arguments))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_wrong_is_said_after_a_shortcut_too(backend: str) -> None:
    function = compiled(backend)
    function(**example(0, 6, 3))
    wrong = example(0, 6, 3)
    wrong["params"]["W"] = np.ones((N, N + 1))
    with pytest.raises(DataError, match="W: n is 6, but 5"):
        function(**wrong)
    wrong = example(0, 6, 3)
    wrong["params"]["Q"] = wrong["params"].pop("W")
    with pytest.raises(DataError, match="'Q' is unknown"):
        function(**wrong)
    wrong = example(0, 6, 3)
    wrong["inputs"] = {"x": None}
    with pytest.raises(DataError, match="x"):
        function(**wrong)


@pytest.mark.parametrize("backend", BACKENDS)
def test_starting_values_may_be_left_out(backend: str) -> None:
    function = compiled(backend)
    for seed in (0, 1):
        arguments = example(seed, 6, 3)
        del arguments["initial_state"]
        same(function(**arguments), plainly(**arguments))


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_sequence_at_all(backend: str) -> None:
    function = compiled(backend)
    for _ in range(2):
        same(function(**example(0, 3, 0)), plainly(**example(0, 3, 0)))


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize(
    "loss, length, said",
    [
        ("h_T^\\top h_T", 0, "T is 0, but the cell needs a sequence of 1 "),
        ("h_9^\\top h_9", 8, "T is 8, but the cell needs a sequence of 9 "),
        ("\\sum_{t=1}^{50} h_t^\\top h_t", 49, "T is 49, but the cell needs a sequence of 50 "),
        ("h_{T-5}^\\top h_T", 4, "T is 4, but the cell needs a sequence of 5 "),
    ],
)
def test_times_that_are_not_there(loss: str, length: int, said: str, backend: str) -> None:
    function = bptt.compile(bptt.cell(f"h_t = \\tanh(W h_{{t-1}} + x_t)\nL = {loss}"), backend)
    with pytest.raises(DataError, match=said):
        function({"W": np.eye(2)}, {"x": np.ones((length, 3, 2))})
    assert np.isfinite(function({"W": np.eye(2)}, {"x": np.ones((length + 1, 3, 2))}).loss)


@pytest.mark.parametrize("length", [0, -1, -3, 2.5, float("nan"), "a", 2**63, True])
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_a_length_is_a_positive_integer(backend: str, length: object) -> None:
    function = bptt.compile(bptt.cell("h_t = \\tanh(W h_{t-1} + b)\nL = b^\\top h_T"), backend)
    for _ in range(2):
        with pytest.raises(DataError, match=r"length is .*; expected a positive integer"):
            function({"W": np.eye(3), "b": np.ones(3)}, length=length)
        function({"W": np.eye(3), "b": np.ones(3)}, length=4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_that_are_no_mappings(backend: str) -> None:
    function = compiled(backend)
    function(**example(0, 6, 3))
    for group, wrong in (("params", np.ones((2, 2))), ("inputs", "x"), ("params", 5), ("initial_state", [])):
        with pytest.raises(DataError, match=f"{group} are a mapping from names to arrays"):
            function(**{**example(0, 6, 3), group: wrong})


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_and_pickles(backend: str) -> None:
    function = compiled(backend)
    function(**example(0, 6, 3))
    for other in (copy.deepcopy(function), pickle.loads(pickle.dumps(function))):
        same(other(**example(1, 6, 3)), plainly(**example(1, 6, 3)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_belong_to_the_caller(backend: str) -> None:
    """Who changes them does not change what later calls give."""
    function = bptt.compile(bptt.cell("h_t = \\tanh(W h_{t-1} + b)\nL = h_0^\\top h_0 / 2 + h_T^\\top h_T"), backend)
    given = {"W": np.eye(3) / 2, "b": np.ones(3)}
    for _ in range(3):
        found = function(given, length=2)
        np.testing.assert_array_equal(found.gradients["h_0"].shape, (3,))
        assert found.loss == pytest.approx(float(sum(found.states["h"][-1] ** 2)), rel=1e-12)
        for array in (*found.gradients.values(), *found.states.values()):
            array += 1
