"""What a backend says about its arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from numeric.arrays.library import Library

if TYPE_CHECKING:
    from numeric.arguments import Arguments
    from numeric.arrays.module import Passes, Writer
    from numeric.plans import Groups, Plan
    from numeric.variant import Variant


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


Shortcut = Callable[["Groups", int | None], Found | None]
"""A call with arguments of one form; None for those of another."""

Array = Any


class Arrays(Protocol):
    """How arrays of a library are read and made, in one type and in one place."""

    library: Library
    name: str
    shortcuts: bool
    """Whether calls may have a shortcut."""

    def near(self, given: Iterable[Any]) -> Arrays:
        """The same where arrays lie, for libraries with devices."""

    def form(self, value: Any) -> Hashable | None:
        """Shape, type and place of an array of the library; None for anything else."""

    def read(self, value: Any) -> Array:
        """An array of what was given, in the type that it has; anything may be raised."""

    def letter(self, array: Array) -> str:
        """``f``, ``i``, ``u``, ``b`` or another letter, as in NumPy."""

    def numbers(self, array: Array) -> Array:
        """An array in the type that is computed in."""

    def labels(self, array: Array) -> Array:
        """An array of integers."""

    def whole(self, array: Array) -> bool:
        """Whether all entries are integers."""

    def finite(self, array: Array) -> bool:
        """Whether all entries are finite."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros."""

    def indices(self, array: Array) -> Array:
        """Rows to read, from an array of NumPy."""

    def chosen(self, condition: Array, value: Array) -> Array:
        """An array over time and batch where a condition on both holds, else zero."""

    def put(self, array: Array, rows: slice, value: Array) -> Array:
        """An array with other rows; it may be the same that was given."""

    def making(self) -> Any:
        """What both passes are told about the arrays that they make."""

    def quietly(self) -> AbstractContextManager[Any]:
        """Where both passes run."""

    def passes(self, writer: Writer) -> Passes:
        """Both passes of a program."""

    def shortcut(
        self, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None
    ) -> Shortcut | None:
        """A faster way for calls of a form that was accepted; None if there is none."""
