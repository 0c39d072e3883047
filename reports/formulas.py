"""Formulas in each output. Names and numbers of a tree may hold any characters; what an output could misread becomes
plain words first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from derive.notation import surface as s
from derive.notation.vocabulary import GREEK
from derive.notation.write_latex import write_latex
from derive.notation.write_mathml import write_mathml
from derive.notation.write_typst import write_typst
from reports.escape import Code, escape_mathjax, escape_tex

_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*|[0-9]+")
_PLAIN_NUMBER = re.compile(r"[0-9.]+([eE][+-]?[0-9]+)?")


def latex_formula(surface: s.Surface) -> Code:
    """A formula for LaTeX's math mode.

    >>> latex_formula(s.Text("50% of"))
    '\\\\text{50\\\\% of}'
    """
    return Code(write_latex(_plain_leaves(surface, lambda text: str(escape_tex(text)))))


_EVERYWHERE = {
    "\\{": r"\lbrace ", "\\}": r"\rbrace ", r"\coloneqq": ":=", "\\|": r"\Vert ", "|": r"\vert ", "<": r"\lt ", ">": r"\gt ",
}  # fmt: skip
"""Signs that Markdown, HTML or a table could take for their own, and a command that not all renderers know."""
_SIGNS = re.compile("|".join(map(re.escape, _EVERYWHERE)))


def markdown_formula(surface: s.Surface) -> Code:
    """A formula for MathJax or KaTeX, on one line, inside Markdown.

    >>> markdown_formula(s.Relation(("<",), (s.Name("a"), s.Name("b"))))
    'a \\\\lt  b'
    """
    written = write_latex(_plain_leaves(surface, lambda text: str(escape_mathjax(text))))
    return Code(_SIGNS.sub(lambda match: _EVERYWHERE[match.group()], written.replace("\n", " ")))


def typst_formula(surface: s.Surface) -> Code:
    """A formula for Typst's math mode."""
    return Code(write_typst(_plain_leaves(surface, str)))


def mathml_formula(surface: s.Surface, display: bool) -> Code:
    """A ``math`` element."""
    return Code(write_mathml(surface, display=display))


def mathml_inside(surface: s.Surface) -> Code:
    """What a ``math`` element for a displayed formula holds."""
    return Code(write_mathml(surface, display=True).partition(">")[2].removesuffix("</math>"))


def _plain_leaves(node: s.Surface, escape: Callable[[str], str]) -> s.Surface:
    """The tree with words escaped, and with words in place of names and numbers that hold anything but letters and
    digits.
    """
    if isinstance(node, s.Text):
        return replace(node, text=escape(node.text))
    if isinstance(node, s.Name) and not (node.text in GREEK or _PLAIN_NAME.fullmatch(node.text)):
        return s.Text(escape(node.text))
    if isinstance(node, s.Number) and not _PLAIN_NUMBER.fullmatch(node.text):
        return s.Text(escape(node.text))
    changes = {}
    for field in fields(node):
        value = getattr(node, field.name)
        changed = _plain_value(value, escape)
        if changed is not value:
            changes[field.name] = changed
    return replace(node, **changes) if changes else node


def _plain_value(value: Any, escape: Callable[[str], str]) -> Any:
    if isinstance(value, s.Surface):
        return _plain_leaves(value, escape)
    if isinstance(value, tuple) and value and isinstance(value[0], (s.Surface, tuple)):
        changed = tuple(_plain_value(item, escape) for item in value)
        return changed if any(a is not b for a, b in zip(changed, value, strict=True)) else value
    return value
