"""The token stream that both front ends make and the grammar reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lark import Token

from derive.errors import ParseError
from derive.notation.source import Source, Span
from derive.notation.vocabulary import KNOWN_COMMANDS

MAX_BRACKETS = 400
"""Deepest bracket nesting that is read."""

CLOSING = {
    "(": ")",
    "[": "]",
    "{": "}",
    "group": "}",
    "<": "\\rangle",
    "norm": "\\rVert",
    "abs": "\\rvert",
    "matrix": "\\end",
    "round": "]",
}

OPEN_TOKENS = {
    "(": "LPAR",
    "[": "LBRACK",
    "{": "LSET",
    "group": "LBRACE",
    "<": "LANGLE",
    "norm": "LNORM",
    "abs": "LABS",
    "matrix": "MBEGIN",
}
CLOSE_TOKENS = {
    "(": "RPAR",
    "[": "RBRACK",
    "{": "RSET",
    "group": "RBRACE",
    "<": "RANGLE",
    "norm": "RNORM",
    "abs": "RABS",
    "matrix": "MEND",
}

OPERAND_ENDS = frozenset(
    {"NAME", "NUMBER", "MARK", "RPAR", "RBRACK", "RSET", "RBRACE", "RANGLE", "RNORM", "RABS", "MEND", "PRIME"}
)
"""Token types after which an operand is complete."""

_WORDS = {
    "NAME": "a name", "NUMBER": "a number", "LPAR": "'('", "RPAR": "')'", "LBRACK": "'['", "RBRACK": "']'",
    "LBRACE": "'{'", "RBRACE": "'}'",
    "RSET": "'\\}'", "RNORM": "a closing norm bar", "RABS": "a closing bar", "ADDOP": "'+' or '-'", "CHAINOP": "a product sign",
    "REL": "a relation such as '='", "COMMA": "','", "NEWLINE": "a new line", "SUB": "a subscript", "SUP": "a superscript",
    "AMP": "'&'", "MEND": "the end of the matrix", "$END": "the end of the formula", "MARK": "a symbol", "FRAC": "a fraction",
}  # fmt: skip

_START_OF_OPERAND = {"NAME", "NUMBER", "LPAR", "LBRACK", "FRAC", "SQRT"}


def describe(types: Iterable[str]) -> str:
    """Token types in words, with everything that can start an operand said at once."""
    found = set(types)
    words = []
    if found >= _START_OF_OPERAND:
        words.append("a quantity, a number or an opening bracket")
        found -= {
            "NAME",
            "NUMBER",
            "MARK",
            "TEXT",
            "LPAR",
            "LBRACK",
            "LBRACE",
            "LSET",
            "LANGLE",
            "LNORM",
            "LABS",
            "FRAC",
            "SQRT",
            "ACCENT",
        }
        found -= {"MBEGIN", "BIG"}
    words += sorted({_WORDS[t] for t in found if t in _WORDS})
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


class SourceToken(Token):
    """A token that knows the text it was taken from."""

    __slots__ = ("source",)
    source: Source

    @classmethod
    def make(cls, kind: str, value: str, start: int, end: int, source: Source) -> SourceToken:
        token = cls(kind, value, start_pos=start, end_pos=end)
        token.source = source
        return token

    @property
    def span(self) -> Span:
        """Where the token stands."""
        return Span(self.start_pos or 0, self.end_pos or 0, self.source)


class Emitter:
    """Collects tokens and keeps account of the open brackets, since a bracket error is best told from where it was
    opened.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens: list[SourceToken] = []
        self.open: list[tuple[str, Span]] = []

    def span(self, start: int, end: int) -> Span:
        return Span(start, end, self.source)

    def emit(self, kind: str, value: str, start: int, end: int) -> None:
        self.tokens.append(SourceToken.make(kind, value, start, end, self.source))

    @property
    def after_operand(self) -> bool:
        """Whether the last token completes an operand (so that a bar closes, and a bracket indexes)."""
        return bool(self.tokens) and self.tokens[-1].type in OPERAND_ENDS

    def push(self, kind: str, start: int, end: int, value: str = "") -> None:
        """Open a bracket."""
        if len(self.open) >= MAX_BRACKETS:
            raise ParseError(
                f"brackets are nested more than {MAX_BRACKETS} deep",
                span=self.span(start, end),
                hint="name the inner parts by equations of their own",
            )
        self.open.append((kind, self.span(start, end)))
        self.emit(OPEN_TOKENS[kind], value or kind, start, end)

    def pop(self, kind: str, start: int, end: int) -> None:
        """Close the innermost bracket, which must be of this kind."""
        here = self.span(start, end)
        if not self.open:
            raise ParseError(
                f"'{here.text}' closes nothing",
                span=here,
                expected="an opening bracket before it",
                hint="remove it, or add the opening bracket",
            )
        opened, place = self.open[-1]
        if opened != kind:
            raise ParseError(
                f"'{here.text}' does not close the '{place.text}' opened at line {place.line}, column {place.column}",
                span=here,
                expected=f"'{CLOSING[opened]}'",
                hint=f"close '{place.text}' first",
            )
        self.open.pop()
        self.emit(CLOSE_TOKENS[kind], kind, start, end)

    def finish(self) -> list[SourceToken]:
        """All tokens, once every bracket is closed."""
        if self.open:
            kind, place = self.open[-1]
            raise ParseError(
                f"'{place.text}' is never closed",
                span=place,
                expected=f"'{CLOSING[kind]}' before the formula ends",
                hint=f"add the missing '{CLOSING[kind]}'",
            )
        return self.tokens


def unknown_command(name: str, span: Span, known: Iterable[str] = KNOWN_COMMANDS) -> ParseError:
    """The error for a command that is not part of the notation, with the likely intention."""
    # Letters in the wrong order are the commonest slip, so they come before a word that is merely alike.
    swapped = [other for other in known if sorted(other) == sorted(name)]
    close = swapped or difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return ParseError(
        f"unknown command \\{name}",
        span=span,
        expected="a command of the notation",
        hint=f"did you mean \\{close[0]}?"
        if close
        else f"write \\operatorname{{{name}}} if it is a function of your own",
    )
