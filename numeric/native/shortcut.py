"""Calls of a form that has been accepted before: addresses in, results out, and nothing looked up twice."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from numeric.arguments import Arguments
from numeric.lower import LOSS, cotangent_key
from numeric.native.calls import Ready
from numeric.native.memory import Memory, handles
from numeric.native.passes import NativePasses
from numeric.plans import Form, Groups, Plan
from numeric.variant import Variant

Array = Any
Change = Callable[[Array], Array]
Where = tuple[str, int, tuple[int, ...], tuple[int, ...]]
"""The name of a result, and where it lies in the memory of a call, with its shape and strides."""
_SMALL = 1 << 20
"""Bytes up to which states and gradients share memory, so that who keeps one of them keeps all."""


@dataclass(frozen=True)
class Found:
    """The results of a call."""

    loss: float | None
    states: dict[str, Array]
    gradients: dict[str, Array]
    finite: bool


class Shortcut:
    """Both passes for arguments of one form.

    Parameters
    ----------
    passes  : both passes, for any sizes.
    variant : of the cell, to which they belong.
    plan    : where arguments go.
    given   : the arguments of the call that was accepted.
    groups  : the same as they came.
    length  : T, where it was given.
    """

    def __init__(
        self, passes: NativePasses, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None
    ) -> None:
        size = (given.length, given.batch, given.sizes)
        self._passes, self._sizes, self._form = passes, given.sizes, Form(groups, length)
        self._dtype = given.kind.making()
        self._forward, self._backward = passes.ready("forward", *size), passes.ready("backward", *size)
        self._sources(variant, plan, given, self._form.first)
        self._states = list(self._where_states(variant, given))
        self._gradients = list(self._where_gradients(variant, given))
        self._loss = (
            None if variant.program.loss is None else self._where(self._forward, LOSS, LOSS, variant, given, False)
        )
        self._bytes = self._forward.layout.bytes + self._backward.layout.bytes
        self._small = self._forward.alone and self._backward.alone and self._bytes < _SMALL

    def _sources(self, variant: Variant, plan: Plan, given: Arguments, values: list[Array]) -> None:
        """In which order the arrays of a call go to machine code, after some are changed and others added."""
        writer, kind = variant.writer, plan.arguments.kind
        starts = {plan.arguments.signature.start_names[start.leaf]: start.argument for start in writer.starts}
        places: dict[str, int] = {}
        changes: dict[str, tuple[int, Change]] = {}
        for number, (route, value) in enumerate(zip(plan.routes, values, strict=True)):
            key = cotangent_key(route.key) if route.place == 2 else route.key
            called = starts[route.key] if route.place == 1 else writer.called(key)
            places[called] = number
            change: Change | None = None
            wanted = np.dtype(np.int64) if route.label else np.dtype(kind.making())
            if value.dtype != wanted or not value.flags.c_contiguous:
                change = partial(np.asarray, dtype=wanted, order="C")
            if route.place == 0 and key in self._passes.padded:
                change = partial(self._with_ends, key, route.axis, change)
            if change is not None:
                changes[called] = (number, change)
        forward, backward = self._passes.outside(self._forward), self._passes.outside(self._backward)
        others = given.arrays(writer)  # starting values that are zero
        wanted_names = dict.fromkeys([*forward, *backward])
        fixed = [name for name in wanted_names if name not in places]
        self._fixed = [others[name] for name in fixed]
        places |= {name: len(values) + k for k, name in enumerate(fixed)}
        self._changes = [changes[name] for name in changes if name in wanted_names]
        changed = [name for name in changes if name in wanted_names]
        places |= {name: len(values) + len(fixed) + k for k, name in enumerate(changed)}
        self._order = [places[name] for name in (*forward, *backward)]
        self._split = len(forward)
        self._handles = ctypes.c_int64 * len(self._order)

    def _with_ends(self, key: str, axis: int | None, change: Change | None, value: Array) -> Array:
        array = value if change is None else change(value)
        return self._passes.with_ends(key, array if axis is None else array[:, None])

    # -- where results lie -------------------------------------------------------------------------

    def _where_states(self, variant: Variant, given: Arguments) -> Iterable[Where]:
        for q in variant.system.equations:
            if variant.system.is_timed(q.key):
                yield self._where(self._forward, q.key, q.key, variant, given, timed=True)

    def _where_gradients(self, variant: Variant, given: Arguments) -> Iterable[Where]:
        for (key, place), target in variant.program.gradients.items():
            label = f"{key}_{place}" if place else key
            storage = variant.program.storages[target.name]
            summed = not place and key in variant.system.parameters and key not in given.own
            yield self._where(self._backward, label, target.name, variant, given, storage.timed, summed)

    def _where(
        self, ready: Ready, label: str, name: str, variant: Variant, given: Arguments, timed: bool, summed: bool = False
    ) -> Where:
        view, storage = ready.layout.views[name], variant.program.storages[name]
        offset, shape, strides = view.offset, view.shape, view.strides
        if timed:
            offset += storage.before * strides[0]
            shape = (given.length, *shape[1:])
        axis = None if given.batched or summed or not storage.batched else 1 if timed else 0
        if axis is not None:
            shape, strides = shape[:axis] + shape[axis + 1 :], strides[:axis] + strides[axis + 1 :]
        return label, offset, shape, strides

    # -- a call ------------------------------------------------------------------------------------

    def __call__(self, groups: Groups, length: int | None) -> Found | None:
        """Loss, states and gradients; None for arguments of another form."""
        values = self._form.values(groups, length)
        if values is None:
            return None
        arrays = [*values, *self._fixed]
        for place, change in self._changes:
            arrays.append(change(values[place]))
        outside = [arrays[place] for place in self._order]
        return self._together(outside) if self._small else self._apart(outside)

    def _together(self, outside: list[Array]) -> Found:
        """Both passes in one thread and one piece of memory."""
        forward, backward = self._forward, self._backward
        memory, scratch = Memory(self._bytes), self._scratch()
        found_by = handles(self._handles, outside)
        at, base = ctypes.addressof(found_by), memory.start
        lost = forward.caller.kernel.whole(forward.template_at, at, base, 0, scratch[0].start)
        second = base + forward.layout.bytes
        at += 8 * self._split
        lost += backward.caller.kernel.whole(backward.template_at, at, second, base, scratch[1].start)
        forward.caller.pool.give(scratch[0])
        backward.caller.pool.give(scratch[1])
        states = _views(memory, 0, self._dtype, self._states)
        gradients = _views(memory, forward.layout.bytes, self._dtype, self._gradients)
        loss = None if self._loss is None else float(_views(memory, 0, self._dtype, [self._loss])[LOSS])
        return Found(loss, states, gradients, not lost)

    def _scratch(self) -> tuple[Memory, Memory]:
        one, other = self._forward, self._backward
        return one.caller.pool.take(one.layout.scratch), other.caller.pool.take(other.layout.scratch)

    def _apart(self, outside: list[Array]) -> Found:
        """One pass after the other, with threads, each with memory of its own."""
        forward = self._forward(outside[: self._split], None, self._sizes, self._dtype, {})
        backward = self._backward(outside[self._split :], forward.memory, self._sizes, self._dtype, {})
        states = _views(forward.memory, 0, self._dtype, self._states)
        gradients = _views(backward.memory, 0, self._dtype, self._gradients)
        loss = None if self._loss is None else float(_views(forward.memory, 0, self._dtype, [self._loss])[LOSS])
        return Found(loss, states, gradients, forward.finite and backward.finite)


def _views(memory: Memory, first: int, dtype: Any, where: Iterable[Where]) -> dict[str, Array]:
    raw, shift, make = memory.raw, memory.shift + first, np.ndarray
    return {label: make(shape, dtype, raw, shift + offset, strides) for label, offset, shape, strides in where}


__all__ = ["Found", "Shortcut"]
