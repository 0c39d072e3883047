"""What runs compiled cells: one module for each array library, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from derive.errors import UsageError
from numeric.backends.arrays import Arrays

BACKENDS = {
    "numpy": "numeric.backends.numpy_arrays:NumpyArrays",
    "compiled": "numeric.backends.compiled_arrays:CompiledArrays",
    "jax": "numeric.backends.jax_arrays:JaxArrays",
    "torch": "numeric.backends.torch_arrays:TorchArrays",
}
"""By name, the class that makes and reads the arrays of a backend."""
DTYPES = ("float64", "float32")


def backend(name: Any, dtype: str) -> Arrays:
    """The arrays of a backend.

    Raises
    ------
    UsageError : there is no such backend or type, or what it needs is not installed.
    """
    if dtype not in DTYPES:
        raise UsageError(f"there is no type {dtype!r}", expected=f"one of {', '.join(DTYPES)}")
    if name not in BACKENDS:
        raise UsageError(f"there is no backend {name!r}", expected=f"one of {', '.join(BACKENDS)}")
    module, _, kind = BACKENDS[name].partition(":")
    try:
        found: Arrays = getattr(import_module(module), kind)(dtype)
    except ImportError as error:
        raise UsageError(f"the backend {name} needs {error.name}", hint=f"install {error.name}") from error
    return found


__all__ = ["BACKENDS", "DTYPES", "Arrays", "backend"]
