"""Why a gradient is wrong: the small change of a derived formula, or the wrong function, that gives the very arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.errors import BpttError
from derive.gradients import all_gradients
from derive.notation.elaborate import build, resolve
from derive.notation.operations import Pre
from derive.notation.parser import parse_one
from derive.system import RecurrentSystem, leaves
from numeric.evaluate import Evaluator
from numeric.functions import Array
from verify.diagnosis.edits import Edit, edits
from verify.diagnosis.phrases import shown
from verify.diagnosis.trees import at, places, put
from verify.diagnosis.vocabulary import Vocabulary
from verify.names import Definition, Names
from verify.programs.calls import Target
from verify.programs.results import Point, apart, formula_of
from verify.programs.slips import Slip, slips

NEAR = 1e-8
MOST = 3_000
_DEAREST = 1.7
"""Changes of a recursion that are more far-fetched than this are not tried: each costs a whole backward pass."""

Found = Mapping[Target, Sequence[Array]]
"""Wrong arrays, in the shapes that they should have, at each point."""


@dataclass(frozen=True)
class Reason:
    """Why arrays are wrong.

    Parameters
    ----------
    said    : in words, from the view of the right formula.
    targets : which arrays it explains.
    """

    said: str
    targets: tuple[Target, ...]


def reasons(system: RecurrentSystem, points: Sequence[Point], found: Found, right: Found) -> Iterator[Reason]:
    """Reasons for as many of the wrong arrays as can be: first a function that is computed wrongly, then a line of the
    recursion, then the formulas of single gradients; each with what was found before it.

    Parameters
    ----------
    found : the wrong arrays.
    right : those that are right; a line of the recursion that is wrong for one gradient is wrong for all.
    """
    left, names = dict(found), Names(system)
    slip = _slip(system, points, left)
    if slip is not None:
        points = [_slipped(point, slip) for point in points]
        explained = tuple(target for target in left if _matches(points, target, left[target]))
        yield Reason(f"{slip.function}(x) is computed as {slip.said}", explained)
        left = {target: arrays for target, arrays in left.items() if target not in explained}
    line = _line(system, points, left, right if slip is None else {})
    if line is not None:
        reason, names = line
        yield reason
        left = {target: arrays for target, arrays in left.items() if target not in reason.targets}
    for target, arrays in left.items():
        said = _formula(names, points, target, arrays)
        if said is not None:
            yield Reason(said, (target,))


# -- functions -----------------------------------------------------------------------------------------


def _slip(system: RecurrentSystem, points: Sequence[Point], found: Found) -> Slip | None:
    """The wrong function that explains some array."""
    best: tuple[int, Slip] | None = None
    for slip in slips(system):
        with np.errstate(all="ignore"):
            slipped = [_slipped(point, slip) for point in points]
            count = sum(_matches(slipped, target, arrays) for target, arrays in found.items())
        if count and (best is None or count > best[0]):
            best = (count, slip)
    return None if best is None else best[1]


def _slipped(point: Point, slip: Slip) -> Point:
    return Point(point.system, point.drawn, slip.arrays())


def _matches(points: Sequence[Point], target: Target, arrays: Sequence[Array]) -> bool:
    values = [point.right(target, derived=True) for point in points]
    return all(
        value is not None and value.shape == array.shape and apart(array, value) < NEAR
        for value, array in zip(values, arrays, strict=True)
    )


# -- single formulas -----------------------------------------------------------------------------------


def _formula(names: Names, points: Sequence[Point], target: Target, arrays: Sequence[Array]) -> str | None:
    """The change of the formula of one gradient that gives the array; ``names`` may hold a changed recursion."""
    system = names.system
    formula = formula_of(system, target, target.time)
    if formula is None or target.kind not in ("gradient", "share"):
        return None
    if not any(map(np.any, arrays)):
        return "it is zero"
    factor = _factor(points, names, formula, arrays)
    if factor is not None:
        return f"it is {factor:.6g} times as large"
    plain = Names(system)
    pre = _read(formula, plain)
    if pre is None:
        return None
    words = Vocabulary(plain, [node for _, node in places(pre)])
    for edit in _sorted(pre, words)[:MOST]:
        node = _built(put(pre, edit.path, edit.new), plain)
        if node is not None and _gives(points, names, node, arrays):
            return f"it is {node}, where {formula} belongs{_told(pre, edit, plain)}"
    return None


def _factor(points: Sequence[Point], names: Names, formula: e.Node, arrays: Sequence[Array]) -> float | None:
    """The number by which an array is too large, everywhere the same."""
    factors = []
    for point, array in zip(points, arrays, strict=True):
        value = _value(point, names, formula)
        if value is None or value.shape != array.shape:
            return None
        factor = float(np.vdot(value, array) / max(float(np.vdot(value, value)), 1e-300))
        if apart(array, factor * value) > NEAR:
            return None
        factors.append(factor)
    same = factors and abs(factors[0]) > NEAR and abs(factors[0] - 1) > NEAR
    return factors[0] if same and max(factors) - min(factors) <= NEAR * abs(factors[0]) else None


def _value(point: Point, names: Names, node: e.Node) -> Array | None:
    """The value of a formula, with the adjoints of a changed recursion where there is one."""
    run = point.environment.run
    environment = names.environment(run) if names.lines else point.environment
    evaluator = Evaluator(environment, point.drawn.sizes, {}, point.arrays)
    try:
        with np.errstate(all="ignore"):
            value = np.real(evaluator(_own(node, names.lines)))
    except (BpttError, ArithmeticError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return value if np.all(np.isfinite(value)) else None


def _gives(points: Sequence[Point], names: Names, node: e.Node, arrays: Sequence[Array]) -> bool:
    for point, array in zip(points, arrays, strict=True):
        value = _value(point, names, node)
        if value is None or value.shape != array.shape or apart(array, value) > NEAR:
            return False
    return True


def _told(pre: Pre, edit: Edit, names: Names) -> str:
    """What the author did, seen from the right formula: the new part stands where the old one belongs."""
    old, new = shown(at(pre, edit.path), names), shown(edit.new, names)
    return f": {new} stands where {old} belongs" if edit.path and len(old) + len(new) < 60 else ""


def _sorted(pre: Pre, words: Vocabulary) -> list[Edit]:
    found = [edit for path, node in places(pre) for edit in edits(pre, path, node, words)]
    return sorted(found, key=lambda edit: edit.cost)


def _read(node: e.Node, names: Names) -> Pre | None:
    try:
        return resolve(parse_one(node.latex()).items[0], names.context)
    except BpttError:
        return None


def _built(pre: Pre, names: Names) -> e.Node | None:
    try:
        return build(pre, names.context)
    except BpttError:
        return None


# -- recursions ----------------------------------------------------------------------------------------


def _line(system: RecurrentSystem, points: Sequence[Point], found: Found, right: Found) -> tuple[Reason, Names] | None:
    """The change of one line of the adjoint recursion that gives all arrays together, or most of them; and the names of that
    recursion.
    """
    asked = [target for target in found if _reads_adjoints(target) and formula_of(system, target, target.time)]
    recursion = _Recursion(system)
    best: tuple[Reason, Names] | None = None
    for key, rhs, said in islice(recursion.changes(), MOST if asked else 0):
        names = recursion.with_line(key, rhs)
        matched = [target for target in asked if _recurs(points, names, target, found[target])]
        more = len(matched) > (0 if best is None else len(best[0].targets))
        kept = (_recurs(points, names, target, arrays) for target, arrays in right.items() if _reads_adjoints(target))
        if more and all(kept):
            best = Reason(said, tuple(matched)), names
            if len(matched) == len(asked):
                break
    return best


def _reads_adjoints(target: Target) -> bool:
    return target.kind in ("gradient", "adjoint", "share")


def _recurs(points: Sequence[Point], names: Names, target: Target, arrays: Sequence[Array]) -> bool:
    for point, array in zip(points, arrays, strict=True):
        value = _over_time(point, target, names)
        if value is None or value.shape != array.shape or apart(array, value) > NEAR:
            return False
    return True


def _over_time(point: Point, target: Target, names: Names) -> Array | None:
    """An array by the formulas of a changed recursion."""
    timed = isinstance(point.system.quantity(target.key), e.Timed) and target.time is None
    found = []
    for time in range(1, point.length + 1) if timed else (target.time,):
        formula = formula_of(point.system, target, time)
        value = None if formula is None else _value(point, names, formula)
        if value is None:
            return None
        found.append(value)
    return np.array(found) if timed else found[0]


_OWN = "^own"


def _own(node: e.Node, lines: Mapping[str, object]) -> e.Node:
    """A formula in which adjoints are those of the changed recursion."""
    found = {
        leaf: e.Timed(leaf.name + _OWN, leaf.time, *leaf.shape)
        for leaf in leaves(node)
        if isinstance(leaf, e.Timed) and leaf.name + _OWN in lines
    }
    return node.xreplace(found) if found else node


class _Recursion:
    """The adjoint recursion of a cell as names of its own, of which one line can be another."""

    def __init__(self, system: RecurrentSystem) -> None:
        self.system, self.names = system, Names(system)
        clock = system.time
        self.lines: dict[str, e.Relation] = {}
        for relation in all_gradients(system).recursion:
            left = relation.lhs
            if isinstance(left, e.Timed) and left.time == clock:
                self.lines[left.name] = relation
        self.engine = AdjointEngine(system)

    def changes(self) -> Iterator[tuple[str, e.Node, str]]:
        """Every line with every small change."""
        every: list[tuple[float, str, Edit, Pre]] = []
        for key, relation in self.lines.items():
            pre = _read(relation.rhs, self.names)
            if pre is None:
                continue
            words = Vocabulary(self.names, [node for _, node in places(pre)])
            every += [(edit.cost, key, edit, pre) for edit in _sorted(pre, words) if edit.cost <= _DEAREST]
        every.sort(key=lambda item: item[0])
        for _, key, edit, pre in every:
            node = _built(put(pre, edit.path, edit.new), self.names)
            relation = self.lines[key]
            if node is not None and (node.shape == relation.rhs.shape or node.is_scalar):
                yield (
                    key,
                    node,
                    f"{relation.lhs} is {node}, where {relation.rhs} belongs{_told(pre, edit, self.names)}",
                )

    def with_line(self, key: str, rhs: e.Node) -> Names:
        """Names of the recursion with one line changed."""
        lines = {name + _OWN: relation for name, relation in self.lines.items()}
        definitions = []
        for name, relation in self.lines.items():
            value = rhs if name == key else relation.rhs
            left = e.Timed(name + _OWN, self.system.time, *relation.lhs.shape)
            definitions.append(Definition(left, _own(value, lines)))
        return Names(self.system, definitions)


__all__ = ["Reason", "reasons"]
