"""Random sizes, lengths and values for a system."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sympy import Basic, Expr, Integer

from derive import expressions as e
from derive.cell_text import Range
from derive.errors import DataError
from derive.notation.infer import base_letter
from derive.system import RecurrentSystem, T
from numeric.functions import Array
from numeric.losses import SmoothLoss
from numeric.simulate import Point, Run
from numeric.trees import Tree, places_in, random_tree

_POSITIVE = ("epsilon", "varepsilon")
"""Letters of small positive constants, as in the denominators of normalisations."""

MAX_SIZE = 500
"""Largest size of an array that is drawn."""


@dataclass(frozen=True)
class Draw:
    """One random instance of a system."""

    sizes: dict[str, int]
    given: dict[Point, Array]
    loss: SmoothLoss
    tree: Tree | None = None


def draw(
    system: RecurrentSystem,
    seed: int,
    length: int | None = None,
    largest: int = 6,
    scale: float = 0.8,
    fixed: Mapping[str, int] | None = None,
    tree: Tree | None = None,
) -> Draw:
    """Sizes that all differ (``fixed`` ones as given), a length, and values for parameters, inputs, targets and
    starting values; for a cell over trees, a random tree unless one is given.
    """
    generator = np.random.default_rng([seed, 20_181_122])
    sizes = {**_sizes(system, generator, largest), **(fixed or {})}
    drawn_length = int(generator.integers(1, 7))
    sizes["T"] = (fixed or {}).get("T", length if length is not None else drawn_length)
    if tree is not None:
        sizes["T"] = len(tree.parents)
    values = _values(system, sizes, generator, scale)
    return Draw(sizes, values, SmoothLoss(seed), tree or _tree(system, sizes["T"], generator))


def _tree(system: RecurrentSystem, length: int, generator: np.random.Generator) -> Tree | None:
    formulas = [q.rhs for q in system.steps]
    return (
        None
        if system.tree is None
        else random_tree(length, generator, max(2, places_in(formulas)) if places_in(formulas) else 0)
    )


def _sizes(system: RecurrentSystem, generator: np.random.Generator, largest: int) -> dict[str, int]:
    names = sorted({str(symbol) for shape in system.shapes.values() for size in shape for symbol in size.free_symbols})
    choices = generator.permutation(np.arange(2, max(largest, len(names) + 2) + 1))
    return {name: int(size) for name, size in zip(names, choices, strict=False)}


def number(value: Expr, sizes: Mapping[str, int]) -> int:
    """A size in numbers.

    Raises
    ------
    DataError : it was declared as a number, and arrays of that size are not measured.
    """
    found = int(value.xreplace({symbol: Integer(sizes[symbol.name]) for symbol in value.free_symbols}))
    if found > MAX_SIZE:
        raise DataError(
            f"a declared size of {found:,} is too large to be measured",
            expected=f"at most {MAX_SIZE:,}, or a letter such as n",
        )
    return found


def exist(system: RecurrentSystem, sizes: Mapping[str, int]) -> bool:
    """Whether no quantity has a negative size with these numbers, as one of n - 2 rows has where n = 1."""
    return all(number(size, sizes) >= 0 for shape in system.shapes.values() for size in shape)


def _values(
    system: RecurrentSystem, sizes: dict[str, int], generator: np.random.Generator, scale: float
) -> dict[Point, Array]:
    given: dict[Point, Array] = {}

    def sample(key: str) -> Array:
        shape = tuple(number(size, sizes) for size in system.shapes[key])
        if min(shape) < 0:
            raise DataError(f"{key} has a negative size", expected="positive sizes, or letters such as n")
        values = generator.normal(size=shape) * scale
        if key in system.text.unit_sums:
            return np.exp(values) / np.sum(np.exp(values))
        return within(values, system.text.ranges.get(key))

    divisors = {
        below.name
        for q in system.steps
        for node in q.rhs.atoms(e.Divide)
        for below in node.operands[1:]
        if isinstance(below, e.Var)
    }
    under_roots = {
        node.argument.name
        for q in system.steps
        for node in q.rhs.atoms(e.Apply)
        if node.function in ("sqrt", "log") and isinstance(node.argument, e.Var)
    }
    for key in system.parameters:
        value = sample(key)
        if key in divisors:
            value = value + np.where(value < 0, -1.0, 1.0)  # not near zero, where every quotient is badly conditioned
        positive = (base_letter(key) in _POSITIVE or key in under_roots) and key not in system.text.ranges
        given[(key, None)] = np.abs(value) + 0.1 if positive else value
    for key in system.inputs:
        for time in range(1, sizes["T"] + 1):
            given[(key, time)] = _label(system, key, sizes, generator) if key in system.labels else sample(key)
    for start in system.starts:
        if start in system.initial:
            continue
        given[(start.name, number(start.time, sizes))] = sample(start.name)
    return given


def within(values: Array, limits: Range | None) -> Array:
    """Normal values carried into a range: by the logistic function between two bounds, by exp(x) beside one."""
    if limits is None:
        return values
    low, high = (None if bound is None else float(bound) for bound in (limits.low, limits.high))
    if low is not None and high is not None:
        return low + (high - low) / (1.0 + np.exp(-values))
    return low + np.exp(values) if low is not None else float(high or 0.0) - np.exp(values)


def _label(system: RecurrentSystem, key: str, sizes: dict[str, int], generator: np.random.Generator) -> Array:
    """An integer below the size of the one-hot vector that it selects in."""
    size = number(system.classes[key], sizes)
    return np.array([[float(generator.integers(size))]])


def farthest(formula: e.Node) -> int:
    """The largest number that the times, bounds and conditions on times of a formula hold: sequences must be longer."""
    parts: list[Basic] = [leaf.time for leaf in formula.atoms(e.Timed)]
    parts += [bound for stretch in formula.atoms(e.OverTime) for bound in (stretch.lower, stretch.upper)]
    scalars = [number.value for number in formula.atoms(e.Scalar)]
    parts += [value for value in scalars if any(s == T or not s.is_positive for s in value.free_symbols)]
    return max((abs(int(n)) for part in parts for n in part.atoms(Integer)), default=0)


def run_of(system: RecurrentSystem, drawn: Draw, strict: bool = False) -> Run:
    """The forward run of a draw; ``strict``: quantities that do not exist are errors, not zero."""
    return Run(system, drawn.sizes, drawn.given, drawn.loss, strict=strict, tree=drawn.tree).forward()


def starting_from_zero(system: RecurrentSystem, drawn: Draw, only: Collection[e.Timed] | None = None) -> Draw:
    """The same draw with all starting values that the cell does not give at zero, or with some of them."""
    chosen = [start for start in system.starts if start not in system.initial and (only is None or start in only)]
    starts: set[Point] = {(start.name, number(start.time, drawn.sizes)) for start in chosen}
    zero: dict[Point, Array] = {point: np.zeros_like(value) for point, value in drawn.given.items() if point in starts}
    return replace(drawn, given={**drawn.given, **zero})
