"""At which points a formula about a cell is tried: random draws, and numbers for its times at which all of it exists."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from sympy import Expr

from derive import expressions as e
from derive.system import RecurrentSystem, T
from numeric.draws import Draw, draw, farthest, run_of, starting_from_zero
from numeric.evaluate import Evaluator
from numeric.simulate import Run
from numeric.trees import Tree
from verify.names import Names

WIDE = 4.0
"""The scale of every sixth draw; larger where a formula holds larger numbers, so that values come near them."""


Condition = tuple[str, Expr, Expr]
"""A relation between two times, as in ``k < t``: its operator and its sides."""

COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """How a formula is tried: so many draws from a seed, with some sizes held fixed, at times for which conditions hold;
    ``zero_start``: h_0 = 0; ``zeros``: the starting values that are zero at every point; ``zero_counts``: whether what holds for states
    that start from zero alone is right; ``ordered``: whether products over time say in which order their factors stand.
    """

    draws: int
    seed: int
    sizes: tuple[tuple[str, int], ...] = ()
    zero_start: bool = False
    zeros: tuple[e.Timed, ...] = ()
    conditions: tuple[Condition, ...] = ()
    zero_counts: bool = True
    ordered: bool = False


def is_wide(number: int, wide: float) -> bool:
    """Every sixth draw has large values, at which functions are far from linear; every second, where a formula holds
    large numbers.
    """
    return number % 6 == 5 if wide == WIDE else number % 2 == 1


SHORT = {6: 1, 7: 2}
"""The draws with short sequences, and their lengths."""


@lru_cache(maxsize=64)
def _reach(system: RecurrentSystem) -> int:
    """How far apart the times are of which the equations of a cell speak."""
    bodies = [q.rhs for q in system.steps] + [term.body for term in system.loss_terms]
    bounds = [bound for term in system.loss_terms for bound in (term.lower, term.upper) if bound.is_Integer]
    return max((*map(farthest, bodies), *(abs(int(bound)) for bound in bounds), system.max_lag))


@lru_cache(maxsize=64)
def instance(
    system: RecurrentSystem, trial: Trial, number: int, far: int = 0, wide: float = 4.0, strict: bool = True
) -> tuple[Draw, Run]:
    """A draw and its run. Several readings and formulas about one cell are held against the same ones, whose
    derivatives are then known. ``wide``: the scale of the draws with large values; ``strict``: whether a quantity that does
    not exist at a time is an error, and not zero.

    Lengths are 3 to 5, or longer than any distance in time of which the formula speaks; and 1 and 2, at which every step is the first or
    the last.
    """
    lengths = (4, 5, 3) if far <= 2 else (far + 2, far + 3, far + 1)
    short = far <= 2 and number in SHORT and _reach(system) <= 1
    drawn = draw(
        system,
        trial.seed + number,
        length=SHORT[number] if short else lengths[number % 3],
        largest=4,
        scale=wide if is_wide(number, wide) else 0.8,
        fixed=dict(trial.sizes),
    )
    if trial.zero_start or trial.zeros:
        drawn = starting_from_zero(system, drawn, None if trial.zero_start else trial.zeros)
    return drawn, run_of(system, drawn, strict=strict)


def instances(
    relation: e.Relation,
    run: Run,
    generator: np.random.Generator,
    names: Names | None = None,
    conditions: Sequence[Condition] = (),
    most: int = 4,
    widest: bool = False,
) -> Sequence[dict[str, int]]:
    """Numbers for the free times at which every derivative looks back, and every quantity exists; with the ``widest`` those among them that
    are farthest apart.
    """
    letters = sorted({s.name for s in relation.free_symbols if s.is_Symbol and s.name not in run.sizes})
    known = names or Names(run.system)
    met: list[dict[str, int]] = []
    for last in (run.length, run.length + 1) if conditions else (run.length,):  # t > T is beyond the end
        options = (dict(zip(letters, values, strict=True)) for values in product(range(last + 1), repeat=len(letters)))
        met = met or [times for times in options if _met(conditions, run, times)]
    parts = _Parts.of(relation)
    possible = [times for times in met if _exists(parts, run, times, known, conditions)]
    if len(possible) > most:
        chosen = generator.choice(len(possible), size=most, replace=False)
        far = [max(possible, key=_width)] if widest else []
        possible = [possible[int(k)] for k in sorted(chosen)] + far
    return possible


def _width(times: Mapping[str, int]) -> int:
    return max(times.values()) - min(times.values())


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
    if not by.time.free_symbols:  # a claim about the start itself
        return False
    if 0 < time <= run.length:
        return False
    earlier = time < 0 and run.system.max_lag > 1  # h_{-1} does not move h_0, which is given as well
    return earlier or run.system.moves_own_step(by.name)


def _met(conditions: Sequence[Condition], run: Run, times: Mapping[str, int]) -> bool:
    evaluator = Evaluator(run, run.sizes, times)
    for sign, a, b in conditions:
        letters = {symbol.name for symbol in a.free_symbols | b.free_symbols} - {*times, *run.sizes}
        if not letters and not COMPARED[sign](evaluator.number(a), evaluator.number(b)):
            return False
    return True


@dataclass(frozen=True)
class _Parts:
    """What of a formula may exist at some times only."""

    quantities: frozenset[e.Timed]
    stretches: frozenset[e.OverTime]
    derivatives: frozenset[e.Derivative]
    gradients: frozenset[e.Gradient]
    paths: frozenset[e.ProductOverPath]

    @staticmethod
    @lru_cache(maxsize=64)
    def of(relation: e.Relation) -> _Parts:
        """All of them, in any depth."""
        kinds = (e.Timed, e.OverTime, e.Derivative, e.Gradient, e.ProductOverPath)
        return _Parts(*(frozenset(relation.atoms(kind)) for kind in kinds))


def _exists(parts: _Parts, run: Run, times: Mapping[str, int], names: Names, conditions: Sequence[Condition]) -> bool:
    """Whether all quantities outside sums exist at these times, and no derivative asks for an effect on the past."""
    evaluator = Evaluator(run, run.sizes, times)
    free = set(times)
    return (
        all(_quantity_exists(quantity, run, evaluator, free, names) for quantity in parts.quantities)
        and all(_range_exists(stretch, evaluator, run, free) for stretch in parts.stretches)
        and all(_derivative_exists(derivative, run, evaluator, free, conditions) for derivative in parts.derivatives)
        and not any(_at_the_start(gradient.by, run, evaluator, free) for gradient in parts.gradients)
        and (run.tree is None or _is_in_the_tree(parts, run, run.tree, evaluator))
    )


def _is_in_the_tree(parts: _Parts, run: Run, tree: Tree, evaluator: Evaluator) -> bool:
    """Whether paths lead upward, and derivatives are by what lies below; by a child, where the letters are those of a node
    and its child.
    """
    letters = run.system.tree
    pairs = [(path.upper, path.lower) for path in parts.paths]
    for derivative in parts.derivatives:
        if isinstance(derivative.of, e.Timed) and isinstance(derivative.by, e.Timed):
            pairs.append((derivative.of.time, derivative.by.time))
    known = [pair for pair in pairs if all(s.name in evaluator.times for end in pair for s in end.free_symbols - {T})]
    for above, below in known:
        if letters is not None and (above, below) == (letters.node, letters.child):
            if not tree.is_edge(evaluator.integer(above), evaluator.integer(below)):
                return False
        elif not tree.is_above(evaluator.integer(_node(above)), evaluator.integer(below)):
            return False
    return True


def _node(index: Expr) -> Expr:
    """The node of an edge from which it leads, or the node itself."""
    return index.node if isinstance(index, e.Edge) else index


def _quantity_exists(quantity: e.Timed, run: Run, evaluator: Evaluator, free: set[str], names: Names) -> bool:
    if any(symbol.name not in free and symbol.name not in run.sizes for symbol in quantity.time.free_symbols):
        return True  # inside a sum
    time, system = evaluator.integer(quantity.time), run.system
    first, last = 1, run.length
    if quantity.name in names.lines:
        first, last = names.moments(quantity, run)
    elif quantity.name in system.definitions and not quantity.time.is_Symbol:
        # What is written h_t is computed; h_{t-1} may be a starting value.
        before, after = system.reach(quantity.name)
        first, last = 1 + before, run.length + after
    elif quantity.name in system.adjoint_owners:
        last = run.length + max(system.max_lag, 1)
        owner = system.adjoint_owners[quantity.name]
        starts = [one for one in system.starts if one.name == owner and one not in system.initial]
        first = min([first, *(int(start.time) for start in starts if start.time.is_Integer)])
    elif quantity.name == system.step_loss_name and system.loss_terms:
        first = min(1, *(evaluator.integer(term.lower) for term in system.loss_terms))
    return first <= time <= last


def _range_exists(stretch: e.OverTime, evaluator: Evaluator, run: Run, free: set[str]) -> bool:
    """A range that runs backward is not what the author sums or multiplies over."""
    bounds = (stretch.lower, stretch.upper)
    known = all(symbol.name in free or symbol.name in run.sizes for bound in bounds for symbol in bound.free_symbols)
    return not known or evaluator.number(stretch.upper) >= evaluator.number(stretch.lower) - 1


def _derivative_exists(
    derivative: e.Derivative, run: Run, evaluator: Evaluator, free: set[str], conditions: Sequence[Condition]
) -> bool:
    of, by = derivative.of, derivative.by
    known = isinstance(of, e.Timed) and all(symbol.name in free for symbol in of.time.free_symbols)
    if derivative.immediate and known and evaluator.integer(of.time) < 1:
        return False
    if _at_the_start(by, run, evaluator, free):
        return False
    if isinstance(of, e.Timed) and isinstance(by, e.Timed):
        # A fixed distance into the past is a claim of its own (it is zero); over a free stretch of time the claim is
        # about what comes later, unless a condition beside it says which times are meant.
        distance = of.time - by.time
        open_distance = distance.free_symbols and all(symbol.name in free for symbol in distance.free_symbols)
        said = any(distance.free_symbols <= a.free_symbols | b.free_symbols for _, a, b in conditions)
        if open_distance and not said and evaluator.number(distance) < 0:
            return False
    return True
