"""The plan of a pass: its items in phases and runs, their operations in groups, and where everything lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from llvmlite import ir
from sympy import Expr, Integer

from derive import expressions as e
from numeric.native.flatten import Multiply, Outer
from numeric.native.groups import Group, exact, grouped, read
from numeric.native.items import Item, Items, Phase, Run, near_only, phases, runs
from numeric.native.memory import ALIGNED
from numeric.native.places import ARRAYS, TABLE, Place, Where, numbers_of, padded_width
from numeric.native.products import packed_size
from numeric.native.vectors import Vectors
from numeric.program import Stage, Storage


@dataclass(frozen=True)
class Batch:
    """Groups that go through a piece of time one after the other (``loop`` empty), or all together step by step."""

    groups: tuple[Group, ...]
    direction: str = ""


@dataclass
class Pass:
    """What a pass does, before it is written.

    Parameters
    ----------
    stages    : of the program.
    storages  : of the program.
    outer     : arrays that are there before: parameters, inputs, what the forward pass kept; with the distance of their rows where it is
                not that of their numbers.
    inherited : those that the forward pass kept.
    labels    : those that hold integers.
    results   : what is read after the pass.
    visible   : those of them that a user sees, whose rows are not padded.
    starts    : for quantities with rows before or after the sequence, the array that one of these rows comes from.
    foreign   : whether all of it runs in NumPy.
    every     : whether results are looked at for every time, to see whether they are finite; else at the first and the last.
    """

    stages: Sequence[Stage]
    storages: dict[str, Storage]
    clock: Expr
    sizes: Mapping[Expr, Integer]
    double: bool
    outer: Mapping[str, int | None]
    inherited: frozenset[str]
    labels: frozenset[str]
    results: frozenset[str]
    visible: frozenset[str]
    starts: Sequence[tuple[e.Timed, str]]
    foreign: bool
    every: bool
    arrays: list[str] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.v = Vectors(ir.Module(name="bptt"), self.double)
        self._items = Items(self.storages, self.clock, self.results)
        self.items = self._items.of(self.stages, self.foreign)
        self.phases = phases(self.items, self.storages)
        rows = [k for k, phase in enumerate(self.phases) if phase.kind == "rows"]
        if self.ends and (not rows or any(phase.kind == "foreign" for phase in self.phases)):
            self.phases.insert(0, Phase("rows", ()))
        self.runs = [runs(phase.items, self.clock) if phase.kind == "rows" else [] for phase in self.phases]
        self.shared = [self._shared(phase) for phase in self.phases]
        self.batches = [[self._batches(run) for run in each] for each in self.runs]
        self.needed = frozenset(self._needed())
        self.sums = 0
        self.piece = self.step = 0
        self._placed()

    # -- operations --------------------------------------------------------------------------------

    def _shared(self, phase: Phase) -> list[Group]:
        if phase.kind != "shared":
            return []
        return grouped([op for item in phase.items for op in self._items.flattened(item)])

    def _batches(self, run: Run) -> list[Batch]:
        """Loops by themselves; neighbours among the others together, where they read each other at the same time only."""
        found: list[Batch] = []
        pending: list[Item] = []

        def close() -> None:
            if pending:
                operations = [op for item in pending for op in self._items.flattened(item)]
                found.append(Batch(tuple(grouped(operations))))
                pending.clear()

        for item in run.items:
            if item.kind in ("forward", "backward"):
                close()
                found.append(Batch(tuple(grouped(self._items.flattened(item))), item.kind))
                continue
            written = {name for other in pending for name in other.targets}
            if any(leaf.name in written and not self._now(leaf) for leaf in item.read()):
                close()
            pending.append(item)
        close()
        return found

    def _now(self, leaf: e.Timed | e.Var) -> bool:
        return isinstance(leaf, e.Var) or leaf.time == self.clock

    def _all_groups(self) -> Iterable[Group]:
        for each in self.shared:
            yield from each
        for phase in self.batches:
            for run in phase:
                for batch in run:
                    yield from batch.groups

    def _needed(self) -> Iterable[str]:
        """What is read from memory: not in registers, where it was computed."""
        for group in self._all_groups():
            here: set[e.Timed | e.Var] = set()
            for operation in group.operations:
                at_entry = exact(operation)
                for leaf in read(operation):
                    if not (leaf in here and leaf in at_entry):
                        yield leaf.name
                if operation.target in read(operation) or not group.entrywise:
                    yield operation.target.name
                else:
                    here.add(operation.target)

    # -- places ------------------------------------------------------------------------------------

    def _placed(self) -> None:
        for key in self.outer:
            self._array(key, self.outer[key])
        for _, name in self.starts:
            self.arrays.append(name)
        for name in [name for item in self.items for name in sorted(item.targets)]:
            if name not in self.places:
                self._place(name, name in self._items.totals)
        for group in self._all_groups():
            for operation in group.operations:
                if operation.target.name not in self.places:
                    self._place(operation.target.name, False)

    def _place(self, name: str, total: bool) -> None:
        storage = self.storages[name]
        count = self.count(storage)
        if total:
            self.places[name] = Place("sum", self.sums, count, storage)
            self.sums += -(-count * self.v.bytes // ALIGNED) * ALIGNED // self.v.bytes
            return
        where = self._where(name, storage)
        width = count if name in self.visible or (where == "array" and not storage.batched) else self._padded(count)
        if where == "array":
            self._array(name, width)
        elif where == "piece":
            self.places[name] = Place(where, self.piece, width, storage)
            self.piece += width if name in self.needed else 0
        else:
            self.places[name] = Place(where, self.step, width, storage)
            self.step += width if name in self.needed else 0

    def _where(self, name: str, storage: Storage) -> Where:
        foreign = any(item.kind == "foreign" and self._touches(item, name) for item in self.items)
        if name in self.results or foreign or not storage.batched:
            return "array"
        if storage.local:
            return "step" if not storage.timed or self._in_loop(name) else "piece"
        run = next((run for each in self.runs for run in each if any(name in item.targets for item in run.items)), None)
        near = storage.timed and run is not None and near_only(run, self.items, name, self.clock)
        return "piece" if near else "array"

    def _touches(self, item: Item, name: str) -> bool:
        return name in item.targets or any(leaf.name == name for leaf in item.read())

    def _in_loop(self, name: str) -> bool:
        """Whether a quantity is computed step by step."""
        for each in self.batches:
            for run in each:
                for batch in run:
                    if any(op.target.name == name for group in batch.groups for op in group.operations):
                        return bool(batch.direction)
        return False

    def count(self, storage: Storage) -> int:
        """The numbers of a row."""
        rows, columns = numbers_of(storage.shape, self.sizes)
        return rows * columns

    def _padded(self, count: int) -> int:
        return padded_width(count, self.v.bytes, self.v.lanes)

    def _array(self, name: str, width: int | None) -> None:
        storage = self.storages[name]
        number = len(self.arrays) + ARRAYS
        self.places[name] = Place("array", number, width or self.count(storage), storage, name in self.labels)
        self.arrays.append(name)

    @cached_property
    def ends(self) -> list[str]:
        """Quantities of this pass with rows that no statement writes."""
        targets = dict.fromkeys(s.target.name for stage in self.stages for s in stage.statements)
        return [
            name
            for name in targets
            if self.storages[name].timed
            and (self.storages[name].before or self.storages[name].after or name in self.sparse)
        ]

    @cached_property
    def sparse(self) -> frozenset[str]:
        """Quantities that are computed at certain times alone, such as what a loss adds at T; elsewhere they are zero."""
        statements = [s for stage in self.stages for s in stage.statements]
        always = {s.target.name for s in statements if isinstance(s.target, e.Timed) and s.target.time == self.clock}
        return frozenset(s.target.name for s in statements if isinstance(s.target, e.Timed)) - always

    @cached_property
    def outside(self) -> list[str]:
        """Arrays whose addresses come with a call, in the order of the table."""
        starts = {name for _, name in self.starts}
        return [name for name in self.arrays if name in starts or (name in self.outer and name not in self.inherited)]

    @property
    def entries(self) -> int:
        """How long a table is."""
        return len(TABLE) + ARRAYS + len(self.arrays)

    # -- work --------------------------------------------------------------------------------------

    @cached_property
    def packs(self) -> dict[tuple[str, bool], tuple[int, int, int]]:
        """Matrices in panels, turned or not: where they begin, the inner size, and columns."""
        found: dict[tuple[str, bool], tuple[int, int, int]] = {}
        at = 0
        for operation in self._multiplications():
            key = (operation.matrix.name, operation.turned)
            if key not in found:
                rows, columns = numbers_of(operation.matrix.shape, self.sizes)
                inner, width = (columns, rows) if operation.turned else (rows, columns)
                found[key] = (at, inner, width)
                at += packed_size(self.v, inner, width)
        return found

    @property
    def pack_numbers(self) -> int:
        """The numbers of all matrices in panels."""
        return sum(packed_size(self.v, inner, columns) for _, inner, columns in self.packs.values())

    def _multiplications(self) -> Iterable[Multiply]:
        for group in self._all_groups():
            yield from (op for op in group.operations if isinstance(op, Multiply))

    @cached_property
    def work(self) -> int:
        """Multiplications for a sequence and a step, roughly."""
        found = sum(inner * columns for _, inner, columns in self.packs.values())
        for group in self._all_groups():
            for operation in group.operations:
                if isinstance(operation, Outer):
                    found += self.count(self.storages[operation.target.name])
                elif not isinstance(operation, Multiply):
                    found += 16 * self.count(self.storages[operation.target.name])
        return found


__all__ = ["Batch", "Pass"]
