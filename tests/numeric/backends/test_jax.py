"""The backend for JAX: every cell against autograd, its arrays, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from amount import some
from hypothesis import assume, given
from strategies import cells, examples

import bptt
from derive.cell import Cell, cell, library
from derive.errors import MissingRuleError, UsageError
from numeric.function import compile_cell
from numeric.validate_compiled import validate_compiled

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)


@pytest.mark.parametrize("name", some([name for name in library() if cell(name).tree is None], 3))
def test_every_cell_of_the_library(name: str) -> None:
    assert validate_compiled(cell(name), draws=1, compiled=compile_cell(cell(name), "jax")).error <= 1e-10


@examples(12)
@given(cells())
def test_random_cells(text: str) -> None:
    assume("t=0" not in text)
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=1, tolerance=1e-8, scale=0.2, compiled=compile_cell(subject, "jax"))


def test_without_passes() -> None:
    for name in ("lstm", "bidirectional-rnn", "sentiment"):
        validate_compiled(cell(name), draws=1, compiled=compile_cell(cell(name), "jax", passes=[]))


def test_numbers_that_depend_on_the_time() -> None:
    subject = Cell.from_text(r"""
        h_t = \frac{1}{t^2} \tanh(W h_{t-1} + U x_t) + \frac{t}{T} h_{t-1}
        L = \sum_{t=1}^{T} \frac{1}{t^2} h_t^\top h_t""")
    validate_compiled(subject, draws=2, compiled=compile_cell(subject, "jax"))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_of_jax_come_in_and_go_out(dtype: str) -> None:
    function = bptt.compile(bptt.cell("rnn"), "jax", dtype)
    generator = np.random.default_rng(0)
    params = {"W": generator.normal(size=(4, 4)), "U": generator.normal(size=(4, 3)), "b": np.zeros(4)}
    x, g = generator.normal(size=(5, 2, 3)), np.ones((5, 2, 4))
    made = {key: jax.numpy.asarray(value) for key, value in params.items()}
    for _ in range(2):
        found = function(made, {"x": jax.numpy.asarray(x)}, cotangents={"h": jax.numpy.asarray(g)})
        truth = bptt.compile(bptt.cell("rnn"), dtype=dtype)(params, {"x": x}, cotangents={"h": g})
        for key, value in truth.gradients.items():
            assert isinstance(found.gradients[key], jax.Array) and found.gradients[key].dtype == np.dtype(dtype)
            np.testing.assert_allclose(found.gradients[key], value, atol=1e-12 if dtype == "float64" else 1e-5)


def test_lengths_and_segments() -> None:
    generator = np.random.default_rng(0)
    params = {"W": generator.normal(size=(4, 4)), "U": generator.normal(size=(4, 3)), "b": np.zeros(4)}
    given = (params, {"x": generator.normal(size=(6, 2, 3))}, None, {"h": np.ones((6, 2, 4))})
    subject = bptt.cell("rnn")
    for options, call in (({}, {"lengths": [6, 2]}), ({"recompute": True, "keep": ["h"]}, {})):
        found = compile_cell(subject, "jax", **options)(*given, **call)
        truth = compile_cell(subject, **options)(*given, **call)
        for key, value in (*truth.gradients.items(), *truth.states.items()):
            mine = found.gradients[key] if key in dict(found.gradients) else found.states[key]
            np.testing.assert_allclose(mine, value, atol=1e-12)


def test_trees_are_refused() -> None:
    function = compile_cell(cell("recursive"), "jax")
    with pytest.raises(MissingRuleError, match="trees") as caught:
        validate_compiled(cell("recursive"), draws=1, compiled=function)
    assert caught.value.hint


def test_float64_must_be_chosen_in_jax_itself() -> None:
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(UsageError, match="float32 only") as caught:
            bptt.compile(bptt.cell("rnn"), "jax")
        assert "jax_enable_x64" in str(caught.value)
    finally:
        jax.config.update("jax_enable_x64", True)
