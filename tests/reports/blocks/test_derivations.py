"""Blocks that derive: which lines they print, and what stands below them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.errors import BpttError, ValidationError
from derive.notation.write_plain import write_plain
from reports.document import Aligned, Document, Table
from reports.walk import plain_text

Build = Callable[..., Document]


def only(document: Document) -> Aligned:
    (block,) = [block for block in document.blocks if isinstance(block, Aligned)]
    return block


def lines(block: Aligned) -> list[str]:
    return [
        f"{write_plain(line.lhs) if line.lhs is not None else ''} {line.operator} {write_plain(line.rhs)}".strip()
        for line in block.lines
    ]


def test_the_recursion_says_where_it_starts(build: Build) -> None:
    block = only(build("```bptt gradient\ncell: rnn\nwrt: W\n```"))
    assert lines(block)[0] == "delta[T+1] = 0"
    assert plain_text(block.lines[0].note) == "no step after\u00a0T"


def test_several_zeros_share_a_line(build: Build) -> None:
    block = only(build("```bptt gradients\ncell: lstm\n```"))
    assert lines(block)[0].count("=") == 5 and lines(block)[0].endswith("= 0")


def test_what_was_measured_stands_below(build: Build) -> None:
    said = plain_text(only(build("```bptt jacobian\ncell: rnn\nof: h_t\nwrt: h_{t-1}\n```")).footer)
    assert (
        said.startswith("Against automatic differentiation: relative error at most ")
        and " in 2 draws with n, d" in said
    )
    assert "T" not in plain_text(only(build("```bptt jacobian\ncell: layer\nof: y\nwrt: x\n```")).footer), (
        "a formula without steps has no length"
    )
    assert only(build("```bptt jacobian\ncell: rnn\nof: h_t\nwrt: h_{t-1}\nshow-measured: no\n```")).footer == ()


def test_a_loss_is_printed_with_its_cell(build: Build) -> None:
    text = "```bptt cell\nname: mine\n---\nh_t = \\tanh(W h_{t-1} + U x_t)\n%s```"
    assert lines(only(build(text % "L = \\sum_{t=2}^{T} \\lVert h_t \\rVert^2\n")))[-1].startswith("L = sum")
    assert len(lines(only(build(text % "")))) == 1


HELD = """
```bptt cell
name: held
based-on: lstm
show: no
---
f_t = \\mathbf{1}
i_t = 0
```

"""


def test_values_are_put_in_before_they_are_simplified(build: Build) -> None:
    block = only(
        build(
            HELD
            + "```bptt jacobian\ncell: held\nof: C_t\nwrt: C_{t-1}\nsteps: result\nwhere: f_t = \\mathbf{1}, i_t = 0\n```"
        )
    )
    assert [line.rsplit("= ", 1)[1] for line in lines(block)][-1] == "I"
    assert "diag(0 * tanh'" in lines(block)[1] and plain_text(block.lines[1].note).endswith("i[t] = 0")


def test_values_that_the_cell_does_not_have_are_refused(build: Build) -> None:
    with pytest.raises(ValidationError, match="does not hold in this cell"):
        build("```bptt jacobian\ncell: lstm\nof: C_t\nwrt: C_{t-1}\nwhere: i_t = 0\n```")


@pytest.mark.parametrize(
    ("wanted", "count"), [("all", 4), ("derived", 2), ("result", 1), ("1-2, 4", 3), ("4", 1)],
)  # fmt: skip
def test_lines_that_are_asked_for(build: Build, wanted: str, count: int) -> None:
    assert (
        len(only(build(f"```bptt jacobian\ncell: rnn\nof: h_t\nwrt: h_{{t-1}}\nsteps: {wanted}\n```")).lines) == count
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("steps: 9", "there are 4 steps"), ("steps: some", "steps is 'some'"), ("where: f_t", "not an equation"),
        ("show-measured: maybe", "yes or no"),
    ],
)  # fmt: skip
def test_what_is_misspelt_is_told(build: Build, options: str, says: str) -> None:
    with pytest.raises(BpttError, match=says):
        build(f"```bptt jacobian\ncell: rnn\nof: h_t\nwrt: h_{{t-1}}\n{options}\n```".replace("f_t", "h_t"))


def test_intervals_have_minus_signs(build: Build) -> None:
    (table,) = [
        block for block in build("```bptt ranges\ncell: lstm\ncaption: Ranges.\n```").blocks if isinstance(block, Table)
    ]
    assert [plain_text(row[1]) for row in table.rows] == ["(0, 1)", "(0, 1)", "(0, 1)", "(−1, 1)", "(−∞, ∞)", "(−1, 1)"]
    assert plain_text(table.caption) == "Ranges."


def test_the_table_of_measurements_tells_its_rows_apart(build: Build) -> None:
    jacobian = "```bptt jacobian\ncell: {}\nof: C_t\nwrt: C_{{t-1}}\n{}```\n\n"
    text = (
        HELD
        + jacobian.format("held", "")
        + jacobian.format("lstm", "")
        + "```bptt jacobian\ncell: layer\nof: y\nwrt: x\n```\n\n```bptt measurements\n```"
    )
    (table,) = [block for block in build(text).blocks if isinstance(block, Table)]
    rows = [tuple(map(plain_text, row)) for row in table.rows]
    assert len(set(rows)) == 3 and [row[1] for row in rows] == ["held", "lstm", "layer"] and rows[2][3] == "–"


def test_a_derivation_that_is_wrong_stops_the_build(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the derived Jacobian is transposed."""
    from dataclasses import replace

    from derive.cell import Cell
    from derive.expressions import make

    real = Cell.jacobian
    monkeypatch.setattr(
        Cell,
        "jacobian",
        lambda self, of, by, vec: replace(d := real(self, of, by, vec), result=make.transpose(d.result)),
    )
    with pytest.raises(ValidationError, match="disagrees with autograd"):
        build("```bptt jacobian\ncell: rnn\nof: h_t\nwrt: h_{t-1}\n```")
