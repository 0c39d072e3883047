"""Where quantities lie: in arrays of a call, in a thread's own room for a piece of time or a step, or among sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sympy import Expr

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.system import T
from numeric.native.vectors import I64, Builder, Value, Vectors, plus, product, whole
from numeric.program import Storage

Where = Literal["array", "piece", "step", "sum"]
"""An array of the call; room for a piece of time or for a step, of which every thread has its own; a sum, as well."""


@dataclass(frozen=True)
class Place:
    """Where a quantity lies.

    Parameters
    ----------
    number : of an array, its place in the table; in a thread's room, the numbers that come before, for each row.
    width  : numbers from one row to the next.
    """

    where: Where
    number: int
    width: int
    storage: Storage
    label: bool = False


def numbers_of(shape: tuple[Expr, ...], sizes: Mapping[Expr, int]) -> tuple[int, int]:
    """Rows and columns in numbers."""
    rows, columns = (int(size.xreplace(dict(sizes))) for size in shape)
    return rows, columns


def padded_width(count: int, size: int, lanes: int) -> int:
    """The distance of rows of a thread's room or an inner array: not a multiple of a power of two that falls on the same cache sets."""
    return count + lanes if count * size % 1024 == 0 else count


TABLE = ("T", "B", "rows", "steps")
"""What a table begins with: the length, the batch, and how many rows and steps a thread's room holds."""
SUMS, PACKS, ARRAYS = 0, 1, 2
"""Then addresses: of the sums over the batch, of matrices in panels, and from there on of arrays."""


class Frame:
    """The values of a table in a function.

    Parameters
    ----------
    slice_ : the slice of the batch that it works on, a room, and sums; None for what all sequences share.
    step   : numbers of a row in the room of a step, behind which the room of a piece of time begins.
    """

    def __init__(
        self,
        v: Vectors,
        b: Builder,
        table: Value,
        slice_: tuple[Value, Value, Value, Value] | None = None,
        step: int = 0,
    ) -> None:
        self.v, self.b, self.table = v, b, table
        self.length, self.batch, self.rows, self.steps = (self._entry(k) for k in range(len(TABLE)))
        self.first: int | Value = 0
        self.count: int | Value = 1
        self.room: Value = None
        if slice_ is None:
            self.sums = self.pointer(SUMS)
        else:
            self.first, last, room, sums = slice_
            self.count = b.sub(last, self.first)
            self.room, self.sums = b.inttoptr(room, v.pointer), b.inttoptr(sums, v.pointer)
            self.piece_rows = b.mul(self.rows, self.steps)
            self.piece = b.gep(self.room, [b.mul(self.rows, whole(step))])

    def _entry(self, number: int) -> Value:
        return self.b.load(self.b.gep(self.table, [whole(number)]))

    def pointer(self, number: int, kind: Value | None = None) -> Value:
        """An array of the table."""
        return self.b.inttoptr(self._entry(len(TABLE) + number), kind or self.v.pointer)


class Addresses:
    """Addresses of the first row of a slice.

    Parameters
    ----------
    frame  : of the function.
    places : of every quantity.
    clock  : the letter of the time.
    step   : where the clock stands, its time less one; None outside of time.
    piece  : the first step of the piece of time that is worked on.
    """

    def __init__(
        self,
        frame: Frame,
        places: Mapping[str, Place],
        clock: Expr,
        step: Value | None = None,
        piece: Value | None = None,
    ) -> None:
        self.frame, self.places, self.clock, self.step, self.piece = frame, places, clock, step, piece

    def after(self, steps: Value) -> Addresses:
        """The same some steps later."""
        if self.step is None:
            return self
        return Addresses(self.frame, self.places, self.clock, self.frame.b.add(self.step, steps), self.piece)

    def row_of(self, leaf: e.Timed, storage: Storage) -> int | Value:
        """The row over time of an array."""
        b, distance = self.frame.b, leaf.time - self.clock
        if distance.is_Integer:
            if self.step is None:
                raise MissingRuleError(f"{leaf} has no time here")
            return plus(b, self.step, int(distance) + storage.before)
        if leaf.time.is_Integer:
            return int(leaf.time) - 1 + storage.before
        from_end = leaf.time - T
        if not from_end.is_Integer:
            raise MissingRuleError(f"{leaf} is at no time that is compiled to machine code")
        return plus(b, self.frame.length, int(from_end) - 1 + storage.before)

    def pointer(self, leaf: e.Timed | e.Var) -> Value:
        """Where the numbers of the first sequence of the slice begin; where all share them, where they begin."""
        frame, b, place = self.frame, self.frame.b, self.places[leaf.name]
        if place.where == "sum":
            return b.gep(frame.sums, [whole(place.number)])
        if place.where == "array":
            base = frame.pointer(place.number, I64.as_pointer() if place.label else None)
            if not place.storage.batched:
                return base
            row: int | Value = 0
            if isinstance(leaf, e.Timed):
                row = product(b, self.row_of(leaf, place.storage), frame.batch)
            return b.gep(base, [whole(product(b, plus(b, row, frame.first), place.width))])
        if place.where == "step":
            start = product(b, frame.rows, place.number)
            return b.gep(frame.room, [whole(start)])
        start = product(b, frame.piece_rows, place.number)
        within = whole(0) if self.step is None else b.mul(b.sub(self.step, self.piece), frame.count)
        return b.gep(frame.piece, [b.add(whole(start), b.mul(within, whole(place.width)))])

    def between_times(self, leaf: e.Timed | e.Var) -> Value:
        """Numbers from one time to the next."""
        place = self.places[leaf.name]
        if not isinstance(leaf, e.Timed) or place.where == "step":
            return whole(0)
        rows = self.frame.batch if place.where == "array" else self.frame.count
        return self.frame.b.mul(rows, whole(place.width))


__all__ = ["ARRAYS", "PACKS", "SUMS", "TABLE", "Addresses", "Frame", "Place", "Where", "numbers_of", "padded_width"]
