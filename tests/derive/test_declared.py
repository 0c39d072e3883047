"""Declared sizes: what is refused, and where."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from derive.errors import AmbiguityError, BpttError, ParseError, ShapeError

RNN = "h_t = \\tanh(W h_{t-1} + U x_t)\n"


@pytest.mark.parametrize("size", ["0", "00", "-1", "n - n", "1/2", "0 \\times n", "n \\times 0", "1.5"])
def test_without_entries_everything_would_be_true(size: str) -> None:
    with pytest.raises(ShapeError, match="whole number from 1 on") as found:
        Cell.from_text(f"{RNN}h_t \\in \\mathbb{{R}}^{{{size}}}")
    assert found.value.span is not None and found.value.span.line == 2


@pytest.mark.parametrize(
    ("declaration", "kind"),
    [
        ("h_t \\in \\mathbb{R}^{n \\times n \\times n}", ParseError),
        ("h_t \\in \\mathbb{C}^{n}", BpttError),
        ("h_t \\in \\mathbb{R}^{t}", AmbiguityError),
        ("h_t + 1 \\in \\mathbb{R}^{n}", BpttError),
    ],
)
def test_no_space(declaration: str, kind: type[BpttError]) -> None:
    with pytest.raises(kind):
        Cell.from_text(RNN + declaration)


@pytest.mark.parametrize(
    ("declaration", "shape"), [("h_t \\in \\mathbb{R}^{3}", "(3, 1)"), ("x_t \\in \\mathbb{R}^{n - 1}", "(n - 1, 1)")]
)
def test_a_size(declaration: str, shape: str) -> None:
    name = declaration[0]
    assert str(Cell.from_text(RNN + declaration).shapes[name]) == shape
