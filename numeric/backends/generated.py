"""NumPy's arrays, computed with by generated modules as they are, and shortcuts to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any, NamedTuple

from numeric.arguments import Arguments
from numeric.backends.backend import Backend, Shortcut
from numeric.lower import LOSS, cotangent_key
from numeric.plans import Form, Groups, Plan, Route
from numeric.variant import Variant

Array = Any


class Found(NamedTuple):
    """The results of a call."""

    loss: float | None
    states: dict[str, Array]
    gradients: dict[str, Array]
    finite: bool


class Generated(Backend):
    """Generated modules for NumPy."""

    shortcuts = True

    def shortcut(
        self, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None
    ) -> Shortcut | None:
        """Both passes, with everything around them looked up beforehand."""
        return _Shortcut(variant, plan, given, groups, length)


class _Shortcut:
    """Both passes for arguments of one form.

    Parameters
    ----------
    variant : of the cell, with both passes.
    plan    : where arguments go.
    given   : the arguments of the call that was accepted.
    groups  : the same as they came.
    length  : T, where it was given.
    """

    def __init__(self, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None) -> None:
        self._form, self._kind = Form(groups, length), given.kind
        self._forward, self._backward = variant.passes.forward, variant.passes.backward
        self._size = (given.length, given.batch, given.sizes, given.kind.making())
        self._sources(variant, plan, given)
        step = max(1, given.length - 1)  # what is lost in a step is lost in those that follow: the ends tell
        self._states = [
            (key, called, where, (slice(where[0].start, where[0].stop, step), *where[1:]))
            for key, called, where in variant.state_places(given)
        ]
        self._gradients = [
            (f"{key}_{place}" if place else key, argument, index)
            for (key, place), argument, index in variant.gradient_places(given)
        ]
        self._has_loss = variant.program.loss is not None

    def _sources(self, variant: Variant, plan: Plan, given: Arguments) -> None:
        """What the module calls the arrays of a call, which of them are changed, and what comes besides."""
        called = {given.signature.start_names[start.leaf]: start.argument for start in variant.writer.starts}
        self._names: list[str] = []
        self._changes: list[tuple[str, Callable[[Array], Array]]] = []
        for route, value in zip(plan.routes, self._form.first, strict=True):
            key = cotangent_key(route.key) if route.place == 2 else route.key
            self._names.append(called[key] if route.place == 1 else variant.writer.called(key))
            change = partial(_changed, self._kind.labels if route.label else self._kind.numbers, route)
            if route.label or route.axis is not None or change(value) is not value:
                self._changes.append((self._names[-1], change))
        arrays = given.arrays(variant.writer)
        self._others = {name: value for name, value in arrays.items() if name not in self._names}
        """Starting values that were left out."""

    def __call__(self, groups: Groups, length: int | None) -> Found | None:
        """Loss, states and gradients; None for arguments of another form."""
        values = self._form.values(groups, length)
        if values is None:
            return None
        arrays = dict(zip(self._names, values, strict=True))
        for name, zeros in self._others.items():
            arrays[name] = zeros.copy()  # a result may be the very array
        for name, change in self._changes:
            arrays[name] = change(arrays[name])
        kind = self._kind
        with kind.quietly():
            kept = self._forward(*self._size, arrays)
            found = self._backward(*self._size, arrays, kept)
            states = {key: kept[name][index] for key, name, index, _ in self._states}
            gradients = {key: kind.numbers(found[name])[index] for key, name, index in self._gradients}
            loss = float(kept[LOSS]) if self._has_loss else None
            ends = [kept[name][rows] for _, name, _, rows in self._states]
            finite = (loss is None or isfinite(loss)) and all(map(kind.finite, (*gradients.values(), *ends)))
        return Found(loss, states, gradients, finite)


def _changed(read: Callable[[Array], Array], route: Route, value: Array) -> Array:
    """An array with the type and the axes that the module reads."""
    value = read(value)
    return value if route.axis is None else value[None] if route.axis == 0 else value[:, None]


__all__ = ["Generated"]
