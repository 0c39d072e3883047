"""Arrays by name, in whichever spelling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from derive.errors import BpttError
from derive.notation.names import alias_of
from derive.system import RecurrentSystem

Array = Any


class ByName(Mapping[str, Array]):
    """Arrays by name; a name is answered to in LaTeX and in plain spelling (``\\tilde{C}`` or ``C_tilde``)."""

    def __init__(self, system: RecurrentSystem, values: Mapping[str, Array]) -> None:
        self._values = values
        self._system = system

    def __getitem__(self, name: str) -> Array:
        if name in self._values:
            return self._values[name]
        for key in self._values:
            if alias_of(key) == name:
                return self._values[key]
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


__all__ = ["ByName"]
