"""Calls that come again: other numbers of the same form, other forms, and what is looked at each time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import bptt
from derive.errors import DataError
from numeric.plans import MOST

TAGGER = """
h_t = \\tanh(W h_{t-1} + U x_t)
p_t = \\operatorname{softmax}(V h_t)
L = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t
"""
N, D, M = 3, 2, 4


def _arguments(seed: int, *lead: int) -> dict[str, dict[str, np.ndarray]]:
    generator = np.random.default_rng(seed)
    shapes = {"W": (N, N), "U": (N, D), "V": (M, N)}
    return {
        "params": {key: generator.normal(size=shape) for key, shape in shapes.items()},
        "inputs": {"x": generator.normal(size=(*lead, D))},
        "targets": {"y": generator.integers(0, M, size=lead)},
        "initial_state": {"h": generator.normal(size=(*lead[1:], N))},
    }


@pytest.mark.parametrize("backend", ["numpy", "compiled", "torch"])
@pytest.mark.parametrize("lead", [(5,), (5, 2)])
def test_a_second_call_takes_its_own_numbers(lead: tuple[int, ...], backend: str) -> None:
    function = bptt.compile(bptt.cell(TAGGER), backend)
    wrap = torch.from_numpy if backend == "torch" else np.asarray
    for seed in (0, 1, 2):
        arguments = {
            group: {key: wrap(value) for key, value in given.items()}
            for group, given in _arguments(seed, *lead).items()
        }
        found = function(**arguments)
        fresh = bptt.compile(bptt.cell(TAGGER))(**_arguments(seed, *lead))
        assert found.loss == pytest.approx(fresh.loss, rel=1e-12)
        for key, value in fresh.gradients.items():
            np.testing.assert_allclose(np.asarray(found.gradients[key]), value, rtol=1e-9, atol=1e-12)
    assert len(function.signature.plans) == 1


def test_another_form_is_checked_again() -> None:
    function = bptt.compile(bptt.cell(TAGGER))
    function(**_arguments(0, 5, 2))
    wrong = _arguments(0, 5, 2)
    wrong["params"]["W"] = np.ones((N, N + 1))
    with pytest.raises(DataError, match="W: n is 4, but 3"):
        function(**wrong)
    missing = _arguments(0, 5, 2)
    del missing["params"]["V"]
    with pytest.raises(DataError, match="V is missing"):
        function(**missing)
    assert function(**_arguments(0, 4)).states["h"].shape == (4, N)


def test_labels_that_come_as_numbers_are_looked_at_each_time() -> None:
    function = bptt.compile(bptt.cell(TAGGER))
    arguments = _arguments(0, 5, 2)
    arguments["targets"]["y"] = arguments["targets"]["y"].astype(float)
    function(**arguments)
    arguments["targets"]["y"] += 0.5
    with pytest.raises(DataError, match="integers"):
        function(**arguments)


def test_not_all_forms_are_kept() -> None:
    function = bptt.compile(bptt.cell(TAGGER))
    for length in range(1, 2 * MOST):
        function(**_arguments(0, length))
    assert len(function.signature.plans) <= MOST
