"""What a task hands to the loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from torch import nn

from derive.errors import UsageError
from training.run.results import Cell, Results
from training.run.share import Share


class Objective(Protocol):
    """A number that can be followed back to the weights: a tensor of torch, or the forward pass of a network of arrays."""

    def item(self) -> float:
        """Its value."""

    def backward(self) -> object:
        """Leave the gradients where the optimiser finds them."""


class Optimizer(Protocol):
    """What the loop and the checkpoints ask of an optimiser: those of torch have it, and :class:`training.run.arrays.ArrayOptimizer`."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""

    def step(self) -> object:
        """One update."""

    def state_dict(self) -> dict[str, Any]:
        """Numbers, tensors, and dictionaries and lists of them."""

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Take back what :meth:`state_dict` gave."""


class Loss(NamedTuple):
    """What is minimised, and the number that the curve shows (in the unit that the task states).

    Parameters
    ----------
    over : of how many examples (letters, words) both are the mean; read where several processes share a batch.
    """

    objective: Objective
    shown: float
    over: float = 1.0


@dataclass
class Job(ABC):
    """A model, what it learns from, and what is asked of it at the end.

    Parameters
    ----------
    epoch     : how many steps are one.
    columns   : names of what :meth:`measure` adds to the curve.
    axes      : of columns that are no losses, what their axis is called.
    data      : digests of what it learns from and is judged by, by name (:func:`training.data.digest.digest`).
    share     : what this process takes of each batch; all of it, unless :meth:`split` was called.
    """

    model: nn.Module
    optimizer: Optimizer
    epoch: int
    columns: tuple[str, ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)
    share: Share = field(default_factory=Share)
    data: Mapping[str, str] = field(default_factory=dict)

    @abstractmethod
    def loss(self, step: int) -> Loss:
        """The loss of a step, counted from 0; the same for the same step, weights and state of torch's random numbers."""

    def before_update(self, step: int) -> None:
        """Gradients may be looked at and clipped here."""
        return

    def measure(self, step: int) -> Mapping[str, Cell]:
        """Further columns of the curve, after the update of a step that is written down."""
        return {}

    def split(self, share: Share) -> None:
        """Take no more than a share of each batch from now on. A task that can do so sets ``share``, asks it for its rows, and says in
        :class:`Loss` over how many examples its mean is.

        Raises
        ------
        UsageError : the loss is no mean over examples that do not know of each other.
        """
        raise UsageError(
            f"a batch of this task cannot be shared by {share.ranks} processes", hint="start it without torchrun"
        )

    @abstractmethod
    def results(self) -> Results:
        """What the model can do."""

    def state(self) -> dict[str, Any]:
        """What else a checkpoint must hold: numbers, texts, tensors, and lists of them."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        return


__all__ = ["Job", "Loss", "Objective", "Optimizer"]
