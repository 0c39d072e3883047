"""Autograd's gradients for a cell of which there are equations alone: the reference evaluator run on tensors that it follows.

It reads the equations entry by entry of a batch (by ``torch.vmap``) and takes its time: it is what derived gradients are compared
with, not what one trains with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derive.notation.names import alias_of
from derive.system import RecurrentSystem
from numeric.simulate import Run
from numeric.torch_arrays import TorchArrays


class _Arrays(TorchArrays):
    """Tensors of one type on one device; constants have no gradients."""

    def __init__(self, like: Tensor) -> None:
        self._like = like

    def constant(self, value: Any) -> Tensor:
        return torch.as_tensor(np.asarray(value, dtype=float)).to(self._like)


def run_equations(
    system: RecurrentSystem,
    sizes: Mapping[str, int],
    weights: Mapping[str, Tensor],
    x: Tensor,
    starts: Mapping[tuple[str, int], Tensor],
    wanted: tuple[str, ...],
) -> dict[str, Tensor]:
    """Quantities over time, (T, B, n) each, with autograd's graph.

    Parameters
    ----------
    weights : by the names of the parameters in plain letters.
    x       : the only input, (T, B, d).
    starts  : starting values (B, n), by quantity and time.
    """
    keys = list(starts)

    def one(sequence: Tensor, *begun: Tensor) -> tuple[Tensor, ...]:
        run = _run(system, sizes, weights, sequence, dict(zip(keys, begun, strict=True)))
        run.forward()
        return tuple(torch.stack([run.value(key, t).reshape(-1) for t in range(1, x.shape[0] + 1)]) for key in wanted)

    found = torch.vmap(one, in_dims=(1, *[0] * len(keys)), out_dims=1)(x, *starts.values())
    return dict(zip(wanted, found, strict=True))


def read_off(
    system: RecurrentSystem,
    sizes: Mapping[str, int],
    weights: Mapping[str, Tensor],
    x: Tensor,
    before: Mapping[tuple[str, int], Tensor],
    after: Mapping[tuple[str, int], Tensor],
    wanted: str,
) -> Tensor:
    """A quantity (B, n) of one step as a function of the states in which the step ends.

    Parameters
    ----------
    x      : the input of the step, (B, d).
    before : starting values of the step (B, n).
    after  : the states of which it is a function, (B, n), by quantity and time; 0 is the end of the step.
    """
    keys, ends = list(before), list(after)

    def one(row: Tensor, begun: tuple[Tensor, ...], ended: tuple[Tensor, ...]) -> Tensor:
        run = _run(system, sizes, weights, row[None], dict(zip(keys, begun, strict=True)))
        run.forced = {
            (name, at + 1): value.reshape(run.shape(name)) for (name, at), value in zip(ends, ended, strict=True)
        }
        found: Tensor = run.value(wanted, 1).reshape(-1)
        return found

    return torch.vmap(one)(x, (*before.values(),), (*after.values(),))


def starting_value(
    system: RecurrentSystem, sizes: Mapping[str, int], weights: Mapping[str, Tensor], x: Tensor, start: tuple[str, int]
) -> Tensor:
    """A starting value that the equations give, the same for all sequences."""
    found: Tensor = _run(system, sizes, weights, x[:, 0], {}).value(*start)
    return found


def _run(
    system: RecurrentSystem,
    sizes: Mapping[str, int],
    weights: Mapping[str, Tensor],
    sequence: Tensor,
    starts: Mapping[tuple[str, int], Tensor],
) -> Run:
    """One sequence (T, d), of which nothing is computed yet."""
    (name,) = system.inputs
    run = Run(system, {**sizes, "T": sequence.shape[0]}, {}, arrays=_Arrays(sequence))
    given: dict[tuple[str, int | None], Tensor] = {
        (key, None): weights[alias_of(key)].reshape(run.shape(key)) for key in system.parameters
    }
    given |= {(name, t + 1): value.reshape(run.shape(name)) for t, value in enumerate(sequence)}
    given |= {key: value.reshape(run.shape(key[0])) for key, value in starts.items()}
    run.given = given
    return run


__all__ = ["read_off", "run_equations", "starting_value"]
