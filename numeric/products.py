"""How the products of one-step Jacobians grow or shrink: ‖J_t J_{t-1} ... J_1‖ along a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.flow import FlowEngine
from derive.joint import JointState
from derive.system import RecurrentSystem
from numeric.draws import Draw, draw, run_of
from numeric.trees import caterpillar

_DRAWN = 0.8
"""The spread of drawn values."""


def typical_draw(system: RecurrentSystem, seed: int, length: int, size: int) -> Draw:
    """Random values with all sizes of about ``size``, and matrices as they are usually initialised: entries of the spread
    1 / sqrt(columns), so that a product neither grows nor shrinks by its size.
    """
    names = sorted({str(s) for shape in system.shapes.values() for a in shape for s in a.free_symbols})
    tree = None if system.tree is None else caterpillar(length + 1)
    drawn = draw(system, seed, length=length, tree=tree, fixed={name: size + k for k, name in enumerate(names)})
    for point, value in drawn.given.items():
        if point[1] is None and min(value.shape) > 1 and point[0] not in system.text.ranges:
            drawn.given[point] = value / (_DRAWN * np.sqrt(value.shape[1]))
    return drawn


def _steps(system: RecurrentSystem, drawn: Draw) -> Iterator[dict[str, int]]:
    """The letters of each one-step Jacobian in numbers: along the sequence, or on the path from node 1 to the root."""
    length, letters = drawn.sizes["T"], system.tree
    if drawn.tree is None or letters is None:
        yield from ({system.time.name: time} for time in range(1, length + 1))
        return
    for node in drawn.tree.path(1, length):
        yield {letters.node.name: drawn.tree.parent(node), letters.child.name: node}


def product_norms(system: RecurrentSystem, drawn: Draw) -> tuple[float, ...]:
    """The spectral norm of J_t ... J_1 for t = 1 .. T, with J_t the one-step Jacobian of the joint state; in a tree, along the
    path from node 1 up to the root. Matrix states count with all their entries.

    Raises
    ------
    MissingRuleError : the cell reads states of the next step.
    """
    matrices = any(1 not in system.shapes[key] for key in system.states)
    block = JointState(FlowEngine(system, vec=matrices)).block()
    product, norms = None, []
    with np.errstate(all="ignore"):  # a cell that explodes has no finite values in the end
        run = run_of(system, drawn)
        for times in _steps(system, drawn):
            step = np.real(run.evaluator(**times)(block))
            product = step if product is None else step @ product
            norms.append(float(np.linalg.norm(product, 2)) if np.all(np.isfinite(product)) else np.inf)
    return tuple(norms)
