"""What runs compiled cells: one module for each array library, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from derive.errors import UsageError
from numeric.backends.backend import Backend

_PLAIN = "backend:Backend"
BACKENDS = {
    "numpy": ("numpy_arrays:NumpyArrays", "generated:Generated"),
    "compiled": ("numpy_arrays:NumpyArrays", "machine_code:MachineCode"),
    "torch": ("torch_arrays:TorchArrays", _PLAIN),
    "jax": ("jax_arrays:JaxArrays", "jitted:Jitted"),
}
"""By name, the class that reads and makes arrays, and that which runs programs."""
DTYPES = ("float64", "float32")


def backend(name: Any, dtype: str) -> Backend:
    """A backend, for one type of numbers.

    Raises
    ------
    UsageError : there is no such backend or type, or what it needs is not installed.
    """
    if dtype not in DTYPES:
        raise UsageError(f"there is no type {dtype!r}", expected=f"one of {', '.join(DTYPES)}")
    if not isinstance(name, str) or name not in BACKENDS:
        raise UsageError(f"there is no backend {name!r}", expected=f"one of {', '.join(BACKENDS)}")
    try:
        arrays, runs = map(_loaded, BACKENDS[name])
    except ImportError as error:
        raise UsageError(f"the backend {name} needs {error.name}", hint=f"install {error.name}") from error
    found: Backend = runs(name, arrays(dtype))
    return found


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"numeric.backends.{module}"), name)


__all__ = ["BACKENDS", "DTYPES", "Backend", "backend"]
