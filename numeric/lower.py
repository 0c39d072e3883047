"""From a cell to an array program: the equations forward, and backward the adjoint recursion that the engine derives.

Every equation becomes one statement, in the stage in which it can run: what belongs to a recurrence step by step, everything
else for all times together. Cotangents enter as a loss of their own, Σ_t ⟨g_t, q_t⟩, so the engine passes them back like any
other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from sympy import Expr, Integer

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.cell_text import Equation
from derive.expressions import make
from derive.notation.names import QName
from derive.order import sweeps, within_step
from derive.system import LossTerm, RecurrentSystem, T, leaves
from derive.tree import steps_away
from numeric.program import Kind, Program, Stage, Statement, Storage

LOSS = "loss"
WEIGHT = QName("loss").with_sup("weight").key
"""What ∂L is multiplied by, where a program is asked for it."""
_COTANGENT, _GRADIENT, _LAST = "cotangent", "gradient", "last"


@cache
def cotangent_key(key: str) -> str:
    """The name of the cotangents that are given for a quantity."""
    return QName.from_key(key).with_sup(_COTANGENT).key


def gradient_key(key: str, time: str = "") -> str:
    """The name of the gradient of a parameter, an input or a starting value."""
    return QName.from_key(key).with_sup(f"{_GRADIENT}({time})" if time else _GRADIENT).key


@dataclass(frozen=True)
class Equations:
    """Both passes as definitions, before they are put in order: what passes over the program work on.

    Parameters
    ----------
    forward  : the cell's own definitions, in the order of a step.
    backward : the definitions of adjoints, and of what is added to one of them at T alone.
    shared   : names that all sequences share.
    local    : whether what is used within its step alone is kept nowhere.
    formulas : the line of the cell or of the recursion that defines each name.
    """

    system: RecurrentSystem
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    starts: tuple[Equation, ...]
    totals: tuple[Statement, ...]
    shared: frozenset[str]
    loss: str | None
    gradients: Mapping[tuple[str, str], e.Timed | e.Var]
    cotangents: tuple[str, ...]
    local: bool = False
    formulas: Mapping[str, str] = field(default_factory=dict)


def lower(
    system: RecurrentSystem, cotangents: Iterable[str] = (), own: Iterable[str] = (), weighted: bool = False
) -> Equations:
    """The equations of both passes.

    Parameters
    ----------
    cotangents : quantities for which ∂⁺L/∂q_t will be given; they stand in for abstract losses and add to concrete ones.
    own        : quantities without time of which every sequence has its own, such as the target of a whole sequence.
    weighted   : whether the gradients of the loss are multiplied by :data:`WEIGHT`, which will be given.

    Raises
    ------
    MissingRuleError : the cell applies an abstract function.
    """
    given = tuple(dict.fromkeys(cotangents))
    concrete = _concrete(system)
    parts = [_weighed(term) for term in concrete] if weighted else concrete
    terms = [*parts, *(_paired(system, key) for key in given)]
    engine = AdjointEngine(system, terms)
    loss = LOSS if concrete and len(concrete) == len(system.loss_terms) else None
    gradients: dict[tuple[str, str], e.Timed | e.Var] = {}
    totals = [*_loss(system, concrete)] if loss else []
    totals += _parameters(engine, gradients, frozenset(own))
    backward = [*_adjoints(engine), *_inputs(engine, gradients)]
    totals += _starts(engine, gradients)
    written = tuple(backward)
    backward = [replace(q, rhs=_with_logits(system, q.rhs)) for q in backward]
    totals = [replace(total, value=_with_logits(system, total.value)) for total in totals]
    forward = tuple(replace(q, rhs=_with_logits(system, q.rhs)) for q in system.steps)
    starts = tuple(Equation(left.name, left, value) for left, value in system.initial.items())
    return Equations(
        system,
        forward,
        tuple(backward),
        starts,
        tuple(totals),
        _shared(system, engine, frozenset(own)),
        loss,
        gradients,
        given,
        formulas={q.key: str(e.Relation("=", q.lhs, q.rhs)) for q in (*system.steps, *written)},
    )


def _with_logits(system: RecurrentSystem, formula: e.Node) -> e.Node:
    """log p and log(1 - p) by what softmax or σ was applied to: they have a value where p is too small, or too near to 1."""
    found: dict[e.Node, e.Node] = {}
    for node in formula.atoms(e.Apply):
        if (node.function, node.order) != ("log", 0):
            continue
        inside = node.argument
        output = _output_of(system, inside)
        if output is not None:
            found[node] = e.Apply("log", output)
        elif isinstance(inside, e.Plus) and len(inside.operands) == 2 and make.is_one(inside.operands[0]):
            rest = inside.operands[1]
            output = _output_of(system, rest.operands[0]) if isinstance(rest, e.Neg) else None
            if isinstance(output, e.Apply):
                found[node] = e.Apply("log", e.Apply("sigma", make.neg(output.argument)))
    return formula.xreplace(found)


def _output_of(system: RecurrentSystem, leaf: e.Node) -> e.Softmax | e.Apply | None:
    """softmax(z) or σ(z), for a quantity that is defined so or for the formula itself."""
    if isinstance(leaf, (e.Timed, e.Var)) and leaf.name in system.definitions:
        equation = system.definitions[leaf.name]
        leaf = e.reindexed(equation.rhs, {system.time: leaf.time}) if isinstance(leaf, e.Timed) else equation.rhs
    if isinstance(leaf, e.Softmax) or (isinstance(leaf, e.Apply) and (leaf.function, leaf.order) == ("sigma", 0)):
        return leaf
    return None


def _concrete(system: RecurrentSystem) -> list[LossTerm]:
    """The parts of the loss that can be computed."""
    found = []
    for term in system.loss_terms:
        parts = term.body.operands if isinstance(term.body, e.Plus) else (term.body,)
        kept = [part for part in parts if not part.has(e.Call)]
        if kept:
            found.append(term if len(kept) == len(parts) else replace(term, body=make.plus(*kept)))
    return found


def _weighed(term: LossTerm) -> LossTerm:
    return replace(term, body=make.times(e.Var(WEIGHT), term.body))


def abstract_arguments(system: RecurrentSystem) -> tuple[str, ...]:
    """The quantities with a time that abstract losses read."""
    calls = [call for term in system.loss_terms for call in term.body.atoms(e.Call)]
    read = {leaf.name for call in calls for leaf in call.arguments if isinstance(leaf, e.Timed)}
    return tuple(key for key in system.definitions if key in read)


def _paired(system: RecurrentSystem, key: str) -> LossTerm:
    quantity = system.quantity(key)
    given = e.Timed(cotangent_key(key), system.time, *quantity.shape)
    return LossTerm(Integer(1), T, e.Inner(given, quantity) if not quantity.is_scalar else make.times(given, quantity))


def _loss(system: RecurrentSystem, terms: Sequence[LossTerm]) -> Iterator[Statement]:
    values = [
        e.reindexed(term.body, {system.time: term.lower})
        if term.final
        else e.SumOver(system.time, term.lower, term.upper, term.body)
        for term in terms
    ]
    yield Statement(e.Var(LOSS), make.plus(*values), summed=True, note=f"{system.loss_name}, summed over the batch")


def _adjoints(engine: AdjointEngine) -> Iterator[Equation]:
    """The recursion, and the adjoints of readouts; what a loss adds at T alone is a quantity of its own."""
    for equation in engine.recursion:
        rhs = equation.rhs
        if equation.final is not None:
            last = e.Timed(
                QName.from_key(equation.adjoint.name).with_sup(_LAST).key, engine.time, *equation.adjoint.shape
            )
            yield Equation(last.name, last.at(T), e.reindexed(equation.final, {engine.time: T}))
            rhs = last if make.is_zero(rhs) else make.plus(last, rhs)
        yield Equation(equation.adjoint.name, equation.adjoint, rhs)
    for q in reversed(engine.system.steps):
        if isinstance(q.lhs, e.Var) and q.key in engine.leading:
            adjoint = engine.adjoint(q.key)
            yield Equation(adjoint.name, adjoint, engine.parameter_gradient(q.key))


def _inputs(engine: AdjointEngine, gradients: dict[tuple[str, str], e.Timed | e.Var]) -> Iterator[Equation]:
    for key in engine.system.inputs:
        if key in engine.system.labels:
            continue
        equation, quantity = engine.equation(key), engine.system.quantity(key)
        target = e.Timed(gradient_key(key), quantity.time, *quantity.shape)
        gradients[(key, "")] = target
        rhs = make.zero(quantity.shape) if equation is None else equation.rhs
        yield Equation(target.name, target, rhs)
        if equation is not None and equation.final is not None:
            final = e.reindexed(equation.final, {engine.time: T})
            yield Equation(target.name, target.at(T), final)


def _parameters(
    engine: AdjointEngine, gradients: dict[tuple[str, str], e.Timed | e.Var], own: frozenset[str]
) -> Iterator[Statement]:
    for key in engine.system.parameters:
        if key in engine.system.labels:
            continue
        quantity = engine.system.quantity(key)
        target = e.Var(gradient_key(key), *quantity.shape)
        gradients[(key, "")] = target
        value = engine.parameter_gradient(key)
        note = str(e.Relation("=", e.Gradient(quantity, e.Var(engine.system.loss_name)), value))
        yield Statement(target, value, summed=key not in own, note=note)


def _starts(engine: AdjointEngine, gradients: dict[tuple[str, str], e.Timed | e.Var]) -> Iterator[Statement]:
    for start in engine.system.starts:
        if start in engine.system.initial:
            continue
        place = str(start.time)
        target = e.Var(gradient_key(start.name, place), *start.shape)
        gradients[(start.name, place)] = target
        value = engine.state_gradient(start.name, start.time)
        yield Statement(
            target, value, note=str(e.Relation("=", e.Gradient(start, e.Var(engine.system.loss_name)), value))
        )


def _shared(system: RecurrentSystem, engine: AdjointEngine, own: frozenset[str]) -> frozenset[str]:
    """Parameters, and what is computed from them alone; with their adjoints."""
    found = {*(set(system.parameters) - own), WEIGHT}
    grown = True
    while grown:
        new = {
            q.key
            for q in system.steps
            if isinstance(q.lhs, e.Var) and q.key not in found and all(leaf.name in found for leaf in leaves(q.rhs))
        }
        grown = bool(new)
        found |= new
    return frozenset(found | {engine.adjoint(key).name for key in found if key in system.definitions})


# -- stages ----------------------------------------------------------------------------------------------


def program(equations: Equations) -> Program:
    """The stages of both passes, and the array of every quantity."""
    forward = [*_initial(equations), *_stages(equations.forward, equations)]
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


def _initial(equations: Equations) -> Iterator[Stage]:
    """Starting values that the cell gives."""
    given = tuple(Statement(q.lhs, q.rhs, note=str(e.Relation("=", q.lhs, q.rhs))) for q in equations.starts)
    if given:
        yield Stage("once", given)


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
