"""Surface trees, changed from the leaves up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from derive.notation import surface as s


def rebuilt(node: s.Surface, change: Callable[[s.Surface], s.Surface]) -> s.Surface:
    """A tree with ``change`` applied to every node, innermost first."""
    parts: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, s.Surface):
            parts[field.name] = rebuilt(value, change)
        elif isinstance(value, tuple):
            parts[field.name] = _items(value, change)
    return change(replace(node, **parts)) if parts else change(node)


def _items(value: tuple[object, ...], change: Callable[[s.Surface], s.Surface]) -> tuple[object, ...]:
    result: list[object] = []
    for item in value:
        if isinstance(item, s.Surface):
            result.append(rebuilt(item, change))
        else:
            result.append(_items(item, change) if isinstance(item, tuple) else item)
    return tuple(result)
