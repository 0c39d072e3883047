"""Diagonals, blocks, slices, traces, norms and sums of entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sympy import Expr, Integer, Tuple, sympify
from sympy.core.symbol import Str

from derive.errors import MissingRuleError, ShapeError
from derive.expressions import make
from derive.expressions.node import ONE, SCALAR, Conform, Node, Shape, is_scalar, is_vector, linear_jvp, show_shape

if TYPE_CHECKING:
    from typing import Self


class Diag(Node):
    """The diagonal matrix of a vector."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        shape = shapes[0]
        if not is_vector(shape, conform):
            raise ShapeError(f"diag of {show_shape(shape)}", expected="a vector")
        size = shape[1] if conform.is_one(shape[0]) else shape[0]
        return (size, size)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        part = make.diag_part(cotangent)
        return (part if self.operands[0].shape[1] == ONE else make.transpose(part),)


class DiagPart(Node):
    """The diagonal of a square matrix, as a column."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        shape = shapes[0]
        if len(shape) != 2 or not conform.equal(*shape):
            raise ShapeError(f"diagonal of {show_shape(shape)}", expected="a square matrix")
        return (shape[0], ONE)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.diag(cotangent),)


class Trace(Node):
    """The sum of the diagonal of a square matrix."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        shape = shapes[0]
        if len(shape) != 2 or not conform.equal(*shape):
            raise ShapeError(f"trace of {show_shape(shape)}", expected="a square matrix")
        return SCALAR

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.times(cotangent, make.identity(self.operands[0].shape[0])),)


class SumEntries(Node):
    """The sum of all entries, 1^T x for a vector."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return SCALAR

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.times(cotangent, make.ones(self.operands[0].shape)),)


class Norm(Node):
    """A norm: Euclidean for vectors, spectral for matrices; ``kind`` is ``2`` or ``F`` (Frobenius)."""

    __slots__ = ()

    def __new__(cls, body: Node, kind: Any = "2") -> Self:
        return super().__new__(cls, body, Str(str(kind)))

    @property
    def kind(self) -> str:
        return self.args[1].name

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if len(shapes[0]) != 2:
            raise MissingRuleError(
                f"the norm of {show_shape(shapes[0])} is not computed", hint="take that of a vector or a matrix"
            )
        return SCALAR

    def _direction(self) -> Node:
        body = self.operands[0]
        if not is_vector(body.shape) and self.kind != "F":
            raise MissingRuleError(
                "the spectral norm has no derivative rule", hint="use the Frobenius norm \\lVert A \\rVert_F"
            )
        return make.divide(body, self)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return None if tangents[0] is None else make.inner(self._direction(), tangents[0])

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.times(cotangent, self._direction()),)


class Block(Node):
    """A matrix made of blocks, row by row: ``[[A, B], [C, D]]``; of scalars, a matrix of numbers; in one column, a
    concatenation.
    """

    __slots__ = ()

    def __new__(cls, rows: Any) -> Self:
        return super().__new__(cls, rows if isinstance(rows, Tuple) else Tuple(*(Tuple(*row) for row in rows)))

    @property
    def rows(self) -> tuple[tuple[Node, ...], ...]:
        return tuple(tuple(row) for row in self.args[0])

    @property
    def operands(self) -> tuple[Node, ...]:
        return tuple(entry for row in self.rows for entry in row)

    def parameters(self) -> tuple[Any, ...]:
        return (Integer(len(self.rows[0])),)

    def with_operands(self, operands: Sequence[Node]) -> Node:
        width = len(self.rows[0])
        return Block([operands[k : k + width] for k in range(0, len(operands), width)])

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        width = int(parameters[0])
        rows = [shapes[k : k + width] for k in range(0, len(shapes), width)]
        for row in rows:
            for shape in row[1:]:
                if not conform.equal(shape[0], row[0][0]):
                    raise ShapeError(f"blocks side by side have {row[0][0]} and {shape[0]} rows")
        for column in zip(*rows, strict=True):
            for shape in column[1:]:
                if not conform.equal(shape[1], column[0][1]):
                    raise ShapeError(f"blocks above each other have {column[0][1]} and {shape[1]} columns")
        return sum((row[0][0] for row in rows), Integer(0)), sum((shape[1] for shape in rows[0]), Integer(0))

    def offsets(self) -> tuple[list[Expr], list[Expr]]:
        """Where the blocks begin and end: row offsets and column offsets."""
        tops: list[Expr] = [Integer(0)]
        for row in self.rows:
            tops.append(tops[-1] + row[0].shape[0])
        lefts: list[Expr] = [Integer(0)]
        for entry in self.rows[0]:
            lefts.append(lefts[-1] + entry.shape[1])
        return tops, lefts

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        if all(t is None for t in tangents):
            return None
        return self.with_operands(
            [make.zero(e.shape) if t is None else t for e, t in zip(self.operands, tangents, strict=True)]
        )

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        tops, lefts = self.offsets()
        return tuple(
            make.part(cotangent, tops[i], tops[i + 1], lefts[j], lefts[j + 1])
            for i, row in enumerate(self.rows)
            for j in range(len(row))
        )


class Slice(Node):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of a matrix, counted from 0, the ends not included."""

    __slots__ = ()

    def __new__(cls, body: Node, top: Any, bottom: Any, left: Any, right: Any) -> Self:
        return super().__new__(cls, body, *(sympify(bound) for bound in (top, bottom, left, right)))

    @property
    def bounds(self) -> tuple[Expr, Expr, Expr, Expr]:
        return self.args[1:]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        top, bottom, left, right = parameters
        return (bottom - top, right - left)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        rows, columns = self.operands[0].shape
        top, bottom, left, right = self.bounds
        return (make.padded(cotangent, (top, rows - bottom), (left, columns - right)),)


class Vec(Node):
    """The columns of a matrix stacked into one column."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if len(shapes[0]) != 2:
            raise ShapeError(f"vec of {show_shape(shapes[0])}", expected="a matrix")
        return (shapes[0][0] * shapes[0][1], ONE)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)


__all__ = ["Block", "Diag", "DiagPart", "Norm", "Slice", "SumEntries", "Trace", "Vec", "is_scalar"]
