"""Cells that can be run in stretches: what a step reads of the steps before it is handed on as a state, whatever the cell calls it.

An input that is read later, as x_{t-1}, becomes a state of its own, x̄_t = x_t, which is zero before the sequence as x is. Starting values
that the equations give, as h_0 = p, are those of the first stretch alone; the next one is given its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive import expressions as e
from derive.cell import Cell
from derive.cell_text import Equation
from derive.notation.names import QName
from derive.system import T, leaves


def with_inputs_kept(system: Cell) -> Cell:
    """The cell with a state in the place of each input that is read later; the cell itself where there is none."""
    kept: dict[str, Equation] = {}
    moved: dict[e.Node, e.Node] = {}
    for leaf in _read(system):
        if leaf.name in system.inputs and leaf.time != system.time:
            name = kept_name(leaf.name)
            kept[leaf.name] = Equation(
                name, e.Timed(name, system.time, *leaf.shape), e.Timed(leaf.name, system.time, *leaf.shape)
            )
            moved[leaf] = e.Timed(name, leaf.time, *leaf.shape)
    if not kept:
        return system
    text = system.text
    equations = tuple(replace(q, rhs=q.rhs.xreplace(moved)) for q in text.equations)
    shapes = {**text.shapes, **{q.key: q.lhs.shape for q in kept.values()}}
    return Cell(replace(text, equations=(*equations, *kept.values()), shapes=shapes))


def without_starting_values(system: Cell) -> Cell:
    """The cell that is given all of its starting values."""
    return Cell(replace(system.text, initial={})) if system.initial else system


def kept_name(name: str) -> str:
    """The name of the state that keeps an input."""
    return QName.from_key(name).with_sup("kept").key


def why_whole(system: Cell) -> str | None:
    """What of a cell only a whole sequence can tell; None where it can be run in stretches."""
    for leaf in _read(system):
        if leaf.name in system.inputs and (leaf.time - system.time).is_positive:
            return "reads the future"
    fixed = {*_of_certain_times(system)}
    for equation in system.steps:
        if not isinstance(equation.lhs, e.Timed):
            continue
        if any(leaf.name in fixed for leaf in leaves(equation.rhs)):
            return "reads a certain time of the sequence at every step"
        timeless = equation.rhs.xreplace({leaf: e.Var(leaf.name, *leaf.shape) for leaf in _timed(equation.rhs)})
        if timeless.free_symbols & {system.time, T}:
            return "reads the number of the step or the length of the sequence"
    return None


def _read(system: Cell) -> Iterator[e.Timed]:
    """What the steps read that has a time."""
    for equation in system.text.equations:
        if isinstance(equation.lhs, e.Timed):
            yield from _timed(equation.rhs)


def _timed(node: e.Node) -> Iterator[e.Timed]:
    return (leaf for leaf in leaves(node) if isinstance(leaf, e.Timed))


def _of_certain_times(system: Cell) -> Iterator[str]:
    """Quantities without time that are made of the sequence, such as c = V x_1."""
    found: set[str] = set()
    for equation in system.steps:
        made = any(isinstance(leaf, e.Timed) or leaf.name in found for leaf in leaves(equation.rhs))
        if isinstance(equation.lhs, e.Var) and made:
            found.add(equation.key)
            yield equation.key


__all__ = ["kept_name", "why_whole", "with_inputs_kept", "without_starting_values"]
