"""What a compiled cell is called with: arrays by name, checked together, with every size found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import DataError
from derive.notation.names import alias_of
from derive.system import RecurrentSystem
from numeric.lower import cotangent_key
from numeric.trees import Tree, places_in

if TYPE_CHECKING:
    from numeric.arrays.module import Writer

Array = Any


@dataclass
class Arguments:
    """Arrays with the batch, and the sizes that they have.

    ``own`` are quantities without time of which every sequence brought its own.
    """

    system: RecurrentSystem
    dtype: np.dtype[Any]
    batched: bool
    length: int
    batch: int
    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    starts: Mapping[e.Timed, Array]
    cotangents: Mapping[str, Array]
    own: frozenset[str] = field(default=frozenset())
    tree: Tree | None = None

    def arrays(self, writer: Writer) -> dict[str, Array]:
        """The arrays by what the generated module calls them."""
        found = {writer.called(key): value for key, value in self.values.items()}
        found.update({writer.called(cotangent_key(key)): value for key, value in self.cotangents.items()})
        for start in writer.starts:
            shape = (self.batch, *(self.size(size) for size in start.leaf.shape if size != 1))
            value = self.starts.get(start.leaf)
            found[start.argument] = np.zeros(shape, self.dtype) if value is None else value
        if self.tree is not None:
            found.update(self.tree.arrays(places_in([q.rhs for q in self.system.steps])))
        return found

    def size(self, size: Expr) -> int:
        return int(size.xreplace({symbol: Integer(self.sizes[symbol.name]) for symbol in size.free_symbols}))

    def without_batch(self, value: Array, timed: bool) -> Array:
        """A result in the form of the arguments."""
        return value if self.batched else value[:, 0] if timed else value[0]


class _Reader:
    """Collects arrays and everything that is wrong with them."""

    def __init__(self, system: RecurrentSystem, dtype: np.dtype[Any]) -> None:
        self.system = system
        self.dtype = dtype
        self.problems: list[str] = []
        self.sizes: dict[str, tuple[int, str]] = {}
        self.lengths: dict[str, int] = {}
        self.batches: dict[str, int] = {}

    def named(self, what: str, given: Mapping[str, Array] | None, known: Mapping[str, str]) -> dict[str, Array]:
        """Arrays by key."""
        found = {}
        if given is not None and not isinstance(given, Mapping):
            self.problems.append(f"{what} are a mapping from names to arrays, not {type(given).__name__}")
            return {}
        for name, value in (given or {}).items():
            key = known.get(name) or known.get(self._latex(name))
            if key is None:
                self.problems.append(
                    f"{what}: {name!r} is unknown; expected {', '.join(dict.fromkeys(known.values())) or 'none'}"
                )
            else:
                found[key] = value
        return found

    def _latex(self, name: str) -> str:
        from derive.errors import BpttError

        for text in (name, f"{name}_{{{self.system.time}}}") if isinstance(name, str) else ():
            try:
                node = self.system.read(text)
            except BpttError:
                continue
            if isinstance(node, (e.Timed, e.Var)):
                return str(node) if isinstance(node, e.Timed) and node.time != self.system.time else node.name
        return ""

    def array(self, name: str, value: Array, integer: bool = False) -> Array | None:
        """An array of numbers, of the type that is computed in; integers for labels."""
        try:
            raw = np.asarray(value)
        except Exception:
            self.problems.append(f"{name} is no array of numbers")
            return None
        if raw.dtype.kind not in "iufb":
            self.problems.append(f"{name} has the type {raw.dtype}; expected {'integers' if integer else self.dtype}")
            return None
        if integer:
            if raw.dtype.kind == "f" and np.any(raw != np.floor(raw)):
                self.problems.append(f"{name} holds labels, which are integers")
            return raw.astype(np.int64)
        return np.asarray(raw, self.dtype, order="C")

    def body(self, name: str, shape: tuple[int, ...], wanted: tuple[Expr, ...]) -> bool:
        """Whether the axes of a body fit, as far as the sizes are known."""
        if len(shape) != len(wanted):
            self.problems.append(f"{name} has the shape {shape}; expected ({self.shown(wanted)})")
            return False
        for have, size in zip(shape, wanted, strict=True):
            if size.is_Symbol:
                known, where = self.sizes.setdefault(str(size), (have, name))
                if known != have:
                    self.problems.append(f"{name}: {size} is {have}, but {known} in {where}")
                    return False
        return True

    def shown(self, sizes: tuple[Expr, ...]) -> str:
        text = ", ".join(map(str, sizes))
        return text + ("," if len(sizes) == 1 else "")


def _body(system: RecurrentSystem, key: str) -> tuple[Expr, ...]:
    return tuple(size for size in system.shapes[key] if size != 1)


def bind(
    system: RecurrentSystem,
    dtype: np.dtype[Any],
    params: Mapping[str, Array] | None,
    inputs: Mapping[str, Array] | None,
    initial_state: Mapping[str, Array] | None,
    cotangents: Mapping[str, Array] | None,
    targets: Mapping[str, Array] | None,
    length: int | None = None,
    tree: Tree | Sequence[int] | None = None,
) -> Arguments:
    """Check the arguments of a call.

    Raises
    ------
    DataError : with everything that is wrong, each with what was expected.
    """
    reader = _Reader(system, dtype)
    timed = [q.key for q in system.equations if system.is_timed(q.key) and q.key not in system.on_edges]
    shape = _tree_of(reader, tree)
    if shape is not None:
        length = len(shape.parents)
    raw = reader.named("params", params, _spellings(system.parameters))
    outside = reader.named("inputs", inputs, _spellings(system.inputs))
    aims = reader.named("targets", targets, _spellings((*system.inputs, *system.parameters)))
    cots = reader.named("cotangents", cotangents, _spellings(timed))
    starts = reader.named("initial_state", initial_state, _start_spellings(system))
    own = frozenset(key for key in aims if key in system.parameters)
    values: dict[str, Array] = {}
    series = {**{key: v for key, v in aims.items() if key in system.inputs}, **outside}
    for key in system.parameters:
        value = raw.get(key, aims.get(key))
        if value is None:
            reader.problems.append(f"params: {key} is missing; expected {_wanted(system, key)}")
            continue
        array = reader.array(key, value, key in system.labels)
        if (array is not None and key not in own and reader.body(key, array.shape, _body(system, key))) or (
            array is not None and key in own
        ):
            values[key] = array
    for key in system.inputs:
        if key not in series:
            reader.problems.append(f"inputs: {key} is missing; expected {_wanted(system, key)}")
    arrays = {key: reader.array(key, value, key in system.labels) for key, value in series.items()}
    grads = {key: reader.array(f"cotangents[{key}]", value) for key, value in cots.items()}
    batched = _is_batched(system, arrays, grads, starts, reader)
    lengths: dict[str, int] = {}
    batches: dict[str, int] = {}
    for name, group in (("", arrays), ("cotangents", grads)):
        for key, array in group.items():
            if array is None:
                continue
            label = f"{name}[{key}]" if name else key
            lead = 2 if batched else 1
            if array.ndim != lead + len(_body(system, key)):
                wanted = ", ".join(["T", *(["B"] if batched else []), *map(str, _body(system, key))])
                reader.problems.append(f"{label} has the shape {array.shape}; expected ({wanted})")
                continue
            if reader.body(label, array.shape[lead:], _body(system, key)):
                lengths[label] = array.shape[0]
                if batched:
                    batches[label] = array.shape[1]
                group[key] = array if batched else array[:, None]
    first: dict[e.Timed, Array] = {}
    by_name = {str(start): start for start in system.starts}
    for name, value in starts.items():
        start = by_name[name]
        array = reader.array(name, value)
        if array is None:
            continue
        lead = 1 if batched else 0
        if array.ndim != lead + len(_body(system, start.name)):
            wanted = ", ".join([*(["B"] if batched else []), *map(str, _body(system, start.name))])
            reader.problems.append(f"{name} has the shape {array.shape}; expected ({wanted})")
            continue
        if reader.body(name, array.shape[lead:], _body(system, start.name)):
            if batched:
                batches[name] = array.shape[0]
            first[start] = array if batched else array[None]
    for key in own & set(values):
        array = values[key]
        lead = 1 if batched else 0
        if array.ndim != lead + len(_body(system, key)):
            reader.problems.append(f"targets[{key}] has the shape {array.shape}; expected one for each sequence")
        elif reader.body(key, array.shape[lead:], _body(system, key)):
            if batched:
                batches[key] = array.shape[0]
            values[key] = array if batched else array[None]
    if length is not None:
        lengths["length"] = int(length)
    steps = _agreed(reader, lengths, "T", 0)
    batch = _agreed(reader, batches, "B", 1)
    sizes = {name: number for name, (number, _) in reader.sizes.items()}
    missing = {str(s) for shape in system.shapes.values() for size in shape for s in size.free_symbols} - set(sizes)
    needed = {str(s) for key in timed for size in system.shapes[key] for s in size.free_symbols} & missing
    if needed and not reader.problems:
        reader.problems.append(f"the size {sorted(needed)[0]} is in no array; give a starting value")
    if not lengths and not reader.problems:
        reader.problems.append("nothing says how long the sequence is; give an input, cotangents or length")
    if reader.problems:
        raise DataError("; ".join(reader.problems))
    values.update({key: array for key, array in arrays.items() if array is not None})
    return Arguments(
        system,
        dtype,
        batched,
        steps,
        batch,
        sizes,
        values,
        first,
        {k: v for k, v in grads.items() if v is not None},
        own,
        shape,
    )


def _tree_of(reader: _Reader, tree: Tree | Sequence[int] | None) -> Tree | None:
    """The tree, where the cell computes one."""
    if reader.system.tree is None:
        if tree is not None:
            reader.problems.append("tree: the cell computes a sequence")
        return None
    if tree is None:
        reader.problems.append("tree is missing; expected the parent of each node 1 .. T, and T + 1 for a root")
        return None
    try:
        return tree if isinstance(tree, Tree) else Tree(tuple(int(parent) for parent in tree))
    except (DataError, TypeError, ValueError) as error:
        reader.problems.append(f"tree: {getattr(error, 'message', error)}")
        return None


def _agreed(reader: _Reader, found: Mapping[str, int], letter: str, otherwise: int) -> int:
    """The one number that all arrays have."""
    if len(set(found.values())) > 1:
        reader.problems.append(
            f"{letter} differs: " + ", ".join(f"{number} in {name}" for name, number in found.items())
        )
    return next(iter(found.values()), otherwise)


def _is_batched(
    system: RecurrentSystem,
    arrays: Mapping[str, Array | None],
    grads: Mapping[str, Array | None],
    starts: Mapping[str, Array],
    reader: _Reader,
) -> bool:
    """Whether arrays have a batch axis: the first that is there says so."""
    for key, array in (*arrays.items(), *grads.items()):
        if array is not None:
            return bool(array.ndim > 1 + len(_body(system, key)))
    for start in system.starts:
        if str(start) in starts:
            return bool(np.ndim(starts[str(start)]) > len(_body(system, start.name)))
    return False


def _wanted(system: RecurrentSystem, key: str) -> str:
    body = ", ".join(map(str, _body(system, key)))
    if key in system.inputs:
        return f"(T, B{', ' if body else ''}{body}), or without B"
    return f"({body}{',' if len(_body(system, key)) == 1 else ''})" if body else "a number"


def _spellings(keys: tuple[str, ...] | list[str]) -> dict[str, str]:
    return {**{alias_of(key): key for key in keys}, **{key: key for key in keys}}


def _start_spellings(system: RecurrentSystem) -> dict[str, str]:
    """``h`` (the value nearest to the sequence), ``h_0``, ``h[0]``."""
    found: dict[str, str] = {}
    for start in reversed(system.starts):
        for name in (start.name, alias_of(start.name)):
            found[name] = str(start)
        found.update({f"{name}_{start.time}": str(start) for name in (start.name, alias_of(start.name))})
        found[f"{start.name}_{{{start.time}}}"] = str(start)
        found[str(start)] = str(start)
    return found


def _iterate(values: Mapping[str, Array]) -> Iterator[str]:
    yield from values


__all__ = ["Arguments", "bind"]
