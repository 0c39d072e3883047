"""Is a formula about a cell true? Both sides are evaluated at random points, sizes and times, against a truth that uses
nothing symbolic.

Derivatives in the formula get their values from the unrolled system by the complex step (:mod:`numeric.truth`), so a
claim is held against what its symbols mean, not against what the engine derives. A formula that canonical forms prove
needs no draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from derive import expressions as e
from derive.errors import BpttError, UsageError
from derive.normal import equal
from derive.system import RecurrentSystem
from numeric.compare import relative_difference
from numeric.draws import Draw, draw, farthest, run_of, starting_from_zero
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import OutOfRange, Run

TOLERANCE = 1e-10
"""Largest relative difference at which two sides count as equal; the truth is exact to about 1e-14."""

IMMEDIATE = "∂ of a state by a parameter inside the sum is the immediate derivative ∂⁺"
TURNED = "∏ has the factor of the lowest index on the left"
ZERO_START = "the states start from zero"
"""The readings that are tried beside the formula as it stands."""

LEAST_NUMBER, LARGEST_NUMBER = 1e-6, 1000
"""Numbers outside these are not tried by evaluation: what they add disappears in rounding, or no value comes near them."""
WIDE = 4.0
"""The scale of every sixth draw; larger where a formula holds larger numbers, so that values come near them."""
LONGEST = 40
"""The longest sequence on which a formula is tried."""


@dataclass(frozen=True)
class Reading:
    """A way to read a formula: ``name`` is empty where it is taken as printed."""

    name: str
    relation: e.Relation
    zero_start: bool = False


@dataclass(frozen=True)
class Trial:
    """How a formula is tried: so many draws from a seed, with some sizes held fixed; ``zero_start``: h_0 = 0."""

    draws: int
    seed: int
    sizes: tuple[tuple[str, int], ...] = ()
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


def is_wide(number: int, wide: float) -> bool:
    """Every sixth draw has large values, at which functions are far from linear; every second, where a formula holds
    large numbers.
    """
    return number % 6 == 5 if wide == WIDE else number % 2 == 1


@lru_cache(maxsize=64)
def instance(system: RecurrentSystem, trial: Trial, number: int, far: int = 0, wide: float = 4.0) -> tuple[Draw, Run]:
    """A draw and its run. Several readings and formulas about one cell are held against the same ones, whose
    derivatives are then known. ``wide``: the scale of the draws with large values.

    Lengths are 3 to 5, or longer than any distance in time of which the formula speaks.
    """
    lengths = (4, 5, 3) if far <= 2 else (far + 2, far + 3, far + 1)
    drawn = draw(
        system,
        trial.seed + number,
        length=lengths[number % 3],
        largest=4,
        scale=wide if is_wide(number, wide) else 0.8,
        fixed=dict(trial.sizes),
    )
    if trial.zero_start:
        drawn = starting_from_zero(system, drawn)
    return drawn, run_of(system, drawn, strict=True)


def instances(
    relation: e.Relation, run: Run, generator: np.random.Generator, most: int = 4
) -> Sequence[dict[str, int]]:
    """Numbers for the free times at which every derivative looks back, and every quantity exists."""
    names = sorted({s.name for s in relation.free_symbols if s.is_Symbol and s.name not in run.sizes})
    options = [dict(zip(names, values, strict=True)) for values in product(range(run.length + 1), repeat=len(names))]
    possible = [times for times in options if _exists(relation, run, times)]
    if len(possible) > most:
        chosen = generator.choice(len(possible), size=most, replace=False)
        possible = [possible[int(k)] for k in sorted(chosen)]
    return possible


def _at_the_start(by: e.Node, run: Run, evaluator: Evaluator, free: set[str]) -> bool:
    """Whether a derivative is by a starting value that, at any later step, would move another state of its step.

    Starting values are given one by one: h_0 is no function of C_0, while h_k is one of C_k. Such a point is no
    instance of the claim.
    """
    if (
        not isinstance(by, e.Timed)
        or by.name not in run.system.states
        or not all(symbol.name in free for symbol in by.time.free_symbols)
    ):
        return False
    time = evaluator.integer(by.time)
    if 0 < time <= run.length:
        return False
    earlier = time < 0 and run.system.max_lag > 1  # h_{-1} does not move h_0, which is given as well
    return earlier or run.system.moves_own_step(by.name)


def _exists(relation: e.Relation, run: Run, times: Mapping[str, int]) -> bool:
    """Whether all quantities outside sums exist at these times, and no derivative asks for an effect on the past."""
    evaluator = Evaluator(run, run.sizes, times)
    free = set(times)
    return (
        all(_quantity_exists(quantity, run, evaluator, free) for quantity in relation.atoms(e.Timed))
        and all(_range_exists(stretch, evaluator, run, free) for stretch in relation.atoms(e.OverTime))
        and all(_derivative_exists(derivative, run, evaluator, free) for derivative in relation.atoms(e.Derivative))
        and not any(_at_the_start(gradient.by, run, evaluator, free) for gradient in relation.atoms(e.Gradient))
    )


def _quantity_exists(quantity: e.Timed, run: Run, evaluator: Evaluator, free: set[str]) -> bool:
    if any(symbol.name not in free and symbol.name not in run.sizes for symbol in quantity.time.free_symbols):
        return True  # inside a sum
    time, system = evaluator.integer(quantity.time), run.system
    first, last = 1, run.length
    if quantity.name in system.definitions and not quantity.time.is_Symbol:
        # What is written h_t is computed; h_{t-1} may be a starting value.
        before, after = system.reach(quantity.name)
        first, last = 1 + before, run.length + after
    elif quantity.name in system.adjoint_owners:
        last = run.length + max(system.max_lag, 1)
    elif quantity.name == system.step_loss_name and system.loss_terms:
        first = min(evaluator.integer(term.lower) for term in system.loss_terms)
    return first <= time <= last


def _range_exists(stretch: e.OverTime, evaluator: Evaluator, run: Run, free: set[str]) -> bool:
    """A range that runs backward is not what the author sums or multiplies over."""
    bounds = (stretch.lower, stretch.upper)
    known = all(symbol.name in free or symbol.name in run.sizes for bound in bounds for symbol in bound.free_symbols)
    return not known or evaluator.number(stretch.upper) >= evaluator.number(stretch.lower) - 1


def _derivative_exists(derivative: e.Derivative, run: Run, evaluator: Evaluator, free: set[str]) -> bool:
    of, by = derivative.of, derivative.by
    known = isinstance(of, e.Timed) and all(symbol.name in free for symbol in of.time.free_symbols)
    if derivative.immediate and known and evaluator.integer(of.time) < 1:
        return False
    if _at_the_start(by, run, evaluator, free):
        return False
    if isinstance(of, e.Timed) and isinstance(by, e.Timed):
        # A fixed distance into the past is a claim of its own (it is zero); over a free stretch of time the claim is
        # about what comes later.
        distance = of.time - by.time
        open_distance = distance.free_symbols and all(symbol.name in free for symbol in distance.free_symbols)
        if open_distance and evaluator.number(distance) < 0:
            return False
    return True
