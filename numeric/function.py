"""Compiled gradients: a cell as a function of arrays that gives loss, states and all gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from derive.errors import BpttError, DataError, UsageError
from derive.notation.names import alias_of
from derive.system import RecurrentSystem, T
from numeric.arguments import Arguments, Signature, bind
from numeric.arrays.module import Writer
from numeric.lower import LOSS, lower, program
from numeric.passes import PASSES, run_passes
from numeric.trees import Tree

Array = Any
DTYPES = ("float64", "float32")
BACKENDS = ("numpy",)


class ByName(Mapping[str, Array]):
    """Arrays by name; a name is answered to in LaTeX and in plain spelling (``\\tilde{C}`` or ``C_tilde``)."""

    def __init__(self, system: RecurrentSystem, values: Mapping[str, Array]) -> None:
        self._values = dict(values)
        self._aliases = {alias_of(key): key for key in self._values}
        self._system = system

    def __getitem__(self, name: str) -> Array:
        if name in self._values:
            return self._values[name]
        if name in self._aliases:
            return self._values[self._aliases[name]]
        spelled = _spelled(self._system, name)
        if spelled in self._values:
            return self._values[spelled]
        raise KeyError(f"{name} is not among {', '.join(self._values)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<{', '.join(f'{key} {np.shape(value)}' for key, value in self._values.items())}>"


def _spelled(system: RecurrentSystem, name: str) -> str:
    """The key of a name in LaTeX: ``\\tilde{C}``, ``h_0``."""
    for text in (name, f"{name}_{{{system.time}}}"):
        try:
            node = system.read(text)
        except BpttError:
            continue
        key = getattr(node, "name", None)
        if isinstance(key, str):
            time = getattr(node, "time", None)
            place = "" if time is None or time == system.time else f"_{time}"
            return key + place
    return name


@dataclass(frozen=True)
class Result:
    """What a compiled cell gives.

    Parameters
    ----------
    loss      : the loss, summed over the batch; None where the cell's loss is abstract.
    states    : every quantity that the cell defines, over t = 1 .. T.
    gradients : by every parameter (summed over the batch), input, and starting value (``h_0``).
    """

    loss: float | None
    states: Mapping[str, Array]
    gradients: Mapping[str, Array] = field(repr=False)


class CompiledCell:
    """A cell as a function of arrays; made by :func:`compile_cell`.

    Arrays are named without the time. Time comes first: inputs are ``(T, B, d)``, starting values ``(B, n)``, parameters have
    the shapes of the paper with vectors ``(n,)`` and numbers ``()``; the batch may be left out.
    """

    def __init__(self, system: RecurrentSystem, dtype: str, passes: tuple[str, ...]) -> None:
        self.system = system
        self.dtype = np.dtype(dtype)
        self.passes = passes
        self.signature = Signature(system)
        self._variants: dict[tuple[tuple[str, ...], tuple[str, ...]], _Variant] = {}

    def __call__(
        self,
        params: Mapping[str, Array] | None = None,
        inputs: Mapping[str, Array] | None = None,
        initial_state: Mapping[str, Array] | None = None,
        cotangents: Mapping[str, Array] | None = None,
        targets: Mapping[str, Array] | None = None,
        length: int | None = None,
        tree: Tree | Sequence[int] | None = None,
    ) -> Result:
        """Loss, states and gradients.

        Parameters
        ----------
        params        : every parameter.
        inputs        : every input.
        initial_state : values that the sequence starts from, as ``h`` or ``h_0``; what is missing is zero.
        cotangents    : ∂⁺L/∂q_t for any quantity q with a time; they stand in for an abstract loss and add to others.
        targets       : integer labels, and what only the loss reads; may be among the inputs as well.
        length        : T, where no array says how long the sequence is.
        tree          : for a cell over trees, the parent of each node 1 .. T, larger than the node, and T + 1 for a root.

        Raises
        ------
        DataError : a name is missing or unknown, or a shape or a type does not fit; one message for all of them.
        """
        given = bind(self.signature, self.dtype, params, inputs, initial_state, cotangents, targets, length, tree)
        return self._variant(given).run(given)

    def source(self, cotangents: Iterable[str] = ()) -> str:
        """The module that is run, for cotangents of the given quantities."""
        keys = tuple(map(self.system.resolve_name, cotangents))
        return _Variant(self.system, keys, (), self.passes).text

    def _variant(self, given: Arguments) -> _Variant:
        key = (tuple(given.cotangents), tuple(sorted(given.own)))
        if key not in self._variants:
            self._variants[key] = _Variant(self.system, key[0], key[1], self.passes)
        return self._variants[key]


class _Variant:
    """The two passes for certain cotangents."""

    def __init__(
        self, system: RecurrentSystem, cotangents: tuple[str, ...], own: tuple[str, ...], passes: tuple[str, ...]
    ) -> None:
        self.system = system
        equations = run_passes(lower(system, cotangents, own), passes)
        self.program = program(equations)
        self.writer = Writer(equations, self.program)
        self.text = self.writer.source()
        functions: dict[str, Callable[..., dict[str, Array]]] = {}
        exec(compile(self.text, f"<{system.title or 'cell'}>", "exec"), functions)
        self.forward, self.backward = functions["forward"], functions["backward"]

    def run(self, given: Arguments) -> Result:
        arrays = given.arrays(self.writer)
        size = (given.length, given.batch, given.sizes, given.dtype)
        with np.errstate(all="ignore"):  # what is not finite is for the caller to see, with its place
            kept = self.forward(*size, arrays)
            found = self.backward(*size, arrays, kept)
        states = {q.key: self._rows(q.key, kept, given) for q in self.system.equations if self.system.is_timed(q.key)}
        gradients = {}
        for (key, place), target in self.program.gradients.items():
            value = np.asarray(found[self.writer.argument(key, place)], given.dtype)
            storage = self.program.storages[target.name]
            if storage.timed:
                value = value[storage.before : storage.before + given.length]
            summed = not place and key in self.system.parameters and key not in given.own
            gradients[key if not place else f"{key}_{place}"] = (
                value if summed else given.without_batch(value, bool(not place and key in self.system.inputs))
            )
        loss = None if self.program.loss is None else float(kept[LOSS])
        return Result(loss, ByName(self.system, states), ByName(self.system, gradients))

    def _rows(self, key: str, kept: Mapping[str, Array], given: Arguments) -> Array:
        storage = self.program.storages[key]
        value = kept[self.writer.called(key)][storage.before : storage.before + given.length]
        return given.without_batch(value, True)


def compile_cell(
    cell: RecurrentSystem, backend: str = "numpy", dtype: str = "float64", passes: Iterable[str] | None = None
) -> CompiledCell:
    """A cell as a fast function of arrays.

    Parameters
    ----------
    backend : ``numpy``.
    dtype   : ``float64`` or ``float32``.
    passes  : which of :data:`numeric.passes.PASSES` improve the program; all, if none are named.

    Raises
    ------
    UsageError       : there is no such backend, type or pass.
    MissingRuleError : the cell holds something that is not compiled.

    >>> import numpy as np, bptt
    >>> f = bptt.compile(bptt.cell("h[t] = tanh(w * h[t-1] + x[t]), h[t] in R, x[t] in R"))
    >>> r = f({"w": 0.5}, {"x": np.ones(3)}, cotangents={"h": np.ones(3)})
    >>> r.states["h"].round(3).tolist()
    [0.762, 0.881, 0.894]
    """
    if backend not in BACKENDS:
        raise UsageError(f"there is no backend {backend!r}", expected=f"one of {', '.join(BACKENDS)}")
    if str(dtype) not in DTYPES:
        raise UsageError(f"there is no type {dtype!r}", expected=f"one of {', '.join(DTYPES)}")
    chosen = tuple(PASSES) if passes is None else tuple(passes)
    unknown = [name for name in chosen if name not in PASSES]
    if unknown:
        raise UsageError(f"there is no pass {unknown[0]!r}", expected=f"some of {', '.join(PASSES)}")
    return CompiledCell(cell, str(dtype), chosen)


__all__ = ["BACKENDS", "ByName", "CompiledCell", "DataError", "Result", "T", "compile_cell"]
