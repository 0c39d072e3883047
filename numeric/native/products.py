"""Matrix products as tiles that stay in registers: C (+)= A B, with B cut into panels of a few vectors of columns.

A product has ``rows`` rows and a number of columns that is known when code is written. Its inner sum runs over two counters, so that
rows at several times can be multiplied without being copied: Σ_{o < outer} Σ_{i < inner} A[r, o, i] B[o, i, j].

Panels of a form are the same in every cell, so their machine code is made once in a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from llvmlite import ir

from numeric.native.shared import shared
from numeric.native.target import vector_bytes
from numeric.native.vectors import I64, Builder, Value, Vectors, least, loop, whole

_WIDE = vector_bytes() == 64
ROWS = {4: 4, 3: 4, 2: 8, 1: 8} if _WIDE else {3: 4, 2: 4, 1: 8}
"""Rows of a tile by its vectors of columns: as many sums as there are registers for (32 of 64 bytes, else 16)."""
WIDEST = max(ROWS)


def panel_columns(v: Vectors) -> int:
    """Columns of a panel."""
    return WIDEST * v.lanes


def packed_size(v: Vectors, inner: int, columns: int) -> int:
    """Numbers of a right operand in panels."""
    return inner * -(-columns // panel_columns(v)) * panel_columns(v)


def _panels(v: Vectors, columns: int) -> list[tuple[int, int, int, int]]:
    """Panels of one form: the first column, how many panels follow each other, their vectors, and the lanes of the last (0: all)."""
    width = panel_columns(v)
    full, left = divmod(columns, width)
    found = [(0, full, WIDEST, 0)] if full else []
    if left:
        found.append((columns - left, 1, -(-left // v.lanes), left % v.lanes))
    return found


def _function(v: Vectors, name: str, kinds: Sequence[Any]) -> Any:
    return ir.Function(v.module, ir.FunctionType(ir.VoidType(), kinds), name)


def _tile(v: Vectors, rows: int, vectors: int, lanes: int) -> Any:
    """A tile of a product: rows × vectors sums."""
    name = f"tile_{rows}_{vectors}_{lanes}"
    known = v.module.globals.get(name)
    if known:
        return known
    function = _function(v, name, [v.pointer] * 3 + [I64] * 9)
    function.linkage = "internal"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    a, b_, c, lda, a_inner, a_outer, ldb, b_outer, inner, outer, ldc, add = function.args
    c.add_attribute("noalias")
    names = ("entry", "outer", "inner", "outer_end", "sums", "fresh", "added", "done")
    entry, outer_loop, inner_loop, outer_end, sums_block, fresh, added, done = map(function.append_basic_block, names)
    b = ir.IRBuilder(entry)
    offsets = [b.mul(lda, whole(r)) for r in range(rows)]
    some = b.and_(b.icmp_signed(">", inner, whole(0)), b.icmp_signed(">", outer, whole(0)))
    b.cbranch(some, outer_loop, sums_block)
    count = rows * vectors
    b.position_at_end(outer_loop)
    o, a_o, b_o = b.phi(I64), b.phi(v.pointer), b.phi(v.pointer)
    sums_o = [b.phi(v.vector) for _ in range(count)]
    b.branch(inner_loop)
    b.position_at_end(inner_loop)
    i, a_i, b_i = b.phi(I64), b.phi(v.pointer), b.phi(v.pointer)
    sums_i = [b.phi(v.vector) for _ in range(count)]
    last = vectors - 1
    columns = [
        v.load(b, b.gep(b_i, [whole(k * v.lanes)]), (lanes or None) if k == last else None) for k in range(vectors)
    ]
    new = []
    for r in range(rows):
        number = v.splat(b, b.load(b.gep(a_i, [offsets[r]]), align=v.bytes))
        new += [v.fma(b, number, columns[k], sums_i[r * vectors + k]) for k in range(vectors)]
    i_next, a_next, b_next = b.add(i, whole(1)), b.gep(a_i, [a_inner]), b.gep(b_i, [ldb])
    b.cbranch(b.icmp_signed("<", i_next, inner), inner_loop, outer_end)
    steps = [(i, whole(0), i_next), (a_i, a_o, a_next), (b_i, b_o, b_next), *zip(sums_i, sums_o, new, strict=True)]
    for phi, first, then in steps:
        phi.add_incoming(first, outer_loop)
        phi.add_incoming(then, inner_loop)
    b.position_at_end(outer_end)
    o_next, a_far, b_far = b.add(o, whole(1)), b.gep(a_o, [a_outer]), b.gep(b_o, [b_outer])
    b.cbranch(b.icmp_signed("<", o_next, outer), outer_loop, sums_block)
    steps = [(o, whole(0), o_next), (a_o, a, a_far), (b_o, b_, b_far)]
    for phi, first, then in [*steps, *((phi, v.const(0), value) for phi, value in zip(sums_o, new, strict=True))]:
        phi.add_incoming(first, entry)
        phi.add_incoming(then, outer_end)
    b.position_at_end(sums_block)
    sums = []
    for value in new:
        phi = b.phi(v.vector)
        phi.add_incoming(v.const(0), entry)
        phi.add_incoming(value, outer_end)
        sums.append(phi)
    b.cbranch(b.icmp_signed("!=", add, whole(0)), added, fresh)
    for block in (fresh, added):
        b.position_at_end(block)
        for r in range(rows):
            row = b.gep(c, [b.mul(ldc, whole(r))])
            for k in range(vectors):
                place, few = b.gep(row, [whole(k * v.lanes)]), (lanes or None) if k == last else None
                value = sums[r * vectors + k]
                v.store(b, b.fadd(value, v.load(b, place, few)) if block is added else value, place, few)
        b.branch(done)
    ir.IRBuilder(done).ret_void()
    return function


_PANELS = (
    "rows",
    "a",
    "lda",
    "a_inner",
    "a_outer",
    "b",
    "ldb",
    "b_outer",
    "b_panel",
    "c",
    "ldc",
    "inner",
    "outer",
    "add",
    "panels",
)
"""What panels get: the rows, A and its three distances, B and its three, C and its distance, both counts, whether C is added to, and how
many panels follow each other."""


def _panels_kind(v: Vectors) -> list[Any]:
    return [v.pointer if name in ("a", "b", "c") else I64 for name in _PANELS]


def _write_panels(v: Vectors, name: str, vectors: int, lanes: int) -> None:
    """Panels of one form, one after the other: all rows of each in tiles."""
    function = _function(v, name, _panels_kind(v))
    rows, a, lda, a_inner, a_outer, b_, ldb, b_outer, b_panel, c, ldc, inner, outer, add, panels = function.args
    b, high = ir.IRBuilder(function.append_basic_block()), ROWS[vectors]
    with loop(b, panels) as number:
        right = b.gep(b_, [b.mul(number, b_panel)])
        left = b.gep(c, [b.mul(number, whole(panel_columns(v)))])

        def tile(row: Value, height: int) -> None:
            place, result = b.gep(a, [b.mul(row, lda)]), b.gep(left, [b.mul(row, ldc)])
            rest = [lda, a_inner, a_outer, ldb, b_outer, inner, outer, ldc, add]
            b.call(_tile(v, height, vectors, lanes), [place, right, result, *rest])

        most = b.mul(b.sdiv(rows, whole(high)), whole(high))
        with loop(b, most, 0, high) as row:
            tile(row, high)
        at, left_over, height = most, b.sub(rows, most), high // 2
        while height:
            bit = b.and_(left_over, whole(height))
            with b.if_then(b.icmp_signed("!=", bit, whole(0))):
                tile(at, height)
            at, height = b.add(at, bit), height // 2
    b.ret_void()


class Product:
    """A product with so many columns, written where a builder stands as calls of what all modules share."""

    def __init__(self, v: Vectors, columns: int) -> None:
        self.v, self.columns = v, columns

    def _call(self, b: Builder, rows: Value, left: Sequence[Value], right: Sequence[Value], *rest: Value) -> None:
        v, width = self.v, panel_columns(self.v)
        c, more = rest[0], rest[1:]
        for first, panels, vectors, lanes in _panels(v, self.columns):
            name = f"bptt_panels_{v.suffix}_{vectors}_{lanes}"
            write = partial(_write_panels, name=name, vectors=vectors, lanes=lanes)
            function = shared(v, name, _panels_kind(v), write)
            begin = b.gep(right[0], [b.mul(whole(first // width), right[-1])]) if first else right[0]
            result = b.gep(c, [whole(first)]) if first else c
            b.call(function, [rows, *left, begin, *right[1:], result, *more, whole(panels)])

    def packed(
        self, b: Builder, rows: Value, a: Value, lda: int, right: Value, c: Value, ldc: int, inner: int, add: bool
    ) -> None:
        """C[rows, columns] (+)= A[rows, inner] B, with B as :func:`pack` leaves it."""
        width = panel_columns(self.v)
        left = [a, whole(lda), whole(1), whole(0)]
        middle = [right, whole(width), whole(0), whole(inner * width)]
        self._call(b, rows, left, middle, c, whole(ldc), whole(inner), whole(1), whole(int(add)))

    def outer(
        self, b: Builder, height: int, a: Value, lda: int, a_outer: Value, right: Value, ldb: int, b_outer: Value, c: Value,
        inner: Value, outer: Value,
    ) -> None:  # fmt: skip
        """C[height, columns] += Σ_o Σ_i A[o, i, :]ᵀ B[o, i, :]; rows of A and B at distances ``lda`` and ``ldb``."""
        left = [a, whole(1), whole(lda), a_outer]
        middle = [right, whole(ldb), b_outer, whole(panel_columns(self.v))]
        self._call(b, whole(height), left, middle, c, whole(self.columns), inner, outer, whole(1))


def pack(
    v: Vectors, b: Builder, w: Value, distance: int, inner: int, columns: int, target: Value, turned: bool
) -> None:
    """Write W, the rows of which are ``distance`` apart, or Wᵀ where it is turned, in panels to ``target``."""
    name = f"bptt_pack_{v.suffix}_{int(turned)}"
    function = shared(v, name, [v.pointer, I64, I64, I64, v.pointer], partial(_write_pack, name=name, turned=turned))
    b.call(function, [w, whole(distance), whole(inner), whole(columns), target])


def _write_pack(v: Vectors, name: str, turned: bool) -> None:
    function = _function(v, name, [v.pointer, I64, I64, I64, v.pointer])
    w, ldw, inner, columns, target = function.args
    w.add_attribute("noalias")
    target.add_attribute("noalias")
    b, width = ir.IRBuilder(function.append_basic_block()), panel_columns(v)
    with loop(b, columns, 0, width) as first:
        panel = b.gep(target, [b.mul(first, inner)])
        wide = least(b, b.sub(columns, first), whole(width))
        if turned:
            with loop(b, wide) as j:
                source, place = b.gep(w, [b.mul(b.add(first, j), ldw)]), b.gep(panel, [j])
                with loop(b, inner) as k:
                    b.store(b.load(b.gep(source, [k])), b.gep(place, [b.mul(k, whole(width))]))
        else:
            with loop(b, inner) as k:
                source = b.gep(w, [b.add(b.mul(k, ldw), first)])
                place = b.gep(panel, [b.mul(k, whole(width))])
                with loop(b, wide) as j:
                    b.store(b.load(b.gep(source, [j])), b.gep(place, [j]))
    b.ret_void()


__all__ = ["Product", "pack", "packed_size", "panel_columns"]
