"""Calls of a form that has been accepted before: addresses in, results out, and nothing looked up twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from numeric.arguments import Arguments
from numeric.lower import LOSS, cotangent_key
from numeric.native.calls import Arrays, Ready
from numeric.native.passes import NativePasses
from numeric.plans import Groups, Plan
from numeric.variant import Variant

Array = Any
Change = Callable[[Array], Array]
Where = tuple[str, int, tuple[int, ...], tuple[int, ...]]
"""The name of a result, and where it lies in the memory of a call, with its shape and strides."""


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
    variant : of the cell, with passes in machine code.
    plan    : where arguments go.
    given   : the arguments of the call that was accepted.
    groups  : the same as they came.
    """

    def __init__(self, variant: Variant, plan: Plan, given: Arguments, groups: Groups) -> None:
        passes = variant.passes
        assert isinstance(passes, NativePasses)
        size = (given.length, given.batch, given.sizes)
        self._passes = passes
        self._dtype = given.kind.making()
        self._sizes = given.sizes
        self._forward, self._backward = passes.ready("forward", *size), passes.ready("backward", *size)
        self._arrays = given.arrays(variant.writer)  # what is in no group of a call: starting values that are zero
        routes = self._routes(variant, plan, groups)
        self._for_forward = [routes.get(name, (-1, name, None)) for name in passes.outside(self._forward)]
        self._for_backward = [routes.get(name, (-1, name, None)) for name in passes.outside(self._backward)]
        self._states = list(self._where_states(variant, given))
        self._gradients = list(self._where_gradients(variant, given))
        self._loss = variant.program.loss is not None

    def _routes(self, variant: Variant, plan: Plan, groups: Groups) -> dict[str, tuple[int, str, Change | None]]:
        """By what it is called, the group and the name of an argument, and what must be done to it."""
        writer, kind = variant.writer, plan.arguments.kind
        starts = {plan.arguments.signature.start_names[start.leaf]: start.argument for start in writer.starts}
        found = {}
        for route in plan.routes:
            change: Change | None = None
            value = groups[route.group][route.name]  # type: ignore[index]
            wanted = np.int64 if route.label else kind.making()
            if value.dtype != wanted or not value.flags.c_contiguous:
                change = partial(np.ascontiguousarray, dtype=wanted)
            called = (
                starts[route.key]
                if route.place == 1
                else writer.called(cotangent_key(route.key) if route.place == 2 else route.key)
            )
            if route.place != 1 and route.key in self._passes.padded and route.place == 0:
                change = partial(self._with_ends, route.key, route.axis, change)
            found[called] = (route.group, route.name, change)
        return found

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

    def __call__(self, groups: Groups) -> Found:
        """Loss, states and gradients."""
        made: dict[str, Array] = {}
        forward = self._forward(self._outside(self._for_forward, groups, made), 0, self._sizes, self._dtype, {})
        outside = self._outside(self._for_backward, groups, made)
        backward = self._backward(outside, forward.memory.start, self._sizes, self._dtype, {})
        return Found(
            float(forward[LOSS]) if self._loss else None,
            _views(forward, self._states),
            _views(backward, self._gradients),
            forward.finite and backward.finite,
        )

    def _outside(
        self, sources: list[tuple[int, str, Change | None]], groups: Groups, made: dict[str, Array]
    ) -> list[Array]:
        found = []
        for group, name, change in sources:
            if group < 0:
                found.append(self._arrays[name])
            elif change is None:
                found.append(groups[group][name])  # type: ignore[index]
            else:
                if name not in made:
                    made[name] = change(groups[group][name])  # type: ignore[index]
                found.append(made[name])
        return found


def _views(arrays: Arrays, where: Iterable[Where]) -> dict[str, Array]:
    memory, dtype = arrays.memory, arrays.layout.dtype
    raw, shift = memory.raw, memory.shift
    make: Mapping[str, Array] | Any = np.ndarray
    return {label: make(shape, dtype, raw, shift + offset, strides) for label, offset, shape, strides in where}


__all__ = ["Found", "Shortcut"]
