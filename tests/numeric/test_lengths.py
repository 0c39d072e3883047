"""Sequences of different lengths in one batch: the same as every sequence alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from amount import some
from hypothesis import assume, given
from strategies import cells, examples

import bptt
from derive.cell import Cell, cell, library
from derive.errors import DataError, UsageError
from numeric.draws import within
from numeric.function import CompiledCell, compile_cell
from numeric.lower import abstract_arguments

LENGTHS = (6, 3, 1, 4)
T, B = 6, 4


def _arguments(function: CompiledCell, seed: int = 0, scale: float = 0.5) -> dict[str, dict[str, np.ndarray]]:
    """A random batch; what lies beyond a length is random as well, and large."""
    system, signature = function.system, function.signature
    generator = np.random.default_rng(seed)
    symbols = sorted({str(s) for key in system.shapes for a in signature.bodies[key] for s in a.free_symbols})
    sizes = {name: 2 + k for k, name in enumerate(symbols)}

    def array(key: str, *lead: int) -> np.ndarray:
        if key in system.labels:
            return generator.integers(0, 2, size=lead)
        value = generator.normal(size=(*lead, *signature.numbers(key, sizes))) * scale
        limits = system.text.ranges.get(key)
        return value if limits is None else within(value, limits)

    def series(key: str) -> np.ndarray:
        value = array(key, T, B)
        for sequence, length in enumerate(LENGTHS):
            value[length:, sequence] = 1 if key in system.labels else 7.5
        return value

    passed = [key for key in signature.timed if key in abstract_arguments(system)] or [signature.timed[0]]
    return {
        "params": {key: array(key) for key in system.parameters if key not in system.labels},
        "targets": {key: array(key, B) for key in system.parameters if key in system.labels},
        "inputs": {key: series(key) for key in system.inputs},
        "initial_state": {str(s): array(s.name, B) for s in system.starts if s not in system.initial},
        "cotangents": {key: series(key) for key in passed},
    }


def _one(arguments: dict[str, dict[str, np.ndarray]], sequence: int, length: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {"params": arguments["params"]}
    for group in ("inputs", "cotangents"):
        found[group] = {key: value[:length, sequence] for key, value in arguments[group].items()}
    for group in ("initial_state", "targets"):
        found[group] = {key: value[sequence] for key, value in arguments[group].items()}
    return found


def _same(function: CompiledCell, scale: float = 0.5, tolerance: float = 1e-9) -> None:
    arguments = _arguments(function, scale=scale)
    found = function(**arguments, lengths=LENGTHS)
    alone = compile_cell(function.system)
    results = [alone(**_one(arguments, k, length)) for k, length in enumerate(LENGTHS)]
    for sequence, (length, one) in enumerate(zip(LENGTHS, results, strict=True)):
        for values, truth in ((found.states, one.states), (found.gradients, one.gradients)):
            for key in truth:
                if key in function.system.parameters:
                    continue
                start = values is found.gradients and key not in function.system.inputs
                mine = values[key][sequence] if start else values[key][:length, sequence]
                np.testing.assert_allclose(mine, truth[key], rtol=tolerance, atol=tolerance, err_msg=key)
                assert start or not values[key][length:, sequence].any(), key
    for key in found.gradients:
        if key in function.system.parameters:
            total = sum(one.gradients[key] for one in results)
            np.testing.assert_allclose(found.gradients[key], total, rtol=tolerance, atol=tolerance, err_msg=key)
    if found.loss is not None:
        assert found.loss == pytest.approx(sum(one.loss or 0.0 for one in results), rel=tolerance)


SEQUENCES = [name for name in library() if cell(name).tree is None]


@pytest.mark.parametrize(("name", "backend"), some([(n, b) for b in ("numpy", "compiled") for n in SEQUENCES], 3))
def test_every_cell_of_the_library(name: str, backend: str) -> None:
    _same(compile_cell(cell(name), backend))


@examples(40)
@given(cells())
def test_random_cells(text: str) -> None:
    assume("t=0" not in text)
    function = compile_cell(Cell.from_text(text))
    try:
        _same(function, scale=0.2, tolerance=1e-7)
    except UsageError as error:
        assert error.hint  # reads beyond the end, and says so


ENDS = {
    "a mean over the sequence": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        s = \frac{1}{T} \sum_{t=1}^{T} h_t
        v = V s
        L = v^\top v + \sum_{t=1}^T h_t^\top h_t""",
    "pairs of neighbours": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        L = \sum_{t=1}^{T-1} h_t^\top h_{t+1} + \sum_{t=2}^{T} h_t^\top h_{t-1}""",
    "an input ahead, and a class at the end": r"""
        h_t = \tanh(W h_{t-1} + U x_t + V x_{t+1})
        p = \operatorname{softmax}(V_p h_T)
        L = - e_y^\top \log p""",
    "a label at the end": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        p_t = \operatorname{softmax}(V h_t)
        L = - e_{y_T}^\top \log p_T""",
    "several times from the end, and numbers with T": r"""
        h_t = \frac{t}{T} \tanh(W h_{t-1} + U x_t)
        L = h_T^\top h_T + \sum_{t=1}^{T} h_t^\top h_t + h_T^\top h_{T-1}""",
    "a condition on the end": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        L = \sum_{t=1}^{T} [t = T] h_t^\top h_t""",
    "a state from the future": r"""
        g_t = \tanh(V g_{t+1} + U x_t)
        h_t = \tanh(W h_{t-1} + g_t)
        L = h_T^\top g_1""",
}  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "compiled", "torch"])
@pytest.mark.parametrize("text", ENDS.values(), ids=ENDS)
def test_what_speaks_of_the_end(text: str, backend: str) -> None:
    if backend == "torch":
        pytest.skip("tensors are compared below") if "e_y" in text else None
    _same_arrays = compile_cell(Cell.from_text(text), backend)
    if backend == "torch":
        arguments = _arguments(_same_arrays)
        found = _same_arrays(**arguments, lengths=torch.tensor(LENGTHS))
        truth = compile_cell(Cell.from_text(text))(**arguments, lengths=LENGTHS)
        for key, value in truth.gradients.items():
            np.testing.assert_allclose(found.gradients[key].numpy(), value, atol=1e-12)
        return
    _same(_same_arrays)


BEYOND = {
    "an input that must not be zero": (r"""
        h_t = \tanh(W h_{t-1} + \frac{x_t}{\lVert x_t \rVert})
        L = \sum_{t=1}^{T} h_t^\top h_t""", 3),
    "growth": ("h_t = 30 h_{t-1} + W x_t\nL = h_T^\\top h_T", 400),
}  # fmt: skip


@pytest.mark.filterwarnings("error::bptt.NonFiniteWarning")
@pytest.mark.parametrize("backend", ["numpy", "compiled", "torch"])
@pytest.mark.parametrize("text, length", BEYOND.values(), ids=BEYOND)
def test_nothing_is_lost_beyond_an_end(text: str, length: int, backend: str) -> None:
    function = compile_cell(Cell.from_text(text), backend)
    x, params = np.random.default_rng(0).normal(size=(length, 2, 2)), {"W": np.eye(2) / 2}
    found = function(params, {"x": x}, lengths=[3, 2])
    alone = [function(params, {"x": x[:count, k]}) for k, count in enumerate((3, 2))]
    assert found.loss == pytest.approx(sum(one.loss or 0.0 for one in alone))
    total = sum(np.asarray(one.gradients["W"]) for one in alone)
    np.testing.assert_allclose(np.asarray(found.gradients["W"]), total, rtol=1e-10)


def test_all_of_one_length_is_as_if_none_were_given() -> None:
    function = compile_cell(cell("lstm"))
    arguments = _arguments(function)
    one, other = function(**arguments, lengths=[T] * B), function(**arguments)
    for key, value in other.gradients.items():
        np.testing.assert_allclose(one.gradients[key], value, rtol=0, atol=1e-12)


def test_modules_of_torch() -> None:
    """Autograd through what is masked by hand, against lengths."""
    module = bptt.Module(bptt.cell(ENDS["a mean over the sequence"]), {"n": 4, "d": 3, "p": 2}, dtype="float64")
    x = torch.randn(T, B, 3, dtype=torch.float64, requires_grad=True)
    output = module({"x": x}, lengths=LENGTHS)
    output.loss.backward()  # type: ignore[union-attr]
    found = {name: weight.grad.clone() for name, weight in module.weights.items()}  # type: ignore[union-attr]
    by_input = x.grad.clone()  # type: ignore[union-attr]
    module.zero_grad()
    x.grad = None
    for sequence, length in enumerate(LENGTHS):
        module({"x": x[:length, sequence]}).loss.backward()  # type: ignore[union-attr]
    for name, weight in module.weights.items():
        torch.testing.assert_close(found[name], weight.grad)
    torch.testing.assert_close(by_input, x.grad)


def test_outputs_of_modules_end_where_sequences_end() -> None:
    module = bptt.Module(bptt.cell("gru"), {"n": 4, "d": 3}, dtype="float64")
    x = torch.randn(T, B, 3, dtype=torch.float64, requires_grad=True)
    h = module({"x": x}, lengths=LENGTHS).states["h"]
    (h + 1).square().sum().backward()
    for sequence, length in enumerate(LENGTHS):
        assert not h[length:, sequence].any() and not x.grad[length:, sequence].any()  # type: ignore[index]
        alone = module({"x": x.detach()[:length, sequence]}).states["h"]
        torch.testing.assert_close(h[:length, sequence], alone)


@pytest.mark.parametrize(
    "lengths, said",
    [
        ([6, 3, 1], r"lengths has the shape \(3,\); expected \(4,\)"),
        ([6, 3, 0, 1], "lengths lie between 0 and 6; expected 1 to 6"),
        ([7, 3, 1, 1], "lengths lie between 1 and 7"),
        ([6.5, 3, 1, 1], "type float64; expected integers"),
        ("abcd", "lengths"),
    ],
)
def test_lengths_are_checked(lengths: Any, said: str) -> None:
    function = compile_cell(cell("rnn"))
    with pytest.raises(DataError, match=said):
        function(**_arguments(function), lengths=lengths)


def test_a_sequence_alone_has_the_length_of_its_arrays() -> None:
    function = compile_cell(cell("rnn"))
    with pytest.raises(DataError, match="there is no batch"):
        function(**_one(_arguments(function), 0, T), lengths=[3])


@pytest.mark.parametrize(
    "text",
    [
        "h_t = \\tanh(W h_{t-1} + x_t)\ny_t = h_{t+1}\nL = \\sum_{t=1}^{T} y_t^\\top y_t",
        "h_t = \\tanh(W h_{t-1} + x_t)\nL = \\sum_{t=T-2}^{T} h_t^\\top h_t",
    ],
)
def test_what_has_no_such_form_is_refused(text: str) -> None:
    function = compile_cell(Cell.from_text(text))
    with pytest.raises(UsageError) as caught:
        function(**_arguments(function), lengths=LENGTHS)
    assert caught.value.hint
