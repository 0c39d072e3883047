"""A network and an optimiser of NumPy arrays, as the loop and its checkpoints know those of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import nn

from training.arrays.gradient import Array, Gradient
from training.arrays.optimizers import Optimizer


class Network(Protocol):
    """What has arrays to be trained, and after a backward pass their gradients."""

    arrays: dict[str, Array]
    gradients: dict[str, Gradient]


class ArrayModule(nn.Module):
    """Arrays as the parameters of a module, in the same memory: a checkpoint that is read fills the arrays themselves.

    >>> import numpy as np
    >>> arrays = {"W": np.zeros(2)}
    >>> _ = ArrayModule(arrays).load_state_dict({"W": torch.ones(2, dtype=torch.float64)})
    >>> arrays["W"]
    array([1., 1.])
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        super().__init__()
        for name, array in arrays.items():
            self.register_parameter(name, nn.Parameter(torch.from_numpy(array), requires_grad=False))


class ArrayOptimizer:
    """An optimiser of arrays with the methods of torch's that the loop calls."""

    def __init__(self, optimizer: Optimizer, network: Network) -> None:
        self._optimizer, self._network = optimizer, network

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        self._network.gradients = {}

    def step(self) -> None:
        """One update."""
        self._optimizer.step(self._network.arrays, self._network.gradients)

    def state_dict(self) -> dict[str, Any]:
        """With tensors in the place of arrays, so that a checkpoint can be read without running code."""
        state = self._optimizer.state()
        kept = {
            name: {key: torch.from_numpy(array) for key, array in found.items()}
            for name, found in state["kept"].items()
        }
        return {**state, "kept": kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        kept = {name: {key: tensor.numpy() for key, tensor in found.items()} for name, found in state["kept"].items()}
        self._optimizer.restore({**state, "kept": kept})


__all__ = ["ArrayModule", "ArrayOptimizer", "Network"]
