"""What a compiled cell is called with: arrays by name, checked together, with every size found."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any

from sympy import Expr

from derive import expressions as e
from derive.errors import BpttError, DataError
from derive.notation.names import alias_of
from derive.system import RecurrentSystem, T
from numeric.backends.arrays import Arrays
from numeric.lower import cotangent_key
from numeric.plans import MOST, Groups, Plan, form, plan_of
from numeric.trees import Tree, places_in

if TYPE_CHECKING:
    from numeric.arrays.module import Writer

Array = Any
Given = Mapping[str, Array] | None


@dataclass
class Arguments:
    """Arrays with the batch, and the sizes that they have.

    ``own`` are quantities without time of which every sequence brought its own.
    """

    signature: Signature
    kind: Arrays
    batched: bool
    length: int
    batch: int
    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    starts: Mapping[str, Array]
    cotangents: Mapping[str, Array]
    own: frozenset[str] = frozenset()
    tree: Tree | None = None

    def arrays(self, writer: Writer) -> dict[str, Array]:
        """The arrays by what the generated module calls them."""
        found = {writer.called(key): value for key, value in self.values.items()}
        found.update({writer.called(cotangent_key(key)): value for key, value in self.cotangents.items()})
        for start in writer.starts:
            value = self.starts.get(self.signature.start_names[start.leaf])
            if value is None:
                body = self.signature.numbers(start.leaf.name, self.sizes)
                value = self.kind.zeros((self.batch, *body))
            found[start.argument] = value
        if self.tree is not None:
            for name, rows in self.tree.arrays(self.signature.places).items():
                found[name] = list(map(self.kind.indices, rows)) if isinstance(rows, list) else self.kind.indices(rows)
        return found

    def without_batch(self, value: Array, timed: bool) -> Array:
        """A result in the form of the arguments."""
        return value if self.batched else value[:, 0] if timed else value[0]


class Signature:
    """The names and shapes of a cell's arrays, found once."""

    def __init__(self, system: RecurrentSystem) -> None:
        self.system = system
        self.bodies = {key: tuple(size for size in shape if size != 1) for key, shape in system.shapes.items()}
        self.axes = {key: tuple(map(str, body)) for key, body in self.bodies.items()}
        self.symbols = {key: tuple(str(s) if s.is_Symbol else "" for s in body) for key, body in self.bodies.items()}
        timed = [q.key for q in system.equations if system.is_timed(q.key) and q.key not in system.on_edges]
        self.timed = tuple(timed)
        self.plans: dict[Hashable, Plan] = {}
        self.start_names = {start: str(start) for start in system.starts}
        self.given_starts = {start: name for start, name in self.start_names.items() if start not in system.initial}
        self.needed = {name for key in timed for name in self._letters(key)}
        self.names = {
            "params": _spellings(system.parameters),
            "inputs": _spellings(system.inputs),
            "targets": _spellings((*system.inputs, *system.parameters)),
            "cotangents": _spellings(timed),
            "initial_state": self._starts(),
        }

    def _letters(self, key: str) -> Iterable[str]:
        return (str(symbol) for size in self.bodies[key] for symbol in size.free_symbols)

    def _starts(self) -> dict[str, str]:
        """``h`` (the value nearest to the sequence), ``h_0``, ``h[0]``, ``h_{-1}``."""
        found: dict[str, str] = {}
        for start, name in reversed(self.given_starts.items()):
            for spelling in (start.name, alias_of(start.name)):
                found[spelling] = name
                found[f"{spelling}_{start.time}"] = found[f"{spelling}_{{{start.time}}}"] = name
            found[name] = name
        return found

    @cached_property
    def least(self) -> int:
        """The smallest T for which every quantity has the times at which it is read."""
        found = [1]
        for formula, steps in self._formulas():
            for part in formula.atoms(e.SumOver):
                found += [int(bound) for bound in (part.lower, part.upper) if bound.is_Integer]
            for leaf in formula.atoms(e.Timed):
                if leaf.time.is_Integer:
                    found.append(int(leaf.time))
                elif (leaf.time - T).is_Integer:
                    before = -self.system.reach(leaf.name)[0] if leaf.name in self.bodies else 0
                    found.append(1 - before - int(leaf.time - T))
                elif steps.is_Integer and (leaf.time - self.system.time).is_Integer:
                    found.append(int(steps + leaf.time - self.system.time))
        return max(found)

    def _formulas(self) -> Iterator[tuple[e.Node, Expr]]:
        """All formulas, each with the last time that it is for."""
        yield from ((q.rhs, T) for q in self.system.steps)
        yield from ((value, T) for value in self.system.initial.values())
        for term in self.system.loss_terms:
            yield term.body, term.upper
            if term.final and not term.upper.is_Integer:
                clock = self.system.time
                yield (
                    term.body.xreplace(
                        {leaf: leaf.at(leaf.time.subs(clock, term.upper)) for leaf in term.body.atoms(e.Timed)}
                    ),
                    T,
                )

    @cached_property
    def places(self) -> int:
        """How many children are read by their place."""
        return places_in([q.rhs for q in self.system.steps])

    def numbers(self, key: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The axes of a quantity in numbers."""
        return tuple(
            sizes[name] if name else int(size.xreplace({s: e.Scalar(sizes[str(s)]).value for s in size.free_symbols}))
            for name, size in zip(self.symbols[key], self.bodies[key], strict=True)
        )

    def key_of(self, group: str, name: object) -> str | None:
        """The key that a name in any spelling stands for."""
        known = self.names[group]
        if not isinstance(name, str):
            return None
        return known[name] if name in known else known.get(self._latex(name))

    def _latex(self, name: str) -> str:
        for text in (name, f"{name}_{{{self.system.time}}}"):
            try:
                node = self.system.read(text)
            except BpttError:
                continue
            if isinstance(node, e.Timed) and node.time != self.system.time:
                return str(node)
            if isinstance(node, (e.Timed, e.Var)):
                return node.name
        return ""

    def shown(self, key: str, *lead: str) -> str:
        """The shape of an array, as it is expected."""
        axes = [*lead, *self.axes[key]]
        return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})" if axes else "a number"


def _spellings(keys: Sequence[str]) -> dict[str, str]:
    return {**{alias_of(key): key for key in keys}, **{key: key for key in keys}}


@dataclass
class _Binding:
    """One call's arrays, and everything that is wrong with them."""

    signature: Signature
    kind: Arrays
    problems: list[str] = field(default_factory=list)
    sizes: dict[str, tuple[int, str]] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    batched: bool = False

    def named(self, group: str, given: Given) -> dict[str, Array]:
        """Arrays by key."""
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self.problems.append(f"{group} are a mapping from names to arrays, not {type(given).__name__}")
            return {}
        found = {}
        for name, value in given.items():
            key = self.signature.key_of(group, name)
            if key is None:
                known = ", ".join(dict.fromkeys(self.signature.names[group].values())) or "none"
                self.problems.append(f"{group}: {name!r} is unknown; expected {known}")
            else:
                found[key] = value
        return found

    def array(self, name: str, value: Array, labels: bool = False) -> Array | None:
        """An array of numbers, of the type that is computed in; integers for labels."""
        try:
            raw = self.kind.read(value)
        except Exception:
            self.problems.append(f"{name} is no array of numbers")
            return None
        if self.kind.letter(raw) not in "iufb":
            wanted = "integers" if labels else self.kind.name
            self.problems.append(f"{name} has the type {raw.dtype}; expected {wanted}")
            return None
        if labels:
            if not self.kind.whole(raw):
                self.problems.append(f"{name} holds labels, which are integers")
            return self.kind.labels(raw)
        return self.kind.numbers(raw)

    def fits(self, name: str, key: str, array: Array, *lead: str) -> bool:
        """Whether an array has the axes of a quantity behind some leading ones, as far as the sizes are known."""
        symbols = self.signature.symbols[key]
        if array.ndim != len(lead) + len(symbols):
            self.problems.append(
                f"{name} has the shape {tuple(array.shape)}; expected {self.signature.shown(key, *lead)}"
            )
            return False
        for have, size in zip(array.shape[len(lead) :], symbols, strict=True):
            if size:
                known, where = self.sizes.setdefault(size, (have, name))
                if known != have:
                    self.problems.append(f"{name}: {size} is {have}, but {known} in {where}")
                    return False
        for axis, letter in enumerate(lead):
            (self.lengths if letter == "T" else self.batches)[name] = array.shape[axis]
        return True

    # -- groups ------------------------------------------------------------------------------------

    def parameters(self, raw: Mapping[str, Array], aims: Mapping[str, Array]) -> dict[str, Array]:
        """Parameters; those that come as targets have one value for each sequence."""
        found = {}
        system = self.signature.system
        for key in system.parameters:
            if key not in raw and key not in aims:
                self.problems.append(f"params: {key} is missing; expected {self.signature.shown(key)}")
                continue
            own = key not in raw
            array = self.array(key, aims[key] if own else raw[key], key in system.labels)
            lead = ("B",) if own and self.batched else ()
            if array is not None and self.fits(key, key, array, *lead):
                found[key] = array[None] if own and not self.batched else array
        return found

    def series(self, arrays: Mapping[str, Array | None], label: str = "") -> dict[str, Array]:
        """Arrays over time."""
        lead = ("T", "B") if self.batched else ("T",)
        found = {}
        for key, array in arrays.items():
            name = f"{label}[{key}]" if label else key
            if array is not None and self.fits(name, key, array, *lead):
                found[key] = array if self.batched else array[:, None]
        return found

    def starts(self, raw: Mapping[str, Array | None]) -> dict[str, Array]:
        """Starting values."""
        by_name = {name: start for start, name in self.signature.start_names.items()}
        found = {}
        for name, array in raw.items():
            lead = ("B",) if self.batched else ()
            if array is not None and self.fits(name, by_name[name].name, array, *lead):
                found[name] = array if self.batched else array[None]
        return found

    def has_batch(self, arrays: Mapping[str, Array | None], starts: Mapping[str, Array | None]) -> bool:
        """Whether arrays have a batch axis: the first that is there says so."""
        for key, array in arrays.items():
            if array is not None:
                return bool(array.ndim > 1 + len(self.signature.bodies[key]))
        for start, name in self.signature.given_starts.items():
            first = starts.get(name)
            if first is not None:
                return bool(first.ndim > len(self.signature.bodies[start.name]))
        return False

    def agreed(self, found: Mapping[str, int], letter: str, otherwise: int) -> int:
        """The one number that all arrays have."""
        if len(set(found.values())) > 1:
            told = ", ".join(f"{number} in {name}" for name, number in found.items())
            self.problems.append(f"{letter} differs: {told}")
        return next(iter(found.values()), otherwise)

    def tree(self, given: Tree | Sequence[int] | None) -> Tree | None:
        """The tree, where the cell computes one."""
        if self.signature.system.tree is None:
            if given is not None:
                self.problems.append("tree: the cell computes a sequence")
            return None
        if given is None:
            self.problems.append("tree is missing; expected the parent of each node 1 .. T, and T + 1 for a root")
            return None
        try:
            return given if isinstance(given, Tree) else Tree(tuple(int(parent) for parent in given))
        except (DataError, TypeError, ValueError) as error:
            self.problems.append(f"tree: {getattr(error, 'message', error)}")
            return None


def bind(
    signature: Signature,
    kind: Arrays,
    params: Given,
    inputs: Given,
    initial_state: Given,
    cotangents: Given,
    targets: Given,
    length: int | None = None,
    tree: Tree | Sequence[int] | None = None,
) -> Arguments:
    """Check the arguments of a call.

    Raises
    ------
    DataError : with everything that is wrong, each with what was expected.
    """
    groups = (params, inputs, initial_state, cotangents, targets)
    known = form(kind, groups, length) if tree is None else None
    if known is not None and known in signature.plans:
        return signature.plans[known].filled(groups)
    accepted = _checked(signature, kind, groups, length, tree)
    plan = None if known is None else plan_of(signature, accepted, groups)
    if plan is not None:
        if len(signature.plans) >= MOST:
            signature.plans.clear()
        signature.plans[known] = plan
    return accepted


def _checked(
    signature: Signature, kind: Arrays, groups: Groups, length: int | None, tree: Tree | Sequence[int] | None
) -> Arguments:
    params, inputs, initial_state, cotangents, targets = groups
    kind = kind.near(value for group in groups if isinstance(group, Mapping) for value in group.values())
    system, binding = signature.system, _Binding(signature, kind)
    shape = binding.tree(tree)
    raw, outside = binding.named("params", params), binding.named("inputs", inputs)
    aims = binding.named("targets", targets)
    first = {name: binding.array(name, value) for name, value in binding.named("initial_state", initial_state).items()}
    binding.problems += [f"{key} is given twice, among targets as well" for key in aims if key in raw or key in outside]
    series = {**{key: value for key, value in aims.items() if key in system.inputs}, **outside}
    binding.problems += [
        f"inputs: {key} is missing; expected {signature.shown(key, 'T', 'B')}, or without B"
        for key in system.inputs
        if key not in series
    ]
    arrays = {key: binding.array(key, value, key in system.labels) for key, value in series.items()}
    given = binding.named("cotangents", cotangents)
    grads = {key: binding.array(f"cotangents[{key}]", value) for key, value in given.items()}
    binding.batched = binding.has_batch({**arrays, **grads}, first)
    values = binding.parameters(raw, aims)
    values.update(binding.series(arrays))
    passed = binding.series(grads, "cotangents")
    starts = binding.starts(first)
    if length is not None and (isinstance(length, bool) or not isinstance(length, Integral) or not 0 < length < 2**48):
        binding.problems.append(f"length is {length!r}; expected a positive integer")
    elif shape is not None or length is not None:
        binding.lengths["tree" if shape is not None else "length"] = len(shape.parents) if shape else int(length or 0)
    steps = binding.agreed(binding.lengths, "T", 0)
    if binding.lengths and steps < signature.least:
        binding.problems.append(f"T is {steps}, but the cell needs a sequence of {signature.least} steps at least")
    batch = binding.agreed(binding.batches, "B", 1)
    sizes = {name: number for name, (number, _) in binding.sizes.items()}
    unknown = sorted(signature.needed - set(sizes))
    if unknown and not binding.problems:
        binding.problems.append(f"the size {unknown[0]} is in no array; give a starting value")
    if not binding.lengths and not binding.problems:
        binding.problems.append("nothing says how long the sequence is; give an input, cotangents or length")
    if binding.problems:
        raise DataError("; ".join(binding.problems))
    own = frozenset(key for key in aims if key in system.parameters and key not in raw)
    return Arguments(signature, kind, binding.batched, steps, batch, sizes, values, starts, passed, own, shape)


__all__ = ["Arguments", "Signature", "bind"]
