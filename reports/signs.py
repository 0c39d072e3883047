"""Signs that stand at line breaks, in each output. Whole formulas are written by the notation's own writers; these are
only the pieces where a formula was taken apart."""

from __future__ import annotations

from typing import NamedTuple


class Spelling(NamedTuple):
    """One sign in LaTeX, in Typst's math mode, and as a character."""

    latex: str
    typst: str
    character: str


RELATIONS = {
    "=": Spelling("=", "=", "="), "<": Spelling("<", "<", "<"), ">": Spelling(">", ">", ">"), "<=": Spelling(r"\le", "<=", "≤"),
    ">=": Spelling(r"\ge", ">=", "≥"), "~": Spelling(r"\approx", "approx", "≈"), "!=": Spelling(r"\ne", "!=", "≠"),
    "in": Spelling(r"\in", "in", "∈"),
    "->": Spelling(r"\to", "->", "→"), ":=": Spelling(r"\coloneqq", "colon.eq", "≔"), "==": Spelling(r"\equiv", "equiv", "≡"),
    ":": Spelling(r"\colon", "colon", ":"), "propto": Spelling(r"\propto", "prop", "∝"), "sim": Spelling(r"\sim", "tilde.op", "∼"),
    "=>": Spelling(r"\Rightarrow", "=>", "⇒"), "notin": Spelling(r"\notin", "in.not", "∉"), "subset": Spelling(r"\subset", "subset", "⊂"),
}  # fmt: skip

PRODUCTS = {
    "odot": Spelling(r"\odot", "dot.o", "⊙"), "cdot": Spelling(r"\cdot", "dot.op", "⋅"), "times": Spelling(r"\times", "times", "×"),
    "otimes": Spelling(r"\otimes", "times.o", "⊗"), "oslash": Spelling(r"\oslash", "slash.o", "⊘"),
    "ast": Spelling("*", "ast.op", "∗"), "slash": Spelling("/", "\\/", "/"),
    "+": Spelling("+", "+", "+"), "-": Spelling("-", "-", "−"),
}  # fmt: skip
