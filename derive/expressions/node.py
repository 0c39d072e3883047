"""The base of all expressions: SymPy objects that know their shape and keep the order they were written in.

SymPy's own matrix expressions sort sums and products and rewrite them on substitution, so formulas come back in an
order nobody wrote. These nodes are plain :class:`sympy.Basic` objects: ``subs``, ``xreplace``, ``free_symbols``,
``atoms`` and :func:`sympy.latex` work on them, and nothing is reordered or evaluated unless a rule asks for it.

Shapes are pairs ``(rows, columns)`` of SymPy integers; a column vector is ``(n, 1)``, a row vector ``(1, n)``, a scalar
``(1, 1)``. Derivatives of a vector or matrix by a matrix have three or four sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sympy import Basic, Dummy, Expr, Integer, Symbol, sympify

from derive.errors import MissingRuleError, ShapeError

if TYPE_CHECKING:
    from typing import Self

Shape = tuple[Expr, ...]

ONE: Expr = Integer(1)
SCALAR: Shape = (ONE, ONE)


class Conform:
    """How sizes are compared while a shape rule runs: here strictly, in inference by unification.

    ``equal`` is for the two sides of a sum or an equation, ``inner`` for the sizes that meet inside a product (where a
    size that is still unknown must not quietly become 1).
    """

    def equal(self, a: Expr, b: Expr) -> bool:
        """Whether two sizes are (or can be made) equal."""
        return a == b or (a - b).expand() == 0

    def inner(self, a: Expr, b: Expr) -> bool:
        """Whether two sizes that are summed over are (or can be made) equal."""
        return self.equal(a, b)

    def is_one(self, a: Expr) -> bool:
        """Whether a size is known to be 1."""
        return a == ONE

    def fresh(self) -> Expr:
        """A size that is still open (inference only)."""
        raise ShapeError("the size of a constant is not known here", hint="give it a size, as in I_n")


STRICT = Conform()


def is_scalar(shape: Shape, conform: Conform = STRICT) -> bool:
    """Whether a shape is (1, 1)."""
    return all(conform.is_one(size) for size in shape)


def is_vector(shape: Shape, conform: Conform = STRICT) -> bool:
    """Whether a shape has one size that is not 1, or none."""
    return len(shape) == 2 and (conform.is_one(shape[0]) or conform.is_one(shape[1]))


def show_shape(shape: Shape) -> str:
    """A shape in words, as error messages print it."""
    if is_scalar(shape):
        return "a scalar"
    if len(shape) == 2 and shape[1] == ONE:
        return f"a vector{_of_size(shape[0])}"
    if len(shape) == 2 and shape[0] == ONE:
        return f"a row vector{_of_size(shape[1])}"
    kind = "a matrix" if len(shape) == 2 else "a tensor"
    shown = ["?" if size.has(Dummy) else f"({size})" if size.is_Add else str(size) for size in shape]
    return kind if set(shown) == {"?"} else f"{kind} of shape {' x '.join(shown)}"


def _of_size(size: Expr) -> str:
    """A size that is still unknown is not named."""
    return "" if size.has(Dummy) else f" of size {size}"


class Node(Basic):
    """An expression with a shape.

    A subclass declares its operands (``operands``: which of its arguments are expressions), its shape rule, and its two
    derivative rules:

    * ``jvp(tangents)``: the directional derivative J v, linear in the tangents of the operands (None: the operand does not vary);
    * ``vjp(cotangent)``: for each operand the adjoint J^T w, in the operand's shape.

    Sources of the rules: Giles, *Collected matrix derivative results for forward and reverse mode AD* (2008); Magnus
    and Neudecker, *Matrix Differential Calculus* (2019).
    """

    __slots__ = ("_shape",)
    _shape: Shape
    is_commutative = False

    def __new__(cls, *args: Any) -> Self:
        converted = tuple(cls._convert(arg) for arg in args)
        obj = Basic.__new__(cls, *converted)
        obj._shape = obj._find_shape()
        return obj

    @classmethod
    def _convert(cls, arg: Any) -> Basic:
        return arg if isinstance(arg, Basic) else sympify(arg)

    # -- shape -------------------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        """``(rows, columns)``; three or four sizes for the derivative of a vector or matrix by a matrix."""
        return self._shape

    @property
    def operands(self) -> tuple[Node, ...]:
        """The arguments that are expressions."""
        return tuple(arg for arg in self.args if isinstance(arg, Node))

    def with_operands(self, operands: Sequence[Node]) -> Node:
        """The same operation on other operands."""
        remaining = iter(operands)
        return self.func(*(next(remaining) if isinstance(arg, Node) else arg for arg in self.args))

    def _find_shape(self) -> Shape:
        return self.shape_rule([operand.shape for operand in self.operands], STRICT, self.parameters())

    def parameters(self) -> tuple[Any, ...]:
        """The arguments that are not expressions."""
        return tuple(arg for arg in self.args if not isinstance(arg, Node))

    @classmethod
    def shape_rule(cls, shapes: Sequence[Shape], conform: Conform, parameters: tuple[Any, ...] = ()) -> Shape:
        """The shape of the result from the shapes of the operands.

        Raises
        ------
        ShapeError : operands do not conform; the message names both shapes.
        """
        raise NotImplementedError(cls.__name__)

    @property
    def is_scalar(self) -> bool:
        """Whether this is a number."""
        return is_scalar(self._shape)

    # -- differentiation ---------------------------------------------------------------------------

    def jvp(self, tangents: Sequence[Node | None]) -> Node | None:
        """J v, or None where nothing varies."""
        raise MissingRuleError(
            f"no derivative rule is declared for {type(self).__name__}",
            hint="write the quantity by operations that have one",
        )

    def vjp(self, cotangent: Node) -> tuple[Node | None, ...]:
        """J^T w for each operand."""
        raise MissingRuleError(
            f"no derivative rule is declared for {type(self).__name__}",
            hint="write the quantity by operations that have one",
        )

    # -- writing formulas in Python ----------------------------------------------------------------

    def __add__(self, other: Any) -> Node:
        from derive.expressions.make import plus

        return plus(self, as_node(other))

    def __radd__(self, other: Any) -> Node:
        return as_node(other) + self

    def __sub__(self, other: Any) -> Node:
        from derive.expressions.make import neg, plus

        return plus(self, neg(as_node(other)))

    def __rsub__(self, other: Any) -> Node:
        return as_node(other) - self

    def __neg__(self) -> Node:
        from derive.expressions.make import neg

        return neg(self)

    def __matmul__(self, other: Any) -> Node:
        from derive.expressions.make import times

        return times(self, as_node(other))

    def __mul__(self, other: Any) -> Node:
        """A scalar multiple, or the elementwise product of two operands of the same shape (as in NumPy)."""
        from derive.expressions.make import hadamard, times

        right = as_node(other)
        return times(self, right) if self.is_scalar or right.is_scalar else hadamard(self, right)

    def __rmul__(self, other: Any) -> Node:
        return as_node(other) * self

    @property
    def T(self) -> Node:
        """The transpose."""
        from derive.expressions.make import transpose

        return transpose(self)

    # -- substitution ------------------------------------------------------------------------------

    def subs(self, *args: Any, **kwargs: Any) -> Any:
        """SymPy's ``subs``, in which a time or size may be named by its letter: ``node.subs("t", 3)``.

        Letters alone would make symbols that are not the integers t, n, T of this expression, and nothing would be
        replaced.
        """
        own = {symbol.name: symbol for symbol in self.free_symbols if isinstance(symbol, Symbol)}

        def meant(key: Any) -> Any:
            name = key if isinstance(key, str) else key.name if isinstance(key, Symbol) else None
            return own.get(name, key) if name is not None else key

        if len(args) == 2:
            return super().subs(meant(args[0]), args[1], **kwargs)
        pairs = args[0].items() if isinstance(args[0], Mapping) else args[0]
        return super().subs([(meant(old), new) for old, new in pairs], **kwargs)

    # -- printing ----------------------------------------------------------------------------------

    def latex(self) -> str:
        """This expression in LaTeX, as the notation reads it."""
        from derive.notation.present import present
        from derive.notation.write_latex import write_latex

        return write_latex(present(self))

    def typst(self) -> str:
        """This expression in Typst math."""
        from derive.notation.present import present
        from derive.notation.write_typst import write_typst

        return write_typst(present(self))

    def __str__(self) -> str:
        from derive.notation.present import present
        from derive.notation.write_plain import write_plain

        return write_plain(present(self))

    __repr__ = __str__

    def _sympystr(self, printer: Any) -> str:
        return str(self)

    _sympyrepr = _sympystr

    def _latex(self, printer: Any) -> str:
        return self.latex()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def as_node(value: Any) -> Node:
    """A number, a SymPy scalar or a node as a node."""
    if isinstance(value, Node):
        return value
    from derive.expressions.leaves import Scalar

    return Scalar(sympify(value))


def linear_jvp(node: Node, tangents: Sequence[Node | None]) -> Node | None:
    """The JVP of an operation that is linear in each operand: the sum over the operands of the operation with that
    operand replaced.
    """
    from derive.expressions.make import plus, remake

    terms = []
    for k, tangent in enumerate(tangents):
        if tangent is not None:
            operands = list(node.operands)
            operands[k] = tangent
            terms.append(remake(node, operands))
    return plus(*terms) if terms else None


def children_first(root: Basic) -> Iterable[Basic]:
    """All expressions below and including ``root``, operands before what is made of them, each once."""
    seen: set[Basic] = set()
    stack: list[tuple[Basic, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in seen:
            continue
        if ready:
            seen.add(node)
            yield node
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
