"""What a sheet expects to be printed: numbers to the digits that are written."""

from __future__ import annotations

import pytest

from reports.code.expected import agrees


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("0.333", "0.3333333"), ("0.67", "0.6667"), ("1.2e-05", "1.2345e-05"), ("3", "3"), ("-0.0", "0.0"), ("[0.09 0.24]", "[0.0900 0.2447]"),
        ("a b\nc", "  a   b c\n"), ("W_1 is 2.5", "W_1 is 2.5"), ("x=1", "x = 1"), ("nan", "nan"), ("shape (3, 4)", "shape (3,4)"), ("", " \n"),
        ("1e3", "1000"), ("5%", "5 %"), ("[[1. 2.]\n[3. 4.]]", "[[1. 2.]\n [3. 4.]]"), ("2.0", "2"),
    ],
)  # fmt: skip
def test_what_agrees(expected: str, printed: str) -> None:
    assert agrees(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("0.333", "0.3341"), ("3", "4"), ("0.5", "0.56"), ("a", "b"), ("a", "a a"), ("1 2", "12"), ("W_1", "W_2"), ("h1", "h2"), ("", "x"),
        ("0.30", "0.31"), ("-1", "1"), ("(1)", "[1]"), ("1.2e-05", "1.2e-04"), ("inf", "nan"),
    ],
)  # fmt: skip
def test_what_does_not(expected: str, printed: str) -> None:
    assert not agrees(expected, printed)
