"""Calls of machine code: arrays for a length and a batch, a table of their addresses, slices of the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from numeric.native.kernel import Kernel, Pass
from numeric.native.places import TABLE
from numeric.native.threads import most, team

Array = Any
_ALIGNED = 64
ENOUGH = 5e7
"""Multiplications from which on a second thread is worth waking."""
SLICE = 8
"""Rows of a slice where there are several threads: as many as a tile has, so that weights are read seldom and nobody waits long."""
LARGEST = 64
"""Rows of a slice where one thread computes."""
PIECE = 256
"""Rows times steps of a piece of time: what is passed on within it stays in a cache."""


def address(array: Array) -> int:
    """Where an array's numbers begin."""
    found: int = array.__array_interface__["data"][0]
    return found


def aligned(size: int) -> Array:
    """Bytes that begin at a multiple of a vector's size."""
    raw = np.empty(size + _ALIGNED, np.uint8)
    start = -address(raw) % _ALIGNED
    return raw[start : start + size]


@dataclass(frozen=True)
class View:
    """An array within the bytes of a call."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Layout:
    """Where the arrays of a pass lie, for a length and a batch: sums first, then one after the other."""

    def __init__(self, plan: Pass, length: int, batch: int) -> None:
        size = plan.v.bytes
        self.dtype = np.dtype("f8" if plan.double else "f4")
        self.views: dict[str, View] = {}
        end = plan.sums * size
        for name, place in plan.places.items():
            storage = place.storage
            body = tuple(int(axis.xreplace(dict(plan.sizes))) for axis in storage.shape if axis != 1)
            inner = tuple(int(np.prod(body[k + 1 :])) * size for k in range(len(body)))
            if place.where == "sum":
                self.views[name] = View(place.number * size, body, inner)
            elif place.where == "array" and name not in plan.outer:
                width = place.width * size
                rows = length + storage.before + storage.after
                lead = (rows, batch) if storage.timed else (batch,) if storage.batched else ()
                steps = (batch * width, width)[-len(lead) :] if lead else ()
                self.views[name] = View(end, lead + body, steps + inner)
                end += -(-int(np.prod(lead)) * width // _ALIGNED) * _ALIGNED
        self.bytes = end

    def array(self, memory: Array, name: str) -> Array:
        """An array within the memory of a call."""
        view = self.views[name]
        return np.ndarray(view.shape, self.dtype, memory, view.offset, view.strides)


class Arrays(Mapping[str, Array]):
    """The arrays of a call by name, made when they are asked for."""

    def __init__(self, memory: Array, layout: Layout, names: Mapping[str, str]) -> None:
        self.memory, self.layout, self.names = memory, layout, names
        self.start = address(memory)
        self.extra: dict[str, Array] = {}

    def __getitem__(self, called: str) -> Array:
        if called not in self.extra:
            self.extra[called] = self.layout.array(self.memory, self.names[called])
        return self.extra[called]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Room:
    """A thread's room, and sums of its own."""

    def __init__(self, plan: Pass, rows: int, steps: int, own_sums: bool) -> None:
        size = plan.v.bytes
        self.room = aligned((plan.step * rows + plan.piece * rows * steps) * size + _ALIGNED)
        self.sums = aligned(plan.sums * size).view("f8" if plan.double else "f4") if own_sums else None
        self.start = address(self.room)
        self.sums_start = 0 if self.sums is None else address(self.sums)


class Rooms:
    """Rooms that were used before, for the next call."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, int, int], list[list[Room]]] = {}
        self._lock = Lock()

    def take(self, plan: Pass, rows: int, steps: int, threads: int) -> list[Room]:
        with self._lock:
            free = self._free.get((rows, steps, threads))
            if free:
                return free.pop()
        return [Room(plan, rows, steps, k > 0) for k in range(threads)]

    def give(self, rooms: list[Room], rows: int, steps: int) -> None:
        with self._lock:
            self._free.setdefault((rows, steps, len(rooms)), []).append(rooms)


Foreign = Callable[..., None]


class Caller:
    """Runs a pass.

    Parameters
    ----------
    foreign : functions for the phases in NumPy.
    names   : what each quantity is called.
    """

    def __init__(self, plan: Pass, foreign: Mapping[int, Foreign], names: Mapping[str, str]) -> None:
        self.plan = plan
        self.kernel = Kernel(plan)
        self.foreign = foreign
        self.names = names
        self._layouts: dict[tuple[int, int], Layout] = {}
        self._rooms = Rooms()
        self._own = [name for name in plan.arrays if name not in plan.outer]

    def layout(self, length: int, batch: int) -> Layout:
        """Where arrays lie; the last ones that were asked for are kept."""
        key = (length, batch)
        if key not in self._layouts:
            if len(self._layouts) >= 64:
                self._layouts.clear()
            self._layouts[key] = Layout(self.plan, length, batch)
        return self._layouts[key]

    def __call__(
        self, length: int, batch: int, sizes: Mapping[str, int], outer: Mapping[str, Array], addresses: Mapping[str, int], dtype: Any
    ) -> Arrays:
        """The arrays of the pass.

        Parameters
        ----------
        outer     : arrays by what they are called, for phases in NumPy.
        addresses : of outer arrays by name.
        """
        plan = self.plan
        layout = self.layout(length, batch)
        found = Arrays(aligned(layout.bytes), layout, self.names)
        # phases in NumPy expect zeros where nothing is written, as beside the edges of a tree
        zeros = layout.bytes if self.foreign else plan.sums * plan.v.bytes
        if zeros:
            found.memory[:zeros] = 0
        threads = most() if plan.work * length * batch > ENOUGH and batch > 1 else 1
        rows = min(batch, LARGEST) if threads == 1 else min(SLICE, -(-batch // threads))
        steps = max(1, min(length, PIECE // rows))
        pieces = [(first, min(batch, first + rows)) for first in range(0, batch, rows)]
        threads = min(threads, len(pieces))
        rooms = self._rooms.take(plan, rows, steps, threads)
        packs = aligned(plan.pack_numbers * plan.v.bytes)
        entries = [length, batch, rows, steps, found.start, address(packs)]
        start, views = found.start, layout.views
        for name in plan.arrays:
            entries.append(start + views[name].offset if name in views else addresses[name])
        table = np.array(entries, np.int64)
        place = address(table)
        for number, phase in enumerate(plan.phases):
            function = self.kernel.functions[number]
            if phase.kind == "foreign":
                self.foreign[number](length, batch, sizes, dtype, Joined(found, outer))
            elif phase.kind == "shared":
                assert function is not None
                function(place)
            else:
                self._rows(number, place, found, pieces, rooms)
        self._rooms.give(rooms, rows, steps)
        return found

    def _rows(self, number: int, table: int, found: Arrays, pieces: list[tuple[int, int]], rooms: list[Room]) -> None:
        function, packer = self.kernel.functions[number], self.kernel.packers[number]
        assert function is not None
        if packer is not None:
            packer(table)
        for room in rooms[1:]:
            assert room.sums is not None
            room.sums[:] = 0

        def one(piece: tuple[int, int], thread: int) -> None:
            room = rooms[thread]
            function(table, *piece, room.start, room.sums_start or found.start)

        team().run(one, pieces, len(rooms))
        if self.plan.sums and len(rooms) > 1:
            kind = found.layout.dtype
            sums = found.memory[: self.plan.sums * kind.itemsize].view(kind)
            for room in rooms[1:]:
                sums += room.sums


class Joined(Mapping[str, Array]):
    """Arrays of a call, and behind them those that were there before."""

    def __init__(self, own: Arrays, outer: Mapping[str, Array]) -> None:
        self.own, self.outer = own, outer

    def __getitem__(self, called: str) -> Array:
        name = self.own.names.get(called)
        return self.own[called] if name in self.own.layout.views else self.outer[called]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.own.names, **self.outer})

    def __len__(self) -> int:
        return len({**self.own.names, **self.outer})


__all__ = ["TABLE", "Arrays", "Caller", "Layout", "address", "aligned"]
