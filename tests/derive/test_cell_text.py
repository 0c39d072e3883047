"""Texts that are no cells: what is refused, and where."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from derive.errors import CellError


@pytest.mark.parametrize("text", ["\\sigma' = W^{-1}", "h_t = W h_{t-1}\n\\phi' = W x"])
def test_a_function_is_not_defined_by_an_equation(text: str) -> None:
    with pytest.raises(CellError, match="is a function, and no quantity") as found:
        Cell.from_text(text)
    assert found.value.span is not None and found.value.span.line == text.count("\n") + 1
