"""A block about what the products of a cell's Jacobians do over many steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from numeric.products import product_norms, typical_draw
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, words
from reports.plot import Plot, Reference, Series

_DRAWS = 3
_SMALLEST = 1e-300


@REGISTRY.block("product-norms", options=("count", "size", "lowest", "caption"), required=("cell",))
def product_norms_block(call: BlockCall) -> Sequence[Block]:
    """``bptt product-norms``: ‖J_t ... J_1‖ of a cell's joint state against t, for random parameters and inputs. Options:
    cell, count (steps), size (of the vectors), lowest (the plot ends at 10^-lowest), caption.
    """
    context = context_of(call)
    subject = context.cell(call)
    count = call.integer("count", 100, least=2, most=1000)
    size = call.integer("size", 8, least=2, most=64)
    steps = tuple(float(t) for t in range(1, count + 1))
    series = []
    for number in range(_DRAWS):
        norms = product_norms(subject, typical_draw(subject, context.seed + number, count, size))
        kept = [(t, y) for t, y in zip(steps, norms, strict=True) if math.isfinite(y) and y > _SMALLEST]
        if kept:
            series.append(Series(f"draw {number + 1}", tuple(t for t, _ in kept), tuple(y for _, y in kept)))
    if not series:
        raise call.error("every product is zero or without a finite value", "cell", expected="a cell with Jacobians")
    values = [y for line in series for y in line.y]
    lowest = 10.0 ** -call.integer("lowest", 16, least=1, most=300)
    limits = (max(lowest, min(values) / 2), min(max(values) * 2, 1 / lowest))
    plot = Plot(
        tuple(series),
        "number of steps $t$" if subject.tree is None else "number of edges",
        "norm of the product",
        y_scale="log",
        references=(Reference(1.0),),
        y_limits=(min(limits[0], 0.5), max(limits[1], 2.0)),
        height=5.2,
    )
    stretch = (
        f"over {count} steps" if subject.tree is None else f"along a path of {count} edges, from a leaf to the root"
    )
    caption = call.sentence("caption") or words(
        f"Spectral norm of the product of the one-step Jacobians {stretch}, for three random draws of parameters and inputs."
    )
    return [Figure(plot, caption, "Line plot of the norm of the product of Jacobians over time, logarithmic scale.")]
