"""Compiled cells against autograd and torch.nn; passes, names, shapes and errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from strategies import cells, examples, tree_cells

import bptt
from derive import expressions as e
from derive.cell import Cell, cell, library
from derive.errors import DataError, MissingRuleError, UsageError, ValidationError
from numeric import passes
from numeric.function import compile_cell
from numeric.validate_compiled import validate_compiled

RNN = "h_t = \\tanh(W h_{t-1} + U x_t + b)"


@pytest.mark.parametrize("name", library())
def test_every_cell_of_the_library_agrees_with_autograd(name: str) -> None:
    assert validate_compiled(cell(name), draws=20).error <= 1e-10


@examples(60)
@given(cells())
def test_random_cells_agree_with_autograd(text: str) -> None:
    assume("t=0" not in text)  # cotangents are those of t = 1 .. T
    validate_compiled(Cell.from_text(text), draws=2, tolerance=1e-8, scale=0.2)


@examples(40)
@given(tree_cells())
def test_random_trees_agree_with_autograd(text: str) -> None:
    validate_compiled(Cell.from_text(text), draws=3, tolerance=1e-8, scale=0.2)


@pytest.mark.parametrize("left_out", passes.PASSES)
@pytest.mark.parametrize("name", ["lstm", "gru", "bidirectional-rnn", "narx", "sentiment", "mlstm", "tree-lstm"])
def test_a_pass_can_be_left_out(name: str, left_out: str) -> None:
    chosen = [one for one in passes.PASSES if one != left_out]
    validate_compiled(cell(name), draws=4, compiled=compile_cell(cell(name), passes=chosen))


def test_no_pass_at_all() -> None:
    validate_compiled(cell("lstm"), draws=4, compiled=compile_cell(cell("lstm"), passes=[]))


@pytest.mark.parametrize("name", passes.PASSES)
def test_a_corrupted_pass_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that changes a result must not get through."""
    real = passes.PASSES[name]

    def corrupted(equations):  # type: ignore[no-untyped-def]
        found = real(equations)
        last = found.backward[-1]
        return replace(found, backward=(*found.backward[:-1], replace(last, rhs=e.Neg(last.rhs))))

    monkeypatch.setattr(passes, "PASSES", {**passes.PASSES, name: corrupted})
    with pytest.raises(ValidationError):
        validate_compiled(cell("lstm"), draws=3)


# -- torch.nn ----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(3)  # modules of torch.nn draw their weights


def _random(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    generator = np.random.default_rng(7)
    return [generator.normal(size=shape) * 0.5 for shape in shapes]


def _torch_gradients(module: torch.nn.Module, x: np.ndarray, start, weights: np.ndarray):  # type: ignore[no-untyped-def]
    inputs = torch.tensor(x, requires_grad=True)
    states, _ = module(inputs, start)
    (states * torch.tensor(weights)).sum().backward()
    return states.detach().numpy(), inputs.grad.numpy()  # type: ignore[union-attr]


T, B, D, N = 6, 3, 4, 5


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 2e-5)])
def test_the_lstm_is_that_of_torch(dtype: str, tolerance: float) -> None:
    module = torch.nn.LSTM(D, N).double()
    x, weights, h, c = _random((T, B, D), (T, B, N), (B, N), (B, N))
    starts = tuple(torch.tensor(value[None]).requires_grad_() for value in (h, c))
    states, by_input = _torch_gradients(module, x, starts, weights)
    gates = ("i", "f", "c", "o")  # torch stacks input, forget, cell and output
    own = {name: value.detach().numpy() for name, value in module.named_parameters()}
    params = {}
    for k, gate in enumerate(gates):
        rows = slice(k * N, (k + 1) * N)
        params[f"W_{gate}"] = own["weight_hh_l0"][rows]
        params[f"U_{gate}"] = own["weight_ih_l0"][rows]
        params[f"b_{gate}"] = own["bias_ih_l0"][rows] + own["bias_hh_l0"][rows]
    function = bptt.compile(bptt.cell("lstm"), dtype=dtype)
    result = function(params, {"x": x}, {"h": h, "C": c}, cotangents={"h": weights})
    assert result.loss is None
    np.testing.assert_allclose(result.states["h"], states, rtol=0, atol=tolerance)
    np.testing.assert_allclose(result.gradients["x"], by_input, rtol=0, atol=tolerance)
    np.testing.assert_allclose(result.gradients["h_0"], starts[0].grad[0].numpy(), rtol=0, atol=tolerance)  # type: ignore[index]
    np.testing.assert_allclose(result.gradients["C_0"], starts[1].grad[0].numpy(), rtol=0, atol=tolerance)  # type: ignore[index]
    for k, gate in enumerate(gates):
        rows = slice(k * N, (k + 1) * N)
        for key, theirs in (("W", "weight_hh_l0"), ("U", "weight_ih_l0"), ("b", "bias_ih_l0")):
            truth = getattr(module, theirs).grad.numpy()[rows]
            np.testing.assert_allclose(result.gradients[f"{key}_{gate}"], truth, rtol=0, atol=20 * tolerance)


def test_the_rnn_is_that_of_torch() -> None:
    module = torch.nn.RNN(D, N).double()
    x, weights, h = _random((T, B, D), (T, B, N), (B, N))
    states, by_input = _torch_gradients(module, x, torch.tensor(h[None]), weights)
    own = {name: value.detach().numpy() for name, value in module.named_parameters()}
    params = {"W": own["weight_hh_l0"], "U": own["weight_ih_l0"], "b": own["bias_ih_l0"] + own["bias_hh_l0"]}
    result = bptt.compile(bptt.cell(RNN))(params, {"x": x}, {"h_0": h}, cotangents={"h": weights})
    np.testing.assert_allclose(result.states["h"], states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.gradients["x"], by_input, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.gradients["W"], module.weight_hh_l0.grad.numpy(), rtol=0, atol=1e-11)


GRU = r"""
r_t = \sigma(W_r h_{t-1} + d_r + U_r x_t + b_r)
z_t = \sigma(W_z h_{t-1} + d_z + U_z x_t + b_z)
n_t = \tanh(U_n x_t + b_n + r_t \odot (W_n h_{t-1} + d_n))
h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}
"""


def test_the_gru_is_that_of_torch() -> None:
    module = torch.nn.GRU(D, N).double()
    x, weights, h = _random((T, B, D), (T, B, N), (B, N))
    states, by_input = _torch_gradients(module, x, torch.tensor(h[None]), weights)
    params, theirs = {}, {"W": "weight_hh_l0", "U": "weight_ih_l0", "b": "bias_ih_l0", "d": "bias_hh_l0"}
    for k, gate in enumerate("rzn"):
        for key, name in theirs.items():
            params[f"{key}_{gate}"] = getattr(module, name).detach().numpy()[k * N : (k + 1) * N]
    result = bptt.compile(bptt.cell(GRU))(params, {"x": x}, {"h": h}, cotangents={"h": weights})
    np.testing.assert_allclose(result.states["h"], states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.gradients["x"], by_input, rtol=0, atol=1e-12)
    for k, gate in enumerate("rzn"):
        for key, name in theirs.items():
            truth = getattr(module, name).grad.numpy()[k * N : (k + 1) * N]
            np.testing.assert_allclose(result.gradients[f"{key}_{gate}"], truth, rtol=0, atol=1e-11)


# -- how it is called --------------------------------------------------------------------------------------


def _rnn_arguments() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    w, u, b, x, g = _random((N, N), (N, D), (N,), (T, B, D), (T, B, N))
    return {"W": w, "U": u, "b": b}, x, g


def test_a_batch_is_the_sum_of_its_sequences() -> None:
    params, x, g = _rnn_arguments()
    function = bptt.compile(bptt.cell(RNN))
    whole = function(params, {"x": x}, cotangents={"h": g})
    alone = [function(params, {"x": x[:, k]}, cotangents={"h": g[:, k]}) for k in range(B)]
    assert alone[0].states["h"].shape == (T, N) and alone[0].gradients["h_0"].shape == (N,)
    np.testing.assert_allclose(whole.gradients["W"], sum(one.gradients["W"] for one in alone), rtol=1e-12)
    np.testing.assert_allclose(whole.gradients["x"][:, 1], alone[1].gradients["x"], rtol=1e-12)


def test_arguments_are_left_as_they_are() -> None:
    params, x, g = _rnn_arguments()
    turned = np.asfortranarray(x)
    for array in (*params.values(), turned, g):
        array.flags.writeable = False
    function = bptt.compile(bptt.cell(RNN))
    first = function(params, {"x": turned}, cotangents={"h": g[::1]})
    again = function(params, {"x": x[::-1][::-1]}, cotangents={"h": g})
    np.testing.assert_array_equal(first.gradients["W"], again.gradients["W"])
    first.gradients["W"][...] = 0
    first.states["h"][...] = 0
    np.testing.assert_array_equal(function(params, {"x": x}, cotangents={"h": g}).gradients["W"], again.gradients["W"])


def test_names_in_latex_and_in_plain_letters() -> None:
    subject = bptt.cell("lstm")
    shapes = {key: tuple({"n": N, "d": D}[str(s)] for s in subject.shapes[key] if s != 1) for key in subject.parameters}
    params = dict(zip(shapes, _random(*shapes.values()), strict=True))
    (x,) = _random((T, B, D))
    function = bptt.compile(subject)
    result = function(
        {key.replace("W_f", "W_{f}"): value for key, value in params.items()},
        {"x_t": x},
        cotangents={"h": np.ones((T, B, N))},
    )
    assert result.states[r"\tilde{C}"] is result.states["C_tilde"]
    assert result.gradients["W_{f}"] is result.gradients["W_f"]
    with pytest.raises(KeyError, match="not among"):
        result.gradients["Q"]


def test_the_length_comes_from_cotangents_or_is_given() -> None:
    function = bptt.compile(bptt.cell("h_t = \\tanh(W h_{t-1} + b)"))
    w, b, g, h = _random((N, N), (N,), (T, B, N), (B, N))
    assert function({"W": w, "b": b}, initial_state={"h": h}, cotangents={"h": g}).states["h"].shape == (T, B, N)
    assert function({"W": w, "b": b}, initial_state={"h": h}, length=2).states["h"].shape == (2, B, N)


def test_cotangents_add_to_a_concrete_loss() -> None:
    params, x, g = _rnn_arguments()
    plain = bptt.compile(bptt.cell(RNN + "\nL = \\sum_{t=1}^{T} \\lVert h_t \\rVert^2"))
    abstract = bptt.compile(bptt.cell(RNN))
    both = plain(params, {"x": x}, cotangents={"h": g})
    apart = [plain(params, {"x": x}), abstract(params, {"x": x}, cotangents={"h": g})]
    assert both.loss == pytest.approx(float((both.states["h"] ** 2).sum()))
    np.testing.assert_allclose(both.gradients["U"], sum(one.gradients["U"] for one in apart), rtol=1e-12)


def test_every_sequence_may_have_a_target_of_its_own() -> None:
    subject = bptt.cell("h_t = \\tanh(W h_{t-1} + U x_t)\ns = w^\\top h_T\nL = (s - q)^2\nq \\in \\mathbb{R}")
    w, u, v, x, q = _random((N, N), (N, D), (N,), (T, B, D), (B,))
    function = bptt.compile(subject)
    whole = function({"W": w, "U": u, "w": v}, {"x": x}, targets={"q": q})
    alone = [function({"W": w, "U": u, "w": v}, {"x": x[:, k]}, targets={"q": q[k]}) for k in range(B)]
    assert whole.loss == pytest.approx(sum(one.loss for one in alone))
    np.testing.assert_allclose(whole.gradients["w"], sum(one.gradients["w"] for one in alone), rtol=1e-12)
    np.testing.assert_allclose(whole.gradients["q"], [one.gradients["q"] for one in alone], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_losses_of_large_logits(dtype: str, scale: float) -> None:
    text = "p_t = \\operatorname{softmax}(W x_t)\nL = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t"
    (w, x) = _random((N, D), (T, B, D))
    labels = np.random.default_rng(0).integers(0, N, size=(T, B))
    result = bptt.compile(bptt.cell(text), dtype=dtype)({"W": scale * w}, {"x": x}, targets={"y": labels})
    logits = torch.tensor((scale * w).astype(dtype)).requires_grad_()
    scores = torch.tensor(x.astype(dtype)) @ logits.T
    loss = torch.nn.functional.cross_entropy(scores.reshape(-1, N), torch.tensor(labels.ravel()), reduction="sum")
    loss.backward()
    assert result.loss == pytest.approx(loss.item(), rel=1e-5 if dtype == "float32" else 1e-12)
    np.testing.assert_allclose(
        result.gradients["W"],
        logits.grad.numpy(),
        rtol=1e-3 if dtype == "float32" else 1e-10,
        atol=1e-4 if dtype == "float32" else 1e-10,
    )  # type: ignore[union-attr]
    assert result.gradients["W"].dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda a: a["params"].pop("W"), ["W is missing", "(n, n)"]),
        (lambda a: a["params"].update(Q=1.0), ["'Q' is unknown", "W"]),
        (lambda a: a["params"].update(W=np.ones((N, N + 1))), ["n is 6, but 5"]),
        (lambda a: a["params"].update(W=np.ones(N)), ["W has the shape (5,)", "(n, n)"]),
        (lambda a: a["inputs"].pop("x"), ["x is missing", "(T, B, d)"]),
        (lambda a: a["inputs"].update(x=np.ones((T, B, D), dtype=object)), ["x has the type object"]),
        (lambda a: a["cotangents"].update(h=np.ones((T + 1, B, N))), ["T differs"]),
        (lambda a: a["cotangents"].update(h=np.ones((T, B + 1, N))), ["B differs"]),
        (lambda a: a["initial_state"].update(C=np.ones((B, N))), ["'C' is unknown", "h"]),
        (lambda a: (a["params"].pop("W"), a["inputs"].pop("x")), ["W is missing", "x is missing"]),
    ],
)
def test_everything_wrong_is_said_at_once(change, said: list[str]) -> None:  # type: ignore[no-untyped-def]
    params, x, g = _rnn_arguments()
    arguments = {"params": params, "inputs": {"x": x}, "cotangents": {"h": g}, "initial_state": {}}
    change(arguments)
    with pytest.raises(DataError) as caught:
        bptt.compile(bptt.cell(RNN))(**arguments)
    assert all(piece in str(caught.value) for piece in said), str(caught.value)


def test_a_tree_is_given_by_its_parents() -> None:
    subject = bptt.cell("h_j = \\tanh(W \\sum_{k \\in C(j)} h_k + x_j)\nL = L_T(h_T)")
    w, x, g = _random((N, N), (4, N), (4, N))
    g[:-1] = 0
    result = bptt.compile(subject)({"W": w}, {"x": x}, cotangents={"h": g}, tree=(3, 3, 4, 5))
    weights, inputs = torch.tensor(w, requires_grad=True), torch.tensor(x)
    leaves = torch.tanh(inputs[0]) + torch.tanh(inputs[1])
    inner = torch.tanh(weights @ leaves + inputs[2])
    root = torch.tanh(weights @ inner + inputs[3])
    (root * torch.tensor(g[3])).sum().backward()
    np.testing.assert_allclose(result.states["h"][3], root.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(result.gradients["W"], weights.grad.numpy(), rtol=1e-12)  # type: ignore[union-attr]


@pytest.mark.parametrize("tree, said", [(None, "tree is missing"), ((2, 2, 4, 5), "parent"), ("abcd", "tree")])
def test_what_is_no_tree_is_said(tree, said: str) -> None:  # type: ignore[no-untyped-def]
    subject = bptt.cell("h_j = \\tanh(W \\sum_{k \\in C(j)} h_k + x_j)")
    with pytest.raises(DataError, match=said):
        bptt.compile(subject)({"W": np.eye(2)}, {"x": np.ones((4, 2))}, cotangents={"h": np.ones((4, 2))}, tree=tree)


def test_a_sequence_has_no_tree() -> None:
    params, x, g = _rnn_arguments()
    with pytest.raises(DataError, match="computes a sequence"):
        bptt.compile(bptt.cell(RNN))(params, {"x": x}, cotangents={"h": g}, tree=(2, 3))


def test_what_cannot_be_compiled_is_refused() -> None:
    with pytest.raises(UsageError, match="backend"):
        bptt.compile(bptt.cell("lstm"), backend="fortran")
    with pytest.raises(UsageError, match="type"):
        bptt.compile(bptt.cell("lstm"), dtype="int8")
    with pytest.raises(UsageError, match="pass"):
        compile_cell(bptt.cell("lstm"), passes=["magic"])
    with pytest.raises(MissingRuleError, match="abstract"):
        bptt.compile(bptt.cell("h_t = \\phi(W h_{t-1} + x_t)"))(
            {"W": np.eye(2)}, {"x": np.ones((3, 2))}, cotangents={"h": np.ones((3, 2))}
        )


def test_what_does_not_depend_on_the_recurrence_is_outside_of_the_loop() -> None:
    source = bptt.compile(bptt.cell("lstm")).source(["h"])
    loops = source.split("    for t in ")[1:]
    inside = ["\n".join(line for line in loop.splitlines() if line.startswith("        ")) for loop in loops]
    assert len(inside) == 2 and all(body.count(" @ ") == 1 for body in inside)
    assert "x" not in inside[0].split()


@pytest.mark.parametrize("wrong", ["gru", None, 5])
def test_what_is_compiled_is_a_cell(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match="is no cell"):
        bptt.compile(wrong)


def test_starting_values_that_a_formula_gives_are_not_given_again() -> None:
    function = bptt.compile(bptt.cell("h_0 = V c\nh_t = \\tanh(W h_{t-1} + x_t)\nL = h_T^\\top h_T"))
    params = {"V": np.eye(2), "W": np.eye(2), "c": np.ones(2)}
    with pytest.raises(DataError, match="initial_state: 'h' is unknown"):
        function(params, {"x": np.ones((3, 2))}, {"h": np.ones(2)})


def test_plain_numbers_keep_their_digits() -> None:
    subject = bptt.cell("h[t] = a * h[t-1] + x[t]\nL = h[T]^2\nh[t], x[t], a in R")
    losses = [bptt.compile(subject, backend)({"a": 0.1}, {"x": [0.1, 0.2, 0.3]}).loss for backend in ("numpy", "torch")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-15)


def test_powers_of_the_time() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + x_t)\nL = \\sum_{t=1}^{T} 2^{-t} h_t^\\top h_t")
    validate_compiled(subject, draws=3)


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize(
    "text",
    [
        # a function of a state that is used again a step later: before the first step there is only the starting value
        "h_t = W h_{t-1} + \\log(1 + \\sigma(h_{t-1}) \\odot \\sigma(h_{t-1}))\nC_t = \\sigma(h_t) \\odot C_{t-1}\nL = \\sum_{t=1}^{T} C_t^\\top h_t",
        # the same product at two times
        "h_t = \\tanh(W h_{t-1} + x_t)\np_t = a p_{t-1} + h_{t-1}^\\top (p_{t-1} (W h_t + b))\np_t, a \\in \\mathbb{R}\nL = \\sum_{t=1}^{T} p_t + h_T^\\top h_T",
    ],
)
def test_what_is_named_exists_at_every_time_at_which_it_is_read(text: str, backend: str) -> None:
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=6, scale=0.5, compiled=compile_cell(subject, backend))


@pytest.mark.parametrize("backend", ["numpy", "torch", "compiled"])
@pytest.mark.parametrize(
    "text",
    [
        "k = \\tanh(M p)\nh_0 = k\nh_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)",
        "k = \\tanh(M p)\nq = A k\nh_0 = q + b\nC_0 = k\nC_t = \\tanh(V C_{t-1} + h_{t-1})\n"
        "h_t = \\tanh(W h_{t-1} + U x_t + C_t)\nL = h_T^\\top h_T + k^\\top k",
        "k = \\operatorname{softmax}(M p)\nh_0 = V k\nh_t = \\tanh(W h_{t-1} + U x_t)\nL = h_T^\\top h_T",
        "k = \\sigma(M p)\nb_{T+1} = k\nb_t = \\tanh(B b_{t+1} + Q x_t)\nL = \\sum_{t=1}^{T} b_t^\\top b_t",
    ],
)
def test_starting_values_that_are_computed(text: str, backend: str) -> None:
    """What they are made of is computed before them, and gets its gradient through them alone."""
    subject = Cell.from_text(text)
    assert validate_compiled(subject, draws=2, compiled=compile_cell(subject, backend)).error <= 1e-10
