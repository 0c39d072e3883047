"""The numbers in a formula: which of them trying cannot tell from others, and at which sizes it must be tried because of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy as sp

from derive import expressions as e
from derive.errors import BpttError
from numeric.compare import relative_difference
from numeric.draws import farthest
from numeric.evaluate import Environment, Evaluator
from verify.closed import value_of
from verify.evaluated import evaluated
from verify.instances import Trial, instance, instances
from verify.names import Names

LEAST_NUMBER, LARGEST_NUMBER = 1e-6, 1000
"""Numbers outside these are not tried by evaluation: what they add disappears in rounding, or no value comes near them."""
NEAR = 1e-7
"""A number that differs from a simpler one by no larger share than this cannot be told from it by trying."""
SIMPLE = 100
"""The largest denominator of a simple number."""
MOST_DIGITS = 10**9
"""What the last digit of a number is worth at least, as the inverse of a share, where trying can see it."""
LARGEST_SIZE, MOST_SIZES = 24, 16
"""The largest size at which a formula is tried, and the most sizes that are tried one by one."""
DISTINCT = 1e-8
"""Relative differences above this are seen."""


# -- numbers that make no difference ---------------------------------------------------------------------


def immaterial(names: Names, relation: e.Relation, trial: Trial) -> str:
    """Why a formula that agrees at all points is not right for that: a number in it makes no difference that could be seen, since
    rounding swallows it, or a function is flat where it is looked at. Empty where every number matters.
    """
    numbers = {
        node
        for node in relation.atoms(e.Scalar)
        if node.value.is_number and node.value != 0 and not 0.1 <= abs(node.value) <= 10
    }
    if not numbers:
        return ""
    far = farthest(relation)
    for number in range(2):
        drawn, run = instance(names.system, trial, number, far)
        environment = names.environment(run)
        generator = np.random.default_rng([trial.seed + number, 3])
        for times in instances(relation, run, generator, names, trial.conditions):
            for one in sorted(numbers, key=str):
                other = relation.xreplace({one: e.Scalar(one.value * 2)})
                if _differs(relation, other, environment, drawn.sizes, times):
                    numbers.discard(one)
        if not numbers:
            return ""
    return f"the number {min(map(str, numbers))} makes no difference that could be seen by trying"


def _differs(
    one: e.Relation, other: e.Relation, environment: Environment, sizes: Mapping[str, int], times: Mapping[str, int]
) -> bool:
    """Whether a side of two relations is not the same at a point; where one has no value, it is."""
    try:
        for a, b in zip(one.items, other.items, strict=True):
            before, after = (evaluated(side, environment, sizes, times) for side in (a, b))
            if before.shape != after.shape or relative_difference(before, after) > DISTINCT:
                return True
    except BpttError:
        return True
    return False


def untried(*formulas: e.Node) -> str:
    """Why formulas cannot be told from others by trying: numbers that rounding hides, or that lie beyond the values that
    are tried. Empty where there are none.
    """
    for node in sorted({node for formula in formulas for node in closed_parts(formula)}, key=str):
        size = size_of(node)
        if 0 < size < LEAST_NUMBER:
            return _too_small(node)
        if size > LARGEST_NUMBER:
            return f"{node} is beyond the values that are tried, which are below {LARGEST_NUMBER}"
    return ""


def _too_small(node: object) -> str:
    return f"{node} is too small to be told from rounding; call it by a letter, such as \\epsilon"


# -- numbers that trying takes for others ----------------------------------------------------------------


def indistinct(formula: e.Node) -> str:
    """Why a formula that holds wherever it is tried may be false for all that: a number in it is so near to a simpler one, or to zero,
    that trying does not tell them apart. Empty where there is none.
    """
    for part in sorted(set(closed_parts(formula)), key=str):
        reason = _nearby(str(part), _exact(part), size_of(part))
        if reason:
            return reason
    for scalar in sorted(formula.atoms(e.Scalar), key=str):
        for number in scalar.value.atoms(sp.Rational) if scalar.value.free_symbols else ():
            reason = _nearby(str(number), number, abs(float(number)))
            if reason:
                return reason
    return ""


def _exact(part: e.Node) -> sp.Expr | None:
    """The exact value of a number; None where it has none that is known."""
    try:
        return value_of(part)[0, 0]
    except (BpttError, ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return None


def _nearby(shown: str, exact: sp.Expr | None, size: float) -> str:
    """Why a number is not told from another one; ``size`` is its absolute value, as near as it can be computed."""
    if exact == 0 or not np.isfinite(size):
        return ""
    if size < LEAST_NUMBER:
        return _too_small(shown)
    simple = sp.Rational(size).limit_denominator(SIMPLE)
    gap = sp.Integer(1) if exact is None else abs(exact) - simple
    apart = gap != 0 and (gap.is_Rational or sp.simplify(gap) != 0)
    if apart and abs(size - float(simple)) <= NEAR * size:
        return f"{shown} cannot be told from {simple if exact is None or exact > 0 else -simple} by trying"
    if exact is not None and exact.is_Rational and exact.q * size > MOST_DIGITS:
        return f"{shown} has more digits than trying can see"
    return ""


def closed_parts(node: e.Node) -> Iterator[e.Node]:
    """The parts of a formula that are numbers, and hold no quantity."""
    for part in e.children_first(node):
        if isinstance(part, e.Node) and part.is_scalar and not part.free_symbols and not part.has(e.Timed, e.Var):
            yield part


def size_of(node: e.Node) -> float:
    """The absolute value of a number; nan where it has none, infinite where it is too large."""
    try:
        with np.errstate(all="ignore"):
            value = abs(float(np.real(Evaluator(None, {})(node)).ravel()[0]))  # type: ignore[arg-type]
    except (BpttError, AttributeError, OverflowError, ValueError, IndexError):
        return float("nan")
    return value if np.isfinite(value) else float("inf")


# -- sizes -----------------------------------------------------------------------------------------------


def sizes_to_try(formula: e.Node, fixed: Mapping[str, int]) -> tuple[list[dict[str, int]], str]:
    """Sizes at which a formula that computes with sizes must be tried: so many that no polynomial in it vanishes at all of them, those at
    and around the numbers that it compares them with, and all sizes equal. And why these are not all there are; empty where they are.
    """
    scalars = formula.atoms(e.Scalar)
    names = {
        symbol.name
        for scalar in scalars
        for symbol in scalar.value.free_symbols
        if symbol.is_positive and symbol.is_Symbol and symbol.name not in fixed
    }
    found: list[dict[str, int]] = []
    for name in sorted(names):
        values = {number + step for number in _compared(formula, name) for step in (-1, 0, 1) if number + step > 0}
        values |= set(range(1, min(_degree(formula, name), LARGEST_SIZE) + 2))
        if max(values) > LARGEST_SIZE or len(values) > MOST_SIZES:
            return [], f"it speaks of a {name} that is not tried"
        found += [{name: value} for value in sorted(values)]
    return found + ([dict.fromkeys(sorted(names), 3)] if len(names) > 1 else []), ""


def _compared(formula: e.Node, name: str) -> set[int]:
    """The numbers beside a size in conditions, and in functions that are no polynomials of it."""
    parts = [
        *(node for node in formula.atoms(e.Scalar) if not node.value.is_polynomial(*node.value.free_symbols)),
        *formula.atoms(e.Apply, e.Extreme),
    ]
    values = [
        scalar.value
        for part in parts
        if part.is_scalar and any(symbol.name == name for symbol in part.free_symbols if symbol.is_Symbol)
        for scalar in part.atoms(e.Scalar)
    ]
    return {abs(int(number)) for value in values for number in value.atoms(sp.Integer)}


def _degree(node: e.Node, name: str) -> int:
    """The largest degree that a formula may have in a size, as a polynomial; what is no polynomial counts by its letters."""
    if isinstance(node, e.Scalar):
        letters = [symbol for symbol in node.value.free_symbols if symbol.name == name]
        if not letters:
            return 0
        whole = node.value.is_polynomial(letters[0])
        return int(sp.degree(node.value, letters[0])) if whole else node.value.count(letters[0])
    inside = [_degree(part, name) for part in node.operands]
    if isinstance(node, e.Power) and isinstance(node.exponent, e.Scalar) and node.exponent.value.is_Integer:
        return inside[0] * abs(int(node.exponent.value))
    return max(inside, default=0) if isinstance(node, e.Plus) else sum(inside)


__all__ = ["closed_parts", "immaterial", "indistinct", "size_of", "sizes_to_try", "untried"]
