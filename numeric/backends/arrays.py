"""What a backend says about its arrays."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from numeric.arrays.library import Library

Array = Any


class Arrays(Protocol):
    """How arrays of a library are read and made, in one type and in one place."""

    library: Library
    name: str

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
