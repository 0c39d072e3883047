"""Compiled gradients: a cell as a function of arrays that gives loss, states and all gradients."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from derive.errors import NonFiniteWarning, UsageError
from derive.system import RecurrentSystem
from numeric.arguments import Arguments, Signature, bind
from numeric.backends.backend import Backend, Found, Shortcut
from numeric.backends.choose import backend as choose
from numeric.finite import all_finite, found_at
from numeric.lengths import Lengths
from numeric.lower import timed_quantities
from numeric.named import ByName
from numeric.passes import PASSES
from numeric.plans import MOST, Groups, form
from numeric.recompute import Recomputation
from numeric.trees import Tree
from numeric.variant import Variant

Array = Any


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

    def __init__(
        self,
        system: RecurrentSystem,
        backend: Backend,
        passes: tuple[str, ...],
        recompute: bool | int = False,
        keep: tuple[str, ...] = (),
    ) -> None:
        self.system = system
        self.backend, self.arrays = backend, backend.arrays
        self.passes = passes
        self.signature = Signature(system)
        self._steps = recompute
        self._recomputation = (
            Recomputation(system, backend, passes, None if recompute is True else recompute, keep)
            if recompute
            else None
        )
        self._shortcuts: dict[Hashable, Shortcut] = {}
        self._last: Shortcut | None = None
        self._lengths: Lengths | None = None
        self._masked: dict[tuple[tuple[str, ...], tuple[str, ...]], Variant] = {}
        self._variants: dict[tuple[tuple[str, ...], tuple[str, ...]], Variant] = {}

    def __call__(
        self,
        params: Mapping[str, Array] | None = None,
        inputs: Mapping[str, Array] | None = None,
        initial_state: Mapping[str, Array] | None = None,
        cotangents: Mapping[str, Array] | None = None,
        targets: Mapping[str, Array] | None = None,
        length: int | None = None,
        tree: Tree | Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
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
        lengths       : for each sequence of the batch how many steps it has; what its arrays hold beyond them is not looked at,
                        states and gradients are zero there, and T is its own.
        tree          : for a cell over trees, the parent of each node 1 .. T, larger than the node, and T + 1 for a root.

        Raises
        ------
        DataError : a name is missing or unknown, or a shape or a type does not fit; one message for all of them.

        Warns
        -----
        NonFiniteWarning : the loss or a gradient is not finite; the message says what is the first, at which time.
        """
        groups = (params, inputs, initial_state, cotangents, targets)
        if self._recomputation is not None:
            if lengths is not None:
                raise UsageError("lengths and recompute do not go together", hint="compile the cell without recompute")
            return self._recomputed(bind(self.signature, self.arrays, *groups, length, tree), self._recomputation)
        if lengths is not None:
            return self._of_lengths(bind(self.signature, self.arrays, *groups, length, tree), lengths)
        found = self._quickly(groups, length) if tree is None else None
        if found is not None:
            if not found.finite:
                self._warn(self.system, bind(self.signature, self.arrays, *groups, length))
            return Result(found.loss, ByName(self.system, found.states), ByName(self.system, found.gradients))
        given = bind(self.signature, self.arrays, *groups, length, tree)
        variant = self._variant(given)
        if tree is None:
            self._shorten(variant, given, groups, length)
        return self._result(variant, given)

    def _recomputed(self, given: Arguments, recomputation: Recomputation) -> Result:
        """The results of one segment after the other."""
        found = recomputation(given)
        losses = () if found.loss is None else (found.loss,)
        with given.kind.quietly():
            finite = all(map(given.kind.finite, map(given.kind.read, (*losses, *found.gradients.values()))))
        if not finite:
            warnings.warn(
                NonFiniteWarning("the loss or a gradient is not finite; without recompute it is said where"),
                stacklevel=3,
            )
        gradients = {}
        for (key, place), value in found.gradients.items():
            summed = not place and key in self.system.parameters and key not in given.own
            over_time = not place and key in self.system.inputs
            shaped = value if summed or key in self.system.parameters else given.without_batch(value, over_time)
            gradients[f"{key}_{place}" if place else key] = shaped
        states = {key: given.without_batch(value, True) for key, value in found.states.items()}
        loss = None if found.loss is None else float(found.loss)
        return Result(loss, ByName(self.system, states), ByName(self.system, gradients))

    def _of_lengths(self, given: Arguments, lengths: Sequence[int]) -> Result:
        """The results for sequences that end at times of their own."""
        if self._lengths is None:
            self._lengths = Lengths(self.system)
        masked = self._lengths.arguments(given, lengths)
        key = (tuple(given.cotangents), tuple(sorted(masked.given.own)))
        if key not in self._masked:
            without = self._lengths.names
            self._masked[key] = Variant(
                self._lengths.system, self.arrays.library, self.passes, *key, constant=without, make=self.backend.passes
            )
        found = self._result(self._masked[key], masked.given)
        own = [q.key for q in self.system.equations if q.key in dict(found.states)]
        states = masked.cut({key: found.states[key] for key in own}, own)
        gradients = masked.cut(found.gradients, self.system.inputs)
        return Result(found.loss, ByName(self.system, states), ByName(self.system, gradients))

    def _quickly(self, groups: Groups, length: int | None) -> Found | None:
        """The results by a shortcut, most likely the one that was taken last."""
        found = None if self._last is None else self._last(groups, length)
        if found is None and self._shortcuts:
            shortcut = self._shortcuts.get(form(self.arrays, groups, length))
            if shortcut is not None:
                self._last, found = shortcut, shortcut(groups, length)
        return found

    def _result(self, variant: Variant, given: Arguments) -> Result:
        """Both passes, one after the other."""
        run = variant.forward(given)
        found = variant.gradients(run)
        gradients = {f"{key}_{place}" if place else key: value for (key, place), value in found.items()}
        states = variant.states(run)
        # what is lost in a step is lost in those that follow: the first and the last time tell
        ends = (value[:: max(1, len(value) - 1)] for value in states.values())
        losses = () if run.loss is None else (run.loss,)
        if not all_finite(run, (*losses, *gradients.values(), *ends)):
            self._warn(variant.system, given)
        loss = None if run.loss is None else float(run.loss)
        return Result(loss, ByName(self.system, states), ByName(self.system, gradients))

    def _warn(self, system: RecurrentSystem, given: Arguments) -> None:
        """Say where numbers are lost first."""
        warnings.warn(found_at(system, self.arrays.library, given), stacklevel=3)

    def _shorten(self, variant: Variant, given: Arguments, groups: Groups, length: int | None) -> None:
        """Find a shortcut for the calls that follow."""
        known = form(self.arrays, groups, length) if self.backend.shortcuts else None
        plan = None if known is None else self.signature.plans.get(known)
        shortcut = None if plan is None else self.backend.shortcut(variant, plan, given, groups, length)
        if shortcut is not None:
            if len(self._shortcuts) >= MOST:
                self._shortcuts.clear()
            self._shortcuts[known] = self._last = shortcut

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are compiled anew."""
        keep = self._recomputation.keep if self._recomputation is not None else ()
        return compile_cell, (self.system, self.backend.name, self.arrays.name, self.passes, self._steps, keep)

    def source(self, cotangents: Iterable[str] = ()) -> str:
        """The module that is run, for cotangents of the given quantities."""
        keys = timed_quantities(self.system, cotangents, "cotangents")
        return Variant(self.system, self.arrays.library, self.passes, keys).writer.source()

    def _variant(self, given: Arguments) -> Variant:
        key = (tuple(given.cotangents), tuple(sorted(given.own)))
        if key not in self._variants:
            self._variants[key] = Variant(self.system, self.arrays.library, self.passes, *key, make=self.backend.passes)
        return self._variants[key]


def compile_cell(
    cell: RecurrentSystem,
    backend: str = "numpy",
    dtype: str = "float64",
    passes: Iterable[str] | None = None,
    recompute: bool | int = False,
    keep: Iterable[str] = (),
) -> CompiledCell:
    """A cell as a fast function of arrays.

    Parameters
    ----------
    backend : ``numpy``; ``compiled`` for machine code, which is the fastest; ``torch`` for tensors on any device; or ``jax``, where
              it is installed.
    dtype   : ``float64`` or ``float32``.
    recompute : compute states within segments twice instead of keeping them, in memory O(√T); a number is the steps of a segment.
    keep    : with ``recompute``, the quantities of which the states are wanted; otherwise all are there.
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
    if not isinstance(cell, RecurrentSystem):
        raise UsageError(
            f"{cell!r} is no cell", hint=f"bptt.cell({cell!r})" if isinstance(cell, str) else "bptt.cell(...) makes one"
        )
    if passes is not None and (isinstance(passes, str) or not isinstance(passes, Iterable)):
        raise UsageError(f"passes are {passes!r}", expected=f"a list of some of {', '.join(PASSES)}")
    chosen = tuple(PASSES) if passes is None else tuple(passes)
    unknown = [name for name in chosen if name not in PASSES]
    if unknown:
        raise UsageError(f"there is no pass {unknown[0]!r}", expected=f"some of {', '.join(PASSES)}")
    if not isinstance(recompute, Integral) or recompute < 0:
        raise UsageError(f"recompute is {recompute!r}", expected="True, False, or the steps of a segment")
    kept = timed_quantities(cell, keep, "keep")
    if kept and not recompute:
        raise UsageError("keep is for recompute=True", hint="without it all quantities are there")
    steps = recompute if isinstance(recompute, bool) else int(recompute)
    return CompiledCell(cell, choose(backend, str(dtype)), chosen, steps, kept)


__all__ = ["CompiledCell", "Result", "compile_cell"]
