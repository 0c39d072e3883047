"""Every cell in the documentation is what it says: read, derived, and held against autograd."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derive.cell import Cell
from numeric.validate import validate_gradients

PAGE = Path(__file__).parents[2] / "docs" / "cells.md"
CELLS = re.findall(r"```(?:latex|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_has_cells() -> None:
    assert len(CELLS) > 5


@pytest.mark.parametrize("text", CELLS, ids=[str(number) for number in range(len(CELLS))])
def test_a_documented_cell(text: str) -> None:
    validate_gradients(Cell.from_text(text), draws=4)


def test_both_spellings_of_the_first_cell_are_one_cell() -> None:
    latex, plain = (Cell.from_text(text) for text in CELLS[:2])
    assert [(q.lhs, q.rhs) for q in latex.equations] == [(q.lhs, q.rhs) for q in plain.equations]
