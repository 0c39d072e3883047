"""Both passes of a cell in machine code, called like those that are generated for an array library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Expr, Integer, Symbol

from derive.system import leaves
from numeric.arrays.module import Writer
from numeric.lower import LOSS
from numeric.native.calls import Arrays, Caller, Ready
from numeric.native.plan import Pass
from numeric.program import Stage

Array = Any
Sizes = tuple[tuple[str, int], ...]


class NativePasses:
    """Forward and backward of one program.

    Parameters
    ----------
    writer : of the program for NumPy, which says what everything is called, and writes what runs there.
    dtype  : the type of all numbers.
    """

    def __init__(self, writer: Writer, dtype: Any) -> None:
        self.writer = writer
        self.program = writer.program
        self.double = np.dtype(dtype).itemsize == 8
        self.names = {writer.called(key): key for key in self.program.storages}
        self.padded = frozenset(key for key in writer.given if writer.padded(key))
        self._callers: dict[tuple[str, Sizes], Caller] = {}

    # -- functions ---------------------------------------------------------------------------------

    def forward(
        self, length: int, batch: int, sizes: Mapping[str, int], dtype: Any, given: Mapping[str, Array]
    ) -> Arrays:
        """What the backward pass reads, all quantities, and the loss."""
        ready = self.ready("forward", length, batch, sizes)
        extra = {called: self.with_ends(key, given[called]) for called, key in self._padded_names()}
        others = {**given, **extra}
        outside = [self._contiguous(others[name]) for name in self.outside(ready)]
        found = ready(outside, None, sizes, dtype, others)
        found.extra = extra
        return found

    def backward(
        self,
        length: int,
        batch: int,
        sizes: Mapping[str, int],
        dtype: Any,
        given: Mapping[str, Array],
        kept: Arrays,
    ) -> Mapping[str, Array]:
        """The gradients, by what they are gradients of."""
        ready = self.ready("backward", length, batch, sizes)
        others = {**given, **kept.extra}
        outside = [self._contiguous(others[name]) for name in self.outside(ready)]
        if ready.caller.foreign:
            others |= {called: kept[called] for called in kept if called not in others}
        found = ready(outside, kept.memory, sizes, dtype, others)
        return {argument: found[called] for argument, called in self.results()}

    def results(self) -> list[tuple[str, str]]:
        """Gradients: the argument that each belongs to, and what it is called."""
        return [
            (self.writer.argument(key, place), self.writer.called(target.name))
            for (key, place), target in self.program.gradients.items()
        ]

    def outside(self, ready: Ready) -> list[str]:
        """What arrays from outside are called, in their order."""
        plan = ready.caller.plan
        return [self.writer.called(name) if name in plan.outer else name for name in plan.outside]

    def _padded_names(self) -> list[tuple[str, str]]:
        return [(self.writer.called(key), key) for key in self.padded]

    def with_ends(self, key: str, array: Array) -> Array:
        """An array over time with the rows beyond the sequence that are read."""
        storage = self.program.storages[key]
        rows = np.zeros((storage.before + len(array) + storage.after, *array.shape[1:]), array.dtype)
        first, last = storage.unread
        rows[:first], rows[len(rows) - last :] = 1, 1
        rows[storage.before : storage.before + len(array)] = array
        return rows

    def _contiguous(self, array: Array) -> Array:
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)

    # -- plans -------------------------------------------------------------------------------------

    def ready(self, name: str, length: int, batch: int, sizes: Mapping[str, int]) -> Ready:
        """A pass for a length, a batch and sizes; machine code is made for sizes alone."""
        kept = None if name == "forward" else self.ready("forward", length, batch, sizes).layout
        key = (name, tuple(sorted(sizes.items())))
        if key not in self._callers:
            self._callers[key] = self._made(name, sizes)
        return self._callers[key].ready(length, batch, kept)

    def _made(self, name: str, sizes: Mapping[str, int]) -> Caller:
        system = self.writer.system
        stages = self.program.forward if name == "forward" else self.program.backward
        targets = {s.target.name for stage in stages for s in stage.statements}
        read = dict.fromkeys(leaf.name for stage in stages for s in stage.statements for leaf in leaves(s.value))
        inherited: Mapping[str, int | None] = {}
        if name == "forward":
            visible = {*(q.key for q in system.equations), LOSS}
            results = {*self.writer.kept_forward(), *visible}
        else:
            visible = results = {target.name for target in self.program.gradients.values()}
            forward = self._callers["forward", tuple(sorted(sizes.items()))].plan
            inherited = {
                key: place.width
                for key, place in forward.places.items()
                if key in read and key not in targets and key not in forward.outer
            }
        plan = Pass(
            stages=stages,
            storages=dict(self.program.storages),
            clock=system.time,
            sizes=self._numbers(sizes),
            double=self.double,
            outer={key: inherited.get(key) for key in read if key not in targets},
            inherited=frozenset(inherited),
            labels=frozenset(system.labels),
            results=frozenset(results & targets),
            visible=frozenset(visible & targets),
            starts=[(start.leaf, start.argument) for start in self.writer.starts] if name == "forward" else [],
            foreign=system.tree is not None,
            every=name == "backward",
        )
        foreign = {
            number: self.writer.piece(phase.items[0].stage)
            for number, phase in enumerate(plan.phases)
            if phase.kind == "foreign" and isinstance(phase.items[0].stage, Stage)
        }
        return Caller(plan, foreign, self.names)

    def _numbers(self, sizes: Mapping[str, int]) -> dict[Expr, Integer]:
        axes = {axis for storage in self.program.storages.values() for axis in storage.shape}
        symbols = {symbol for axis in axes for symbol in axis.free_symbols if isinstance(symbol, Symbol)}
        return {symbol: Integer(sizes[str(symbol)]) for symbol in symbols if str(symbol) in sizes}


__all__ = ["NativePasses"]
