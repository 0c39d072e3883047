"""Equations into which an author puts some of the given numbers, and leaves letters for the rest: z_2 = 0.5 h_1 - 1 for w h_1 + u x_2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import elaborate, within
from derive.notation.rebuild import rebuilt
from numeric.compare import relative_difference
from numeric.functions import Array
from numeric.simulate import Point
from verify.evaluated import evaluated
from verify.values import EXACT, Values
from verify.verdict import Verdict

DRAWS = 3
"""How often the quantities of which no number is put in are drawn anew."""
ROUNDED = re.compile(r"\.\d\d")
"""A decimal that may be a rounded number; one of a single digit is one that somebody chose."""
SPREAD = 0.5
"""How far they are moved, as a standard deviation."""


def judge_put_in(values: Values, surface: s.Relation) -> Verdict | None:
    """The verdict on an equation in which numbers stand for given quantities; None where it does not hold with them.

    Which numbers were put in is found by trying: those of quantities that cannot be moved without breaking the equation. Its own letters
    must be free to move: with h_1 = 0.76, z_2 = h_1 - 1.38 holds at a point, and z_2 = 0.5 h_1 - 1 for every h_1.
    """
    if not values.any or values.twice or surface.operators not in (("=",), (":=",), ("==",)):
        return None
    try:
        relation = values.names.plain(_elaborated(values, surface))
        if not isinstance(relation, e.Relation) or not relation.atoms(e.Timed, e.Var):
            return None
        gap = _gap(values, relation)
        if gap > EXACT:
            return _nearly(gap) if _is_rounding(values, surface, relation) else None
        free, fixed = _divided(values, relation)
        if not fixed or not _leaves_letters(values, relation, free):
            return None
    except BpttError:
        return None
    shown = " and ".join(_shown(values, point) for point in fixed)
    if all(_is_plain(values.given[point]) for point in fixed):
        message = f"it holds for {shown}, as given, and not in general; 0 and 1 do not show whether they were put in"
        return Verdict("unsupported", "tested", points=1, message=message)
    points = 1 + DRAWS
    return Verdict("correct", "tested", points=points, holds=points, put_in=f"the numbers given stand for {shown}")


def _nearly(gap: float) -> Verdict:
    message = f"with the numbers given, the sides agree to {gap:.1e}, which rounding of the numbers in it may explain"
    return Verdict("unsupported", "tested", points=1, error=gap, message=message)


def _divided(values: Values, relation: e.Relation) -> tuple[list[Point], list[Point]]:
    """The given quantities that may move together while the equation holds, those first whose letters stand in it; and the others."""
    free: list[Point] = []
    fixed: list[Point] = []
    for point in sorted(_movable(values), key=lambda one: (one not in _given_letters(relation), str(one))):
        holds = _gap(_moved(values, [*free, point], 0), relation) <= EXACT
        (free if holds else fixed).append(point)
    return free, fixed


def _given_letters(relation: e.Relation) -> set[Point]:
    """The quantities whose letters stand in an equation."""
    leaves = relation.atoms(e.Timed, e.Var)
    timed = {(leaf.name, int(leaf.time)) for leaf in leaves if isinstance(leaf, e.Timed) and leaf.time.is_Integer}
    return timed | {(leaf.name, None) for leaf in leaves if isinstance(leaf, e.Var)}


def _is_rounding(values: Values, surface: s.Relation, relation: e.Relation) -> bool:
    """Whether the sides come together where every decimal may be off by half of its last digit."""
    left, right = (_value(values, side, relation) for side in (relation.lhs, relation.rhs))
    room = np.zeros(np.broadcast(left, right).shape)
    for text in {node.text for node in surface.walk() if isinstance(node, s.Number) and ROUNDED.search(node.text)}:
        moved = values.names.plain(_elaborated(values, _with_half_a_digit_more(surface, text)))
        if isinstance(moved, e.Relation):
            a, b = (_value(values, side, moved) for side in (moved.lhs, moved.rhs))
            room = room + np.abs((a - b) - (left - right))
    return bool(np.all(np.abs(left - right) <= room * (1 + EXACT)))


def _with_half_a_digit_more(surface: s.Relation, text: str) -> s.Surface:
    """A formula with half a unit of its last digit more for each number that is written so."""
    more = str(Decimal(text) + Decimal(5).scaleb(-len(text.partition(".")[2]) - 1))
    return rebuilt(surface, lambda node: replace(node, text=more) if node == s.Number(text) else node)


def _elaborated(values: Values, surface: s.Surface) -> e.Node:
    return elaborate(surface, values.sized(within(surface, values.names.context)))


def _leaves_letters(values: Values, relation: e.Relation, free: list[Point]) -> bool:
    """Whether the letters of an equation have other values where all moves that was not put in, and it holds all the same."""
    standing = _given_letters(relation) & set(_movable(values))
    letters = [leaf for leaf in relation.atoms(e.Timed) if _is_computed(leaf, values)]
    moved = [_moved(values, free, draw) for draw in range(1, DRAWS + 1)]
    if not standing <= set(free) or any(_gap(one, relation) > EXACT for one in moved):
        return False
    return all(
        relative_difference(_value(values, leaf), _value(one, leaf)) > EXACT for leaf in letters for one in moved
    )


def _is_computed(leaf: e.Timed, values: Values) -> bool:
    """Whether a letter is that of something that the cell computes, or of a derivative."""
    point = (leaf.name, int(leaf.time)) if leaf.time.is_Integer else None
    return point not in values.given and leaf not in values.system.starts


def _movable(values: Values) -> Iterator[Point]:
    """The given quantities that may have other values; a class is no number that could be moved."""
    known = {*values.system.parameters, *values.system.inputs}
    states = {start.name for start in values.system.starts}
    for point in sorted(values.given, key=str):
        if point[0] in states or (point[0] in known and point[0] not in values.names.context.classes):
            yield point


def _moved(values: Values, points: list[Point], draw: int) -> Values:
    """The same numbers, with some of them moved."""
    given = dict(values.given)
    for number, point in enumerate(points):
        generator = np.random.default_rng([draw, number])
        given[point] = given[point] + SPREAD * generator.standard_normal(given[point].shape)
    return replace(values, given=given)


def _gap(values: Values, relation: e.Relation) -> float:
    """The relative difference of the two sides with these numbers."""
    left, right = (_value(values, side, relation) for side in (relation.lhs, relation.rhs))
    gap = relative_difference(*np.broadcast_arrays(left, right))
    return gap if np.isfinite(gap) else float("inf")


def _value(values: Values, node: e.Node, whole: e.Node | None = None) -> Array:
    run = values.run(whole or node)
    return np.real(evaluated(node, values.names.environment(run), run.sizes))


def _is_plain(array: Array) -> bool:
    return bool(np.all(np.isin(array, (-1, 0, 1))))


def _shown(values: Values, point: Point) -> str:
    key, time = point
    quantity = values.system.quantity(key, None if time is None else Integer(time))
    return quantity.latex()


__all__ = ["judge_put_in"]
