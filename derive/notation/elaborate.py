"""From operations with known shapes to expressions, and the reading of single formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import AmbiguityError, BpttError, MissingRuleError, ParseError, ShapeError
from derive.expressions.node import ONE, SCALAR, Shape, is_scalar, is_vector
from derive.notation import surface as s
from derive.notation.infer import Inference, NameInfo, infer, one_hot_labels, size_symbols, walk
from derive.notation.names import QName
from derive.notation.operations import Pre
from derive.notation.parser import MAX_EXPONENT, parse_one
from derive.notation.resolve import Resolver
from derive.notation.scope import CONVENTIONAL_INDICES, Scope, bound_letters, find_timed, offset_letters, time_letter
from derive.notation.shape_reader import ShapeReader
from derive.notation.sizes import name_sizes
from derive.notation.source import Source
from derive.notation.time_style import style_of, with_subscripts
from derive.notation.trees import TreeLetters, tree_letters, with_edges


class Builder:
    """Makes nodes from operations. Open constants (I, 0, a vector of ones) take the size that their place asks for."""

    def __init__(self, inference: Inference, bare: Mapping[str, e.Node] | None = None) -> None:
        self.reader = ShapeReader(inference.solver, inference.shapes, inference.layout, inference.constants)
        self.solver = inference.solver
        self.shapes = inference.shapes
        self.bare = bare or {}
        self.constants = inference.constants

    def build(self, pre: Pre) -> e.Node:
        """The node of an operation."""
        try:
            special: Callable[[Pre], e.Node] | None = getattr(self, f"_{pre.op}", None)
            if special is None:
                raise ParseError(f"'{pre.op}' cannot be used here", span=pre.span)
            return special(pre)
        except BpttError as error:
            if pre.span is not None:
                error.at(pre.span)
            raise

    def _all(self, pre: Pre) -> list[e.Node]:
        return [self.build(arg) for arg in pre.args]

    def _fixed(self, shape: Shape) -> Shape:
        return self.solver.shape(shape)

    # -- leaves ------------------------------------------------------------------------------------

    def _name(self, pre: Pre) -> e.Node:
        key, time = pre.data
        shape = self._fixed(self.shapes[key])
        return e.Var(key, *shape) if time is None else e.Timed(key, time, *shape)

    def _scalar(self, pre: Pre) -> e.Node:
        value, digits = pre.data
        return e.Scalar(value, digits)

    def _zero(self, pre: Pre) -> e.Node:
        return e.Scalar(0)

    def _identity(self, pre: Pre) -> e.Node:
        return e.Identity(self._constant(pre)[0])

    def _ones(self, pre: Pre) -> e.Node:
        return e.Ones(*self._constant(pre))

    def _onehot(self, pre: Pre) -> e.Node:
        return e.OneHot(self.build(pre.args[0]), *self._constant(pre))

    def _bare_function(self, pre: Pre) -> e.Node:
        name, primes = pre.data
        if name not in self.bare:
            raise ParseError(
                f"{name}' stands without an argument",
                span=pre.span,
                expected=f"{name}'(...)",
                hint="it takes the argument of the cell only where that is unique",
            )
        return e.Apply(name, self.bare[name], primes)

    def _constant(self, pre: Pre) -> Shape:
        shape = self.constants.get(id(pre))
        if shape is None:
            raise ShapeError(
                "the size of this constant is not determined by its place",
                span=pre.span,
                hint="give it a size, as in I_n",
            )
        return self._fixed(shape)

    # -- operations --------------------------------------------------------------------------------

    def _plus(self, pre: Pre) -> e.Node:
        terms = self._all(pre)
        written = e.Plus(*terms)
        counts = [term.operands[0] if isinstance(term, e.Neg) else term for term in terms]
        if all(isinstance(count, e.Scalar) and count.digits is None for count in counts) and any(
            count.free_symbols for count in counts
        ):
            # T - t is one number, where it is written as it is printed.
            number = e.Scalar(sum(c.value if c is t else -c.value for c, t in zip(counts, terms, strict=True)))
            return number if str(number) == str(written) else written
        return written

    def _neg(self, pre: Pre) -> e.Node:
        return e.Neg(*self._all(pre))

    def _times(self, pre: Pre) -> e.Node:
        first, *rest = self._all(pre)
        # 2 * A @ B is one product of three factors: signs of products bind equally and from the left.
        opens = pre.args[0].op == "ast" and pre.data != "enclosed" and isinstance(first, e.Times)
        opened = first.operands if opens else (first,)
        return self.chain([*opened, *rest])

    def chain(self, factors: Sequence[e.Node]) -> e.Node:
        """A product read from the left: a chain that has become a number multiplies what follows; rows side by side as
        ⊙ in a row cell.
        """
        done: list[e.Node] = []
        chain: list[e.Node] = []
        shape: Shape = SCALAR
        for factor in factors:
            if factor.is_scalar:
                # A scalar stays where it was written; one that ends a finished chain starts anew.
                (chain if not is_scalar(shape) else done).append(factor)
                continue
            if chain and is_scalar(shape):
                done.append(chain[0] if len(chain) == 1 else e.Times(*chain))
                chain = []
            if not is_scalar(shape) and self.reader.reads_as_hadamard(shape, factor.shape):
                left = chain[0] if len(chain) == 1 else e.Times(*chain)
                chain = [e.Hadamard(*(left.operands if isinstance(left, e.Hadamard) else (left,)), factor)]
                continue
            shape = e.Times.shape_rule([shape, factor.shape], e.Conform())
            chain.append(factor)
        whole = [*done, *chain]
        return whole[0] if len(whole) == 1 else e.Times(*whole)

    def _hadamard(self, pre: Pre) -> e.Node:
        return e.Hadamard(*self._all(pre))

    def _ast(self, pre: Pre) -> e.Node:
        """``*`` scales by a number and multiplies arrays entry by entry, from the left."""
        first, *rest = self._all(pre)
        factors = [first]
        for factor in rest:
            if factors[-1].is_scalar or factor.is_scalar:
                whole = factors[0] if len(factors) == 1 else e.Hadamard(*factors)
                factors = [
                    self.chain(
                        [*(whole.operands if isinstance(whole, e.Times) and whole is not first else (whole,)), factor]
                    )
                ]
            else:
                factors.append(factor)
        return factors[0] if len(factors) == 1 else e.Hadamard(*factors)

    def _cdot(self, pre: Pre) -> e.Node:
        a, b = self._all(pre)
        if isinstance(a, e.Scalar) and a.value.is_number:
            # 3 \\cdot 10^{-5} is one number in scientific notation, and so is it before what follows.
            first, *rest = b.operands if isinstance(b, e.Times) else (b,)
            if isinstance(first, e.Scalar) and first.digits is not None and first.digits.startswith("1e"):
                return self.chain([e.Scalar(a.value * first.value, f"{a.digits or a.value}{first.digits[1:]}"), *rest])
        if not a.is_scalar and not b.is_scalar and self.reader.is_inner(a.shape, b.shape):
            return e.Inner(a, b)
        return self.chain([a, b])

    _cross = _cdot

    def _inner(self, pre: Pre) -> e.Node:
        return e.Inner(*self._all(pre))

    def _kron(self, pre: Pre) -> e.Node:
        return e.Kron(*self._all(pre))

    def _divide(self, pre: Pre) -> e.Node:
        a, b = self._all(pre)
        if isinstance(b, e.Scalar) and b.value == 0:
            raise ParseError("division by zero", span=pre.args[1].span, expected="a number other than 0")
        if isinstance(a, e.Scalar) and isinstance(b, e.Scalar) and a.digits is None and b.digits is None:
            return e.Scalar(a.value / b.value)
        return e.Divide(a, b)

    def _power(self, pre: Pre) -> e.Node:
        base = self.build(pre.args[0])
        if base == e.Scalar(10) and len(pre.args) == 1 and pre.data.is_Integer and -MAX_EXPONENT <= pre.data < 0:
            return e.Scalar(base.value**pre.data, f"1e{pre.data}")
        if len(pre.args) > 1:
            return e.Power(base, self.build(pre.args[1]))
        if not is_vector(base.shape):
            return e.Inverse(base) if pre.data == -1 else e.MatrixPower(base, pre.data)
        if isinstance(base, e.Norm) and pre.data == 2 and (base.kind == "F" or is_vector(base.operands[0].shape)):
            return e.SquaredNorm(base.operands[0])
        return e.Power(base, e.Scalar(pre.data))

    def _transpose(self, pre: Pre) -> e.Node:
        body = self.build(pre.args[0])
        return e.Ones(*body.shape[::-1]) if isinstance(body, e.Ones) else e.Transpose(body)

    def _transpose_or_power(self, pre: Pre) -> e.Node:
        body = self.build(pre.args[0])
        return e.Power(body, e.Scalar(e.size("T"))) if body.is_scalar else e.Transpose(body)

    def _apply(self, pre: Pre) -> e.Node:
        name, primes = pre.data
        return e.Apply(name, self.build(pre.args[0]), primes)

    def _extreme(self, pre: Pre) -> e.Node:
        result, *rest = self._all(pre)
        for operand in rest:
            result = e.Extreme(pre.data, result, operand)
        return result

    def _softmax(self, pre: Pre) -> e.Node:
        return e.Softmax(*self._all(pre))

    def _diag(self, pre: Pre) -> e.Node:
        body = self.build(pre.args[0])
        return e.Diag(body) if is_vector(body.shape) else e.DiagPart(body)

    def _trace(self, pre: Pre) -> e.Node:
        return e.Trace(*self._all(pre))

    def _vec(self, pre: Pre) -> e.Node:
        return e.Vec(*self._all(pre))

    def _sum_entries(self, pre: Pre) -> e.Node:
        return e.SumEntries(*self._all(pre))

    def _mean(self, pre: Pre) -> e.Node:
        body = self.build(pre.args[0])
        return e.Divide(e.SumEntries(body), e.Scalar(body.shape[0] * body.shape[1]))

    def _norm(self, pre: Pre) -> e.Node:
        return e.Norm(self.build(pre.args[0]), pre.data)

    def _block(self, pre: Pre) -> e.Node:
        entries = self._all(pre)
        if not all(entry.is_scalar for entry in entries):
            entries = self._fill(entries, pre)
        return e.Block([entries[k : k + pre.data] for k in range(0, len(entries), pre.data)])

    def _concatenate(self, pre: Pre) -> e.Node:
        entries = self._all(pre)
        stacked = self.reader.stacks([entry.shape for entry in entries])
        return e.Block([[entry] for entry in entries] if stacked else [entries])

    def _fill(self, entries: list[e.Node], pre: Pre) -> list[e.Node]:
        """Zeros of a block matrix take their rows from their row and their columns from their column."""
        width = pre.data
        result = list(entries)
        for k, (entry, arg) in enumerate(zip(entries, pre.args, strict=True)):
            if arg.op == "zero":
                row = [x for j, x in enumerate(entries) if j // width == k // width and pre.args[j].op != "zero"]
                column = [x for j, x in enumerate(entries) if j % width == k % width and pre.args[j].op != "zero"]
                if not row or not column:
                    raise ShapeError("the size of this zero block is not determined", span=arg.span)
                result[k] = e.Zero(row[0].shape[0], column[0].shape[1])
            del entry
        return result

    def _slice(self, pre: Pre) -> e.Node:
        body = self.build(pre.args[0])
        if len(body.shape) != 2:
            raise MissingRuleError(f"{body} has more than two indices, and no part of it is taken")
        rows, columns = body.shape
        bounds = pre.data
        if len(bounds) == 1:
            bounds = (bounds[0], (Integer(0), columns)) if rows != ONE else ((Integer(0), rows), bounds[0])
        return e.Slice(body, *bounds[0], *bounds[1])

    # -- calculus ----------------------------------------------------------------------------------

    def _sum(self, pre: Pre) -> e.Node:
        index, lower, upper = pre.data
        return e.SumOver(index, lower, upper, self.build(pre.args[0]))

    def _sum_over_children(self, pre: Pre) -> e.Node:
        index, node = pre.data
        return e.SumOverChildren(index, node, self.build(pre.args[0]))

    def _product_over_path(self, pre: Pre) -> e.Node:
        index, lower, upper = pre.data
        return e.ProductOverPath(index, lower, upper, self.build(pre.args[0]))

    def _product(self, pre: Pre) -> e.Node:
        index, lower, upper = pre.data
        return e.ProductOver(index, lower, upper, self.build(pre.args[0]))

    def _derivative(self, pre: Pre) -> e.Node:
        of, by = self._all(pre)
        if of.is_scalar and _is_turned(by):
            return e.Transpose(e.Derivative(of, by.operands[0], pre.data))
        return e.Derivative(of, by, pre.data)

    def _differential(self, pre: Pre) -> e.Node:
        return e.Differential(self.build(pre.args[0]), pre.data)

    def _gradient(self, pre: Pre) -> e.Node:
        by, of = self._all(pre)
        return e.Transpose(e.Gradient(by.operands[0], of)) if _is_turned(by) else e.Gradient(by, of)

    def _call(self, pre: Pre) -> e.Node:
        return e.Call(*self._all(pre))

    def _relation(self, pre: Pre) -> e.Node:
        sides = self._all(pre)
        full = [side.shape for side in sides if not side.is_scalar]
        if full and len(full[0]) == 2:  # 0 takes the size of the other side
            sides = [e.Zero(*full[0]) if arg.op == "zero" else side for arg, side in zip(pre.args, sides, strict=True)]
        return e.Relation(pre.data, *sides)


@dataclass(frozen=True)
class Context:
    """What a cell knows and a formula about it may use.

    Parameters
    ----------
    scope  : its names.
    shapes : the shape of each.
    layout : whether it is written in column or in row vectors.
    bare   : for each function, the argument it has in the cell, where that is unique (what sigma' alone means).
    classes : how many values each label takes.
    """

    scope: Scope
    shapes: Mapping[str, Shape]
    layout: str = "column"
    bare: Mapping[str, e.Node] = field(default_factory=dict)
    classes: Mapping[str, Expr] = field(default_factory=dict)

    @cached_property
    def letters(self) -> frozenset[Expr]:
        """The letters in the shapes."""
        return frozenset(size_symbols(self.shapes))

    @cached_property
    def sizes(self) -> frozenset[Expr]:
        """These, and sizes that are spoken of alone."""
        return self.letters | {self.scope.symbol(size) for size in self.scope.sizes}


def read_formula(text: str | Source, context: Context | None = None) -> e.Node:
    """A formula as an expression; with a context, about the names of a cell.

    Raises
    ------
    ParseError, UnknownNameError, ShapeError, AmbiguityError : with the place in the text.
    """
    source = text if isinstance(text, Source) else Source(text)
    line = parse_one(source)
    if len(line.items) != 1:
        raise ParseError("there is more than one formula", span=line.items[1].span, expected="one formula")
    return elaborate(line.items[0], context)


def elaborate(surface: s.Surface, context: Context | None = None, columns: str = "") -> e.Node:
    """The expression of a surface formula.

    Parameters
    ----------
    columns : ``scalars``: derivatives of scalars by vectors are columns, as some authors write them throughout; ``all``: every
              derivative is the transpose of what it is here (denominator layout).
    """
    pre = resolve(surface, context)
    return build(pre if context is None else in_columns(pre, context, columns), context)


def in_columns(pre: Pre, context: Context, columns: str) -> Pre:
    """Operations as they are meant by who lays out derivatives in columns; see :func:`elaborate`."""
    return _derivatives_turned(pre, context.shapes, columns == "all") if columns else pre


def with_powers(surface: s.Surface, context: Context) -> e.Node | None:
    """The expression of a formula in which ``W^T`` is a power, T the length of the sequence; None where nothing is written so."""
    pre = resolve(surface, context)
    powers = _as_powers(pre)
    return None if powers == pre else build(powers, context)


def _as_powers(pre: Pre) -> Pre:
    args = tuple(map(_as_powers, pre.args))
    if pre.op == "transpose_or_power":
        return Pre("power", args, e.size("T"), pre.span)
    return replace(pre, args=args) if args != pre.args else pre


def resolve(surface: s.Surface, context: Context | None = None) -> Pre:
    """The operations of a surface formula, before any shape is known."""
    surface = with_subscripts(surface, context.scope.style if context else style_of([surface]))
    bases = {QName.from_key(key).base for key in context.scope.on_edges} if context else set()
    surface = with_edges(surface, _tree(surface, context), bases)
    return Resolver(formula_scope(surface, context)).expression(surface)


def build(pre: Pre, context: Context | None = None) -> e.Node:
    """The expression of operations: the shapes of all names are found, and everything is checked."""
    return build_together([pre], context)[0]


def build_together(pres: Sequence[Pre], context: Context | None = None) -> list[e.Node]:
    """The expressions of several formulas, in which a name has one shape."""
    infos = _infos(pres, context)
    layouts = (context.layout,) if context else ("column", "row")
    inference = infer(pres, infos, layouts)
    _name_open_sizes(inference, infos, context)
    if context is not None:
        for pre in pres:
            _reject_open_constants(pre, inference, context)
    builder = Builder(inference, context.bare if context else None)
    return [builder.build(pre) for pre in pres]


def _tree(surface: s.Surface, context: Context | None) -> TreeLetters | None:
    """The letters of nodes: the formula's own, and those of its cell."""
    own, known = tree_letters([surface]), context.scope.tree if context else None
    if own is None or known is None:
        return known or own
    return TreeLetters(own.node, own.children | known.children | {known.node})


def _derivatives_turned(pre: Pre, shapes: Mapping[str, Shape], every: bool) -> Pre:
    inside = replace(pre, args=tuple(_derivatives_turned(arg, shapes, every) for arg in pre.args))
    if pre.op != "derivative" or any(arg.op != "name" for arg in pre.args):
        return inside
    of, by = (shapes.get(arg.data[0]) for arg in pre.args)
    if of is None or by is None or not is_vector(by) or is_scalar(by) or not is_vector(of):
        return inside
    return Pre("transpose", (inside,), span=pre.span) if every or is_scalar(of) else inside


def _is_turned(by: e.Node) -> bool:
    """Whether a derivative is by the transpose of a matrix, which is the transpose of that by the matrix."""
    return isinstance(by, e.Transpose) and not is_vector(by.shape) and not by.is_scalar


def _reject_open_constants(pre: Pre, inference: Inference, context: Context) -> None:
    """In a formula about a cell, I and a vector of ones have one of its sizes."""
    known = context.sizes
    for node in walk(pre):
        shape = inference.constants.get(id(node))
        if shape is not None and any(size_symbols({"": inference.solver.shape(shape)}) - known):
            raise AmbiguityError(
                "the size of this constant is not determined by its place", span=node.span, expected="a size, as in I_n"
            )


def within(surface: s.Surface, context: Context) -> Context:
    """The context of a part of a formula: the indices of the whole are known in it."""
    return replace(context, scope=formula_scope(surface, context))


def formula_scope(surface: s.Surface, context: Context | None) -> Scope:
    """The scope of a formula: that of its cell, with the indices that the formula brings itself."""
    letters = bound_letters([surface])
    if context is None:
        scope = Scope(time=time_letter([surface], ()), open=True)
        letters |= {
            letter
            for node in surface.walk()
            for letter in (offset_letters(node) if isinstance(node, s.Sum) else ())
            if letter in CONVENTIONAL_INDICES
        }
        letters.discard("T")
        scope = replace(scope, indices=frozenset(letter for letter in letters if letter in CONVENTIONAL_INDICES))
        timed = find_timed([surface], scope)
        return scope.with_names(timed=timed)
    indices = (
        {letter for letter in letters if letter in CONVENTIONAL_INDICES or len(letter) == 1}
        - {"T"}
        - set(context.scope.names)
    )
    return replace(context.scope, indices=context.scope.indices | frozenset(indices))


def _infos(lines: Sequence[Pre], context: Context | None) -> dict[str, NameInfo]:
    integers = {label for line in lines for label in one_hot_labels(line)}
    infos: dict[str, NameInfo] = {}
    for line in lines:
        for pre in walk(line):
            if pre.op == "name":
                key, time = pre.data
                known = context.shapes.get(key) if context else None
                classes = context.classes.get(key) if context else None
                infos[key] = NameInfo(key, time is not None, known, key in integers, classes=classes)
    return infos


def preferred_letter(key: str) -> str:
    """The size letter that a name's vector usually has: d for inputs, m for outputs, n for all else."""
    return {"x": "d", "y": "m", "p": "m"}.get(key[:1], "n")


def _name_open_sizes(inference: Inference, infos: Mapping[str, NameInfo], context: Context | None) -> None:
    taken = set(map(str, context.letters)) if context else set()
    timed = [(preferred_letter(key), inference.shapes[key]) for key, info in infos.items() if info.timed]
    timed.sort(key=lambda item: "ndm".index(item[0]))
    others = [("", inference.shapes[key]) for key in infos if not infos[key].timed]
    constants = [("", shape) for shape in inference.constants.values()]
    name_sizes(inference.solver, [*timed, *others, *constants], taken | {"T"})
