"""Gradients segment by segment are those of the whole sequence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from amount import LONG
from hypothesis import assume, given
from strategies import cells, examples

import bptt
from derive.cell import Cell, cell, library
from derive.errors import UsageError
from numeric.draws import draw, run_of
from numeric.function import compile_cell
from numeric.validate_compiled import another, arguments

LENGTH = 11


def _given(subject: Cell, scale: float = 0.5):  # type: ignore[no-untyped-def]
    first = draw(subject, 0, scale=scale, length=LENGTH)
    batch = [first, another(subject, first, 1, scale), another(subject, first, 2, scale)]
    return arguments(subject, batch, [run_of(subject, one) for one in batch])


def _same(subject: Cell, steps: bool | int, backend: str = "numpy", scale: float = 0.2) -> None:
    given = _given(subject, scale)
    key = next(q.key for q in subject.equations if subject.is_timed(q.key))
    whole = compile_cell(subject)(**given)
    found = compile_cell(subject, backend, recompute=steps, keep=[key])(**given)
    assert list(found.gradients) == list(whole.gradients)
    for name, value in whole.gradients.items():
        bound = 1e-8 * max(1.0, float(np.abs(value).max(initial=0)))
        np.testing.assert_allclose(np.asarray(found.gradients[name]), value, rtol=0, atol=bound, err_msg=name)
    assert list(found.states) == [key]
    np.testing.assert_allclose(np.asarray(found.states[key]), whole.states[key], rtol=1e-10, atol=1e-10)
    assert (found.loss is None) == (whole.loss is None)
    if whole.loss is not None:
        assert found.loss == pytest.approx(whole.loss, rel=1e-9)


CUT = {"bidirectional-rnn", "narx", "qrnn", "rwkv-4", "recursive", "tree-lstm", "tree-lstm-binary"}


WAYS = [(True, "numpy"), (3, "compiled"), (True, "compiled"), (3, "numpy")]


@pytest.mark.parametrize(
    ("name", "steps", "backend"),
    [(name, *way) for k, name in enumerate(library()) for way in (WAYS if LONG else WAYS[k % 4 :][:1])],
)
def test_every_cell_of_the_library(name: str, steps: bool | int, backend: str) -> None:
    try:
        _same(cell(name), steps, backend)
    except UsageError as error:
        assert error.hint
        assert name in CUT


@pytest.mark.parametrize("name", ["lstm", "sentiment", "row-tagger"])
@pytest.mark.parametrize("steps", [1, 2, LENGTH - 1, LENGTH, 100])
def test_segments_of_any_length(name: str, steps: int) -> None:
    for backend in ("numpy", "torch"):
        _same(cell(name), steps, backend)


@examples(40)
@given(cells())
def test_random_cells(text: str) -> None:
    assume("t=0" not in text)
    try:
        _same(Cell.from_text(text), 4)
    except UsageError as error:
        assert error.hint


def test_two_steps_back() -> None:
    """A segment of one step is too short for what reads two steps back; the last is joined to the one before."""
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + V h_{t-2} + U x_t)")
    for steps in (1, 2, 3, 5):
        _same(subject, steps)


@pytest.mark.parametrize(
    "text",
    [
        "h_t = \\tanh(W h_{t-1} + U x_t)\np = \\operatorname{softmax}(V h_T + c)\nL = q^\\top \\log p",
        "h_0 = \\tanh(V c)\nh_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} h_t^\\top h_t + h_T^\\top h_T",
    ],
)
def test_readouts_and_starting_values(text: str) -> None:
    for steps in (True, 1, 4):
        _same(Cell.from_text(text), steps)


def test_a_sequence_shorter_than_what_a_step_looks_back() -> None:
    subject = Cell.from_text("h_t = \\tanh(B h_{t-3} + U x_t)\nL = h_T^\\top h_T")
    given = ({"B": np.eye(2), "U": np.eye(2)}, {"x": np.ones((1, 2))})
    assert compile_cell(subject, recompute=True)(*given).loss == compile_cell(subject)(*given).loss


def test_numbers_of_the_time_are_named_as_the_reason() -> None:
    with pytest.raises(UsageError, match="the length as a number"):
        compile_cell(
            Cell.from_text("h_t = \\tanh(W h_{t-1} + x_t)\nL = \\frac{1}{T} \\sum_{t=1}^{T} h_t^\\top h_t"),
            recompute=True,
        )


def test_names_to_keep() -> None:
    assert compile_cell(cell("gru"), recompute=True, keep=r"\tilde{h}")._recomputation.keep == ("h_tilde",)  # type: ignore[union-attr]
    for keep, options in ((["x"], {"recompute": True}), (5, {"recompute": True}), (["h"], {})):
        with pytest.raises(UsageError, match="keep"):
            compile_cell(cell("gru"), keep=keep, **options)  # type: ignore[arg-type]


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="comes later") as caught:
        compile_cell(cell("bidirectional-rnn"), recompute=True)
    assert caught.value.hint


@pytest.mark.parametrize("wrong", [-1, 2.5, "sqrt"])
def test_what_recompute_may_be(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match="recompute"):
        compile_cell(cell("rnn"), recompute=wrong)


def test_lengths_do_not_go_with_it() -> None:
    function = compile_cell(cell("rnn"), recompute=True)
    with pytest.raises(UsageError, match="lengths"):
        function(**_given(cell("rnn")), lengths=[1, 2, 3])


def test_what_is_not_finite_is_said() -> None:
    function = compile_cell(bptt.cell("h_t = h_{t-1} \\odot h_{t-1} + x_t"), recompute=True)
    with pytest.warns(bptt.NonFiniteWarning, match="without recompute"):
        function({}, {"x": np.full((30, 2), 10.0)}, cotangents={"h": np.ones((30, 2))})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function({}, {"x": np.full((30, 2), 0.1)}, cotangents={"h": np.ones((30, 2))})
