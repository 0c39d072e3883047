"""Functions that all modules call: their machine code is made once in a process, whatever the number of cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from llvmlite import ir

from numeric.native.target import Code
from numeric.native.vectors import Vectors

_made: dict[str, Code] = {}
_lock = Lock()


def shared(v: Vectors, name: str, kinds: Sequence[Any], write: Callable[[Vectors], None]) -> Any:
    """A function without a result, declared in a module; ``write`` writes it into a module of its own where there is none yet."""
    with _lock:
        if name not in _made:
            own = Vectors(ir.Module(name=name), v.double)
            write(own)
            code = Code(str(own.module))
            code.publish(name)
            _made[name] = code
    return v.external(name, ir.VoidType(), kinds)


__all__ = ["shared"]
