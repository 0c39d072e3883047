"""A line of the backward pass that is wrong: the small change of it that gives the arrays together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge

from derive import expressions as e
from derive.adjoint import AdjointEquation
from derive.system import RecurrentSystem
from numeric.functions import Array
from numeric.simulate import OutOfRange
from verify.names import Names
from verify.programs.cases import Case
from verify.programs.changes import DEAREST, Change, changes_of, read
from verify.programs.compare import apart
from verify.programs.evidence import NEAR, Evidence
from verify.programs.inside import ERRORS, Backward
from verify.programs.measured import Pair
from verify.programs.naming import Target
from verify.programs.results import Point, engine_of, formula_of

MOST_BESIDE = 2
_FEW = 3
"""One array of so many may be wrong in another way as well, and no more than two."""


class Recursion:
    """The adjoint recursion of a cell.

    Parameters
    ----------
    lines   : its equations, by the names of the adjoints.
    changed : the one that is another than derived; empty, if none is.
    derived : the recursion in which none is.
    """

    def __init__(
        self,
        system: RecurrentSystem,
        lines: dict[str, AdjointEquation],
        changed: str = "",
        derived: Recursion | None = None,
    ) -> None:
        self.system, self.lines, self.changed, self.of = system, lines, changed, derived
        self._known: dict[Point, Backward] = {}
        self._behind: dict[tuple[Target, Case], frozenset[str]] = {}

    @classmethod
    def derived(cls, system: RecurrentSystem) -> Recursion:
        return cls(system, {equation.adjoint.name: equation for equation in engine_of(system).equations})

    def with_line(self, name: str, rhs: e.Node) -> Recursion:
        """The recursion with another right side in one line."""
        return Recursion(self.system, {**self.lines, name: replace(self.lines[name], rhs=rhs)}, name, self)

    def at(self, point: Point) -> Backward:
        """The backward pass of a random instance."""
        if point not in self._known:
            self._known[point] = Backward(
                point, self.lines, self.changed, None if self.of is None else self.of.at(point)
            )
        return self._known[point]

    def value(self, target: Target, case: Case) -> Array | None:
        """An array by the formulas of the recursion; None where one has no value."""

        def at(point: Point, time: int | None) -> Array | None:
            formula = formula_of(self.system, target, time)
            try:
                return None if formula is None else self.at(point).formula(formula)
            except ERRORS:
                return None

        return case.together(target, lambda point: point.over_time(target, lambda time: at(point, time)))

    def gives(self, found: Evidence, pair: Pair) -> bool:
        """Whether an array is what the recursion gives in a case."""
        if self.of is not None and self.changed not in self.of.lines_behind(found.target, pair.case):
            return found.agrees(pair, pair.right)
        if found.agrees(pair, self.value(found.target, pair.case)):
            return True
        return _is_start(found.target) and found.agrees(pair, self._start(found.target, pair.case))

    def _start(self, target: Target, case: Case) -> Array | None:
        """The gradient by a starting value by the line of its quantity, which goes one step too far for it."""
        name, step = self.system.adjoint_names[target.key], int(target.time or 0)

        def at(point: Point) -> Array | None:
            try:
                return self.at(point).start(name, step)
            except ERRORS:
                return None

        return case.together(target, at)

    def lines_behind(self, target: Target, case: Case) -> frozenset[str]:
        """The lines that an array is made of in a case."""
        if (target, case) not in self._behind:
            self._behind[(target, case)] = self._lines_behind(target, case)
        return self._behind[(target, case)]

    def _lines_behind(self, target: Target, case: Case) -> frozenset[str]:
        point, found = case.points[0], {self.system.adjoint_names[target.key]} if _is_start(target) else set[str]()
        for time in range(1, case.length + 1) if target.over_time(self.system) else (target.step(case.length),):
            formula = formula_of(self.system, target, time)
            try:
                found |= self.at(point).lines_behind(formula) if formula is not None else set()
            except ERRORS:
                continue
        return frozenset(found)


def _is_start(target: Target) -> bool:
    return target.kind == "gradient" and target.time is not None and target.time.is_Integer and target.time < 1


def few_of(found: Sequence[Evidence]) -> int:
    """How many arrays may be wrong in another way beside a common reason."""
    return min(MOST_BESIDE, len(found) // _FEW)


@dataclass(frozen=True)
class WrongLine:
    """A changed line, in words, the recursion that has it, and the arrays that it explains."""

    said: str
    recursion: Recursion
    explained: tuple[Evidence, ...]


def wrong_line(system: RecurrentSystem, found: Sequence[Evidence]) -> Iterator[WrongLine]:
    """A line that explains most of the wrong arrays and leaves the right ones as they are, and then one that explains all."""
    held = [one for one in found if one.target.differentiated]
    held = [one for one in held if one.wrong] + [one for one in held if not one.wrong]
    recursion, names = Recursion.derived(system), Names(system)
    most = few_of([one for one in held if one.wrong])
    if not any(one.wrong for one in held):
        return
    quiet = _quiet(held)
    for lines in _suspects(recursion, held):
        for _, _, name, change in merge(*(_changes(recursion, name, names) for name in lines)):
            equation, node = recursion.lines[name], change.built(names)
            if node is None or not (node.shape == equation.rhs.shape or node.is_scalar):
                continue
            other = recursion.with_line(name, node)
            if quiet is not None and not _same_at_the_end(recursion, other, name, quiet):
                continue
            left = _unexplained(other, held, most)
            if left is not None:
                said = f"{equation.adjoint} is {node}, where {equation.rhs} belongs{change.told(names)}"
                yield WrongLine(said, other, tuple(one for one in held if one.wrong and one not in left))
                most = len(left) - 1
                if not left:
                    return


def _quiet(held: Sequence[Evidence]) -> Case | None:
    """The case of one step, where nothing is wrong in it but for what comes back to the starting values."""
    alone = [(one, pair) for one in held for pair in one.pairs if pair.case.length == 1 and not _is_start(one.target)]
    right = bool(alone) and all(one.agrees(pair, pair.right) for one, pair in alone)
    return alone[0][1].case if right else None


def _same_at_the_end(recursion: Recursion, other: Recursion, name: str, case: Case) -> bool:
    """Whether a changed line is the derived one where nothing comes back from later steps. That costs one line instead of all."""
    for point in case.points:
        passed = recursion.at(point)
        try:
            value = passed.at(other.lines[name], case.length)
        except OutOfRange:  # it stays what it was there
            continue
        except ERRORS:
            return False
        if apart(value, passed.adjoint(name, case.length)) > NEAR:
            return False
    return True


def _unexplained(recursion: Recursion, held: Sequence[Evidence], most: int) -> list[Evidence] | None:
    """The wrong arrays that a recursion does not give; None where these are too many, or a right one is among them."""
    left: list[Evidence] = []
    for one, pairs in _in_order(held, most):
        if one in left or all(recursion.gives(one, pair) for pair in pairs):
            continue
        left.append(one)
        if not one.wrong or len(left) > most:
            return None
    return left


def _in_order(held: Sequence[Evidence], most: int) -> Iterator[tuple[Evidence, list[Pair]]]:
    """Arrays with their cases, the short ones first; and before all others so many arrays as it takes to see that a change does not fit,
    up to the length from which on they are wrong.
    """
    lengths = sorted({pair.case.length for one in held for pair in one.pairs})
    first = min(pair.case.length for one in held for pair in one.pairs if not one.agrees(pair, pair.right))
    for arrays, last in ((held[: most + 1], first), (held, lengths[-1])):
        for length in (length for length in lengths if length <= last):
            for one in arrays:
                yield one, [pair for pair in one.pairs if pair.case.length == length]


# -- where to look -------------------------------------------------------------------------------------


def _suspects(recursion: Recursion, held: Sequence[Evidence]) -> list[list[str]]:
    """The lines in groups, first those which just the wrong arrays are made of, in the shortest sequence in which any is wrong."""
    steps = [one for one in held if not _is_start(one.target)]  # a starting value has a formula of its own as well
    held = steps if any(one.wrong for one in steps) else held
    length = min(pair.case.length for one in held for pair in one.pairs if not one.agrees(pair, pair.right))
    wrong, read = set[str](), dict[str, frozenset[str]]()
    for one in held:
        pair = next((pair for pair in one.pairs if pair.case.length == length), None)
        if pair is not None:
            read[one.name] = recursion.lines_behind(one.target, pair.case)
            wrong |= set() if one.agrees(pair, pair.right) else {one.name}
    groups: dict[tuple[int, int], list[str]] = {}
    for name in recursion.lines:
        made_of = {array for array, lines in read.items() if name in lines}
        if made_of:
            groups.setdefault((len(wrong - made_of), len(made_of - wrong)), []).append(name)
    return [groups[key] for key in sorted(groups)]


def _changes(recursion: Recursion, name: str, names: Names) -> Iterator[tuple[float, str, str, Change]]:
    """Every change of a line, the cheap ones first."""
    pre = read(recursion.lines[name].rhs, names)
    for number, change in enumerate(changes_of(pre, names, DEAREST) if pre is not None else ()):
        yield change.cost, f"{number:06d}{name}", name, change


__all__ = ["Recursion", "WrongLine", "wrong_line"]
