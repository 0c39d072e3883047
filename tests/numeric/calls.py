"""A cell, and arguments for it, of which calls of all forms are made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bptt
from numeric.function import Result

CELL = """
h_t = \\tanh(W h_{t-1} + U x_t + V x_{t-1})
p_t = \\operatorname{softmax}(V_p h_t)
L = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t
"""
N, D, M = 5, 3, 4


def example(seed: int, *lead: int) -> dict[str, dict[str, Any]]:
    generator = np.random.default_rng(seed)
    shapes = {"W": (N, N), "U": (N, D), "V": (N, D), "V_p": (M, N)}
    return {
        "params": {key: generator.normal(size=shape) for key, shape in shapes.items()},
        "inputs": {"x": generator.normal(size=(*lead, D))},
        "initial_state": {"h": generator.normal(size=(*lead[1:], N))},
        "targets": {"y": generator.integers(0, M, size=lead)},
    }


def same(found: Result, truth: Result, tolerance: float = 1e-12) -> None:
    assert found.loss == pytest.approx(truth.loss, rel=tolerance)
    for one, other in ((found.states, truth.states), (found.gradients, truth.gradients)):
        assert list(one) == list(other)
        for key in other:
            np.testing.assert_allclose(one[key], other[key], rtol=0, atol=10 * tolerance, err_msg=key)


def compiled(backend: str = "compiled") -> bptt.CompiledCell:
    return bptt.compile(bptt.cell(CELL), backend)


def plainly(**given: Any) -> Result:
    """What the generated module gives when it is called for the first time, without a shortcut."""
    return bptt.compile(bptt.cell(CELL))(**given)
