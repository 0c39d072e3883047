"""Measuring derivations against torch autograd on random draws.

The referee never sees a derived formula: it runs the cell's equations in torch and lets autograd differentiate them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.derivation import Derivation
from derive.errors import DataError, MissingRuleError, ValidationError
from derive.second import TangentEngine
from derive.system import RecurrentSystem, T
from numeric.adjoints import AdjointPass
from numeric.compare import relative_difference
from numeric.derived import DerivedNames, WithAdjoints
from numeric.draws import Draw, draw, farthest, run_of
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.referee import TorchReferee
from numeric.simulate import Point, Run
from numeric.tangents import TangentPass
from numeric.truth import point_of

TOLERANCE = 1e-10
"""Largest relative error that a derivation may have in float64."""


_ATTEMPTS = 12
"""How often another sequence or tree is drawn, until it holds all that a derivation speaks of."""


@dataclass(frozen=True)
class Validation:
    """What was measured: the largest relative error over all draws, and what was drawn."""

    subject: str
    error: float
    draws: int
    sizes: tuple[str, ...]
    lengths: tuple[int, int]
    worst: str = ""

    def __str__(self) -> str:
        low, high = self.lengths
        sizes = ", ".join(self.sizes)
        return (
            f"{self.subject}: largest relative error {self.error:.1e} over {self.draws} draws "
            f"({sizes} up to 6, T = {low} to {high})"
        )


def relative_error(measured: Array, truth: Array) -> float:
    """The norm of the difference, relative to the larger side.

    Raises
    ------
    DataError : the referee has no finite number there, so nothing can be compared.
    """
    if not np.all(np.isfinite(truth)):
        raise DataError(
            "the cell has no finite value at a random point",
            expected="functions that are defined for all real numbers",
            hint="a logarithm, root or quotient may leave its domain: write it so that it cannot, as in \\sqrt{\\lVert h_t \\rVert^2 + 1}",
        )
    if measured.shape != truth.shape:
        raise ValidationError(f"the derived result has shape {measured.shape}, the referee's {truth.shape}")
    return relative_difference(measured, truth)


class Record:
    """The largest error so far, where it was, and what was drawn."""

    def __init__(self) -> None:
        self.error, self.where = 0.0, ""
        self.lengths: list[int] = []
        self.sizes: set[str] = set()

    def drawn(self, drawn: Draw) -> None:
        self.lengths.append(drawn.sizes["T"])
        self.sizes |= set(drawn.sizes) - {"T"}

    def compare(self, measured: Array, truth: Array, where: str) -> None:
        error = relative_error(measured, truth)
        if error > self.error:
            self.error, self.where = error, where

    def accepted(self, subject: str, tolerance: float) -> Validation:
        """What was measured.

        Raises
        ------
        ValidationError : the error is larger than the tolerance.
        """
        if not self.error <= tolerance:
            raise ValidationError(
                f"{subject} disagrees with autograd: relative error {self.error:.2e} at {self.where}",
                expected=f"at most {tolerance:.0e}",
            )
        lengths = (min(self.lengths, default=0), max(self.lengths, default=0))
        return Validation(subject, self.error, len(self.lengths), tuple(sorted(self.sizes)), lengths, self.where)


def validate_gradients(
    system: RecurrentSystem, draws: int = 20, seed: int = 0, tolerance: float = TOLERANCE, scale: float = 0.8
) -> Validation:
    """The adjoint recursion against autograd: the loss, and its gradients by every parameter, input and starting value.

    Raises
    ------
    ValidationError : an error is larger than the tolerance; the message says which gradient of which draw.
    """
    record, engine = Record(), AdjointEngine(system)
    for number in range(draws):
        drawn = draw(system, seed + number, scale=scale)
        record.drawn(drawn)
        with np.errstate(all="ignore"):  # what is not finite is told by its place
            pairs = list(_gradient_pairs(system, drawn, engine))
        for point, measured, truth in pairs:
            record.compare(measured, truth, f"{point[0]} (draw {number})")
    return record.accepted("gradients", tolerance)


def validate_hessian_vector(
    system: RecurrentSystem,
    along: Iterable[str] = (),
    draws: int = 20,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    scale: float = 0.8,
) -> Validation:
    """The tangent of the adjoint recursion against autograd, applied twice, along random directions.

    Raises
    ------
    ValidationError : an error is larger than the tolerance; the message says at which parameter of which draw.
    """
    varying = tuple(key for key in system.parameters if key not in system.labels)
    moved = tuple(map(system.resolve_name, along)) or varying
    record, engine = Record(), TangentEngine(system, moved)
    for number in range(draws):
        drawn = draw(system, seed + number, scale=scale)
        generator = np.random.default_rng([seed + number, 11])
        direction = {key: generator.normal(size=drawn.given[(key, None)].shape) for key in moved}
        record.drawn(drawn)
        truth = TorchReferee(system, drawn).hessian_vector(direction)
        with np.errstate(all="ignore"):
            tangents = TangentPass(run_of(system, drawn), direction, engine)
            measured = {key: np.array(tangents.parameter(key)) for key in varying}
        for key in varying:
            record.compare(measured[key], truth[key], f"{key} (draw {number})")
    return record.accepted("Hessian-vector product", tolerance)


def _gradient_pairs(
    system: RecurrentSystem, drawn: Draw, engine: AdjointEngine
) -> Iterable[tuple[Point, Array, Array]]:
    """The loss, and its gradients: by every parameter, by every starting value, by each input at all times together."""
    points = [point for point in drawn.given if point[0] not in system.labels]
    loss, truth = TorchReferee(system, drawn).loss_gradients(points)
    run = run_of(system, drawn)
    backward = AdjointPass(run, engine)
    yield (system.loss_name, None), np.real(run.total_loss()), np.array([[loss]])
    over_time: dict[str, list[tuple[Array, Array]]] = {}
    for point in points:
        key, time = point
        if time is None:
            yield point, np.array(backward.parameter(key)), truth[point]
        elif key in system.definitions:
            when = Integer(time) if time < 1 else T + (time - drawn.sizes["T"])
            yield point, np.array(backward.initial(key, when)), truth[point]
        else:
            over_time.setdefault(key, []).append((np.array(backward.input(key, time)), truth[point]))
    for key, pairs in over_time.items():
        yield (key, None), np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def validate_derivation(
    system: RecurrentSystem,
    derivation: Derivation,
    draws: int = 20,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    scale: float = 0.8,
) -> Validation:
    """A derivation's result against autograd, at random points, sizes and times.

    Raises
    ------
    ValidationError  : an error is larger than the tolerance.
    MissingRuleError : the target is not a derivative.
    """
    record, engine = Record(), AdjointEngine(system)
    for number in range(draws):
        drawn = draw(system, seed + number, derivation.length, scale=scale)
        generator = np.random.default_rng([seed + number, 7])
        times = _times(system, derivation, drawn, generator)
        longer = max(6, farthest(derivation.target) + 2)
        for attempt in range(_ATTEMPTS):
            if times is not None:
                break
            drawn = draw(system, seed + number + 1000 * attempt, longer + attempt, scale=scale)
            times = _times(system, derivation, drawn, generator)
        if times is None:
            raise ValidationError(
                f"no sequence was found in which {derivation.target} exists", expected="times or nodes that there are"
            )
        record.drawn(drawn)
        with np.errstate(all="ignore"):
            measured, truth = _result_pair(system, derivation, drawn, times, engine)
        record.compare(measured, truth, f"draw {number}, {times}")
    return record.accepted(str(derivation.target), tolerance)


def _times(
    system: RecurrentSystem, derivation: Derivation, drawn: Draw, generator: np.random.Generator
) -> dict[str, int] | None:
    """Numbers for the free times such that every quantity exists; None where the sequence is too short."""
    target = derivation.target
    symbols = sorted(
        {s.name for part in target.args if isinstance(part, e.Node) for s in part.free_symbols if s.is_Symbol},
        reverse=True,
    )
    symbols = [name for name in symbols if name != "T"]
    length = drawn.sizes["T"]
    if drawn.tree is not None:
        return _nodes(system, derivation, drawn, generator, symbols)
    if not isinstance(target, e.Derivative):
        return {name: int(generator.integers(1, length + 1)) for name in symbols}
    options = []
    run = run_of(system, drawn)
    for values in np.ndindex(*([length + 1] * len(symbols))):
        times = dict(zip(symbols, (int(v) for v in values), strict=True))
        evaluator = Evaluator(run, drawn.sizes, times)
        of, by = (part.operands[0] if isinstance(part, e.Vec) else part for part in (target.of, target.by))
        of_time = evaluator.integer(of.time) if isinstance(of, e.Timed) else 1
        by_time = evaluator.integer(by.time) if isinstance(by, e.Timed) else 1
        first = 0 if isinstance(by, e.Timed) and (by.name in system.states or by.name not in system.shapes) else 1
        holds = all(evaluator.number(a) <= evaluator.number(b) for a, b in derivation.conditions)
        if 1 <= of_time <= length and first <= by_time <= of_time and holds:
            options.append(times)
    return options[int(generator.integers(len(options)))] if options else None


def _nodes(
    system: RecurrentSystem, derivation: Derivation, drawn: Draw, generator: np.random.Generator, symbols: list[str]
) -> dict[str, int] | None:
    """Numbers for the letters of nodes: of edges that there are, of children, and of nodes below others."""
    run, tree, letters, target = run_of(system, drawn), drawn.tree, system.tree, derivation.target
    if tree is None or letters is None:
        return None
    options = []
    for values in np.ndindex(*([drawn.sizes["T"]] * len(symbols))):
        times = {name: int(value) + 1 for name, value in zip(symbols, values, strict=True)}
        evaluator = Evaluator(run, drawn.sizes, times)
        parts = [part for part in target.args if isinstance(part, e.Node) and isinstance(part, (e.Timed, e.Vec))]
        quantities = [part.operands[0] if isinstance(part, e.Vec) else part for part in parts]
        timed = [(q.name, evaluator.integer(q.time)) for q in quantities if isinstance(q, e.Timed)]
        places, nodes = [place for _, place in timed], [run.step_of(*point) for point in timed]
        near = times.keys() >= {letters.node.name, letters.child.name}
        joined = not near or tree.is_edge(times[letters.node.name], times[letters.child.name])
        joined = joined and all(evaluator.number(a) <= evaluator.number(b) for a, b in derivation.conditions)
        if (
            joined
            and all(1 <= place <= drawn.sizes["T"] for place in places)
            and (len(places) < 2 or tree.is_above(*nodes))
        ):
            options.append(times)
    return options[int(generator.integers(len(options)))] if options else None


def _result_pair(
    system: RecurrentSystem, derivation: Derivation, drawn: Draw, times: Mapping[str, int], engine: AdjointEngine
) -> tuple[Array, Array]:
    target, result = derivation.target, derivation.result
    run = run_of(system, drawn)
    if derivation.window is not None:
        return _truncated_pair(run, drawn, derivation)
    if isinstance(target, e.Derivative) and isinstance(target.of, e.Var) and target.of.name == system.loss_name:
        target = e.Gradient(target.by, target.of)
    if isinstance(target, e.Derivative):
        evaluator = run.evaluator(**times)
        names = DerivedNames(run, derivation, times)
        parts, wrt = names.parts(target.of), names.parts(target.by)
        if (parts, wrt) != ([target.of], [target.by]):
            return np.real(names.evaluator()(result)), _joint_truth(system, drawn, run, parts, wrt, evaluator)
        of, by = point_of(target.of, evaluator), point_of(target.by, evaluator)
        truth = TorchReferee(system, drawn, [by], run).jacobian(of, by)
        if isinstance(target.of, e.Vec):
            truth = truth[_down_columns(run.value(*of).shape)]
        if isinstance(target.by, e.Vec):
            truth = truth[:, _down_columns(run.value(*by).shape)]
        measured = names.evaluator()(result)
        return np.real(measured).reshape(truth.shape), truth
    if isinstance(target, e.Gradient):
        evaluator = run.evaluator(**times)
        point = point_of(target.by, evaluator)
        _, found = TorchReferee(system, drawn, [point], run).loss_gradients([point])
        truth = found[point]
        if isinstance(target.by, e.Vec):
            truth = truth.ravel()[_down_columns(run.value(*point).shape)]
        measured = WithAdjoints(run, derivation, times, engine).evaluator()(result)
        return np.real(measured).reshape(truth.shape), truth
    raise MissingRuleError(f"{target} is not a derivative")


def _joint_truth(
    system: RecurrentSystem, drawn: Draw, run: Run, of: list[e.Node], by: list[e.Node], evaluator: Evaluator
) -> Array:
    """The Jacobian of a joint state by another one: each part by each, all parts of the denominator being free."""
    points = [point_of(part, evaluator) for part in by]
    referee = TorchReferee(system, drawn, points, run)
    rows = []
    for part in of:
        row = []
        for below, point in zip(by, points, strict=True):
            block = referee.jacobian(point_of(part, evaluator), point)
            block = (
                block[_down_columns(run.value(*point_of(part, evaluator)).shape)] if isinstance(part, e.Vec) else block
            )
            row.append(block[:, _down_columns(run.value(*point).shape)] if isinstance(below, e.Vec) else block)
        rows.append(row)
    return np.block(rows)


def _truncated_pair(run: Run, drawn: Draw, derivation: Derivation) -> tuple[Array, Array]:
    """Each loss goes back over a window only: the referee holds fixed what came before it."""
    by = derivation.target.by
    window = _window_in_numbers(run, derivation)
    truth = TorchReferee(run.system, drawn).truncated_gradient(by.name, window)
    run = replace(run, sizes={**run.sizes, str(derivation.window): window})
    measured = np.zeros(truth.shape)
    terms = derivation.result.operands if isinstance(derivation.result, e.Plus) else (derivation.result,)
    for term in terms:
        value = np.real(_truncated_value(run, derivation, term))
        measured = measured + (value.reshape(truth.shape) if value.size == truth.size else value)
    return measured, truth


def _truncated_value(run: Run, derivation: Derivation, term: e.Node) -> Array:
    """A part of a truncated gradient; where adjoints are those of one step's loss, step by step."""
    if not (isinstance(term, e.SumOver) and derivation.recursion and term.index != run.system.time):
        return DerivedNames(run, derivation, {}).evaluator()(term)
    total = 0.0
    for step in run.evaluator().range(term.lower, term.upper):
        at = {term.index: Integer(step)}
        lines = tuple(line.xreplace(at) for line in derivation.recursion)
        steps = tuple(replace(one, lhs=one.lhs.xreplace(at), rhs=one.rhs.xreplace(at)) for one in derivation.steps[:-1])
        moved = replace(derivation, recursion=lines, steps=steps)
        total = total + DerivedNames(run, moved, {}).evaluator()(term.body.xreplace(at))
    return np.asarray(total)


def _window_in_numbers(run: Run, derivation: Derivation) -> int:
    """The window in numbers; a letter is any number up to the length."""
    window = derivation.window
    if window is not None and window.is_Integer:
        return int(window)
    return 1 + int(np.random.default_rng([run.length, run.loss.seed]).integers(run.length))


def _down_columns(shape: tuple[int, int]) -> Array:
    """The entries of a matrix, counted row by row, in the order of vec: down its columns."""
    return np.arange(shape[0] * shape[1]).reshape(shape).T.ravel()
