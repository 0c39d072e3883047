"""Entries of formulas: the value of an entrywise formula at a row and a column, for as many columns at once as a vector holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from sympy import And, Expr

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.expressions.node import ONE
from derive.system import T
from numeric.native.formulas import Formulas
from numeric.native.places import Addresses
from numeric.native.vectors import DOUBLE, I64, LOOSE, Builder, Value, Vectors, plus, product, whole


@dataclass(frozen=True)
class Index:
    """A row or a column.

    Parameters
    ----------
    base  : the number; with ``lanes``, that of the first lane, which the others follow.
    """

    base: int | Value
    lanes: bool = False


class Entries:
    """Values of formulas in one place of a function.

    Parameters
    ----------
    addresses : where quantities begin.
    pointers  : the same for the row that is worked on, by quantity.
    lanes     : how many lanes are used; None for all.
    """

    def __init__(
        self, v: Vectors, b: Builder, addresses: Addresses, sizes: Mapping[Expr, int], lanes: int | None = None
    ) -> None:
        self.v, self.b, self.addresses, self.sizes, self.lanes = v, b, addresses, sizes, lanes
        self.formulas = Formulas(v)
        self.pointers: Mapping[e.Timed | e.Var, Value] = {}
        self.known: dict[tuple[Any, ...], Value] = {}

    def __call__(self, node: e.Node, i: Index | None, j: Index | None) -> Value:
        """The value at a row and a column; an axis of length one has no index."""
        if node.shape[0] == ONE:
            i = None
        if node.shape[1] == ONE:
            j = None
        key = (node, i, j)
        if key not in self.known:
            method: Callable[[Any, Index | None, Index | None], Value] | None
            method = getattr(self, f"_{type(node).__name__}", None)
            if method is None:
                raise MissingRuleError(f"{type(node).__name__} is not compiled to machine code")
            self.known[key] = method(node, i, j)
        return self.known[key]

    def write(self, target: e.Timed | e.Var, value: Value, i: Index | None, j: Index | None, stored: bool) -> None:
        """Keep a value for what reads it here, and in memory where others do."""
        if target.shape[0] == ONE:
            i = None
        if target.shape[1] == ONE:
            j = None
        self.known = {key: old for key, old in self.known.items() if not _reads(key[0], target)}
        self.known[target, i, j] = value
        if stored:
            self.store(target, value, i, j)

    def store(self, target: e.Timed | e.Var, value: Value, i: Index | None, j: Index | None) -> None:
        """Put a value into memory."""
        offset, stride = self._offset(target, i, j)
        place = self.b.gep(self.pointers[target], [whole(offset)])
        if stride == 0:
            self.b.store(self.v.lane(self.b, value, 0), place, align=self.v.bytes)
        elif stride == 1:
            self.v.store(self.b, value, place, self.lanes)
        else:
            for k in range(self.lanes or self.v.lanes):
                number = self.v.lane(self.b, value, k)
                self.b.store(number, self.b.gep(place, [whole(k * stride)]), align=self.v.bytes)

    # -- leaves ------------------------------------------------------------------------------------

    def _offset(self, leaf: e.Timed | e.Var, i: Index | None, j: Index | None) -> tuple[int | Value, int]:
        """How far an entry lies from the first, and the next lane's from it (0: all lanes read the same)."""
        columns = int(leaf.shape[1].xreplace(dict(self.sizes)))
        steps = (1 if leaf.shape[1] == ONE else columns, 1)
        offset: int | Value = 0
        stride = 0
        for index, step in zip((i, j), steps, strict=True):
            if index is not None:
                offset = plus(self.b, offset, product(self.b, index.base, step))
                stride += step if index.lanes else 0
        return offset, stride

    def _leaf(self, leaf: e.Timed | e.Var, i: Index | None, j: Index | None) -> Value:
        offset, stride = self._offset(leaf, i, j)
        place = self.b.gep(self.pointers[leaf], [whole(offset)])
        if self.addresses.places[leaf.name].label:
            if stride:
                raise MissingRuleError(f"{leaf}: labels are no vectors")
            number = self.b.sitofp(self.b.load(place), self.v.number)
            return self.v.splat(self.b, number)
        if stride == 0:
            return self.v.splat(self.b, self.b.load(place, align=self.v.bytes))
        return (
            self.v.load(self.b, place, self.lanes) if stride == 1 else self.v.gather(self.b, place, stride, self.lanes)
        )

    _Timed = _leaf
    _Var = _leaf

    def _Scalar(self, node: e.Scalar, i: Index | None, j: Index | None) -> Value:
        value = node.value.xreplace(dict(self.sizes))
        if value.is_number:
            return self.v.const(float(value))
        number = self._number(value)
        return self.v.splat(self.b, number if self.v.double else self.b.fptrunc(number, self.v.number))

    def _Zero(self, node: e.Zero, i: Index | None, j: Index | None) -> Value:
        return self.v.const(0)

    def _Ones(self, node: e.Ones, i: Index | None, j: Index | None) -> Value:
        return self.v.const(1)

    def _Identity(self, node: e.Identity, i: Index | None, j: Index | None) -> Value:
        return self._where_equal(i, j, self.v.const(1))

    def _OneHot(self, node: e.OneHot, i: Index | None, j: Index | None) -> Value:
        label = node.label
        if not isinstance(label, (e.Timed, e.Var)):
            raise MissingRuleError(f"{label} is no label that is compiled to machine code")
        number = self.b.load(self.pointers[label])
        return self._where_equal(i or j, Index(number), self.v.const(1))

    def _where_equal(self, i: Index | None, j: Index | None, value: Value) -> Value:
        """A value where two indices are equal, else 0."""
        if i is None or j is None:
            return value
        both = [self._counted(index) for index in (i, j)]
        return self.b.select(self.b.icmp_signed("==", *both), value, self.v.const(0))

    def _counted(self, index: Index) -> Value:
        if index.lanes:
            return self.v.counting(self.b, index.base)
        kind = ir.VectorType(I64, self.v.lanes)
        empty = ir.Constant(kind, ir.Undefined)
        first = self.b.insert_element(empty, whole(index.base), ir.Constant(ir.IntType(32), 0))
        return self.b.shuffle_vector(
            first, empty, ir.Constant(ir.VectorType(ir.IntType(32), self.v.lanes), [0] * self.v.lanes)
        )

    # -- numbers that depend on the time -----------------------------------------------------------

    def _number(self, value: Expr) -> Value:
        """A number made of times, in float64."""
        b = self.b
        if value.is_number:
            return ir.Constant(DOUBLE, float(value))
        if value == T:
            return b.sitofp(self.addresses.frame.length, DOUBLE)
        if value == self.addresses.clock and self.addresses.step is not None:
            return b.sitofp(b.add(self.addresses.step, whole(1)), DOUBLE)
        if value.is_Add or value.is_Mul:
            result = self._number(value.args[0])
            for part in value.args[1:]:
                result = (b.fadd if value.is_Add else b.fmul)(result, self._number(part))
            return result
        if value.is_Pow and value.exp.is_Integer:
            base = self._number(value.base)
            result = base
            for _ in range(abs(int(value.exp)) - 1):
                result = b.fmul(result, base)
            return b.fdiv(ir.Constant(DOUBLE, 1.0), result) if value.exp < 0 else result
        if value.is_Piecewise:
            result = self._number(value.args[-1].expr)
            for branch, condition in reversed(value.args[:-1]):
                result = b.select(self._holds(condition), self._number(branch), result)
            return result
        raise MissingRuleError(f"the number {value} is not compiled to machine code")

    def _holds(self, condition: Expr) -> Value:
        parts = condition.args if isinstance(condition, And) else (condition,)
        found = None
        for part in parts:
            one = self.b.fcmp_ordered(part.rel_op, self._number(part.lhs), self._number(part.rhs))
            found = one if found is None else self.b.and_(found, one)
        return found

    # -- arithmetic --------------------------------------------------------------------------------

    def _Plus(self, node: e.Plus, i: Index | None, j: Index | None) -> Value:
        result = None
        for term in node.operands:
            negative = isinstance(term, e.Neg) and result is not None
            value = self(term.operands[0] if negative else term, i, j)
            if result is None:
                result = value
            else:
                result = (self.b.fsub if negative else self.b.fadd)(result, value, flags=LOOSE)
        return result

    def _Neg(self, node: e.Neg, i: Index | None, j: Index | None) -> Value:
        return self.b.fneg(self(node.operands[0], i, j))

    def _Hadamard(self, node: e.Hadamard, i: Index | None, j: Index | None) -> Value:
        return self._multiplied([self(operand, i, j) for operand in node.operands])

    def _multiplied(self, values: list[Value]) -> Value:
        result = values[0]
        for value in values[1:]:
            result = self.b.fmul(result, value, flags=LOOSE)
        return result

    def _Divide(self, node: e.Divide, i: Index | None, j: Index | None) -> Value:
        above, below = (self(operand, i, j) for operand in node.operands)
        return self.b.fdiv(above, below)

    def _Power(self, node: e.Power, i: Index | None, j: Index | None) -> Value:
        base = self(node.base, i, j)
        exponent = node.exponent
        if isinstance(exponent, e.Scalar):
            value = exponent.value.xreplace(dict(self.sizes))
            if value.is_number:
                return self.v.const(1) if value == 0 else self.formulas.power(self.b, base, value)
        return self.v.by_lane(self.b, "pow", base, self(exponent, i, j))

    def _Times(self, node: e.Times, i: Index | None, j: Index | None) -> Value:
        """Numbers, and one matrix, or a column and a row, or a diagonal matrix beside another."""
        values = [self(factor, None, None) for factor in node.operands if factor.is_scalar]
        others = [factor for factor in node.operands if not factor.is_scalar]
        if len(others) == 1:
            values.append(self(others[0], i, j))
        elif len(others) == 2:
            left, right = others
            if isinstance(left, e.Diag):
                values += [self._along(left, i), self(right, i, j)]
            elif isinstance(right, e.Diag):
                values += [self(left, i, j), self._along(right, j)]
            elif left.shape[1] == ONE == right.shape[0]:
                values += [self(left, i, None), self(right, None, j)]
            else:
                raise MissingRuleError(f"{node} is not entrywise")
        elif others:
            raise MissingRuleError(f"{node} is not entrywise")
        return self._multiplied(values)

    def _along(self, diagonal: e.Diag, index: Index | None) -> Value:
        inner = diagonal.operands[0]
        return self(inner, index, None) if inner.shape[1] == ONE else self(inner, None, index)

    # -- structure ---------------------------------------------------------------------------------

    def _Transpose(self, node: e.Transpose, i: Index | None, j: Index | None) -> Value:
        return self(node.operands[0], j, i)

    def _Diag(self, node: e.Diag, i: Index | None, j: Index | None) -> Value:
        return self._where_equal(i, j, self._along(node, i))

    def _DiagPart(self, node: e.DiagPart, i: Index | None, j: Index | None) -> Value:
        index = i or j
        return self(node.operands[0], index, index)

    def _Slice(self, node: e.Slice, i: Index | None, j: Index | None) -> Value:
        inner = node.operands[0]
        top, _, left, _ = (int(bound.xreplace(dict(self.sizes))) for bound in node.bounds)
        moved = [
            None if size == ONE else self.moved(index, offset)
            for index, offset, size in zip((i, j), (top, left), inner.shape, strict=True)
        ]
        return self(inner, *moved)

    def moved(self, index: Index | None, offset: int) -> Index:
        """An index further on."""
        return Index(offset) if index is None else Index(plus(self.b, index.base, offset), index.lanes)

    # -- functions ---------------------------------------------------------------------------------

    def _Apply(self, node: e.Apply, i: Index | None, j: Index | None) -> Value:
        inside = node.argument
        logarithm = (node.function, node.order) == ("log", 0)
        if logarithm and isinstance(inside, e.Apply) and (inside.function, inside.order) == ("sigma", 0):
            return self.formulas.log_sigma(self.b, self(inside.argument, i, j))
        return self.formulas.apply(self.b, node.function, node.order, self(inside, i, j))

    def _Extreme(self, node: e.Extreme, i: Index | None, j: Index | None) -> Value:
        join = self.formulas.larger if node.kind == "max" else self.formulas.smaller
        result = None
        for operand in node.operands:
            value = self(operand, i, j)
            result = value if result is None else join(self.b, result, value)
        return result


def _reads(node: Any, target: e.Timed | e.Var) -> bool:
    return isinstance(node, e.Node) and node.has(target)


__all__ = ["Entries", "Index"]
