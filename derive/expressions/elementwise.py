"""Functions applied to every entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sympy import Integer
from sympy.core.symbol import Str

from derive.errors import ShapeError
from derive.expressions import make
from derive.expressions.algebra import common_shape, reduce_to
from derive.expressions.cancel import numerator_over, through_sigmoid, through_softmax
from derive.expressions.node import Conform, Node, Shape, show_shape
from derive.functions import ElementwiseFunction, elementwise

if TYPE_CHECKING:
    from typing import Self


class Apply(Node):
    """f(x), f'(x), f''(x), ... entry by entry; ``order`` counts the primes. A name that is not declared is an abstract
    function.
    """

    __slots__ = ()

    def __new__(cls, function: Any, argument: Node, order: Any = 0) -> Self:
        return super().__new__(cls, Str(str(function)), argument, Integer(int(order)))

    @property
    def function(self) -> str:
        return self.args[0].name

    @property
    def declaration(self) -> ElementwiseFunction | None:
        """How the function is declared; None where it is abstract."""
        return elementwise(self.function)

    @property
    def argument(self) -> Node:
        return self.args[1]

    @property
    def order(self) -> int:
        return int(self.args[2])

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        if len(shapes[0]) != 2:
            raise ShapeError(f"an elementwise function of {show_shape(shapes[0])}")
        return shapes[0]

    def slope(self) -> Node:
        """f'(x) for f(x)."""
        return Apply(self.function, self.argument, self.order + 1)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return None if tangents[0] is None else make.hadamard(self.slope(), tangents[0])

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        likelihood = through_sigmoid(self, cotangent) if (self.function, self.order) == ("sigma", 0) else None
        return (make.hadamard(self.slope(), cotangent) if likelihood is None else likelihood,)


class Softmax(Node):
    """The softmax of a vector: p_i = exp(z_i) / sum_j exp(z_j)."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        shape = shapes[0]
        if len(shape) != 2 or not (conform.is_one(shape[0]) or conform.is_one(shape[1])):
            raise ShapeError(f"softmax of {show_shape(shape)}", expected="a vector")
        return shape

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        direction = tangents[0]
        if direction is None:
            return None
        # Two terms, so that the Jacobian comes out as diag(p) - p p^T.
        return make.plus(make.hadamard(self, direction), make.neg(make.times(make.inner(self, direction), self)))

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        numerator = numerator_over(cotangent, self)
        if numerator is not None:
            return (through_softmax(self, numerator),)
        return (make.hadamard(self, make.plus(cotangent, make.neg(make.inner(self, cotangent)))),)


class Extreme(Node):
    """max(a, b) or min(a, b), entry by entry; a scalar is compared with each entry.

    ∂max(a, b)/∂a = step(a - b), which is 1 where a is the larger, 0 where b is, and 1/2 where both are equal.
    """

    __slots__ = ()

    def __new__(cls, kind: Any, a: Node, b: Node) -> Self:
        return super().__new__(cls, Str(str(kind)), a, b)

    @property
    def kind(self) -> str:
        """``max`` or ``min``."""
        return self.args[0].name

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return common_shape("extreme", shapes, conform)

    def _shares(self) -> tuple[Node, Node]:
        """Where the value is that of a, and where it is that of b."""
        a, b = self.operands
        above, below = (Apply("step", make.plus(x, make.neg(y))) for x, y in ((a, b), (b, a)))
        return (above, below) if self.kind == "max" else (below, above)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        terms = [
            make.hadamard(share, make.broadcast(t, self.shape))
            for share, t in zip(self._shares(), tangents, strict=True)
            if t is not None
        ]
        return make.plus(*terms) if terms else None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return tuple(
            reduce_to(make.hadamard(share, cotangent), operand.shape)
            for share, operand in zip(self._shares(), self.operands, strict=True)
        )
