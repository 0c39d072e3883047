"""The cell of a document that is given no other: its equations that define quantities."""

from __future__ import annotations

from collections.abc import Sequence

from derive.cell import Cell
from derive.cell_lines import MAX_EQUATIONS
from derive.errors import BpttError, UsageError
from derive.notation import surface as s
from derive.notation.scope import base_of
from derive.notation.write_latex import write_latex
from verify.claims import Claim
from verify.values import is_closed

MOST_TRIES = 24
"""So many beginnings of a document's equations are tried."""
_ADJOINTS = frozenset({"delta", "nabla"})
_HINT = "name a cell with --cell, or write its equations, such as h_t = \\tanh(W h_{t-1} + U x_t), at the top of the document"


def own_cell(claims: Sequence[Claim]) -> Cell:
    """The cell that the equations of a document describe: those that give a name a formula without derivatives, as many from
    the first on as make a cell.

    Raises
    ------
    UsageError : they make none; the message says why.
    """
    lines: list[str] = []
    left: set[str] = set()
    for claim in claims:
        line = _line(claim)
        if line is not None and line[0] not in left:
            left.add(line[0])
            lines.append(line[1])
        if len(lines) > MAX_EQUATIONS:
            break
    first: BpttError | None = None
    for count in (
        sorted({max(1, round(len(lines) * k / MOST_TRIES)) for k in range(1, MOST_TRIES + 1)}, reverse=True)
        if lines
        else ()
    ):
        try:
            found = Cell.from_text("\n".join(lines[:count]))
        except BpttError as error:
            first = first or error
            continue
        if found.states:
            return found
    why = "its equations make no cell" if first is None else f"its equations make no cell: {first.message}"
    raise UsageError(
        f"the document is about no cell that is known, and {why}" if lines else "there is no cell", hint=_HINT
    )


def _line(claim: Claim) -> tuple[str, str] | None:
    """The name that a claim defines, and its text as a line of a cell; a membership is one as well."""
    surface = claim.surface
    if claim.error is not None or surface is None:
        return None
    relations = surface.items if isinstance(surface, s.Line) else (surface,)
    if any(isinstance(item, s.Relation) and item.operators == ("in",) for item in relations):
        return write_latex(surface), write_latex(surface)
    if not isinstance(surface, s.Relation) or surface.operators[0] not in ("=", ":="):
        return None
    if is_closed(surface.items[-1]):
        return None  # numbers that are put in, or come out
    if any(_is_derivative(node) for item in surface.items for node in item.walk()):
        return None
    name = surface.items[0]
    base, accents = base_of(s.bare(name))
    if base is None or base in _ADJOINTS or "bar" in accents:
        return None
    first = s.Relation(surface.operators[:1], surface.items[:2])
    return write_latex(name), write_latex(first)


def _is_derivative(node: s.Surface) -> bool:
    return isinstance(node, s.Mark) and node.kind in ("partial", "nabla", "dots")


__all__ = ["own_cell"]
