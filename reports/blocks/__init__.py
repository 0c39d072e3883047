"""The blocks by which a sheet calls the engine: a fence ``bptt NAME`` with ``key: value`` options.

One function a block; each returns blocks of the document tree. What a block derives it also measures, and a result that
does not hold stops the build. Importing this package enters all blocks into :data:`REGISTRY`.
"""

from reports.blocks import (
    claims,
    code,
    derivations,
    diagrams,
    evaluation,
    findings,
    flow,
    formulas,
    growth,
    marking,
    measured,
    products,
    shapes,
    spectra,
    tokens,
    training_run,
)
from reports.blocks.context import SheetContext
from reports.blocks.registry import REGISTRY

__all__ = [
    "REGISTRY",
    "SheetContext",
    "claims",
    "code",
    "derivations",
    "diagrams",
    "evaluation",
    "findings",
    "flow",
    "formulas",
    "growth",
    "marking",
    "measured",
    "products",
    "shapes",
    "spectra",
    "tokens",
    "training_run",
]
