"""Names that an author introduces beside those of the cell: other names for its quantities, abbreviations, recursions.

A recursion is zero beyond the ends of the sequence unless the author says otherwise; a line for a fixed time, such as
``g_T = ...``, goes before the one for every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from sympy import Expr

from derive import expressions as e
from derive.errors import BpttError, MissingRuleError, ParseError, ShapeError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.notation import surface as s
from derive.notation.elaborate import Context, build_together, elaborate, resolve
from derive.notation.references import ReferenceReader
from derive.notation.scope import find_timed
from derive.substitute import substitute
from derive.system import RecurrentSystem, leaves
from numeric.evaluate import Environment, Evaluator
from numeric.functions import Array
from numeric.simulate import OutOfRange, Run
from numeric.trees import Tree
from verify.conventions import Definition, conventional, unclear

MOST_NAMES = 200
"""The most names that a document introduces."""


class Names:
    """The names of a cell, with those of an author.

    Parameters
    ----------
    system      : the cell.
    definitions : what the author introduces, in the order of the document.
    """

    def __init__(self, system: RecurrentSystem, definitions: Sequence[Definition] = ()) -> None:
        self.system = system
        self.definitions = tuple(definitions)
        self.lines: dict[str, list[Definition]] = {}
        for definition in definitions:
            self.lines.setdefault(definition.key, []).append(definition)
        known = {*system.shapes, *system.adjoint_owners}
        usual = {one.key: one for one in reversed(conventional(system))}
        self.conventions = frozenset(usual) - known
        """Names that everybody uses, and that mean the same unless the author says otherwise."""
        self.unclear = {key: keys for key, keys in unclear(system).items() if key not in self.lines}
        """Conventional names that may stand for several quantities of the cell, where the author does not say for which."""
        for key in self.conventions:
            self.lines.setdefault(key, [usual[key]])

    @cached_property
    def context(self) -> Context:
        """What formulas may use."""
        known = self.system.context
        timed = {key for key, lines in self.lines.items() if isinstance(lines[0].lhs, e.Timed)}
        shapes = {key: lines[0].lhs.shape for key, lines in self.lines.items()}
        scope = known.scope.with_names(timed=timed, names=set(shapes))
        return replace(known, scope=scope, shapes={**known.shapes, **shapes})

    @cached_property
    def recursive(self) -> frozenset[str]:
        """Names that are made of themselves at other times, be it by way of others."""
        reads = {
            key: {leaf.name for line in lines for leaf in leaves(line.rhs)} & set(self.lines)
            for key, lines in self.lines.items()
        }
        found = set()
        for key in reads:
            reached, pending = set[str](), list(reads[key])
            while pending:
                name = pending.pop()
                if name not in reached:
                    reached.add(name)
                    pending += reads[name]
            if key in reached:
                found.add(key)
        return frozenset(found)

    def is_of_derivatives(self, key: str) -> bool:
        """Whether a name is an adjoint, or is made of derivatives."""
        pending, seen = [key], set[str]()
        while pending:
            name = pending.pop()
            if name in self.system.adjoint_owners:
                return True
            if name not in seen:
                seen.add(name)
                for line in self.lines.get(name, ()):
                    if line.rhs.has(e.Derivative, e.Gradient):
                        return True
                    pending += [leaf.name for leaf in leaves(line.rhs)]
        return False

    @cached_property
    def _aliases(self) -> Mapping[str, Definition]:
        """Names that are nothing but other names."""
        return {
            key: lines[0]
            for key, lines in self.lines.items()
            if len(lines) == 1 and isinstance(lines[0].rhs, (e.Timed, e.Var)) and not lines[0].recursive
        }

    def plain(self, node: e.Node) -> e.Node:
        """A formula in which other names for quantities, and whatever is differentiated, are written in the cell's own names.

        Raises
        ------
        MissingRuleError : a derivative of or by what the author made of other derivatives, or by a recursion.
        """
        if not self.lines:
            return node
        own = {leaf: self._meant(leaf) for leaf in leaves(node) if leaf.name in self._aliases}
        node = node.xreplace(own) if own else node
        inside: dict[e.Node, e.Node] = {}
        for derivative in node.atoms(e.Derivative, e.Gradient):
            parts = derivative.operands
            named = {leaf for part in parts for leaf in leaves(part) if leaf.name in self.lines}
            if named:
                written = [part.xreplace({leaf: self._meant(leaf) for leaf in named}) for part in parts]
                inside[derivative] = _by_turned(derivative.with_operands(written))
        return node.xreplace(inside) if inside else node

    def as_written(self, node: e.Node, keys: Iterable[str]) -> e.Node:
        """A formula with the author's names for the cell's own, where he uses them: of ``keys``, those that are nothing but other names."""
        known = set(keys)
        other = {
            line.rhs.name: line
            for key, line in self._aliases.items()
            if key in known and isinstance(line.rhs, (e.Timed, e.Var)) and line.rhs.name not in known
        }
        found: dict[e.Node, e.Node] = {}
        for leaf in leaves(node):
            line = other.get(leaf.name)
            if line is None:
                continue
            if isinstance(leaf, e.Timed) and isinstance(line.lhs, e.Timed) and isinstance(line.rhs, e.Timed):
                found[leaf] = line.lhs.at(leaf.time + line.lhs.time - line.rhs.time)
            elif isinstance(leaf, e.Var) and isinstance(line.lhs, e.Var):
                found[leaf] = line.lhs
        return node.xreplace(found) if found else node

    def _meant(self, leaf: e.Timed | e.Var) -> e.Node:
        lines = self.lines[leaf.name]
        if len(lines) > 1 or leaf.name in self.recursive:
            raise MissingRuleError(f"a derivative of or by {leaf}, which is given by a recursion, is not taken")
        line = lines[0]
        return line.rhs if line.letter is None else line.rhs.xreplace({line.letter: _solved(line, leaf)})

    @cached_property
    def in_columns(self) -> Names:
        """The names as somebody means them who writes derivatives of numbers by vectors as columns: g_t = ∂L_t/∂h_t is one."""
        return Names(self.system, [_as_column(one) for one in self.definitions])

    # -- reading -----------------------------------------------------------------------------------

    def defines(self, relation: e.Relation) -> bool:
        """Whether an equation is one by which a name was introduced."""
        lines = self.lines.get(getattr(relation.lhs, "name", ""), ())
        return any((line.lhs, line.rhs) == (relation.lhs, relation.rhs) for line in lines)

    def known(self, key: str) -> bool:
        """Whether a name stands for something."""
        return key in self.context.shapes

    def key_of(self, left: s.Surface, timed: Iterable[str] = ()) -> tuple[str, bool] | None:
        """The name that a left side is, and whether it has a time; None where it is no name.

        Parameters
        ----------
        timed : names that have a time elsewhere.
        """
        scope = self.context.scope.with_names(timed=set(timed) - self.context.scope.names)
        scope = scope.with_names(timed=find_timed([left], scope))
        try:
            reference = ReferenceReader(scope).reference(left)
        except BpttError:
            return None
        if reference is None or reference.acting or reference.slices is not None:
            return None
        return reference.name.key, reference.time is not None

    def keys_in(self, surface: s.Surface) -> set[str]:
        """The names that a formula reads."""
        bases = {id(node.base) for node in surface.walk() if isinstance(node, s.Scripted)}
        parts = [node for node in surface.walk() if isinstance(node, (s.Name, s.Scripted, s.Accent))]
        return {found[0] for node in parts if id(node) not in bases and (found := self.key_of(node)) is not None}

    def defined(self, surfaces: Sequence[s.Relation], timed: Iterable[str] = ()) -> list[Definition]:
        """What equations of the form ``name = formula`` say, which may speak of each other.

        Raises
        ------
        BpttError : a formula cannot be read, or a left side is no name.
        """
        known, keys = self.context, [self.key_of(surface.items[0], timed) for surface in surfaces]
        if None in keys:
            raise ParseError("this is no definition", span=surfaces[keys.index(None)].span, expected="name = formula")
        pairs = [key for key in keys if key is not None]
        scope = known.scope.with_names(timed={key for key, has in pairs if has}, names={key for key, _ in pairs})
        open_ = {key for key, _ in pairs if key not in self.lines or key in self.conventions}
        shapes = {name: shape for name, shape in known.shapes.items() if name not in open_}
        context = replace(known, scope=scope, shapes=shapes)
        try:
            nodes = build_together([resolve(surface, context) for surface in surfaces], context)
        except ShapeError:
            if len(surfaces) > 1:
                raise
            return [self._as_it_comes(surfaces[0], replace(context, scope=scope))]
        found = []
        for node, surface in zip(nodes, surfaces, strict=True):
            if not isinstance(node, e.Relation) or not isinstance(node.lhs, (e.Timed, e.Var)):
                raise ParseError("this is no definition", span=surface.span, expected="name = formula")
            found.append(Definition(node.lhs, node.rhs, surface.span))
        return found

    def _as_it_comes(self, surface: s.Relation, context: Context) -> Definition:
        """A name in the shape of its formula, such as a row; a letter is taken for a vector or a matrix first."""
        right = elaborate(surface.items[1], context)
        reference = ReferenceReader(context.scope).reference(surface.items[0])
        if reference is None:
            raise ParseError("this is no definition", span=surface.span, expected="name = formula")
        key, time = reference.name.key, reference.time
        if len(right.shape) > 2:
            raise MissingRuleError(f"{right} has more than two indices, so that no name is given to it")
        left = e.Var(key, *right.shape) if time is None else e.Timed(key, time, *right.shape)
        return Definition(left, right, surface.span)

    def with_definitions(self, more: Iterable[Definition]) -> Names:
        """These names and others."""
        return Names(self.system, [*self.definitions, *more][:MOST_NAMES])

    # -- values ------------------------------------------------------------------------------------

    def environment(self, run: Run) -> Environment:
        """Where values come from in a run."""
        return _Named(run, self) if self.lines else run

    def moments(self, leaf: e.Timed, run: Run) -> tuple[int, int]:
        """At which times an author's name may be looked at."""
        inside = leaf.time.is_Symbol
        return (1, run.length) if inside else (0, run.length + max(run.system.max_lag, 1))


def _by_turned(node: e.Node) -> e.Node:
    """A derivative of a number by a transposed matrix: that by the matrix, transposed."""
    if not isinstance(node, (e.Derivative, e.Gradient)) or not isinstance(node.by, e.Transpose):
        return node
    by = node.by.operands[0]
    if isinstance(node, e.Gradient):
        return e.Transpose(e.Gradient(by, node.of))
    if not node.of.is_scalar:
        raise MissingRuleError(f"a derivative by {node.by} is not taken")
    return e.Transpose(e.Derivative(node.of, by, "immediate" if node.immediate else "total"))


def _as_column(found: Definition) -> Definition:
    """A name for a derivative that is a row, as a column."""
    lhs, rhs = found.lhs, found.rhs
    if (
        not isinstance(rhs, e.Derivative)
        or not rhs.of.is_scalar
        or rhs.by.is_scalar
        or rhs.shape != (ONE, rhs.by.shape[0])
    ):
        return found
    shape = rhs.by.shape
    column = e.Timed(lhs.name, lhs.time, *shape) if isinstance(lhs, e.Timed) else e.Var(lhs.name, *shape)
    return Definition(column, e.Transpose(rhs), found.span)


def _time(leaf: e.Timed | e.Var, evaluator: Evaluator) -> int | None:
    return evaluator.integer(leaf.time) if isinstance(leaf, e.Timed) else None


def _solved(line: Definition, leaf: e.Timed | e.Var) -> Expr:
    """What the letter of a definition is, for the name at some time."""
    if not isinstance(line.lhs, e.Timed) or not isinstance(leaf, e.Timed):
        raise MissingRuleError(f"{leaf} has a time here, and none in its definition")
    return leaf.time - (line.lhs.time - line.letter)


class _Named:
    """A run in which the author's names have values too."""

    def __init__(self, run: Run, names: Names) -> None:
        self.run, self.names = run, names
        self.known: dict[tuple[str, int | None], Array] = {}
        self._computing: set[tuple[str, int | None]] = set()

    @property
    def tree(self) -> Tree | None:
        return self.run.tree

    def value(self, key: str, time: int | None) -> Array:
        if key not in self.names.lines:
            return self.run.value(key, time)
        point = (key, time)
        if point not in self.known:
            if point in self._computing:
                raise MissingRuleError(f"{key} at {time} is made of itself")
            self._computing.add(point)
            try:
                self.known[point] = self._compute(key, time)
            finally:
                self._computing.discard(point)
        return self.known[point]

    def _compute(self, key: str, time: int | None) -> Array:
        lines = self.names.lines[key]
        plain = Evaluator(self, self.run.sizes)
        shape = tuple(plain.integer(size) for size in lines[0].lhs.shape)
        for line in lines:
            if line.letter is None and (time is None or _time(line.lhs, plain) == time):
                return self._of(line, {}, shape)
        if key in self.names.recursive and time is not None and not self._is_inside(key, time):
            return np.zeros(shape)
        for line in lines:
            if line.letter is not None and time is not None and isinstance(line.lhs, e.Timed):
                offset = int(line.lhs.time - line.letter)
                return self._of(line, {line.letter.name: time - offset}, shape)
        raise OutOfRange(f"{key} is not defined at {time}")

    def _of(self, line: Definition, times: Mapping[str, int], shape: tuple[int, ...]) -> Array:
        rhs = self._inside(line, self.names.plain(line.rhs), times)
        if any(leaf.name == line.key and isinstance(leaf, e.Var) for leaf in leaves(rhs)):
            raise MissingRuleError(f"{line.key} is made of itself")
        value = Evaluator(self, self.run.sizes, dict(times))(rhs)
        return value if value.shape == shape else value + np.zeros(shape)

    def _inside(self, line: Definition, rhs: e.Node, times: Mapping[str, int]) -> e.Node:
        """A recursion in which what is zero beyond the ends makes zero what it multiplies, even what has no value there."""
        plain = Evaluator(self, self.run.sizes, dict(times))
        beyond = {
            leaf: make.zero(leaf.shape)
            for leaf in leaves(rhs)
            if isinstance(leaf, e.Timed)
            and leaf.name in self.names.recursive
            and {symbol.name for symbol in leaf.time.free_symbols} <= {*times, "T"}
            and self._is_beyond(leaf.name, plain.integer(leaf.time))
        }
        return substitute(rhs, beyond) if beyond else rhs

    def _is_beyond(self, key: str, time: int) -> bool:
        """Whether a recursion has no value at a time, neither inside the sequence nor by a line for that very time."""
        plain = Evaluator(self, self.run.sizes)
        fixed = (_time(line.lhs, plain) for line in self.names.lines[key] if line.letter is None)
        return not self._is_inside(key, time) and time not in fixed

    def _is_inside(self, key: str, time: int) -> bool:
        """Whether a line of a recursion speaks of a time: g_{t+1} = … of 2 to T + 1, and of the sequence."""
        steps = range(1, self.run.length + 1)
        lines = [line for line in self.names.lines[key] if line.letter is not None and isinstance(line.lhs, e.Timed)]
        return time in steps or any(time - int(line.lhs.time - line.letter) in steps for line in lines)

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.run.function(node, time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        return self.run.derivative(node, evaluator)


__all__ = ["Names"]
