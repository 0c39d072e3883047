"""The search for the smallest change that makes a false formula true.

Changes are tried in the order of their costs at a few points of the left side; the first that agrees there is judged like any other
formula. Nothing depends on the time that is spent: so many changes are tried, and no more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, islice

import numpy as np

from derive import expressions as e
from derive.errors import BpttError
from derive.normal import equal
from derive.notation.elaborate import build
from derive.notation.operations import Pre
from derive.system import leaves
from numeric.compare import relative_difference
from numeric.draws import farthest
from numeric.evaluate import Environment
from numeric.functions import Array
from verify.diagnosis.edits import Edit, edits
from verify.diagnosis.shapes import Shapes
from verify.diagnosis.trees import Path, at, places, put
from verify.diagnosis.vocabulary import Vocabulary
from verify.evaluated import evaluated
from verify.formula import Subject
from verify.instances import Trial, instance, instances
from verify.measure import LONGEST
from verify.names import Names
from verify.proof import line_of, truth
from verify.readings import immediate_in_sums

MOST = 1_500
"""How many changes that may conform are tried for one formula."""
LONGEST_FORMULA = 400
"""Formulas of more operations than people write are not searched: there are too many ways to change them."""
NEAR = 1e-9
"""The relative difference up to which two sides agree at a point."""
POINTS = 4
"""At how many points a change is tried before it is judged."""


@dataclass(frozen=True)
class Diagnosis:
    """A change that makes a formula true.

    Parameters
    ----------
    edit     : the change.
    relation : the formula that is true.
    before   : the formula as it is, as operations.
    after    : the same with the change.
    """

    edit: Edit
    relation: e.Relation
    before: Pre
    after: Pre


@dataclass(frozen=True)
class _Point:
    """Where both sides are compared."""

    environment: Environment
    sizes: Mapping[str, int]
    times: Mapping[str, int]
    left: Array


def diagnose(subject: Subject, left: Pre, right: Pre) -> Diagnosis | None:
    """The cheapest change of a right side (or of which quantity the left side is) that makes the equation true; None if there is
    none among those that are tried.
    """
    names = subject.names
    whole = Pre("relation", (left, right), ("=",))
    nodes = [node for _, node in places(whole)]
    if len(nodes) > LONGEST_FORMULA:
        return None
    words = Vocabulary(names, nodes, _truths(names, left))
    points = _points(names, left, whole)
    if not points:
        return None
    seen: set[object] = set()
    for edit, changed in islice(_conforming(names, whole, words), MOST):
        found = _built(changed, names)
        if found is None or found in seen:
            continue
        seen.add(found)
        on_left = edit.path[:1] == (0,)
        if not _agrees(names, found, points, on_left) or _says_nothing(found) or (on_left and _is_known(found)):
            continue
        if _vanishes(names, changed, edit.path, points):
            continue
        if subject.decide(found).verdict == "correct":
            return Diagnosis(edit, found, whole, changed)
    return None


def _conforming(names: Names, whole: Pre, words: Vocabulary) -> Iterator[tuple[Edit, Pre]]:
    """The changes whose shapes may conform, the cheap ones first, and what the formula is then."""
    shapes = Shapes(names.context.shapes, names.context.layout)
    for edit in _changes(whole, words):
        changed = put(whole, edit.path, edit.new)
        if shapes.conforms(changed):
            yield edit, changed


def _says_nothing(relation: e.Relation) -> bool:
    """Whether it is no answer, because a quantity or a derivative is said to be itself: ∂a/∂b = ∂a/∂b, δ_t = 0 + δ_t. The next link of a
    chain may well be the one before.
    """
    if not isinstance(relation.lhs, (e.Derivative, e.Gradient, e.Timed, e.Var)):
        return False
    try:
        return relation.lhs == relation.rhs or equal(relation.lhs, relation.rhs)
    except BpttError:
        return False


def _is_known(relation: e.Relation) -> bool:
    """Whether a left side that is changed has become something that nobody asks for: ∂h_t/∂h_t, or a number."""
    left = relation.lhs
    same = isinstance(left, (e.Derivative, e.Gradient)) and left.of == left.by
    return same or not any(True for _ in leaves(relation.rhs))


def _vanishes(names: Names, changed: Pre, path: Path, points: list[_Point]) -> bool:
    """Whether a derivative has become zero by the change, as ∂h_{t-1}/∂h_t is: nobody means that."""
    around = [at(changed, path[:depth]) for depth in range(1, len(path) + 1)]
    return any(_is_zero(names, node, points) for node in around if node.op in ("derivative", "gradient"))


def _is_zero(names: Names, node: Pre, points: list[_Point]) -> bool:
    """Whether a derivative is zero wherever it has a value."""
    values: list[Array] = []
    for point in points:
        with contextlib.suppress(BpttError):
            derivative = names.plain(build(node, names.context))
            values.append(evaluated(derivative, point.environment, point.sizes, point.times))
    return bool(values) and not any(np.any(value) for value in values)


def _truths(names: Names, left: Pre) -> list[e.Node]:
    """What the engine has for the left side, as it stands and written out."""
    try:
        side = names.plain(build(left, names.context))
        found = truth(names.system, side)
    except BpttError:
        return []
    inner = found.operands[0] if isinstance(found, e.Transpose) else found
    adjoint = next((one for one in (inner, side) if one is not None and line_of(names.system, one) is not None), None)
    if adjoint is not None and adjoint is not side:
        found = truth(names.system, adjoint) or found  # what it is made of, and not what it is called
    line = None if adjoint is None else line_of(names.system, adjoint)
    return [one for one in (line, found) if one is not None]


_ON_THE_LEFT = {"total or immediate": 0.0, "index": 0.6, "loss": 0.65}
"""What may be wrong about the left side, and how much more far-fetched it is than on the right: a summand that is missing comes first."""


def _changes(whole: Pre, words: Vocabulary) -> Iterable[Edit]:
    """All changes, the cheap ones first: of the right side anywhere, of the left side only which quantity of that name it is, and how it
    is differentiated.
    """
    found: list[Edit] = []
    for path, node in places(whole):
        if path[:1] == (1,):
            found += edits(path, node, words)
        elif path == (0,) or (len(path) == 2 and whole.args[0].op in ("derivative", "gradient")):
            found += (
                replace(edit, cost=edit.cost + _ON_THE_LEFT[edit.kind])
                for edit in edits(path, node, words)
                if edit.kind in _ON_THE_LEFT
            )
    found.sort(key=lambda edit: edit.cost)
    return found


def _built(pre: Pre, names: Names) -> e.Relation | None:
    try:
        found = build(pre, names.context)
        return names.plain(found) if isinstance(found, e.Relation) else None
    except BpttError:
        return None


def _points(names: Names, left: Pre, whole: Pre) -> list[_Point]:
    """Points at which the left side has a value; in the midst of the sequence, so that neighbouring times exist as well."""
    try:
        side = names.plain(build(left, names.context))
    except BpttError:
        return []
    probe = e.Relation("=", side, side)
    letters = sorted(_free(whole))
    found: list[_Point] = []
    trial = Trial(3, 101)
    far = max(2, farthest(probe))
    if far + 3 > LONGEST:
        return []
    for number in range(3):
        drawn, run = instance(names.system, trial, number, far)
        environment = names.environment(run)
        options = [dict(times) for times in instances(probe, run, np.random.default_rng([101, number]), names, most=50)]
        options.sort(key=partial(_remoteness, length=run.length))
        for times in options[: 1 + (number == 0)]:
            times.update({letter: 2 for letter in letters if letter not in times and letter not in run.sizes})
            try:
                value = evaluated(side, environment, drawn.sizes, times)
            except BpttError:
                continue
            if np.all(np.isfinite(value)):
                found.append(_Point(environment, drawn.sizes, times, value))
    return found[:POINTS]


def _remoteness(times: Mapping[str, int], length: int) -> tuple[int, int]:
    """How little times say: those that are the same say little about a stretch between them, and neighbours little about its
    order; then, how far from the midst of the sequence they are.
    """
    values = list(times.values())
    near = sum(2 if a == b else abs(a - b) == 1 for a, b in combinations(values, 2))
    return near, sum(abs(2 * time - length - 1) for time in values)


def _free(whole: Pre) -> set[str]:
    """The letters of times that no sum binds."""
    bound = {node.data[0] for _, node in places(whole) if node.op in ("sum", "product")}
    times = [node.data[1] for _, node in places(whole) if node.op == "name" and node.data[1] is not None]
    return {symbol.name for time in times for symbol in time.free_symbols - bound if symbol.is_Symbol}


def _agrees(names: Names, relation: e.Relation, points: list[_Point], left_changed: bool) -> bool:
    """Whether the two sides agree at all points where they have values, and at one at least; as printed, or with the immediate
    derivative where authors leave out its mark.
    """
    if _holds(relation, points, left_changed):
        return True
    marked = (
        immediate_in_sums(relation, names.system)
        if relation.has(e.Derivative) and relation.has(e.SumOver)
        else relation
    )
    return isinstance(marked, e.Relation) and marked != relation and _holds(marked, points, left_changed)


def _holds(relation: e.Relation, points: list[_Point], left_changed: bool) -> bool:
    agreed = 0
    for point in points:
        where = (point.environment, point.sizes, point.times)
        try:
            right = evaluated(relation.rhs, *where)
            left = evaluated(relation.lhs, *where) if left_changed else point.left
        except BpttError:
            continue
        if left.shape != right.shape and right.size != 1:
            return False
        if relative_difference(*np.broadcast_arrays(left, right)) > NEAR:
            return False
        agreed += 1
    return agreed > 0


__all__ = ["Diagnosis", "diagnose"]
