"""What the writers of typeset output (LaTeX, Typst, MathML) decide alike: how a name is set, which brackets grow, where
an application is.

Each writer spells the same decisions in its own language, so a formula looks the same wherever it is printed.
"""

from __future__ import annotations

import re
from typing import Literal

from derive.notation import surface as s
from derive.notation.scope import FUNCTION_LETTERS, LOSS_LETTERS
from derive.notation.vocabulary import FUNCTION_COMMANDS, GREEK, STEP

Setting = Literal["step", "symbol", "function", "letter", "cal", "frak", "bb", "word"]

SYMBOLS = frozenset([*GREEK, "ell", "infty"])
"""Names that stand for one sign which is not on the keyboard."""

COMPOUND = (s.Sum, s.Infix, s.Sequence)
"""Bases that need brackets before a script can stand at them."""

_STYLES: tuple[Literal["cal", "frak", "bb"], ...] = ("cal", "frak", "bb")

_SCIENTIFIC = re.compile(r"([\d.]+)[eE]([+-]?)0*(\d+)")


def setting(text: str) -> Setting:
    """How a name is set: one sign, a function that is known by its word, the two signs of Δt, a letter (perhaps in
    another alphabet), or a word upright.
    """
    if text == STEP:
        return "step"
    if text in SYMBOLS:
        return "symbol"
    if text in FUNCTION_COMMANDS:
        return "function"
    if len(text) == 1:
        return "letter"
    return next((style for style in _STYLES if text.startswith(style) and len(text) == len(style) + 1), "word")


def is_label_word(node: s.Surface) -> bool:
    """Whether a script is a label of several letters: ``hh``, ``init``."""
    return isinstance(node, s.Name) and len(node.text) > 1 and setting(node.text) == "word"


def side_by_side(label: str) -> bool:
    """Whether the letters of a label stand side by side in italics, as in W_{hh}; longer ones are a word, as in
    x_{init}.
    """
    return len(label) <= 2


def is_tall(node: s.Surface) -> bool:
    """Whether something inside is higher than a line, so that brackets must grow."""
    return any(isinstance(part, (s.Fraction, s.Matrix, s.Big)) for part in node.walk())


def is_head(node: s.Surface | None) -> bool:
    """Whether an opening parenthesis after this belongs to it, as in f(x)."""
    return isinstance(node, (s.Name, s.Scripted))


def is_word(node: s.Surface) -> bool:
    """Whether this is an upright word, which keeps a thin space from its neighbours as an operator does."""
    return isinstance(node, s.Name) and setting(node.text) in ("function", "word")


def applies(head: s.Surface, argument: s.Surface) -> bool:
    """Whether a bracket is read as the argument of what stands before it rather than as a factor. It only chooses
    between two invisible signs.
    """
    inner = s.bare(argument)
    if not (isinstance(inner, s.Bracket) and inner.kind == "(" and is_head(head)):
        return False
    if isinstance(head, s.Scripted) and head.primes:
        return True
    base = s.bare(head)
    if not isinstance(base, s.Name):
        return False
    # A function letter with a subscript may be a gate, f_t.
    return is_word(base) or base.text in LOSS_LETTERS or (base.text in FUNCTION_LETTERS and base is head)


def first_atom(node: s.Surface) -> s.Surface:
    """What stands leftmost, without its scripts; a sum with a leading minus is left whole."""
    while True:
        if isinstance(node, s.Scripted):
            node = node.base
        elif isinstance(node, s.Sum) and node.signs[0] < 0:
            return node
        elif isinstance(node, (s.Sequence, s.Infix, s.Sum, s.Relation, s.Line)) or _invisible(node):
            node = node.children()[0]
        else:
            return node


def last_atom(node: s.Surface) -> s.Surface:
    """What stands rightmost, without its scripts."""
    while True:
        if isinstance(node, s.Scripted):
            node = node.base
        elif isinstance(node, (s.Sequence, s.Infix, s.Sum, s.Relation, s.Line, s.Big)) or _invisible(node):
            node = node.children()[-1]
        else:
            return node


def _invisible(node: s.Surface) -> bool:
    return isinstance(node, s.Bracket) and node.kind in ("group", "time") and bool(node.items)


def meet_as_numbers(left: s.Surface, right: s.Surface) -> bool:
    """Whether two factors would read as one number, so that a product sign must be printed."""
    return isinstance(left, s.Number) and isinstance(first_atom(right), s.Number)


def spelled_out(node: s.Surface) -> s.Surface:
    """A number such as ``2.5e-3`` as the product 2.5 × 10⁻³ that it stands for; anything else as it is."""
    match = _SCIENTIFIC.fullmatch(node.text) if isinstance(node, s.Number) else None
    if match is None:
        return node
    mantissa, sign, digits = match.groups()
    exponent: s.Surface = s.Number(digits)
    power = s.Scripted(s.Number("10"), sups=(s.Sum((-1,), (exponent,)) if sign == "-" else exponent,))
    return power if mantissa == "1" else s.Infix(("times",), (s.Number(mantissa), power))


def operands(node: s.Sum | s.Infix | s.Relation | s.Sequence) -> tuple[s.Surface, ...]:
    """The operands, with dots between two operators (or factors) raised to the height of the operators; dots in a list
    stay low.
    """
    last = len(node.items) - 1
    first = 1 if isinstance(node, s.Sequence) else 0
    return tuple(
        s.Mark("cdots") if first <= k < last and item == s.Mark("dots") else item for k, item in enumerate(node.items)
    )
