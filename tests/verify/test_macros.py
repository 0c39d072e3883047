"""Macros of authors, written out."""

from __future__ import annotations

import time
from itertools import pairwise
from string import ascii_lowercase

import pytest

from derive.notation.source import Source, Span
from verify.claims import claims_of
from verify.document import formulas_of
from verify.macros import MOST_TEXT, without_macros


def written(text: str) -> str:
    return without_macros(Source(text)).text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}\pd{h_t}{W}", r"\frac{\partial h_t}{\partial W}"),
        (r"\newcommand\W{\mathbf{W}}\W^\top", r"\mathbf{W}^\top"),
        (r"\def\d#1#2{#2 / #1}\d ab", r"b / a"),
        (r"\newcommand{\x}[2][t]{#2_{#1}}\x{h} \x[k]{h}", r"h_{t} h_{k}"),
        (r"\DeclareMathOperator{\dg}{diag}\dg(v)", r"\operatorname{diag}(v)"),
        (r"\newcommand{\a}{\b\b}\newcommand{\b}{c}\a", r"cc"),
        (r"\newcommand{\h}{\delta}\h x", r"\delta  x"),
        (r"\renewcommand{\frac}[2]{#2}\frac{a}{b}", r"b"),  # it means what the author says
        (r"\renewcommand{\vec}[1]{\mathbf{#1}}\vec{h}", r"\mathbf{h}"),
        (r"\let\a=\b\a", r"\b "),
        (r"\newcommand{\a}{b}\a\renewcommand{\a}{c}\a", r"bc"),
        (r"\newcommand{\a}{\b}\newcommand{\b}{c}\a\renewcommand{\b}{d}\a", r"cd"),  # a body is read where it is used
        (r"\newcommand{\a}{b}\let\c\a\renewcommand{\a}{d}\c\a", r"bd"),
        (r"\let\old\delta\renewcommand{\delta}{\old_t}\delta", r"\delta _t"),
        (
            r"\newcommand{\a}{b}\begin{center}\renewcommand{\a}{c}\end{center}\a",
            r"\begin{center}\end{center}\redefined ",
        ),
        (r"\begin{document}\newcommand{\a}{b}\a\end{document}", r"\begin{document}b\end{document}"),
        (r"$\newcommand{\a}{b}$ $$\a$$", r"$ $ $$b$$"),
        ("$$\n\\def\\a{b}\n\\def\\c{d}$$ $\\a\\c$", "$$\n \n$$ $bd$"),
        (r"\newcommand{\a}{b}{\renewcommand{\a}{c}\a}", r"{\redefined }"),
        (r"\newcommand{\a}{b}\providecommand{\a}{c}\a", r"b"),
        ("\\newcommand{\\a}{b}\n%\\renewcommand{\\b}{c}\n\\a", "\n%\\renewcommand{\\b}{c}\nb"),
        (r"\newcommand{\f}[1]{<#1>}\f{\f{a}}", r"<<a>>"),
        (r"\newcommand{\f}[2]{#1#2}\f{a", r"\f{a"),
        (r"no macros \here", r"no macros \here"),
    ],
)
def test_written_out(text: str, found: str) -> None:
    assert written(text) == found


def test_every_character_keeps_its_place() -> None:
    text = "\\newcommand{\\pd}[2]{\\frac{#1}{#2}}\nso \\pd{abc}{de} ends"
    source = without_macros(Source(text))
    for piece in ("abc", "de", "ends"):
        start = source.text.index(piece)
        span = Span(start, start + len(piece), source)
        assert span.original.text == piece
        assert (span.line, span.column) == (2, text.split("\n")[1].index(piece) + 1)
    start = source.text.index("\\frac")
    assert Span(start, start + 5, source).column == 4  # where the macro is used


@pytest.mark.parametrize(
    "bomb",
    [
        "\\def\\a{\\a\\a}\\a",
        "\\def\\a#1{\\a{#1#1}}\\a{x}",
        "\\def\\a{\\b\\b\\b\\b}\\def\\b{\\c\\c\\c\\c}\\def\\c{\\a\\a\\a\\a}\\a",
        "\\def\\a#1{#1#1#1#1#1#1#1#1#1}" + "\\a{" * 12 + "}" * 12,
        "".join("\\newcommand{\\x" + one + "}{" + ("\\x" + other) * 9 + "}" for one, other in pairwise(ascii_lowercase))
        + "\\xa",
    ],
)
def test_bombs_go_out(bomb: str) -> None:
    start = time.perf_counter()
    assert len(written(bomb)) < 3 * MOST_TEXT + len(bomb)
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize(
    "how", [r"{\newcommand{\W}{W} x} ", r"\newcommand{\W}{\W} ", r"\begin{center}\def\W{W}\end{center} "]
)
def test_a_macro_without_a_clear_meaning_is_named_as_the_author_does(how: str) -> None:
    (formula,) = formulas_of(Source(how + r"$$h_t = \W h_{t-1}$$"))
    (claim,) = claims_of(formula)
    assert claim.error is not None and claim.error.message == r"\W has no clear meaning here"
    assert claim.text == r"h_t = \W h_{t-1}"
