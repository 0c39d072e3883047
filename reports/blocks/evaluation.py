"""Formulas about a cell with numbers put in: forward passes and gradients by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy import Expr, Integer

from derive import expressions as e
from derive.cell import Cell
from derive.errors import BpttError, ParseError, ValidationError
from derive.expressions.node import show_shape
from derive.notation import surface as s
from derive.notation.elaborate import elaborate
from derive.notation.parser import parse_lines
from derive.notation.present import present
from derive.notation.rebuild import rebuilt
from derive.notation.source import Source
from derive.notation.write_latex import write_latex
from derive.notation.write_plain import write_plain
from derive.spectra import from_sympy
from numeric.compare import relative_difference
from numeric.functions import Array
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.judging import surface_of
from reports.blocks.registry import REGISTRY
from reports.document import Aligned, AlignedLine, Block
from reports.rounding import matrix_surface, significant, spelled
from verify.claims import Claim
from verify.closed import value_of
from verify.evaluated import evaluated
from verify.names import Names
from verify.values import Values

AGREE = 1e-9
"""The relative difference up to which two sides of an equation are the same."""
MOST_TERMS = 6
"""Sums of at most so many terms are written out."""
_PLACE = "placeholder"
LONGEST = 48
"""The longest exact entry that is printed, in letters."""


@REGISTRY.block("evaluate", options=("given", "digits", "matrices", "exact"), required=("cell", "of"))
def evaluate_block(call: BlockCall) -> Sequence[Block]:
    """``bptt evaluate``: what quantities, derivatives and equations ``of`` a cell come to for numbers ``given``, with these put in;
    every equation is checked with them.
    """
    numbers = _Numbers(call, context_of(call).cell(call))
    shown = _Shown(call.integer("digits", 4, least=1, most=16), call.flag("matrices", True), call.flag("exact", False))
    lines: list[AlignedLine] = []
    for line in parse_lines(Source(call.text("of")), newlines=True):
        for item in line.items:
            lines += numbers.lines(item, shown)
    return [Aligned(tuple(lines))]


@dataclass(frozen=True)
class _Shown:
    """How much is printed: significant digits, the numbers put in, exact values where they are short."""

    digits: int
    matrices: bool
    exact: bool


class _Numbers:
    """A cell with the numbers that are given for it."""

    def __init__(self, call: BlockCall, subject: Cell) -> None:
        self.call = call
        self.names = Names(subject)
        self.system = self.names.system
        self.values = Values(self.names)
        source = Source(_given(call))
        for line in parse_lines(source, newlines=True):
            for item in line.items:
                span = item.span or call.span
                if not self.values.take(Claim(source, span, item)):
                    raise ParseError(
                        "this gives no number to a parameter, an input, a start or the length",
                        span=item.span,
                        expected="such as x_1 = \\begin{pmatrix} 1 \\\\ 0 \\end{pmatrix}, each once",
                        hint=self._size_of(item),
                    )
        self.exactly: dict[e.Node, sp.Matrix] = {}

    def _size_of(self, item: s.Surface) -> str | None:
        """What may be wrong with the number that a line gives: its size."""
        if not isinstance(item, s.Relation):
            return None
        try:
            return f"in this cell {write_plain(item.items[0])} is {show_shape(self._read(item.items[0]).shape)}"
        except BpttError:
            return None

    # -- lines -----------------------------------------------------------------------------------------

    def lines(self, item: s.Surface, shown: _Shown) -> Iterator[AlignedLine]:
        """A quantity with the formula that defines it, or an equation; then the numbers put in, and the value."""
        links = item.items if isinstance(item, s.Relation) else (item,)
        nodes = [self._read(link) for link in links]
        if len(nodes) == 1:
            definition = self._definition(nodes[0])
            if definition is not None:
                nodes.append(definition)
                links = (links[0], present(definition))
        value = self._value(nodes[0])
        for node in nodes[1:]:
            other = self._value(node)
            if other.shape != value.shape and other.T.shape == value.shape:
                value = value.T  # a derivative in the layout of the formula beside it
            if relative_difference(*np.broadcast_arrays(value, other)) > AGREE:
                raise ValidationError(
                    f"with these numbers, {nodes[0]} is {value.tolist()}, and {node} is {other.tolist()}",
                    span=item.span,
                    expected="two sides that are the same",
                )
        for k, link in enumerate(links[1:]):
            yield AlignedLine(links[0] if k == 0 else None, "=", link)
        first = links[0] if len(links) == 1 else None
        inserted = self._inserted(nodes[-1], shown)
        if inserted is not None:
            yield AlignedLine(first, "=", inserted)
            first = None
        yield self._last(nodes[0], value, first, shown)

    def _last(self, node: e.Node, value: Array, left: s.Surface | None, shown: _Shown) -> AlignedLine:
        """The value: exact where that is wanted and short, and else rounded."""
        exact = self._exact(node) if shown.exact else None
        if exact is not None and max(len(_latex(entry)) for entry in exact) <= LONGEST:
            written = matrix_surface(exact, lambda entry: surface_of(_latex(entry)))
            decimal = all(entry.is_Rational for entry in exact)
            if decimal:
                return AlignedLine(left, "=", written)
            rounded = matrix_surface(exact, lambda entry: spelled(entry, shown.digits))
            return AlignedLine(left, "=", s.Relation(("~",), (written, rounded)))
        matrix = _matrix(value)
        rounds = _rounds(matrix, shown.digits)
        return AlignedLine(left, "~" if rounds else "=", _spelled(matrix, shown.digits if rounds else 0))

    # -- values ----------------------------------------------------------------------------------------

    def _read(self, link: s.Surface) -> e.Node:
        return self.names.plain(elaborate(link, self.names.context))

    def _value(self, node: e.Node) -> Array:
        run = self.values.run(node)
        found = np.real(evaluated(node, self.names.environment(run), run.sizes))
        if not np.all(np.isfinite(found)):
            raise ValidationError(f"{node} has no value for these numbers", span=self.call.places["of"])
        return np.atleast_2d(found)

    def _definition(self, node: e.Node) -> e.Node | None:
        """The formula of the cell for a quantity, at its time, or for the loss."""
        if isinstance(node, e.Var) and node.name == self.system.loss_name:
            loss = self.system.text.loss
            return None if loss is None else self.names.plain(loss)
        if not isinstance(node, (e.Timed, e.Var)) or node.name not in self.system.definitions:
            return None
        if isinstance(node, e.Timed) and node in self.system.starts:
            return None
        rhs = self.system.definitions[node.name].rhs
        found = rhs.xreplace({self.system.time: node.time}) if isinstance(node, e.Timed) else rhs
        length = self.values.run(node).length
        return found.xreplace({e.size("T"): Integer(length)}) if isinstance(found, e.Node) else None

    def _exact(self, node: e.Node) -> sp.Matrix | None:
        """The exact value, where no derivative is in it."""
        if node not in self.exactly:
            found = self._compute_exactly(node)
            if found is None:
                return None
            self.exactly[node] = found
        return self.exactly[node]

    def _compute_exactly(self, node: e.Node) -> sp.Matrix | None:
        definition = self._definition(node)
        formula = node if definition is None else self._spread(definition)
        if node.has(e.Derivative, e.Gradient):
            return None
        values: dict[e.Node, e.Node] = {}
        for leaf in formula.atoms(e.Timed, e.Var, e.OneHot):
            if definition is None and leaf == node:
                return self._given(leaf)
            exact = self._given(leaf)
            exact = exact if exact is not None else self._exact(leaf)
            if exact is None:
                return None
            values[leaf] = _block(exact)
        try:
            return value_of(self._with(formula, values))
        except BpttError:
            return None

    def _given(self, leaf: e.Node) -> sp.Matrix | None:
        """A number that is given, as it is."""
        time = int(leaf.time) if isinstance(leaf, e.Timed) and leaf.time.is_Integer else None
        name = leaf.name if isinstance(leaf, (e.Timed, e.Var)) else None
        if name is None or (name, time) not in self.values.given:
            return _matrix(self._value(leaf)) if isinstance(leaf, e.OneHot) or leaf in self.system.starts else None
        return _matrix(self.values.given[name, time])

    # -- numbers put in ----------------------------------------------------------------------------------

    def _inserted(self, node: e.Node, shown: _Shown) -> s.Surface | None:
        """The formula with numbers in the place of quantities; None where it is a quantity, or nobody wants to see it."""
        if not shown.matrices or isinstance(node, (e.Timed, e.Var, e.Derivative, e.Gradient)):
            return None
        node = self._spread(node)
        values: dict[e.Node, e.Node] = {}
        spelled_out: dict[str, s.Surface] = {}
        for leaf in dict.fromkeys(_quantities(node)):
            exact = self._given(leaf)
            if exact is None and shown.exact:
                exact = self._exact(leaf)
            written = _matrix(self._value(leaf)) if exact is None else exact
            name = f"{_PLACE}{len(values)}"
            values[leaf] = e.Var(name, *map(Integer, written.shape))
            spelled_out[name] = _spelled(
                written, shown.digits if exact is None and _rounds(written, shown.digits) else 0
            )
        try:
            return _filled(present(self._with(node, values)), spelled_out)
        except BpttError:
            return None

    def _spread(self, node: e.Node) -> e.Node:
        """A formula with its sums written out, where they are short."""
        found = node.xreplace({e.size("T"): Integer(self.values.run(node).length)})
        for total in found.atoms(e.SumOver) if isinstance(found, e.Node) else ():
            low, high = total.lower, total.upper
            if low.is_Integer and high.is_Integer and 0 < high - low < MOST_TERMS:
                terms = [total.operands[0].xreplace({total.index: Integer(k)}) for k in range(int(low), int(high) + 1)]
                found = found.xreplace({total: e.Plus(*terms)})
        return found if isinstance(found, e.Node) else node

    def _with(self, node: e.Node, values: dict[e.Node, e.Node]) -> e.Node:
        sizes: dict[Expr, Expr] = {e.size(name): Integer(size) for name, size in self.values.run(node).sizes.items()}
        found = node.xreplace({**sizes, **values})
        if not isinstance(found, e.Node):
            raise ParseError(f"{node} cannot hold numbers")
        return found


def _given(call: BlockCall) -> str:
    """The numbers that a block gives, or those that were given last for its cell."""
    before, cell = context_of(call).given, call.text("cell")
    if "given" in call.options:
        before[cell] = call.text("given")
    if cell not in before:
        raise call.error("no numbers are given for this cell", "cell", expected="an option given, here or above")
    return before[cell]


def _quantities(node: e.Node) -> Iterator[e.Node]:
    """Quantities and derivatives of a formula, the latter as wholes."""
    if isinstance(node, (e.Timed, e.Var, e.OneHot, e.Derivative, e.Gradient)):
        yield node
        return
    for operand in node.operands:
        yield from _quantities(operand)


def _filled(surface: s.Surface, numbers: Mapping[str, s.Surface]) -> s.Surface:
    """A formula with numbers in the place of names: in parentheses where they are negative, with a dot between two of them."""

    def change(node: s.Surface) -> s.Surface:
        match node:
            case s.Name(text) if text in numbers:
                return s.Bracket("(", (numbers[text],)) if isinstance(numbers[text], s.Sum) else numbers[text]
            case s.Bracket("(", (s.Matrix() | s.Bracket("(") as inside,)):
                return inside
            case s.Sum(signs, (s.Bracket("(", (only,)), *rest)) if signs[0] > 0:
                return s.Sum(signs, (only, *rest)) if isinstance(only, s.Number) else node
            case s.Infix(operators, items):
                return s.Infix(
                    tuple(_dotted(*three) for three in zip(operators, items, items[1:], strict=False)), items
                )
            case _:
                return node

    return rebuilt(surface, change)


def _dotted(operator: str, left: s.Surface, right: s.Surface) -> str:
    """A dot between numbers that would be read as one."""
    return "cdot" if operator in ("by", "at") and _is_number(left) and not isinstance(right, s.Matrix) else operator


def _is_number(node: s.Surface) -> bool:
    inner = node.items[0] if isinstance(node, s.Bracket) and len(node.items) == 1 else node
    return not any(isinstance(part, (s.Name, s.Matrix)) for part in inner.walk())


def _matrix(value: Array) -> sp.Matrix:
    """Numbers as exact decimals, as they were written."""
    return sp.Matrix(np.atleast_2d(value).tolist()).applyfunc(lambda entry: sp.Rational(repr(float(entry))))


def _rounds(matrix: sp.Matrix, digits: int) -> bool:
    """Whether an entry has more significant digits."""
    return any(sp.Rational(significant(entry, digits)) != entry for entry in matrix)


def _spelled(matrix: sp.Matrix, digits: int) -> s.Surface:
    """Numbers rounded to so many significant digits, or as they are."""
    return matrix_surface(matrix, lambda entry: spelled(entry, digits) if digits else surface_of(_latex(entry)))


def _block(matrix: sp.Matrix) -> e.Node:
    node = from_sympy(matrix)
    return node.rows[0][0] if isinstance(node, e.Block) and matrix.shape == (1, 1) else node


def _latex(value: sp.Expr) -> str:
    """An exact number as people write it: decimals, functions of them, the plain number last."""
    if value.is_Rational:
        return str(_decimal_text(value))
    if value.is_Add:
        numbers = [term for term in value.args if term.is_Rational]
        others = sorted((term for term in value.args if not term.is_Rational), key=str)
        text = ""
        for term in (*others, *numbers):
            piece = _latex(term)
            text += piece if not text else f" - {piece[1:].strip()}" if piece.startswith("-") else f" + {piece}"
        return text
    if value.is_Mul:
        coefficient, rest = value.as_coeff_Mul()
        factors = " ".join(f"({_latex(part)})" if part.is_Add else _latex(part) for part in sp.Mul.make_args(rest))
        return (
            factors if coefficient == 1 else f"-{factors}" if coefficient == -1 else f"{_latex(coefficient)} {factors}"
        )
    if isinstance(value, (sp.tanh, sp.exp, sp.log)):
        return f"\\{value.func.__name__}({_latex(value.args[0])})"
    return str(sp.latex(value))


def _decimal_text(value: sp.Rational) -> str:
    return write_latex(present(from_sympy(sp.Matrix([[value]])).rows[0][0]))


__all__ = ["evaluate_block"]
