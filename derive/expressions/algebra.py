"""Sums, products, quotients and powers: ordered, with their shape and derivative rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import Integer

from derive.errors import MissingRuleError, ShapeError
from derive.expressions import make
from derive.expressions.leaves import Scalar
from derive.expressions.node import SCALAR, STRICT, Conform, Node, Shape, is_scalar, linear_jvp, show_shape


def mismatch(operation: str, a: Shape, b: Shape) -> ShapeError:
    """Two operands that do not conform."""
    return ShapeError(f"{operation}: {show_shape(a)} and {show_shape(b)} do not conform")


def common_shape(operation: str, shapes: Sequence[Shape], conform: Conform) -> Shape:
    """The shape that all operands have, scalars aside (they are added to, or multiply, each entry)."""
    full = [shape for shape in shapes if not is_scalar(shape, conform)]
    if not full:
        return SCALAR
    for shape in full[1:]:
        if len(shape) != len(full[0]) or not all(conform.equal(a, b) for a, b in zip(full[0], shape, strict=True)):
            raise mismatch(operation, full[0], shape)
    return full[0]


def reduce_to(cotangent: Node, shape: Shape) -> Node:
    """The cotangent of an operand that was broadcast from ``shape``: summed over the entries it was added to."""
    if is_scalar(shape) and not is_scalar(cotangent.shape):
        return make.sum_entries(cotangent)
    return cotangent


class Plus(Node):
    """A sum, in the order written; a scalar is added to each entry."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return common_shape("sum", shapes, conform)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        terms = [make.broadcast(t, self.shape) for t in tangents if t is not None]
        return make.plus(*terms) if terms else None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return tuple(reduce_to(cotangent, operand.shape) for operand in self.operands)


class Neg(Node):
    """Minus an expression."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return shapes[0]

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.neg(cotangent),)


class Times(Node):
    """A product in the order written: scalars, which may stand anywhere, and one chain of matrices and vectors.

    The last factor of a chain may be the derivative of a vector by a matrix, of shape (p, r, s): a row (1, p) times it
    is an (r, s) matrix.
    """

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        result: Shape = SCALAR
        for shape in shapes:
            if is_scalar(result, conform):
                result = shape
            elif not is_scalar(shape, conform):
                result = cls._chain(result, shape, conform)
        return result

    @staticmethod
    def _chain(left: Shape, right: Shape, conform: Conform) -> Shape:
        if len(left) != 2:
            raise ShapeError(
                f"product: {show_shape(left)} can only be the last factor", hint="contract it from the left first"
            )
        if not conform.inner(left[1], right[0]):
            raise mismatch("product", left, right)
        if len(right) > 2 and conform.is_one(left[0]):
            return right[1:]
        return (left[0], *right[1:])

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        factors = self.operands
        return tuple(self._factor_vjp(k, factors, cotangent) for k in range(len(factors)))

    @staticmethod
    def _factor_vjp(k: int, factors: Sequence[Node], cotangent: Node) -> Node:
        if factors[k].is_scalar:
            rest = [f for j, f in enumerate(factors) if j != k]
            return make.inner(make.times(*rest), cotangent)
        scalars = [f for f in factors if f.is_scalar]
        left = [make.transpose(f) for f in reversed(factors[:k]) if not f.is_scalar]
        right = [make.transpose(f) for f in reversed(factors[k + 1 :]) if not f.is_scalar]
        return make.times(*scalars, *left, cotangent, *right)


class Hadamard(Node):
    """The entrywise product; a scalar multiplies each entry."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return common_shape("elementwise product", shapes, conform)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        factors = self.operands
        result: list[Node | None] = []
        for k, factor in enumerate(factors):
            others = [f for j, f in enumerate(factors) if j != k]
            full = make.hadamard(*others, cotangent)
            result.append(reduce_to(full, factor.shape))
        return tuple(result)


class Divide(Node):
    """A quotient: by a scalar, or entry by entry."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return common_shape("quotient", shapes, conform)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        _, below = self.operands
        up, down = tangents
        terms = []
        if up is not None:
            terms.append(make.divide(make.broadcast(up, self.shape), below))
        if down is not None:
            terms.append(make.neg(make.divide(make.hadamard(self, down), below)))
        return make.plus(*terms) if terms else None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        above, below = self.operands
        up = make.divide(cotangent, below)
        down = make.neg(make.divide(make.hadamard(cotangent, self), below))
        return reduce_to(up, above.shape), reduce_to(down, below.shape)


class Power(Node):
    """A power of a scalar, or of every entry of a vector: x^2 is (x_1^2, ..., x_n^2)."""

    __slots__ = ()

    @property
    def base(self) -> Node:
        return self.operands[0]

    @property
    def exponent(self) -> Node:
        return self.operands[1]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if not is_scalar(shapes[1], conform):
            raise ShapeError(f"power: the exponent is {show_shape(shapes[1])}", expected="a scalar exponent")
        return shapes[0]

    def _slope(self) -> Node:
        exponent = self.exponent
        if isinstance(exponent, Scalar):
            lower = make.power(self.base, Scalar(exponent.value - 1))
            return make.times(Scalar(exponent.value), lower)
        return make.times(exponent, make.power(self.base, make.plus(exponent, make.neg(Scalar(1)))))

    def _by_exponent(self) -> Node:
        """∂(x^p)/∂p = x^p log x, entry by entry; the base must be positive."""
        from derive.expressions.elementwise import Apply

        return make.hadamard(self, Apply("log", self.base))

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        terms = []
        if tangents[0] is not None:
            terms.append(make.hadamard(self._slope(), tangents[0]))
        if tangents[1] is not None:
            terms.append(make.times(tangents[1], self._by_exponent()))
        return make.plus(*terms) if terms else None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        by_base = make.hadamard(self._slope(), cotangent)
        if isinstance(self.exponent, Scalar):
            return by_base, None
        return by_base, reduce_to(make.hadamard(self._by_exponent(), cotangent), SCALAR)


class SquaredNorm(Node):
    """‖x‖², the sum of the squares of all entries: smooth where the norm itself is not."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return SCALAR

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return None if tangents[0] is None else make.times(Scalar(2), make.inner(self.operands[0], tangents[0]))

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.times(Scalar(2), cotangent, self.operands[0]),)


MAX_POWER = 50
"""The highest matrix power that is differentiated."""


class MatrixPower(Node):
    """A power W^n of a square matrix, n a natural number or a symbol for one."""

    __slots__ = ()

    @property
    def base(self) -> Node:
        return self.operands[0]

    @property
    def exponent(self) -> Any:
        return self.args[1]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if len(shapes[0]) != 2 or not conform.equal(*shapes[0]):
            raise ShapeError(
                f"power: {show_shape(shapes[0])} is not square",
                hint="only square matrices have powers; use \\odot for entrywise products",
            )
        return shapes[0]

    def _count(self) -> int:
        if not self.exponent.is_Integer or self.exponent < 0:
            raise MissingRuleError(
                f"the matrix power with exponent {self.exponent} has no derivative rule",
                hint="give the exponent as a natural number",
            )
        if self.exponent > MAX_POWER:
            raise MissingRuleError(
                f"the derivative of a matrix power has as many terms as its exponent, and {self.exponent} are too many",
                expected=f"at most {MAX_POWER}",
            )
        return int(self.exponent)

    def _outer(self, k: int) -> tuple[Node, Node]:
        count = self._count()
        return make.matrix_power(self.base, Integer(k)), make.matrix_power(self.base, Integer(count - 1 - k))

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        direction = tangents[0]
        if direction is None:
            return None
        terms = []
        for k in range(self._count()):
            left, right = self._outer(k)
            terms.append(make.times(left, direction, right))
        return make.plus(*terms) if terms else None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        terms = []
        for k in range(self._count()):
            left, right = self._outer(k)
            terms.append(make.times(make.transpose(left), cotangent, make.transpose(right)))
        return (make.plus(*terms) if terms else None,)


class Inverse(Node):
    """The inverse of a square matrix."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if len(shapes[0]) != 2 or not conform.equal(*shapes[0]):
            raise ShapeError(f"inverse: {show_shape(shapes[0])} is not square")
        return shapes[0]

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return None if tangents[0] is None else make.neg(make.times(self, tangents[0], self))

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        turned = make.transpose(self)
        return (make.neg(make.times(turned, cotangent, turned)),)


class Transpose(Node):
    """The transpose."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if len(shapes[0]) != 2:
            raise ShapeError(f"transpose: {show_shape(shapes[0])} has no transpose")
        return shapes[0][::-1]

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (make.transpose(cotangent),)


class Inner(Node):
    """The inner product of two operands of the same shape: the sum of a_i b_i (for matrices tr(A^T B))."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        a, b = shapes
        if len(a) != len(b) or not all(conform.equal(p, q) for p, q in zip(a, b, strict=True)):
            raise mismatch("inner product", a, b)
        return SCALAR

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        a, b = self.operands
        return make.times(cotangent, b), make.times(cotangent, a)


class Kron(Node):
    """The Kronecker product of two matrices."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        a, b = shapes
        if len(a) != 2 or len(b) != 2:
            raise mismatch("Kronecker product", a, b)
        return (a[0] * b[0], a[1] * b[1])

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)


__all__ = [
    "STRICT",
    "Divide",
    "Hadamard",
    "Inner",
    "Inverse",
    "Kron",
    "MatrixPower",
    "Neg",
    "Plus",
    "Power",
    "SquaredNorm",
    "Times",
    "Transpose",
]
