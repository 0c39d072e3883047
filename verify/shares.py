"""What one step adds to the derivative by a shared parameter, where the loss has no parts and the cell no parameter of that name:
``\\frac{\\partial L^{(2)}}{\\partial W}``, ``\\frac{\\partial L}{\\partial W}^{(2)}`` or ``\\frac{\\partial L}{\\partial W^{(2)}}``.

The parameter gets a value of its own at each step, W_2 at step 2, so that the share is an ordinary derivative of a cell in which W_t is an
input; a formula that holds for any such values holds where they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from derive import expressions as e
from derive.cell import Cell
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.rebuild import rebuilt
from derive.system import RecurrentSystem
from verify.names import Names

READING = "a number in parentheses at a derivative by a parameter says what that step adds to it"
"""How such a formula is read."""


@dataclass(frozen=True)
class Share:
    """The share of a step in the derivative by a parameter."""

    parameter: str
    step: s.Surface


def has_shares(surface: s.Surface, names: Names) -> bool:
    """Whether a formula speaks of what one step adds."""
    return any(_share(node, names.system) is not None for node in surface.walk())


def of_steps(surface: s.Surface, names: Names) -> tuple[Names, s.Surface] | None:
    """The cell in which parameters have values of their own at each step, and the formula about it; None for a formula that speaks of no
    share, or of several steps.
    """
    system = names.system
    found = {share for node in surface.walk() if (share := _share(node, system)) is not None}
    steps = {share.step for share in found}
    if len(steps) != 1 or not isinstance(system, Cell):
        return None
    if not all(_is_of_the_step(node, next(iter(steps)), found, system) for node in _others(surface, system)):
        return None
    parameters = tuple(sorted({share.parameter for share in found}))
    other = _with_values_at_each_step(system, parameters)
    if other is None:
        return None
    return Names(other), rebuilt(surface, lambda node: _written(node, next(iter(found)).step, parameters, system))


def _share(node: s.Surface, system: RecurrentSystem) -> Share | None:
    """The share that a derivative is."""
    step: s.Surface | None = None
    if isinstance(node, s.Scripted) and not node.subs and len(node.sups) == 1:
        step = _step(node.sups[0])
        inner = node.base
        node = inner.items[0] if isinstance(inner, s.Bracket) and len(inner.items) == 1 else inner
        if step is None:
            return None
    if not isinstance(node, s.Fraction):
        return None
    of, by = _differentiated(node.numerator), _differentiated(node.denominator)
    if of is None or by is None:
        return None
    for part in (of, by):
        if isinstance(part, s.Scripted) and not part.subs and len(part.sups) == 1:
            other = _step(part.sups[0])
            if step is not None and other is not None and other != step:
                return None  # two steps in one derivative
            step = step or other
    parameter = s.bare(by)
    whole = s.bare(of)
    known = isinstance(parameter, s.Name) and parameter.text in system.parameters
    if step is None or not known or whole != s.Name(system.loss_name):
        return None
    return Share(parameter.text, step) if isinstance(parameter, s.Name) else None


def _others(surface: s.Surface, system: RecurrentSystem) -> Iterator[s.Fraction]:
    """The derivatives of a formula that are no shares."""
    if _share(surface, system) is not None:
        return
    if isinstance(surface, s.Fraction) and _differentiated(surface.denominator) is not None:
        yield surface
        return
    for part in surface.children():
        yield from _others(part, system)


def _is_of_the_step(node: s.Fraction, step: s.Surface, found: set[Share], system: RecurrentSystem) -> bool:
    """Whether another derivative by one of the parameters is about the step: of a quantity at that step, for which what the step does is
    meant. The derivative of the loss by the parameter is the whole one, and no share.
    """
    of, by = _differentiated(node.numerator), _differentiated(node.denominator)
    name = s.bare(by)
    if not isinstance(name, s.Name) or name.text not in {share.parameter for share in found}:
        return True
    return isinstance(of, s.Scripted) and of.base != s.Name(system.loss_name) and of.subs[-1:] == (step,)


def _step(script: s.Surface) -> s.Surface | None:
    """What stands in the parentheses of a superscript."""
    return script.items[0] if isinstance(script, s.Bracket) and script.kind == "(" and len(script.items) == 1 else None


def _differentiated(side: s.Surface) -> s.Surface | None:
    """What follows ∂."""
    if not isinstance(side, s.Sequence) or len(side.items) != 2 or side.items[0] != s.Mark("partial"):
        return None
    return side.items[1]


def _written(node: s.Surface, step: s.Surface, parameters: tuple[str, ...], system: RecurrentSystem) -> s.Surface:
    """∂L by W at the step, in the spelling of the other cell."""
    if isinstance(node, s.Scripted) and len(node.sups) == 1 and _step(node.sups[0]) == step:
        inner = node.base.items[0] if isinstance(node.base, s.Bracket) and len(node.base.items) == 1 else node.base
        if isinstance(inner, s.Fraction):
            return inner
        if isinstance(inner, s.Name) and inner.text == system.loss_name:
            return inner
    if isinstance(node, s.Sequence) and (by := _differentiated(node)) is not None:
        name = by.base if isinstance(by, s.Scripted) and not by.subs else by
        if isinstance(name, s.Name) and name.text in parameters:
            return replace(node, items=(node.items[0], s.Scripted(name, (step,), span=by.span)))
    return node


@lru_cache(maxsize=64)
def _with_values_at_each_step(cell: Cell, parameters: tuple[str, ...]) -> Cell | None:
    """The cell with W_t in the place of W in every equation of a step; None where W is used elsewhere."""
    values: dict[e.Node, e.Node] = {
        e.Var(name, *cell.shapes[name]): e.Timed(name, cell.time, *cell.shapes[name]) for name in parameters
    }
    lines = []
    for relation in cell.relations():
        timed = isinstance(relation.lhs, e.Timed) and relation.lhs.time == cell.time
        rhs = relation.rhs.xreplace(values) if timed else relation.rhs
        if not timed and any(relation.has(value) for value in values):
            return None
        lines.append(e.Relation("=", relation.lhs, rhs).latex())
    try:
        return Cell.from_text("\n".join([*lines, *_sizes(cell, parameters)]), "steps")
    except BpttError:
        return None


def _sizes(cell: Cell, parameters: tuple[str, ...]) -> Iterator[str]:
    for key, (rows, columns) in cell.shapes.items():
        if key in cell.definitions or key in cell.inputs or key in cell.parameters:
            node = e.Timed(key, cell.time, rows, columns) if key in parameters else cell.quantity(key)
            yield f"{node.latex()} \\in \\mathbb{{R}}^{{{rows} \\times {columns}}}"


__all__ = ["READING", "has_shares", "of_steps"]
