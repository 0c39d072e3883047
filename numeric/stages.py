"""From the equations of both passes to a program: in which stage everything runs, and the array of every quantity.

Every equation becomes one statement: what belongs to a recurrence runs step by step, everything else for all times together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sympy import Expr

from derive import expressions as e
from derive.cell_text import Equation
from derive.order import sweeps, within_step
from derive.system import RecurrentSystem, T, leaves
from derive.tree import steps_away
from numeric.lower import LOSS, Equations
from numeric.program import Kind, Program, Stage, Statement, Storage


def program(equations: Equations) -> Program:
    """The stages of both passes, and the array of every quantity."""
    forward = [*_forward(equations)]
    backward = [*_stages(equations.backward, equations)]
    own = tuple(total for total in equations.totals if total.target.name == LOSS)
    others = tuple(total for total in equations.totals if total.target.name != LOSS)
    forward += [Stage("once", own)] if own else []
    backward += [Stage("once", others)] if others else []
    stages = (*forward, *backward)
    storages = _storages(equations, stages)
    if equations.local:
        kept = {*(q.key for q in equations.system.equations), *(target.name for target in equations.gradients.values())}
        local = {key for key in storages if key not in kept and _is_local(key, stages, equations)}
        storages = {key: replace(storage, local=key in local) for key, storage in storages.items()}
    return Program(tuple(forward), tuple(backward), storages, equations.loss, equations.gradients)


def _is_local(key: str, stages: Sequence[Stage], equations: Equations) -> bool:
    """Whether a quantity is computed in a loop, and read in the same step of that loop and nowhere else."""
    computed = [stage for stage in stages if any(s.target.name == key for s in stage.statements)]
    if len(computed) != 1 or computed[0].kind not in ("forward", "backward"):
        return False
    read = [(stage, leaf) for stage in stages for s in stage.statements for leaf in leaves(s.value) if leaf.name == key]
    return all(
        stage is computed[0] and isinstance(leaf, e.Timed) and leaf.time == equations.system.time
        for stage, leaf in read
    )


def _forward(equations: Equations) -> Iterator[Stage]:
    """Starting values that the cell gives, after the definitions that they are made of, and the other definitions."""
    needed = _needed_by_starts(equations)
    made = [q for q in equations.starts if any(leaf.name in needed for leaf in leaves(q.rhs))]
    yield from _initial([q for q in equations.starts if q not in made])
    yield from _stages([q for q in equations.forward if q.key in needed], equations)
    yield from _initial(made)
    yield from _stages([q for q in equations.forward if q.key not in needed], equations)


def _initial(starts: Sequence[Equation]) -> Iterator[Stage]:
    given = tuple(Statement(q.lhs, q.rhs, note=str(e.Relation("=", q.lhs, q.rhs))) for q in starts)
    if given:
        yield Stage("once", given)


def _needed_by_starts(equations: Equations) -> set[str]:
    """The definitions that starting values are made of."""
    read = {q.key: {leaf.name for leaf in leaves(q.rhs)} for q in equations.forward}
    pending = {leaf.name for q in equations.starts for leaf in leaves(q.rhs)} & set(read)
    found: set[str] = set()
    while pending:
        key = pending.pop()
        found.add(key)
        pending |= (read[key] & set(read)) - found
    return found


def _offsets(equations: Iterable[Equation], system: RecurrentSystem) -> dict[tuple[str, str], frozenset[int]]:
    """At which distances in time each definition reads each quantity; in a tree, how many edges away."""
    found: dict[tuple[str, str], set[int]] = {}
    for q in equations:
        for leaf in leaves(q.rhs):
            distance = None
            if isinstance(leaf, e.Timed) and isinstance(q.lhs, e.Timed):
                distance = leaf.time - system.time if system.tree is None else _edges(leaf, q.lhs)
            known = found.setdefault((q.key, leaf.name), set())
            if distance is not None and distance.is_Integer:
                known.add(int(distance))
    return {pair: frozenset(known) for pair, known in found.items()}


def _same_time(equation: Equation) -> Iterator[str]:
    """What a definition reads in its own step, or without time."""
    for leaf in leaves(equation.rhs):
        timeless = isinstance(leaf, e.Var) or isinstance(equation.lhs, e.Var)
        if timeless or leaf.time == equation.lhs.time or _within_a_node(leaf, equation.lhs):
            yield leaf.name


def _within_a_node(leaf: e.Node, lhs: e.Node) -> bool:
    """Whether a node reads the edges to its own children, or such an edge its node."""
    if not isinstance(leaf, e.Timed) or not isinstance(lhs, e.Timed) or lhs.time == T:
        return False
    node = lhs.time.node if isinstance(lhs.time, e.Edge) else lhs.time
    return (isinstance(leaf.time, e.Edge) and leaf.time.node == node) or leaf.time == node


def _edges(leaf: e.Timed, lhs: e.Timed) -> Expr:
    """How many edges lie between what is read and what is computed; a certain node, such as the root, is at none."""
    certain = leaf.time == T or leaf.time.is_Integer or lhs.time == T
    return T if certain else steps_away(leaf.time, lhs.time)


def recurrences(equations: Sequence[Equation], system: RecurrentSystem) -> list[frozenset[str]]:
    """The names that need each other over time, group by group."""
    regular = [q for q in equations if not (isinstance(q.lhs, e.Timed) and q.lhs.time == T)]
    offsets = _offsets(regular, system)
    found = []
    for sweep in sweeps(regular, offsets):
        first = sweep.equations[0].key
        if len(sweep.equations) > 1 or offsets.get((first, first)):
            found.append(frozenset(q.key for q in sweep.equations))
    return found


def _stages(equations: Sequence[Equation], whole: Equations) -> Iterator[Stage]:
    """Definitions in the order in which they can be computed; neighbours that run in one way in one stage."""
    at_end = {q.key: q for q in equations if isinstance(q.lhs, e.Timed) and q.lhs.time == T}
    regular = [q for q in equations if not (isinstance(q.lhs, e.Timed) and q.lhs.time == T)]
    only_end = [q for q in at_end.values() if q.key not in {r.key for r in regular}]
    ordered = [*within_step(regular, {q.key: tuple(_same_time(q)) for q in regular}), *only_end]
    offsets = _offsets((*regular, *at_end.values()), whole.system)
    pending: list[Statement] = []
    kind: Kind = "once"
    for sweep in sweeps(ordered, offsets):
        first = sweep.equations[0]
        recurrent = len(sweep.equations) > 1 or any(offsets.get((first.key, first.key), ()))
        new: Kind
        if recurrent:
            new = "backward" if sweep.backward else "forward"
        else:
            new = "map" if isinstance(first.lhs, e.Timed) and first.lhs.time != T else "once"
        if pending and (new != kind or recurrent or kind in ("forward", "backward")):
            yield Stage(kind, tuple(pending))
            pending = []
        kind = new
        pending += [_statement(q, whole) for q in sweep.equations]
        ends = [at_end[q.key] for q in sweep.equations if q.key in at_end and q is not at_end[q.key]]
        if ends:
            yield Stage(kind, tuple(pending))
            pending, kind = [replace(_statement(q, whole), add=True) for q in ends], "once"
    if pending:
        yield Stage(kind, tuple(pending))


def _statement(equation: Equation, whole: Equations) -> Statement:
    timed = isinstance(equation.lhs, e.Timed)
    summed = not timed and equation.key in whole.shared and equation in whole.backward
    return Statement(equation.lhs, equation.rhs, summed=summed, note=whole.formulas.get(equation.key, ""))


def _storages(equations: Equations, stages: Sequence[Stage]) -> dict[str, Storage]:
    """The array of every quantity, with as many rows beyond the ends as are read."""
    system = equations.system
    shapes: dict[str, tuple[e.Timed | e.Var, bool]] = {}
    reach: dict[str, tuple[int, int]] = {}
    for statement in (statement for stage in stages for statement in stage.statements):
        for leaf in (statement.target, *leaves(statement.value)):
            shapes.setdefault(leaf.name, (leaf, isinstance(leaf, e.Timed)))
            if isinstance(leaf, e.Timed):
                low, high = reach.get(leaf.name, (0, 0))
                before, after = _beyond(leaf.time, system.time)
                reach[leaf.name] = (max(low, before), max(high, after))
    for start in system.starts:
        shapes.setdefault(start.name, (start, True))
        before, after = _beyond(start.time, system.time)
        low, high = reach.get(start.name, (0, 0))
        reach[start.name] = (max(low, before), max(high, after))
    read = _read_by_the_cell(equations)
    found = {}
    for key, (leaf, timed) in shapes.items():
        before, after = reach.get(key, (0, 0))
        own_before, own_after = read.get(key, (0, 0))
        unread = (before - own_before, after - own_after) if key in read else (0, 0)
        if timed and system.tree is not None:  # row 0 is the child that is not there, row T + 1 lies above the roots
            before, after = 1, 1
            unread = (0, 1 if key in read and not system.reads_ahead else 0)
        found[key] = Storage(key, leaf.shape, timed, timed or key not in _unbatched(equations), before, after, unread)
    return found


def _read_by_the_cell(equations: Equations) -> dict[str, tuple[int, int]]:
    """How far beyond the ends the forward pass reads its own quantities and its inputs."""
    system = equations.system
    found: dict[str, tuple[int, int]] = dict.fromkeys(system.inputs, (0, 0))
    found.update({q.key: (0, 0) for q in equations.forward if isinstance(q.lhs, e.Timed)})
    formulas = [q.rhs for q in equations.forward] + [
        total.value for total in equations.totals if total.target.name == LOSS
    ]
    for leaf in [leaf for formula in formulas for leaf in leaves(formula)] + list(system.starts):
        if isinstance(leaf, e.Timed) and leaf.name in found:
            before, after = _beyond(leaf.time, system.time)
            low, high = found[leaf.name]
            found[leaf.name] = (max(low, before), max(high, after))
    return found


def _unbatched(equations: Equations) -> set[str]:
    parameters = {
        target.name for (key, place), target in equations.gradients.items() if not place and key in equations.shared
    }
    return {*equations.shared, *parameters, *(total.target.name for total in equations.totals if total.summed)}


def _beyond(time: Expr, clock: Expr) -> tuple[int, int]:
    """How many rows before time 1 and after T a time asks for."""
    offset = time - clock
    if offset.is_Integer:
        return max(0, -int(offset)), max(0, int(offset))
    if time.is_Integer:
        return max(0, 1 - int(time)), 0
    distance = time - T
    return (0, max(0, int(distance))) if distance.is_Integer else (0, 0)
