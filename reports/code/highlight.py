"""Code in pieces of a few kinds, for a light touch of colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

Kind = Literal["", "keyword", "string", "comment", "number", "name"]

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("Token.Comment", "comment"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Name.Function", "name"),
    ("Token.Name.Class", "name"),
    ("Token.Name.Decorator", "name"),
)
"""Names of Pygments' tokens, and what they are here; the rest is plain."""


def highlighted(source: str) -> list[list[tuple[str, Kind]]]:
    """The lines of a Python source, each in pieces.

    >>> highlighted("x = 1  # one")
    [[('x = ', ''), ('1', 'number'), ('  ', ''), ('# one', 'comment')]]
    """
    from pygments.lexers.python import PythonLexer

    lines: list[list[tuple[str, Kind]]] = [[]]
    for text, kind in _pieces(PythonLexer(stripnl=False, ensurenl=False).get_tokens(source)):
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                last = lines[-1]
                if last and last[-1][1] == kind:
                    last[-1] = (last[-1][0] + part, kind)
                else:
                    last.append((part, kind))
    return lines


def _pieces(tokens: Iterator[tuple[object, str]]) -> Iterator[tuple[str, Kind]]:
    for token, text in tokens:
        name = str(token)
        yield text, next((kind for start, kind in _KINDS if name.startswith(start)), "")


def broken(line: list[tuple[str, Kind]], columns: int) -> list[list[tuple[str, Kind]]]:
    """A line in parts that fit into so many columns, later ones marked and indented as the first; at a space where there
    is one.

    >>> broken([("f(", ""), ("'some words'", "string"), (")", "")], 12)
    [[('f(', ''), ("'some ", 'string')], [('  ↪ ', ''), ("words'", 'string'), (')', '')]]
    """
    text = "".join(piece for piece, _ in line)
    if len(text) <= columns:
        return [line]
    indent = " " * min(len(text) - len(text.lstrip()), columns // 2)
    cut = text.rfind(" ", len(indent) + 4, columns) + 1 or columns
    first: list[tuple[str, Kind]] = []
    rest: list[tuple[str, Kind]] = [(f"{indent}  ↪ ", "")]
    at = 0
    for piece, kind in line:
        before = piece[: max(0, cut - at)]
        first += [(before, kind)] if before else []
        rest += [(piece[len(before) :], kind)] if piece[len(before) :] else []
        at += len(piece)
    return [first, *broken(rest, columns)]
