"""What Python calls: a table is filled, all phases run, and the results are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from numeric.native.memory import WITHIN
from numeric.native.places import ARRAYS, PACKS, SUMS, TABLE, Place
from numeric.native.vectors import I64, Builder, Value, Vectors, folded, least, loop, plus, product, whole

if TYPE_CHECKING:
    from numeric.native.plan import Pass

TEMPLATE = (*TABLE, "room")
"""What a template begins with: that of a table, and where the room of the first thread begins; then the places of all arrays."""


def write_calls(v: Vectors, plan: Pass, packing: Iterable[int]) -> None:
    """``resolve`` fills a table, ``whole`` runs a pass in one thread, ``finite`` tells whether results are (0) or not (1)."""
    resolve = _resolve(v, plan)
    finite = _finite(v, plan)
    _whole(v, plan, frozenset(packing), resolve, finite)


def _new(v: Vectors, name: str, arguments: int, answers: bool = False) -> tuple[Builder, Any, list[Value]]:
    kind = ir.FunctionType(I64 if answers else ir.VoidType(), [I64] * arguments)
    function = ir.Function(v.module, kind, name)
    return ir.IRBuilder(function.append_basic_block()), function, list(function.args)


def _at(b: Builder, address: Value, number: int) -> Value:
    """An integer of an array of integers."""
    return b.gep(b.inttoptr(address, I64.as_pointer()), [whole(number)])


def _resolve(v: Vectors, plan: Pass) -> Any:
    """Template, handles of arrays, memory of results, of the forward pass and of scratch, and the table to fill."""
    b, function, (template, outside, base, kept, scratch, table) = _new(v, "resolve", 6)
    for k in range(len(TABLE)):
        b.store(b.load(_at(b, template, k)), _at(b, table, k))
    b.store(base, _at(b, table, len(TABLE) + SUMS))
    b.store(scratch, _at(b, table, len(TABLE) + PACKS))
    order = {name: k for k, name in enumerate(plan.outside)}
    for k, name in enumerate(plan.arrays):
        if name in order:
            place = b.add(b.load(_at(b, outside, order[name])), whole(WITHIN))
            address = b.load(b.inttoptr(place, I64.as_pointer()))
        else:
            begin = kept if name in plan.inherited else base if name in plan.results else scratch
            address = b.add(begin, b.load(_at(b, template, len(TEMPLATE) + k)))
        b.store(address, _at(b, table, len(TABLE) + ARRAYS + k))
    with loop(b, plan.sums) as k:
        b.store(ir.Constant(v.number, 0.0), b.gep(b.inttoptr(base, v.pointer), [k]))
    b.ret_void()
    return function


def _whole(v: Vectors, plan: Pass, packing: frozenset[int], resolve: Any, finite: Any) -> None:
    """The arguments of ``resolve`` without the table; the answer of ``finite``."""
    b, _, arguments = _new(v, "whole", 5, True)
    template, _, base, _, scratch = arguments
    table = b.alloca(I64, plan.entries)
    address = b.ptrtoint(table, I64)
    b.call(resolve, [*arguments, address])
    batch, rows = (b.load(_at(b, template, TABLE.index(name))) for name in ("B", "rows"))
    room = b.add(scratch, b.load(_at(b, template, TEMPLATE.index("room"))))
    for number, phase in enumerate(plan.phases):
        if phase.kind == "foreign":
            continue
        function = v.module.get_global(f"phase_{number}")
        if phase.kind == "shared":
            b.call(function, [table])
            continue
        if number in packing:
            b.call(v.module.get_global(f"pack_{number}"), [table])
        slices = b.sdiv(b.add(batch, b.sub(rows, whole(1))), rows)
        with loop(b, slices) as k:
            first = b.mul(k, rows)
            b.call(function, [table, first, least(b, batch, b.add(first, rows)), room, base])
    b.ret(b.call(finite, [address]))


def _finite(v: Vectors, plan: Pass) -> Any:
    """x - x is 0 for every number, and for nothing else."""
    b, function, (table,) = _new(v, "finite", 1, True)
    length, batch = (b.load(_at(b, table, TABLE.index(name))) for name in ("T", "B"))
    total = v.const(0)
    for name in sorted(plan.visible & plan.results):
        place = plan.places[name]
        number = SUMS if place.where == "sum" else place.number
        start = b.inttoptr(b.load(_at(b, table, len(TABLE) + number)), v.pointer)
        for first, count in _ranges(b, plan, place, length, batch):
            total = b.call(_added(v), [b.gep(start, [whole(first)]), whole(count), total])
    fine = b.fcmp_ordered("==", v.total(b, total), ir.Constant(v.number, 0.0))
    b.ret(b.select(fine, whole(0), whole(1)))
    return function


def _ranges(
    b: Builder, plan: Pass, place: Place, length: Value, batch: Value
) -> Iterator[tuple[int | Value, int | Value]]:
    """Where the numbers of a result begin, and how many there are."""
    storage = place.storage
    if place.where == "sum":
        yield place.number, plan.count(storage)
        return
    if not storage.batched:
        yield 0, place.width
        return
    row = product(b, batch, place.width)
    if not storage.timed:
        yield 0, row
        return
    before = product(b, row, storage.before)
    if plan.every:
        yield before, product(b, row, length)
        return
    some = b.select(b.icmp_signed(">", length, whole(0)), whole(row), whole(0))
    yield before, some  # what is lost in a step is lost in those that follow: the first and the last time tell
    yield plus(b, before, b.mul(whole(row), b.sub(length, whole(1)))), some


def _added(v: Vectors) -> Any:
    """A function of numbers, how many there are, and a sum: the sum with x - x of each of them."""
    name = "added"
    known = v.module.globals.get(name)
    if known:
        return known
    function = ir.Function(v.module, ir.FunctionType(v.vector, [v.pointer, I64, v.vector]), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    start, count, total = function.args
    b = ir.IRBuilder(function.append_basic_block())

    def several(k: Value, so_far: Value) -> Value:
        x = v.load(b, b.gep(start, [b.mul(k, whole(v.lanes))]))
        return b.fadd(so_far, b.fsub(x, x))

    def one(k: Value, so_far: Value) -> Value:
        x = v.splat(b, b.load(b.gep(start, [k]), align=v.bytes))
        return b.fadd(so_far, b.fsub(x, x))

    vectors = b.sdiv(count, whole(v.lanes))
    total = folded(b, vectors, total, several)
    b.ret(folded(b, count, total, one, b.mul(vectors, whole(v.lanes))))
    return function


__all__ = ["TEMPLATE", "write_calls"]
