"""Sums and products over time, derivatives, abstract functions, and relations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sympy import Basic, Expr, Symbol, sympify
from sympy.core.symbol import Str

from derive.errors import ShapeError
from derive.expressions import make
from derive.expressions.leaves import index as index_of
from derive.expressions.node import ONE, SCALAR, Conform, Node, Shape, is_scalar, linear_jvp, show_shape

if TYPE_CHECKING:
    from typing import Self


class Over(Node):
    """Something over an index that runs through a range; the index is bound. Its arguments are the index, what gives
    the range, and the body.
    """

    __slots__ = ()

    @property
    def index(self) -> Symbol:
        return self.args[0]

    @property
    def range(self) -> tuple[Expr, ...]:
        """What the range is made of."""
        return self.args[1:-1]

    @property
    def body(self) -> Node:
        return self.args[-1]

    def with_body(self, body: Node) -> Node:
        """The same over another body."""
        return self.func(self.index, *self.range, body)

    @property
    def bound_symbols(self) -> list[Symbol]:
        return [self.index]

    @property
    def free_symbols(self) -> set[Basic]:
        inside = {s for s in self.body.free_symbols if self.index not in s.free_symbols}
        return inside.union(*(part.free_symbols for part in self.range))

    def _eval_subs(self, old: Basic, new: Basic) -> Basic | None:
        """A bound index is not substituted, and never captures what is put in."""
        index, body = self.index, self.body
        limits = [part.subs(old, new) for part in self.range]
        if old == index:
            return self.func(index, *limits, body)
        if index in new.free_symbols:
            fresh = another(index, body, new.free_symbols)
            body = body.xreplace({index: fresh})
            index = fresh
        return self.func(index, *limits, body.subs(old, new))

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return shapes[0]


_LETTERS = ("p", "q", "s", "v", "w", "k", "l", "r", "i", "j", "u")


def another(index: Symbol, node: Basic, taken: Collection[Basic] = ()) -> Symbol:
    """Another index, for where its letter is taken: a letter that a formula does not hold."""
    names = {str(symbol) for symbol in (*node.atoms(Symbol), *taken)} | {text.name[:1] for text in node.atoms(Str)}
    letters = (*_LETTERS, *(f"{index.name}{chr(39) * count}" for count in range(1, len(names) + 2)))
    return next(index_of(letter) for letter in letters if letter not in names)


class OverTime(Over):
    """Something over an index from ``lower`` to ``upper``, both included."""

    __slots__ = ()

    def __new__(cls, index: Any, lower: Any, upper: Any, body: Node) -> Self:
        return super().__new__(cls, index, sympify(lower), sympify(upper), body)

    @property
    def lower(self) -> Expr:
        return self.args[1]

    @property
    def upper(self) -> Expr:
        return self.args[2]


def reindexed(node: Node, indices: Mapping[Symbol, Expr]) -> Node:
    """A formula at other indices, all put in at once. Bound indices stay as they are, or change their letter where it is
    one of those put in.
    """
    taken = {symbol for value in indices.values() for symbol in value.free_symbols}
    if not any(part.index in indices or part.index in taken for part in node.atoms(Over)):
        return node.xreplace(dict(indices))
    if not node.operands:
        return node.xreplace(dict(indices))
    if isinstance(node, Over):
        kept = {index: value for index, value in indices.items() if index != node.index}
        index = another(node.index, node.body, taken) if node.index in taken else node.index
        inside = {**kept, node.index: index} if index != node.index else kept
        return node.func(index, *(part.xreplace(dict(indices)) for part in node.range), reindexed(node.body, inside))
    operands = [reindexed(operand, indices) for operand in node.operands]
    others = [arg for arg in node.args if isinstance(arg, Expr) and not isinstance(arg, Node) and arg.has(*indices)]
    moved = node.with_operands(operands)
    return (
        moved.func(*(arg.xreplace(dict(indices)) if arg in others else arg for arg in moved.args)) if others else moved
    )


class SumOver(OverTime):
    """The sum over an index; empty sums are zero."""

    __slots__ = ()

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return linear_jvp(self, tangents)

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        raise ShapeError(
            "a sum over time has no adjoint outside a recurrent system", hint="differentiate the system it belongs to"
        )


class ProductOver(OverTime):
    """The ordered product over an index, the largest index first: F_t F_{t-1} ... F_k; the empty product is the
    identity.
    """

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        shape = shapes[0]
        if len(shape) != 2 or not conform.equal(*shape):
            raise ShapeError(f"product over time of {show_shape(shape)}", expected="a square matrix or a scalar")
        return shape


def derivative_shape(of: Shape, by: Shape, conform: Conform) -> Shape:
    """Numerator layout: (size of a, size of b); a scalar by a matrix has the matrix's shape."""

    def flat(shape: Shape) -> tuple[Expr, ...]:
        return tuple(size for size in shape if not conform.is_one(size)) or (ONE,)

    if len(of) != 2 or len(by) != 2:
        raise ShapeError(
            f"derivative of {show_shape(of)} by {show_shape(by)}", expected="scalars, vectors and matrices"
        )
    above, below = flat(of), flat(by)
    if is_scalar(of, conform):
        return below if len(below) == 2 else (ONE, below[0])
    if is_scalar(by, conform):
        return above if len(above) == 2 else (above[0], ONE)
    return (*above, *below)


class Derivative(Node):
    """``∂a/∂b``: total (b becomes a free variable of the unrolled graph) or immediate (``∂⁺``: all other steps are held
    fixed).
    """

    __slots__ = ()

    def __new__(cls, of: Node, by: Node, kind: Any = "total") -> Self:
        return super().__new__(cls, of, by, Str(str(kind)))

    @property
    def of(self) -> Node:
        return self.args[0]

    @property
    def by(self) -> Node:
        return self.args[1]

    @property
    def immediate(self) -> bool:
        return self.args[2].name == "immediate"

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return derivative_shape(shapes[0], shapes[1], conform)


class Differential(Node):
    """``∂a`` or ``∂⁺a`` standing alone, as authors write it in running text."""

    __slots__ = ()

    def __new__(cls, of: Node, kind: Any = "total") -> Self:
        return super().__new__(cls, of, Str(str(kind)))

    @property
    def of(self) -> Node:
        return self.args[0]

    @property
    def immediate(self) -> bool:
        return self.args[1].name == "immediate"

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return shapes[0]


class Gradient(Node):
    """``∇_b a`` of a scalar a: the derivative in the shape of b."""

    __slots__ = ()

    def __new__(cls, by: Node, of: Node) -> Self:
        return super().__new__(cls, by, of)

    @property
    def by(self) -> Node:
        return self.args[0]

    @property
    def of(self) -> Node:
        return self.args[1]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        by, of = shapes
        if not is_scalar(of, conform):
            raise ShapeError(
                f"gradient of {show_shape(of)}",
                expected="a scalar under the gradient",
                hint="write \\frac{\\partial a}{\\partial b} for a Jacobian",
            )
        return by


class Call(Node):
    """An abstract scalar function of quantities, such as a loss ``L_t(h_t)``.

    Its gradient by the only argument is ∇_{h_t} L_t. By one of several it is ∇_{h_t} L_t(h_t, C_t), with the arguments
    shown: the others are held fixed, also those that are computed from h_t, while ∇_{h_t} L_t alone would be total.
    """

    __slots__ = ()

    def __new__(cls, value: Node, *arguments: Node) -> Self:
        return super().__new__(cls, value, *arguments)

    @property
    def value(self) -> Node:
        """The name of the value: ``L_t``."""
        return self.args[0]

    @property
    def arguments(self) -> tuple[Node, ...]:
        return self.args[1:]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return SCALAR

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        terms = [
            make.inner(Gradient(argument, self._differentiated), tangent)
            for argument, tangent in zip(self.arguments, tangents[1:], strict=True)
            if tangent is not None
        ]
        return make.plus(*terms) if terms else None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (None, *(make.times(cotangent, Gradient(argument, self._differentiated)) for argument in self.arguments))

    @property
    def _differentiated(self) -> Node:
        return self.value if len(self.arguments) == 1 else self


class Relation(Node):
    """``a = b``, or a chain ``a = b <= c``."""

    __slots__ = ()

    def __new__(cls, operators: Any, *items: Node) -> Self:
        return super().__new__(
            cls, Str(str(operators) if isinstance(operators, (str, Str)) else " ".join(operators)), *items
        )

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(self.args[0].name.split(" "))

    @property
    def items(self) -> tuple[Node, ...]:
        return self.args[1:]

    @property
    def lhs(self) -> Node:
        return self.items[0]

    @property
    def rhs(self) -> Node:
        return self.items[-1]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        # Numbers and I, 0, 1 have taken their sizes before; a scalar beside a vector is broadcast (h_0 = 0).
        full = [shape for shape in shapes if not is_scalar(shape, conform)]
        for shape in full[1:]:
            if len(shape) != len(full[0]) or not all(conform.equal(a, b) for a, b in zip(full[0], shape, strict=True)):
                raise ShapeError(f"the two sides of the equation are {show_shape(full[0])} and {show_shape(shape)}")
        return full[0] if full else SCALAR
