"""Which quantity a formula is, in whatever spelling, and whether another one only says it again."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Symbol

from derive import expressions as e
from derive.errors import BpttError
from derive.normal import equal
from derive.system import T
from verify.conventions import Definition
from verify.names import Names


def quantity_of(node: e.Node, names: Names) -> e.Node:
    """A quantity in one spelling: without a transpose, a number before it or the columns of a matrix stacked, and ∂L/∂a for ∇_a L and for
    the adjoint of a.
    """
    node = _bare(node)
    if isinstance(node, (e.Gradient, e.Derivative)):
        of, by = _bare(node.of), _bare(node.by)
        immediate = isinstance(node, e.Derivative) and node.immediate
        return e.Derivative(of, by, "immediate" if immediate else "total")
    system = names.system
    if isinstance(node, (e.Timed, e.Var)) and node.name in system.adjoint_owners and system.loss_terms:
        owner = system.quantity(system.adjoint_owners[node.name])
        moved = owner.at(node.time) if isinstance(owner, e.Timed) and isinstance(node, e.Timed) else owner
        return e.Derivative(e.Var(system.loss_name), moved)
    return node


def _bare(node: e.Node) -> e.Node:
    """A formula without transposes, numbers that it is multiplied with, and vec."""
    if isinstance(node, (e.Transpose, e.Neg, e.Vec)):
        return _bare(node.operands[0])
    if isinstance(node, (e.Times, e.Hadamard)):
        rest = [part for part in node.operands if not _is_number(part)]
        return _bare(rest[0]) if len(rest) == 1 else node
    if isinstance(node, e.Divide) and _is_number(node.operands[1]):
        return _bare(node.operands[0])
    return node


def _is_number(node: e.Node) -> bool:
    """Whether it is a number other than zero, or a size."""
    return isinstance(node, e.Scalar) and bool(node.value.is_nonzero)


def collapsed(node: e.Node) -> e.Node:
    """Sums and products of one term as that term."""
    alone = {
        part: part.body.xreplace({part.index: part.lower})
        for part in node.atoms(e.OverTime)
        if part.lower == part.upper
    }
    return collapsed(node.xreplace(alone)) if alone else node


def same(one: e.Node | None, other: e.Node | None) -> bool:
    """Whether two sides are one formula, in two spellings perhaps."""
    try:
        return one is not None and other is not None and (one == other or equal(one, other))
    except BpttError:
        return False


def says_again(part: e.Node, wanted: e.Node, names: Names) -> bool:
    """Whether a formula is what is wanted: as it is, with something added to what is differentiated or with its definition in its place, or
    picked out of a sum over its time.
    """
    found = quantity_of(part, names)
    if found == wanted:
        return True
    if isinstance(found, e.Derivative) and isinstance(wanted, e.Derivative) and found.by == wanted.by:
        parts = isinstance(found.by, e.Var) and getattr(found.of, "name", "") == names.system.step_loss_name
        return parts or found.of == wanted.of or not isinstance(found.of, (e.Timed, e.Var))
    times = {leaf.time for leaf in _timed(wanted)}
    if isinstance(found, e.SumOver) and len(times) == 1:
        there = wanted.xreplace({times.pop(): found.index})
        return any(quantity_of(inner, names) == there for inner in parts_of(found.body, names))
    if isinstance(found, e.SumOver) and len({symbol for time in times for symbol in time.free_symbols - {T}}) == 1:
        there = canonical(wanted)
        return any(canonical(quantity_of(inner, names)) == there for inner in parts_of(found.body, names))
    return False


def parts_of(node: e.Node, names: Names) -> Iterator[e.Node]:
    """All that a formula is made of, that which the author's own names stand for included."""
    pending, known = [node], set[str]()
    while pending:
        for part in e.children_first(pending.pop()):
            if not isinstance(part, e.Node):
                continue
            yield part
            if isinstance(part, (e.Timed, e.Var)) and part.name in names.lines and part.name not in known:
                known.add(part.name)
                pending += (_at(part, line) for line in names.lines[part.name])


def _at(leaf: e.Timed | e.Var, line: Definition) -> e.Node:
    """What a line says of a name at its time."""
    if line.letter is None or not isinstance(leaf, e.Timed) or not isinstance(line.lhs, e.Timed):
        return line.rhs
    return line.rhs.xreplace({line.letter: leaf.time - (line.lhs.time - line.letter)})


def canonical(node: e.Node) -> e.Node:
    """A quantity with its first free time called by the same letter, without an offset: h_t and h_{k-1} are one result."""
    letters: dict[Symbol, Expr] = {}
    for leaf in _timed(node):
        free = sorted(leaf.time.free_symbols - {T}, key=str)
        if len(free) == 1 and free[0] not in letters:
            offset = leaf.time - free[0] if not letters else 0
            letters[free[0]] = e.index(f"i{len(letters)}") - offset
    return node.xreplace(letters) if letters else node


def _timed(node: e.Node) -> Iterator[e.Timed]:
    """Quantities with a time, in reading order."""
    if isinstance(node, e.Timed):
        yield node
    for operand in node.operands:
        yield from _timed(operand)


__all__ = ["canonical", "collapsed", "parts_of", "quantity_of", "same", "says_again"]
