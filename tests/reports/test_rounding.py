"""Rounded numbers against Python's own arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from derive.notation.write_plain import write_plain
from reports.rounding import decimals, neat, significant, spelled


@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=10_000), st.integers(0, 12))
def test_decimals_round_as_fractions_do(value: Fraction, digits: int) -> None:
    shown = decimals(sp.Rational(value), digits)
    assert Fraction(shown) == round(value, digits)
    assert len(shown.partition(".")[2]) == digits


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9), st.integers(1, 12))
def test_significant_digits_are_as_many_as_asked_for(value: Fraction, digits: int) -> None:
    shown = significant(sp.Rational(value), digits)
    assert Fraction(shown) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits))
    kept = shown.replace(".", "").lstrip("0")
    assert len(kept) >= digits and ("." not in shown or len(kept) == digits)


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        ("0.02713", 4, "0.02713"),
        ("0.0271296", 2, "0.027"),
        ("1/3", 3, "0.333"),
        ("0.9996", 3, "1.00"),
        ("-0.24", 2, "-0.24"),
        ("0", 3, "0"),
        ("12345", 2, "12000"),
    ],
)
def test_known_numbers(value: str, digits: int, shown: str) -> None:
    assert significant(sp.Rational(value), digits) == shown


def test_far_from_one_a_power_of_ten_stands() -> None:
    assert write_plain(spelled(sp.Rational(2, 5) ** 30, 2)).replace("·", "*") == "1.2 * 10^{-12}"
    assert write_plain(spelled(sp.Rational(9, 10) ** 30, 2)) == "0.042"


def test_roots_and_the_imaginary_unit() -> None:
    from derive.notation.present import present
    from derive.spectra import scalar

    assert write_plain(neat(present(scalar(sp.sqrt(2) / 2)))) == "sqrt(2)/2"
    assert write_plain(neat(present(scalar(-sp.I)))) == "-i"
