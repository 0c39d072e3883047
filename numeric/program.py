"""Array programs: what a compiled cell computes, in stages, before any backend has written it down.

A quantity at all times is one array with the time first. A stage computes once (parameters, readouts, sums over time), for
all times together (what no recurrence stands behind), or step by step. Statements hold expressions; how those become array
operations is the printer's matter (:mod:`numeric.arrays.code`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from derive import expressions as e
from derive.expressions.node import Shape

Kind = Literal["once", "map", "forward", "backward"]
"""Once; for all times together; step by step from 1 to T, or from T to 1."""


@dataclass(frozen=True)
class Storage:
    """The array of a quantity.

    Parameters
    ----------
    timed   : whether it has T rows, with ``before`` rows for times up to 0 and ``after`` rows for times beyond T.
    batched : whether every sequence has its own; parameters are shared, and so is what is computed from them alone.
    unread  : how many of those rows the cell itself does not read. Adjoints beyond the ends are zero, and multiply what stands
              there: it must be a number by which one can divide.
    local   : whether it is used within its step only, so that nothing is kept of it.
    """

    key: str
    shape: Shape
    timed: bool
    batched: bool = True
    before: int = 0
    after: int = 0
    unread: tuple[int, int] = (0, 0)
    local: bool = False


@dataclass(frozen=True)
class Statement:
    """``target = value``.

    Parameters
    ----------
    add     : what is there already is added to.
    summed  : the value is summed over the batch, as a loss and the gradient of a parameter are.
    note    : what the line computes, as it is printed elsewhere.
    """

    target: e.Timed | e.Var
    value: e.Node
    add: bool = False
    summed: bool = False
    note: str = ""


@dataclass(frozen=True)
class Stage:
    """Statements that run in one way."""

    kind: Kind
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Program:
    """A forward pass, and a backward pass that reads what it kept.

    Parameters
    ----------
    storages  : the array of every quantity, inputs and starting values included.
    loss      : the name of the loss; None where there is no concrete one.
    gradients : for every parameter and input, and every starting value by its time (``h`` at ``0``, ``T + 1``), the quantity that
                holds its gradient.
    """

    forward: tuple[Stage, ...]
    backward: tuple[Stage, ...]
    storages: Mapping[str, Storage]
    loss: str | None
    gradients: Mapping[tuple[str, str], e.Timed | e.Var]

    def stages(self) -> Iterable[Stage]:
        """Both passes."""
        return (*self.forward, *self.backward)
