"""From text to the surface tree.

The tree is built while the parser reduces, so nothing recurses over the input, however deep its brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast

from lark import Lark, Transformer
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from derive.errors import ParseError
from derive.notation import surface as s
from derive.notation.latex import latex_tokens
from derive.notation.plain import plain_tokens
from derive.notation.source import Source, Span
from derive.notation.tokens import SourceToken, describe

MAX_LENGTH = 200_000
"""Longest text that is read as formulas, in characters."""
MAX_DIGITS, MAX_EXPONENT = 60, 400
"""How long a number may be: numbers are exact, and a short text such as 1e999999999 would fill the memory."""
MAX_LETTERS = 60
"""Longest name."""
MAX_PRIMES = 4
"""Highest derivative of a function: the one of tanh doubles in length with each order."""


def _apart(item: s.Surface) -> tuple[s.Surface, ...]:
    """A label or a time with a transpose behind it, as in W^{[1]\\top} and h^{(t)\\top}, as two superscripts."""
    if not isinstance(item, s.Sequence) or len(item.items) != 2:
        return (item,)
    label, last = item.items
    transposed = last == s.Mark("top") or (last == s.Name("T") and isinstance(label, s.Bracket))
    return (label, last) if transposed and isinstance(label, (s.Bracket, s.Name, s.Number)) else (item,)


class _Stream(Lexer):
    """Hands the parser the tokens that a front end made."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, data: list[SourceToken]) -> Iterator[SourceToken]:  # type: ignore[override]
        yield from data


def _span(first: Any, last: Any) -> Span | None:
    if first.span is None or last.span is None:
        return None
    result: Span = first.span.to(last.span)
    return result


class _Builder(Transformer[Any, Any]):
    """One method a grammar rule; each makes one surface node with its place in the text."""

    def lines(self, children: list[Any]) -> tuple[s.Line, ...]:
        return tuple(c for c in children if isinstance(c, s.Line))

    def line(self, children: list[Any]) -> s.Line:
        items = [
            s.Text(str(c), span=c.span) if isinstance(c, SourceToken) and c.type == "TEXT" else c for c in children
        ]
        items = [c for c in items if isinstance(c, s.Surface)]
        return s.Line(tuple(items), span=_span(items[0], items[-1]))

    def relation(self, children: list[Any]) -> s.Surface:
        operators, items = tuple(str(op) for op in children[1::2]), tuple(children[::2])
        span = _span(children[0], children[-1])
        if operators == ("=:",):  # the name stands on the right
            return s.Relation((":=",), items[::-1], span=span)
        return s.Relation(tuple("=" if op == "=:" else op for op in operators), items, span=span)

    def signed(self, children: list[Any]) -> s.Surface:
        sign, term = children
        if sign == "+":
            return term
        return s.Sum((-1,), (term,), span=_span(sign, term))

    def add(self, children: list[Any]) -> s.Surface:
        left, sign, term = children
        # A sum that was bracketed is a Bracket, so a Sum on the left is always the same sum growing.
        signs, items = (left.signs, left.items) if isinstance(left, s.Sum) else ((1,), (left,))
        return s.Sum((*signs, -1 if sign == "-" else 1), (*items, term), span=_span(left, term))

    def infix(self, children: list[Any]) -> s.Surface:
        left, operator, right = children
        operators, items = (right.operators, right.items) if isinstance(right, s.Infix) else ((), (right,))
        return s.Infix((str(operator), *operators), (left, *items), span=_span(left, right))

    def before_big(self, children: list[Any]) -> s.Surface:
        left, big = children
        items = left.items if isinstance(left, s.Sequence) else (left,)
        return s.Sequence((*items, big), span=_span(left, big))

    def big(self, children: list[Any]) -> s.Surface:
        return self._big(children[0], children[1:-1], children[-1])

    def big_signed(self, children: list[Any]) -> s.Surface:
        return self._big(children[0], children[1:-2], self.signed(children[-2:]))

    def _big(self, sign: SourceToken, scripts: list[Any], body: s.Surface) -> s.Surface:
        subs = [item for kind, items, _ in scripts if kind == "sub" for item in items]
        sups = [item for kind, items, _ in scripts if kind == "sup" for item in items]
        if len(subs) > 1 or len(sups) > 1:
            raise ParseError(
                "a sum or product has one lower and one upper bound",
                span=sign.span,
                expected="bounds such as _{t=1}^{T}",
            )
        sub, sup = next(iter(subs), None), next(iter(sups), None)
        return s.Big(str(sign), sub, sup, body, span=_span(sign, body))

    def sequence(self, children: list[Any]) -> s.Surface:
        return s.Sequence(tuple(children), span=_span(children[0], children[-1]))

    def scripted(self, children: list[Any]) -> s.Surface:
        base, *scripts = children
        if not scripts:
            return base
        self._reject_doubled(scripts)
        subs = tuple(item for kind, items, _ in scripts if kind == "sub" for item in items)
        sups = tuple(part for kind, items, _ in scripts if kind == "sup" for item in items for part in _apart(item))
        primes = sum(kind == "prime" for kind, _, _ in scripts)
        primes += sum(isinstance(item, s.Mark) and item.kind == "prime" for item in sups)
        sups = tuple(item for item in sups if not (isinstance(item, s.Mark) and item.kind == "prime"))
        end = scripts[-1][2]
        if primes > MAX_PRIMES:
            raise ParseError(f"a derivative of order {primes:,}", span=end, expected=f"at most {MAX_PRIMES} primes")
        return s.Scripted(base, subs, sups, primes, span=None if base.span is None else base.span.to(end))

    @staticmethod
    def _reject_doubled(scripts: list[Any]) -> None:
        """Two superscripts, or two subscripts, on one base: TeX refuses them, and what is meant is anybody's guess."""
        for kind, word in (("sub", "subscripts"), ("sup", "superscripts")):
            places = [place for found, _, place in scripts if found == kind]
            if len(places) > 1 and is_latex(places[1].source.text):
                raise ParseError(
                    f"two {word} on one base",
                    span=places[1],
                    expected=f"one {word[:-1]}",
                    hint="put braces around the inner one, as in {x^a}^b",
                )

    def sub(self, children: list[Any]) -> tuple[str, tuple[s.Surface, ...], Span]:
        return ("sub", children[1].items, children[1].span or children[0].span)

    def sup(self, children: list[Any]) -> tuple[str, tuple[s.Surface, ...], Span]:
        return ("sup", children[1].items, children[1].span or children[0].span)

    def prime(self, children: list[Any]) -> tuple[str, tuple[s.Surface, ...], Span]:
        return ("prime", (), children[0].span)

    def name(self, children: list[Any]) -> s.Surface:
        if len(children[0]) > MAX_LETTERS:
            raise ParseError(
                f"a name of {len(children[0]):,} letters", span=children[0].span, expected=f"at most {MAX_LETTERS}"
            )
        return s.Name(str(children[0]), span=children[0].span)

    def number(self, children: list[Any]) -> s.Surface:
        text = str(children[0])
        if not text.isascii():
            raise ParseError(
                "these digits are no number here",
                span=children[0].span,
                expected="the digits 0 to 9, and x^2 for a power",
            )
        mantissa, _, exponent = text.lower().partition("e")
        if len(mantissa) > MAX_DIGITS or len(exponent) > 9 or abs(int(exponent or 0)) > MAX_EXPONENT:
            raise ParseError(
                f"a number of {len(text)} characters" if len(mantissa) > MAX_DIGITS else "a number beyond all measure",
                span=children[0].span,
                expected=f"at most {MAX_DIGITS} digits, and powers of ten up to {MAX_EXPONENT}",
            )
        return s.Number(text, span=children[0].span)

    def mark(self, children: list[Any]) -> s.Surface:
        return s.Mark(str(children[0]), span=children[0].span)

    def items(self, children: list[Any]) -> tuple[tuple[s.Surface, ...], str]:
        separators = {str(c) for c in children[1::2]}
        return tuple(children[::2]), ";" if separators == {";"} else ","

    def separator(self, children: list[Any]) -> str:
        return str(children[0])

    def bracket(self, children: list[Any]) -> s.Surface:
        opening, (items, separator), closing = children
        kind, span = str(opening), _span(opening, closing)
        if len(items) == 1 and kind in ("(", "group"):
            inner = items[0]
            if (kind == "group" and not isinstance(inner, s.Relation)) or (
                isinstance(inner, s.Bracket) and inner.kind == "("
            ):
                # A TeX group around one thing, and a doubled parenthesis, add nothing.
                if isinstance(inner, (s.Sum, s.Infix, s.Sequence, s.Big)):
                    return s.Bracket("group", items, span=span)
                return inner
        return s.Bracket(kind, items, separator, span=span)

    def argument(self, children: list[Any]) -> s.Bracket:
        opening, (items, separator), closing = children
        return s.Bracket("group", items, separator, span=_span(opening, closing))

    def fence(self, children: list[Any]) -> s.Surface:
        return s.Fence(str(children[0]), children[1], span=_span(children[0], children[2]))

    def fraction(self, children: list[Any]) -> s.Surface:
        sign, numerator, denominator = children
        return s.Fraction(self._single(numerator), self._single(denominator), span=_span(sign, denominator))

    def root(self, children: list[Any]) -> s.Surface:
        index = self._single(children[2]) if len(children) == 4 else None
        return s.Root(self._single(children[-1]), index, span=_span(children[0], children[-1]))

    def accent(self, children: list[Any]) -> s.Surface:
        return s.Accent(str(children[0]), self._single(children[1]), span=_span(children[0], children[1]))

    def matrix(self, children: list[Any]) -> s.Surface:
        rows = tuple(c for c in children[1:-1] if isinstance(c, tuple))
        span = _span(children[0], children[-1])
        if len({len(row) for row in rows}) > 1:
            raise ParseError(
                f"rows of a matrix have different lengths: {', '.join(str(len(row)) for row in rows)}",
                span=span,
                expected="as many entries in every row",
            )
        return s.Matrix(rows, span=span)

    def row(self, children: list[Any]) -> tuple[s.Surface, ...]:
        return tuple(children[::2])

    def _single(self, argument: s.Bracket) -> s.Surface:
        if len(argument.items) > 1:
            raise ParseError(
                "one expression belongs here, not a list", span=argument.span, expected="a single expression"
            )
        return argument.items[0]


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer=_Stream,
        transformer=_Builder(),
        start="start",
        maybe_placeholders=False,
    )


_PLAIN_SIGNS = re.compile(r"@|\*\*|[∂∇⁺]|\.T\b|[\w\]')}]\[\s*[\w\-]|\[\[")
_WORD = re.compile(r"(?<![\\A-Za-z_{])(?:[A-Za-z]{3,}|(?:tr|ln)(?=\()|(?:nu|mu|xi|pi)(?![A-Za-z]))")


_NUMBERED = re.compile(r"\s*[A-Za-z]\d+\s*")
"""``W1`` alone is the plain form of W^{[1]}; as LaTeX it would be W times 1."""
_LONG_LABEL = re.compile(r"_[A-Za-z]{2,}")


def is_latex(text: str) -> bool:
    """Whether a text is LaTeX rather than the plain form: a command, or nothing that only the plain form has (``@``,
    ``h[t]``, words).
    """
    if "\\" in text:
        return True
    if _NUMBERED.fullmatch(text):
        return False
    return not (_PLAIN_SIGNS.search(text) or _WORD.search(text) or ("{" not in text and _LONG_LABEL.search(text)))


def parse_lines(text: str | Source, *, newlines: bool = True) -> tuple[s.Line, ...]:
    """The lines of a text, each a tuple of relations.

    Raises
    ------
    ParseError : with the place in the text, what was expected there, and what was probably meant.
    """
    source = text if isinstance(text, Source) else Source(text)
    if len(source.text) > MAX_LENGTH:
        raise ParseError(
            f"the text is {len(source.text):,} characters long; at most {MAX_LENGTH:,} are read as formulas",
            hint="is this the right file?",
        )
    front: Callable[[Source, bool], list[SourceToken]] = latex_tokens if is_latex(source.text) else plain_tokens
    tokens = front(source, newlines)
    try:
        lines = cast("tuple[s.Line, ...]", _parser().parse(cast(Any, tokens)))
    except UnexpectedToken as error:
        raise _unexpected(error, source, tokens) from None
    return lines


def parse_one(text: str | Source) -> s.Line:
    """The one line of a formula.

    Raises
    ------
    ParseError : also when there is no formula, or more than one line.
    """
    lines = parse_lines(text, newlines=False)
    if not lines:
        source = text if isinstance(text, Source) else Source(text)
        raise ParseError("there is no formula", span=Span(0, max(1, len(source.text)), source), expected="a formula")
    if len(lines) > 1:
        raise ParseError(
            "there is more than one line", span=lines[1].span, expected="one formula", hint="parse the lines one by one"
        )
    return lines[0]


def _unexpected(error: UnexpectedToken, source: Source, tokens: list[SourceToken]) -> ParseError:
    token = error.token
    expected = describe(error.accepts or error.expected)
    if token.type == "$END" or not isinstance(token, SourceToken):
        last = tokens[-1].span if tokens else Span(0, 1, source)
        place = Span(last.end, last.end + 1, source)
        return ParseError("the formula ends too early", span=place, expected=expected)
    hint = None
    if token.type in ("SUB", "SUP"):
        hint = "a script needs something to stand at; write {}_t for an empty base"
    elif token.type in ("CHAINOP", "REL"):
        hint = "two operators in a row, or nothing before the operator?"
    elif token.type == "NEWLINE":
        hint = "does the formula go on in the next line?"
    shown = token.span.text if token.type != "NEWLINE" else "the end of the line"
    return ParseError(
        f"unexpected {shown!r}" if token.type != "NEWLINE" else f"unexpected {shown}",
        span=token.span,
        expected=expected,
        hint=hint,
    )
