"""A block about how far back a network looks: the gradient of its last output by the input of each token of a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from derive.cell import Cell
from derive.errors import UsageError
from numeric.function import CompiledCell, compile_cell
from numeric.functions import Array
from numeric.products import typical_draw
from numeric.sensitivity_to_inputs import input_jacobian_norms
from reports.block_calls import BlockCall
from reports.blocks.context import context_of
from reports.blocks.phrases import with_formulas
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, words
from reports.plot import Plot, Series
from reports.walk import plain_text

MOST_TOKENS = 120
_TOKEN = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")
_SMALLEST = 1e-300


@REGISTRY.block("input-gradients", options=("size", "draws", "lowest", "caption"), required=("text",), body="required")
def input_gradients_block(call: BlockCall) -> Sequence[Block]:
    """``bptt input-gradients``: the norm of ∂h_T/∂x_t for every token of ``text``, for the cells of the body (``label: cell``): the median
    over random draws of the parameters and of one vector for each word.
    """
    tokens = _TOKEN.findall(call.text("text"))
    if not 2 <= len(tokens) <= MOST_TOKENS:
        raise call.error(f"the text has {len(tokens)} tokens", "text", expected=f"2 to {MOST_TOKENS}")
    size = call.integer("size", 16, least=2, most=64)
    draws = call.integer("draws", 15, least=1, most=100)
    steps = tuple(float(t) for t in range(1, len(tokens) + 1))
    series, values = [], []
    for name, cell in _cells(call):
        function = compile_cell(cell)
        norms = np.median([_norms(call, cell, function, tokens, seed, size) for seed in range(draws)], axis=0)
        kept = [(t, float(y)) for t, y in zip(steps, norms, strict=True) if np.isfinite(y) and y > _SMALLEST]
        if not kept:
            raise call.error(
                f"every gradient of {name} is zero or without a finite value", expected="a cell with gradients"
            )
        series.append(Series(name, tuple(t for t, _ in kept), tuple(y for _, y in kept), marked=True))
        values += [y for _, y in kept]
    lowest = 10.0 ** -call.integer("lowest", 16, least=1, most=300)
    plot = Plot(
        tuple(series),
        y_label="norm of the gradient",
        y_scale="log",
        y_limits=(max(lowest, min(values) / 2), max(values) * 2),
        height=7.5,
        x_names=tuple(tokens),
    )
    caption = call.sentence("caption") or words(
        f"How much the last state depends on each token: the Frobenius norm of its derivative by the token's vector, "
        f"median of {draws} random draws of the parameters and of the vectors of words."
    )
    return [
        Figure(plot, caption, "Line plot of the norm of the gradient by each token of the text, logarithmic scale.")
    ]


def _cells(call: BlockCall) -> list[tuple[str, Cell]]:
    """The cells of the body, by their labels."""
    context, found = context_of(call), []
    for line in call.body.splitlines():
        label, sign, name = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not sign or not name:
            raise call.error("a line of the body is no cell", expected="label: cell, such as plain RNN: rnn")
        found.append((plain_text(with_formulas(label)), context.named(call, name)))
    return found


def _norms(call: BlockCall, cell: Cell, function: CompiledCell, tokens: Sequence[str], seed: int, size: int) -> Array:
    drawn = typical_draw(cell, context_of(call).seed + seed, len(tokens), size)
    first = {word: t for t, word in reversed(list(enumerate(tokens, 1)))}
    for key in cell.inputs:  # the same word is the same vector
        for t, word in enumerate(tokens, 1):
            drawn.given[key, t] = drawn.given[key, first[word]]
    try:
        return input_jacobian_norms(cell, drawn, function=function)
    except UsageError as error:
        raise error.at(call.span) from None


__all__ = ["input_gradients_block"]
