"""Hostile documents: whatever a text holds, it is checked or refused, in time, with little memory, and nothing is touched; and what was
not read as a whole is not found true.
"""

from __future__ import annotations

import json
import os

import pytest

import bptt

pytest.importorskip("resource")

from benchmarks.fuzz import FATAL, LSTM, RNN, ROWS, SCALAR, Case, attempt, case

pytestmark = pytest.mark.skipif(not os.environ.get("BPTT_LONG"), reason="it measures time; BPTT_LONG=1 runs it")

STEP = r"h_t = \tanh(W h_{t-1} + U x_t + b)"
"""The equation of the cell that the documents are about."""
DECAY = "h_t = w h_{t-1}\nh_t \\in \\mathbb{R}"
CHUNKS, SIZE, LONGEST = 20, 50, 4_000


def displayed(*formulas: str) -> str:
    return "\n".join(f"$${formula}$$" for formula in formulas)


def verdicts(text: str, cell: str = RNN, **options: object) -> list[str]:
    return [one.verdict for one in bptt.check(text, bptt.cell(cell), **options)]  # type: ignore[arg-type]


def ends_well(given: Case) -> None:
    outcome = attempt(given, seconds=10.0)
    assert outcome.end not in FATAL, (
        f"{outcome.end} after {outcome.seconds:.1f} s: {outcome.detail}\n{given.literal(3000)}"
    )


# -- random documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_documents_are_checked_or_refused(chunk: int) -> None:
    """``python benchmarks/fuzz.py`` tries more of them, and longer ones."""
    for number in range(chunk * SIZE, (chunk + 1) * SIZE):
        given = case(2024, number)
        if len(given.text) <= LONGEST:
            ends_well(given)


# -- what must end, and be no fault ------------------------------------------------------------------------

ENDLESS = {
    # numbers
    "a time as a power of ten": (RNN, displayed("h_{1e400} = 1", "h_{t-1e7} = h_t", "x_{1e-7} = 2")),
    "a bound as a power of ten": (RNN, displayed(r"\prod_{k=1}^{1e-308} W = W", r"\sum_{k=1}^{1e9} h_k = h_t")),
    "an exponent as a power of ten": (RNN, displayed("h_t^{1e-308} = h_t", r"\sqrt[1e-308]{2} = 1", "W^{1e308} = 1")),
    "a power of ten in a cell": ("h_t = W h_{t-1}\nL = \\sum_{t=1e-308}^{T} L_t(h_t)", displayed("h_t = W h_{t-1}")),
    "a time far away": (RNN, displayed("h_{t-99999999} = W", "h_{99999999} = W", "h_{99999999} = h_t")),
    "a bound on a time far away": (RNN, displayed(r"h_{99999999} \le h_t", r"\sum_{k=1}^{9999} h_k \le 1")),
    "a time far away in an LSTM": (LSTM, displayed(r"h_{999} > \lvert h_t \rvert", r"\lVert x_{t-9} \rVert < 0")),
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
    "a large size": ("h_t = W h_{t-1}\nh_t \\in \\mathbb{R}^{500}", displayed(r"\frac{\partial h_t}{\partial h_{t-1}} = W")),
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
    "a long sum": (RNN, displayed("h_t = " + " + ".join(["h_t"] * 2000))),
    "a long product": (RNN, displayed("h_t = " + "W " * 2000 + "h_t")),
    "a long product of sums": (RNN, displayed("h_t = " + "(1 + h_t)" * 300, "h_t = " + "(W + U)" * 40 + "h_t")),
    "a long sum of numbers": (RNN, displayed("1 = " + " + ".join(["1"] * 400), r"1 = " + r"(1 + \sqrt{2}) " * 50)),
    "a long chain": (RNN, displayed("h_t = " + " = ".join(["h_t"] * 1000))),
    "a long chain of bounds": (RNN, displayed("h_t = h_{t-1}" + r" \le h_t" * 300)),
    "sums in sums": (RNN, displayed("h_t = " + r"\sum_{t=1}^{T} " * 40 + "h_t", "h_t = " + r"\prod_{k=1}^{t} " * 40 + "h_t")),
    "deep brackets": (RNN, displayed("h_t = " + "(" * 5000 + "h_t" + ")" * 5000, "h_t = " + "(" * 140 + "h_t" + ")" * 140)),
    "deep fractions": (RNN, displayed("h_t = " + r"\frac{1}{" * 140 + "h_t" + "}" * 140, "1 = " + "2^{" * 100 + "1" + "}" * 100)),
    "deep functions": (RNN, displayed("h_t = " + r"\tanh(" * 140 + "h_t" + ")" * 140, "1 = " + r"\tanh(" * 9 + "1" + ")" * 9)),
    "dollars alone": (RNN, "$ " * 20_000),
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


@pytest.mark.parametrize("count", [300, 600])
def test_a_document_of_many_equations_and_no_cell_is_refused_in_time(count: int) -> None:
    ends_well(Case("given", "".join(f"$$a_{{{k}}} = b_{{{k}}}$$\n" for k in range(count))))


# -- what must not be found true ---------------------------------------------------------------------------

FALSE = {
    # a part of what is displayed is passed over
    "a summand behind a comma": (RNN, displayed(STEP + ", + 1")),
    "a factor behind a comma": (RNN, displayed(STEP + ", W")),
    "a summand behind a semicolon": (RNN, displayed(STEP + "; 3 W")),
    "another case behind a comma": (RNN, displayed(STEP + r" \text{if } t > 3, 0 \text{ otherwise}")),
    "words that deny it": (RNN, displayed(STEP + r" \text{ is false}")),
    "two left sides": (RNN, displayed(r"\nabla_U L, \nabla_b L = \sum_{t=1}^T \delta_t")),
    "a visible argument of a command": (RNN, displayed(STEP + r" \mathrel{+ W x_t}")),
    "a second line": (RNN, r"\begin{multline} " + STEP + r" \\ (1 + W) \end{multline}"),
    # a fraction of a step is no step
    "a fraction in a time": (RNN, displayed("h_{t+0.1} = h_t")),
    "a fraction in a state's time": (RNN, displayed(r"\frac{\partial h_t}{\partial h_{t-0.9}} = \operatorname{diag}(1 - h_t^2) W")),
    "a fraction in an upper bound": (RNN, displayed(r"\nabla_b L = \sum_{t=1}^{T+0.4} \delta_t")),
    "a fraction in a lower bound": (RNN, displayed(r"\nabla_b L = \sum_{t=0.6}^{T} \delta_t")),
    "a fraction in a matrix power": (RNN, displayed("W^{2.2} = W W")),
    # macros that are not what they seem
    "a macro that is changed later": (RNN, r"\newcommand{\a}{W} $$\a = " + STEP[6:] + r"$$ \renewcommand{\a}{h_t}"),
    "a macro in a comment": (RNN, "\\newcommand{\\a}{W}\n%\\renewcommand{\\a}{h_t}\n$$\\a = " + STEP[6:] + "$$"),
    "a macro in verbatim": (RNN, r"\newcommand{\a}{W}\begin{verbatim}\renewcommand{\a}{h_t}\end{verbatim}$$\a = " + STEP[6:] + "$$"),
    "a macro in a group": (RNN, r"\newcommand{\a}{W} {\renewcommand{\a}{h_t}} $$\a = " + STEP[6:] + "$$"),
    "a macro that is there": (RNN, r"\newcommand{\a}{W}\providecommand{\a}{h_t} $$\a = " + STEP[6:] + "$$"),
    "another function by the same name": (RNN, r"\renewcommand{\tanh}{\sin} $$" + STEP + "$$"),
    "a transpose that is none": (RNN, r"\renewcommand{\top}{} $$\nabla_W L = \sum_t \delta_t h_{t-1}^\top$$"),
    "a letter by let": (RNN, r"\let\tanh\sin $$" + STEP + "$$"),
    "a macro by gdef": (RNN, r"\def\a{h_t} \gdef\a{W} $$\a = " + STEP[6:] + "$$"),
    # what rounding hides
    "a saturated tanh": (RNN, displayed(r"\tanh(100 + h_t) = \mathbf{1}")),
    "a saturated sigmoid": (RNN, displayed(r"\sigma(500 + h_t) = \mathbf{1}")),
    "an exponential that vanishes": (RNN, displayed(r"1 + \exp(-500 - \lVert h_t \rVert^2) = 1")),
    "a small power": (RNN, displayed(r"h_t = h_t + (0.001 h_t)^4")),
    # what has no value everywhere
    "a root of negative numbers": (RNN, displayed(r"\lVert \sqrt{h_t} \rVert \ge 0")),
    "a logarithm of negative numbers": (RNN, displayed(r"\lVert \log(x_t) \rVert \ge 0")),
    # definitions that contradict
    "a name twice": (RNN, "Let " + displayed("g_t = h_t") + " then " + displayed("g_t = h_t + 1")),
    "a name of a name of itself": (RNN, "Let " + displayed("a_t = b_t", "b_t = a_t") + " so " + displayed("a_t = 3 b_t")),
    "two lengths": (DECAY, displayed("w = 0.5", "h_0 = 1", "T = 2", "T = 3")),
    # numbers
    "no digit that counts": (DECAY, displayed("w = 0.5", "h_0 = 1", "T = 2", r"h_2 = 1000 \cdot 0.0")),
    "another small number": (DECAY, displayed("w = 0.000001", "h_0 = 0.00001", "T = 2", r"h_2 = 5 \cdot 10^{-10}")),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "text"), FALSE.values(), ids=FALSE.keys())
def test_what_is_not_read_as_a_whole_is_not_found_true(cell: str, text: str) -> None:
    """One of the equations at least is not accepted."""
    assert not set(verdicts(text, cell)) <= {"correct", "layout"}


WRONG = {
    "an overflow": (DECAY, displayed("w = 10^{300}", "h_0 = 10^{300}", "T = 2", "h_2 = 10^{400}")),
    "what is no number": (DECAY, displayed("w = 10^{300}", "h_0 = 10^{300}", "T = 2", "h_2 - h_2 = 0")),
}


@pytest.mark.parametrize(("cell", "text"), WRONG.values(), ids=WRONG.keys())
def test_what_overflows_is_not_found_false(cell: str, text: str) -> None:
    assert verdicts(text, cell)[-1] != "wrong"


# -- nothing is touched ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        r"\input{/etc/passwd} $$h_t = \input{/etc/passwd}$$",
        r"\write18{touch here} $$h_t = \write18{touch here}$$ \immediate\write18{id}",
        r"\openin5=/etc/passwd \read5 to \x $$h_t = \x$$ \includegraphics{/dev/zero}",
        r"\csname input\endcsname{/etc/passwd} $$\csname tanh\endcsname(h_t) = h_t$$ \directlua{os.execute('id')}",
        "$$h_t = __import__('os').system('id')$$ {{7*7}} ${IFS} <script>alert(1)</script>",
        "h[t] = __import__('os').system('id')",
    ],
)
def test_no_file_is_read_and_nothing_is_run(text: str) -> None:
    ends_well(Case("given", text, RNN))
    assert not {"correct", "layout"} & set(verdicts(text))


# -- notebooks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{", "NaN", "9" * 5000, '"cells"', '{"cells": null}', '{"cells": 3}', '{"cells": [3]}', '{"cells": [[]]}', '{"cells": [{}]}',
        '{"cells": "markdown"}', '{"cells": {"a": 1}}', '{"cells": ' + "[" * 100_000, '{"cells": [{"cell_type": "markdown", "source": 3}]}',
        '{"cells": [{"cell_type": "markdown", "source": ["a", null]}]}', '{"cells": [{"cell_type": "markdown", "source": NaN}]}', "\ufeff{}",
        '{"cells": [{"cell_type": "markdown", "source": ' + "9" * 5000 + "}]}", '{"cells": [{"cell_type": "markdown"}]}',
    ],
)  # fmt: skip
def test_damaged_notebooks_are_refused(text: str) -> None:
    with pytest.raises(bptt.BpttError):
        bptt.check(text, bptt.cell(RNN), name="book.ipynb")


def test_a_notebook_with_odd_characters_is_checked() -> None:
    book = {
        "cells": [{"cell_type": "markdown", "source": "\ud800 $$h_t = 1$$ \x00"}, {"cell_type": "code", "source": None}]
    }
    assert verdicts(json.dumps(book), name="book.ipynb") == ["wrong"]


# -- cells -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "=", "h = h", "T = T", "h_t = h_t", "h_t = a_t\na_t = h_t", "h_t = h_{t-1e7}", "h_t = h_{t-k}", "h_t = h_{t-99999}", "h_t = W h_{t-1}\nh_t \\in \\mathbb{R}^{n^n}",
        "h_t = W h_{t-1} / 0", "h_t = " + "(" * 3000 + "h_{t-1}" + ")" * 3000, "h_t = 1e999999 h_{t-1}", "\x00=", "h_t = W h_{t-1}\n1 < W < 0", "h_t = \\frac{\\partial h_{t-1}}{\\partial W}",
        "h_t = " + " + ".join(["W h_{t-1}"] * 2000), "\n".join(f"h^{{({k})}}_t = h^{{({k})}}_{{t-1}}" for k in range(300)), "h_t = h_{t - t/0}", "h_t = h_{t-0.5}",
    ],
)  # fmt: skip
def test_hostile_cells_are_refused(cell: str) -> None:
    with pytest.raises(bptt.BpttError):
        bptt.check(displayed(STEP), bptt.cell(cell + "\n"))


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "=",
        "g_t",
        "=h_t",
        "g_t=",
        "g_t=((((",
        "1=2",
        "g_t=h_t=h_t",
        "\x00=\x00",
        "g_t=1e999",
        "g_t=\\input{x}",
        "h_t=W",
    ],
)
def test_hostile_aliases_are_refused(alias: str) -> None:
    with pytest.raises(bptt.BpttError):
        bptt.check(displayed("h_t = h_t"), bptt.cell(RNN), aliases=[alias])


def test_aliases_of_each_other_end() -> None:
    ends_well(
        Case("given", displayed("a_t = 1", "g_t = a_t"), RNN, aliases=("g_t=\\tanh(g_{t-1})", "q_t=g_t", "a_t=q_t"))
    )
    ends_well(Case("given", displayed("g_t = 3"), SCALAR, aliases=("g_t=h_{t-99999}",)))
