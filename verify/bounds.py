"""Inequalities: tried at random points first, then attacked where they are tight.

A bound such as ‖∂h_t/∂h_k‖ ≤ (¼‖W‖)^{t-k} holds at random points with room to spare, whatever its constant. It is reached where the
pre-activations are zero and the matrices scale all vectors alike, or have rank one; from the best of such points a search climbs
further. What no point breaks is ``correct``, by trying.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from derive import expressions as e
from derive.errors import BpttError
from derive.functions import elementwise
from numeric.draws import Draw, farthest, run_of
from numeric.functions import Array
from numeric.simulate import OutOfRange, Run
from verify.evaluated import evaluated, rounding
from verify.instances import Trial, instance, instances
from verify.measure import LONGEST
from verify.names import Names
from verify.numbers import sizes_to_try
from verify.tight import SMALL, is_free, tight_points
from verify.verdict import Counterexample, Verdict

SLACK = 1e-9
"""By what share rounding may carry a side beyond the other."""
EQUAL, LEAST_EQUAL = 1e-12, 1e-6
"""By what share sides that are equal are apart; sides below the second number come near to each other as both vanish."""
CLIMBS, STEPS = 3, 60
"""From how many points a search climbs, and for how many steps."""
_LEAST = 1e-300
ORDINARY = 3.0
"""Values above this are large."""
_GROWS = 1.25
"""Where the smaller side comes nearer to the larger by such a factor each time that the sequence or the state is twice as long, a bound is
not called right: a constant that is large enough for all that was tried is not for all there is."""


@dataclass(frozen=True)
class _Tried:
    """A point: by how much the smaller side exceeds the larger one there, as a share of the larger."""

    excess: float
    drawn: Draw
    times: Mapping[str, int]
    left: Array
    right: Array
    ordinary: bool
    """Whether no value is so large that rounding makes equal what is not."""
    size: float
    """The largest absolute value of a side."""
    family: str = ""
    """Points of one family and size differ in their lengths alone; empty for what belongs to none."""


def judge_bound(names: Names, relation: e.Relation, trial: Trial) -> Verdict:
    """The verdict on ``a ≤ b``, ``a < b``, ``a ≥ b`` or ``a > b``, entry by entry."""
    far = farthest(relation)
    if far + 3 > LONGEST:
        return Verdict("unsupported", "tested", message=f"it speaks of times {far} steps apart, which is not tried")
    unknown = _unknown_function(names, relation)
    if unknown:
        message = f"it bounds what {unknown} leads to, of which nothing is known"
        return Verdict("unsupported", "tested", message=message)
    attack = _Attack(names, relation, trial)
    if attack.untried:
        return Verdict("unsupported", "tested", message=attack.untried)
    try:
        tried = list(attack.everywhere())
    except BpttError as error:
        return Verdict("unsupported", "tested", message=error.message)
    if not tried:
        why = attack.missing or "there is no point at which every quantity in it exists"
        return Verdict("unsupported", "tested", message=why)
    if attack.undefined:
        message = f"a side is not a finite number at {attack.undefined} points"
        return Verdict("unsupported", "tested", points=len(tried), message=message)
    worst = max(tried, key=lambda found: found.excess)
    broken = worst.excess > SLACK
    if relation.operators[0] in ("<", ">") and not broken:
        # Where values are extreme, rounding makes equal what is not: tanh(20) is 1.
        ordinary = [found for found in tried if found.ordinary] or tried
        worst = max(ordinary, key=lambda found: (found.excess >= -EQUAL and found.size >= LEAST_EQUAL, found.excess))
        broken = worst.excess >= -EQUAL and worst.size >= LEAST_EQUAL
        if not broken and worst.excess >= -SLACK:
            message = "no point breaks it, but its sides come nearer to each other than trying can tell"
            return Verdict("unsupported", "tested", points=len(tried), message=message)
    if broken:
        equal = worst.excess <= SLACK
        message = "the two sides can be equal" if equal else "it does not hold everywhere"
        counterexample = Counterexample(worst.drawn.sizes, worst.times, worst.left, worst.right)
        return Verdict("wrong", "tested", points=len(tried), message=message, counterexample=counterexample)
    growing = _growing(tried, attack.least)
    if growing:
        message = f"no point breaks it, but its sides come nearer to each other the larger {growing} is"
        return Verdict("unsupported", "tested", points=len(tried), message=message)
    reached = 100 * (1 + worst.excess)
    message = f"the bound is reached to {reached:.4g} % at the worst of {len(tried)} points" if reached > 0 else ""
    return Verdict("correct", "tested", points=len(tried), holds=len(tried), message=message)


def _unknown_function(names: Names, relation: e.Relation) -> str:
    """An activation of the cell that may be any function, where a bound does not speak of it but of what it leads to."""
    system = names.system
    own = {node.function for node in relation.atoms(e.Apply)}
    used = sorted({node.function for q in system.equations for node in q.rhs.atoms(e.Apply)} - own)
    free = {*system.parameters, *system.inputs}
    computed = relation.has(e.Derivative, e.Gradient) or any(
        leaf.name not in free for leaf in relation.atoms(e.Timed, e.Var)
    )
    return next((name for name in used if computed and elementwise(name) is None), "")


def _growing(tried: Sequence[_Tried], length: int) -> str:
    """The size along which the sides come nearer to each other all the time, among all points or, along T, those of one family; empty where
    there is none.
    """
    families = {found.family for found in tried if found.family}
    groups = [tried, *([one for one in tried if one.family == family] for family in sorted(families))]
    for name in sorted({name for found in tried for name in found.drawn.sizes}):
        first = length if name == "T" else SMALL
        sizes = (first, 2 * first, 4 * first)
        for group in groups if name == "T" else groups[:1]:
            best = [max((1 + f.excess for f in group if f.drawn.sizes[name] == size), default=0.0) for size in sizes]
            if best[0] > 0 and all(after > _GROWS * before for before, after in pairwise(best)):
                return name
    return ""


class _Attack:
    """Looks for a point at which an inequality fails."""

    def __init__(self, names: Names, relation: e.Relation, trial: Trial) -> None:
        self.names, self.system, self.relation, self.trial = names, names.system, relation, trial
        self.far = farthest(relation)
        self.least = max(4, self.far + 2)
        """The length of most sequences."""
        self.missing = ""
        self.undefined = 0
        self.sizes, self.untried = sizes_to_try(relation, dict(trial.sizes))
        turned = relation.operators[0] in (">", ">=")
        self.smaller, self.larger = (relation.items[1], relation.items[0]) if turned else relation.items

    def everywhere(self) -> Iterator[_Tried]:
        """Random points, points where bounds are tight, and what a search finds from the best of them."""
        for number in range(self.trial.draws):
            drawn, run = instance(self.system, self.trial, number, self.far)
            yield from self._at(drawn, run)
        for sizes in self.sizes:
            there = replace(self.trial, sizes=(*self.trial.sizes, *sizes.items()))
            yield from self._at(*instance(self.system, there, 0, self.far))
        found: list[_Tried] = []
        for point in tight_points(self.system, self.trial, self.least):
            found += [replace(one, family=point.family) for one in self._at(point.drawn, point.run)]
        yield from found
        # A step costs the more, the longer the sequence is; what grows with it is seen without a search.
        short = [tried for tried in found if tried.drawn.sizes["T"] <= self.least]
        short.sort(key=lambda tried: -tried.excess)
        generator = np.random.default_rng(self.trial.seed)
        for start in short[:CLIMBS]:
            if start.excess <= SLACK:
                yield from self._climbed(start, generator)

    def _at(self, drawn: Draw, run: Run) -> Iterator[_Tried]:
        generator = np.random.default_rng([self.trial.seed, 3])
        for times in instances(self.relation, run, generator, self.names, self.trial.conditions, widest=True):
            found = self._excess(drawn, run, times)
            if found is not None:
                yield found

    def _excess(self, drawn: Draw, run: Run, times: Mapping[str, int]) -> _Tried | None:
        environment = self.names.environment(run)
        try:
            sides = (evaluated(side, environment, drawn.sizes, times) for side in (self.smaller, self.larger))
            small, large = map(np.real, sides)
        except OutOfRange as error:
            self.missing = error.message
            return None
        small, large = np.broadcast_arrays(small, large)
        if not (np.all(np.isfinite(small)) and np.all(np.isfinite(large))):
            self.undefined += 1
            return None
        scale = np.maximum(np.maximum(np.abs(small), np.abs(large)), _LEAST)
        # numbers whose difference is lost in rounding are equal
        excess = float(np.max((small - large) / scale, initial=-np.inf))
        if excess > SLACK:
            room = sum(rounding(side, environment, drawn.sizes, times) for side in (self.smaller, self.larger))
            excess = max(0.0, float(np.max((small - large - room) / scale)))
        if float(np.max(scale)) < 1e-12:
            return None
        left, right = (large, small) if self.relation.operators[0] in (">", ">=") else (small, large)
        ordinary = all(np.max(np.abs(value), initial=0.0) <= ORDINARY for value in drawn.given.values())
        return _Tried(excess, drawn, dict(times), left, right, ordinary, float(np.max(scale)))

    # -- climbing --------------------------------------------------------------------------------------

    def _climbed(self, start: _Tried, generator: np.random.Generator) -> Iterator[_Tried]:
        """What steps in random directions reach; steps become smaller where they fail."""
        best, size = start, 0.3
        for _ in range(STEPS):
            given = {
                point: value + size * generator.normal(size=value.shape) * (np.abs(value) + 0.1)
                if is_free(self.system, point)
                else value
                for point, value in best.drawn.given.items()
            }
            drawn = replace(best.drawn, given=given)
            found = self._excess(drawn, run_of(self.system, drawn, strict=True), best.times)
            if found is not None and found.excess > best.excess:
                best, size = found, size * 1.5
            else:
                size *= 0.85
        yield best


def is_bound(relation: e.Relation) -> bool:
    """Whether it is an inequality of two sides."""
    return relation.operators[0] in ("<", "<=", ">", ">=") and len(relation.operators) == 1


__all__ = ["is_bound", "judge_bound"]
