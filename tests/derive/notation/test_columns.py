"""What stands beside an equation in its line: numbers, conditions, words, other equations."""

from __future__ import annotations

import pytest

from derive.errors import ParseError
from derive.notation import surface as s
from derive.notation.columns import ChainInterrupted
from derive.notation.parser import parse_lines
from derive.notation.source import Source
from derive.notation.write_plain import write_plain


def parts(text: str) -> list[list[str]]:
    """Each line by its parts."""
    lines = parse_lines(Source(text), newlines=False)
    return [[part.text if isinstance(part, s.Text) else write_plain(part) for part in line.items] for line in lines]


@pytest.mark.parametrize("number", ["(2)", "(2.1)", "(2a)", "(*)", r"(\dagger)", "(A.3)", "[2]", r"\text{(2)}", r"\mathbf{(2)}", r"\left(2\right)", r"\boxed{(2)}", r"\textcolor{red}{(2)}", r"(\ref{x})", r"\eqref{x}"])  # fmt: skip
@pytest.mark.parametrize("line", ["a &= b && {}", r"a = b \quad {}", r"a = b \hspace{{2cm}} {}", r"{} \quad a = b", r"a &=& b & {}.", r"\begin{{aligned}} a &= b \end{{aligned}} \quad {}", r"a = b, \qquad {}"])  # fmt: skip
def test_the_number_of_an_equation_is_no_factor(line: str, number: str) -> None:
    said = [part for line in parts(line.format(number)) for part in line if part != "(2)"]
    assert said == ["a = b"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"a = (2) \sum_t b", "a = (2) sum_{t} b"),
        (r"a = b \quad (1-c)", "a = b(1 - c)"),
        (r"a = \quad (2)", "a = (2)"),
        (r"a &= & (2)", "a = (2)"),
        (r"a = \sum_{t=1}^{T} \quad (2)", "a = sum_{t=1}^{T} (2)"),
        (r"(2) \cdot a = b", "(2) · a = b"),
        ("h(2) = f(2)", "h(2) = f(2)"),
        ("a = (0.5) (2)", "a = (0.5)(2)"),
        (r"a = \quad 2", "a = 2"),
        ("a &= b &+ c", "a = b + c"),
        (r"a &=& b \\ &=& c \quad (3)", "a = b = c"),
        (r"a = b \quad (1) \\ = c && (2)", "a = b = c"),
        (r"\begin{aligned}[t] a &= b \end{aligned}", "a = b"),
        (r"a &= \begin{pmatrix} 1 & 2 \end{pmatrix} && (2)", "a = [[1, 2]]"),
    ],
)
def test_a_factor_is_no_number(text: str, found: str) -> None:
    assert parts(text) == [[found]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a &= b & c &= d", ["a = b", "c = d"]),
        ("a &= b && t = T", ["a = b", "t = T"]),
        ("a &= b & k &< t", ["a = b", "k < t"]),
        ("a &= b && (t = T) && (3)", ["a = b", "(t = T)"]),
        (r"a &= b && \text{by (2)}", ["a = b", "by (2)"]),
        (r"a &= b && \text{Kettenregel}", ["a = b", "Kettenregel"]),
        (r"a = b \quad c = d", ["a = b", "c = d"]),
        (r"a = b \quad (1) \quad c = d \quad (2)", ["a = b", "c = d"]),
        (r"a = b \qquad \text{for } t < T", ["a = b", "for", "t < T"]),
        (r"a &= b && \forall t", ["a = b", "for all", "t"]),
    ],
)
def test_what_is_set_off_stands_apart(text: str, found: list[str]) -> None:
    assert parts(text) == [found]


@pytest.mark.parametrize(
    "text",
    ["(2) a = b", r"\mathbf{(2)} a = b", r"[2]\; a = b", "a = b (2)", r"a = b \quad 2", "(2)~a = b", r"a = b \; (2)", r"a = b \quad (2) \quad c", r"a = b \quad (0.5)", "a &= b & c", "a &= b & - c &= d", "(2) &= b", "1{,}234 = a", "a_{1{,}2} = b"],
)  # fmt: skip
def test_what_may_be_read_in_two_ways_is_not_read(text: str) -> None:
    with pytest.raises(ParseError, match=r"not clear|two numbers"):
        parts(f"\\qquad {text}" if "{,}" in text else text)


@pytest.mark.parametrize(
    "text", [r"a &= b \\ &= c && t = T", r"a &= b && t = T \\ &= c", r"a &= b & c &= d \\ &= e & &= f"]
)
def test_a_condition_in_a_column_belongs_to_its_line(text: str) -> None:
    with pytest.raises(ChainInterrupted):
        parts(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"a = {b \over c} d", r"a = \frac{b}{c} d"),
        (r"a = \sqrt{b \over c}", r"a = \sqrt{\frac{b}{c}}"),
        (r"a = b \textcolor{red}{+ c}", "a = b + c"),
        (r"a = b {\color{red} + c}", "a = b + c"),
        (r"a = \frac{\color{red} b}{\color{blue} c}", r"a = \frac{b}{c}"),
        (r"\alpha \overset{\text{def}}{=} b", r"\alpha := b"),
        (r"\alpha \stackrel{\Delta}{=} b", r"\alpha := b"),
        (r"\alpha \overset{(2)}{=} b", r"\alpha = b"),
        (r"\alpha \doteq b", r"\alpha := b"),
        (r"\alpha \vcentcolon= b", r"\alpha := b"),
        (r"b \eqqcolon \alpha", r"\alpha := b"),
        (r"b =\vcentcolon \alpha", r"\alpha := b"),
        (r"\alpha = 0{,}762", r"\alpha = 0.762"),
        (r"\alpha = 12{,}5", r"\alpha = 12.5"),
    ],
)
def test_other_ways_to_write_the_same(text: str, found: str) -> None:
    assert parts(text) == parts(found)


@pytest.mark.parametrize("bar", [r"\left. a \right|_{x = b}", r"a \Big|_{x = b}", "a |_{x = b}"])
def test_evaluated_at_is_said_to_be_unread(bar: str) -> None:
    with pytest.raises(ParseError, match="evaluated at"):
        parts(rf"\alpha = {bar}")
