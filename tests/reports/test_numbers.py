"""Numbers of a sheet and their variants."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import ParseError
from derive.notation.elaborate import read_formula
from derive.notation.source import Source
from reports.markdown import read_markdown
from reports.numbers import with_numbers
from verify.closed import value_of

MATRIX = r"\begin{pmatrix} 0.58 & 0.24 \\ 0.24 & 0.72 \end{pmatrix}"


def defined(name: str, value: str, vary: str = "") -> str:
    return f"```bptt number\nname: {name}\nis: {value}\n{f'vary: {vary}' if vary else ''}\n```\n"


def written(text: str, variant: int = 0) -> str:
    return with_numbers(Source(text), variant).text.strip("\n ")


def matrix(text: str) -> sp.Matrix:
    return value_of(read_formula(text))


def test_numbers_stand_where_their_names_stand() -> None:
    text = defined("a", "0.5") + defined("M", MATRIX) + "$<<a>> + << M >>$ `x << a`, <<M.python>>"
    assert written(text) == f"$0.5 + {MATRIX}$ `x << a`, [[0.58, 0.24], [0.24, 0.72]]"


def test_a_text_without_numbers_is_left_alone() -> None:
    source = Source("a <<b>> c")
    assert with_numbers(source) is source


@given(st.integers(0, 10**6))
def test_a_symmetric_variant_has_clean_eigenvalues_like_the_old_ones(variant: int) -> None:
    found = matrix(written(defined("W", MATRIX, "symmetric") + "<<W>>", variant))
    small, large = sorted(found.eigenvals(multiple=True), key=abs)
    assert found == found.T and (found != matrix(MATRIX)) == bool(variant)
    assert all((20 * value).is_Integer for value in (small, large))
    assert 0 < small < large < 1 and abs(large - sp.Rational(9, 10)) <= sp.Rational(1, 10)
    assert all((1000 * entry).is_Integer for entry in found)


def test_a_class_of_two_hundred_has_two_hundred_sheets() -> None:
    text = defined("W", MATRIX, "symmetric") + "<<W>>"
    assert len({written(text, variant) for variant in range(201)}) == 201


@given(
    st.lists(st.decimals(-9, 9, places=2).map(str), min_size=2, max_size=5),
    st.integers(1, 10**6),
)
def test_other_entries_look_like_the_old_ones(entries: list[str], variant: int) -> None:
    text = r"\begin{pmatrix} " + " & ".join(entries) + r" \end{pmatrix}"
    old, new = matrix(text), matrix(written(defined("x", text, "entries") + "<<x>>", variant))
    nonzero = [value for value in old if value]
    assert new.shape == old.shape
    for before, after in zip(old, new, strict=True):
        assert (before == 0) == (after == 0) and (100 * after).is_Integer
    if len(set(nonzero)) > 1:
        assert all(min(nonzero) <= value <= max(nonzero) for value in new if value)


def test_equal_entries_stay_equal() -> None:
    text = defined("c", r"\begin{pmatrix} 0.1 & 0.1 \\ 0.1 & 0.1 \end{pmatrix}", "entries") + "<<c>>"
    for variant in range(1, 30):
        found = set(matrix(written(text, variant)))
        assert len(found) == 1 and found != {sp.Rational(1, 10)}


def test_a_variant_is_the_same_every_time_and_others_differ() -> None:
    text = (
        defined("x", r"\begin{pmatrix} 1.0 & 0.5 & 2.0 \end{pmatrix}", "entries")
        + defined("k", "1", "1; 2; 3")
        + "<<x>> <<k>>"
    )
    assert written(text, 5) == written(text, 5)
    assert len({written(text, variant) for variant in range(20)}) > 15


def test_what_is_computed() -> None:
    text = (
        defined("W", MATRIX)
        + "<<= <<W.largest>>^{30} | 2>> <<= <<W.smallest>> + 1>> $<<W.Q>> <<W.Lambda>> <<W.Q-inverse>>$"
    )
    power, total, factors = written(text).split(" ", 2)
    assert (power, total) == ("0.042", "1.4")
    assert matrix(factors.strip("$")) == matrix(MATRIX)


def test_matrices_are_computed_entry_by_entry() -> None:
    computed = written(defined("W", MATRIX, "symmetric") + "<<= (<<W>>)^{30} | 3>> <<= 2 (<<W>>)>>", 4)
    power, double = map(matrix, computed.replace("} \\begin", "}@\\begin").split("@"))
    variant = matrix(written(defined("W", MATRIX, "symmetric") + "<<W>>", 4))
    assert double == 2 * variant
    assert all(abs(found / right - 1) < 0.006 for found, right in zip(power, variant**30, strict=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (defined("a", "0.5") + "<<b>>", "no number 'b'"),
        (defined("W", MATRIX) + "<<W.Qinverse>>", "did you mean Q-inverse"),
        (defined("a", "x"), "no number"),
        (defined("a", "0.5") + defined("a", "0.5"), "twice"),
        (defined("a b", "0.5"), "no name"),
        (defined("a", "0.5", "often"), "cannot be varied"),
        (defined("a", "0.5", "symmetric"), "2 x 2"),
        (defined("a", r"\begin{pmatrix} 1 & 2 \\ 2 & 1.7 \end{pmatrix}", "symmetric"), "no fractions"),
        (defined("a", "0.5; x"), ""),
        ("```bptt number\nname: a\n```\n", "no definition"),
        (defined("a", "3") + "<<= 1/<<a>>>>", "how many digits"),
        (defined("a", "0") + "<<= 1/<<a>> | 2>>", "division by zero"),
    ],
)
def test_slips_are_told_with_their_place(text: str, said: str) -> None:
    with pytest.raises(ParseError) as found:
        with_numbers(Source(text, "sheet.md"))
    assert said in str(found.value) and "line" in str(found.value)


def test_errors_after_numbers_show_what_was_written() -> None:
    with pytest.raises(ParseError) as found:
        read_markdown(Source(defined("a", "0.5") + "\nThe value $<<a>> + (h_t$ is", "s.md"))
    assert "line 7" in str(found.value) and "<<a>>" in str(found.value)
