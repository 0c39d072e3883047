"""The numbers of a sheet: named once, printed wherever ``<<name>>`` stands, and drawn anew for every variant.

Everything happens in the text, before it is read as Markdown, so that formulas, options of blocks and code have the same numbers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import product

import sympy as sp

from derive import expressions as e
from derive.errors import BpttError, ParseError
from derive.notation.elaborate import read_formula
from derive.notation.source import Source, Span
from derive.notation.write_latex import write_latex
from derive.spectra import eigendecomposition
from reports.block_calls import did_you_mean
from reports.rounding import spelled
from verify.closed import value_of

_FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$", re.MULTILINE)
_OPTION = re.compile(r"^(name|is|vary):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_USE = re.compile(
    r"<<[ \t]*(?P<name>[A-Za-z][\w-]*(?:\.[A-Za-z-]+)?)[ \t]*>>|<<=(?P<formula>[^<>\n]*?)(?:\|[ \t]*(?P<digits>\d{1,2})[ \t]*)?>>"
)
_ORTHOGONAL = ((3, 4), (4, 3), (-3, 4), (-4, 3))
"""Legs of right triangles with the hypotenuse 5: rotations whose entries are decimals."""


@dataclass(frozen=True)
class Number:
    """A number or a matrix by name: ``text`` is how it is printed."""

    name: str
    text: str
    place: Span

    @property
    def matrix(self) -> sp.Matrix:
        return _matrix(self.text, self.place)


def with_numbers(source: Source, variant: int = 0) -> Source:
    """A text with its numbers written where they are used; the same text if it names none.

    Raises
    ------
    ParseError : a definition is wrong, a number is not defined, or cannot be varied as is said.

    >>> text = "```bptt number\\nname: a\\nis: 0.5\\n```\\nHalf is <<a>>, its square <<= <<a>>^2 | 2>>."
    >>> with_numbers(Source(text)).text.split("\\n")[-1]
    'Half is 0.5, its square 0.25.'
    """
    found = list(_definitions(source))
    if not found:
        return source
    numbers: dict[str, Number] = {}
    for fence, options in found:
        name, number = _number(fence, options, variant, source)
        if name in numbers:
            raise ParseError(f"the number {name!r} is defined twice", span=fence, expected="another name")
        numbers[name] = number
    return _Writer(source, numbers, [fence for fence, _ in found]).written()


def _definitions(source: Source) -> Iterator[tuple[Span, dict[str, tuple[str, Span]]]]:
    """The places of all blocks ``number``, and what they say."""
    text, at = source.text, 0
    while (opened := _FENCE.search(text, at)) is not None:
        ticks = opened["ticks"]
        closed = re.compile(rf"^{ticks[0]}{{{len(ticks)},}}[ \t]*$", re.MULTILINE).search(text, opened.end())
        at = len(text) if closed is None else closed.end()
        if opened["info"].split() != ["bptt", "number"] or closed is None:
            continue
        options = {
            option[1]: (option[2], Span(option.start(2), max(option.end(2), option.start(2) + 1), source))
            for option in _OPTION.finditer(text, opened.end(), closed.start())
        }
        yield Span(opened.start(), closed.end(), source), options


def _number(fence: Span, options: Mapping[str, tuple[str, Span]], variant: int, source: Source) -> tuple[str, Number]:
    lines = [line for line in fence.text.split("\n")[1:-1] if line.strip()]
    if len(lines) != len(options) or not {"name", "is"} <= set(options):
        raise ParseError(
            "this is no definition of a number",
            span=Span(fence.start, fence.start + len(fence.text.split("\n")[0]), source),
            expected="lines name: ..., is: ... and, for variants, vary: ...",
        )
    name, place = options["name"]
    if re.fullmatch(r"[A-Za-z][\w-]*", name) is None:
        raise ParseError(f"{name!r} is no name", span=place, expected="letters, digits, - and _, such as W or x-1")
    text, where = options["is"]
    _matrix(text, where)
    how, said = options.get("vary", ("no", where))
    return name, Number(name, _varied(text, how, variant, name, said) if variant else _checked(text, how, said), where)


def _checked(text: str, how: str, place: Span) -> str:
    """The number itself; a variant that cannot be drawn is told before somebody asks for it."""
    _varied(text, how, 1, "", place)
    return text


def _matrix(text: str, place: Span) -> sp.Matrix:
    try:
        return value_of(read_formula(text))
    except BpttError as error:
        raise ParseError(
            f"{text!r} is no number and no matrix of numbers: {error.message}",
            span=place,
            expected="such as 0.5, or a pmatrix",
        ) from None


# -- variants --------------------------------------------------------------------------------------


def _varied(text: str, how: str, variant: int, name: str, place: Span) -> str:
    """The number of a variant."""
    if how == "no":
        return text
    if how == "entries":
        return _other_entries(text, random.Random(f"{name} {variant}"), place)
    if how == "symmetric":
        return _symmetric(_matrix(text, place), variant, place)
    choices = [choice.strip() for choice in how.split(";")]
    if len(choices) < 2:
        raise ParseError(
            f"a number cannot be varied as {how!r}",
            span=place,
            expected="entries, symmetric, no, or values with ; between them",
        )
    for choice in choices:
        _matrix(choice, place)
    return choices[random.Random(f"{name} {variant}").randrange(len(choices))]


def _other_entries(text: str, draw: random.Random, place: Span) -> str:
    """Other numbers of as many digits, between the smallest and the largest entry; zeros stay, and what is equal in all places stays
    equal: a matrix of nothing but 0.1 becomes one of nothing but 0.2.
    """
    node = read_formula(text)
    rows = (
        [[_spelled(entry, place) for entry in row] for row in node.rows]
        if isinstance(node, e.Block)
        else [[_spelled(node, place)]]
    )
    values = [Decimal(entry) for row in rows for entry in row if Decimal(entry)]
    if not values:
        return text
    unit = Decimal(1).scaleb(min(int(value.as_tuple().exponent) for value in values))
    same = len(set(values)) == 1
    low, high = min(values), max(values)
    if same:  # others of its sign
        far = max(2 * abs(low), 5 * unit)
        low, high = (unit, far) if low > 0 else (-far, -unit)

    def drawn() -> Decimal:
        steps = int((high - low) / unit)
        while True:
            found = low + unit * draw.randint(0, steps)
            if found and not (same and found == values[0]):
                return found

    common = drawn() if same else None
    drawn_rows = [["0" if not Decimal(entry) else str(common or drawn()) for entry in row] for row in rows]
    return drawn_rows[0][0] if not isinstance(node, e.Block) else _pmatrix(drawn_rows)


def _spelled(node: e.Node, place: Span) -> str:
    if isinstance(node, e.Neg):
        return f"-{_spelled(node.operands[0], place)}"
    if isinstance(node, e.Scalar) and node.digits is not None:
        return node.digits
    if isinstance(node, (e.Scalar, e.Zero)):
        value = node.value if isinstance(node, e.Scalar) else sp.Integer(0)
        if value.is_Integer:
            return str(value)
    raise ParseError(f"the entries cannot be varied: {node} is no decimal", span=place, expected="decimals such as 0.5")


def _pmatrix(rows: list[list[str]]) -> str:
    return "\\begin{pmatrix} " + " \\\\ ".join(" & ".join(row) for row in rows) + " \\end{pmatrix}"


def _symmetric(matrix: sp.Matrix, variant: int, place: Span) -> str:
    """Another symmetric 2 x 2 matrix with clean eigenvalues of the same kind: the larger one within 0.1 of what it was, the
    other within 0.3, and on the same side of 1 in absolute value. No two variants are the same until all there are have been used.
    """
    if matrix.shape != (2, 2) or matrix != matrix.T:
        raise ParseError("only symmetric 2 x 2 matrices are varied as symmetric", span=place, expected="vary: entries")
    given = sorted(matrix.eigenvals(multiple=True), key=abs)
    if not all(value.is_Rational for value in given):
        raise ParseError("the eigenvalues are no fractions", span=place, expected="vary: entries")
    every = _alike(matrix.as_immutable(), tuple(given))
    if not every:
        raise ParseError("there is no other matrix with eigenvalues like these", span=place, expected="vary: entries")
    return every[(variant - 1) % len(every)]


@lru_cache(maxsize=64)
def _alike(matrix: sp.ImmutableMatrix, eigenvalues: tuple[sp.Rational, ...]) -> tuple[str, ...]:
    """All other matrices of that kind, in the order in which variants take them."""
    options = [list(_near(value, reach)) for value, reach in zip(eigenvalues, (6, 2), strict=True)]
    found: dict[str, None] = {}
    for (small, large), (a, b) in product(product(*options), _ORTHOGONAL):
        if abs(small) < abs(large):
            basis = sp.Matrix([[a, -b], [b, a]]) / 5
            other = basis * sp.diag(small, large) * basis.T
            if other != matrix:
                found[_pmatrix([[_decimal(other[i, j]) for j in range(2)] for i in range(2)])] = None
    every = list(found)
    random.Random(str(sp.Matrix(matrix))).shuffle(every)
    return tuple(every)


def _near(value: sp.Rational, reach: int) -> Iterator[sp.Rational]:
    """Twentieths near an eigenvalue, on the same side of 0 and of 1 in absolute value."""
    unit = sp.Rational(1, 20)
    for k in range(-reach, reach + 1):
        other = unit * (round(value / unit) + k)
        if other * value > 0 and (abs(other) > 1) == (abs(value) > 1) and (abs(other) == 1) == (abs(value) == 1):
            yield other


def _decimal(value: sp.Rational) -> str:
    return f"{Decimal(int(value.p)) / Decimal(int(value.q)):f}"


# -- uses ------------------------------------------------------------------------------------------


class _Writer:
    """Writes a text with numbers in the place of their names; every character knows where it came from."""

    def __init__(self, source: Source, numbers: Mapping[str, Number], fences: list[Span]) -> None:
        self.source, self.numbers, self.fences = source, numbers, fences

    def written(self) -> Source:
        text = self.source.text
        for fence in self.fences:
            blank = re.sub(r"[^\n]", " ", text[fence.start : fence.end])
            text = text[: fence.start] + blank + text[fence.end :]
        places = list(range(len(text)))
        while True:  # names first, so that formulas have them
            names = [use for use in _USE.finditer(text) if use["name"]]
            uses = names or list(_USE.finditer(text))
            if not uses:
                return Source(text, self.source.name, 0, self.source, [*places, len(self.source.text)])
            pieces, where, at = [], list[int](), 0
            for use in uses:
                value = self._value(use, places)
                pieces += [text[at : use.start()], value]
                where += [*places[at : use.start()], *[places[use.start()]] * len(value)]
                at = use.end()
            text = "".join([*pieces, text[at:]])
            places = [*where, *places[at:]]

    def _value(self, use: re.Match[str], places: list[int]) -> str:
        span = Span(places[use.start()], places[use.end() - 1] + 1, self.source)
        if not use["name"]:
            return self._computed(use["formula"], use["digits"], span)
        name, _, part = use["name"].partition(".")
        if name not in self.numbers:
            raise ParseError(
                f"there is no number {name!r}",
                span=span,
                expected=f"one of {', '.join(self.numbers)}",
                hint=did_you_mean(name, self.numbers),
            )
        if not part:
            return self.numbers[name].text
        if part not in _PARTS:
            raise ParseError(
                f"a number has no {part!r}",
                span=span,
                expected=f"one of {', '.join(_PARTS)}",
                hint=did_you_mean(part, _PARTS),
            )
        try:
            return _PARTS[part](self.numbers[name].matrix)
        except BpttError as error:
            raise error.at(span) from None

    def _computed(self, formula: str, digits: str | None, span: Span) -> str:
        value = _matrix(formula.strip(), span)

        def spell(entry: sp.Expr) -> str:
            if digits:
                return write_latex(spelled(entry, int(digits)))
            if not entry.is_Rational or not _is_decimal(entry):
                raise ParseError(
                    f"{formula.strip()} is no decimal",
                    span=span,
                    expected="how many digits, as in <<= a/b | 3>>",
                )
            return _decimal(entry)

        rows = _rows(value, spell)
        return rows[0][0] if value.shape == (1, 1) else _pmatrix(rows)


def _is_decimal(value: sp.Rational) -> bool:
    rest = int(value.q)
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1


def _rows(matrix: sp.Matrix, spell: Callable[[sp.Expr], str]) -> list[list[str]]:
    return [[spell(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)]


def _latex(value: sp.Expr) -> str:
    return _decimal(value) if value.is_Rational and _is_decimal(value) else str(sp.latex(value))


def _eigenvalue(position: int) -> Callable[[sp.Matrix], str]:
    def found(matrix: sp.Matrix) -> str:
        values = sorted(eigendecomposition(matrix).eigenvalues, key=abs)
        return _latex(values[position])

    return found


def _factor(which: str) -> Callable[[sp.Matrix], str]:
    def found(matrix: sp.Matrix) -> str:
        parts = eigendecomposition(matrix)
        chosen = {"Q": parts.basis, "Lambda": parts.values, "Q-inverse": parts.basis.inv()}[which]
        return _pmatrix(_rows(chosen, _latex))

    return found


def _python(matrix: sp.Matrix) -> str:
    rows = _rows(matrix, lambda value: repr(float(value)))
    return rows[0][0] if matrix.shape == (1, 1) else "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"


_PARTS: dict[str, Callable[[sp.Matrix], str]] = {
    "smallest": _eigenvalue(0),
    "largest": _eigenvalue(-1),
    "Q": _factor("Q"),
    "Lambda": _factor("Lambda"),
    "Q-inverse": _factor("Q-inverse"),
    "transposed": lambda matrix: _pmatrix(_rows(matrix.T, _latex)),
    "python": _python,
}

__all__ = ["Number", "with_numbers"]
