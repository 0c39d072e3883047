"""Where formulas are found, and that they know their place in the author's text."""

from __future__ import annotations

import json

import pytest

from derive.errors import UsageError
from derive.notation.source import Source
from verify.claims import claims_of
from verify.document import MAX_FORMULAS, Formula, formulas_of
from verify.limits import limited


def formulas(text: str, name: str = "<text>", inline: bool = False) -> list[Formula]:
    return [formula for formula in formulas_of(Source(text, name)) if inline or not formula.inline]


def bodies(text: str, name: str = "<text>", inline: bool = False) -> list[str]:
    return [formula.source.text.strip() for formula in formulas(text, name, inline)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We have $$a = b$$ and \\[c = d\\].", ["a = b", "c = d"]),
        ("\\begin{equation*}\na = b\n\\end{equation*}", ["a = b"]),
        ("\\begin{alignat}{2}\na &= b\n\\end{alignat}", ["a &= b"]),
        ("\\begin{document}\n% $$no$$\n$$yes$$ 50\\% $$too$$", ["yes", "too"]),
        ("# Title\n50 % of it: $$a = b$$", ["a = b"]),
        ("```math\na = b\n```\n```python\nx = 1\n$$no$$\n```", ["a = b"]),
        ("`$$no$$` but $$yes$$", ["yes"]),
        ("\\begin{verbatim}$$no$$\\end{verbatim}\\verb|$$no$$| $$yes$$", ["yes"]),
        ("a line \\\\[2pt] goes on \\[yes\\]", ["yes"]),
        ("price $5 and\n\nmore $$a$$", ["a"]),
        ("$$  $$ $$a$$", ["a"]),
        ("h_t = W h_{t-1}\nh_t = 1", ["h_t = W h_{t-1}\nh_t = 1"]),
        ("\\documentclass{article} nothing", []),
    ],
)
def test_displays(text: str, found: list[str]) -> None:
    assert bodies(text) == found


def test_formulas_within_lines_are_found_apart() -> None:
    text = "Let $a = b$ and \\(c = d\\); $$e = f$$"
    assert bodies(text) == ["e = f"]
    assert bodies(text, inline=True) == ["a = b", "c = d", "e = f"]


@pytest.mark.parametrize("text", ["so \\[ a = b", "so $$ a = b", "\\begin{align} a = b"])
def test_a_display_that_is_never_closed_is_told(text: str) -> None:
    (formula,) = formulas(text)
    assert formula.error is not None and "never closed" in formula.error.message
    (claim,) = claims_of(formula)
    assert claim.error is formula.error


def test_the_cells_of_a_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Homework\n", "\n", "$$a = b$$"]},
        {"cell_type": "code", "source": "x = '$$no$$'"},
        {"cell_type": "markdown", "source": "```math\nc = d\n```"},
    ]
    found = formulas(json.dumps({"cells": cells}), "homework.ipynb")
    assert [(formula.source.text.strip(), formula.cell) for formula in found] == [("a = b", 1), ("c = d", 3)]
    (claim,) = claims_of(found[0])
    assert (claim.span.line, claim.span.column) == (3, 3)


@pytest.mark.parametrize(
    "text", ["{", '{"cells": 3}', '{"cells": [{"cell_type": "markdown"}]}', '{"cells": [[]]}', "[" * 100_000]
)
def test_damaged_notebooks(text: str) -> None:
    with pytest.raises(UsageError, match="is no notebook"):
        formulas(text, "a.ipynb")


def test_a_document_without_end() -> None:
    with pytest.raises(UsageError, match="more than"):
        formulas("$$a$$" * (MAX_FORMULAS + 1))


@pytest.mark.parametrize("mark", ["\\[", "$$", "\\begin{align}", "\\begin{verbatim}", "```\n", "`", "$", "\\verb|"])
def test_openings_that_never_close_take_no_time(mark: str) -> None:
    """Each search for a closing mark would run over the rest of the text."""
    text = "x\n" + mark * 1_500
    assert len(formulas(text, inline=True)) <= 1_500


# -- places and claims ---------------------------------------------------------------------------------


def claims(text: str) -> list[tuple[int, int, str]]:
    return [
        (claim.span.line, claim.span.column, claim.text) for formula in formulas(text) for claim in claims_of(formula)
    ]


def test_every_row_is_a_claim_and_a_row_that_goes_on_is_not() -> None:
    text = "x\n\\begin{align}\n  a &= b \\\\\n    &= c \\\\[2pt]\n  d &= e\n    + f \\\\\n  g &= h, \\quad p = q\n\\end{align}"
    assert claims(text) == [
        (3, 3, "a &= b \\\\ &= c"),
        (5, 3, "d &= e + f"),
        (7, 3, "g &= h"),
        (7, 17, "p = q"),
    ]


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    text = "\\begin{align}\na &= b \\\\\nc &= \\nonsense{d} \\\\\ne &= f\n\\end{align}"
    found = [claim for formula in formulas(text) for claim in claims_of(formula)]
    assert [claim.error is None for claim in found] == [True, False, True]
    assert found[1].error is not None and "nonsense" in found[1].error.message


def test_conditions_belong_to_their_equation() -> None:
    (formula,) = formulas("$$a_t = b_t, \\quad t < T$$")
    (claim,) = claims_of(formula)
    assert [relation.operators for relation in claim.conditions] == [("<",)]


def test_words_between_lines_of_a_text_are_no_claims() -> None:
    assert [text for _, _, text in claims("We get\nh_t = W h_{t-1}\nand so on\nx_t = y_t")] == [
        "h_t = W h_{t-1}",
        "x_t = y_t",
    ]


@pytest.mark.parametrize(
    "piece",
    [
        "$x$",
        "$x\n\n",
        "\n",
        "$\n",
        "`x",
        "% x\n",
        "a\n",
        "```x\n",
        "~",
        "`",
        "```x",
        " ",
        "\\begin{align}\n\\end{equation}",
    ],
)
def test_a_megabyte_of_anything_is_read_or_refused(piece: str) -> None:
    text = piece * (999_000 // len(piece))
    with limited(8):
        try:
            found = formulas_of(Source(text))
        except UsageError as error:
            assert error.hint == "is this the right file?"
        else:
            assert len(found) <= 1
