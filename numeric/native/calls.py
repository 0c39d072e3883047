"""Calls of machine code: memory for results, addresses of what comes from outside, and threads that take slices of the batch."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from numeric.native.kernel import Kernel
from numeric.native.layout import Layout
from numeric.native.memory import Memory, Pool, handles, numbers_at
from numeric.native.plan import Pass
from numeric.native.threads import team

Array = Any


class Arrays(Mapping[str, Array]):
    """The results of a pass by what they are called, made when they are asked for.

    ``extra`` are arrays from outside that the backward pass reads as well.
    """

    def __init__(self, memory: Memory, layout: Layout, names: Mapping[str, str]) -> None:
        self.memory, self.layout, self.names = memory, layout, names
        self.extra: dict[str, Array] = {}
        self.scratch: Memory | None = None
        self.finite = True

    def __getitem__(self, called: str) -> Array:
        if called in self.extra:
            return self.extra[called]
        view = self.layout.views[self.names[called]]
        memory = self.scratch if view.scratch else self.memory
        if memory is None:
            raise KeyError(called)
        return np.ndarray(view.shape, self.layout.dtype, memory.raw, memory.shift + view.offset, view.strides)

    def __iter__(self) -> Iterator[str]:
        views = self.layout.views
        return (called for called, name in self.names.items() if name in views and not views[name].scratch)

    def __len__(self) -> int:
        return sum(1 for _ in self)


Foreign = Callable[..., None]


class Caller:
    """Runs a pass.

    Parameters
    ----------
    foreign : functions for the phases in NumPy, by number.
    names   : what each quantity is called.
    """

    def __init__(self, plan: Pass, foreign: Mapping[int, Foreign], names: Mapping[str, str]) -> None:
        self.plan, self.foreign, self.names = plan, foreign, names
        self.kernel = Kernel(plan)
        self.pool = Pool()
        self._ready: dict[tuple[int, int], Ready] = {}

    def ready(self, length: int, batch: int, kept: Layout | None) -> Ready:
        """What is known once length and batch are; the last ones that were asked for are kept."""
        key = (length, batch)
        if key not in self._ready:
            if len(self._ready) >= 64:
                self._ready.clear()
            self._ready[key] = Ready(self, Layout(self.plan, length, batch), kept)
        return self._ready[key]


class Ready:
    """A pass for a length and a batch: the table without the addresses of a call."""

    def __init__(self, caller: Caller, layout: Layout, kept: Layout | None) -> None:
        self.caller, self.layout = caller, layout
        plan = caller.plan
        entries = []
        for name in plan.arrays:
            view = layout.views.get(name)
            if view is None and kept is not None and name in plan.inherited:
                view = kept.views[name]
            entries.append(0 if view is None else view.offset)
        head = (*layout.head, layout.rooms[0])
        self.template = np.array([*head, *entries], np.int64)
        self.template_at = numbers_at(self.template)
        self.handles = ctypes.c_int64 * len(plan.outside)
        self.alone = layout.threads == 1 and not caller.foreign

    def __call__(
        self,
        outside: Sequence[Array],
        kept: Memory | None,
        sizes: Mapping[str, int],
        dtype: Any,
        others: Mapping[str, Array],
    ) -> Arrays:
        """The results.

        Parameters
        ----------
        outside : arrays from outside, in the order of :attr:`Pass.outside`.
        kept    : the memory of the forward pass.
        others  : arrays by what they are called, for phases in NumPy.
        """
        layout, kernel = self.layout, self.caller.kernel
        memory = Memory(layout.bytes)
        found = Arrays(memory, layout, self.caller.names)
        scratch = self.caller.pool.take(layout.scratch)
        found_by = handles(self.handles, outside)
        begin = 0 if kept is None else kept.start
        places = (self.template_at, ctypes.addressof(found_by), memory.start, begin, scratch.start)
        if self.alone:
            found.finite = kernel.whole(*places) == 0
        else:
            found.scratch = scratch
            self._together(found, scratch, places, sizes, dtype, others, (outside, kept))
            found.scratch = None
        self.caller.pool.give(scratch)
        return found

    def _together(
        self,
        found: Arrays,
        scratch: Memory,
        places: tuple[int, ...],
        sizes: Mapping[str, int],
        dtype: Any,
        others: Mapping[str, Array],
        alive: object,
    ) -> None:
        """Phase by phase, with threads and NumPy."""
        caller, layout = self.caller, self.layout
        plan, kernel = caller.plan, caller.kernel
        if caller.foreign:  # phases in NumPy expect zeros where nothing is written, as beside the edges of a tree
            found.memory.raw[:] = 0
            scratch.raw[:] = 0
        table = np.empty(plan.entries, np.int64)
        place = numbers_at(table)
        kernel.resolve(*places, place)
        for number, phase in enumerate(plan.phases):
            function = kernel.functions[number]
            if phase.kind == "foreign":
                caller.foreign[number](layout.length, layout.batch, sizes, dtype, Behind(found, others))
            elif phase.kind == "shared":
                function(place)
            else:
                self._rows(number, place, found, scratch, (table, alive))
        found.finite = kernel.finite(place) == 0

    def _rows(self, number: int, table: int, found: Arrays, scratch: Memory, alive: object) -> None:
        """A phase in rows, slice by slice; everything that it computes with lives as long as a thread works on it."""
        layout, kernel = self.layout, self.caller.kernel
        function, packer = kernel.functions[number], kernel.packers[number]
        if packer is not None:
            packer(table)
        sums = layout.sums_bytes
        rooms = [scratch.start + offset for offset in layout.rooms]
        own = [found.memory.start, *(scratch.start + offset for offset in layout.sums[1:])]
        for address in own[1:]:
            ctypes.memset(address, 0, sums)

        def one(piece: tuple[int, int], thread: int, _: object = (found, scratch, alive)) -> None:
            function(table, *piece, rooms[thread], own[thread])

        team().run(one, layout.slices, layout.threads)
        if sums:
            total = _flat(found.memory, 0, sums, layout.dtype)
            for offset in layout.sums[1:]:
                total += _flat(scratch, offset, sums, layout.dtype)


def _flat(memory: Memory, offset: int, size: int, dtype: Any) -> Array:
    first = memory.shift + offset
    return memory.raw[first : first + size].view(dtype)


class Behind(Mapping[str, Array]):
    """Arrays of a call, and behind them those that were there before."""

    def __init__(self, own: Arrays, others: Mapping[str, Array]) -> None:
        self.own, self.others = own, others

    def __getitem__(self, called: str) -> Array:
        own = self.own.names.get(called) in self.own.layout.views
        return self.own[called] if own else self.others[called]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.own.names, **self.others})

    def __len__(self) -> int:
        return len({**self.own.names, **self.others})


__all__ = ["Arrays", "Behind", "Caller", "Ready"]
