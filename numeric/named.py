"""Arrays by name, in whichever spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from derive.errors import BpttError
from derive.notation.names import alias_of
from derive.system import RecurrentSystem

Array = Any


class ByName(dict[str, Array]):
    """Arrays by name; a name is answered to in LaTeX and in plain spelling (``\\tilde{C}`` or ``C_tilde``)."""

    def __init__(self, system: RecurrentSystem, values: Mapping[str, Array]) -> None:
        super().__init__(values)
        self._system = system

    def __missing__(self, name: str) -> Array:
        key = self._key(name)
        if key is None:
            raise KeyError(f"{name} is not among {', '.join(self)}")
        return self[key]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self._key(name) is not None)

    def get(self, name: str, default: Any = None) -> Any:
        """The array, or a default."""
        try:
            return self[name]
        except KeyError:
            return default

    def _key(self, name: str) -> str | None:
        """The key that another spelling means."""
        keys = (key for key in self if alias_of(key) == name)
        key = next(keys, None)
        if key is None:
            key = _spelled(self._system, name)
        return key if super().__contains__(key) else None

    def __repr__(self) -> str:
        return f"<{', '.join(f'{key} {np.shape(value)}' for key, value in self.items())}>"


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


__all__ = ["ByName"]
