"""From a program to items: pieces of work of one kind, in an order in which they can run.

Before that, what is the same for all sequences is named, so that it is computed once; sums over time become loops of their own; and
entrywise formulas that only the next loop reads move into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.system import T, leaves
from numeric.native.flatten import Entrywise, Flattener, Leaf, Operation
from numeric.program import Stage, Statement, Storage

Kind = Literal["shared", "once", "map", "forward", "backward", "total", "total once", "foreign"]
"""Shared: the same for all sequences. Once, map, loops: for every sequence. Totals: sums over sequences, and times. Foreign: in NumPy."""
FIRST: Expr = Integer(1)


@dataclass(frozen=True, eq=False)
class Item:
    """Statements of one kind.

    Parameters
    ----------
    first, last : the times that it runs over.
    stage       : where the statements came from, for what runs in NumPy.
    """

    kind: Kind
    statements: tuple[Statement, ...]
    first: Expr = FIRST
    last: Expr = T
    stage: Stage | None = None

    @property
    def timed(self) -> bool:
        """Whether it runs over times."""
        return self.kind in ("map", "forward", "backward", "total")

    @property
    def in_rows(self) -> bool:
        """Whether it runs for every sequence."""
        return self.kind not in ("shared", "foreign")

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(s.target.name for s in self.statements)

    def read(self) -> Iterator[e.Timed | e.Var]:
        """What it reads."""
        for statement in self.statements:
            yield from leaves(statement.value)


@dataclass
class Items:
    """Makes the items of a pass.

    Parameters
    ----------
    storages : of the program; temporary quantities are added.
    clock    : the letter of the time.
    kept     : names that are read after the pass.

    ``summed`` are sums over the batch, ``totals`` those of them that are computed here.
    """

    storages: dict[str, Storage]
    clock: Expr
    kept: frozenset[str]
    summed: set[str] = field(default_factory=set)
    totals: set[str] = field(default_factory=set)
    _count: int = 0

    def of(self, stages: Sequence[Stage], foreign: bool) -> list[Item]:
        """The items of a pass, in order.

        Parameters
        ----------
        foreign : whether everything runs in NumPy, as cells over trees do.
        """
        self.summed = {s.target.name for stage in stages for s in stage.statements if s.summed}
        if foreign:
            return [Item("foreign", stage.statements, stage=stage) for stage in stages]
        found = [item for stage in stages for piece in _pieces(stage) for item in self._compiled(piece)]
        return self._sunk(found)

    # -- one statement, or one loop ----------------------------------------------------------------

    def _compiled(self, stage: Stage) -> list[Item]:
        """The items of a piece of a stage; one that runs in NumPy where something in it is not compiled."""
        before = dict(self.storages)
        try:
            found = list(self._items(stage))
            for item in found:
                self.flattened(item)
        except MissingRuleError:
            self.storages.clear()
            self.storages.update(before)
            return [Item("foreign", stage.statements, stage=stage)]
        self.totals |= {s.target.name for s in stage.statements if s.summed}
        return found

    def _items(self, stage: Stage) -> Iterator[Item]:
        if stage.kind == "once":
            yield from self._once(stage.statements[0])
            return
        named: list[Item] = []
        statements = tuple(replace(s, value=self._named(s.value, named)) for s in stage.statements)
        statements = tuple(replace(s, value=self._sums(s.value, named)) for s in statements)
        yield from named
        yield Item(stage.kind, statements)

    def _once(self, statement: Statement) -> Iterator[Item]:
        if statement.summed:
            yield from self._totals(statement)
        elif isinstance(statement.target, e.Var) and not self.storages[statement.target.name].batched:
            yield Item("shared", (statement,))
        else:
            named: list[Item] = []
            value = self._sums(self._named(statement.value, named), named)
            yield from named
            yield Item("once", (replace(statement, value=value),))

    def _totals(self, statement: Statement) -> Iterator[Item]:
        """Sums over sequences, term by term."""
        terms = statement.value.operands if isinstance(statement.value, e.Plus) else (statement.value,)
        for term in terms:
            negative = isinstance(term, e.Neg)
            inner = term.operands[0] if isinstance(term, e.Neg) else term
            named: list[Item] = []
            if isinstance(inner, e.SumOver):
                body = self._body(inner)
                parts = body.operands if isinstance(body, e.Plus) else (body,)
                for part in parts:
                    value = self._sums(self._named(e.Neg(part) if negative else part, named), named)
                    yield from named
                    named.clear()
                    yield Item("total", (Statement(statement.target, value),), inner.lower, inner.upper)
                continue
            shared = [leaf for leaf in leaves(term) if not self._is_shared(leaf)]
            if not shared and any(leaf.name in self.summed for leaf in leaves(term)):
                yield Item("shared", (Statement(statement.target, term, add=True),))
                continue
            value = self._sums(self._named(term, named), named)
            yield from named
            yield Item("total once", (Statement(statement.target, value),))

    # -- names -------------------------------------------------------------------------------------

    def fresh(self, node: e.Node, shared: bool, timed: bool) -> Leaf:
        """A temporary quantity of the shape of a formula; ``shared`` by all sequences, else one for each."""
        self._count += 1
        name = f"~{self._count}"
        leaf: Leaf = e.Timed(name, self.clock, *node.shape) if timed else e.Var(name, *node.shape)
        self.storages[name] = Storage(name, leaf.shape, timed, not shared, local=not shared)
        return leaf

    def _is_shared(self, leaf: e.Timed | e.Var) -> bool:
        return isinstance(leaf, e.Var) and not self.storages[leaf.name].batched

    def _named(self, node: e.Node, found: list[Item]) -> e.Node:
        """A formula with names for the parts of it that are the same for all sequences and times."""
        names = list(leaves(node))
        if isinstance(node, e.SumOver) or not names:
            return node
        if all(map(self._is_shared, names)) and not any(
            scalar.value.has(self.clock) for scalar in node.atoms(e.Scalar)
        ):
            inner = node.operands[0] if isinstance(node, e.Transpose) else node
            if isinstance(inner, e.Var):
                return node
            target = self.fresh(node, True, False)
            found.append(Item("shared", (Statement(target, node),)))
            return target
        operands = [self._named(operand, found) for operand in node.operands]
        return node if operands == list(node.operands) else node.with_operands(operands)

    def _sums(self, node: e.Node, found: list[Item]) -> e.Node:
        """A formula with names for its sums over time, each computed by a loop before."""
        if not node.has(e.SumOver):
            return node
        if isinstance(node, e.SumOver):
            target = self.fresh(node, False, False)
            self.storages[target.name] = replace(self.storages[target.name], local=False)
            body = self._named(self._body(node), found)
            found.append(Item("once", (Statement(target, e.Zero(*node.shape)),)))
            found.append(Item("forward", (Statement(target, e.Plus(target, body)),), node.lower, node.upper))
            return target
        return node.with_operands([self._sums(operand, found) for operand in node.operands])

    def _body(self, node: e.SumOver) -> e.Node:
        """What is summed, at the time of the clock."""
        if node.body.has(e.SumOver) or (node.index != self.clock and self.clock in node.body.free_symbols):
            raise MissingRuleError("a sum within a sum over time is not compiled to machine code")
        return e.reindexed(node.body, {node.index: self.clock})

    # -- operations --------------------------------------------------------------------------------

    def flattened(self, item: Item) -> list[Operation]:
        """The operations of an item."""
        flat = Flattener(self.storages, lambda node, _: self.fresh(node, item.kind == "shared", item.timed))
        for statement in item.statements:
            if item.kind in ("total", "total once"):
                flat.total(statement.target, statement.value)
            elif statement.add:
                flat.store(statement.target, e.Plus(statement.target, statement.value))
            else:
                flat.store(statement.target, statement.value)
        return flat.operations

    # -- entrywise formulas move to where they are read --------------------------------------------

    def _sunk(self, items: Sequence[Item]) -> list[Item]:
        found = list(items)
        place = 0
        while place < len(found):
            item = found[place]
            user = self._user(item, found)
            if user is None:
                place += 1
                continue
            names = item.targets
            first = next(
                k for k, s in enumerate(user.statements) if any(leaf.name in names for leaf in leaves(s.value))
            )
            statements = (*user.statements[:first], *item.statements, *user.statements[first:])
            found[found.index(user)] = replace(user, statements=statements)
            del found[place]
            for name in names:
                self.storages[name] = replace(self.storages[name], local=True)
        return found

    def _user(self, item: Item, items: Sequence[Item]) -> Item | None:
        """The loop that alone reads an entrywise formula, in the step of the same time."""
        if item.kind != "map" or item.targets & self.kept or (item.first, item.last) != (FIRST, T):
            return None
        if not all(isinstance(op, Entrywise) for op in self.flattened(item)):
            return None
        users = [other for other in items if any(leaf.name in item.targets for leaf in other.read())]
        if len(users) != 1 or users[0].kind not in ("forward", "backward", "map"):
            return None
        at_once = all(
            isinstance(leaf, e.Timed) and leaf.time == self.clock
            for leaf in users[0].read()
            if leaf.name in item.targets
        )
        writers = sum(bool(other.targets & item.targets) for other in items)
        return users[0] if at_once and writers == 1 and (users[0].first, users[0].last) == (FIRST, T) else None


def _pieces(stage: Stage) -> Iterator[Stage]:
    """Statement by statement where they need not run together."""
    if stage.kind in ("forward", "backward"):
        yield stage
    else:
        yield from (Stage(stage.kind, (statement,)) for statement in stage.statements)


# -- phases ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phase:
    """Items that run without waiting: all shared, all in rows, or one in NumPy."""

    kind: Literal["shared", "rows", "foreign"]
    items: tuple[Item, ...]


def phases(items: Sequence[Item], storages: Mapping[str, Storage]) -> list[Phase]:
    """Items put together: as few changes between shared work and work in rows as their order allows."""
    left = list(items)
    found: list[Phase] = []
    while left:
        progress = False
        for item in list(left):
            if not item.in_rows and not _waits(item, left[: left.index(item)]):
                left.remove(item)
                progress = True
                if item.kind == "shared" and found and found[-1].kind == "shared":
                    found[-1] = Phase("shared", (*found[-1].items, item))
                else:
                    found.append(Phase("shared" if item.kind == "shared" else "foreign", (item,)))
        rows: list[Item] = []
        totals: set[str] = set()
        for item in list(left):
            others = [other for other in left[: left.index(item)] if other not in rows]
            if item.in_rows and not _waits(item, others) and not any(leaf.name in totals for leaf in item.read()):
                rows.append(item)
                totals |= item.targets if item.kind.startswith("total") else set()
        if rows:
            left = [item for item in left if item not in rows]
            found.append(Phase("rows", tuple(rows)))
            progress = True
        if not progress:
            raise MissingRuleError("the program has no order for machine code")
    return found


def _waits(item: Item, earlier: Iterable[Item]) -> bool:
    """Whether something before an item must have run: it is read or written here, or reads what is written here."""
    needed = {leaf.name for leaf in item.read()} | item.targets
    return any(needed & other.targets or item.targets & {leaf.name for leaf in other.read()} for other in earlier)


# -- runs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """Items of a phase that go through time together, piece by piece, so that what they share is still near.

    ``backward``: from the last piece to the first. Items outside of time are runs of their own.
    """

    items: tuple[Item, ...]
    backward: bool = False


def runs(items: Sequence[Item], clock: Expr) -> list[Run]:
    """The runs of a phase in rows."""
    found: list[Run] = []
    for item in items:
        joined = _joined(found[-1], item, clock) if found else None
        if joined is not None:
            found[-1] = joined
        else:
            found.append(Run((item,), item.kind == "backward"))
    return found


def _joined(run: Run, item: Item, clock: Expr) -> Run | None:
    """A run with one more item; None if it cannot go through time with the others."""
    items = (*run.items, item)
    if not all(one.timed and (one.first, one.last) == (FIRST, T) for one in items):
        return None
    directions = {one.kind for one in items} & {"forward", "backward"}
    if len(directions) > 1:
        return None
    backward = directions == {"backward"}
    for place, one in enumerate(items):
        written = {name for earlier in items[:place] for name in earlier.targets}
        for leaf in one.read():
            if leaf.name in written:
                distance = leaf.time - clock if isinstance(leaf, e.Timed) else None
                if distance is None or not distance.is_Integer or (distance < 0 if backward else distance > 0):
                    return None
    return Run(items, backward)


def near_only(run: Run, items: Iterable[Item], name: str, clock: Expr) -> bool:
    """Whether a quantity is computed in a run, and read in it alone, each time at the time that it was computed for."""
    if not any(name in item.targets for item in run.items):
        return False
    for item in items:
        for leaf in item.read():
            if leaf.name == name and (item not in run.items or not isinstance(leaf, e.Timed) or leaf.time != clock):
                return False
    return len(run.items) > 0 and all(item.timed for item in run.items)


__all__ = ["FIRST", "Item", "Items", "Phase", "Run", "near_only", "phases", "runs"]
