"""What might go on for ever, or grow without limit, ends, and is no fault."""

from __future__ import annotations

import pytest

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.texts import LSTM, RNN, ROWS, SCALAR
from tests.verify.hostile.documents import DECAY, displayed, ends_well, on_demand

ENDLESS = {
    # numbers
    "a time as a power of ten": (RNN, displayed("h_{1e400} = 1", "h_{t-1e7} = h_t", "x_{1e-7} = 2")),
    "a bound as a power of ten": (RNN, displayed(r"\prod_{k=1}^{1e-308} W = W", r"\sum_{k=1}^{1e9} h_k = h_t")),
    "an exponent as a power of ten": (RNN, displayed("h_t^{1e-308} = h_t", r"\sqrt[1e-308]{2} = 1", "W^{1e308} = 1")),
    "a power of ten in a cell": ("h_t = W h_{t-1}\nL = \\sum_{t=1e-308}^{T} L_t(h_t)", displayed("h_t = W h_{t-1}")),
    "a time far away": (RNN, displayed("h_{t-99999999} = W", "h_{99999999} = W", "h_{99999999} = h_t")),
    "a bound on a time far away": (RNN, displayed(r"h_{99999999} \le h_t", r"\sum_{k=1}^{9999} h_k \le 1")),
    "a time divided by zero": (RNN, displayed(r"h_{\frac{t}{0}} = h_t", r"h_{1/0} = 1", r"h_{0/0} = h_t")),
    "a bound that is no number": (RNN, displayed(r"\sum_{k=1}^{0/0} k = 1", r"\sum_{k=1}^{1/0} h_k = 1", "W^{0/0} = W")),
    "towers of powers": (RNN, displayed("10^{10^{10}} = 3", "2^{2^{2^{2^{2^2}}}} = 1", "2^{10^{10}} W = W")),
    "towers of exponentials": (RNN, displayed(r"\exp(\exp(\exp(\exp(10)))) = 1", r"\tanh(\exp(\exp(1000))) = 0.1")),
    "a tower that is given": (DECAY, displayed(r"w = \exp(\exp(\exp(\exp(10))))", "h_0 = 1", "T = 2", "h_2 = 2")),
    "a huge length": (DECAY, displayed("w = 0.5", "h_0 = 1", "T = 1000000000", "h_2 = 0.25", "h_T = 0.25")),
    "numbers of many digits": (RNN, displayed("1 = " + "9" * 5000, "T = " + "9" * 60, "x_{" + "9" * 5000 + "} = 1")),
    "divisions by zero": (RNN, displayed(r"\frac{1}{0} = 1", "0^{-1} = 1", r"h_t = \frac{h_t}{W - W}", "(W - W)^{-1} = W")),
    # shapes and matrices
    "a quotient by a matrix of numbers": (RNN, displayed(r"\frac{1}{\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}} = 1")),
    "diag of a matrix of numbers": (RNN, displayed(r"\operatorname{diag}(\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}) = W")),
    "norms of what is no number": (RNN, displayed(r"\lVert \log(-1 - W \odot W) \rVert \le 1", r"\lVert W^{-1} \rVert < 1")),
    "a negative size": ("h_t = W h_{t-1}\nh_t \\in \\mathbb{R}^{-3}", displayed(r"\lVert h_t \rVert \le 1")),
    "a size of zero": ("h_t = W h_{t-1}\nh_t \\in \\mathbb{R}^{0}", displayed("h_t = W h_{t-1}", r"\frac{\partial h_t}{\partial h_{t-1}} = W")),
    "a huge size": ("h_t = W h_{t-1}\nh_t \\in \\mathbb{R}^{1000000}", displayed(r"\frac{\partial h_t}{\partial h_{t-1}} = W")),
    "a large matrix of names": (
        RNN,
        displayed(r"\begin{matrix}" + r" \\ ".join([" & ".join(["W", "h_t"] * 15)] * 30) + r"\end{matrix} = 1"),
    ),
    "a large matrix of roots": (
        RNN,
        displayed(r"M^{-1} = M".replace("M", r"\begin{pmatrix}" + r" \\ ".join([r"\sqrt{2} & \sqrt{3} & " * 5 + "1"] * 11) + r"\end{pmatrix}")),
    ),
    # length
    "a long product": (RNN, displayed("h_t = " + "W " * 2000 + "h_t")),
    "a long chain": (RNN, displayed("h_t = " + " = ".join(["h_t"] * 1000))),
    "deep brackets": (RNN, displayed("h_t = " + "(" * 5000 + "h_t" + ")" * 5000, "h_t = " + "(" * 140 + "h_t" + ")" * 140)),
    "deep fractions": (RNN, displayed("h_t = " + r"\frac{1}{" * 140 + "h_t" + "}" * 140, "1 = " + "2^{" * 100 + "1" + "}" * 100)),
    "dollars in one paragraph": (RNN, "$x$ " * 5_000),
    "names in a long row": (RNN, "".join(f"Let $$a^{{({k})}}_t = a^{{({k + 1})}}_t$$\n" for k in range(60)) + "$$a^{(60)}_t = h_t$$"),
    # macros
    "a macro of itself": (RNN, r"\def\a{\a\a} $$h_t = \a$$ \newcommand{\b}[1]{\b{#1#1}} $$h_t = \b{1}$$"),
    "macros of each other": (RNN, "".join(f"\\def\\x{b}{{{f'{chr(92)}x{a} ' * 10}}}" for a, b in zip("abcdefghi", "bcdefghij", strict=True)) + r"$$h_t = \xj$$"),
    "a long macro, often": (RNN, r"\def\a{" + "x" * 100_000 + r"} $$h_t = " + r"\a " * 20_000 + "$$"),
    "nine arguments": (RNN, r"\newcommand{\a}[9]{#1#9#1} $$h_t = \a h_t h_t$$ $$\a123456789 = \a{}{}{}{}{}{}{}{}{}$$"),
    # definitions
    "names of each other": (RNN, "Let " + displayed("a_t = b_t", "b_t = a_t", "a_t = h_t", r"\nabla_{a_t} L = 0")),
    "a name of itself": (RNN, "Let " + displayed("g_t = g_t", "q = q", "g_t = g_{t+1} + g_{t-1}", "g_2 = h_2")),
    "a name at twice a time": (RNN, "Let " + displayed("g_{2t} = h_t", "g_{-t} = h_t", "u^t = g_{2t}", "g_t = u^t")),
    # the rest
    "labels that no class has": (ROWS, displayed("y_1 = 99", "x_1 = 1", "W = 1", "U = 1", "b = 1", "V = 1", "c = 1", "s_0 = 1", "L = 0")),
    "a length in the place of an argument": ("h_t = \\tanh(W h_{t T} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)", displayed(r"\nabla_W L = 0")),
    "characters that are no text": (RNN, displayed("h_t = \ud800", "\x00 = h_t", "h_t\u202e = h_t", "h_t = h_t\u0301" * 50)),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "text"), ENDLESS.values(), ids=ENDLESS.keys())
def test_whatever_is_written_ends(cell: str, text: str) -> None:
    ends_well(Case("given", text, cell))


LONG = {
    "a time far away in an LSTM": (LSTM, displayed(r"h_{999} > \lvert h_t \rvert", r"\lVert x_{t-9} \rVert < 0")),
    "a large size": ("h_t = W h_{t-1}\nh_t \\in \\mathbb{R}^{500}", displayed(r"\frac{\partial h_t}{\partial h_{t-1}} = W")),
    "a long sum": (RNN, displayed("h_t = " + " + ".join(["h_t"] * 2000))),
    "a long product of sums": (RNN, displayed("h_t = " + "(1 + h_t)" * 300, "h_t = " + "(W + U)" * 40 + "h_t")),
    "a long sum of numbers": (RNN, displayed("1 = " + " + ".join(["1"] * 400), r"1 = " + r"(1 + \sqrt{2}) " * 50)),
    "a long chain of bounds": (RNN, displayed("h_t = h_{t-1}" + r" \le h_t" * 300)),
    "sums in sums": (RNN, displayed("h_t = " + r"\sum_{t=1}^{T} " * 40 + "h_t", "h_t = " + r"\prod_{k=1}^{t} " * 40 + "h_t")),
    "deep functions": (RNN, displayed("h_t = " + r"\tanh(" * 140 + "h_t" + ")" * 140, "1 = " + r"\tanh(" * 9 + "1" + ")" * 9)),
    "dollars alone": (RNN, "$ " * 20_000),
}  # fmt: skip
"""What ends only because the checker gives up, after the seconds that it allows itself."""


@on_demand
@pytest.mark.parametrize(("cell", "text"), LONG.values(), ids=LONG.keys())
def test_whatever_is_written_is_given_up(cell: str, text: str) -> None:
    ends_well(Case("given", text, cell))


@pytest.mark.parametrize("count", [300, 600])
def test_a_document_of_many_equations_and_no_cell_is_refused_in_time(count: int) -> None:
    ends_well(Case("given", "".join(f"$$a_{{{k}}} = b_{{{k}}}$$\n" for k in range(count))))


def test_aliases_of_each_other_end() -> None:
    ends_well(
        Case("given", displayed("a_t = 1", "g_t = a_t"), RNN, aliases=("g_t=\\tanh(g_{t-1})", "q_t=g_t", "a_t=q_t"))
    )
    ends_well(Case("given", displayed("g_t = 3"), SCALAR, aliases=("g_t=h_{t-99999}",)))
