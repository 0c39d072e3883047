"""bptt: gradients of recurrent networks, derived, proved, measured and typeset.

>>> import bptt
>>> cell = bptt.cell("h_t = \\\\sigma(W h_{t-1} + U x_t + b)")
>>> str(cell.jacobian("h_t", "h_{t-1}").result)
"diag(sigma'(z[t])) @ W"

Nothing heavy is imported before it is used: torch only to validate, SymPy only to derive.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bptt.front import parse
    from derive.cell import Cell, cell, library
    from derive.derivation import Derivation, Step
    from derive.errors import (
        AmbiguityError,
        BpttError,
        CodeError,
        DataError,
        MissingRuleError,
        NonFiniteWarning,
        ParseError,
        RenderError,
        ShapeError,
        UnknownNameError,
        UsageError,
        ValidationError,
    )
    from numeric.backends.torch_module import Module
    from numeric.function import compile_cell as compile
    from numeric.validate import validate_derivation, validate_gradients
    from verify.check import check
    from verify.checked import Checked
    from verify.programs.report import GradientReport, assert_gradients, check_gradients

__version__ = "0.1.0"

_HOMES = {
    "cell": "derive.cell", "Cell": "derive.cell", "library": "derive.cell", "parse": "bptt.front", "Derivation": "derive.derivation",
    "Step": "derive.derivation", "validate_gradients": "numeric.validate", "validate_derivation": "numeric.validate",
    "compile": "numeric.function:compile_cell", "Module": "numeric.backends.torch_module", "check": "verify.check",
    "Checked": "verify.checked", "check_gradients": "verify.programs.report", "assert_gradients": "verify.programs.report",
    "GradientReport": "verify.programs.report",
    **dict.fromkeys(
        ("BpttError", "ParseError", "ShapeError", "AmbiguityError", "UnknownNameError", "MissingRuleError", "NonFiniteWarning",
        "CodeError", "DataError", "UsageError", "RenderError",
         "ValidationError"), "derive.errors",
    ),
}  # fmt: skip

__all__ = [
    "AmbiguityError", "BpttError", "Cell", "Checked", "CodeError", "DataError", "Derivation", "GradientReport", "MissingRuleError",
    "Module", "NonFiniteWarning", "ParseError", "RenderError", "ShapeError", "Step", "UnknownNameError", "UsageError", "ValidationError",
    "assert_gradients", "cell", "check", "check_gradients", "compile", "library", "parse", "validate_derivation", "validate_gradients",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bptt' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute or name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
