"""Reading the text of a cell: equations, declarations, initial values and the loss, with the shapes of all names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Symbol

from derive import expressions as e
from derive.cell_lines import CellLines, sort_lines, summed_to_one
from derive.declared import declared_sizes, letters_of_sizes
from derive.errors import AmbiguityError, BpttError, CellError, ParseError
from derive.expressions.node import Shape, is_vector
from derive.notation import surface as s
from derive.notation.elaborate import Builder, Context
from derive.notation.infer import NameInfo, infer, one_hot_labels, walk
from derive.notation.names import QName
from derive.notation.operations import Pre
from derive.notation.parser import parse_lines
from derive.notation.references import ReferenceReader
from derive.notation.resolve import Resolver
from derive.notation.scope import (
    LOSS_LETTERS,
    OBJECTIVE_LETTERS,
    Scope,
    bound_letters,
    find_timed,
    time_letter,
)
from derive.notation.sizes import name_sizes
from derive.notation.source import Source, Span
from derive.notation.time_style import style_of, with_subscripts
from derive.notation.trees import tree_letters, with_edges
from derive.notation.vocabulary import NATURALS
from derive.tree import TreeIndices, check_kinds, check_reads_nodes, letters_of, unified

_LENGTH = e.size("T")
_DERIVATIVES = ("derivative", "derivative_operator", "gradient", "differential")

_DIRECTIVE = re.compile(r"^[ \t]*[%#][ \t]*([A-Za-z]+)[ \t]*:[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Equation:
    """One definition: a timed quantity at the time t, or a quantity without time."""

    key: str
    lhs: e.Node
    rhs: e.Node
    span: Span | None = None


@dataclass(frozen=True)
class Range:
    """Numbers between which every entry of a quantity lies; None where there is no bound."""

    low: Expr | None
    high: Expr | None


@dataclass(frozen=True)
class CellText:
    """What a text says, with every shape found."""

    source: Source
    time: Symbol
    tree: TreeIndices | None
    layout: str
    equations: tuple[Equation, ...]
    initial: Mapping[e.Node, e.Node]
    loss: e.Node | None
    loss_span: Span | None
    loss_name: str
    shapes: Mapping[str, Shape]
    labels: frozenset[str]
    ranges: Mapping[str, Range]
    """Between which numbers a quantity is assumed to lie."""
    unit_sums: frozenset[str]
    """Vectors whose entries are assumed to be positive and to add up to one, as those of a distribution."""
    length_declared: bool
    """Whether the text says that T, where a step uses it as a number, is the length."""
    directives: Mapping[str, str]
    context: Context


def read_cell_text(text: str | Source) -> CellText:
    """Read a cell.

    Raises
    ------
    ParseError, ShapeError, AmbiguityError, CellError : with the place in the text.
    """
    source = text if isinstance(text, Source) else Source(text)
    directives = {match.group(1).lower(): match.group(2) for match in _DIRECTIVE.finditer(source.text)}
    lines = parse_lines(source)
    style = style_of(item for line in lines for item in line.items)
    if style is not None:
        lines = tuple(replace(line, items=tuple(with_subscripts(item, style) for item in line.items)) for line in lines)
    tree = tree_letters(item for line in lines for item in line.items)
    lines = tuple(replace(line, items=tuple(with_edges(item, tree) for item in line.items)) for line in lines)
    parts = sort_lines(lines, source)
    parts.style, parts.tree = style, tree
    return _Reader(source, directives, parts).read()


class _Reader:
    """Finds names, shapes and expressions of one cell."""

    def __init__(self, source: Source, directives: Mapping[str, str], parts: CellLines) -> None:
        self.source = source
        self.directives = directives
        self.parts = parts
        self.length_declared = _take_length(parts)
        self.objective = self._objective()
        self.scope = self._scope()
        self.resolver = Resolver(self.scope)
        indices = {self.scope.time, *(parts.tree.children if parts.tree else ())}
        self.declared = declared_sizes(parts.declarations, self.resolver.references, indices)

    def _scope(self) -> Scope:
        equations = self.parts.equations
        time = time_letter(equations, [equation.items[0] for equation in equations])
        indices = frozenset(letter for letter in bound_letters(equations) if letter not in ("T",) and len(letter) == 1)
        indices |= self.parts.tree.children if self.parts.tree else frozenset()
        sizes = frozenset(
            str(symbol) for _, relation in self.parts.declarations for symbol in letters_of_sizes(relation.items[1])
        )
        functions = frozenset(key for key in map(_function_key, self.parts.functions))
        scope = Scope(
            time=time,
            indices=indices,
            functions=functions,
            style=self.parts.style,
            tree=self.parts.tree,
            in_cell=True,
            sizes=sizes - {time},
            losses=LOSS_LETTERS | ({self.objective} if self.objective else set()),
        )
        named = [*(name for name, _ in self.parts.declarations), *self.parts.unit_sums]
        scope = replace(scope, timed=find_timed([*equations, *named], scope))
        declared = (ReferenceReader(scope).reference(name) for name, _ in self.parts.declarations)
        scope = replace(
            scope, declared=frozenset(reference.name.key for reference in declared if reference is not None)
        )
        defined = {self._reference(equation.items[0], scope)[0].key for equation in equations}
        return scope.with_names(names=defined - scope.losses)

    def _objective(self) -> str | None:
        """A loss by another letter: J = \\sum_t L_t(h_t)."""
        for equation in self.parts.equations:
            left = equation.items[0]
            sums = any(isinstance(part, s.Big) and part.kind == "sum" for part in equation.items[1].walk())
            if isinstance(left, s.Name) and left.text in OBJECTIVE_LETTERS and sums:
                return left.text
        return None

    def _is_loss(self, name: QName) -> bool:
        return name.base in LOSS_LETTERS or name.key == self.objective

    def _reference(self, node: s.Surface, scope: Scope) -> tuple[QName, Expr | None]:
        reference = ReferenceReader(scope).reference(node)
        if reference is None or reference.acting:
            raise ParseError(
                "the left side of an equation is the name of the quantity that it defines",
                span=node.span,
                expected="a name such as h_t",
            )
        return reference.name, reference.time

    def read(self) -> CellText:
        time = self.scope.symbol(self.scope.time)
        lefts = [self._reference(equation.items[0], self.scope) for equation in self.parts.equations]
        pres = [self._resolve(equation) for equation in self.parts.equations]
        infos = self._infos(pres, lefts)
        self._check_defined(infos, lefts)
        self._check_slips(infos, lefts, pres)
        layouts = ("row",) if any(len(d) == 2 and d[0] == 1 for d in self.declared.values()) else ("column", "row")
        inference = infer(pres, infos, layouts)
        name_sizes(inference.solver, self._wanted(inference.shapes, lefts, infos), self._taken(infos))
        shapes = {key: inference.solver.shape(shape) for key, shape in inference.shapes.items()}
        builder = Builder(inference)
        tree, equations, initial, loss, loss_name = self._build(builder, pres, lefts, time)
        labels = frozenset(key for key, info in infos.items() if info.integer)
        context = Context(
            replace(
                self.scope,
                open=False,
                in_cell=False,
                names=frozenset(shapes) - LOSS_LETTERS | frozenset(k for k in shapes if k in LOSS_LETTERS),
            ),
            shapes,
            inference.layout,
            _bare_functions(equations),
        )
        return CellText(
            self.source,
            time,
            tree,
            inference.layout,
            tuple(equations),
            initial,
            loss,
            self._loss_span(lefts),
            loss_name,
            shapes,
            labels,
            self._ranges(shapes, {name.key for name, _ in lefts}),
            self._unit_sums(shapes, {name.key for name, _ in lefts}),
            self.length_declared,
            self.directives,
            context,
        )

    def _loss_span(self, lefts: Sequence[tuple[QName, Expr | None]]) -> Span | None:
        places = [
            q.span
            for q, (name, when) in zip(self.parts.equations, lefts, strict=True)
            if when is None and self._is_loss(name)
        ]
        return places[-1] if places else None

    def _ranges(self, shapes: Mapping[str, Shape], defined: set[str]) -> dict[str, Range]:
        """``0 < \\alpha < 1``, ``c \\ge 0``: what is assumed of parameters and inputs."""
        found: dict[str, Range] = {}
        for relation in self.parts.assumptions:
            names = [k for k, item in enumerate(relation.items) if _number(item, self.resolver.references) is None]
            reference = self.resolver.references.reference(relation.items[names[0]]) if len(names) == 1 else None
            key = reference.name.key if reference is not None else ""
            if key not in shapes or key in defined:
                raise ParseError(
                    "an assumption bounds one parameter or input by numbers",
                    span=relation.span,
                    expected="such as 0 < \\alpha < 1",
                )
            low, high = _bounds(relation, names[0], self.resolver.references)
            if low is not None and high is not None and not (low < high) == True:  # noqa: E712 (a SymPy truth value)
                raise CellError(f"there is no number between {low} and {high}", span=relation.span)
            found[key] = Range(low, high)
        return found

    def _unit_sums(self, shapes: Mapping[str, Shape], defined: set[str]) -> frozenset[str]:
        """``\\mathbf{1}^\\top y_t = 1``: vectors that are distributions."""
        found = set()
        for relation in self.parts.unit_sums:
            vector = summed_to_one(relation)
            reference = None if vector is None else self.resolver.references.reference(vector)
            key = reference.name.key if reference is not None else ""
            if key not in shapes or key in defined or not is_vector(shapes[key]):
                raise ParseError(
                    "an assumption about a sum is one about a vector that is given",
                    span=relation.span,
                    expected="an input or a parameter, as in \\mathbf{1}^\\top y_t = 1",
                )
            found.add(key)
        return frozenset(found)

    def _check_length(self, pre: Pre) -> None:
        """T as a number inside a step may be the author's own parameter, such as a temperature."""
        time = self.scope.symbol(self.scope.time)
        numbers = [node for node in walk(pre) if node.op == "scalar"]
        position = any(node.data[0].has(time) for node in numbers)  # t/T speaks of the length
        left = pre.args[0]
        if self.length_declared or position or left.op != "name" or left.data[1] is None:
            return
        for node in numbers:
            if node.data[0] == _LENGTH:
                raise AmbiguityError(
                    "T is the length of the sequence, or a parameter of this name?",
                    span=node.span,
                    expected="another name for a parameter, such as \\tau",
                    hint="if the length is meant, say so by a line T \\in \\mathbb{N}",
                )

    def _resolve(self, equation: s.Relation) -> Pre:
        try:
            pre = self.resolver.expression(equation)
            self._check_length(pre)
            _check_kronecker(pre)
            for node in walk(pre):
                if node.op in _DERIVATIVES:
                    raise CellError(
                        "a derivative inside a cell",
                        span=node.span,
                        expected="equations that compute each quantity from others",
                        hint="write the derivative out, or define an abstract function",
                    )
            return pre
        except BpttError as error:
            if equation.span is not None:
                error.at(equation.span)
            raise

    # -- names -------------------------------------------------------------------------------------

    def _infos(self, pres: Sequence[Pre], lefts: Sequence[tuple[QName, Expr | None]]) -> dict[str, NameInfo]:
        # A loss is a number, whatever its letter would be otherwise.
        declared = {**{name.key: () for name, _ in lefts if self._is_loss(name)}, **self.declared}
        integers = {label for pre in pres for label in one_hot_labels(pre)}
        timed: dict[str, bool] = {}
        for pre in pres:
            for node in walk(pre):
                if node.op == "name":
                    key, time = node.data
                    timed[key] = timed.get(key, False) or time is not None
        for key in declared:
            timed.setdefault(key, key in self.scope.timed)
        return {
            key: NameInfo(key, is_timed, None, key in integers, declared.get(key)) for key, is_timed in timed.items()
        }

    def _check_defined(self, infos: Mapping[str, NameInfo], lefts: Sequence[tuple[QName, Expr | None]]) -> None:
        """A left side that is read as a function, such as sigma', defines nothing."""
        for (name, _), equation in zip(lefts, self.parts.equations, strict=True):
            if name.key not in infos:
                raise CellError(
                    f"{name.key} is a function, and no quantity",
                    span=equation.items[0].span,
                    expected="equations that define quantities, such as h_t = ...",
                )

    def _check_slips(
        self, infos: Mapping[str, NameInfo], lefts: Sequence[tuple[QName, Expr | None]], pres: Sequence[Pre]
    ) -> None:
        """A timed name that is never defined is an input, unless it looks like a slip for a defined one."""
        defined = {name for name, _ in lefts}
        keys = {name.key for name in defined}
        for key, info in infos.items():
            if not info.timed or key in keys or info.declared is not None:
                continue
            name = QName.from_key(key)
            if name.primes:
                raise AmbiguityError(
                    f"{key} is never defined; the prime may mean a transpose, a derivative or another quantity",
                    span=_place_of(key, pres),
                    expected="a^\\top for a transpose, \\phi'(z) for the derivative of a function",
                    hint=f"if {key} is an input of its own, declare it: {key} \\in \\mathbb{{R}}^{{d}}",
                )
            for other in defined:
                same_letters = other.key.lower() == key.lower()
                other_accent = bool(name.accents and other.accents) and replace(name, accents=other.accents) == other
                if same_letters or other_accent:
                    raise AmbiguityError(
                        f"{key} is never defined, but {other.key} is",
                        span=_place_of(key, pres),
                        expected=f"{other.key}, or a definition of {key}",
                        hint=f"if {key} is an input of its own, declare it: {key} \\in \\mathbb{{R}}^{{d}}",
                    )

    def _wanted(
        self, shapes: Mapping[str, Shape], lefts: Sequence[tuple[QName, Expr | None]], infos: Mapping[str, NameInfo]
    ) -> list[tuple[str, Shape]]:
        """Which size letter each name would like: n for states, m for other quantities, d for inputs."""
        defined = [name.key for name, time in lefts if time is not None]
        states = [key for key in defined if self._is_state(key)]
        inputs = [key for key, info in infos.items() if info.timed and key not in defined]
        wanted = [("n", shapes[key]) for key in states]
        wanted += [("d", shapes[key]) for key in inputs if key[:1] not in "yYpP"]
        wanted += [("m", shapes[key]) for key in (*defined, *inputs)]
        if not defined:  # a formula without time, such as y = sigma(W x)
            outputs = [name.key for name, _ in lefts]
            wanted += [("n", shapes[key]) for key in outputs]
            wanted += [("d", shapes[key]) for key in infos if key[:1].islower() and key not in outputs]
        return wanted + [("", shape) for shape in shapes.values()]

    def _is_state(self, key: str) -> bool:
        return any(
            node.op == "name" and node.data[0] == key and node.data[1] is not None and node.data[1] != when
            for equation in self.parts.equations
            if (when := self._reference(equation.items[0], self.scope)[1]) is not None
            for node in walk(self.resolver.expression(equation.items[1]))
        )

    def _taken(self, infos: Mapping[str, NameInfo]) -> set[str]:
        declared = {str(symbol) for sizes in self.declared.values() for size in sizes for symbol in size.free_symbols}
        untimed = {key for key, info in infos.items() if not info.timed}
        nodes = self.parts.tree.children if self.parts.tree else frozenset()
        return declared | untimed | nodes | {self.scope.time, "T"}

    # -- expressions -------------------------------------------------------------------------------

    def _build(
        self, builder: Builder, pres: Sequence[Pre], lefts: Sequence[tuple[QName, Expr | None]], time: Symbol
    ) -> tuple[TreeIndices | None, list[Equation], dict[e.Node, e.Node], e.Node | None, str]:
        equations: list[Equation] = []
        initial: dict[e.Node, e.Node] = {}
        places: dict[e.Node, Span | None] = {}
        loss: e.Node | None = None
        loss_name = "L"
        sides = [tuple(builder.build(arg) for arg in pre.args) for pre in pres]
        tree = None
        if self.parts.tree is not None:
            names = {QName.from_key(key).base for key in self.declared} | {name.base for name, _ in lefts}
            tree = letters_of(time, (when for _, when in lefts), (right for _, right in sides), names)
        for (left, right), (name, when), surface in zip(sides, lefts, self.parts.equations, strict=True):
            key = name.key
            if when is None and self._is_loss(name):
                loss, loss_name = right, key
                if tree is not None:
                    check_reads_nodes(tree, "the loss", loss, surface.span)
                continue
            if tree is not None and when is None:
                check_reads_nodes(tree, key, right, surface.span)
            if tree is not None and when is not None:
                left, right = unified(tree, left, right, surface.span)
                when = time
            if when is not None and not when.has(time):
                _check_start(left, when, surface)
                initial[left] = right
                places[left] = surface.span
                continue
            shift = Integer(0) if when is None else when - time
            if not shift.is_Integer:
                raise CellError(
                    f"{key} is defined at {when}",
                    span=surface.items[0].span,
                    expected=f"its value at {time} or {time}+1",
                )
            if shift != 0:
                left, right = left.xreplace({time: time - shift}), right.xreplace({time: time - shift})
            if any(equation.key == key for equation in equations):
                raise CellError(
                    f"{key} is defined twice", span=surface.items[0].span, expected="one equation for each quantity"
                )
            equations.append(Equation(key, left, right, surface.span))
        if tree is not None:
            whole = [(part, q.span) for q in equations for part in (q.lhs, q.rhs)]
            check_kinds([*whole, *([] if loss is None else [(loss, self._loss_span(lefts))])])
        _check_starting_values(initial, places, {equation.key for equation in equations})
        if not equations:
            raise CellError(
                "no quantity is defined",
                span=Span(0, 1, self.source),
                expected="an equation such as h_t = \\tanh(W h_{t-1} + U x_t + b)",
            )
        return tree, equations, initial, loss, loss_name


def _number(item: s.Surface, references: ReferenceReader) -> Expr | None:
    value = references.index_or_none(item)
    return value if value is not None and value.is_number else None


def _bounds(relation: s.Relation, place: int, references: ReferenceReader) -> tuple[Expr | None, Expr | None]:
    """The numbers below and above the item at a place of a chain of comparisons."""
    low: Expr | None = None
    high: Expr | None = None
    for k, operator in enumerate(relation.operators):
        left, right = relation.items[k : k + 2]
        if k == place:
            value, above = _number(right, references), operator in ("<", "<=")
        elif k + 1 == place:
            value, above = _number(left, references), operator in (">", ">=")
        else:
            continue
        if value is None:
            raise ParseError("this bound is no number", span=relation.span, expected="such as 0 < \\alpha < 1")
        low, high = (low, value) if above else (value, high)
    return low, high


def _check_kronecker(pre: Pre) -> None:
    """Some authors write the elementwise product as ⊗."""
    for node in walk(pre):
        if node.op == "kron":
            raise AmbiguityError(
                "⊗ may be the elementwise, the outer or the Kronecker product",
                span=node.span,
                expected="\\odot entry by entry, or a b^\\top for the outer product",
            )


def _take_length(parts: CellLines) -> bool:
    """Whether ``T \\in \\mathbb{N}`` is declared; the line is taken out."""
    own = [pair for pair in parts.declarations if isinstance(pair[0], s.Name) and pair[0].text == "T"]
    for name, relation in own:
        space = relation.items[1]
        if not isinstance(space, s.Name) or space.text != NATURALS:
            raise ParseError(
                "T is the length of the sequence",
                span=name.span,
                expected="T \\in \\mathbb{N}, or another name for a parameter",
            )
    parts.declarations = [pair for pair in parts.declarations if pair not in own]
    return bool(own)


def _place_of(key: str, pres: Sequence[Pre]) -> Span | None:
    """Where a name occurs first."""
    return next((node.span for pre in pres for node in walk(pre) if node.op == "name" and node.data[0] == key), None)


def _check_start(left: e.Node, when: Expr, surface: s.Relation) -> None:
    """A value that is given stands outside the steps, which are computed."""
    if (when - 1).is_nonnegative and not (when - _LENGTH).is_positive:
        raise CellError(
            f"{left} is a step of its own, but every step follows the same equations",
            span=surface.items[0].span,
            expected="a starting value, such as the one at 0",
            hint="write the first step by the equation of all steps, with a starting value and a zero input",
        )


def _check_starting_values(
    initial: Mapping[e.Node, e.Node], places: Mapping[e.Node, Span | None], defined: set[str]
) -> None:
    """A sequence starts from what is known before it runs."""
    for start, value in initial.items():
        for leaf in value.atoms(e.Timed):
            if leaf.name in defined and leaf not in initial and not (leaf.time - 1).is_negative:
                raise CellError(
                    f"the starting value {start} is made of {leaf}, which is computed from it",
                    span=places[start],
                    expected="a value that is known before the first step",
                )


def _function_key(node: s.Surface) -> str:
    scripted = node if isinstance(node, s.Scripted) else s.Scripted(node)
    if not isinstance(scripted.base, s.Name):
        raise ParseError(
            "only a name is declared as a function",
            span=node.span,
            expected="\\phi \\colon \\mathbb{R} \\to \\mathbb{R}",
        )
    labels = tuple(sub.text for sub in scripted.subs if isinstance(sub, s.Name))
    return QName(scripted.base.text, (), labels).key


def _bare_functions(equations: Sequence[Equation]) -> dict[str, e.Node]:
    """What sigma' alone means: the one argument that the function has in the cell."""
    found: dict[str, set[e.Node]] = {}
    for equation in equations:
        for node in e.children_first(equation.rhs):
            if isinstance(node, e.Apply):
                found.setdefault(node.function, set()).add(node.argument)
    return {name: next(iter(arguments)) for name, arguments in found.items() if len(arguments) == 1}
