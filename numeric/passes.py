"""Passes over a program: each makes it faster, leaves every result as it is, and can be left out.

``saved_outputs``  derivatives from what the forward pass kept: σ'(z) = f ⊙ (1 - f) where f = σ(z), and tanh(C) once.
``named_products`` products that both passes need are computed once, and what is passed back to them is formed once.
``hoisted``        what does not depend on the recurrence is taken out of the loop and computed for all times in one product.
``stacked``        gates that multiply the same operand share one product; so do their adjoints, and their parameters' gradients.
``local``          what is used within its step alone is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from numeric.hoisting import hoisted
from numeric.lower import Equations
from numeric.naming import named_products
from numeric.saved_outputs import saved_outputs
from numeric.stacking import stacked

Pass = Callable[[Equations], Equations]


def local(equations: Equations) -> Equations:
    """Have quantities of a single step without an array (:func:`numeric.lower.program` finds which)."""
    return replace(equations, local=True)


PASSES: Mapping[str, Pass] = {
    "saved_outputs": saved_outputs,
    "named_products": named_products,
    "hoisted": hoisted,
    "stacked": stacked,
    "local": local,
}


def run_passes(equations: Equations, names: Iterable[str]) -> Equations:
    """A program after some passes, in the order of :data:`PASSES`."""
    chosen = set(names)
    for name, change in PASSES.items():
        if name in chosen:
            equations = change(equations)
    return equations
