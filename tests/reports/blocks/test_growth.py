"""Powers of matrices: numbers against NumPy, labels with formulas, decompositions that multiply out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from derive.errors import BpttError
from derive.notation.write_plain import write_plain
from reports.blocks.growth import short_number
from reports.document import Aligned, Document, Figure, Table
from reports.plot import Plot, draw_pdf
from reports.walk import plain_text

Build = Callable[..., Document]

BODY = "---\ngiven: \\begin{pmatrix} 0.58 & 0.24 \\\\ 0.24 & 0.72 \\end{pmatrix}\nturn, $\\lambda = \\pm i$: \\begin{pmatrix} 0 & -1 \\\\ 1 & 0 \\end{pmatrix}\n```"
GIVEN = np.array([[0.58, 0.24], [0.24, 0.72]])


def blocks(build: Build, text: str, kind: type) -> list:  # type: ignore[type-arg]
    return [block for block in build(text).blocks if isinstance(block, kind)]


def test_the_table_against_numpy(build: Build) -> None:
    (table,) = blocks(build, "```bptt growth-table\npowers: 1, 30\n" + BODY.replace("\\pm", ""), Table)
    first, second = ([plain_text(cell) for cell in row] for row in table.rows)
    assert (first[0], first[2], first[-1]) == ("given", "0.4, 0.9", "vanishes")
    assert float(first[4]) == pytest.approx(np.linalg.norm(np.linalg.matrix_power(GIVEN, 30), 2), rel=6e-3)
    assert second[2] == "-i, i" and second[3] == second[4] == "1.00" and second[-1] == "stays bounded"
    assert "Spectral norm" in plain_text(table.caption)


def test_the_plot_has_formulas_in_its_legend(build: Build) -> None:
    text = "```bptt growth-plot\ncount: 5\ncell: rnn\nparameter: W\nmatrix: \\begin{pmatrix} 0.5 & 0 \\\\ 0 & 0.5 \\end{pmatrix}\n"
    text += "cell-label: with $\\operatorname{diag}(\\sigma'(z_j)) W$\n"
    (figure,) = blocks(build, text + BODY.replace("\\pm", ""), Figure)
    assert isinstance(figure.content, Plot)
    names = [series.name for series in figure.content.series]
    assert names == ["given", r"turn, $\lambda = i$", r"with $\operatorname{diag}(\sigma'(z_j)) W$"] and draw_pdf(
        figure.content
    )
    given, _, product = (series.y for series in figure.content.series)
    assert given == pytest.approx([np.linalg.norm(np.linalg.matrix_power(GIVEN, n), 2) for n in range(1, 6)])
    assert all(value <= 0.125**n for n, value in enumerate(product, 1)), (
        "each factor is at most a quarter of the matrix"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.0, "1.00"), (0.0018, "0.00180"), (304.2, "304"), (2.03e8, "2.03 * 10^8"), (1e-9, "1.00 * 10^{-9}"), (0.0, "0")],
)
def test_three_digits(value: float, shown: str) -> None:
    assert write_plain(short_number(value)).replace("·", "*") == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("growth-table\npowers: 0\n", "powers is '0'"), ("growth-plot\ncell: rnn\n", "needs its recurrent parameter"),
        ("growth-table\npowers: many\n", "powers is 'many'"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(build: Build, text: str, says: str) -> None:
    with pytest.raises(BpttError, match=says):
        build(f"```bptt {text}---\na: \\begin{{pmatrix}} 1 & 0 \\\\ 0 & 1 \\end{{pmatrix}}\n```")


def test_labels_need_a_colon(build: Build) -> None:
    with pytest.raises(BpttError, match="label: matrix"):
        build("```bptt growth-table\n---\nno matrix\n```")


def power(build: Build, options: str) -> list[str]:
    (block,) = blocks(build, f"```bptt power\n{options}\n```", Aligned)
    return [f"{line.operator} {write_plain(line.rhs)}" for line in block.lines]


def test_zeros_at_the_end_are_kept(build: Build) -> None:
    rounded = power(
        build, "matrix: \\begin{pmatrix} 0.58 & 0.24 \\\\ 0.24 & 0.72 \\end{pmatrix}\nexponent: 30\ndigits: 6"
    )[-1]
    assert rounded == "~ [[0.015261, 0.020348], [0.020348, 0.027130]]"


def test_what_is_exact_is_not_rounded(build: Build) -> None:
    assert power(build, "matrix: \\begin{pmatrix} 1 & 1 \\\\ 0 & 1 \\end{pmatrix}\nexponent: 7") == [
        "= [[1, 7], [0, 1]]"
    ]
    three = power(
        build, "matrix: \\begin{pmatrix} 0.5 & 0.25 \\\\ 0.25 & 0.5 \\end{pmatrix}\nexponent: 4\ndigits: 2\nexact: yes"
    )
    assert [line[0] for line in three] == ["=", "=", "~"]


def test_roots_in_a_decomposition(build: Build) -> None:
    (block,) = blocks(
        build, "```bptt eigen\nmatrix: \\begin{pmatrix} 2 & 1 \\\\ 1 & 2 \\end{pmatrix}\nname: A\n```", Aligned
    )
    assert "sqrt(2)/2" in write_plain(block.lines[1].rhs)


def test_the_power_theorem_starts_at_one(build: Build) -> None:
    (block,) = blocks(build, "```bptt power-theorem\n```", Aligned)
    assert "Q @ Lambda^1 @ Q^{-1}" in [write_plain(line.rhs) for line in block.lines]
    assert plain_text(block.lines[-1].note).replace("\u00a0", " ") == "induction: for every n ≥ 1"
