"""Measuring derivations against torch autograd on random draws.

The referee never sees a derived formula: it runs the cell's equations in torch and lets autograd differentiate them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.derivation import Derivation
from derive.errors import DataError, MissingRuleError, ValidationError
from derive.system import RecurrentSystem, T
from numeric.adjoints import AdjointPass
from numeric.compare import relative_difference
from numeric.draws import Draw, draw, farthest, run_of
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.simulate import Point, Run

TOLERANCE = 1e-10
"""Largest relative error that a derivation may have in float64."""


_SHORT = 8
"""Longest sequence that may be computed by recursion over its steps."""


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


class TorchReferee:
    """The same run in torch, with gradients by autograd.

    Parameters
    ----------
    free : computed quantities that become free variables of the unrolled graph, at the values that they have in
           ``run``.
    """

    def __init__(
        self, system: RecurrentSystem, drawn: Draw, free: Iterable[Point] = (), run: Run | None = None
    ) -> None:
        import torch

        from numeric.torch_arrays import TorchArrays

        self.torch = torch
        self.system = system
        given = {
            point: torch.tensor(value, dtype=torch.float64, requires_grad=point[0] not in system.labels)
            for point, value in drawn.given.items()
        }
        computed = [point for point in free if point not in given]
        values = (run or run_of(system, drawn)) if computed else None
        forced = {
            point: torch.tensor(values.value(*point), dtype=torch.float64, requires_grad=True)
            for point in computed
            if values is not None
        }
        self.leaves = {**given, **forced}
        self.run = Run(system, drawn.sizes, given, drawn.loss, forced, TorchArrays())
        if (
            drawn.sizes["T"] > _SHORT
        ):  # step by step, so that nothing recurses over a long sequence; a short one is computed as far as it is asked for
            self.run.forward()

    def loss_gradients(self, points: Iterable[Point]) -> tuple[float, dict[Point, Array]]:
        """L and ∇L by the given points."""
        loss = self.run.total_loss()
        wanted = list(points)
        if not loss.requires_grad:  # no term of the loss falls into so short a sequence
            return float(loss.sum()), {p: np.zeros(tuple(self.leaves[p].shape)) for p in wanted}
        found = self.torch.autograd.grad(loss.sum(), [self.leaves[p] for p in wanted], allow_unused=True)
        values = {
            p: (np.zeros(tuple(self.leaves[p].shape)) if g is None else g.numpy())
            for p, g in zip(wanted, found, strict=True)
        }
        return float(loss.sum().detach()), values

    def jacobian(self, of: Point, by: Point) -> Array:
        """∂a/∂b as (size a, size b)."""
        value = self.run.value(*of).reshape(-1)
        leaf = self.leaves[by]
        rows = []
        for entry in value:
            if not entry.requires_grad:
                rows.append(np.zeros(leaf.numel()))
                continue
            (row,) = self.torch.autograd.grad(entry, leaf, retain_graph=True, allow_unused=True)
            rows.append(np.zeros(leaf.numel()) if row is None else row.reshape(-1).numpy())
        return np.array(rows)


def validate_gradients(
    system: RecurrentSystem, draws: int = 20, seed: int = 0, tolerance: float = TOLERANCE, scale: float = 0.8
) -> Validation:
    """The adjoint recursion against autograd: the loss, and its gradients by every parameter, input and starting value.

    Raises
    ------
    ValidationError : an error is larger than the tolerance; the message says which gradient of which draw.
    """
    worst, where, lengths, sizes = 0.0, "", [], set()
    for number in range(draws):
        drawn = draw(system, seed + number, scale=scale)
        lengths.append(drawn.sizes["T"])
        sizes |= set(drawn.sizes) - {"T"}
        with np.errstate(all="ignore"):  # what is not finite is told by its place
            pairs = list(_gradient_pairs(system, drawn))
        for point, measured, truth in pairs:
            error = relative_error(measured, truth)
            if error > worst:
                worst, where = error, f"{point[0]} (draw {number})"
    result = Validation("gradients", worst, draws, tuple(sorted(sizes)), (min(lengths), max(lengths)), where)
    return _accepted(result, tolerance)


def _gradient_pairs(system: RecurrentSystem, drawn: Draw) -> Iterable[tuple[Point, Array, Array]]:
    """The loss, and its gradients: by every parameter, by every starting value, by each input at all times together."""
    points = [point for point in drawn.given if point[0] not in system.labels]
    loss, truth = TorchReferee(system, drawn).loss_gradients(points)
    run = run_of(system, drawn)
    backward = AdjointPass(run)
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
    system: RecurrentSystem, derivation: Derivation, draws: int = 20, seed: int = 0, tolerance: float = TOLERANCE
) -> Validation:
    """A derivation's result against autograd, at random points, sizes and times.

    Raises
    ------
    ValidationError  : an error is larger than the tolerance.
    MissingRuleError : the target is not a derivative.
    """
    worst, where, lengths, sizes = 0.0, "", [], set()
    for number in range(draws):
        drawn = draw(system, seed + number, derivation.length)
        generator = np.random.default_rng([seed + number, 7])
        times = _times(system, derivation, drawn, generator)
        if times is None:
            drawn = draw(system, seed + number, max(6, farthest(derivation.target) + 2))
            times = _times(system, derivation, drawn, generator) or {}
        lengths.append(drawn.sizes["T"])
        sizes |= set(drawn.sizes) - {"T"}
        with np.errstate(all="ignore"):
            measured, truth = _result_pair(system, derivation, drawn, times)
        error = relative_error(measured, truth)
        if error > worst:
            worst, where = error, f"draw {number}, {times}"
    result = Validation(str(derivation.target), worst, draws, tuple(sorted(sizes)), (min(lengths), max(lengths)), where)
    return _accepted(result, tolerance)


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
        first = 0 if isinstance(by, e.Timed) and by.name in system.states else 1
        holds = all(evaluator.number(a) <= evaluator.number(b) for a, b in derivation.conditions)
        if 1 <= of_time <= length and first <= by_time <= of_time and holds:
            options.append(times)
    return options[int(generator.integers(len(options)))] if options else None


def _result_pair(
    system: RecurrentSystem, derivation: Derivation, drawn: Draw, times: Mapping[str, int]
) -> tuple[Array, Array]:
    target, result = derivation.target, derivation.result
    run = run_of(system, drawn)
    if isinstance(target, e.Derivative) and isinstance(target.of, e.Var) and target.of.name == system.loss_name:
        target = e.Gradient(target.by, target.of)
    if isinstance(target, e.Derivative):
        evaluator = run.evaluator(**times)
        named = _named_values(derivation, evaluator)
        of, by = _point(target.of, evaluator), _point(target.by, evaluator)
        truth = TorchReferee(system, drawn, [by], run).jacobian(of, by)
        if isinstance(target.of, e.Vec):
            truth = truth[_down_columns(run.value(*of).shape)]
        if isinstance(target.by, e.Vec):
            truth = truth[:, _down_columns(run.value(*by).shape)]
        measured = _Named(run, named, drawn.sizes, times).evaluator()(result)
        return np.real(measured).reshape(truth.shape), truth
    if isinstance(target, e.Gradient):
        evaluator = run.evaluator(**times)
        point = _point(target.by, evaluator)
        _, found = TorchReferee(system, drawn, [point], run).loss_gradients([point])
        backward = AdjointPass(run)
        environment = _WithAdjoints(run, backward, _named_values(derivation, evaluator), drawn.sizes, times)
        return np.real(environment.evaluator()(result)).reshape(found[point].shape), found[point]
    raise MissingRuleError(f"{target} is not a derivative")


def _down_columns(shape: tuple[int, int]) -> Array:
    """The entries of a matrix, counted row by row, in the order of vec: down its columns."""
    return np.arange(shape[0] * shape[1]).reshape(shape).T.ravel()


def _point(node: e.Node, evaluator: Evaluator) -> Point:
    from numeric.truth import point_of

    return point_of(node, evaluator)


def _named_values(derivation: Derivation, evaluator: Evaluator) -> dict[str, e.Node]:
    """Names that a derivation introduces (a joint Jacobian J_t), by their last definition."""
    system_names = set()
    environment = evaluator.environment
    if isinstance(environment, Run):
        system_names = set(environment.system.shapes)
    return {
        step.lhs.name: step.rhs
        for step in derivation.steps
        if isinstance(step.lhs, e.Timed) and step.lhs.name not in system_names
    }


class _Named:
    """A run in which names introduced by a derivation have values too."""

    def __init__(
        self, run: Run, named: Mapping[str, e.Node], sizes: Mapping[str, int], times: Mapping[str, int]
    ) -> None:
        self.run = run
        self.named = named
        self.sizes = sizes
        self.times = times
        self._known: dict[tuple[e.Node, tuple[tuple[str, int], ...]], Array] = {}
        """Derivatives by the times that they were asked for: a sum over t and k repeats ∂⁺s_k/∂W for every t."""

    def evaluator(self) -> Evaluator:
        return Evaluator(self, self.sizes, self.times)

    def value(self, key: str, time: int | None) -> Array:
        if key in self.named:
            return Evaluator(self, self.sizes, {self.run.system.time.name: time} if time is not None else {})(
                self.named[key]
            )
        return self.run.value(key, time)

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        letters = {symbol.name for symbol in node.free_symbols if symbol.is_Symbol}
        key = (node, tuple(sorted((name, time) for name, time in evaluator.times.items() if name in letters)))
        if key not in self._known:
            joint = self._joint(node)
            self._known[key] = self.run.derivative(node, evaluator) if joint is None else joint(evaluator)
        return self._known[key]

    def _joint(self, node: e.Node):  # type: ignore[no-untyped-def]
        """A derivative of or by a joint state is made of those of or by its parts."""
        if not isinstance(node, e.Derivative):
            return None
        of, by = self._parts(node.of), self._parts(node.by)
        if len(of) == 1 and len(by) == 1 and of[0] == node.of and by[0] == node.by:
            return None

        def value(evaluator: Evaluator) -> Array:
            rows = []
            for a in of:
                row = []
                for b in by:
                    # One part of the joint state moves while the others of the same step are held fixed.
                    row.append(_partial(self.run, a, b, [p for p in by if p != b], evaluator, node.immediate))
                rows.append(np.concatenate(row, axis=1))
            full = np.concatenate(rows, axis=0)
            return full.reshape(evaluator.shape(node))

        return value

    def _parts(self, node: e.Node) -> list[e.Node]:
        if isinstance(node, e.Timed) and isinstance(self.named.get(node.name), e.Block):
            shift = {self.run.system.time: node.time}
            return [part.xreplace(shift) for part in self.named[node.name].operands]
        return [node]


class _WithAdjoints(_Named):
    """Adjoints come from the evaluated recursion."""

    def __init__(
        self,
        run: Run,
        backward: AdjointPass,
        named: Mapping[str, e.Node],
        sizes: Mapping[str, int],
        times: Mapping[str, int],
    ) -> None:
        adjoint_names = set(backward.engine.system.adjoint_names.values())
        super().__init__(run, {key: value for key, value in named.items() if key not in adjoint_names}, sizes, times)
        self.backward = backward

    def value(self, key: str, time: int | None) -> Array:
        environment = self.backward.environment
        if (key, time) in environment.adjoints or key in environment.run.system.adjoint_owners:
            return environment.value(key, time)
        return super().value(key, time)


def _partial(run: Run, of: e.Node, by: e.Node, held: list[e.Node], evaluator: Evaluator, immediate: bool) -> Array:
    from numeric import truth

    fixed = {truth.point_of(node, evaluator): run.value(*truth.point_of(node, evaluator)) for node in held}
    other = run.with_forced(fixed)
    return truth.immediate(other, of, by, evaluator) if immediate else truth.total(other, of, by, evaluator)


def _accepted(result: Validation, tolerance: float) -> Validation:
    if not result.error <= tolerance:
        raise ValidationError(
            f"{result.subject} disagrees with autograd: relative error {result.error:.2e} at {result.worst}",
            expected=f"at most {tolerance:.0e}",
        )
    return result
