"""Surface trees as Typst math, without the dollar signs: ``h_t = tanh \\(W h_(t - 1) + U x_t + b\\)``.

Typst lets every pair of brackets grow with its content, so that ``(z_f)`` would be larger than ``(z_t)``. As in the
LaTeX output, brackets grow here only around what is higher than a line; all others are escaped, which keeps their size.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from derive.notation import surface as s
from derive.notation.layout import (
    COMPOUND,
    SYMBOLS,
    is_label_word,
    is_tall,
    meet_as_numbers,
    operands,
    setting,
    side_by_side,
    spelled_out,
)

_MARKS = {
    "ones": "bold(1)", "reals": "bb(R)", "nabla": "nabla", "partial": "partial", "dots": "dots.h",
    "cdots": "dots.h.c", "top": "top", "star": "*",
    "+": "+", "-": "-", "infty": "infinity", "prime": "prime", "dagger": "dagger", "transpose": "top",
}  # fmt: skip

_OPERATORS = {
    "odot": " ⊙ ",
    "cdot": " dot.op ",
    "times": " times ",
    "otimes": " ⊗ ",
    "oslash": " ⊘ ",
    "ast": " * ",
    "slash": " \\/ ",
}
"""Products side by side (``at``: of matrices, ``by``: with a scalar) have no sign of their own. Signs whose names
differ between versions of Typst stand for themselves."""

_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "~": "approx", "!=": "!=", "in": "in", "->": "->",
    ":=": "colon.eq", "==": "equiv",
    ":": 'class("punctuation", colon)', "propto": "prop", "sim": "tilde.op", "=>": "=>", "notin": "in.not", "subset": "subset",
}  # fmt: skip

_ACCENTS = {
    "tilde": "tilde", "hat": "hat", "bar": "macron", "dot": "dot", "ddot": "dot.double", "check": "caron", "breve": "breve",
    "rightarrow": "arrow", "leftarrow": "arrow.l", "underline": "underline",
}  # fmt: skip

_BRACKETS = {"(": ("(", ")"), "[": ("[", "]"), "{": ("{", "}"), "<": ("⟨", "⟩")}

_FENCES = {"norm": "norm", "abs": "abs"}

_SYMBOLS = {
    **{name: name for name in SYMBOLS},
    # LaTeX's plain epsilon and phi are the variants of Unicode's and Typst's.
    "epsilon": "epsilon.alt", "varepsilon": "epsilon", "phi": "phi.alt", "varphi": "phi", "vartheta": "theta.alt", "varpi": "pi.alt",
    "varrho": "rho.alt", "varsigma": "sigma.alt", "infty": "infinity",
}  # fmt: skip


def write_typst(node: s.Surface) -> str:
    r"""The Typst math of a surface tree, to stand between dollar signs.

    >>> from derive.notation.parser import parse_one
    >>> print(write_typst(parse_one(r"h_t = \tanh(W_{hh} h_{t-1})")))
    h_t = tanh \(W_(h h) h_(t - 1)\)
    """
    return _WRITERS[type(node)](node)


def name(text: str) -> str:
    """A name's Typst: a letter as it is, a sign by its name, a word upright as an operator."""
    how = setting(text)
    if how == "step":
        return 'class("normal", Delta t)'
    if how == "symbol":
        return _SYMBOLS[text]
    if how == "function":
        return text
    if how == "letter":
        return _letter(text)
    return f"{how}({_letter(text[-1])})" if how != "word" else f"op({_quoted(text)})"


def _letter(text: str) -> str:
    """One character: only letters and digits have no meaning of their own in Typst."""
    return text if text.isalnum() else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(node: s.Surface) -> str:
    """A tree as the argument of a Typst function: commas and semicolons that would separate arguments are escaped."""
    return _protected(write_typst(node))


def _protected(text: str) -> str:
    result, depth, quoted, k = "", 0, False, 0
    while k < len(text):
        piece = text[k : k + 2] if text[k] == "\\" else text[k]
        k += len(piece)
        quoted ^= piece == '"'
        if not quoted:
            depth += (piece in "([{⟨") - (piece in ")]}⟩")
        result += f"\\{piece}" if piece in ",;" and depth == 0 and not quoted else piece
    return result


def _delimited(opening: str, closing: str, body: str, tall: bool) -> str:
    return f"{opening}{body}{closing}" if tall else f"\\{opening}{body}\\{closing}"


def _script_item(node: s.Surface) -> str:
    if isinstance(node, s.Name) and is_label_word(node):
        # A label of several letters is written as it is typed, W_(h h), not as an operator.
        return " ".join(_letter(c) for c in node.text) if side_by_side(node.text) else _quoted(node.text)
    return write_typst(node)


def _script(sign: str, items: tuple[s.Surface, ...]) -> str:
    """A script; Typst does not print the parentheses that hold it together. No space after a comma: beside a quoted
    word it would be printed.
    """
    text = ",".join(_script_item(item) for item in items)
    return sign + (text if text.isalnum() or text in ("+", "*") else f"({text})")


def _base(node: s.Surface) -> str:
    node = spelled_out(node)
    text = write_typst(node)
    if isinstance(node, COMPOUND):
        return _delimited("(", ")", text, is_tall(node))
    several = isinstance(node, (s.Scripted, s.Relation, s.Line, s.Big)) or (
        isinstance(node, s.Bracket) and node.kind in ("group", "time")
    )
    if several:  # the mildest Typst function that holds its argument together
        return f"scripts({_protected(text)})"
    return text


def _scripted(node: s.Scripted) -> str:
    text = _base(node.base) + "'" * node.primes
    if node.subs:
        text += _script("_", node.subs)
    if node.sups:
        text += _script("^", node.sups)
    return text


def _accent(node: s.Accent) -> str:
    # The accent is as wide as one letter; over more it is a line.
    kind = (
        "overline"
        if node.kind == "bar" and not isinstance(node.body, (s.Name, s.Mark, s.Accent))
        else _ACCENTS[node.kind]
    )
    return f"{kind}({_argument(node.body)})"


def _bracket(node: s.Bracket) -> str:
    body = f"{node.separator} ".join(write_typst(item) for item in node.items)
    if node.kind in ("group", "time"):
        return body or '""'
    return _delimited(*_BRACKETS[node.kind], body, any(is_tall(item) for item in node.items))


def _fence(node: s.Fence) -> str:
    size = "" if is_tall(node.body) else ", size: #1em"
    return f"{_FENCES[node.kind]}({_argument(node.body)}{size})"


def _sequence(node: s.Sequence) -> str:
    items = operands(node)
    text = write_typst(items[0])
    for previous, item in pairwise(items):
        # An opening bracket never follows directly: Typst would take it for an argument of its own, or for a part of
        # the script.
        apart = (isinstance(previous, s.Number) and isinstance(item, s.Number)) or s.Mark("cdots") in (previous, item)
        text += (" thin " if apart else " ") + write_typst(item)
    return text


def _infix(node: s.Infix) -> str:
    items = operands(node)
    text = write_typst(items[0])
    for previous, operator, item in zip(items, node.operators, items[1:], strict=False):
        if operator in ("at", "by"):
            text += " dot.op " if meet_as_numbers(previous, item) else " "
        else:
            text += _OPERATORS[operator]
        text += write_typst(item)
    return text


def _sum(node: s.Sum) -> str:
    text = ""
    for k, (sign, item) in enumerate(zip(node.signs, operands(node), strict=True)):
        piece = write_typst(item)
        if k == 0:
            text = f"-{piece}" if sign < 0 else piece
        else:
            text += (" - " if sign < 0 else " + ") + piece
    return text


def _number(node: s.Number) -> str:
    whole = spelled_out(node)
    return node.text if whole is node else write_typst(whole)


def _root(node: s.Root) -> str:
    return (
        f"sqrt({_argument(node.body)})"
        if node.index is None
        else f"root({_argument(node.index)}, {_argument(node.body)})"
    )


def _matrix(node: s.Matrix) -> str:
    return f"mat({'; '.join(', '.join(_argument(entry) for entry in row) for row in node.rows)})"


def _big(node: s.Big) -> str:
    text = {"sum": "sum", "prod": "product"}[node.kind]
    if node.sub is not None:
        text += _script("_", (node.sub,))
    if node.sup is not None:
        text += _script("^", (node.sup,))
    return f"{text} {write_typst(node.body)}"


def _relation(node: s.Relation) -> str:
    items = operands(node)
    text = write_typst(items[0])
    for operator, item in zip(node.operators, items[1:], strict=True):
        text += f" {_RELATIONS[operator]} {write_typst(item)}"
    return text


_WRITERS: dict[type[s.Surface], Callable[[Any], str]] = {
    s.Name: lambda node: name(node.text),
    s.Number: _number,
    s.Mark: lambda node: _MARKS[node.kind],
    s.Text: lambda node: _quoted(node.text),
    s.Scripted: _scripted,
    s.Accent: _accent,
    s.Bracket: _bracket,
    s.Fence: _fence,
    s.Sequence: _sequence,
    s.Infix: _infix,
    s.Sum: _sum,
    s.Fraction: lambda node: f"frac({_argument(node.numerator)}, {_argument(node.denominator)})",
    s.Root: _root,
    s.Matrix: _matrix,
    s.Big: _big,
    s.Relation: _relation,
    s.Line: lambda node: ", ".join(write_typst(item) for item in node.items),
}
