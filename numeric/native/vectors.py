"""Loops, and vectors of numbers: what everything else here is written with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from llvmlite import ir

from numeric.native.target import vector_bytes

Builder = Any
Value = Any
I1, I32, I64 = (ir.IntType(bits) for bits in (1, 32, 64))
DOUBLE = ir.DoubleType()
LOOSE = ("contract", "nsz")
"""What may change in arithmetic: a product and a sum may become one operation; nothing is put into another order."""


def whole(value: int | Value) -> Value:
    """An integer as a value."""
    return constant(I64, value) if isinstance(value, int) else value


@lru_cache(maxsize=4096)
def constant(kind: Any, value: int | tuple[int, ...]) -> Value:
    """Integers as a constant: it is written many times, and its text is made once."""
    return ir.Constant(kind, value if isinstance(value, int) else list(value))


@lru_cache(maxsize=4096)
def _numbers(kind: Any, count: int, digits: str) -> Value:
    """A number in so many lanes; by its digits, because 0 and -0 are equal."""
    return ir.Constant(kind, [float.fromhex(digits)] * count)


@lru_cache(maxsize=64)
def _undefined(kind: Any) -> Value:
    return ir.Constant(kind, ir.Undefined)


def plus(b: Builder, x: int | Value, y: int | Value) -> int | Value:
    """The sum of two integers, of which either may be known."""
    if isinstance(x, int) and isinstance(y, int):
        return x + y
    if isinstance(x, int):
        x, y = y, x
    return x if isinstance(y, int) and y == 0 else b.add(x, whole(y))


def product(b: Builder, x: int | Value, y: int | Value) -> int | Value:
    """The product of two integers, of which either may be known."""
    if isinstance(x, int) and isinstance(y, int):
        return x * y
    if isinstance(x, int):
        x, y = y, x
    if isinstance(y, int) and y in (0, 1):
        return x if y else 0
    return b.mul(x, whole(y))


def least(b: Builder, x: Value, y: Value) -> Value:
    """The smaller of two integers."""
    return b.select(b.icmp_signed("<", x, y), x, y)


@contextmanager
def loop(b: Builder, count: int | Value, start: int | Value = 0, step: int = 1) -> Iterator[Value]:
    """From ``start`` to below ``count``."""
    if isinstance(count, int) and isinstance(start, int) and start < count <= start + step:
        yield whole(start)
        return
    function, before = b.function, b.block
    head, body, after = (function.append_basic_block(name) for name in ("head", "body", "after"))
    b.branch(head)
    b.position_at_end(head)
    counter = b.phi(I64)
    counter.add_incoming(whole(start), before)
    b.cbranch(b.icmp_signed("<", counter, whole(count)), body, after)
    b.position_at_end(body)
    yield counter
    counter.add_incoming(b.add(counter, whole(step)), b.block)
    b.branch(head)
    b.position_at_end(after)


@contextmanager
def loop_down(b: Builder, count: int | Value) -> Iterator[Value]:
    """From ``count - 1`` to 0."""
    with loop(b, count) as step:
        yield b.sub(b.sub(whole(count), whole(1)), step)


def folded(
    b: Builder,
    count: int | Value,
    initial: Value,
    body: Callable[[Value, Value], Value],
    start: int | Value = 0,
    step: int = 1,
) -> Value:
    """What ``body(k, so far)`` gives after ``start``, ``start + step``, … below ``count``."""
    if isinstance(count, int) and isinstance(start, int) and start < count <= start + step:
        return body(whole(start), initial)
    function, before = b.function, b.block
    head, inside, after = (function.append_basic_block(name) for name in ("head", "fold", "after"))
    b.branch(head)
    b.position_at_end(head)
    counter, sofar = b.phi(I64), b.phi(initial.type)
    counter.add_incoming(whole(start), before)
    sofar.add_incoming(initial, before)
    b.cbranch(b.icmp_signed("<", counter, whole(count)), inside, after)
    b.position_at_end(inside)
    result = body(counter, sofar)
    counter.add_incoming(b.add(counter, whole(step)), b.block)
    sofar.add_incoming(result, b.block)
    b.branch(head)
    b.position_at_end(after)
    return sofar


class Vectors:
    """Vectors of one type in one module.

    Parameters
    ----------
    module : the module that functions are written into.
    double : whether numbers are float64.
    """

    def __init__(self, module: Any, double: bool) -> None:
        self.module, self.double = module, double
        self.bytes = 8 if double else 4
        self.lanes = vector_bytes() // self.bytes
        self.number = DOUBLE if double else ir.FloatType()
        self.pointer = self.number.as_pointer()
        self.vector = ir.VectorType(self.number, self.lanes)
        self.integers = ir.VectorType(ir.IntType(8 * self.bytes), self.lanes)
        self.bits = ir.VectorType(I1, self.lanes)
        self.suffix = f"v{self.lanes}f{8 * self.bytes}"

    def external(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        """A function that is defined elsewhere."""
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, arguments), name)

    def const(self, value: float) -> Value:
        """A number in every lane."""
        return _numbers(self.vector, self.lanes, float(value).hex())

    def const_integers(self, value: int) -> Value:
        """An integer in every lane."""
        return constant(self.integers, (value,) * self.lanes)

    def mask(self, lanes: int) -> Value:
        """True in the first lanes."""
        return constant(self.bits, tuple(int(k < lanes) for k in range(self.lanes)))

    def load(self, b: Builder, pointer: Value, lanes: int | None = None) -> Value:
        """Numbers that follow each other; with ``lanes``, only so many are read, and the others are 0."""
        place = b.bitcast(pointer, self.vector.as_pointer())
        if lanes is None:
            return b.load(place, align=self.bytes)
        kinds = [self.vector.as_pointer(), I32, self.bits, self.vector]
        read = self.external(f"llvm.masked.load.{self.suffix}.p0", self.vector, kinds)
        return b.call(read, [place, constant(I32, self.bytes), self.mask(lanes), self.const(0)])

    def store(self, b: Builder, value: Value, pointer: Value, lanes: int | None = None) -> None:
        """The counterpart of :meth:`load`."""
        place = b.bitcast(pointer, self.vector.as_pointer())
        if lanes is None:
            b.store(value, place, align=self.bytes)
            return
        kinds = [self.vector, self.vector.as_pointer(), I32, self.bits]
        write = self.external(f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), kinds)
        b.call(write, [value, place, constant(I32, self.bytes), self.mask(lanes)])

    def splat(self, b: Builder, number: Value) -> Value:
        """A number in every lane."""
        empty = _undefined(self.vector)
        first = b.insert_element(empty, number, constant(I32, 0))
        return b.shuffle_vector(first, empty, constant(ir.VectorType(I32, self.lanes), (0,) * self.lanes))

    def lane(self, b: Builder, vector: Value, k: int) -> Value:
        """The number in a lane."""
        return b.extract_element(vector, constant(I32, k))

    def gather(self, b: Builder, pointer: Value, stride: int, lanes: int | None = None) -> Value:
        """Numbers at equal distances."""
        found = self.const(0)
        for k in range(self.lanes if lanes is None else lanes):
            number = b.load(b.gep(pointer, [whole(k * stride)]), align=self.bytes)
            found = b.insert_element(found, number, constant(I32, k))
        return found

    def fma(self, b: Builder, x: Value, y: Value, z: Value) -> Value:
        """x y + z."""
        return b.call(self.external(f"llvm.fma.{self.suffix}", self.vector, [self.vector] * 3), [x, y, z])

    def unary(self, b: Builder, name: str, x: Value) -> Value:
        """A function of LLVM such as ``fabs``, ``sqrt``, ``rint``."""
        return b.call(self.external(f"llvm.{name}.{self.suffix}", self.vector, [self.vector]), [x])

    def by_lane(self, b: Builder, name: str, *arguments: Value) -> Value:
        """A function of the C library, lane by lane."""
        called = name if self.double else f"{name}f"
        function = self.external(called, self.number, [self.number] * len(arguments))
        found = _undefined(self.vector)
        for k in range(self.lanes):
            number = b.call(function, [self.lane(b, argument, k) for argument in arguments])
            found = b.insert_element(found, number, constant(I32, k))
        return found

    def total(self, b: Builder, x: Value) -> Value:
        """The sum of all lanes."""
        add = self.external(f"llvm.vector.reduce.fadd.{self.suffix}", self.number, [self.number, self.vector])
        return b.call(add, [ir.Constant(self.number, -0.0), x], fastmath=("reassoc",))

    def largest(self, b: Builder, x: Value) -> Value:
        """The largest of all lanes."""
        return b.call(self.external(f"llvm.vector.reduce.fmax.{self.suffix}", self.number, [self.vector]), [x])

    def counting(self, b: Builder, first: int | Value) -> Value:
        """``first``, ``first + 1``, … as integers of 64 bits."""
        kind = ir.VectorType(I64, self.lanes)
        empty = _undefined(kind)
        base = b.insert_element(empty, whole(first), constant(I32, 0))
        base = b.shuffle_vector(base, empty, constant(ir.VectorType(I32, self.lanes), (0,) * self.lanes))
        return b.add(base, constant(kind, tuple(range(self.lanes))))


__all__ = [
    "DOUBLE",
    "I1",
    "I32",
    "I64",
    "LOOSE",
    "Builder",
    "Value",
    "Vectors",
    "folded",
    "least",
    "loop",
    "loop_down",
    "plus",
    "product",
    "whole",
]  # fmt: skip
