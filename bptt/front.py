"""Public functions that belong to no room in particular."""

from __future__ import annotations

from derive.cell import Cell
from derive.expressions import Node
from derive.notation.elaborate import read_formula


def parse(text: str, cell: Cell | None = None) -> Node:
    """A formula as an expression; equal formulas compare equal, and ``str()`` and ``.latex()`` print it back.

    Parameters
    ----------
    text : LaTeX, or the plain form.
    cell : the cell that the formula is about; without one, names are what they are by convention (upper-case letters
           matrices, ...).

    Raises
    ------
    TypeError : the formula is no text, or ``cell`` no cell.
    ParseError, UnknownNameError, ShapeError, AmbiguityError : with line, column and a caret.

    >>> parse(r"\\sigma'(z_t) \\odot W h_{t-1}")
    sigma'(z[t]) * (W @ h[t-1])
    >>> parse("W^\\\\top \\\\delta_{t+1}") == parse(r"\\mathbf{W}^T \\, \\boldsymbol{\\delta}_{t+1}")
    True
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, not {type(text).__name__}")
    if cell is not None and not isinstance(cell, Cell):
        raise TypeError(f"cell is what bptt.cell(...) gives, not {type(cell).__name__}")
    return read_formula(text, None if cell is None else cell.context)
