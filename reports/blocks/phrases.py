"""Numbers, and the engine's short remarks, as sentences with formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from derive.derivation import Step
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.parser import parse_one
from reports.document import CodeSpan, Inline, Inlines, Math, Text, words
from reports.rounding import power_of_ten

_SIGNS = {"≤": r"\le ", "≥": r"\ge ", "−": "-"}
_LETTER = "[b-zB-HJ-Z]"
_FORMULA = re.compile(rf"(?<![\w'’])(?:{_LETTER}(?:\s?[=<>≤≥+−-]\s?(?:{_LETTER}|[0-9]+))*)(?![\w'’])")
"""A letter that is no word of English, or letters and numbers with signs between them."""
_QUOTED = re.compile(r"(?<![\w)'])'(.+?)'(?![\w('])")
"""What the engine quotes; a prime inside stands before a bracket, a letter or another prime."""
_SHAPE = re.compile(r"(?<=shape )(\w+|\([^()]*\)) x (\w+|\([^()]*\))")

_SIZE = re.compile(r"(?<=of size )(\w+|\([^()]*\))")


def scientific(value: float) -> Inlines:
    """A measured error for a sentence, such as 3·10⁻¹⁶: one digit, rounded up."""
    if value == 0:
        return (Math(s.Number("0")),)
    exponent = math.floor(math.log10(value))
    mantissa = math.ceil(value / 10.0**exponent - 1e-9)
    return (Math(power_of_ten("1", exponent + 1) if mantissa == 10 else power_of_ten(str(mantissa), exponent)),)


def percent(error: float) -> str:
    """A relative error for a sentence.

    >>> percent(0.0642), percent(0.5), percent(3.0)
    ('6.4%', '50%', '300%')
    """
    return f"{100 * error:.2g}%" if error < 0.995 else f"{100 * error:.0f}%"


def with_formulas(text: str) -> Inlines:
    """A remark of the engine, with letters such as t and inequalities such as n ≥ 1 set as formulas.

    >>> [type(piece).__name__ for piece in with_formulas("the inner sum at k+1")]
    ['Text', 'Math']
    """
    pieces = _converted(text, _FORMULA, lambda found: found.group())
    # Remarks are short; a letter alone on a line of its own would look lost.
    return tuple(
        Text(f"{piece.text[:-1]}\u00a0") if isinstance(piece, Text) and piece.text.endswith(" ") else piece
        for piece in pieces
    )


def message(text: str) -> Inlines:
    """A message of the engine: what it quotes of a formula is set as a formula, and shapes as n × d."""
    shaped = _SHAPE.sub(lambda found: f"'{found.group(1)} \\times {found.group(2)}'", text)
    shaped = _SIZE.sub(lambda found: f"'{found.group()}'", shaped)
    return _converted(shaped, _QUOTED, lambda found: found.group(1))


def _converted(text: str, pattern: re.Pattern[str], formula: Callable[[re.Match[str]], str]) -> Inlines:
    pieces: list[Inline] = []
    at = 0
    for found in pattern.finditer(text):
        if found.start() > at:
            pieces.append(Text(text[at : found.start()]))
        pieces.append(_formula(formula(found)))
        at = found.end()
    return (*pieces, *words(text[at:]))


def _formula(text: str) -> Inline:
    """A formula, or code where it is none."""
    written = text
    for sign, command in _SIGNS.items():
        written = written.replace(sign, command)
    try:
        (formula,) = parse_one(written).items
    except (BpttError, ValueError):
        return CodeSpan(text)
    return Math(formula)


def remark(step: Step) -> Inlines:
    """What stands beside a line of a derivation: its rule, and for which times it holds."""
    return with_formulas(
        f"{step.rule}, {step.reason}" if step.reason.startswith("for ") and " < " in step.reason else step.rule
    )
