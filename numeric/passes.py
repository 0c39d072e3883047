"""Passes over a program: each leaves every result as it is, and can be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from numeric.lower import Equations

Pass = Callable[[Equations], Equations]
PASSES: Mapping[str, Pass] = {}


def run_passes(equations: Equations, names: Iterable[str]) -> Equations:
    """A program after some passes, in the order of :data:`PASSES`."""
    chosen = set(names)
    for name, change in PASSES.items():
        if name in chosen:
            equations = change(equations)
    return equations
