"""What was found out about the arguments of a call, for calls with arrays of the same names, shapes and types.

Checking takes longer than computing where arrays are small. Nothing of the checks depends on the entries of arrays, except that
labels are integers; so what has been accepted once is only put in its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numeric.backends.arrays import Arrays

if TYPE_CHECKING:
    from numeric.arguments import Arguments, Signature

Groups = Sequence[Mapping[str, Any] | None]
"""Parameters, inputs, starting values, cotangents, targets."""
_PARAMS, _INPUTS, _STARTS, _COTANGENTS, _TARGETS = range(5)
_NAMES = ("params", "inputs", "initial_state", "cotangents", "targets")
MOST = 64
"""Plans that are kept; variable lengths make one for each."""


def form(kind: Arrays, groups: Groups, length: int | None) -> Hashable | None:
    """Names, shapes and types of all arrays; None if not everything is an array of the library."""
    parts: list[Hashable] = [kind.name, length]
    for number, group in enumerate(groups):
        if group is None:
            continue
        if not isinstance(group, Mapping):
            return None
        for name, value in group.items():
            mark = kind.form(value)
            if mark is None:
                return None
            parts.append((number, name, mark))
    return tuple(parts)


@dataclass(frozen=True)
class Route:
    """Where an array goes: into which of the arguments' groups, under which key, with which axis added."""

    group: int
    name: str
    place: int
    key: str
    label: bool
    axis: int | None


@dataclass(frozen=True)
class Plan:
    """The arguments of a call without their arrays, and where each array goes."""

    arguments: Arguments
    routes: tuple[Route, ...]

    def filled(self, groups: Groups) -> Arguments:
        """The arguments of another call of the same form."""
        kind = self.arguments.kind
        places: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = ({}, {}, {})
        for route in self.routes:
            value = kind.read(groups[route.group][route.name])  # type: ignore[index]
            value = kind.labels(value) if route.label else kind.numbers(value)
            if route.axis is not None:
                value = value[None] if route.axis == 0 else value[:, None]
            places[route.place][route.key] = value
        values, starts, cotangents = places
        return replace(self.arguments, values=values, starts=starts, cotangents=cotangents)


def plan_of(signature: Signature, accepted: Arguments, groups: Groups) -> Plan | None:
    """The plan of a call that was accepted; None where labels came as floating-point numbers, which are looked at each time."""
    routes, kind = [], accepted.kind
    for number, group in enumerate(groups):
        for name, value in (group or {}).items():
            key = str(signature.key_of(_NAMES[number], name))
            label = key in signature.system.labels and number != _COTANGENTS
            if label and kind.letter(kind.read(value)) == "f":
                return None
            whole = number == _STARTS or (number == _TARGETS and key in accepted.own)
            axis = None if accepted.batched or number == _PARAMS else 0 if whole else 1
            place = {_STARTS: 1, _COTANGENTS: 2}.get(number, 0)
            routes.append(Route(number, name, place, key, label, axis))
    return Plan(replace(accepted, values={}, starts={}, cotangents={}), tuple(routes))


class Form:
    """Arrays of certain classes, names, shapes, strides and types, as they came in a call."""

    def __init__(self, groups: Groups, length: int | None) -> None:
        self._length = length
        self._names = [tuple(group or ()) for group in groups]
        self.first = [value for group in groups for value in (group or {}).values()]
        self._marks = [(type(value), value.shape, value.strides, value.dtype) for value in self.first]

    def values(self, groups: Groups, length: int | None) -> list[Any] | None:
        """The arrays of another call; None if they have another form."""
        if length != self._length:
            return None
        values: list[Any] = []
        for group, names in zip(groups, self._names, strict=True):
            if isinstance(group, dict):
                if tuple(group) != names:
                    return None
                values += group.values()
            elif names or group is not None:
                return None
        try:
            marks = [(type(value), value.shape, value.strides, value.dtype) for value in values]
        except AttributeError:  # no arrays
            return None
        return values if marks == self._marks else None


__all__ = ["MOST", "Form", "Groups", "Plan", "Route", "form", "plan_of"]
