"""The torch backend against autograd: as a function of tensors, and as a module that is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from strategies import cells, examples, tree_cells
from sympy import Integer

import bptt
from derive.cell import Cell, cell, library
from derive.errors import DataError, UsageError
from numeric.function import compile_cell
from numeric.validate_compiled import validate_compiled

T, B, D, N = 5, 2, 3, 4
LSTM_GATES = ("i", "f", "c", "o")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)  # modules draw their weights


def _tensors(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [0.5 * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


# -- as a function -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", library())
def test_every_cell_of_the_library(name: str) -> None:
    subject = cell(name)
    assert validate_compiled(subject, draws=3, compiled=compile_cell(subject, "torch")).error <= 1e-10


@examples(30)
@given(cells())
def test_random_cells(text: str) -> None:
    assume("t=0" not in text)
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=1, tolerance=1e-8, scale=0.2, compiled=compile_cell(subject, "torch"))


@examples(20)
@given(tree_cells())
def test_random_trees(text: str) -> None:
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=1, tolerance=1e-8, scale=0.2, compiled=compile_cell(subject, "torch"))


def test_tensors_and_arrays_may_be_mixed() -> None:
    w, x, g = _tensors((N, N), (T, B, N), (T, B, N))
    function = compile_cell(cell("h_t = \\tanh(W h_{t-1} + x_t)"), "torch", "float32")
    result = function({"W": w.requires_grad_()}, {"x": x.numpy()}, cotangents={"h": g.transpose(0, 1).transpose(0, 1)})
    assert result.gradients["W"].dtype == torch.float32 and not result.gradients["W"].requires_grad
    with pytest.raises(DataError, match="x has the shape"):
        function({"W": w}, {"x": x[..., None]}, cotangents={"h": g})


# -- as a module -------------------------------------------------------------------------------------------


def _sizes(subject: Cell, keys: tuple[str, ...]) -> dict[str, int]:
    symbols = {str(s) for key in keys for size in subject.shapes[key] for s in size.free_symbols}
    return {name: 2 + k for k, name in enumerate(sorted(symbols))}


def _inputs(subject: Cell, sizes: dict[str, int]) -> dict[str, torch.Tensor]:
    found = {}
    for key in subject.inputs:
        body = [
            int(a.xreplace({s: Integer(sizes[str(s)]) for s in a.free_symbols})) for a in subject.shapes[key] if a != 1
        ]
        if key in subject.labels:
            found[key] = torch.randint(0, 2, (T, B, *body))
        else:
            found[key] = torch.rand(T, B, *body, dtype=torch.float64, requires_grad=True)
    return found


@pytest.mark.parametrize("name", library())
def test_gradients_of_modules_agree_with_finite_differences(name: str) -> None:
    """By all parameters and inputs, with a weight on the loss and cotangents of everything that an abstract loss reads."""
    subject = cell(name)
    sizes = _sizes(subject, tuple(subject.shapes))
    of_parameters = _sizes(subject, subject.parameters)
    module = bptt.Module(subject, {name: sizes[name] for name in of_parameters}, dtype="float64")
    inputs = _inputs(subject, sizes)
    others: dict[str, Any] = {} if inputs else {"length": T}
    if subject.tree is not None:
        others = {"tree": (3, 3, 5, 5, 6)}
    varied = [key for key, value in inputs.items() if value.requires_grad]

    def outputs(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = module({**inputs, **dict(zip(varied, values, strict=False))}, **others)
        loss = [] if found.loss is None else [3 * found.loss]
        return (*loss, *(found.states[key] for key in module.outputs))

    assert torch.autograd.gradcheck(outputs, (*(inputs[key] for key in varied), *module.weights.values()))


def test_it_learns_what_torch_learns() -> None:
    """Ten steps of gradient descent beside torch.nn.LSTM, from the same weights."""
    theirs = torch.nn.LSTM(D, N).double()
    ours = bptt.Module(cell("lstm"), {"n": N, "d": D}, dtype="float64")
    with torch.no_grad():
        for k, gate in enumerate(LSTM_GATES):
            rows = slice(k * N, (k + 1) * N)
            ours.weights[f"W_{gate}"].copy_(theirs.weight_hh_l0[rows])
            ours.weights[f"U_{gate}"].copy_(theirs.weight_ih_l0[rows])
            ours.weights[f"b_{gate}"].copy_(theirs.bias_ih_l0[rows])
        theirs.bias_hh_l0.zero_()
    theirs.bias_hh_l0.requires_grad_(False)
    x, target = _tensors((T, B, D), (T, B, N))
    losses: dict[str, list[float]] = {"ours": [], "theirs": []}
    for name, module in (("ours", ours), ("theirs", theirs)):
        optimizer = torch.optim.SGD((p for p in module.parameters() if p.requires_grad), lr=0.5)
        for _ in range(10):
            h = ours({"x": x}).states["h"] if name == "ours" else theirs(x)[0]
            loss = (h - target).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    np.testing.assert_allclose(losses["ours"], losses["theirs"], rtol=1e-12)
    assert losses["ours"][-1] < losses["ours"][0]


def test_gradients_reach_starting_values_and_targets() -> None:
    text = "h_t = \\tanh(W h_{t-1} + x_t)\ns = w^\\top h_T\nL = (s - q)^2\nq \\in \\mathbb{R}"
    module = bptt.Module(cell(text), {"n": N}, targets=["q"], dtype="float64")
    x, h, q = (tensor.requires_grad_() for tensor in _tensors((T, B, N), (B, N), (B,)))

    def loss(x: torch.Tensor, h: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        found = module({"x": x}, {"h_0": h}, {"q": q}).loss
        assert found is not None
        return found

    assert "q" not in module.weights and torch.autograd.gradcheck(loss, (x, h, q))


def test_outputs_are_chosen() -> None:
    module = bptt.Module(cell("lstm"), {"n": N, "d": D}, outputs=["C", "h"], dtype="float64")
    (x,) = _tensors((T, D))
    states = module({"x": x}).states
    assert states["C"].shape == (T, N) and not states["f"].requires_grad
    assert torch.autograd.gradcheck(lambda x: module({"x": x}).states["C"], x.requires_grad_())


def test_second_derivatives_are_refused() -> None:
    module = bptt.Module(cell("lstm"), {"n": N, "d": D})
    h = module({"x": torch.ones(T, D)}).states["h"]
    (first,) = torch.autograd.grad(h.square().sum(), module.weights["W_f"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_weights_that_change_before_the_backward_pass_are_noticed() -> None:
    module = bptt.Module(cell("lstm"), {"n": N, "d": D})
    total = module({"x": torch.ones(T, D)}).states["h"].sum()
    with torch.no_grad():
        module.weights["W_f"].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


def test_a_module_is_converted() -> None:
    module = bptt.Module(cell("lstm"), {"n": N, "d": D}).double()
    x = torch.rand(T, D, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: module({"x": x}).states["h"], x)
    single = torch.rand(T, D, requires_grad=True)
    module({"x": single}).states["h"].sum().backward()
    assert single.grad is not None and single.grad.dtype == torch.float32


@pytest.mark.parametrize("output", ["s", "x", "w"])
def test_outputs_are_defined_for_every_time(output: str) -> None:
    with pytest.raises(UsageError, match=f"{output} is not computed in every step"):
        bptt.Module(cell("h_t = W h_{t-1} + x_t\ns = w^\\top h_T\nL = s^2"), {"n": N}, outputs=[output])


def test_there_are_two_types() -> None:
    with pytest.raises(UsageError, match="no type 'int8'"):
        bptt.Module(cell("lstm"), {"n": N, "d": D}, dtype="int8")


def test_weights_are_saved_and_loaded() -> None:
    first, second = (bptt.Module(cell("gru"), {"n": N, "d": D}) for _ in range(2))
    second.load_state_dict(first.state_dict())
    x = torch.ones(T, D)
    assert torch.equal(first({"x": x}).states["h"], second({"x": x}).states["h"])


def test_parameters_begin_within_their_range() -> None:
    subject = cell("retnet")
    sizes = _sizes(subject, subject.parameters)
    weights = bptt.Module(subject, sizes).weights
    limits = subject.text.ranges["gamma"]
    assert float(limits.low or 0) < weights["gamma"].item() < float(limits.high or 1)


@pytest.mark.parametrize(
    "sizes, said",
    [({"n": 4}, "d is missing"), ({"n": 0, "d": 1}, "n is 0"), ({"n": 1, "d": 1, "q": 2}, "no size q")],
)
def test_sizes_are_checked(sizes: dict[str, int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        bptt.Module(cell("lstm"), sizes)


def test_nothing_is_given_twice() -> None:
    module = bptt.Module(cell("h_t = \\tanh(w h_{t-1} + x_t)\nL = (h_T - q)^2\nh_t, w, x_t \\in \\mathbb{R}"), {})
    with pytest.raises(DataError, match="q is given twice"):
        module({"x": torch.ones(3)}, targets={"q": 1.0})
