"""What runs programs: arrays of a library, and both passes of a program as functions of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from numeric.arguments import Arguments
from numeric.arrays.module import Passes, Writer
from numeric.backends.arrays import Arrays
from numeric.plans import Groups, Plan
from numeric.variant import Variant

Array = Any


class Found(Protocol):
    """The results of a call."""

    @property
    def loss(self) -> float | None: ...

    @property
    def states(self) -> Mapping[str, Array]: ...

    @property
    def gradients(self) -> Mapping[str, Array]: ...

    @property
    def finite(self) -> bool: ...


Shortcut = Callable[[Groups, int | None], Found | None]
"""A call with arguments of one form; None for those of another."""


class Backend:
    """A backend that runs generated modules as they are.

    Parameters
    ----------
    name   : what it is asked for by.
    arrays : how arrays are read and made.
    """

    shortcuts = False
    """Whether calls may have a shortcut."""

    def __init__(self, name: str, arrays: Arrays) -> None:
        self.name, self.arrays = name, arrays

    def passes(self, writer: Writer) -> Passes:
        """Both passes of a program."""
        return writer.passes()

    def shortcut(
        self, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None
    ) -> Shortcut | None:
        """A faster way for calls of a form that was accepted; None if there is none."""
        return None


__all__ = ["Backend", "Found", "Shortcut"]
