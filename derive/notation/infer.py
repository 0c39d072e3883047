"""Shapes of formulas: what each name is (scalar, vector, row, matrix) and how large, found from the equations themselves.

Every name starts from its convention (upper-case parameters are matrices, timed quantities vectors, ...); where the equations do not
conform that way, the cheapest change of what names are is searched, and two changes that are equally cheap are an ambiguity that a
declaration settles. Given the kinds, sizes follow by unification through the same shape rules that the expressions check themselves by.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import AmbiguityError, BpttError, ParseError, ShapeError
from derive.expressions.calculus import derivative_shape
from derive.expressions.node import ONE, SCALAR, Shape, is_scalar, is_vector, show_shape
from derive.notation.resolve import Pre
from derive.notation.scope import LOSS_LETTERS, is_lower_greek
from derive.notation.sizes import Solver

MAX_TRIALS = 400
"""How many assignments of kinds are tried before the equations are called inconsistent."""


@dataclass(frozen=True)
class NameInfo:
    """What is known of a name before the equations are looked at."""

    key: str
    timed: bool
    shape: Shape | None = None
    integer: bool = False
    declared: tuple[Expr, ...] | None = None
    """Sizes from a declaration: () a scalar, (n,) a vector in the layout of the cell, (n, d) a matrix."""

    @property
    def fixed(self) -> bool:
        """Whether nothing is left to find out about the shape."""
        return self.shape is not None or self.declared is not None or self.integer

    def given(self, layout: str) -> Shape | None:
        """The shape that is known beforehand, in a layout."""
        if self.declared is None:
            return self.shape
        if len(self.declared) == 1:
            return (self.declared[0], ONE) if layout == "column" else (ONE, self.declared[0])
        return self.declared or SCALAR


@dataclass
class Inference:
    """The outcome: the shape of every name, the layout the cell is written in, and the shape found for every operation."""

    shapes: dict[str, Shape]
    layout: str
    solver: Solver
    kinds: dict[str, str] = field(default_factory=dict)
    constants: dict[int, Shape] = field(default_factory=dict)
    """The shapes of constants (I, 0, a vector of ones), by the identity of their operation."""


_RULES: dict[str, type[e.Node]] = {
    "plus": e.Plus, "neg": e.Neg, "hadamard": e.Hadamard, "divide": e.Divide, "transpose": e.Transpose, "apply": e.Apply, "softmax": e.Softmax,
    "trace": e.Trace, "vec": e.Vec, "sum_entries": e.SumEntries, "mean": e.SumEntries, "norm": e.Norm, "kron": e.Kron, "inner": e.Inner, "sum": e.SumOver,
    "product": e.ProductOver, "gradient": e.Gradient, "call": e.Call, "differential": e.Differential,
}  # fmt: skip
"""Operations whose shape is their node's shape rule and nothing more."""


class ShapeReader:
    """Finds the shape of an operation, given shapes for the names."""

    def __init__(self, solver: Solver, shapes: Mapping[str, Shape], layout: str, constants: dict[int, Shape] | None = None) -> None:
        self.solver = solver
        self.shapes = shapes
        self.layout = layout
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
        return self._ones(pre)

    # -- products --------------------------------------------------------------------------------------------------------------

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
        before = pre.args[0].span.to(pre.args[position - 1].span) if pre.args[0].span and pre.args[position - 1].span else None  # type: ignore[arg-type]
        name_left = f"'{before.text}'" if before else "the left factor"
        span = pre.args[position].span
        name_right = f"'{span.text}'" if span else "the right factor"
        raise ShapeError(
            f"the product does not conform: {name_left} is {show_shape(left)}, {name_right} is {show_shape(right)}",
            span=before.to(span) if before and span else pre.span,
            expected=f"{show_shape(left)} times something with {left[1]} row{'s' if left[1] != ONE else ''}" if len(left) == 2 else None,
            hint="is a transpose missing, the order exchanged, or an elementwise product \\odot meant?",
        )

    def reads_as_hadamard(self, left: Shape, right: Shape) -> bool:
        """In a cell written in row vectors, two row vectors side by side are multiplied entry by entry."""
        if self.layout != "row" or len(left) != 2 or len(right) != 2:
            return False
        rows = self.solver.is_one(left[0]) and self.solver.is_one(right[0])
        return rows and not self.solver.is_one(left[1]) and not self.solver.is_one(right[1]) and self.solver.equal(left[1], right[1])

    def _ast(self, pre: Pre) -> Shape:
        return e.Hadamard.shape_rule([self.shape(arg) for arg in pre.args], self.solver)

    def _cdot(self, pre: Pre) -> Shape:
        a, b = (self.shape(arg) for arg in pre.args)
        if is_scalar(a, self.solver) or is_scalar(b, self.solver) or not self.is_inner(a, b):
            return self.join(a, b, pre, 1)
        return e.Inner.shape_rule([a, b], self.solver)

    def is_inner(self, a: Shape, b: Shape) -> bool:
        """Whether a dot between two operands is an inner product: both columns, or both rows."""
        if len(a) != 2 or len(b) != 2:
            return False
        return (self.solver.is_one(a[1]) and self.solver.is_one(b[1])) or (self.solver.is_one(a[0]) and self.solver.is_one(b[0]))

    def _relation(self, pre: Pre) -> Shape:
        """Both sides have one shape; only a number (h_0 = 0) stands for a whole vector."""
        shapes = [self.shape(arg) for arg in pre.args]
        sides = [shape for arg, shape in zip(pre.args, shapes, strict=True) if arg.op not in ("zero", "scalar")] or shapes
        for shape in sides[1:]:
            if len(shape) != len(sides[0]) or not all(self.solver.equal(a, b) for a, b in zip(sides[0], shape, strict=True)):
                raise ShapeError(f"the two sides of the equation are {show_shape(self.solver.shape(sides[0]))} and {show_shape(self.solver.shape(shape))}")
        return sides[0]

    # -- others with parameters ------------------------------------------------------------------------------------------------

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
        return e.Diag.shape_rule([shape], self.solver) if is_vector(shape, self.solver) else e.DiagPart.shape_rule([shape], self.solver)

    def _block(self, pre: Pre) -> Shape:
        shapes = [self.shape(arg) for arg in pre.args]
        if not all(is_scalar(shape, self.solver) for shape in shapes):
            # A 0 or a number that stands for a block takes the size that its neighbours leave it.
            shapes = [(self.solver.unknown(), self.solver.unknown()) if arg.op == "zero" else shape for arg, shape in zip(pre.args, shapes, strict=True)]
        return e.Block.shape_rule(shapes, self.solver, (Integer(pre.data),))

    def _slice(self, pre: Pre) -> Shape:
        body = self.shape(pre.args[0])
        sizes = [b - a for a, b in pre.data]
        if len(sizes) == 1:
            return (sizes[0], body[1]) if not self.solver.is_one(body[0]) else (body[0], sizes[0])
        return (sizes[0], sizes[1])

    def _derivative(self, pre: Pre) -> Shape:
        return derivative_shape(self.shape(pre.args[0]), self.shape(pre.args[1]), self.solver)

    def _derivative_operator(self, pre: Pre) -> Shape:
        raise ParseError("nothing is differentiated", span=pre.span, expected="the quantity in the numerator, or after the fraction")


# -- kinds ---------------------------------------------------------------------------------------------------------------------


def default_kind(info: NameInfo) -> str:
    """What a name is by convention."""
    if info.integer:
        return "scalar"
    base = info.key.split("_")[0].split("^")[0].rstrip("'")
    if base in LOSS_LETTERS:
        return "scalar"
    if info.timed:
        return "vector"
    if is_lower_greek(base):
        return "scalar"
    return "vector" if base[:1].islower() else "matrix"


_COSTS = {
    # (convention, timed): cost of each other kind. A lower-case parameter becomes a scalar before anything else changes.
    ("vector", False): {"scalar": 2, "matrix": 7},
    ("matrix", False): {"vector": 5, "scalar": 6},
    ("scalar", False): {"vector": 5, "matrix": 8},
    ("vector", True): {"matrix": 4, "scalar": 5},
    ("scalar", True): {"vector": 4, "matrix": 7},
}

_ROW_COST = 1


def _kinded(solver: Solver, kind: str, layout: str) -> Shape:
    if kind == "scalar":
        return SCALAR
    if kind == "matrix":
        return (solver.unknown(), solver.unknown())
    size = solver.unknown(proper=True)
    return (size, ONE) if layout == "column" else (ONE, size)


def names_in(pre: Pre) -> Iterator[str]:
    """Keys of the names in an operation."""
    stack = [pre]
    while stack:
        node = stack.pop()
        if node.op == "name":
            yield node.data[0]
        stack.extend(reversed(node.args))


def one_hot_labels(pre: Pre) -> set[str]:
    """Names that are used as the label of a one-hot vector: integers."""
    found: set[str] = set()
    stack = [pre]
    while stack:
        node = stack.pop()
        if node.op == "onehot":
            found |= set(names_in(node.args[0]))
        stack.extend(node.args)
    return found


def infer(lines: Sequence[Pre], infos: Mapping[str, NameInfo], layouts: Sequence[str] = ("column", "row")) -> Inference:
    """Shapes for all names such that every line conforms, at the least cost.

    Raises
    ------
    ShapeError     : no assignment conforms; the message is that of the conventional reading.
    AmbiguityError : two assignments are equally good.
    """
    search = _Search(lines, infos)
    return search.run([layout for layout in layouts if len(layouts) == 1 or search.shows(layout)])


class _Search:
    """Cheapest-first search over what names are."""

    def __init__(self, lines: Sequence[Pre], infos: Mapping[str, NameInfo]) -> None:
        self.lines = lines
        self.infos = infos
        self.convention = {key: default_kind(info) for key, info in infos.items()}
        self.first_error: BpttError | None = None

    def shows(self, layout: str) -> bool:
        """Whether the text may be in a layout: row vectors stand left of their matrices, and nowhere right of one."""
        if layout == "column":
            return True
        orders = {order for line in self.lines for pre in walk(line) if pre.op == "times" for order in self._orders(pre)}
        return orders == {"row"}

    def _orders(self, pre: Pre) -> Iterator[str]:
        matrix = [a.op == "name" and a.data[1] is None and self.convention[a.data[0]] == "matrix" for a in pre.args]
        for k in range(1, len(matrix)):
            if matrix[k] and not matrix[k - 1] and pre.args[k - 1].op != "scalar":
                yield "row"
            elif matrix[k - 1] and not matrix[k]:
                yield "column"

    def run(self, layouts: Sequence[str]) -> Inference:
        serial = count()
        queue: list[tuple[int, int, str, dict[str, str]]] = []
        for layout in layouts:
            heapq.heappush(queue, (0 if layout == layouts[0] else _ROW_COST, next(serial), layout, {}))
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        found: list[tuple[int, Inference]] = []
        trials = 0
        while queue and trials < MAX_TRIALS:
            cost, _, layout, changes = heapq.heappop(queue)
            if found and cost > found[0][0]:
                break
            key = (layout, tuple(sorted(changes.items())))
            if key in seen:
                continue
            seen.add(key)
            trials += 1
            try:
                found.append((cost, self.attempt(layout, changes)))
            except _Conflict as conflict:
                for name, kind, extra in self.alternatives(conflict.names, changes):
                    heapq.heappush(queue, (cost + extra, next(serial), layout, {**changes, name: kind}))
        if not found:
            raise self.first_error or ShapeError("the equations do not conform")
        self.reject_ties(found)
        return found[0][1]

    def alternatives(self, names: Sequence[str], changes: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
        for name in dict.fromkeys(names):
            info = self.infos[name]
            if info.fixed or name in changes:
                continue
            for kind, cost in _COSTS.get((self.convention[name], info.timed), {}).items():
                yield name, kind, cost

    def attempt(self, layout: str, changes: Mapping[str, str]) -> Inference:
        """Read all lines with these kinds."""
        solver = Solver()
        kinds = {key: changes.get(key, self.convention[key]) for key in self.infos}
        shapes = {key: info.given(layout) or _kinded(solver, kinds[key], layout) for key, info in self.infos.items()}
        reader = ShapeReader(solver, shapes, layout)
        for line in self.lines:
            try:
                reader.shape(line)
            except BpttError as error:
                if self.first_error is None:
                    self.first_error = error
                if not isinstance(error, ShapeError):
                    raise
                raise _Conflict(list(names_in(line))) from None
        return Inference(shapes, layout, solver, kinds, reader.constants)

    def reject_ties(self, found: Sequence[tuple[int, Inference]]) -> None:
        """Two equally cheap readings: ask for a declaration of a name on which they differ."""
        best = [inference for cost, inference in found if cost == found[0][0]]
        if len(best) < 2:
            return
        one, two = best[:2]
        names = [key for key in one.kinds if one.kinds[key] != two.kinds[key]]
        if not names:
            return
        place = next((pre.span for line in self.lines for pre in walk(line) if pre.op == "name" and pre.data[0] in names), None)
        ways = " or ".join(", ".join(f"{key} a {way.kinds[key]}" for key in names) for way in (one, two))
        raise AmbiguityError(
            f"the equations conform in more than one way: {ways}",
            span=place,
            expected="a declaration",
            hint=f"declare one of them, such as {names[0]} \\in \\mathbb{{R}} or {names[0]} \\in \\mathbb{{R}}^{{n}}",
        )


class _Conflict(Exception):
    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names


def walk(pre: Pre) -> Iterator[Pre]:
    """An operation and all its operands."""
    stack = [pre]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.args))


def size_symbols(shapes: Mapping[str, Shape]) -> set[Expr]:
    """All size letters of shapes."""
    return {symbol for shape in shapes.values() for a in shape for symbol in a.free_symbols}
