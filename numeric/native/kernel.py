"""A pass as functions of machine code.

Every function gets a table of addresses. Those that work in rows get the slice of the batch, a room of their own, and sums to add to.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir
from sympy import Expr, Integer

from derive import expressions as e
from derive.system import T
from numeric.native.entry import write_calls
from numeric.native.flatten import Multiply
from numeric.native.items import FIRST, Item, Run
from numeric.native.places import ARRAYS, PACKS, Addresses, Frame, Place, numbers_of
from numeric.native.plan import Batch, Pass
from numeric.native.products import pack
from numeric.native.target import Code, Function
from numeric.native.vectors import I64, Builder, Value, least, loop, loop_down, plus, whole
from numeric.native.writer import GroupWriter, Span


class Kernel:
    """The functions of a pass, phase by phase; None for a phase in NumPy."""

    def __init__(self, plan: Pass) -> None:
        self.plan = plan
        self.v = plan.v
        self._packing: dict[int, bool] = {}
        for number, phase in enumerate(plan.phases):
            if phase.kind == "shared":
                self._shared(number)
            elif phase.kind == "rows":
                self._rows(number)
        write_calls(self.v, plan, [number for number, packs in self._packing.items() if packs])
        self.code = Code(str(self.v.module))
        self.whole = self.code.function("whole", 5, True)
        self.resolve = self.code.function("resolve", 6)
        self.finite = self.code.function("finite", 1, True)
        self.functions: list[Function] = []
        self.packers: list[Function | None] = []
        for number, phase in enumerate(plan.phases):
            arguments = {"shared": 1, "rows": 5, "foreign": 0}[phase.kind]
            self.functions.append(self.code.function(f"phase_{number}", arguments) if arguments else _nothing)
            self.packers.append(self.code.function(f"pack_{number}", 1) if self._packing.get(number) else None)

    def _function(self, name: str, arguments: int) -> tuple[Builder, list[Value]]:
        kind = ir.FunctionType(ir.VoidType(), [I64.as_pointer(), *[I64] * (arguments - 1)])
        function = ir.Function(self.v.module, kind, name)
        return ir.IRBuilder(function.append_basic_block()), list(function.args)

    def _writer(self, b: Builder, frame: Frame) -> GroupWriter:
        plan = self.plan

        def panels(name: str, turned: bool) -> Value:
            return b.gep(frame.pointer(PACKS), [whole(plan.packs[name, turned][0])])

        return GroupWriter(self.v, b, plan.places, plan.sizes, plan.clock, panels, plan.needed)

    # -- shared ------------------------------------------------------------------------------------

    def _shared(self, number: int) -> None:
        b, (table,) = self._function(f"phase_{number}", 1)
        frame = Frame(self.v, b, table)
        write = self._writer(b, frame)
        addresses = Addresses(frame, self.plan.places, self.plan.clock)
        for group in self.plan.shared[number]:
            write(group, Span(addresses))
        b.ret_void()

    # -- rows --------------------------------------------------------------------------------------

    def _rows(self, number: int) -> None:
        self._pack(number)
        b, (table, *slice_) = self._function(f"phase_{number}", 5)
        frame = Frame(self.v, b, table, tuple(slice_), self.plan.step)
        first = next(k for k, phase in enumerate(self.plan.phases) if phase.kind == "rows")
        if number == first:
            self._ends(b, frame)
        write = self._writer(b, frame)
        for run, batches in zip(self.plan.runs[number], self.plan.batches[number], strict=True):
            if run.items[0].timed:
                self._timed(b, frame, write, run, batches)
            else:
                addresses = Addresses(frame, self.plan.places, self.plan.clock)
                for batch in batches:
                    for group in batch.groups:
                        write(group, Span(addresses))
        b.ret_void()

    def _pack(self, number: int) -> None:
        """Matrices that the phase multiplies by, in panels."""
        batches = [batch for run in self.plan.batches[number] for batch in run]
        wanted = {
            (op.matrix.name, op.turned): op.matrix
            for batch in batches
            for group in batch.groups
            for op in group.operations
            if isinstance(op, Multiply)
        }
        self._packing[number] = bool(wanted)
        if not wanted:
            return
        b, (table,) = self._function(f"pack_{number}", 1)
        frame = Frame(self.v, b, table)
        for (name, turned), matrix in wanted.items():
            at, inner, columns = self.plan.packs[name, turned]
            source = Addresses(frame, self.plan.places, self.plan.clock).pointer(matrix)
            distance = numbers_of(matrix.shape, self.plan.sizes)[1]
            pack(self.v, b, source, distance, inner, columns, b.gep(frame.pointer(PACKS), [whole(at)]), turned)
        b.ret_void()

    def _ends(self, b: Builder, frame: Frame) -> None:
        """Rows that no statement writes: zeros, ones where nothing of the cell reads them, and starting values."""
        starts = {(leaf.name, leaf.time): name for leaf, name in self.plan.starts}
        for name in self.plan.ends:
            place, storage = self.plan.places[name], self.plan.storages[name]
            if place.where != "array":
                continue
            rows = [Integer(k + 1 - storage.before) for k in range(storage.before)] + [
                T + k + 1 for k in range(storage.after)
            ]
            if name in self.plan.sparse:
                with loop(b, frame.length) as step:
                    at_step = Addresses(frame, self.plan.places, self.plan.clock, step)
                    target = at_step.pointer(e.Timed(name, self.plan.clock, *storage.shape))
                    self._fill(b, frame, target, place, None, 0.0)
            first, last = storage.unread
            for k, time in enumerate(rows):
                target = Addresses(frame, self.plan.places, self.plan.clock).pointer(
                    e.Timed(name, time, *storage.shape)
                )
                start = starts.get((name, time))
                unread = k < first or k >= len(rows) - last
                self._fill(b, frame, target, place, start, 1.0 if unread else 0.0)

    def _fill(self, b: Builder, frame: Frame, target: Value, place: Place, start: str | None, value: float) -> None:
        count = self.plan.count(place.storage)
        source = None
        if start is not None:
            number = self.plan.arrays.index(start) + ARRAYS
            source = b.gep(frame.pointer(number), [b.mul(frame.first, whole(count))])
        with loop(b, frame.count) as row:
            to = b.gep(target, [b.mul(row, whole(place.width))])
            with loop(b, count) as k:
                if source is None:
                    number_ = ir.Constant(self.v.number, value)
                else:
                    number_ = b.load(b.gep(source, [b.add(b.mul(row, whole(count)), k)]))
                b.store(number_, b.gep(to, [k]))

    def _timed(self, b: Builder, frame: Frame, write: GroupWriter, run: Run, batches: Sequence[Batch]) -> None:
        """Piece by piece of the time, from the first to the last or back."""
        begin, end = self._bounds(b, frame, run.items[0])
        length = b.sub(end, whole(begin))
        pieces = b.sdiv(b.add(length, b.sub(frame.steps, whole(1))), frame.steps)
        with (loop_down if run.backward else loop)(b, pieces) as number:
            start = b.add(b.mul(number, frame.steps), whole(begin))
            count = least(b, b.sub(end, start), frame.steps)
            for batch in batches:
                if not batch.direction:
                    addresses = Addresses(frame, self.plan.places, self.plan.clock, start, start)
                    for group in batch.groups:
                        write(group, Span(addresses, count))
                    continue
                with (loop_down if batch.direction == "backward" else loop)(b, count) as step:
                    addresses = Addresses(frame, self.plan.places, self.plan.clock, b.add(start, step), start)
                    for group in batch.groups:
                        write(group, Span(addresses))

    def _bounds(self, b: Builder, frame: Frame, item: Item) -> tuple[int | Value, Value]:
        """The first step, and the one after the last."""
        if (item.first, item.last) == (FIRST, T):
            return 0, frame.length
        first, last = self._time(b, frame, item.first), self._time(b, frame, item.last)
        return plus(b, first, -1), whole(last)

    def _time(self, b: Builder, frame: Frame, time: Expr) -> int | Value:
        return int(time) if time.is_Integer else plus(b, frame.length, int(time - T))


def _nothing(*_: int) -> None:
    """What a phase in NumPy is here."""


__all__ = ["Kernel"]
