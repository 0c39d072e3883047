"""Groups of operations in LLVM's language: for the rows of a slice, at one step or for a piece of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sympy import Expr

from derive import expressions as e
from derive.expressions.node import ONE
from numeric.native.entries import Entries, Index
from numeric.native.flatten import Accumulate, Contract, Entrywise, Leaf, Multiply, Operation, Outer, Reduce, Soft
from numeric.native.groups import Group, operands, read
from numeric.native.places import Addresses, Place, numbers_of
from numeric.native.products import Product
from numeric.native.vectors import Builder, Value, Vectors, folded, loop, product, whole


@dataclass(frozen=True)
class Span:
    """What a group runs over: the rows of a slice, at a number of steps.

    Parameters
    ----------
    addresses : at the first step.
    steps     : how many steps; None outside of time and within a step.
    """

    addresses: Addresses
    steps: Value | None = None


class GroupWriter:
    """Writes groups into one function.

    Parameters
    ----------
    packs  : where matrices lie in panels, by name and whether they are turned.
    needed : quantities that are read from memory.
    """

    def __init__(
        self,
        v: Vectors,
        b: Builder,
        places: Mapping[str, Place],
        sizes: Mapping[Expr, int],
        clock: Expr,
        packs: Callable[[str, bool], Value],
        needed: frozenset[str],
    ) -> None:
        self.v, self.b, self.places, self.sizes, self.clock = v, b, places, sizes, clock
        self.packs, self.needed = packs, needed

    def __call__(self, group: Group, span: Span) -> None:
        """All operations of a group."""
        first = group.operations[0]
        if group.entrywise:
            self._entrywise([op for op in group.operations if isinstance(op, Entrywise)], span)
        elif isinstance(first, Multiply):
            self._multiply(first, span)
        elif isinstance(first, Outer):
            self._outer(first, span)
        elif isinstance(first, Accumulate):
            self._accumulate(first, span)
        else:
            with self._rows(group.operations, span) as (pointers, addresses):
                if isinstance(first, Contract):
                    self._contract(first, pointers, addresses)
                elif isinstance(first, Reduce):
                    self._reduce(first, pointers, addresses)
                elif isinstance(first, Soft):
                    self._soft(first, pointers, addresses)

    # -- rows --------------------------------------------------------------------------------------

    def numbers(self, shape: tuple[Expr, ...]) -> tuple[int, int]:
        """Rows and columns."""
        return numbers_of(shape, self.sizes)

    def _flat(self, operations: Sequence[Operation]) -> bool:
        """Whether the rows of all steps can be one sequence of rows: nothing depends on a step or a sequence alone."""
        for operation in operations:
            for leaf in (operation.target, *read(operation)):
                moving = isinstance(leaf, e.Timed) and (leaf.time - self.clock).is_Integer
                place = self.places[leaf.name]
                if not moving and place.storage.batched and place.where != "sum":
                    return False
            for node in operands(operation):
                if any(scalar.value.has(self.clock) for scalar in node.atoms(e.Scalar)):
                    return False
        return True

    def _calls(self, operations: Sequence[Operation], span: Span) -> tuple[int | Value, Value]:
        """How often, and for how many rows at once, a group runs over a piece of time."""
        count = span.addresses.frame.count
        if span.steps is None:
            return 1, count
        if not self._flat(operations):
            return span.steps, count
        frame, b = span.addresses.frame, self.b
        all_rows = b.icmp_signed("==", count, frame.batch)
        return b.select(all_rows, whole(1), span.steps), b.select(all_rows, b.mul(span.steps, count), count)

    @contextmanager
    def _each_call(self, operations: Sequence[Operation], span: Span) -> Iterator[tuple[Addresses, Value]]:
        """Addresses at a step, and the rows from there."""
        calls, rows = self._calls(operations, span)
        if span.steps is None:
            yield span.addresses, rows
            return
        with loop(self.b, calls) as call:
            yield span.addresses.after(call), rows

    @contextmanager
    def _rows(self, operations: Sequence[Operation], span: Span) -> Iterator[tuple[Mapping[Leaf, Value], Addresses]]:
        """For every row, where each quantity's numbers begin."""
        with self._each_call(operations, span) as (addresses, rows):
            bases = self._bases(operations, addresses)
            with loop(self.b, rows) as row:
                yield self._of_row(bases, row), addresses

    def _bases(self, operations: Sequence[Operation], addresses: Addresses) -> dict[Leaf, Value]:
        found: dict[Leaf, Value] = {}
        for operation in operations:
            for leaf in (operation.target, *sorted(read(operation), key=str)):
                if leaf not in found and self._in_memory(leaf, operations):
                    found[leaf] = addresses.pointer(leaf)
        return found

    def _in_memory(self, leaf: Leaf, operations: Sequence[Operation]) -> bool:
        place = self.places.get(leaf.name)
        return place is not None and (place.where in ("array", "sum") or leaf.name in self.needed)

    def _of_row(self, bases: Mapping[Leaf, Value], row: Value) -> dict[Leaf, Value]:
        found = {}
        for leaf, base in bases.items():
            place = self.places[leaf.name]
            own = place.storage.batched and place.where != "sum"
            found[leaf] = self.b.gep(base, [product(self.b, row, place.width)]) if own else base
        return found

    def _entries(self, addresses: Addresses, pointers: Mapping[Leaf, Value], lanes: int | None) -> Entries:
        entries = Entries(self.v, self.b, addresses, self.sizes, lanes)
        entries.pointers = pointers
        return entries

    # -- indices -----------------------------------------------------------------------------------

    def over(self, shape: tuple[Expr, ...], body: Callable[[Index | None, Index | None, int | None], None]) -> None:
        """``body(i, j, lanes)`` for all entries of a shape, as many at once as a vector holds."""
        rows, columns = self.numbers(shape)
        if shape[0] == ONE == shape[1]:
            body(None, None, 1)
        elif shape[1] == ONE:
            self._vectors(rows, lambda index, lanes: body(index, None, lanes))
        elif shape[0] == ONE:
            self._vectors(columns, lambda index, lanes: body(None, index, lanes))
        else:
            with loop(self.b, rows) as i:
                self._vectors(columns, lambda index, lanes: body(Index(i), index, lanes))

    def _vectors(self, count: int, body: Callable[[Index, int | None], None]) -> None:
        lanes, b = self.v.lanes, self.b
        if count >= lanes:
            with loop(b, count // lanes) as number:
                body(Index(b.mul(number, whole(lanes)), True), None)
        if count % lanes:
            body(Index(count // lanes * lanes, True), count % lanes)

    def folded_over(
        self,
        shape: tuple[Expr, ...],
        initial: Value,
        body: Callable[[Index | None, Index | None, int | None, Value], Value],
    ) -> Value:
        """The same, handing on a value."""
        rows, columns = self.numbers(shape)
        if shape[0] == ONE == shape[1]:
            return body(None, None, 1, initial)
        if shape[1] == ONE:
            return self._folded(rows, initial, lambda index, lanes, value: body(index, None, lanes, value))
        if shape[0] == ONE:
            return self._folded(columns, initial, lambda index, lanes, value: body(None, index, lanes, value))

        def row(i: Value, value: Value) -> Value:
            return self._folded(columns, value, lambda index, lanes, inner: body(Index(i), index, lanes, inner))

        return folded(self.b, rows, initial, row)

    def _folded(self, count: int, initial: Value, body: Callable[[Index, int | None, Value], Value]) -> Value:
        lanes, b = self.v.lanes, self.b
        value = initial
        if count >= lanes:
            value = folded(
                b,
                count // lanes,
                value,
                lambda number, so_far: body(Index(b.mul(number, whole(lanes)), True), None, so_far),
            )
        if count % lanes:
            value = body(Index(count // lanes * lanes, True), count % lanes, value)
        return value

    def _only(self, value: Value, lanes: int | None, otherwise: float) -> Value:
        """A value with a number in the lanes that are not used."""
        if lanes is None:
            return value
        return self.b.select(self.v.mask(lanes), value, self.v.const(otherwise))

    # -- operations --------------------------------------------------------------------------------

    def _entrywise(self, operations: Sequence[Entrywise], span: Span) -> None:
        with self._rows(operations, span) as (pointers, addresses):

            def body(i: Index | None, j: Index | None, lanes: int | None) -> None:
                entries = self._entries(addresses, pointers, lanes)
                for operation in operations:
                    value = entries(operation.value, i, j)
                    rows, columns = operation.target.shape
                    at = [
                        None if size == ONE else entries.moved(index, int(offset.xreplace(dict(self.sizes))))
                        for index, offset, size in zip(
                            (i, j), (operation.top, operation.left), (rows, columns), strict=True
                        )
                    ]
                    if operation.value.shape == operation.target.shape:
                        stored = self._in_memory(operation.target, operations)
                        entries.write(operation.target, value, i, j, stored)
                    else:
                        entries.store(operation.target, value, *at)

            self.over(operations[0].value.shape, body)

    def _width(self, leaf: Leaf) -> int:
        return self.places[leaf.name].width

    def _count(self, node: e.Node) -> int:
        rows, columns = self.numbers(node.shape)
        return rows * columns

    def _multiply(self, operation: Multiply, span: Span) -> None:
        target, operand = operation.target, operation.operand
        inner = operand.operands[0] if isinstance(operand, e.Slice) else operand
        offset = 0
        if isinstance(operand, e.Slice):
            top, _, left, _ = (int(bound.xreplace(dict(self.sizes))) for bound in operand.bounds)
            offset = top + left
        multiply = Product(self.v, self._count(target))
        with self._each_call([operation], span) as (addresses, rows):
            source = self.b.gep(addresses.pointer(inner), [whole(offset)])
            panels = self.packs(operation.matrix.name, operation.turned)
            multiply.packed(
                self.b, rows, source, self._width(inner), panels, addresses.pointer(target), self._width(target),
                self._count(operand), operation.add,
            )  # fmt: skip

    def _outer(self, operation: Outer, span: Span) -> None:
        """Σ left rightᵀ over the rows of a slice, and the steps of a piece of time."""
        b, addresses = self.b, span.addresses
        left, right = operation.left, operation.right
        multiply = Product(self.v, self._count(right))
        inner, outer, between = addresses.frame.count, whole(1), (whole(0), whole(0))
        if span.steps is not None:
            between = (addresses.between_times(left), addresses.between_times(right))
            outer = span.steps
            if self._flat([operation]):
                all_rows = b.icmp_signed("==", inner, addresses.frame.batch)
                inner, outer = b.select(all_rows, b.mul(inner, outer), inner), b.select(all_rows, whole(1), outer)
        multiply.outer(
            b, self._count(left), addresses.pointer(left), self._width(left), between[0], addresses.pointer(right),
            self._width(right), between[1], addresses.pointer(operation.target), inner, outer,
        )  # fmt: skip

    def _accumulate(self, operation: Accumulate, span: Span) -> None:
        b, shape = self.b, operation.value.shape
        calls, rows = self._calls([operation], span)
        target = span.addresses.pointer(operation.target)

        def body(i: Index | None, j: Index | None, lanes: int | None) -> None:
            def one_call(call: Value, so_far: Value) -> Value:
                addresses = span.addresses.after(call)
                bases = {leaf: addresses.pointer(leaf) for leaf in sorted(read(operation), key=str)}

                def one_row(row: Value, value: Value) -> Value:
                    entries = self._entries(addresses, self._of_row(bases, row), lanes)
                    return b.fadd(value, entries(operation.value, i, j))

                return folded(b, rows, so_far, one_row)

            total = folded(b, calls, self.v.const(0), one_call)
            entries = self._entries(span.addresses, {operation.target: target}, lanes)
            entries.store(operation.target, b.fadd(total, entries(operation.target, i, j)), i, j)

        self.over(shape, body)

    def _reduce(self, operation: Reduce, pointers: Mapping[Leaf, Value], addresses: Addresses) -> None:
        def body(i: Index | None, j: Index | None, lanes: int | None, so_far: Value) -> Value:
            value = self._entries(addresses, pointers, lanes)(operation.value, i, j)
            return self.b.fadd(so_far, self._only(value, lanes, 0))

        total = self.v.total(self.b, self.folded_over(operation.value.shape, self.v.const(0), body))
        self.b.store(total, pointers[operation.target], align=self.v.bytes)

    def _soft(self, operation: Soft, pointers: Mapping[Leaf, Value], addresses: Addresses) -> None:
        """exp(x - max x) / Σ exp(x - max x), or x - max x - log Σ exp(x - max x)."""
        v, b, shape = self.v, self.b, operation.value.shape

        def value(i: Index | None, j: Index | None, lanes: int | None) -> tuple[Entries, Value]:
            entries = self._entries(addresses, pointers, lanes)
            return entries, entries(operation.value, i, j)

        def larger(i: Index | None, j: Index | None, lanes: int | None, so_far: Value) -> Value:
            entries, x = value(i, j, lanes)
            return entries.formulas.larger(b, self._only(x, lanes, -float("inf")), so_far)

        lowest = v.const(-float("inf"))
        largest = v.splat(b, v.largest(b, self.folded_over(shape, lowest, larger)))

        def added(i: Index | None, j: Index | None, lanes: int | None, so_far: Value) -> Value:
            entries, x = value(i, j, lanes)
            power = entries.formulas.exp(b, b.fsub(x, largest))
            if not operation.log:
                entries.store(operation.target, power, i, j)
            return b.fadd(so_far, self._only(power, lanes, 0))

        total = v.splat(b, v.total(b, self.folded_over(shape, v.const(0), added)))
        if operation.log:
            total = v.by_lane(b, "log", total)

        def last(i: Index | None, j: Index | None, lanes: int | None) -> None:
            entries = self._entries(addresses, pointers, lanes)
            if operation.log:
                result = b.fsub(b.fsub(entries(operation.value, i, j), largest), total)
            else:
                result = b.fdiv(entries(operation.target, i, j), total)
            entries.store(operation.target, result, i, j)

        self.over(shape, last)

    def _contract(self, operation: Contract, pointers: Mapping[Leaf, Value], addresses: Addresses) -> None:
        """Σ_k a[i, k] b[k, j]: with a vector of columns at once, or of rows, or of the sum."""
        v, b = self.v, self.b
        inner = operation.left.shape[1]
        summed = self.numbers((inner, ONE))[0]
        shape = operation.target.shape
        rows_follow = isinstance(operation.left, e.Transpose)
        if shape[1] != ONE or rows_follow:

            def body(i: Index | None, j: Index | None, lanes: int | None) -> None:
                def term(k: Value, so_far: Value) -> Value:
                    entries = self._entries(addresses, pointers, lanes)
                    left, right = (entries(operation.left, i, Index(k)), entries(operation.right, Index(k), j))
                    return v.fma(b, left, right, so_far)

                total = folded(b, summed, v.const(0), term)
                self._entries(addresses, pointers, lanes).store(operation.target, total, i, j)

            self.over(shape, body)
            return
        with loop(b, self.numbers(shape)[0]) as i:

            def several(index: Index, lanes: int | None, so_far: Value) -> Value:
                entries = self._entries(addresses, pointers, lanes)
                left, right = entries(operation.left, Index(i), index), entries(operation.right, index, None)
                return v.fma(b, self._only(left, lanes, 0), self._only(right, lanes, 0), so_far)

            total = v.splat(b, v.total(b, self._folded(summed, v.const(0), several)))
            self._entries(addresses, pointers, 1).store(operation.target, total, Index(i), None)


__all__ = ["GroupWriter", "Span"]
