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
    (name,) = system.inputs
    run_sizes = {**sizes, "T": x.shape[0]}
    keys = list(starts)

    def one(sequence: Tensor, *begun: Tensor) -> tuple[Tensor, ...]:
        run = Run(system, run_sizes, {}, arrays=_Arrays(x))
        given: dict[tuple[str, int | None], Tensor] = {
            (key, None): weights[alias_of(key)].reshape(run.shape(key)) for key in system.parameters
        }
        given |= {(name, t + 1): value.reshape(run.shape(name)) for t, value in enumerate(sequence)}
        given |= {key: value.reshape(run.shape(key[0])) for key, value in zip(keys, begun, strict=True)}
        run.given = given
        run.forward()
        return tuple(torch.stack([run.value(key, t).reshape(-1) for t in range(1, x.shape[0] + 1)]) for key in wanted)

    found = torch.vmap(one, in_dims=(1, *[0] * len(keys)), out_dims=1)(x, *starts.values())
    return dict(zip(wanted, found, strict=True))


__all__ = ["run_equations"]
