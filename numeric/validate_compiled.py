"""Compiled cells against torch autograd: whole batches, in which every sequence has its own inputs and starting values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.system import RecurrentSystem, T
from numeric.draws import Draw, draw, run_of
from numeric.function import CompiledCell, Result, compile_cell
from numeric.functions import Array
from numeric.lower import abstract_arguments
from numeric.referee import TorchReferee
from numeric.simulate import Run
from numeric.validate import TOLERANCE, Record, Validation

_BATCH = 2


def validate_compiled(
    system: RecurrentSystem,
    draws: int = 20,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    scale: float = 0.8,
    compiled: CompiledCell | None = None,
) -> Validation:
    """States, loss and all gradients of a compiled cell against autograd, on random batches.

    Raises
    ------
    ValidationError : an error is larger than the tolerance; the message says which quantity of which draw.
    """
    function = compile_cell(system) if compiled is None else compiled
    record = Record()
    for number in range(draws):
        first = draw(system, seed + number, scale=scale)
        batch = [first, *(another(system, first, seed + number + 1000 * k, scale) for k in range(1, _BATCH))]
        record.drawn(first)
        runs = [run_of(system, one) for one in batch]
        given = arguments(system, batch, runs)
        results = (function(**given), function(**given))  # a call of a form that is known may take a shorter way
        for name, found, truth in _truths(system, batch, runs):
            for result in results:
                record.compare(found(result).reshape(truth.shape), truth, f"{name} (draw {number})")
    return record.accepted("compiled gradients", tolerance)


def another(system: RecurrentSystem, first: Draw, seed: int, scale: float) -> Draw:
    """Another sequence with the same parameters."""
    other = draw(system, seed, length=first.sizes["T"], scale=scale, fixed=first.sizes, tree=first.tree)
    given = {point: first.given[point] if point[1] is None else value for point, value in other.given.items()}
    return replace(other, given=given)


def arguments(system: RecurrentSystem, batch: list[Draw], runs: list[Run]) -> dict[str, Any]:
    """The arguments of a compiled cell for a batch of draws; stand-ins for abstract losses give the cotangents."""
    length = batch[0].sizes["T"]

    def body(key: str, value: Array) -> Array:
        return np.reshape(value, [n for n, size in zip(value.shape, system.shapes[key], strict=True) if size != 1])

    def series(key: str) -> Array:
        return np.array([[body(key, one.given[(key, t)]) for one in batch] for t in range(1, length + 1)])

    params = {key: body(key, batch[0].given[(key, None)]) for key in system.parameters}
    inputs = {key: series(key) for key in system.inputs}
    starts = {
        str(start): np.array([body(start.name, one.given[(start.name, _place(start, length))]) for one in batch])
        for start in system.starts
        if start not in system.initial
    }
    cotangents = {
        key: np.array([[body(key, _cotangent(run, key, t)) for run in runs] for t in range(1, length + 1)])
        for key in abstract_arguments(system)
    }
    found: dict[str, Any] = {"params": params, "inputs": inputs, "initial_state": starts, "cotangents": cotangents}
    if batch[0].tree is not None:
        found["tree"] = batch[0].tree
    return found if inputs or cotangents or system.tree else {**found, "length": length}


def _place(start: e.Timed, length: int) -> int:
    return int(start.time.xreplace({T: Integer(length)}))


def _cotangent(run: Run, key: str, time: int) -> Array:
    """∂⁺L/∂q_t of the function that stands in for abstract losses, weights of the loss included."""
    total = np.zeros(run.shape(key))
    for term in run.system.loss_terms:
        calls = list(term.body.atoms(e.Call))
        if not calls:
            continue
        for step in run.loss_times(term):
            evaluator = run.evaluator(**{run.system.time.name: step})
            for call in calls:
                weight = _weight(term.body, call, evaluator)
                arguments = [evaluator(argument) for argument in call.arguments]
                for position, argument in enumerate(call.arguments):
                    if (
                        isinstance(argument, e.Timed)
                        and argument.name == key
                        and evaluator.integer(argument.time) == time
                    ):
                        when = evaluator.integer(call.value.time) if isinstance(call.value, e.Timed) else None
                        total = total + weight * run.loss.gradient(when, position, arguments)
    return total


def _weight(body: e.Node, call: e.Call, evaluator: Any) -> float:
    """The factor before an abstract loss."""
    from derive.differentiate import push

    moved = push(body, {call: e.Scalar(1)})
    return 0.0 if moved is None else float(np.real(evaluator(moved)).ravel()[0])


def _truths(
    system: RecurrentSystem, batch: list[Draw], runs: list[Run]
) -> Iterable[tuple[str, Callable[[Result], Array], Array]]:
    """What each result is called, where it is found, and what it has to be."""
    length = batch[0].sizes["T"]
    referees = [TorchReferee(system, one) for one in batch]
    points = [point for point in batch[0].given if point[0] not in system.labels]
    losses = [referee.loss_gradients(points) for referee in referees]
    if system.loss_terms and not abstract_arguments(system):
        yield "loss", lambda result: np.array([result.loss]), np.array([sum(loss for loss, _ in losses)])
    for q in system.equations:
        if system.is_timed(q.key):
            truth = np.array([[run.value(q.key, t) for run in runs] for t in range(1, length + 1)])
            yield q.key, partial(_state, q.key), truth
    for key in system.parameters:
        if key not in system.labels:
            truth = sum(found[(key, None)] for _, found in losses)
            yield f"gradient by {key}", partial(_gradient, key), truth
    for key in system.inputs:
        if key not in system.labels:
            truth = np.array([[found[(key, t)] for _, found in losses] for t in range(1, length + 1)])
            yield f"gradient by {key}", partial(_gradient, key), truth
    for start in system.starts:
        if start not in system.initial:
            truth = np.array([found[(start.name, _place(start, length))] for _, found in losses])
            yield f"gradient by {start}", partial(_gradient, f"{start.name}_{start.time}"), truth


def _state(key: str, result: Result) -> Array:
    return result.states[key]


def _gradient(key: str, result: Result) -> Array:
    return result.gradients[key]


__all__ = ["another", "arguments", "validate_compiled"]
