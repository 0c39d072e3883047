"""What a marker wants: results with their points, and how far a document has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from derive import expressions as e
from derive.errors import BpttError, UsageError, clipped
from derive.notation import surface as s
from derive.notation.elaborate import elaborate, read_formula, within
from derive.notation.source import Source
from derive.system import leaves
from verify.names import Names
from verify.quantities import canonical, collapsed, parts_of, quantity_of, same, says_again
from verify.verdict import Verdict

MOST_RESULTS, MOST_POINTS = 200, 10_000
"""The most results that are wanted of a document, and the most points of one."""
EQUALITIES = ("=", ":=", "==")

_LINE = re.compile(r"\s*(?P<formula>\S.*?)(?:\s+#\s*(?P<title>\S.*?))?\s*$")
_NUMBER = re.compile(r"(?P<number>[-+]?\.?\d[\d.,/eE+-]*)\s+(?P<formula>\S.*)")
_POINTS = re.compile(r"\d{1,9}(?:[.,]\d{1,9}|/[1-9]\d{0,8})?")


@dataclass(frozen=True)
class Wanted:
    """A result that is wanted: the left side of an equation.

    Parameters
    ----------
    text   : the formula as it is written.
    node   : what it is.
    points : what it is worth.
    title  : what it is called.
    signs  : the relation signs that may stand between it and its answer: an inequality where the marker wrote one.
    """

    text: str
    node: e.Node
    points: Fraction = Fraction(1)
    title: str = ""
    signs: tuple[str, ...] = EQUALITIES


@dataclass(frozen=True)
class Result:
    """How far a document has what is wanted.

    Parameters
    ----------
    state  : ``right``, ``partly`` (a chain that is right up to a false link), ``special`` (right, but for some times or
             one length only), ``restated``, ``wrong``, ``unread`` or ``missing``.
    points : what it earns.
    line   : of the equation that earns most; None if there is none.
    links  : how many links of that chain are right, up to the first false one, and how many there are; links that only
             repeat what is wanted, or an earlier side, are not counted.
    answers : how many equations that answer it are right, and how many there are.
    """

    wanted: Wanted
    state: str
    points: Fraction
    line: int | None = None
    links: tuple[int, int] = (0, 0)
    answers: tuple[int, int] = (0, 0)

    @property
    def contradicted(self) -> bool:
        """Whether it earns something while the document has other answers to it which are wrong. The points stay: whether
        an earlier line was taken back, or many were guessed, is for the marker to say.
        """
        right, every = self.answers
        return self.points > 0 and every > 1 and right < every

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "result": self.wanted.text,
            "title": self.wanted.title,
            "state": self.state,
            "points": float(self.points),
            "of": float(self.wanted.points),
            "line": self.line,
            "links": list(self.links),
            "answers": list(self.answers),
            "contradicted": self.contradicted,
        }


def shown_points(points: Fraction | int) -> str:
    """Points without needless digits.

    >>> shown_points(Fraction(5, 2)), shown_points(Fraction(1, 3)), shown_points(12345)
    ('2.5', '0.333', '12345')
    """
    return f"{float(points):.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Answer:
    """An equation of a document and its verdict; ``restricted``: it is meant for some times or lengths only."""

    surface: s.Surface | None
    verdict: Verdict
    line: int
    restricted: bool = False


def read_wanted(text: str, names: Names, name: str = "<requirements>") -> tuple[Wanted, ...]:
    """The results that a text wants, one a line: ``POINTS FORMULA # TITLE``, of which points and title may be left out.

    Raises
    ------
    UsageError : a line is no formula about the cell, or wants again what an earlier one wants; the message says which, and
                 why.

    >>> from derive.cell import cell
    >>> names = Names(cell("h_t = \\\\sigma(W h_{t-1} + U x_t)"))
    >>> [(str(w.node), w.points) for w in read_wanted("2 \\\\nabla_W L\\n\\\\delta_t # the adjoint", names)]
    [('∇_W L', Fraction(2, 1)), ('delta[t]', Fraction(1, 1))]
    """
    found: list[Wanted] = []
    lines: dict[e.Node, int] = {}
    for line in wanted_lines(text, name):
        one = _read(line, names, name)
        form = canonical(quantity_of(one.node, names))
        if form in lines:
            raise UsageError(
                f"{name}, line {line.number}: {one.text} is wanted already in line {lines[form]}",
                expected="each result once",
            )
        lines[form] = line.number
        found.append(one)
    return tuple(found)


@dataclass(frozen=True)
class WantedLine:
    """A line of what a marker wants, before its formula is read."""

    number: int
    points: Fraction
    formula: str
    title: str


def wanted_lines(text: str, name: str = "<requirements>") -> tuple[WantedLine, ...]:
    """The lines with what is wanted, which need no cell to be found.

    Raises
    ------
    UsageError : points that are no number of points, nothing at all, or too much.
    """
    found: list[WantedLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        if match is None or match["formula"].startswith(("#", "%")):
            continue
        points, formula = _pointed(match["formula"], f"{name}, line {number}")
        found.append(WantedLine(number, points, formula.strip("$ "), match["title"] or ""))
        if len(found) > MOST_RESULTS:
            raise UsageError(f"{name} wants more than {MOST_RESULTS} results", hint="is this the right file?")
    if not found:
        raise UsageError(f"{name} wants nothing", expected="one result a line: POINTS FORMULA")
    return tuple(found)


def _pointed(text: str, place: str) -> tuple[Fraction, str]:
    """The points that a line starts with, 1 if it does not, and its formula."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return Fraction(1), text
    number = match["number"]
    points = Fraction(number.replace(",", ".")) if _POINTS.fullmatch(number) else None
    if points is None or points > MOST_POINTS:
        raise UsageError(
            f"{place}: {clipped(number, 30)} is no number of points",
            expected=f"a number from 0 to {MOST_POINTS:,}, such as 2, 0.5 or 1/2, before the formula",
        )
    return points, match["formula"]


def _read(line: WantedLine, names: Names, name: str) -> Wanted:
    try:
        node = read_formula(Source(line.formula, name), names.context)
    except BpttError as error:
        raise UsageError(
            f"{name}, line {line.number}: {line.formula} cannot be read: {error.message}",
            expected="POINTS FORMULA, such as 2 \\nabla_W L",
            hint=error.hint,
        ) from None
    signs: tuple[str, ...] = EQUALITIES
    if isinstance(node, e.Relation):
        signs = tuple(dict.fromkeys((*EQUALITIES, *node.operators)))
        node = node.lhs
    if not any(True for _ in leaves(node)):
        raise UsageError(
            f"{name}, line {line.number}: {line.formula} holds no quantity",
            expected="POINTS FORMULA, such as 2 \\nabla_W L",
        )
    return Wanted(line.formula, node, line.points, line.title, signs)


# -- what a document has -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Equation:
    """An equation with its sides, each read alone; None for one that cannot be."""

    answer: Answer
    sides: tuple[e.Node | None, ...]
    signs: tuple[str, ...]
    names: Names

    def repeats(self, side: e.Node | None, wanted: e.Node) -> bool:
        """Whether a side is made of what is wanted, at the same times and be it in disguise, and so says nothing about it."""
        return side is not None and any(says_again(part, wanted, self.names) for part in parts_of(side, self.names))

    def said_before(self, place: int) -> bool:
        """Whether a side is one of those before it, in another spelling."""
        return any(same(self.sides[place], earlier) for earlier in self.sides[:place])


def results(wanted: Iterable[Wanted], answers: Sequence[Answer], names: Names) -> tuple[Result, ...]:
    """For every wanted result the equation that earns most, and how many others answer it."""
    equations = [_equation(answer, names) for answer in answers]
    return tuple(_result(one, equations, names) for one in wanted)


def _result(wanted: Wanted, equations: Sequence[_Equation], names: Names) -> Result:
    form = canonical(quantity_of(wanted.node, names))
    found = [one for equation in equations if (one := _earned(wanted, form, equation)) is not None]
    best = max(found, key=lambda one: (_RANKS[one.state], one.points), default=Result(wanted, "missing", Fraction(0)))
    states = [one.state for one in found if one.state in ("right", "partly", "wrong")]
    return replace(best, answers=(states.count("right"), len(states)))


_RANKS = {"missing": 0, "unread": 1, "wrong": 2, "restated": 3, "special": 4, "partly": 5, "right": 6}


def _earned(wanted: Wanted, form: e.Node, equation: _Equation) -> Result | None:
    """What an equation earns; None where it does not answer."""
    meant = [None if side is None else quantity_of(side, equation.names) for side in equation.sides]
    whose = next((side for side in meant if side is not None and canonical(side) == form), None)
    if whose is None:
        return _solved(wanted, form, equation)
    if not set(equation.signs) & set(wanted.signs):
        return None  # a bound is no answer, unless it is wanted
    idle = [equation.repeats(side, whose) for side in equation.sides]
    telling = [
        sign in wanted.signs and not (idle[k] and idle[k + 1]) and not equation.said_before(k + 1)
        for k, sign in enumerate(equation.signs)
    ]
    return _marked(wanted, equation.answer, telling)


def _marked(wanted: Wanted, answer: Answer, telling: Sequence[bool]) -> Result:
    """What an equation earns by those of its links that say something about what is wanted."""
    verdict, count = answer.verdict, sum(telling)
    if verdict.verdict in ("correct", "layout"):
        restated = not count or verdict.evidence == "definition"
        # a part of an answer is for a marker to weigh
        state = "restated" if restated else "special" if answer.restricted else "right"
        points = wanted.points if state == "right" else Fraction(0)
        return Result(wanted, state, points, answer.line, (count, count))
    links = [link.verdict in ("correct", "layout") for link in verdict.links]
    right = sum(telling[: links.index(False)]) if False in links else 0
    if right and not answer.restricted:
        return Result(wanted, "partly", wanted.points * right / count, answer.line, (right, count))
    state = "wrong" if verdict.verdict == "wrong" else "unread"
    return Result(wanted, state, Fraction(0), answer.line, (0, max(1, count)))


def _solved(wanted: Wanted, form: e.Node, equation: _Equation) -> Result | None:
    """What ``wanted - formula = 0`` earns, and other equations in which it is a summand. Those that say what some other
    quantity is are answers to that one.
    """
    sides = [side for side in equation.sides if side is not None]
    named = any(isinstance(side, (e.Timed, e.Var, e.Derivative, e.Gradient)) for side in sides)
    if equation.signs not in {(sign,) for sign in EQUALITIES} or len(sides) != 2 or named:
        return None
    terms = [term for side in sides for term in (side.operands if isinstance(side, e.Plus) else (side,))]
    unsigned = [quantity_of(term.operands[0] if isinstance(term, e.Neg) else term, equation.names) for term in terms]
    place = next((k for k, term in enumerate(unsigned) if canonical(term) == form), None)
    if place is None:
        return None
    rest = (*terms[:place], *terms[place + 1 :])
    return _marked(wanted, equation.answer, [not any(equation.repeats(term, unsigned[place]) for term in rest)])


def _equation(answer: Answer, names: Names) -> _Equation:
    """An equation with its sides; the sets that it ends in say nothing but sizes."""
    surface = answer.surface
    if not isinstance(surface, s.Relation):
        return _Equation(answer, (), (), names)
    count = surface.operators.index("in") if "in" in surface.operators else len(surface.operators)
    found: list[e.Node | None] = []
    context = within(surface, names.context)
    for item in surface.items[: count + 1]:
        try:
            found.append(collapsed(names.plain(elaborate(item, context))))
        except BpttError:
            found.append(None)
    return _Equation(answer, tuple(found), surface.operators[:count], names)


__all__ = [
    "Answer",
    "Result",
    "Wanted",
    "WantedLine",
    "read_wanted",
    "results",
    "shown_points",
    "wanted_lines",
]
