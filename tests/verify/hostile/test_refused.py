"""Texts that do something elsewhere touch nothing here; damaged notebooks, cells and aliases are refused."""

from __future__ import annotations

import json

import pytest

import bptt
from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.texts import RNN
from tests.verify.hostile.documents import STEP, displayed, ends_well, verdicts


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


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"[\frac{\partial h_t}{\partial W}]_{0:1} = 0", "unsupported"),
        (r"\lVert \frac{\partial h_t}{\partial W} \rVert_F \ge 0", "unsupported"),
        (r"2 \frac{\partial h_t}{\partial W} = \frac{\partial h_t}{\partial W} + \frac{\partial h_t}{\partial W}", "correct"),
        (r"3 \frac{\partial h_t}{\partial W} = \frac{\partial h_t}{\partial W} + \frac{\partial h_t}{\partial W}", "wrong"),
    ],
)  # fmt: skip
def test_tensors(claim: str, verdict: str) -> None:
    assert verdicts(displayed(claim)) == [verdict]


@pytest.mark.parametrize("number", ["1e3082", "12e3", "1.5", "1{,}5"])
@pytest.mark.parametrize("command", ["frac", "sqrt"])
def test_an_argument_without_braces_is_one_digit(command: str, number: str) -> None:
    with pytest.raises(bptt.ParseError, match=r"TeX takes '1' alone of"):
        bptt.parse(f"\\{command}{number}" + "{2}" * (command == "frac"))
