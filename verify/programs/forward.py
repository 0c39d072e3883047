"""Another forward pass than that of the cell: its gradients are right, but for other equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from derive import expressions as e
from derive.cell_text import Equation
from derive.errors import BpttError
from derive.expressions import make
from derive.notation.operations import Pre
from derive.substitute import substitute
from derive.system import RecurrentSystem
from numeric.draws import starting_from_zero
from verify.diagnosis.edits import Edit, renamed
from verify.diagnosis.trees import places
from verify.names import Names
from verify.programs.changes import DEAREST, Change, changes_of, read
from verify.programs.evidence import Evidence
from verify.programs.inside import ERRORS
from verify.programs.measured import Pair
from verify.programs.passed import with_passed_loss
from verify.programs.recursion import few_of
from verify.programs.results import Point

_FUNCTIONS = ("sigma", "tanh", "relu")
_KINDS = (
    "transpose", "extra summand", "function", "index", "sign", "complement", "product", "order", "name", "gate", "extra factor", "constant",
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A cell that is computed in the place of the right one.

    Parameters
    ----------
    said   : its difference, in words.
    system : the cell.
    zero   : a parameter that is zero.
    starts : whether the values that the sequence starts from are zero.
    """

    said: str
    system: RecurrentSystem
    zero: str = ""
    starts: bool = False

    def point(self, point: Point) -> Point:
        """A random instance of it, with what the loss passes to the right one."""
        drawn = starting_from_zero(self.system, point.drawn) if self.starts else point.drawn
        given = {key: 0 * value if key == (self.zero, None) else value for key, value in drawn.given.items()}
        return Point(self.system, replace(drawn, given=given), point.arrays)


@dataclass(frozen=True)
class OtherForward:
    """Another cell, of which most of the arrays are right.

    Parameters
    ----------
    said      : which one, in words.
    found     : the arrays held against what they have to be in that cell.
    explained : those that are right there, and wrong for the cell.
    """

    said: str
    system: RecurrentSystem
    found: tuple[Evidence, ...]
    explained: tuple[Evidence, ...]

    @property
    def whole(self) -> bool:
        """Whether every array is right."""
        return not any(one.wrong for one in self.found)


def other_forward(system: RecurrentSystem, found: Sequence[Evidence]) -> Iterator[OtherForward]:
    """A cell of which the arrays are right, all but few, and then one of which all are."""
    passed = {point: with_passed_loss(point) for one in found for pair in one.pairs for point in pair.case.points}
    instances = {point: other for point, other in passed.items() if other is not None}
    if len(instances) < len(passed):
        return
    most = few_of(found)
    for variant in _variants(system):
        held = _Held(variant, instances).all(found, most)
        if held is not None:
            explained = tuple(one for one, other in zip(found, held, strict=True) if one.wrong and not other.wrong)
            said = f"right for {variant.said}; the forward pass is not that of the cell"
            other = OtherForward(said, variant.system, held, explained)
            most = 0
            yield other
            if other.whole:
                return


class _Held:
    """Arrays held against a variant."""

    def __init__(self, variant: Variant, instances: Mapping[Point, Point]) -> None:
        self.variant, self.instances = variant, instances
        self.points: dict[Point, Point] = {}

    def all(self, found: Sequence[Evidence], most: int) -> tuple[Evidence, ...] | None:
        """The arrays; None where more of them are wrong than may be. Short sequences come first, and of those small arrays."""
        wrong: set[str] = set()
        pairs: dict[str, list[Pair]] = {one.name: [] for one in found}
        order = [one for one in found if one.wrong] + [one for one in found if not one.wrong]
        for length in sorted({pair.case.length for one in found for pair in one.pairs}):
            for one in order:
                for pair in (pair for pair in one.pairs if pair.case.length == length):
                    held = self._pair(one, pair)
                    if held is None or not self._agrees(one, held):
                        wrong.add(one.name)
                        if len(wrong) > most:
                            return None
                    pairs[one.name].append(pair if held is None else held)
        return tuple(replace(one, pairs=tuple(pairs[one.name]), wrong=one.name in wrong) for one in found)

    def _pair(self, one: Evidence, pair: Pair) -> Pair | None:
        case = replace(pair.case.changed(self._point), system=self.variant.system)
        try:
            right = case.right(one.target)
        except ERRORS:
            return None
        return None if right is None else Pair(case, pair.found, right)

    def _agrees(self, one: Evidence, pair: Pair) -> bool:
        left_out = self.variant.zero == one.target.key and not np.any(pair.found)
        return left_out or one.agrees(pair, pair.right)

    def _point(self, point: Point) -> Point:
        if point not in self.points:
            self.points[point] = self.variant.point(self.instances[point])
        return self.points[point]


# -- variants ------------------------------------------------------------------------------------------


def _variants(system: RecurrentSystem) -> Iterator[Variant]:
    """Other cells, the likely ones first."""
    if system.starts:
        starts = ", ".join(str(start) for start in system.starts if start not in system.initial)
        yield Variant(f"{starts} = 0", system, starts=True)
    yield from _without_parameters(system)
    names = Names(system)
    every = [(change, q) for q in system.equations for change in _changes(system, q, names)]
    every.sort(key=lambda pair: pair[0].cost)
    for change, equation in every:
        node = change.built(names)
        if node is None or node.shape not in (equation.rhs.shape, (e.size("1"),)):
            continue
        other = _with_equation(system, equation, node)
        if other is not None:
            yield Variant(f"{equation.lhs} = {node}{change.told(names)}", other)


def _without_parameters(system: RecurrentSystem) -> Iterator[Variant]:
    """A vector or a matrix that is left out of the equation that reads it."""
    for equation in system.equations:
        for leaf in (one for one in equation.rhs.atoms(e.Var) if one.name in system.parameters):
            rest = substitute(equation.rhs, {leaf: make.zero(leaf.shape)})
            yield Variant(f"{equation.lhs} = {rest}, without {leaf}", system, zero=leaf.name)


def _changes(system: RecurrentSystem, equation: Equation, names: Names) -> Iterator[Change]:
    pre = read(equation.rhs, names)
    if pre is None:
        return
    yield from changes_of(pre, names, DEAREST, _KINDS)
    yield from _other_functions(pre)
    yield from _exchanged(pre, names)


def _other_functions(pre: Pre) -> Iterator[Change]:
    """σ where tanh belongs, though the cell may have no σ."""
    for path, node in places(pre):
        if node.op == "apply":
            for name in _FUNCTIONS:
                if name != node.data[0]:
                    edit = Edit(1.0, path, replace(node, data=(name, node.data[1])), "", "function")
                    yield Change(pre, edit)


def _exchanged(pre: Pre, names: Names) -> Iterator[Change]:
    """Two quantities of one shape, each in the place of the other."""
    read = dict.fromkeys((node.data[0], node.data[1] is None) for _, node in places(pre) if node.op == "name")
    for (one, fixed), (other, also) in combinations(read, 2):
        if fixed == also and names.system.shapes.get(one) == names.system.shapes.get(other):
            new = renamed(pre, {one: other, other: one})
            yield Change(pre, Edit(1.4, (), new, "", "name"))


def _with_equation(system: RecurrentSystem, equation: Equation, rhs: e.Node) -> RecurrentSystem | None:
    """The cell with another right side in one equation."""
    equations = tuple(replace(q, rhs=rhs) if q is equation else q for q in system.text.equations)
    try:
        return RecurrentSystem(replace(system.text, equations=equations))
    except BpttError:
        return None


__all__ = ["OtherForward", "other_forward"]
