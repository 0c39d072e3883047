"""Shapes of formulas: what each name is (scalar, vector, row, matrix) and how large, found from the equations
themselves.

Every name starts from its convention (upper-case parameters are matrices, timed quantities vectors, ...); where the
equations do not conform that way, the cheapest change of what names are is searched, and two changes that are equally
cheap are an ambiguity that a declaration settles. Given the kinds, sizes follow by unification through the same shape
rules that the expressions check themselves by.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sympy import Expr

from derive.errors import AmbiguityError, BpttError, ShapeError
from derive.expressions.node import ONE, SCALAR, Shape, is_scalar
from derive.notation.kinds import structural_kinds
from derive.notation.operations import Pre
from derive.notation.scope import LOSS_LETTERS, is_lower_greek
from derive.notation.shape_reader import ShapeReader
from derive.notation.sizes import Solver
from derive.notation.vocabulary import ALPHABETS, GREEK, STEP

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
    classes: Expr | None = None
    """How many values a label takes, where the cell shows it."""

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


# -- kinds -----------------------------------------------------------------------------------------


_ANOTHER_ALPHABET = re.compile(rf"(?:{'|'.join(ALPHABETS)})([A-Za-z])")


def base_letter(key: str) -> str:
    """The letter of a name without its scripts, accents and alphabet; a calligraphic L stays what it is, a loss."""
    base = key.split("_")[0].split("^")[0].rstrip("'")
    other = _ANOTHER_ALPHABET.fullmatch(base)
    return other.group(1) if other is not None and base not in LOSS_LETTERS else base


def default_kind(info: NameInfo) -> str:
    """What a name is by convention."""
    if info.integer:
        return "scalar"
    base = base_letter(info.key)
    if base in LOSS_LETTERS or base == STEP:
        return "scalar"
    if info.timed:
        return "vector"
    if is_lower_greek(base):
        return "scalar"
    return "vector" if base[:1].islower() else "matrix"


def kind_of_declared(info: NameInfo) -> str | None:
    """The kind of a name whose sizes are known."""
    sizes = info.declared if info.declared is not None else info.shape
    if sizes is None:
        return None
    long = [size for size in sizes if size != 1]
    return ("scalar", "vector", "matrix")[len(long)]


_COSTS = {
    # (convention, timed): cost of each other kind. A lower-case parameter becomes a scalar before anything else
    # changes.
    ("vector", False): {"scalar": 2, "matrix": 7},
    ("matrix", False): {"vector": 5},
    ("scalar", False): {"vector": 5, "matrix": 8},
    ("vector", True): {"matrix": 4, "scalar": 5},
    ("scalar", True): {"vector": 4, "matrix": 7},
    ("matrix", True): {"vector": 4, "scalar": 7},
}

_ROW_COST = 1
_TRANSPOSED = 20


def _costs(info: NameInfo, convention: str) -> Mapping[str, int]:
    """What each change of a name costs. Small Greek letters with a time, such as a rate β_t, are numbers before
    anything else changes.
    """
    if convention == "vector" and info.timed and is_lower_greek(base_letter(info.key)):
        return {"scalar": 2, "matrix": 7}
    return _COSTS.get((convention, info.timed), {})


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
        self.defined = {line.args[0].data[0] for line in lines if line.op == "relation" and line.args[0].op == "name"}
        self.convention |= self._by_place()
        self.transposed = {
            pre.args[0].data[0]
            for line in lines
            for pre in walk(line)
            if pre.op in ("transpose", "transpose_or_power") and pre.args[0].op == "name"
        }
        if not self.shows("row"):
            self.convention = self._by_structure()
        self.first_errors: dict[str, BpttError] = {}

    def _by_place(self) -> dict[str, str]:
        """What parameters are by where they stand: a capital in a denominator without states is a number, as in q^T k / \\sqrt{D}; a
        Greek letter before ⊙, or inside diag, is a vector, and so is one that is added to it.
        """
        found: dict[str, str] = {}
        for pre in (pre for line in self.lines for pre in walk(line)):
            if pre.op == "divide":
                names = set(names_in(pre.args[1]))
                plain = all(
                    node.op in ("name", "scalar", "apply", "power", "times", "plus") for node in walk(pre.args[1])
                ) and not any(self.infos[key].timed and self.convention[key] == "vector" for key in names)
                found |= {key: "scalar" for key in names if plain and self._is_open(key, "matrix")}
            elif pre.op in ("hadamard", "diag"):
                vectors = [arg.data[0] for arg in pre.args if arg.op == "name" and self._is_open(arg.data[0], "scalar")]
                found |= dict.fromkeys(vectors, "vector")
        for pre in (pre for line in self.lines for pre in walk(line) if pre.op == "plus"):
            terms = [arg.args[0] if arg.op == "neg" else arg for arg in pre.args]
            scaled = any(
                term.op == "hadamard" and any(a.op == "name" and found.get(a.data[0]) == "vector" for a in term.args)
                for term in terms
            )
            if scaled:
                added = [term.data[0] for term in terms if term.op == "name" and self._is_open(term.data[0], "scalar")]
                found |= dict.fromkeys(added, "vector")
        return found

    def _is_open(self, key: str, kind: str) -> bool:
        """Whether a name is a parameter that only convention makes what it is."""
        info = self.infos[key]
        return not info.timed and not info.fixed and key not in self.defined and self.convention[key] == kind

    def _by_structure(self) -> dict[str, str]:
        """Conventions, with what defined quantities are by their equations."""
        known = {key: kind_of_declared(info) or self.convention[key] for key, info in self.infos.items()}
        open_quantities = frozenset(key for key in self.defined if not self.infos[key].fixed)
        open_parameters = frozenset(
            key
            for key, info in self.infos.items()
            if not info.fixed and self.convention[key] == "vector" and key not in self.defined
        )
        return structural_kinds(self.lines, known, open_quantities, open_parameters)

    def shows(self, layout: str) -> bool:
        """Whether the text may be in a layout: row vectors stand left of their matrices, and nowhere right of one."""
        if layout == "column":
            return True
        orders = {
            order for line in self.lines for pre in walk(line) if pre.op == "times" for order in self._orders(pre)
        }
        return orders == {"row"}

    def _orders(self, pre: Pre) -> Iterator[str]:
        matrix = [a.op == "name" and self._is_matrix(a.data[0], a.data[1] is not None) for a in pre.args]
        for k in range(1, len(matrix)):
            if matrix[k] and not matrix[k - 1] and pre.args[k - 1].op != "scalar":
                yield "row"
            elif matrix[k - 1] and not matrix[k]:
                yield "column"

    def _is_matrix(self, key: str, timed: bool) -> bool:
        """Whether a name is a matrix for sure: declared, or a parameter by convention."""
        return kind_of_declared(self.infos[key]) == "matrix" or (not timed and self.convention[key] == "matrix")

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
            raise self.explained("row" if "row" in layouts and self.shows("row") else layouts[0])
        self.reject_ties(found)
        self.reject_missing_sign(found[0][1])
        self.reject_other_layout(found[0][1])
        return found[0][1]

    def explained(self, layout: str) -> BpttError:
        """Why the equations do not conform as they are read by convention, in the layout they are written in."""
        error = self.first_errors.get(layout) or ShapeError("the equations do not conform")
        if isinstance(error, ShapeError) and error.hint is None:
            error.hint = "if one of the quantities is a number, declare it, as in a_t \\in \\mathbb{R}"
        return error

    def alternatives(self, names: Sequence[str], changes: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
        for name in dict.fromkeys(names):
            info = self.infos[name]
            if info.fixed or name in changes:
                continue
            for kind, cost in _costs(info, self.convention[name]).items():
                # Nobody transposes a number.
                yield name, kind, cost + (_TRANSPOSED if kind == "scalar" and name in self.transposed else 0)

    def attempt(self, layout: str, changes: Mapping[str, str], side_by_side: bool = False) -> Inference:
        """Read all lines with these kinds; ``side_by_side``: with two vectors beside each other multiplied entry by
        entry, as they are not meant to be read.
        """
        solver = Solver()
        kinds = {key: changes.get(key, self.convention[key]) for key in self.infos}
        shapes = {key: info.given(layout) or _kinded(solver, kinds[key], layout) for key, info in self.infos.items()}
        classes = {key: info.classes for key, info in self.infos.items() if info.classes is not None}
        reader = ShapeReader(solver, shapes, layout, side_by_side=side_by_side, classes=classes)
        for line in self.lines:
            try:
                reader.shape(line)
            except BpttError as error:
                self.first_errors.setdefault(layout, error)
                if not isinstance(error, ShapeError):
                    raise
                raise _Conflict(list(names_in(line))) from None
        reader.bound_slices()
        self.reject_single_identity(reader)
        if not side_by_side:
            self.reject_collapse(kinds, shapes, reader)
        return Inference(shapes, layout, solver, kinds, reader.constants)

    def reject_other_layout(self, found: Inference) -> None:
        """``S_t = S_{t-1} + k_t^T v_t`` makes a number of columns and a matrix of rows; ``S_t = S_{t-1} A + v_t k_t^T`` a
        matrix of columns and, of rows, a row with a number added to each entry.

        Raises
        ------
        AmbiguityError : a capital that is a number or a row in one layout is a matrix in the other.
        """
        other = "row" if found.layout == "column" else "column"
        open_again = {key: default_kind(info) for key, info in self.infos.items() if not info.fixed}
        for key in filter(lambda key: self._turns_with_layout(key, found), self.defined):
            try:
                self.attempt(other, {**open_again, key: "matrix"})
            except (_Conflict, BpttError):
                continue
            place = next(
                (pre.span for line in self.lines for pre in walk(line) if pre.op == "name" and pre.data[0] == key), None
            )
            kind, size = ("number", "") if found.layout == "column" else ("row vector", "^{n}")
            raise AmbiguityError(
                f"{key} is a {kind} if vectors are {found.layout}s, and a matrix if they are {other}s",
                span=place,
                expected="a declaration",
                hint=f"declare {key}_t \\in \\mathbb{{R}}^{{n \\times m}}, or {key}_t \\in \\mathbb{{R}}{size}",
            )

    def _turns_with_layout(self, key: str, found: Inference) -> bool:
        """Whether a capital may be a matrix in the other layout: a number that is made of columns, or a row to which the
        product of a vector and a transposed one is added.
        """
        info = self.infos[key]
        if not info.timed or info.fixed or not base_letter(key)[:1].isupper():
            return False
        if found.layout == "column":
            return is_scalar(found.solver.shape(found.shapes[key]), found.solver)
        own = [
            line
            for line in self.lines
            if line.op == "relation" and line.args[0].op == "name" and line.args[0].data[0] == key
        ]
        return found.kinds[key] == "vector" and any(_is_outer(term) for line in own for term in _summands(line.args[1]))

    def reject_missing_sign(self, found: Inference) -> None:
        """Timed quantities are not what they are just because a ⊙ is missing: in ``h_t = f_t h_{t-1}`` all would be
        square matrices, or f a number.

        Raises
        ------
        ShapeError : with a ⊙ where two vectors stand beside each other, no timed quantity has to be anything else than
                     a vector.
        """
        changed = {
            key: kind for key, kind in found.kinds.items() if kind != self.convention[key] and not self.infos[key].fixed
        }
        surprising = [
            key
            for key, kind in changed.items()
            if self.infos[key].timed
            and self.convention[key] == "vector"
            and not is_lower_greek(base_letter(key))
            and (kind == "scalar" or key[:1].islower() or key in self.defined)
        ]
        if not surprising:
            return
        kept = {key: kind for key, kind in changed.items() if key not in surprising}
        try:
            self.attempt(found.layout, kept, side_by_side=True)
        except (_Conflict, BpttError):
            return
        error = self.explained(found.layout)
        error.hint = (
            f"write \\odot between vectors; if {surprising[0]} is a number or a matrix, declare it, "
            f"as in {surprising[0]}_t \\in \\mathbb{{R}}"
        )
        raise error

    def reject_single_identity(self, reader: ShapeReader) -> None:
        """I is a matrix, not the number 1."""
        for line in self.lines:
            for pre in walk(line):
                shape = reader.constants.get(id(pre)) if pre.op == "identity" else None
                if shape is not None and reader.solver.is_one(shape[0]):
                    raise _Conflict(list(names_in(line)))

    def reject_collapse(self, kinds: Mapping[str, str], shapes: Mapping[str, Shape], reader: ShapeReader) -> None:
        """A timed quantity is no number just because z_t h_t needs one to conform: with W_z a single row, a missing ⊙
        would pass unseen.
        """
        solver = reader.solver
        shrunk = [
            key
            for key, info in self.infos.items()
            if info.timed
            and not info.fixed
            and kinds[key] == "scalar" != self.convention[key]
            and not self.beside_a_number(key, shapes)
        ]
        rows = [
            key
            for key, info in self.infos.items()
            if not info.fixed and self.convention[key] == "matrix" and any(solver.is_one(size) for size in shapes[key])
        ]
        thin = {
            key
            for key, info in self.infos.items()
            if info.timed
            and not info.fixed
            and kinds[key] == "matrix" != self.convention[key]
            and any(solver.is_one(size) for size in shapes[key])
        }
        if (shrunk and rows) or thin:
            raise _Conflict([])
        for key, info in self.infos.items():
            if (
                not info.timed
                or info.fixed
                or key in self.defined
                or self.convention[key] != "vector"
                or base_letter(key) in GREEK
            ):
                continue
            if (kinds[key] == "matrix" and key[:1].islower()) or (kinds[key] == "scalar" and self.mixes(key, reader)):
                raise _Conflict([])

    def beside_a_number(self, key: str, shapes: Mapping[str, Shape]) -> bool:
        """Whether a quantity is added to, or taken from, one that is declared to be a number: y_t - a_t."""
        for pre in (pre for line in self.lines for pre in walk(line) if pre.op == "plus"):
            terms = [arg.args[0] if arg.op == "neg" else arg for arg in pre.args]
            names = {term.data[0] for term in terms if term.op == "name"}
            if key in names and any(self.infos[name].fixed and is_scalar(shapes[name]) for name in names - {key}):
                return True
        return False

    def mixes(self, key: str, reader: ShapeReader) -> bool:
        """Whether a quantity stands in a product or sum beside something that is no number: it may be one, or a ⊙ is
        missing.
        """
        for pre in (pre for line in self.lines for pre in walk(line) if pre.op in ("times", "plus", "hadamard")):
            if any(arg.op == "name" and arg.data[0] == key for arg in pre.args):
                shapes = [reader.shape(arg) for arg in pre.args]
                if not all(is_scalar(shape, reader.solver) for shape in shapes):
                    return True
        return False

    def reject_ties(self, found: Sequence[tuple[int, Inference]]) -> None:
        """Two equally cheap readings: ask for a declaration of a name on which they differ."""
        best = [inference for cost, inference in found if cost == found[0][0]]
        if len(best) < 2:
            return
        one, two = best[:2]
        names = [key for key in one.kinds if one.kinds[key] != two.kinds[key]]
        if not names:
            return
        place = next(
            (pre.span for line in self.lines for pre in walk(line) if pre.op == "name" and pre.data[0] in names), None
        )
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


def _summands(pre: Pre) -> Iterator[Pre]:
    """The terms of a sum, without their signs."""
    for term in pre.args if pre.op == "plus" else (pre,):
        yield term.args[0] if term.op == "neg" else term


def _is_outer(pre: Pre) -> bool:
    """v k^T, with factors before it."""
    return pre.op == "times" and pre.args[-1].op in ("transpose", "transpose_or_power")


def size_symbols(shapes: Mapping[str, Shape]) -> set[Expr]:
    """All size letters of shapes."""
    return {symbol for shape in shapes.values() for a in shape for symbol in a.free_symbols}
