"""The shape of a formula, given shapes for its names: the same shape rules that expressions check themselves by, with
sizes as unknowns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sympy import Dummy, Expr, Integer

from derive import expressions as e
from derive.errors import BpttError, ParseError, ShapeError
from derive.expressions.calculus import derivative_shape
from derive.expressions.node import ONE, SCALAR, Shape, is_scalar, is_vector, show_shape
from derive.notation.operations import Pre
from derive.notation.sizes import Solver
from derive.notation.source import Span

_RULES: dict[str, type[e.Node]] = {
    "neg": e.Neg, "hadamard": e.Hadamard, "divide": e.Divide, "transpose": e.Transpose,
    "apply": e.Apply, "softmax": e.Softmax,
    "trace": e.Trace, "vec": e.Vec, "sum_entries": e.SumEntries, "mean": e.SumEntries, "norm": e.Norm, "kron": e.Kron,
    "inner": e.Inner, "sum": e.SumOver, "sum_over_children": e.SumOverChildren,
    "product": e.ProductOver, "product_over_path": e.ProductOverPath,
    "gradient": e.Gradient, "call": e.Call, "extreme": e.Extreme, "differential": e.Differential,
}  # fmt: skip
"""Operations whose shape is their node's shape rule and nothing more."""


_OF_NUMBERS = frozenset({"zero", "scalar", "divide", "neg", "plus", "times", "cdot", "cross", "ast", "power"})


def _is_number(pre: Pre) -> bool:
    """Whether an operation is made of numbers alone, such as 1/4."""
    return pre.op in _OF_NUMBERS and all(map(_is_number, pre.args))


class ShapeReader:
    """Finds the shape of an operation, given shapes for the names."""

    def __init__(
        self,
        solver: Solver,
        shapes: Mapping[str, Shape],
        layout: str,
        constants: dict[int, Shape] | None = None,
        side_by_side: bool = False,
        classes: Mapping[str, Expr] | None = None,
    ) -> None:
        self.solver = solver
        self.shapes = shapes
        self.layout = layout
        self.side_by_side = side_by_side
        self.slices: list[tuple[Expr, Expr, Span | None]] = []
        """Sizes of what is sliced, and where the slices end."""
        self.classes = dict(classes or {})
        """How many values a label takes: the size of each of its one-hot vectors."""
        self.constants: dict[int, Shape] = constants if constants is not None else {}

    def shape(self, pre: Pre) -> Shape:
        """The shape of an operation; unknown sizes are unified on the way."""
        try:
            special: Callable[[Pre], Shape] | None = getattr(self, f"_{pre.op}", None)
            if special is not None:
                return self.solver.shape(special(pre))
            rule = _RULES[pre.op].shape_rule
            return self.solver.shape(rule([self.shape(a) for a in pre.args], self.solver, ()))
        except BpttError as error:
            if pre.span is not None:
                error.at(pre.span)
            raise

    def _name(self, pre: Pre) -> Shape:
        return self.shapes[pre.data[0]]

    def _scalar(self, pre: Pre) -> Shape:
        return SCALAR

    _zero = _scalar

    def _identity(self, pre: Pre) -> Shape:
        if id(pre) not in self.constants:
            size = pre.data if pre.data is not None else self.solver.unknown()
            self.constants[id(pre)] = (size, size)
        return self.constants[id(pre)]

    def _ones(self, pre: Pre) -> Shape:
        if id(pre) not in self.constants:
            size = self.solver.unknown(proper=True)
            self.constants[id(pre)] = (size, ONE) if self.layout == "column" else (ONE, size)
        return self.constants[id(pre)]

    _bare_function = _ones

    def _onehot(self, pre: Pre) -> Shape:
        self.shape(pre.args[0])
        if id(pre) not in self.constants and pre.args[0].op == "name":
            size = self.classes.setdefault(pre.args[0].data[0], self.solver.unknown(proper=True))
            self.constants[id(pre)] = (size, ONE) if self.layout == "column" else (ONE, size)
        return self._ones(pre)

    # -- products ----------------------------------------------------------------------------------

    def _times(self, pre: Pre) -> Shape:
        result: Shape = SCALAR
        for position, arg in enumerate(pre.args):
            shape = self.shape(arg)
            result = self.join(result, shape, pre, position)
        return result

    def join(self, left: Shape, right: Shape, pre: Pre, position: int) -> Shape:
        """The shape of ``left`` times the next factor."""
        solver = self.solver
        left, right = solver.shape(left), solver.shape(right)
        if is_scalar(left, solver):
            return right
        if is_scalar(right, solver):
            return left
        if self.reads_as_hadamard(left, right):
            return left
        if len(left) == 2 and solver.inner(left[1], right[0]):
            if len(right) > 2 and solver.is_one(left[0]):
                return right[1:]
            return (left[0], *right[1:])
        first, last = pre.args[0].span, pre.args[position - 1].span
        before = first.to(last) if first and last else None
        name_left = f"'{before.text}'" if before else "the left factor"
        span = pre.args[position].span
        name_right = f"'{span.text}'" if span else "the right factor"
        raise ShapeError(
            f"the product does not conform: {name_left} is {show_shape(left)}, {name_right} is {show_shape(right)}",
            span=before.to(span) if before and span else pre.span,
            expected=f"{show_shape(left)} times something with {left[1]} row{'s' if left[1] != ONE else ''}"
            if len(left) == 2
            else None,
            hint="is a transpose missing, the order exchanged, or an elementwise product \\odot meant?",
        )

    def reads_as_hadamard(self, left: Shape, right: Shape) -> bool:
        """In a cell written in row vectors, two row vectors side by side are multiplied entry by entry."""
        if (self.layout != "row" and not self.side_by_side) or len(left) != 2 or len(right) != 2:
            return False
        thin, long = (0, 1) if self.layout == "row" else (1, 0)
        rows = self.solver.is_one(left[thin]) and self.solver.is_one(right[thin])
        return (
            rows
            and not self.solver.is_one(left[long])
            and not self.solver.is_one(right[long])
            and self.solver.equal(left[long], right[long])
        )

    def _ast(self, pre: Pre) -> Shape:
        return e.Hadamard.shape_rule([self.shape(arg) for arg in pre.args], self.solver)

    def _cross(self, pre: Pre) -> Shape:
        a, b = (self.shape(arg) for arg in pre.args)
        if is_scalar(a, self.solver) or is_scalar(b, self.solver) or not self.is_inner(a, b):
            return self.join(a, b, pre, 1)
        if self.side_by_side:
            return e.Hadamard.shape_rule([a, b], self.solver)
        raise ShapeError(
            "× between two vectors may be an elementwise or an inner product",
            span=pre.span,
            expected="\\odot entry by entry, or a^\\top b",
        )

    def _plus(self, pre: Pre) -> Shape:
        shape = e.Plus.shape_rule([self.shape(arg) for arg in pre.args], self.solver, ())
        if not is_scalar(shape, self.solver):
            for arg in pre.args:
                self._reject_dotted(arg.args[0] if arg.op == "neg" else arg)
        return shape

    def _reject_dotted(self, term: Pre) -> None:
        """A dot between two vectors makes a number; where it stands in a sum of vectors, another product is meant."""
        vectors = term.op == "cdot" and not any(is_scalar(self.shape(part), self.solver) for part in term.args)
        if vectors and is_scalar(self.shape(term), self.solver):
            raise ShapeError(
                "a dot product of two vectors is a number, and is added to a vector here",
                span=term.span,
                expected="\\odot for the product entry by entry, or a^\\top b for the number",
            )

    def _cdot(self, pre: Pre) -> Shape:
        a, b = (self.shape(arg) for arg in pre.args)
        if is_scalar(a, self.solver) or is_scalar(b, self.solver) or not self.is_inner(a, b):
            return self.join(a, b, pre, 1)
        return (e.Hadamard if self.side_by_side else e.Inner).shape_rule([a, b], self.solver)

    def is_inner(self, a: Shape, b: Shape) -> bool:
        """Whether a dot between two operands is an inner product: both columns, or both rows."""
        if len(a) != 2 or len(b) != 2:
            return False
        return (self.solver.is_one(a[1]) and self.solver.is_one(b[1])) or (
            self.solver.is_one(a[0]) and self.solver.is_one(b[0])
        )

    def _relation(self, pre: Pre) -> Shape:
        """Both sides have one shape; only a number (h_0 = 0) stands for a whole vector."""
        shapes = [self.shape(arg) for arg in pre.args]
        sides = [shape for arg, shape in zip(pre.args, shapes, strict=True) if not _is_number(arg)] or shapes
        for shape in sides[1:]:
            if len(shape) != len(sides[0]) or not all(
                self.solver.equal(a, b) for a, b in zip(sides[0], shape, strict=True)
            ):
                first, other = (show_shape(self.solver.shape(found)) for found in (sides[0], shape))
                raise ShapeError(
                    f"the two sides of the equation are {first} and {other}", hint=self._scalar_hint(sides[0], shape)
                )
        return sides[0]

    def _scalar_hint(self, one: Shape, other: Shape) -> str | None:
        """How a vector or a matrix becomes the number on the other side."""
        one, other = self.solver.shape(one), self.solver.shape(other)
        if is_scalar(one, self.solver) == is_scalar(other, self.solver):
            return None
        shape = other if is_scalar(one, self.solver) else one
        if is_vector(shape, self.solver):
            return "a number is made of vectors by an inner product, a norm as in \\lVert a - b \\rVert^2, or sum(...)"
        if self.layout == "row":
            return "in a cell of row vectors the inner product is a b^\\top"
        return "in a cell of column vectors the inner product is a^\\top b"

    def bound_slices(self) -> None:
        """A vector whose size nothing else gives ends where its last slice does.

        Raises
        ------
        ShapeError : a slice may end beyond its vector.
        """
        for whole, end, span in self.slices:
            ends = [other for size, other, _ in self.slices if self.solver.value(size) == self.solver.value(whole)]
            last = next((e for e in ends if all((e - other).is_nonnegative for other in ends)), end)
            if isinstance(self.solver.value(whole), Dummy):
                self.solver.equal(whole, last)
            room = (self.solver.value(whole) - end).expand()
            if not room.is_nonnegative and not room.has(Dummy):
                raise ShapeError(
                    f"the slice ends at {end}, and the vector has {self.solver.value(whole)} entries",
                    span=span,
                    expected="a declaration of the vector's size",
                )

    # -- others with parameters --------------------------------------------------------------------

    def _power(self, pre: Pre) -> Shape:
        base = self.shape(pre.args[0])
        if len(pre.args) > 1 and not is_scalar(self.shape(pre.args[1]), self.solver):
            raise ShapeError("the exponent is not a scalar", span=pre.args[1].span)
        if len(base) == 2 and not is_vector(base, self.solver):
            return e.MatrixPower.shape_rule([base], self.solver)
        return base

    def _transpose_or_power(self, pre: Pre) -> Shape:
        return self.shape(pre.args[0])[::-1]

    def _diag(self, pre: Pre) -> Shape:
        shape = self.shape(pre.args[0])
        return (
            e.Diag.shape_rule([shape], self.solver)
            if is_vector(shape, self.solver)
            else e.DiagPart.shape_rule([shape], self.solver)
        )

    def _block(self, pre: Pre) -> Shape:
        shapes = [self.shape(arg) for arg in pre.args]
        if not all(is_scalar(shape, self.solver) for shape in shapes):
            # A 0 or a number that stands for a block takes the size that its neighbours leave it.
            shapes = [
                (self.solver.unknown(), self.solver.unknown()) if arg.op == "zero" else shape
                for arg, shape in zip(pre.args, shapes, strict=True)
            ]
        return e.Block.shape_rule(shapes, self.solver, (Integer(pre.data),))

    def _concatenate(self, pre: Pre) -> Shape:
        shapes = [self.shape(arg) for arg in pre.args]
        return e.Block.shape_rule(shapes, self.solver, (Integer(1 if self.stacks(shapes) else len(shapes)),))

    def stacks(self, shapes: Sequence[Shape]) -> bool:
        """Whether [a, b] puts its parts under each other: columns and numbers (in a column cell) do, rows and matrices
        stand side by side.
        """
        if all(is_scalar(shape, self.solver) for shape in shapes):
            return self.layout == "column"
        return all(len(shape) == 2 and self.solver.is_one(shape[1]) for shape in shapes)

    def _slice(self, pre: Pre) -> Shape:
        body = self.shape(pre.args[0])
        sizes = [b - a for a, b in pre.data]
        if len(pre.data) == 1:
            whole = body[0] if not self.solver.is_one(body[0]) else body[1]
            self.slices.append((whole, pre.data[0][1], pre.span))
        if len(sizes) == 1:
            return (sizes[0], body[1]) if not self.solver.is_one(body[0]) else (body[0], sizes[0])
        return (sizes[0], sizes[1])

    def _derivative(self, pre: Pre) -> Shape:
        return derivative_shape(self.shape(pre.args[0]), self.shape(pre.args[1]), self.solver)

    def _derivative_operator(self, pre: Pre) -> Shape:
        raise ParseError(
            "nothing is differentiated", span=pre.span, expected="the quantity in the numerator, or after the fraction"
        )
