"""What a document does not show is no claim, and keeps nothing else from its place."""

from __future__ import annotations

import pytest

from derive.notation.source import Source, Span
from verify.document import formulas_of

HIDDEN, SHOWN = "$$no$$", "$$yes$$"


def found(text: str) -> list[str]:
    return [formula.source.text.strip() for formula in formulas_of(Source(text)) if not formula.inline]


@pytest.mark.parametrize(
    "text",
    [
        rf"\iffalse {HIDDEN} \fi {SHOWN}",
        rf"\iffalse {HIDDEN} \iftrue {HIDDEN} \else {HIDDEN} \fi \fi {SHOWN}",
        rf"\iffalse {HIDDEN} \else {SHOWN} \fi",
        rf"\iffalse $a \iff b$ {HIDDEN} \fi {SHOWN}",
        f"<!-- {HIDDEN} --> {SHOWN}",
        f"<!--\n{HIDDEN}\n--> {SHOWN} <!-- {HIDDEN} -->",
        rf"\begin{{comment}} {HIDDEN} \end{{comment}} {SHOWN}",
        rf"\begin{{document}} {SHOWN} \end{{document}} {HIDDEN}",
        rf"\documentclass{{article}} {HIDDEN} \begin{{document}} {SHOWN} \end{{document}}",
        rf"\documentclass{{article}} \newcommand{{\e}}{{yes}} {HIDDEN} \begin{{document}} $$\e$$ \end{{document}}",
    ],
)
def test_what_is_hidden(text: str) -> None:
    assert found(text) == ["yes"]


@pytest.mark.parametrize(
    "text",
    [
        rf"\begin{{document}} % \iffalse{chr(10)}{SHOWN} \end{{document}} \fi",
        rf"\verb|\iffalse| {SHOWN} \fi",
        f"`<!--` {SHOWN} `-->`",
        f"```html\n<!--\n```\n{SHOWN}\n-->",
        rf"\begin{{document}} <!-- {SHOWN} --> \end{{document}}",
        rf"\iffalse {SHOWN}",
        f"<!-- {SHOWN}",
    ],
)
def test_what_only_looks_hidden(text: str) -> None:
    assert found(text) == ["yes"]


def test_lines_are_counted_with_what_is_hidden() -> None:
    (formula,) = formulas_of(Source(f"<!--\n{HIDDEN}\n-->\n{SHOWN}"))
    assert Span(0, 1, formula.source).line == 4


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (f"It costs $5. Then {SHOWN}", 0),
        (f"It costs $5, or $6 with tax. {SHOWN} and $7.", 0),
        (f"It costs 5$. {SHOWN}", 0),
        (f"Let $h_t$ cost $5 each: {SHOWN}", 0),
        (f"$a$$b$ and $2 c$ {SHOWN}", 0),
        ("for $5 per \\begin{equation}yes\\end{equation} of $y$", 0),
        (f"an $x and {SHOWN}", 1),
        ("an $x_t and \\begin{equation}yes\\end{equation} for $y$", 1),
        (f"\\begin{{document}} $5 {SHOWN}\\end{{document}}", 1),
    ],
)
def test_a_lone_dollar_hides_no_display(text: str, errors: int) -> None:
    formulas = [formula for formula in formulas_of(Source(text)) if not formula.inline]
    assert [formula.source.text for formula in formulas if formula.error is None] == ["yes"]
    assert sum(formula.error is not None for formula in formulas) == errors
