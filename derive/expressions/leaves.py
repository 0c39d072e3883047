"""Leaves: numbers, parameters, quantities at a time, and constants of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sympy import Basic, Expr, Integer, Rational, Symbol, sympify
from sympy.core.symbol import Str

from derive.expressions.node import ONE, SCALAR, Conform, Node, Shape

if TYPE_CHECKING:
    from typing import Self


class Leaf(Node):
    """An expression without operands."""

    __slots__ = ()

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return ()


class Scalar(Leaf):
    """A number, or an expression in sizes and times (``n``, ``t - 1``). A decimal keeps the digits it was written with.

    >>> Scalar(Rational(1, 2)).shape
    (1, 1)
    """

    __slots__ = ()

    def __new__(cls, value: Any, digits: Any = None) -> Self:
        return super().__new__(cls, sympify(value), *(() if digits is None else (Str(str(digits)),)))

    @property
    def value(self) -> Expr:
        return self.args[0]

    @property
    def digits(self) -> str | None:
        return self.args[1].name if len(self.args) > 1 else None

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return SCALAR


class Var(Leaf):
    """A quantity without a time: a parameter, a constant, a direction. Its name is the key of a
    :class:`~derive.notation.names.QName`.
    """

    __slots__ = ()

    def __new__(cls, name: Any, rows: Any = 1, columns: Any = 1) -> Self:
        return super().__new__(cls, name if isinstance(name, Str) else Str(str(name)), rows, columns)

    @property
    def name(self) -> str:
        return self.args[0].name

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return parameters[1:]

    @property
    def free_symbols(self) -> set[Basic]:
        return {self}


class Timed(Leaf):
    """A quantity at a time: ``h[t-1]``. Substituting in the time moves it: ``h[t].subs(t, 3)`` is ``h[3]``."""

    __slots__ = ()

    def __new__(cls, name: Any, time: Any, rows: Any = 1, columns: Any = 1) -> Self:
        return super().__new__(cls, name if isinstance(name, Str) else Str(str(name)), time, rows, columns)

    @property
    def name(self) -> str:
        return self.args[0].name

    @property
    def time(self) -> Expr:
        return self.args[1]

    def at(self, time: Any) -> Timed:
        """The same quantity at another time."""
        return Timed(self.name, time, *self.shape)

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return parameters[2:]

    @property
    def free_symbols(self) -> set[Basic]:
        return {self, *self.time.free_symbols}


class Constant(Leaf):
    """A constant whose entries follow from its shape."""

    __slots__ = ()

    def __new__(cls, rows: Any, columns: Any) -> Self:
        return super().__new__(cls, rows, columns)

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return parameters


class Zero(Constant):
    """All entries zero."""

    __slots__ = ()


class Ones(Constant):
    """All entries one."""

    __slots__ = ()


class Identity(Leaf):
    """The identity matrix."""

    __slots__ = ()

    @property
    def size(self) -> Expr:
        return self.args[0]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return (parameters[0], parameters[0])


class Commutation(Leaf):
    """The permutation K with K vec(A) = vec(A^T), for matrices A of a shape."""

    __slots__ = ()

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        rows, columns = parameters
        return (rows * columns, rows * columns)


class OneHot(Node):
    """The one-hot vector of an integer quantity y (counted from 0): 1 where the index is y, else 0."""

    __slots__ = ()

    @property
    def label(self) -> Node:
        return self.args[0]

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        return tuple(parameters)

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        return None

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        return (None,)


def size(name: str) -> Symbol:
    """A size such as n, d or T: a positive integer."""
    return Symbol(name, integer=True, positive=True)


def index(name: str) -> Symbol:
    """A time or summation index: an integer."""
    return Symbol(name, integer=True)


def number(value: int | Rational | Expr) -> Scalar:
    """A number as an expression."""
    return Scalar(Integer(value) if isinstance(value, int) else value)


__all__ = [
    "ONE",
    "Constant",
    "Identity",
    "Leaf",
    "OneHot",
    "Ones",
    "Scalar",
    "Timed",
    "Var",
    "Zero",
    "index",
    "number",
    "size",
]
