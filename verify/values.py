"""Numbers that a document gives to quantities, and claims about what they lead to: U = (0.1 0.8; 0.2 0.5), ..., y = 0.58."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy as sp
from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import BpttError, DataError, ShapeError
from derive.notation import surface as s
from derive.notation.elaborate import Context, elaborate, within
from derive.notation.scope import base_of
from derive.system import RecurrentSystem, T
from numeric.compare import relative_difference
from numeric.functions import Array
from numeric.losses import SmoothLoss
from numeric.simulate import Point, Run
from verify.chosen import is_chosen, is_denied, is_left_open
from verify.claims import Claim
from verify.closed import NO_DIGIT, shown_units, value_of
from verify.evaluated import evaluated
from verify.factors import spelled_out
from verify.instances import COMPARED
from verify.limits import TooLong, limited
from verify.names import Names
from verify.verdict import Counterexample, Verdict

EXACT, ROUGH = 1e-9, 1e-2
"""Relative differences up to which two sides agree, and up to which numbers that are rounded on the way may be why they do not."""
LARGEST = 1e100
"""The largest number that is put in."""
SOON = 1
"""A number that takes more seconds to compute is not given, but something to be judged."""


@dataclass
class Values:
    """What a document gives: arrays by quantity and time, and the length of the sequence.

    Parameters
    ----------
    names : those of the cell, and the author's.
    given : the arrays.
    """

    names: Names
    given: dict[Point, Array] = field(default_factory=dict)
    length: int | None = None
    open: set[str] = field(default_factory=set)
    """The states of which the document says that they start anywhere."""
    beyond: dict[e.Timed, Array] = field(default_factory=dict)
    """Those of states that are read from the next step, after T."""
    twice: bool = False
    """Whether a quantity is given two different numbers."""

    @property
    def system(self) -> RecurrentSystem:
        return self.names.system

    # -- what is given ---------------------------------------------------------------------------------

    def take(self, claim: Claim) -> bool:
        """Take a claim as a gift, if it gives a number or a matrix to a parameter, an input or a starting value."""
        surface = self.spelled_out(claim.surface)
        if is_denied(claim):
            return False
        if claim.inline and isinstance(surface, s.Relation) and self._leaves_open(claim, surface):
            return False
        if not isinstance(surface, s.Relation) or surface.operators not in (("=",), (":=",)):
            return False
        before = self.twice
        taken = self._take(*surface.items)
        if self.twice != before and not (claim.inline and _is_literal(surface.items[1])):
            self.twice = before  # a claim about what was given
        return taken

    def _leaves_open(self, claim: Claim, surface: s.Relation) -> bool:
        """Whether a formula within a line is about a starting value, and its sentence only speaks of what it may be. Once it is said that
        the states start anywhere, no word elsewhere makes it zero.
        """
        node = self._quantity(surface.items[0])
        if not isinstance(node, e.Timed) or node.name in self.system.inputs:
            return False
        if surface.operators == ("!=",) or is_left_open(claim) or closed_value(surface.items[-1]) is None:
            self.open.add(node.name)
            return True
        return not is_chosen(claim)

    def _take(self, left: s.Surface, right: s.Surface) -> bool:
        if _is_list(left) and _is_list(right) and len(left.children()) == len(right.children()):
            before, length = dict(self.given), self.length
            if all(self._take(one, its) for one, its in zip(left.children(), right.children(), strict=True)):
                return True
            self.given, self.length = before, length
            return False
        if isinstance(left, s.Name) and left.text == "T" and isinstance(right, s.Number) and right.text.isdecimal():
            if self.length is not None:
                return False
            self.length = int(right.text)
            return True
        node = self._quantity(left)
        if node is None:
            return self._take_label(left, right)
        value = _soon(right)
        if value is None:
            return False
        array = _fitted(np.array(value.tolist(), dtype=float), node.shape)
        if array is None:
            return False
        if isinstance(node, e.Timed) and not node.time.is_Integer:
            return self._keep(self.beyond, node, array)
        return self._keep(self.given, (node.name, int(node.time) if isinstance(node, e.Timed) else None), array)

    def _keep(self, place: dict[Any, Array], key: Any, array: Array) -> bool:
        """Put an array where none is; a second one that differs is noted."""
        if key in place:
            self.twice = self.twice or not np.array_equal(place[key], array)
            return False
        place[key] = array
        return True

    def _take_label(self, left: s.Surface, right: s.Surface) -> bool:
        """e_{y_1} = (0; 1) says which class y_1 is."""
        try:
            node = elaborate(left, self.names.context)
        except BpttError:
            return False
        label = node.label if isinstance(node, e.OneHot) else None
        if not isinstance(label, e.Timed) or not label.time.is_Integer:
            return False
        value = _soon(right)
        if value is None or 1 not in value.shape:
            return False
        if sorted(value) != [0] * (len(value) - 1) + [1] or (label.name, int(label.time)) in self.given:
            return False
        self.given[label.name, int(label.time)] = np.array([[float(list(value).index(1))]])
        return True

    def spelled_out(self, surface: s.Surface | None) -> s.Surface | None:
        """A chain without products of new letters that its next link writes out in numbers; None where they do not agree."""
        if not isinstance(surface, s.Relation) or len(surface.items) < 3:
            return surface
        try:
            return spelled_out(surface, self.names.context.shapes)
        except BpttError:
            return None

    def _quantity(self, left: s.Surface) -> e.Timed | e.Var | None:
        """A quantity that may be given, at a fixed time."""
        if base_of(s.bare(left))[0] is None:
            return None
        try:
            node = elaborate(left, self.names.context)
        except BpttError:
            return None
        if isinstance(node, e.Var):
            return node if node.name in self.system.parameters else None
        if not isinstance(node, e.Timed):
            return None
        start = node in self.system.starts and node not in self.system.initial
        return node if start or (node.name in self.system.inputs and node.time.is_Integer) else None

    # -- what follows ----------------------------------------------------------------------------------

    @property
    def any(self) -> bool:
        """Whether something is given."""
        return bool(self.given)

    @property
    def length_of_numbers(self) -> int | None:
        """The length of the sequence whose inputs are all given as numbers."""
        times = {time for key, time in self.given if key in self.system.inputs and time is not None}
        return len(times) if times and times == set(range(1, len(times) + 1)) else None

    @property
    def zeros(self) -> tuple[e.Timed, ...]:
        """The starting values that the document says to be zero: h_0 = 0, and b_{T+1} = 0 for a state that runs backward."""

        def said(start: e.Timed) -> Array | None:
            return self.given.get((start.name, int(start.time))) if start.time.is_Integer else self.beyond.get(start)

        found = [(start, said(start)) for start in self.system.starts if start not in self.system.initial]
        return tuple(
            start for start, array in found if array is not None and not np.any(array) and start.name not in self.open
        )

    @property
    def start_from_zero(self) -> bool:
        """Whether the document says so for every state that the cell gives no start."""
        starts = [start for start in self.system.starts if start not in self.system.initial]
        return bool(starts) and len(self.zeros) == len(starts)

    def run(self, node: e.Node) -> Run:
        """The cell with these numbers, as far as a formula needs them: one without times asks for no sequence.

        Raises
        ------
        DataError : a number is missing, or two give different sizes.
        """
        sizes: dict[str, int] = {}
        for (key, _), array in self.given.items():
            for size, have in zip(self.system.shapes[key], array.shape, strict=True):
                if size.is_Symbol and array.size > 1 and sizes.setdefault(size.name, have) != have:
                    raise DataError(
                        f"{size.name} is {sizes[size.name]} and {have}", expected="one number for each size"
                    )
        for key, _ in self.given:
            for size in self.system.shapes[key]:
                if size.is_Symbol:
                    sizes.setdefault(size.name, 1)  # every array along it is a number
        times = [time for key, time in self.given if key in self.system.inputs and time is not None]
        length = self.length or max(times, default=0)
        if not node.has(e.Timed, e.Over, e.Derivative, e.Gradient) and all(
            leaf.name in self.system.parameters for leaf in node.atoms(e.Var)
        ):
            return replace(
                Run(self.system, {**sizes, "T": max(length, 1)}, {}, SmoothLoss(0), strict=True), given=self.given
            )
        if not length:
            raise DataError("nothing says how long the sequence is", expected="inputs such as x_1 = ..., or T = 2")
        run = Run(self.system, {**sizes, "T": length}, {}, SmoothLoss(0), strict=True)
        starts = {(start.name, int(start.time.subs(T, length))) for start in self.system.starts}
        beyond: dict[Point, Array] = {
            (start.name, int(start.time.subs(T, length))): array for start, array in self.beyond.items()
        }
        arrays: dict[Point, Array] = {**{point: np.zeros((1, 1)) for point in starts}, **beyond, **self.given}
        given = {point: a + np.zeros(run.shape(point[0])) if a.size == 1 else a for point, a in arrays.items()}
        return replace(run, given=given)

    def judge(self, relation: s.Relation) -> Verdict | None:
        """The verdict on a quantity's value; None where neither side is a number, or nothing was given."""
        if self.twice and any(closed_value(item) is not None for item in relation.items):
            return Verdict("unsupported", "tested", message="the document gives a quantity two different numbers")
        sign = relation.operators[0] if len(relation.operators) == 1 else ""
        if not self._leads_anywhere or sign not in ("=", "~", ":=", *COMPARED):
            return None
        left, right = (closed_value(item) for item in relation.items)
        try:
            context = self.sized(within(relation, self.names.context))
            if left is None and right is None and _matrices(relation):
                return self._compared(elaborate(relation, context))
            if sign in COMPARED and sign != "=":
                closed = (left is None) != (right is None)
                return self._ordered(sign, [elaborate(item, context) for item in relation.items]) if closed else None
            if left is not None and right is None:
                return self._judged(elaborate(relation.items[1], context), relation.items[0], _floats(left))
            if left is None and right is not None:
                return self._judged(elaborate(relation.items[0], context), relation.items[1], _floats(right))
            return None
        except ShapeError as error:
            return Verdict("wrong", "proved", message=error.message, hint=error.hint or "", error_at=error.span)
        except BpttError as error:
            return Verdict("unsupported", "tested", message=error.message)

    @property
    def _leads_anywhere(self) -> bool:
        """Whether the numbers say more than that the states start from zero, from which alone no value follows."""
        if not self.given:
            return False
        return not self.start_from_zero or len(self.given) > len(self.system.starts) or self.length is not None

    def _ordered(self, sign: str, sides: Sequence[e.Node]) -> Verdict:
        """The verdict on an inequality with the numbers given, entry by entry."""
        nodes = [self.names.plain(side) for side in sides]
        runs = [self.run(node) for node in nodes if node.atoms(e.Timed, e.Var)]
        left, right = (np.real(evaluated(node, self.names.environment(runs[0]), runs[0].sizes)) for node in nodes)
        pairs = zip(*(array.ravel() for array in np.broadcast_arrays(left, right)), strict=True)
        if all(COMPARED[sign](float(a), float(b)) for a, b in pairs):
            return Verdict("correct", "tested", points=1, holds=1)
        shown = Counterexample(runs[0].sizes, {}, left, right)
        message = "with the numbers given, it does not hold"
        return Verdict("wrong", "tested", points=1, message=message, counterexample=shown)

    def sized(self, context: Context) -> Context:
        """What formulas may use, with the sizes that are known by the numbers given. A number other than zero for a matrix says that it has
        one row and one column.
        """
        sizes = {
            size: Integer(have)
            for (key, _), array in self.given.items()
            for size, have in zip(self.system.shapes[key], array.shape, strict=True)
            if size.is_Symbol and (array.size > 1 or np.any(array))
        }
        shapes = {key: tuple(size.xreplace(sizes) for size in shape) for key, shape in context.shapes.items()}
        return replace(context, shapes=shapes, classes={key: n.xreplace(sizes) for key, n in context.classes.items()})

    def _compared(self, relation: e.Node) -> Verdict | None:
        """The verdict on two formulas in which matrices of numbers stand beside letters."""
        if not isinstance(relation, e.Relation):
            return None
        node = self.names.plain(relation)
        run = self.run(node)
        left, right = (
            np.real(evaluated(side, self.names.environment(run), run.sizes)) for side in (node.lhs, node.rhs)
        )
        error = relative_difference(*np.broadcast_arrays(left, right))
        if error <= EXACT:
            return Verdict("correct", "tested", points=1, holds=1, error=error)
        if error <= ROUGH:
            message = f"the sides agree to {error:.1e}, so that it is a matter of rounding in between"
            return Verdict("unsupported", "tested", points=1, error=error, message=message)
        shown = Counterexample(run.sizes, {}, left, right)
        return Verdict("wrong", "tested", points=1, error=error, counterexample=shown)

    def _judged(self, formula: e.Node, shown: s.Surface, value: Array) -> Verdict:
        node = self.names.plain(formula)
        run = self.run(node)
        computed = np.real(evaluated(node, self.names.environment(run), run.sizes))
        units = np.array(shown_units(elaborate(shown), value.shape), dtype=float).reshape(value.shape)
        turned = value.T.shape == computed.shape != value.shape and min(value.shape) > 1
        if turned:
            value, units = value.T, units.T
        fitted = _fitted(value, computed.shape)
        if fitted is None:
            message = f"the sides have the shapes {_by(computed.shape)} and {_by(value.shape)}"
            return Verdict("wrong", "tested", points=1, message=message)
        room = units if units.size == 1 else units.reshape(computed.shape)
        error = float(np.max(np.abs(computed - fitted) / np.maximum(np.abs(computed), 1e-12), initial=0.0))
        rounding = 1e-9 * np.maximum(np.abs(computed), np.abs(fitted)) + 1e-15
        if np.all(np.abs(computed - fitted) <= np.maximum(room / 2 * (1 + 1e-9), rounding)):
            if not np.any(fitted) and np.any(np.abs(computed) > rounding):
                return Verdict("unsupported", "tested", points=1, error=error, message=NO_DIGIT)
            return Verdict("layout" if turned else "correct", "tested", points=1, holds=1, error=error)
        counterexample = Counterexample(run.sizes, {}, computed, fitted)
        message = f"with the numbers given, the value is {_rounded(computed, room)}"
        if len(_matrices(shown)) > 1:
            message = (
                f"with the numbers given, one side is {_rounded(computed, room)}, the other {_rounded(fitted, room)}"
            )
        return Verdict("wrong", "tested", points=1, error=error, message=message, counterexample=counterexample)


def closed_value(surface: s.Surface) -> sp.Matrix | None:
    """The value of a formula made of numbers alone; None for any other."""
    if not is_closed(surface):
        return None
    try:
        value = value_of(elaborate(surface))
        return value if all(abs(entry) < LARGEST for entry in value) else None
    except (BpttError, ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return None


def _floats(value: sp.Matrix) -> Array:
    return np.array(value.tolist(), dtype=float)


def is_closed(surface: s.Surface) -> bool:
    """Whether a formula is made of numbers alone."""
    return not any(isinstance(node, (s.Name, s.Accent)) for node in surface.walk() if not _is_word(node))


def _is_literal(node: s.Surface) -> bool:
    """Whether a formula is a number or a matrix of numbers as they stand."""
    return all(isinstance(part, (s.Number, s.Matrix, s.Sum, s.Bracket)) for part in node.walk())


def _is_list(node: s.Surface) -> bool:
    return isinstance(node, s.Bracket) and node.kind == "[" and len(node.items) > 1 and node.separator == ","


def _matrices(shown: s.Surface) -> list[s.Surface]:
    return [node for node in shown.walk() if isinstance(node, s.Matrix)]


def _is_word(node: s.Surface) -> bool:
    return isinstance(node, s.Name) and len(node.text) > 1


def _fitted(array: Array, shape: Sequence[int | Expr]) -> Array | None:
    """An array in a shape, with a vector turned if need be; None if it has another."""
    if len(shape) != 2:
        return None
    if array.size == 1:
        return array
    known = [int(size) if not isinstance(size, Expr) or size.is_Integer else None for size in shape]
    if all(size in (None, have) for size, have in zip(known, array.shape, strict=True)):
        return array
    turned = array.T
    if 1 in array.shape and all(size in (None, have) for size, have in zip(known, turned.shape, strict=True)):
        return turned
    return None


def _soon(surface: s.Surface) -> sp.Matrix | None:
    """The value of a formula without quantities; None where it has none, or takes too long."""
    try:
        with limited(SOON):
            return closed_value(surface)
    except TooLong:
        return None


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _rounded(value: Array, room: Array) -> str:
    digits = int(max(0, min(12, -np.floor(np.log10(max(float(np.min(room)), 1e-12))))))
    return np.array2string(value, precision=digits + 1, suppress_small=True, threshold=20).replace("\n", "")


__all__ = ["Values", "closed_value", "is_closed"]
