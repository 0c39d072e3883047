"""Formulas of a sheet's own and computed values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.errors import BpttError, ValidationError
from derive.notation.write_plain import write_plain
from reports.document import Aligned, Document
from reports.walk import plain_text

Build = Callable[..., Document]

SCALAR = "```bptt cell\nname: scalar\nshow: no\n---\ny = \\sigma(z)\ny \\in \\mathbb{R}, z \\in \\mathbb{R}\n```\n\n"


def formula(build: Build, says: str, cell: str = "rnn") -> Aligned:
    (block,) = [
        block
        for block in build(f"{SCALAR}```bptt formula\n{f'cell: {cell}' if cell else ''}\nsays: {says}\n```").blocks
        if isinstance(block, Aligned)
    ]
    return block


def test_a_chain_of_equations_and_bounds(build: Build) -> None:
    block = formula(build, r"\sigma'(z) = \sigma(z) (1 - \sigma(z)) \le \frac{1}{4}", "scalar")
    assert [line.operator for line in block.lines] == ["=", "<="]
    assert plain_text(block.footer) == "The equations are proved; the bound is tested at 6 points of 6 draws."
    block = formula(
        build,
        r"\lVert \frac{\partial h_t}{\partial h_{t-1}} \rVert = \lVert \operatorname{diag}(\sigma'(z_t)) W \rVert \le \frac{1}{4} \lVert W \rVert",
    )
    assert plain_text(block.footer) == "The equations are proved; the bound is tested at 22 points of 6 draws."
    block = formula(build, r"\nabla_{h_{t-1}} L_t = W^\top (\sigma'(z_t) \odot \nabla_{h_t} L_t)")
    assert "; the sides agree up to a relative error of " in plain_text(block.footer)


def test_a_bound_of_a_norm(build: Build) -> None:
    block = formula(build, r"\lVert \frac{\partial h_t}{\partial h_k} \rVert \le (\frac{1}{4} \lVert W \rVert)^{t-k}")
    assert plain_text(block.footer) == "Tested at 24 points of 6 draws."


def test_proofs_and_exact_numbers_say_so(build: Build) -> None:
    assert (
        plain_text(formula(build, r"W^\top \operatorname{diag}(z_t) h_t = W^\top (h_t \odot z_t)").footer)
        == "Proved, for all sizes."
    )
    assert plain_text(formula(build, r"2^3 = 8", "").footer) == "Computed exactly."


@pytest.mark.parametrize(
    ("says", "cell"),
    [
        (r"\sigma'(z) \le \frac{1}{5}", "scalar"), (r"\sigma'(z) < \sigma'(z)", "scalar"), (r"\sigma'(z) \ge \frac{1}{4}", "scalar"),
        (r"\sigma'(z) = \sigma(z) \le 1", "scalar"),
        (r"\lVert \frac{\partial h_t}{\partial h_{t-1}} \rVert \le \frac{1}{9} \lVert W \rVert", "rnn"), (r"2 = 3", ""),
    ],
)  # fmt: skip
def test_what_does_not_hold_stops_the_build(build: Build, says: str, cell: str) -> None:
    with pytest.raises(ValidationError, match="does not hold"):
        formula(build, says, cell)


def test_bounds_of_numbers(build: Build) -> None:
    assert plain_text(formula(build, r"2 \le 3 < 4", "").footer) == "Computed exactly."
    with pytest.raises(ValidationError, match="bound does not hold"):
        formula(build, r"2 \le 3 \le 2", "")


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("of: 0.4^{30}\n  0.9^{30}\ndigits: 2", ["0.4^30 ~ 1.2 * 10^{-12}", "0.9^30 ~ 0.042"]), ("of: 2^{10}", ["2^10 = 1024"]),
        ("of: \\frac{1}{3}\ndigits: 3", ["1/3 ~ 0.333"]), ("of: 2 \\cdot 3\nname: x\ndigits: 4", ["x = 2 * 3", "= 6.000"]),
    ],
)  # fmt: skip
def test_values(build: Build, options: str, lines: list[str]) -> None:
    (block,) = [block for block in build(f"```bptt value\n{options}\n```").blocks if isinstance(block, Aligned)]
    shown = [
        f"{write_plain(line.lhs) if line.lhs is not None else ''} {line.operator} {write_plain(line.rhs)}".strip()
        for line in block.lines
    ]
    assert [line.replace("·", "*") for line in shown] == lines


def test_a_value_is_of_numbers(build: Build) -> None:
    with pytest.raises(BpttError):
        build("```bptt value\nof: W x\n```")
