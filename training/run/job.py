"""What a task hands to the loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from torch import nn

from derive.errors import UsageError
from training.run.share import Share

Cell = str | float | int | None


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


@dataclass(frozen=True)
class Table:
    """A result as a table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Lines:
    """A result as lines over common axes, (x, y) by name. ``x_names`` are words below the axis, at 1, 2, …, in the place of numbers."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    log: bool = False
    note: str = ""
    x_names: Sequence[str] = ()


@dataclass(frozen=True)
class ShadedText:
    """A text whose tokens carry values; each is shown on a ground that is as strong as its value.

    Parameters
    ----------
    values       : by what was measured, one of each token.
    above, below : what values above and below 0 speak for.
    """

    title: str
    tokens: Sequence[str]
    values: Mapping[str, Sequence[float]]
    above: str
    below: str
    note: str = ""


@dataclass(frozen=True)
class Panels:
    """A result as small pictures in rows and columns, which are one PNG file of the run's folder.

    Parameters
    ----------
    file    : its name; the pictures stand in it side by side, without gaps.
    tile    : height and width of one picture in points of the file.
    rows    : what stands beside each row.
    columns : what stands above each column; none of it, or one each.
    """

    title: str
    file: str
    tile: tuple[int, int]
    rows: Sequence[str]
    columns: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class Points:
    """A result as points in a plane, (x, y, label) by group."""

    title: str
    x_label: str
    y_label: str
    groups: Mapping[str, Sequence[tuple[float, float, str]]]
    note: str = ""


@dataclass(frozen=True)
class Results:
    """What is found at the end; all of it goes into ``metrics.json``, of ``files`` their names.

    Parameters
    ----------
    numbers : single values by name.
    said    : sentences about them.
    panels  : small pictures; their files are among ``files``.
    texts   : texts whose tokens carry values.
    key     : names of the numbers that stand for the run in a table of many; without them, the first one.
    files   : further files of the run's folder, by name.
    """

    numbers: Mapping[str, float]
    tables: Sequence[Table] = ()
    lines: Sequence[Lines] = ()
    said: Sequence[str] = ()
    points: Sequence[Points] = ()
    panels: Sequence[Panels] = ()
    texts: Sequence[ShadedText] = ()
    key: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Job(ABC):
    """A model, what it learns from, and what is asked of it at the end.

    Parameters
    ----------
    epoch     : how many steps are one.
    columns   : names of what :meth:`measure` adds to the curve.
    axes      : of columns that are no losses, what their axis is called.
    share     : what this process takes of each batch; all of it, unless :meth:`split` was called.
    """

    model: nn.Module
    optimizer: Optimizer
    epoch: int
    columns: tuple[str, ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)
    share: Share = field(default_factory=Share)

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


__all__ = [
    "Cell",
    "Job",
    "Lines",
    "Loss",
    "Objective",
    "Optimizer",
    "Panels",
    "Points",
    "Results",
    "ShadedText",
    "Table",
]
