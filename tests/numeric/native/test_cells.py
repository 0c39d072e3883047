"""Cells in machine code against autograd: the library, random cells and trees, and what is planted must be found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from amount import some
from hypothesis import assume, given
from strategies import cells, examples, tree_cells

import bptt
from derive import expressions as e
from derive.cell import Cell, cell, library
from derive.errors import ValidationError
from numeric.function import CompiledCell, compile_cell
from numeric.native import formulas, groups, layout
from numeric.native.flatten import Entrywise, Flattener
from numeric.native.passes import NativePasses
from numeric.passes import PASSES
from numeric.validate_compiled import validate_compiled


def _compiled(subject: Cell) -> CompiledCell:
    return compile_cell(subject, "compiled")


@pytest.mark.parametrize("name", some(library(), 2))
def test_every_cell_of_the_library(name: str) -> None:
    assert validate_compiled(cell(name), draws=2, compiled=_compiled(cell(name))).error <= 1e-10


@examples(25)
@given(cells())
def test_random_cells(text: str) -> None:
    assume("t=0" not in text)
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=2, tolerance=1e-8, scale=0.2, compiled=_compiled(subject))


@examples(20)
@given(tree_cells())
def test_random_trees(text: str) -> None:
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=2, tolerance=1e-8, scale=0.2, compiled=_compiled(subject))


@examples(15)
@given(cells())
def test_random_cells_in_small_pieces_by_threads(text: str) -> None:
    """Slices of one or two rows, pieces of time of three steps, and two threads for everything."""
    assume("t=0" not in text)
    subject = Cell.from_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "ENOUGH", 0)
        patch.setattr(layout, "SLICE", 1)
        patch.setattr(layout, "PIECE", 3)
        patch.setenv("BPTT_NUM_THREADS", "2")
        validate_compiled(subject, draws=2, tolerance=1e-8, scale=0.2, compiled=_compiled(subject))


@pytest.mark.parametrize("left_out", [[name] for name in PASSES] + [list(PASSES)])
@pytest.mark.parametrize("name", ["lstm", "gru", "bidirectional-rnn", "narx", "sentiment", "mlstm"])
def test_without_passes(name: str, left_out: list[str]) -> None:
    chosen = [one for one in PASSES if one not in left_out]
    validate_compiled(cell(name), draws=2, compiled=compile_cell(cell(name), "compiled", passes=chosen))


SUMS = {
    "the last quantity reads a mean": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        s = \frac{1}{T} \sum_{t=1}^{T} h_t
        v = V s
        L = v^\top v + \sum_{t=1}^T h_t^\top h_t""",
    "a sum over part of the time": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        L = \sum_{t=2}^{T} h_t^\top h_{t-1}""",
    "attention over all states": r"""
        h_t = \tanh(W h_{t-1} + U x_t)
        s = \sum_{t=1}^{T} \sigma(q^\top h_t) h_t
        L = \sum_{t=1}^T \| h_t - s \|^2""",
    "numbers that depend on the time": r"""
        h_t = \frac{1}{t} \tanh(W h_{t-1} + U x_t) + \frac{t}{T} h_{t-1}
        L = \sum_{t=1}^{T} \frac{1}{t^2} h_t^\top h_t""",
    "matrices of their own for every sequence": r"""
        S_t \in \mathbb{R}^{n \times n}
        k_t = K x_t
        S_t = A S_{t-1} B + k_t k_t^\top S_{t-1}^\top + S_{t-1} k_t k_t^\top
        y_t = S_t S_t^\top k_t
        L = \sum_{t=1}^{T} y_t^\top y_t""",
    "an inverse in every step": r"""
        h_t = (I + A)^{-1} W h_{t-1} + U x_t
        S_t \in \mathbb{R}^{n \times n}
        S_t = (3 I + h_t h_t^\top)^{-1} + A
        L = \sum_{t=1}^{T} h_t^\top S_t h_t""",
    "products with parameters that all share": r"""
        h_0 = V c
        h_t = \tanh(W h_{t-1} + U x_t + V b)
        L = \sum_{t=1}^{T} h_t^\top N a + h_T^\top h_T""",
    "functions of the C library": r"""
        h_t = \sin(W h_{t-1}) + \operatorname{GELU}(U x_t) + \arctan(h_{t-1})
        L = \sum_{t=1}^{T} \operatorname{softplus}(h_t)^\top \operatorname{softplus}(h_t)""",
}  # fmt: skip


@pytest.mark.parametrize("text", SUMS.values(), ids=SUMS)
def test_what_random_cells_seldom_hold(text: str) -> None:
    subject = Cell.from_text(text)
    validate_compiled(subject, draws=4, scale=0.4, compiled=_compiled(subject))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 16, 17, 33, 64, 65, 130])
@pytest.mark.parametrize("batch", some([1, 4, 70, 3, 13], 2))
def test_products_of_all_sizes(n: int, batch: int, dtype: str) -> None:
    """h = W h + U x at sizes around those of vectors, tiles and panels, against NumPy."""
    d, length = max(1, n // 2 + 1), 3
    generator = np.random.default_rng(n * batch)
    params = {"W": generator.normal(size=(n, n)) / n, "U": generator.normal(size=(n, d)) / d}
    x, g = generator.normal(size=(length, batch, d)), generator.normal(size=(length, batch, n))
    h = generator.normal(size=(batch, n))
    function = bptt.compile(bptt.cell("h_t = W h_{t-1} + U x_t"), "compiled", dtype)
    states, state = [], h
    for step in x:
        state = state @ params["W"].T + step @ params["U"].T
        states.append(state)
    delta, deltas = np.zeros_like(h), []
    for step in reversed(g):
        delta = step + delta @ params["W"]
        deltas.insert(0, delta)
    truth = {
        "W": sum(a.T @ b for a, b in zip(deltas, [h, *states], strict=False)),
        "U": sum(a.T @ b for a, b in zip(deltas, x, strict=True)),
        "x": np.array(deltas) @ params["U"],
        "h_0": deltas[0] @ params["W"],
    }
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    for _ in range(2):  # the second call takes the shortcut
        found = function(params, {"x": x}, {"h": h}, {"h": g})
        np.testing.assert_allclose(found.states["h"], states, rtol=0, atol=tolerance)
        for key, value in truth.items():
            scale = max(1.0, np.abs(value).max())
            np.testing.assert_allclose(found.gradients[key], value, rtol=0, atol=tolerance * scale, err_msg=key)


# -- planted errors ----------------------------------------------------------------------------------------


def test_a_wrong_function_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = formulas.Formulas.tanh

    def wrong(self, b, x):  # type: ignore[no-untyped-def]
        return b.fmul(real(self, b, x), self.v.const(1 + 1e-7))

    monkeypatch.setattr(formulas.Formulas, "tanh", wrong)
    with pytest.raises(ValidationError):
        validate_compiled(cell("rnn"), draws=1, compiled=_compiled(cell("rnn")))


def test_a_sum_that_forgets_its_sign_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Flattener.store

    def wrong(self, target, node, *rest):  # type: ignore[no-untyped-def]
        real(self, target, node.operands[0] if isinstance(node, e.Neg) else node, *rest)

    monkeypatch.setattr(Flattener, "store", wrong)
    subject = Cell.from_text("h_t = -\\tanh(W h_{t-1} + U x_t)")
    with pytest.raises(ValidationError):
        validate_compiled(subject, draws=1, compiled=_compiled(subject))


def test_products_that_are_not_added_up_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Flattener._multiplied

    def wrong(self, left, right, target, add):  # type: ignore[no-untyped-def]
        real(self, left, right, target, False)

    monkeypatch.setattr(Flattener, "_multiplied", wrong)
    with pytest.raises(ValidationError):
        validate_compiled(cell("rnn"), draws=1, compiled=compile_cell(cell("rnn"), "compiled", passes=[]))


# -- groups ------------------------------------------------------------------------------------------------


def test_a_step_of_the_lstm_is_one_product_and_one_loop() -> None:
    function = _compiled(cell("lstm"))
    generator = np.random.default_rng(0)
    shapes = {key: function.signature.numbers(key, {"n": 4, "d": 3}) for key in cell("lstm").parameters}
    params = {key: generator.normal(size=shape) for key, shape in shapes.items()}
    function(params, {"x": np.ones((5, 2, 3))}, cotangents={"h": np.ones((5, 2, 4))})
    variant = next(iter(function._variants.values()))
    assert isinstance(variant.passes, NativePasses)
    for name in ("forward", "backward"):
        plan = variant.passes.ready(name, 5, 2, {"n": 4, "d": 3}).caller.plan
        batches = [batch for phase in plan.batches for run in phase for batch in run if batch.direction]
        assert [len(batch.groups) for batch in batches] == [2]


def test_what_is_read_elsewhere_closes_a_group() -> None:
    """y_i = x_{n-i} cannot be computed in the loop that computes x."""
    x, y = e.Timed("x", e.index("t"), 4), e.Timed("y", e.index("t"), 4)
    first = Entrywise(x, e.Apply("tanh", e.Var("a", 4)))
    assert len(groups.grouped([first, Entrywise(y, e.Neg(x))])) == 1
    half = e.Slice(x, 0, 2, 0, 1)
    twice = replace(first, target=y, value=e.Plus(e.Timed("z", e.index("t"), 4), x))
    assert len(groups.grouped([first, Entrywise(e.Timed("w", e.index("t"), 2), half), twice])) == 2
