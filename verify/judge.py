"""Is a formula about a cell true? Both sides are evaluated at random points, sizes and times, against a truth that uses
nothing symbolic.

Derivatives in the formula get their values from the unrolled system by the complex step (:mod:`numeric.truth`), so a
claim is held against what its symbols mean, not against what the engine derives. A formula that canonical forms prove
needs no draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from derive import expressions as e
from derive.errors import BpttError, UsageError
from derive.normal import equal
from derive.system import RecurrentSystem
from numeric.compare import relative_difference
from numeric.draws import farthest
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import OutOfRange
from verify.instances import WIDE, Trial, instance, instances, is_wide

TOLERANCE = 1e-10
"""Largest relative difference at which two sides count as equal; the truth is exact to about 1e-14."""

IMMEDIATE = "∂ of a state by a parameter inside the sum is the immediate derivative ∂⁺"
TURNED = "∏ has the factor of the lowest index on the left"
ZERO_START = "the states start from zero"
"""The readings that are tried beside the formula as it stands."""

LEAST_NUMBER, LARGEST_NUMBER = 1e-6, 1000
"""Numbers outside these are not tried by evaluation: what they add disappears in rounding, or no value comes near them."""
LONGEST = 40
"""The longest sequence on which a formula is tried."""


@dataclass(frozen=True)
class Reading:
    """A way to read a formula: ``name`` is empty where it is taken as printed."""

    name: str
    relation: e.Relation
    zero_start: bool = False


@dataclass(frozen=True)
class Counterexample:
    """A point at which the two sides differ."""

    sizes: Mapping[str, int]
    times: Mapping[str, int]
    left: Array
    right: Array

    def __str__(self) -> str:
        where = ", ".join(f"{k} = {v}" for k, v in {**self.sizes, **self.times}.items())
        return f"at {where}: left {_show(self.left)}, right {_show(self.right)}"


def _show(value: Array) -> str:
    flat = np.real(np.asarray(value))
    return (
        f"{float(flat.ravel()[0]):.4g}"
        if flat.size == 1
        else np.array2string(flat, precision=3, threshold=12, separator=", ").replace("\n", "")
    )


@dataclass(frozen=True)
class Verdict:
    """What was found about a formula.

    Parameters
    ----------
    verdict  : ``correct``, ``layout`` (right if transposed), ``wrong`` or ``unsupported``.
    evidence : ``proved``, ``tested`` or ``definition``.
    reading  : how the formula had to be read; empty where it holds as printed.
    points   : how many points were evaluated.
    holds    : at how many of them the two sides agree.
    error    : the median relative difference of the two sides over the points at which they differ.
    tried    : the verdicts on all readings that were tried, in their order, where the formula has more than one.
    """

    verdict: str
    evidence: str
    reading: str = ""
    points: int = 0
    holds: int = 0
    error: float = 0.0
    counterexample: Counterexample | None = None
    message: str = ""
    tried: tuple[Verdict, ...] = ()


def readings(relation: e.Relation, system: RecurrentSystem) -> Iterator[Reading]:
    """The formula as printed, then with the double meanings that authors use.

    ∂(state_k)/∂(parameter) inside a sum over k is immediate; a product over an index has its first factor on the left;
    the states start from zero, where the cell does not say from what.
    """
    yield Reading("", relation)
    changed = _immediate_in_sums(relation, system)
    if changed != relation and isinstance(changed, e.Relation):
        yield Reading(IMMEDIATE, changed)
    turned = _first_factor_left(relation)
    if turned != relation and isinstance(turned, e.Relation):
        yield Reading(TURNED, turned)
    given = {start.name for start in system.initial}
    if any(leaf.name in system.states and leaf.name not in given for leaf in relation.atoms(e.Timed)):
        yield Reading(ZERO_START, relation, zero_start=True)


def _first_factor_left(node: e.Node) -> e.Node:
    """Products of matrices over an index in the other order; the notation leaves open which end stands on the left."""
    if not node.operands:
        return node
    inside = node.with_operands([_first_factor_left(operand) for operand in node.operands])
    if isinstance(inside, e.ProductOver) and not inside.is_scalar:
        body = e.reindexed(inside.body, {inside.index: inside.lower + inside.upper - inside.index})
        return e.ProductOver(inside.index, inside.lower, inside.upper, body)
    return inside


def _immediate_in_sums(node: e.Node, system: RecurrentSystem) -> e.Node:
    """Mark ∂s_k/∂W as immediate inside sums over k, where s_k is a state and W a parameter."""

    def mark(part: e.Node, bound: frozenset[str]) -> e.Node:
        if (
            isinstance(part, e.Derivative)
            and not part.immediate
            and isinstance(part.of, e.Timed)
            and isinstance(part.by, e.Var)
        ):
            over = {str(symbol) for symbol in part.of.time.free_symbols}
            if part.of.name in system.states and part.by.name in system.parameters and over & bound:
                return e.Derivative(part.of, part.by, "immediate")
            return part
        if not part.operands:
            return part
        inside = bound | {part.index.name} if isinstance(part, e.OverTime) else bound
        return part.with_operands([mark(operand, inside) for operand in part.operands])

    return mark(node, frozenset())


def judge(
    system: RecurrentSystem,
    relation: e.Relation,
    draws: int = 12,
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
) -> Verdict:
    """The verdict on one equation about a cell.

    Parameters
    ----------
    sizes : sizes to hold fixed (n = 1: is the formula true in the scalar case?).

    Raises
    ------
    UsageError : it is no equation or relation.
    """
    if not isinstance(relation, e.Relation):
        raise UsageError(
            f"{relation} is not an equation, so it is neither right nor wrong", expected="left side = right side"
        )
    if len(relation.items) > 2:
        return _chain(system, relation, draws, seed, sizes or {})
    if relation.operators != ("=",):
        return Verdict("unsupported", "tested", message=f"only equations are decided, not '{relation.operators[0]}'")
    if is_definition(system, relation):
        return Verdict("correct", "definition")
    if equal(relation.lhs, relation.rhs):
        return Verdict("correct", "proved")
    hidden = untried(relation, *(q.rhs for q in system.equations))
    if hidden:
        return Verdict("unsupported", "tested", message=hidden)
    tried: list[Verdict] = []
    for reading in readings(relation, system):
        trial = Trial(draws, seed, tuple(sorted((sizes or {}).items())), reading.zero_start)
        found = replace(_measured(system, reading.relation, trial), reading=reading.name)
        useless = reading.zero_start and found.verdict == "wrong"
        if found.verdict == "correct" and not reading.relation.atoms(e.Timed, e.Var):
            message = "it speaks of numbers alone, which are not told from rounding by trying"
            found = Verdict("unsupported", "tested", message=message)
        if not useless and not any(_says_the_same(found, before) for before in tried):
            tried.append(found)
        if found.verdict != "wrong":
            break
    if (
        tried[-1].verdict == "wrong"
        and isinstance(relation.lhs, (e.Derivative, e.Gradient))
        and _is_square(relation.rhs)
    ):
        for reading in readings(relation, system):
            turned = e.Relation("=", reading.relation.lhs, e.Transpose(reading.relation.rhs))
            trial = Trial(draws, seed, tuple(sorted((sizes or {}).items())), reading.zero_start)
            transposed = _measured(system, turned, trial)
            if transposed.verdict == "correct":
                return replace(transposed, verdict="layout", reading=reading.name)
    best = tried[-1] if tried[-1].verdict != "wrong" else min(tried, key=lambda found: found.error)
    return replace(best, tried=tuple(tried) if len(tried) > 1 else ())


def _is_square(node: e.Node) -> bool:
    return not node.is_scalar and len(node.shape) == 2 and node.shape[0] == node.shape[1]


def untried(*formulas: e.Node) -> str:
    """Why formulas cannot be told from others by trying: numbers that rounding hides, or that lie beyond the values that
    are tried. Empty where there are none.
    """
    for node in sorted({node for formula in formulas for node in _closed_parts(formula)}, key=str):
        size = _size(node)
        if 0 < size < LEAST_NUMBER:
            return f"{node} is too small to be told from rounding; call it by a letter, such as \\epsilon"
        if size > LARGEST_NUMBER:
            return f"{node} is beyond the values that are tried, which are below {LARGEST_NUMBER}"
    return ""


def _closed_parts(node: e.Node) -> Iterator[e.Node]:
    """The parts of a formula that are numbers, and hold no quantity."""
    for part in e.children_first(node):
        if isinstance(part, e.Node) and part.is_scalar and not part.free_symbols and not part.has(e.Timed, e.Var):
            yield part


def _size(node: e.Node) -> float:
    try:
        with np.errstate(all="ignore"):
            value = abs(float(np.real(Evaluator(None, {})(node)).ravel()[0]))  # type: ignore[arg-type]
    except (BpttError, AttributeError, OverflowError, ValueError, IndexError):
        return 1.0
    return value if np.isfinite(value) else float("inf")


def _says_the_same(found: Verdict, before: Verdict) -> bool:
    """Whether another reading made no difference, as turning a product of factors that commute does."""
    same = (found.verdict, found.points, found.holds) == (before.verdict, before.points, before.holds)
    return same and abs(found.error - before.error) <= 1e-9 * before.error


def _chain(system: RecurrentSystem, relation: e.Relation, draws: int, seed: int, sizes: Mapping[str, int]) -> Verdict:
    """The verdict on a = b = c: the first link that does not hold, or else the last."""
    found = Verdict("unsupported", "tested")
    for position, operator in enumerate(relation.operators):
        link = e.Relation(operator, *relation.items[position : position + 2])
        found = judge(system, link, draws, seed, sizes)
        if found.verdict != "correct":
            return replace(found, message=found.message or f"link {position + 1} of the chain does not hold")
    return found


def is_definition(system: RecurrentSystem, relation: e.Relation) -> bool:
    """Whether an equation only restates an equation of the cell, or itself."""
    if relation.lhs == relation.rhs:
        return True
    known = (q for q in (*system.equations, *system.steps) if q.lhs == relation.lhs)
    return any(relation.rhs == q.rhs or equal(relation.rhs, q.rhs) for q in known)


def _measured(system: RecurrentSystem, relation: e.Relation, trial: Trial) -> Verdict:
    errors: list[float] = []
    undefined = 0
    worst: tuple[float, Counterexample] | None = None
    far = farthest(relation)
    if far + 3 > LONGEST:
        return Verdict("unsupported", "tested", message=f"it speaks of times {far} steps apart, which is not tried")
    wide = max([WIDE, *(1.5 * size for size in map(_size, _closed_parts(relation)) if size < 2 * LARGEST_NUMBER)])
    for number in range(trial.draws):
        drawn, run = instance(system, trial, number, far, wide)
        for times in instances(relation, run, np.random.default_rng([trial.seed + number, 3])):
            try:
                with np.errstate(all="ignore"):  # what is not finite is counted below
                    left, right = (Evaluator(run, drawn.sizes, times)(side) for side in (relation.lhs, relation.rhs))
            except OutOfRange:
                continue
            except BpttError as error:
                return Verdict("unsupported", "tested", message=error.message)
            left, right = np.broadcast_arrays(left, right)
            if not (np.all(np.isfinite(left)) and np.all(np.isfinite(right))):
                undefined += not is_wide(number, wide)
                continue
            gap = relative_difference(left, right)
            errors.append(gap)
            if worst is None or gap > worst[0]:
                worst = (gap, Counterexample(drawn.sizes, times, left, right))
    if not errors:
        why = "a side is not a finite number" if undefined else "there is no point at which every quantity in it exists"
        return Verdict("unsupported", "tested", message=why)
    if undefined:
        return Verdict(
            "unsupported", "tested", points=len(errors), message=f"a side is not a finite number at {undefined} points"
        )
    apart = [error for error in errors if error > TOLERANCE]
    if not apart:
        return Verdict("correct", "tested", points=len(errors), holds=len(errors), error=max(errors))
    counterexample = worst[1] if worst else None
    return Verdict(
        "wrong",
        "tested",
        points=len(errors),
        holds=len(errors) - len(apart),
        error=float(np.median(apart)),
        counterexample=counterexample,
    )
