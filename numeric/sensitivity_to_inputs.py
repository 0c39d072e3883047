"""How much the last output of a cell depends on the input of each step: ‖∂q_T/∂x_t‖ along a run."""

from __future__ import annotations

import numpy as np

from derive.cell import Cell
from derive.errors import UsageError
from numeric.draws import Draw
from numeric.function import CompiledCell, compile_cell
from numeric.functions import Array


def input_jacobian_norms(
    cell: Cell, drawn: Draw, output: str | None = None, function: CompiledCell | None = None
) -> Array:
    """The Frobenius norm of ∂q_T/∂x_t for t = 1 .. T, all inputs together, by the derived backward pass: one for each entry of q_T.

    Parameters
    ----------
    output : q; by default what the loss of a step reads.
    function : the compiled cell, for whoever asks more than once.

    Raises
    ------
    UsageError : the cell has no input, or no output that is a vector.

    >>> from derive.cell import cell
    >>> from numeric.products import typical_draw
    >>> linear = cell("h[t] = w * h[t-1] + x[t], h[t] in R^{2}, x[t] in R^{2}, w in R")
    >>> drawn = typical_draw(linear, 0, 4, 2)
    >>> w = abs(float(drawn.given["w", None].item()))
    >>> bool(np.allclose(input_jacobian_norms(linear, drawn), np.sqrt(2) * w ** np.array([3, 2, 1, 0])))
    True
    """
    name = output or read_by_loss(cell)
    if not cell.inputs or 1 not in cell.shapes[name]:
        raise UsageError("the cell has no inputs and no output that is a vector", expected="a cell such as lstm")
    run, length = function or compile_cell(cell), drawn.sizes["T"]
    params = {key: _plain(value) for (key, time), value in drawn.given.items() if time is None}
    starts = {f"{key}_{time}": _plain(drawn.given[key, time]) for key, time in _starts(cell, drawn)}
    inputs = {key: np.stack([_plain(drawn.given[key, t]) for t in range(1, length + 1)]) for key in cell.inputs}
    size = run(params, inputs, starts, cotangents={}).states[name][0].size

    def each(value: Array, axis: int) -> Array:
        """As often as the output has entries: a sequence of the batch for each."""
        return np.repeat(np.expand_dims(value, axis), size, axis)

    cotangent = np.zeros((length, size, size))
    cotangent[-1] = np.eye(size)
    found = run(
        params,
        {key: each(value, 1) for key, value in inputs.items()},
        {key: each(value, 0) for key, value in starts.items()},
        cotangents={name: cotangent},
    ).gradients
    squares = sum((np.reshape(found[key], (length, -1)) ** 2).sum(axis=1) for key in cell.inputs)
    return np.sqrt(np.asarray(squares))


def read_by_loss(cell: Cell) -> str:
    """The quantity that the loss of a step reads; the last one that is defined, where it reads several."""
    read = [
        leaf.name
        for term in cell.loss_terms
        for leaf in term.body.atoms()
        if getattr(leaf, "name", None) in cell.definitions
    ]
    return read[-1] if read else list(cell.definitions)[-1]


def _plain(value: Array) -> Array:
    return np.asarray(value).reshape([size for size in value.shape if size != 1] or [])


def _starts(cell: Cell, drawn: Draw) -> list[tuple[str, int]]:
    return [(key, time) for (key, time) in drawn.given if time is not None and key in cell.states and time <= 0]


__all__ = ["input_jacobian_norms", "read_by_loss"]
