"""What is printed is read again to the same thing: cells with all their shapes, and every line of a derivation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derive.cell import Cell, cell, library
from derive.derivation import Derivation

PAGE = (Path(__file__).parents[2] / "docs" / "cells.md").read_text(encoding="utf-8")
CELLS = {
    **{name: cell(name) for name in library()},
    **{
        f"page {k}": Cell.from_text(t)
        for k, t in enumerate(re.findall(r"```(?:latex|text)\n(.*?)```", PAGE, re.DOTALL))
    },
    "rate": Cell.from_text("\\beta_t = \\sigma(w^\\top x_t + b)\nC_t = C_{t-1} - \\beta_t (C_{t-1} x_t) x_t^\\top"),
    "start": Cell.from_text("h_0 = \\tanh(V c)\nh_t = \\tanh(W h_{t-1})"),
    "layers": Cell.from_text("h_{1,t} = \\tanh(A h_{1,t-1} + x_t)\nh_{2,t} = \\tanh(B h_{2,t-1} + C h_{1,t})"),
    "scalar": Cell.from_text("h_t = \\tanh(u h_{t-1} + W x_t)\nu \\in \\mathbb{R}"),
    "powers": Cell.from_text("h_t = \\gamma^t h_{t-1} + x_t\nL = \\sum_{t=1}^{T} \\gamma^{T-t} \\lVert h_t \\rVert^2"),
    "row": Cell.from_text(
        "s_i = \\tanh(s_{i-1} U + x_i W)\no_i = \\operatorname{softmax}(s_i V)\nL = -\\sum_{i=1}^{T} \\log(o_i) e_{y_i}^\\top"
    ),
    "length": Cell.from_text("h_t = h_{t-1} + \\frac{1}{T} W x_t\nT \\in \\mathbb{N}"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_printed_cell_is_the_same_cell(name: str) -> None:
    assert Cell.from_text(str(CELLS[name])) == CELLS[name]
    assert Cell.from_text(CELLS[name].latex()) == CELLS[name]


def _read_back(subject: Cell, derivation: Derivation) -> None:
    for step in derivation.steps:
        for text in (str(step.relation), step.relation.latex()):
            assert subject.read(text) == step.relation, text


@pytest.mark.parametrize("name", CELLS)
def test_every_line_of_the_gradients_is_read_again(name: str) -> None:
    _read_back(CELLS[name], CELLS[name].gradients())


@pytest.mark.parametrize(
    ("name", "of", "by"),
    [("lstm", "C_t", "C_{t-1}"), ("gru", "h_t", "h_{t-1}"), ("row", "o_i", "s_i"), ("scalar", "h_t", "h_{t-1}"), ("layers", "h_{2,t}", "h_{1,t-1}")],
)  # fmt: skip
def test_every_line_of_a_jacobian_is_read_again(name: str, of: str, by: str) -> None:
    _read_back(CELLS[name], CELLS[name].jacobian(of, by))


def test_parts_of_a_joint_state_have_names_of_their_own() -> None:
    for name in ("layers", "lstm"):
        derivation = CELLS[name].equivalence(CELLS[name].parameters[0])
        parts = next(step.rhs for step in derivation.steps if step.rule == "its parts")
        assert len(set(parts.operands)) == len(CELLS[name].states)


def test_a_jacobian_of_stacked_matrices_is_read_again() -> None:
    for name, of, by in (("deltanet", "S_t", "S_{t-1}"), ("mamba", "H_t", "H_{t-1}")):
        derivation = CELLS[name].jacobian(of, by, vec=True)
        for text in (str(derivation.equation), derivation.equation.latex()):
            assert CELLS[name].read(text) == derivation.equation
