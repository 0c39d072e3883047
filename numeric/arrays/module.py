"""A program as a module of an array library: a function for each pass, and the helpers that they use."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Protocol

from sympy import Expr, Integer, Symbol

from derive import expressions as e
from derive.notation.names import alias_of
from derive.system import RecurrentSystem, T, leaves
from numeric.arrays.code import ArrayCode, number_code
from numeric.arrays.helpers import helper_names, helper_source
from numeric.arrays.library import Library
from numeric.arrays.numpy_library import NUMPY
from numeric.arrays.places import STEP, Once, Places, Rows, Step
from numeric.arrays.sums import Sums
from numeric.arrays.tree_places import ALL, NODE, TreePlaces
from numeric.lower import LOSS, WEIGHT, Equations, cotangent_key
from numeric.program import Program, Stage, Statement, Storage
from numeric.trees import places_in

_WIDEST = 110
"""Characters of a line with its comment."""
_RESERVED = {
    "np", "torch", "jax", "jnp", "lax", "math", "T", "B", "t", "dtype", "like", "given", "kept", "sizes", "arrays", "forward", "backward",
    "one_step", "carried", "parent", "children", "nodes", "below", *(f"child_{place}" for place in range(1, 10)), *helper_names(NUMPY),
    *keyword.kwlist,
}  # fmt: skip


@dataclass(frozen=True)
class Start:
    """A value that the sequence starts from, and the argument that brings it."""

    leaf: e.Timed
    argument: str


class Passes(Protocol):
    """Both passes of a program: what :meth:`Writer.source` defines."""

    @property
    def forward(self) -> Callable[..., Mapping[str, Any]]:
        """Of length, batch, sizes, what arrays are made like, and arguments: all quantities."""

    @property
    def backward(self) -> Callable[..., Mapping[str, Any]]:
        """Of the same and what the forward pass gave: the gradients."""


class Writer:
    """Writes one program."""

    def __init__(self, equations: Equations, program: Program, library: Library = NUMPY) -> None:
        self.library = library
        self.equations = equations
        self.system: RecurrentSystem = equations.system
        self.program = program
        self.helpers: set[str] = set()
        self.comments = False
        self.adjoints = False
        self._names: dict[str, str] = {}

    # -- names -------------------------------------------------------------------------------------

    def called(self, key: str) -> str:
        """The Python name of a quantity."""
        if key not in self._names:
            name = alias_of(key)
            sizes = {
                str(s) for storage in self.program.storages.values() for a in storage.shape for s in a.free_symbols
            }
            while name in _RESERVED or name in sizes or name in self._names.values():
                name += "_"
            self._names[key] = name
        return self._names[key]

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """Starting values that are given from outside."""
        found = []
        for leaf in self.system.starts:
            if leaf not in self.system.initial:
                place = str(leaf.time).replace("-", "minus_").replace(" + ", "_plus_")
                found.append(Start(leaf, f"{self.called(leaf.name)}_at_{place}"))
        return tuple(found)

    @cached_property
    def given(self) -> tuple[str, ...]:
        """Parameters, inputs, cotangents and the weight of the loss, by key."""
        keys = [*self.system.parameters, *self.system.inputs, WEIGHT]
        keys += [cotangent_key(key) for key in self.equations.cotangents]
        return tuple(key for key in keys if key in self.program.storages or key in self.system.shapes)

    def storage(self, key: str) -> Storage:
        """The array of a quantity."""
        return self.program.storages[key]

    # -- source ------------------------------------------------------------------------------------

    def source(self, comments: bool = False, adjoints: bool = False) -> str:
        """The module's functions, with their helpers above.

        Parameters
        ----------
        comments : whether each line says what it computes.
        adjoints : whether the backward pass returns what it kept for every time as well, as ``adjoint`` and the key.
        """
        self.comments, self.adjoints = comments, adjoints
        body = "\n\n\n".join([self._function("forward"), self._function("backward")])
        return "\n\n\n".join([self.library.opening, *helper_source(self.helpers, self.library), body]) + "\n"

    def passes(self, adjoints: bool = False) -> Passes:
        """The module's functions, ready to be called."""
        space = _run(self.source(adjoints=adjoints), f"<{self.system.title or 'cell'}>")
        return SimpleNamespace(forward=space["forward"], backward=space["backward"])

    def _function(self, name: str) -> str:
        stages = self.program.forward if name == "forward" else self.program.backward
        lines = [
            f"def {name}(T, B, sizes, {self.library.kind}, given):"
            if name == "forward"
            else f"def {name}(T, B, sizes, {self.library.kind}, given, kept):"
        ]
        body = [*self._opening(name, stages), *(line for stage in stages for line in self._stage(stage))]
        lines += [f"    {line}".rstrip() for line in (*self._sizes_in(body), *body)]
        lines.append("    return {")
        lines += [f"        {label!r}: {self.called(key)}," for label, key in self._results(name, stages)]
        return "\n".join([*lines, "    }"])

    def _sizes_in(self, body: Sequence[str]) -> Iterator[str]:
        """The sizes that are spoken of."""
        symbols = {s for storage in self.program.storages.values() for size in storage.shape for s in size.free_symbols}
        words = {word for line in body for word in re.findall(r"\w+", line.partition("#")[0])}
        for size in sorted(map(str, symbols)):
            if size in words:
                yield f"{size} = sizes[{size!r}]"

    def _results(self, name: str, stages: tuple[Stage, ...]) -> list[tuple[str, str]]:
        """What a pass returns, and what it is called: gradients by what they are gradients of."""
        if name == "forward":
            return [(self.called(key), key) for key in self._returned(name, stages)]
        found = [(self.argument(key, place), target.name) for (key, place), target in self.program.gradients.items()]
        if not self.adjoints:
            return found
        targets = dict.fromkeys(s.target.name for stage in stages for s in stage.statements)
        return found + [
            (f"adjoint {key}", key) for key in targets if self.storage(key).timed and not self.storage(key).local
        ]

    def argument(self, key: str, place: str) -> str:
        """The argument that brings a parameter, an input, or a starting value at a place."""
        if not place:
            return self.called(key)
        return next(start.argument for start in self.starts if (start.leaf.name, str(start.leaf.time)) == (key, place))

    def kept_forward(self) -> list[str]:
        """What the forward pass computes and somebody reads after it."""
        return self._returned("forward", self.program.forward)

    def piece(self, stage: Stage) -> Callable[..., None]:
        """A stage alone, as a function of length, batch, sizes, type, and all arrays by name, in which it writes its results."""
        self.comments = False
        read = dict.fromkeys(leaf.name for s in stage.statements for leaf in leaves(s.value))
        targets = dict.fromkeys(s.target.name for s in stage.statements)
        names = [self.called(key) for key in {**read, **targets} if not self.storage(key).local]
        body = [*self._tree_arrays("arrays"), *(f"{name} = arrays[{name!r}]" for name in names), *self._stage(stage)]
        for key in targets:
            called = self.called(key)
            if not self.storage(key).local:
                body += [f"if {called} is not arrays[{called!r}]:", f"    arrays[{called!r}][...] = {called}"]
        lines = [
            f"def piece(T, B, sizes, {self.library.kind}, arrays):",
            *(f"    {x}" for x in (*self._sizes_in(body), *body)),
        ]
        text = "\n\n\n".join([self.library.opening, *helper_source(self.helpers, self.library), "\n".join(lines)])
        return _run(text, "<a stage>")["piece"]

    def _tree_arrays(self, source: str) -> Iterator[str]:
        """The arrays of a tree, where the cell computes one."""
        if self.system.tree is not None:
            places = places_in([q.rhs for q in self.system.steps])
            for array in ("parent", "children", "nodes", *(f"child_{k + 1}" for k in range(places))):
                yield f"{array} = {source}[{array!r}]"

    def _returned(self, name: str, stages: tuple[Stage, ...]) -> list[str]:
        targets = dict.fromkeys(s.target.name for stage in stages for s in stage.statements)
        read = {leaf.name for stage in self.program.backward for s in stage.statements for leaf in leaves(s.value)}
        wanted = {*read, LOSS, *(q.key for q in self.system.equations)}
        inputs = [key for key in self.given if key in read and key in self._padded_forward]
        return [key for key in targets if key in wanted and not self.storage(key).local] + inputs

    @cached_property
    def _padded_forward(self) -> frozenset[str]:
        """Inputs that the forward pass gives rows beyond the ends."""
        read = {leaf.name for stage in self.program.forward for s in stage.statements for leaf in leaves(s.value)}
        return frozenset(key for key in read if self.padded(key))

    def padded(self, key: str) -> bool:
        """Whether an array from outside gets rows beyond the ends."""
        storage = self.program.storages.get(key)
        return (
            storage is not None
            and storage.timed
            and bool(storage.before or storage.after)
            and key not in self.system.definitions
        )

    def _opening(self, name: str, stages: tuple[Stage, ...]) -> Iterator[str]:
        """Arrays by name, and room for what is computed step by step."""
        read = {leaf.name for stage in stages for s in stage.statements for leaf in leaves(s.value)}
        yield from self._tree_arrays("given")
        targets = list(dict.fromkeys(s.target.name for stage in stages for s in stage.statements))
        outside = [key for key in self.program.storages if key in read and key not in targets]
        for key in outside:
            called = self.called(key)
            if name == "backward" and (key not in self.given or key in self._padded_forward):
                yield f"{called} = kept[{called!r}]"
            elif self.padded(key):
                storage = self.storage(key)
                self.helpers.add("padded")
                ends = f", {storage.unread[0]}, {storage.unread[1]}" if any(storage.unread) else ""
                yield f"{called} = padded(given[{called!r}], {storage.before}, {storage.after}{ends})"
            elif key in self.given:
                yield f"{called} = given[{called!r}]"
        for key in targets:
            yield from self._room(key, stages)

    def _room(self, key: str, stages: tuple[Stage, ...]) -> Iterator[str]:
        storage, called = self.storage(key), self.called(key)
        written = [(stage.kind, s) for stage in stages for s in stage.statements if s.target.name == key]
        whole = all(kind == "map" or (kind == "once" and not storage.timed) or s.add for kind, s in written)
        if storage.local or not storage.timed or (whole and not (storage.before or storage.after)):
            return
        rows = " + ".join(["T", *([str(storage.before + storage.after)] if storage.before + storage.after else [])])
        extent = ", ".join([rows, "B", *(self._size(size) for size in storage.shape if size != 1)])
        every = all(s.target.time == self.system.time for _, s in written if isinstance(s.target, e.Timed))
        filled = every and not (storage.before or storage.after)
        yield f"{called} = {self.library.write('empty' if filled else 'zeros', shape=f'({extent})')}"
        first, last = storage.unread
        if first:
            yield self._put(f"{called}[:{first}]", "1") + "  # before the cell's own values, where adjoints are zero"
        if last:
            yield self._put(f"{called}[-{last}:]", "1") + "  # after the cell's own values, where adjoints are zero"
        for start in self.starts:
            if start.leaf.name == key:
                row = self._once.fixed(start.leaf).text
                yield self._put(row, f"given[{start.argument!r}]")

    def _size(self, size: Expr) -> str:
        return ArrayCode(self._once, set()).size(size)

    @cached_property
    def _once(self) -> Once:
        return Once(self.program.storages, self.called, self.system.time, self.library)

    # -- stages ------------------------------------------------------------------------------------

    def _stage(self, stage: Stage) -> Iterator[str]:
        if stage.kind == "once":
            for statement in stage.statements:
                yield from self._noted(self._line_once(statement), statement)
        elif stage.kind == "map":
            for statement in stage.statements:
                yield from self._noted(self._line_map(statement), statement)
                if isinstance(statement.target, e.Timed) and isinstance(statement.target.time, e.Edge):
                    yield f"{self.called(statement.target.name)}[1:-1][parent[1:-1] > T] = 0  # no edge above a root"
        else:
            lines = list(self._steps(stage))
            if self.library.scans:
                yield from self._scan(stage, lines)
                return
            yield f"for {STEP} in range(T):" if stage.kind == "forward" else f"for {STEP} in reversed(range(T)):"
            yield from (f"    {line}" for line in lines)

    def _steps(self, stage: Stage) -> Iterator[str]:
        """The lines of a step."""
        if any(isinstance(s.target, e.Timed) and isinstance(s.target.time, e.Edge) for s in stage.statements):
            yield f"below = children[{NODE}]"
        for statement in stage.statements:
            yield from self._noted(self._line_step(statement), statement)

    def _scan(self, stage: Stage, lines: Sequence[str]) -> Iterator[str]:
        """A loop as a function of what it carries: the arrays that it fills."""
        targets = dict.fromkeys(s.target.name for s in stage.statements)
        carried = ", ".join([*(self.called(key) for key in targets if not self.storage(key).local), ""]).rstrip()
        yield f"def one_step(carried, {STEP}):"
        yield f"    {carried} = carried"
        yield from (f"    {line}" for line in lines)
        yield f"    return ({carried}), None"
        yield ""
        yield f"({carried}), _ = lax.scan(one_step, ({carried}), jnp.arange(T){', reverse=True' if stage.kind == 'backward' else ''})"

    def _noted(self, line: str, statement: Statement) -> Iterator[str]:
        """A line of code, and in a comment the formula that it computes."""
        if not self.comments or not statement.note:
            yield line
        elif len(line) + len(statement.note) < _WIDEST:
            yield f"{line}  # {statement.note}"
        else:
            yield from (f"# {piece}" for piece in textwrap.wrap(statement.note, _WIDEST))
            yield line

    def _code(self, places: Places) -> ArrayCode:
        return ArrayCode(places, self.helpers)

    def _line_step(self, statement: Statement) -> str:
        tree = self.system.tree
        if tree is not None:
            places: Places = self._tree({tree.node: (NODE, False), tree.child: ("below", True)})
        else:
            places = Step(self.program.storages, self.called, self.system.time, self.library)
        target = places.timed(statement.target)
        code = self._code(places)
        return self._put(target.text, code._spread(code(statement.value), target.body, 0))

    def _tree(self, rows: Mapping[Symbol, tuple[str, bool]]) -> TreePlaces:
        return TreePlaces(self.program.storages, self.called, self.system.time, self.library, rows, self.helpers)

    def _rows(self, outer: Places, index: Symbol, lower: Expr, upper: Expr) -> Places:
        """All times, or all nodes, of a range together."""
        if self.system.tree is None:
            return Rows(outer, index, lower, upper)
        rows = ALL if (lower, upper) == (1, T) else f"{number_code(lower, {})}:{number_code(upper + 1, {})}"
        return self._tree({index: (rows, True)})

    def _line_map(self, statement: Statement) -> str:
        target, storage = statement.target, self.storage(statement.target.name)
        tree, places = self.system.tree, self._rows(self._once, self.system.time, Integer(1), T)
        if tree is not None and isinstance(target, e.Timed) and isinstance(target.time, e.Edge):
            places = self._tree({tree.child: (ALL, True), tree.node: (f"parent[{ALL}]", True)})
        rows = places
        code = self._code(rows)(statement.value)
        body = sum(size != 1 for size in storage.shape)
        whole = not (storage.before or storage.after)
        if whole and code.lead == 2 and code.body == body:
            return f"{self.called(target.name)} = {code.text}"
        spread = self._code(rows)._spread(code, body, 0)
        if whole:
            extent = ", ".join(["T", "B", *(self._size(size) for size in storage.shape if size != 1)])
            return f"{self.called(target.name)} = {self.library.write('filled', x=spread, shape=f'({extent})')}"
        return self._put(rows.timed(target).text, spread)

    def _line_once(self, statement: Statement) -> str:
        places: Places = Once(self.program.storages, self.called, self.system.time, self.library)
        if self.system.tree is not None:
            places = self._tree({})
        places.sums = lambda node: self._sums.over_time(node, places)
        if statement.summed:
            value = self._sums.total(statement.value, places)
        else:
            code = self._code(places)(statement.value)
            body = sum(size != 1 for size in statement.target.shape)
            value = self._code(places)._spread(code, body, 0)
            storage = self.storage(statement.target.name)
            if isinstance(statement.target, e.Var) and storage.batched and (code.lead == 0 or code.body < body):
                extent = ", ".join(["B", *(self._size(size) for size in statement.target.shape if size != 1)])
                value = self.library.write("filled", x=value, shape=f"({extent},)")
        target = statement.target
        name = places.timed(target).text if isinstance(target, e.Timed) else self.called(target.name)
        return self._put(name, value, statement.add)

    def _put(self, place: str, value: str, add: bool = False) -> str:
        """A line that puts a value into an array, or into some of its rows."""
        name, bracket, row = place.partition("[")
        if not bracket:
            return f"{name} {'+=' if add else '='} {value}"
        return self.library.write("add" if add else "put", name=name, row=row.removesuffix("]"), value=value)

    @cached_property
    def _sums(self) -> Sums:
        statements = (s for stage in self.program.stages() for s in stage.statements)
        already = frozenset(s.target.name for s in statements if s.summed)
        return Sums(self._once, self._rows, self.helpers, already)


def _run(text: str, name: str) -> dict[str, Callable[..., Any]]:
    """What a module defines."""
    space: dict[str, Callable[..., Any]] = {}
    exec(compile(text, name, "exec"), space)
    return space


__all__ = ["Passes", "Writer"]
