"""Memory of calls, and where the numbers of NumPy's arrays lie."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from threading import Lock
from typing import Any

import numpy as np

Array = Any
ALIGNED = 64
"""Bytes of the widest vector; what is computed with begins at a multiple of it."""


def numbers_at(array: Array) -> int:
    """The address of an array's numbers."""
    found: int = array.__array_interface__["data"][0]
    return found


def _within_objects() -> int | None:
    """How far into an array object of NumPy the address of its numbers stands; None where that cannot be relied on."""
    distance = object.__basicsize__
    samples = [np.zeros(3), np.zeros((2, 2), "f4")[:, 1:], np.zeros(0), np.zeros((), "i8")]
    try:
        right = all(ctypes.c_size_t.from_address(id(a) + distance).value == numbers_at(a) for a in samples)
    except Exception:
        return None
    return distance if right else None


_WITHIN = _within_objects()
WITHIN = _WITHIN or 0
"""Machine code looks for an address so many bytes behind each number of :func:`handles`; asking every array for it takes longer."""


def handles(kind: Any, arrays: Iterable[Array]) -> Any:
    """Integers of C by which machine code finds the numbers of arrays, which must outlive them; ``kind`` is an array type of ctypes."""
    if _WITHIN is not None:
        return kind(*map(id, arrays))
    cells = kind(*map(numbers_at, arrays))
    found = kind(*(ctypes.addressof(cells) + 8 * k for k in range(len(cells))))
    found.cells = cells
    return found


class Memory:
    """Bytes that begin at a multiple of a vector's size."""

    __slots__ = ("raw", "shift", "size", "start")

    def __init__(self, size: int) -> None:
        self.size = size
        self.raw = np.empty(size + ALIGNED, np.uint8)
        first = numbers_at(self.raw)
        self.shift = -first % ALIGNED
        self.start = first + self.shift


class Pool:
    """Memory that was used before, for the next call: a few pieces, with a budget for all of them."""

    BUDGET = 1 << 28
    _MOST = 4

    def __init__(self) -> None:
        self._free: list[Memory] = []
        self._lock = Lock()

    def take(self, size: int) -> Memory:
        """Memory of at least a size, which nobody else uses."""
        with self._lock:
            for place, memory in enumerate(self._free):
                if size <= memory.size:
                    return self._free.pop(place)
        return Memory(size)

    def give(self, memory: Memory) -> None:
        """Keep memory, and let the oldest go where there is too much."""
        with self._lock:
            self._free.append(memory)
            while len(self._free) > self._MOST or sum(one.size for one in self._free) > self.BUDGET:
                self._free.pop(0)


__all__ = ["ALIGNED", "WITHIN", "Memory", "Pool", "handles", "numbers_at"]
