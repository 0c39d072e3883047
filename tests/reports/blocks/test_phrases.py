"""Remarks and numbers as sentences with formulas."""

from __future__ import annotations

import pytest

from derive import expressions as e
from derive.derivation import Step
from reports.blocks.phrases import message, remark, scientific, with_formulas
from reports.document import CodeSpan, Math
from reports.walk import plain_text


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("split off t = k", ["t = k"]), ("induction on k, backward from T", ["k", "T"]), ("the inner sum at k+1", ["k + 1"]),
        ("induction hypothesis, for some n ≥ 1", ["n ≥ 1"]), ("the adjoint recursion's form", []),
        ("no step before 1", []), ("a sum of I", []),
    ],
)  # fmt: skip
def test_formulas_in_remarks(text: str, formulas: list[str]) -> None:
    pieces = with_formulas(text)
    assert [plain_text((piece,)) for piece in pieces if isinstance(piece, Math)] == formulas
    assert plain_text(pieces).replace("\u00a0", " ").replace(" + ", "+") == text


def test_messages_quote_formulas_and_sizes() -> None:
    found = message(
        r"the product does not conform: 'W_f' is a matrix of shape n x (d + n), '\delta_t' is a vector of size n"
    )
    assert [plain_text((piece,)) for piece in found if isinstance(piece, Math)] == [
        "W_f",
        "n × (d + n)",
        "delta_t",
        "n",
    ]
    assert CodeSpan("(") in message("'(' is never closed")
    assert [type(piece).__name__ for piece in message(r"'\sigma'(z_t)' is a vector")] == ["Math", "Text"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (3.2e-16, "4 * 10^{-16}"), (3e-16, "3 * 10^{-16}"), (9.7e-16, "1 * 10^{-15}"), (2.0, "2 * 10^0")],
)
def test_errors_are_rounded_up(value: float, shown: str) -> None:
    """An error that is stated as 'at most' must not be rounded down."""
    assert plain_text(scientific(value)).replace("·", "*") == shown


def test_a_line_says_for_which_times_it_holds() -> None:
    zero = e.Scalar(0)
    assert plain_text(remark(Step(zero, zero, "total adjoint", "for t < T"))) == "total adjoint, for\u00a0t < T"
    assert plain_text(remark(Step(zero, zero, "sum rule", "a reason"))) == "sum rule"
