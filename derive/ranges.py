"""In which interval every entry of a quantity lies, whatever the parameters and inputs are: interval arithmetic over a
cell's equations.

>>> from derive.cell import cell
>>> [(key, str(interval)) for key, interval in ranges(cell("lstm")).items() if interval.positive]
[('f', '(0, 1)'), ('i', '(0, 1)'), ('o', '(0, 1)')]
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, Max, Min, oo

from derive import expressions as e
from derive.system import RecurrentSystem


@dataclass(frozen=True)
class Interval:
    """Values between two bounds; an open end is not reached."""

    low: Expr
    high: Expr
    low_open: bool = True
    high_open: bool = True

    @property
    def positive(self) -> bool:
        """Whether every value is above zero."""
        return bool(self.low > 0) or (self.low == 0 and self.low_open)

    def __str__(self) -> str:
        left = "(" if self.low_open or self.low == -oo else "["
        right = ")" if self.high_open or self.high == oo else "]"
        return f"{left}{_shown(self.low)}, {_shown(self.high)}{right}"


def _shown(value: Expr) -> str:
    return {oo: "∞", -oo: "-∞"}.get(value, str(value))


EVERYTHING = Interval(-oo, oo)


def ranges(system: RecurrentSystem) -> dict[str, Interval]:
    """The interval of every defined quantity of a cell, in the order of its equations; states of earlier steps may be
    anything.
    """
    known: dict[str, Interval] = {}
    for equation in system.steps:
        known[equation.key] = _interval(equation.rhs, system, known)
    return {q.key: known[q.key] for q in system.equations}


def _interval(node: e.Node, system: RecurrentSystem, known: dict[str, Interval]) -> Interval:
    if isinstance(node, e.Scalar) and node.value.is_number:
        return Interval(node.value, node.value, False, False)
    if isinstance(node, e.Ones):
        return Interval(Integer(1), Integer(1), False, False)
    if isinstance(node, e.Zero):
        return Interval(Integer(0), Integer(0), False, False)
    if isinstance(node, e.Timed):
        return known.get(node.name, EVERYTHING) if node.time == system.time else EVERYTHING
    if isinstance(node, e.Softmax):
        return Interval(Integer(0), Integer(1))
    if isinstance(node, e.Norm):
        return Interval(Integer(0), oo, False)
    if isinstance(node, e.Apply) and node.declaration is not None and node.order == 0:
        return Interval(*node.declaration.range, low_open=node.function not in ("relu", "abs"))
    inside = [_interval(operand, system, known) for operand in node.operands]
    if isinstance(node, e.Extreme):
        of = Max if node.kind == "max" else Min
        return Interval(of(*(part.low for part in inside)), of(*(part.high for part in inside)), False, False)
    if isinstance(node, e.Neg):
        return Interval(-inside[0].high, -inside[0].low, inside[0].high_open, inside[0].low_open)
    if isinstance(node, e.Plus):
        return _total(inside)
    if isinstance(node, e.Hadamard) or (
        isinstance(node, e.Times) and all(operand.is_scalar for operand in node.operands)
    ):
        result = inside[0]
        for interval in inside[1:]:
            result = _product(result, interval)
        return result
    if isinstance(node, e.Power) and isinstance(node.exponent, e.Scalar) and node.exponent.value.is_even:
        return Interval(Integer(0), oo, False)
    return EVERYTHING


def _total(parts: list[Interval]) -> Interval:
    low: Expr = sum((part.low for part in parts), Integer(0))
    high: Expr = sum((part.high for part in parts), Integer(0))
    return Interval(low, high, any(part.low_open for part in parts), any(part.high_open for part in parts))


def _product(a: Interval, b: Interval) -> Interval:
    corners = [(_times(x, y), x_open or y_open) for x, x_open in _ends(a) for y, y_open in _ends(b)]
    low, high = Min(*(value for value, _ in corners)), Max(*(value for value, _ in corners))
    low_open = all(is_open for value, is_open in corners if value == low)
    high_open = all(is_open for value, is_open in corners if value == high)
    return Interval(low, high, low_open, high_open)


def _ends(interval: Interval) -> tuple[tuple[Expr, bool], tuple[Expr, bool]]:
    return (interval.low, interval.low_open), (interval.high, interval.high_open)


def _times(x: Expr, y: Expr) -> Expr:
    """The product of two bounds; zero times infinity is zero, since the bound itself is a finite number's."""
    return Integer(0) if x == 0 or y == 0 else x * y
