"""What a marker wants: results with their points, and how far a document has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Symbol

from derive import expressions as e
from derive.errors import BpttError, UsageError
from derive.notation import surface as s
from derive.notation.elaborate import elaborate, read_formula, within
from derive.notation.source import Source
from derive.system import T
from verify.names import Names
from verify.verdict import Verdict

MOST_RESULTS = 200
"""The most results that are wanted of a document."""

_LINE = re.compile(r"\s*(?:(?P<points>\d+(?:[.,]\d+|/\d+)?)\s+)?(?P<formula>\S.*?)(?:\s+#\s*(?P<title>\S.*?))?\s*$")


@dataclass(frozen=True)
class Wanted:
    """A result that is wanted: the left side of an equation.

    Parameters
    ----------
    text   : the formula as it is written.
    node   : what it is.
    points : what it is worth.
    title  : what it is called.
    """

    text: str
    node: e.Node
    points: Fraction = Fraction(1)
    title: str = ""


@dataclass(frozen=True)
class Result:
    """How far a document has what is wanted.

    Parameters
    ----------
    state  : ``right``, ``partly`` (a chain that is right up to a false link), ``restated``, ``wrong``, ``unread`` or
             ``missing``.
    points : what it earns.
    line   : of the equation that earns most; None if there is none.
    links  : how many links of that chain are right, up to the first false one, and how many there are.
    """

    wanted: Wanted
    state: str
    points: Fraction
    line: int | None = None
    links: tuple[int, int] = (0, 0)

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
        }


@dataclass(frozen=True)
class Answer:
    """An equation of a document and its verdict."""

    surface: s.Surface | None
    verdict: Verdict
    line: int


def read_wanted(text: str, names: Names, name: str = "<requirements>") -> tuple[Wanted, ...]:
    """The results that a text wants, one a line: ``POINTS FORMULA # TITLE``, of which points and title may be left out.

    Raises
    ------
    UsageError : a line is no formula about the cell; the message says which, and why.

    >>> from derive.cell import cell
    >>> names = Names(cell("h_t = \\\\sigma(W h_{t-1} + U x_t)"))
    >>> [(str(w.node), w.points) for w in read_wanted("2 \\\\nabla_W L\\n\\\\delta_t # the adjoint", names)]
    [('∇_W L', Fraction(2, 1)), ('delta[t]', Fraction(1, 1))]
    """
    found: list[Wanted] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        if match is None or match["formula"].startswith(("#", "%")):
            continue
        formula = match["formula"].strip("$ ")
        try:
            node = read_formula(Source(formula, name), names.context)
        except BpttError as error:
            raise UsageError(
                f"{name}, line {number}: {formula} cannot be read: {error.message}",
                expected="POINTS FORMULA, such as 2 \\nabla_W L",
                hint=error.hint,
            ) from None
        if isinstance(node, e.Relation):
            node = node.lhs
        points = Fraction((match["points"] or "1").replace(",", "."))
        found.append(Wanted(formula, node, points, match["title"] or ""))
        if len(found) > MOST_RESULTS:
            raise UsageError(f"{name} wants more than {MOST_RESULTS} results", hint="is this the right file?")
    if not found:
        raise UsageError(f"{name} wants nothing", expected="one result a line: POINTS FORMULA")
    return tuple(found)


def results(wanted: Iterable[Wanted], answers: Sequence[Answer], names: Names) -> tuple[Result, ...]:
    """For every wanted result the equation that earns most."""
    read = [(answer, _items(answer.surface, names)) for answer in answers]
    return tuple(_result(one, read) for one in wanted)


def _result(wanted: Wanted, answers: Sequence[tuple[Answer, Sequence[e.Node | None]]]) -> Result:
    form = canonical(wanted.node)
    best = Result(wanted, "missing", Fraction(0))
    for answer, items in answers:
        forms = [None if item is None else canonical(item) for item in items]
        if form not in forms:
            continue
        found = _earned(wanted, answer, [other == form for other in forms])
        if _RANKS[found.state] > _RANKS[best.state] or (found.state == best.state and found.points > best.points):
            best = found
    return best


_RANKS = {"missing": 0, "unread": 1, "wrong": 2, "restated": 3, "partly": 4, "right": 5}


def _earned(wanted: Wanted, answer: Answer, same: Sequence[bool]) -> Result:
    verdict, count = answer.verdict, max(1, len(same) - 1)
    if verdict.verdict in ("correct", "layout"):
        restated = all(same) or verdict.evidence == "definition"
        points = Fraction(0) if restated else wanted.points
        return Result(wanted, "restated" if restated else "right", points, answer.line, (count, count))
    links = [link.verdict in ("correct", "layout") for link in verdict.links]
    right = links.index(False) if False in links else 0
    telling = right and not all(same[: right + 1])
    if telling:
        return Result(wanted, "partly", wanted.points * right / count, answer.line, (right, count))
    state = "wrong" if verdict.verdict == "wrong" else "unread"
    return Result(wanted, state, Fraction(0), answer.line, (0, count))


def _items(surface: s.Surface | None, names: Names) -> Sequence[e.Node | None]:
    """The sides of an equation, each read alone; None for one that cannot be."""
    if not isinstance(surface, s.Relation):
        return ()
    found: list[e.Node | None] = []
    context = within(surface, names.context)
    for item in surface.items:
        try:
            found.append(names.plain(elaborate(item, context)))
        except BpttError:
            found.append(None)
    return found


def canonical(node: e.Node) -> e.Node:
    """A left side in one form: ∂L/∂W for ∇_W L, and with its first free time called by the same letter, without an offset."""
    while isinstance(node, e.Transpose):
        node = node.operands[0]
    if isinstance(node, e.Gradient):
        node = e.Derivative(node.of, node.by)
    letters: dict[Symbol, Expr] = {}
    for leaf in _timed(node):
        free = sorted(leaf.time.free_symbols - {T}, key=str)
        if len(free) == 1 and free[0] not in letters:
            offset = leaf.time - free[0] if not letters else 0
            letters[free[0]] = e.index(f"i{len(letters)}") - offset
    return node.xreplace(letters) if letters else node


def _timed(node: e.Node) -> Iterator[e.Timed]:
    """Quantities with a time, in reading order."""
    if isinstance(node, e.Timed):
        yield node
    for operand in node.operands:
        yield from _timed(operand)


__all__ = ["Answer", "Result", "Wanted", "canonical", "read_wanted", "results"]
