"""From a cell to the equations of both passes: its own forward, and backward the adjoint recursion that the engine derives.

Cotangents enter as a loss of their own, Σ_t ⟨g_t, q_t⟩, so the engine passes them back like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from sympy import Integer

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.cell_text import Equation
from derive.errors import UsageError
from derive.expressions import make
from derive.notation.names import QName
from derive.system import LossTerm, RecurrentSystem, T, leaves
from numeric.program import Statement

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
    system: RecurrentSystem,
    cotangents: Iterable[str] = (),
    own: Iterable[str] = (),
    weighted: bool = False,
    constant: Iterable[str] = (),
) -> Equations:
    """The equations of both passes.

    Parameters
    ----------
    cotangents : quantities for which ∂⁺L/∂q_t will be given; they stand in for abstract losses and add to concrete ones.
    own        : quantities without time of which every sequence has its own, such as the target of a whole sequence.
    weighted   : whether the gradients of the loss are multiplied by :data:`WEIGHT`, which will be given.
    constant   : parameters and inputs that have no gradient, as labels have none.

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
    without = {*system.labels, *constant}
    totals += _parameters(engine, gradients, frozenset(own), without)
    backward = [*_adjoints(engine), *_inputs(engine, gradients, without)]
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


def timed_quantities(system: RecurrentSystem, names: Iterable[str] | str, what: str) -> tuple[str, ...]:
    """The keys of quantities that a cell defines for every t, by their names in any spelling.

    Parameters
    ----------
    what : what they are wanted for, for the message of an error.

    Raises
    ------
    UsageError : a name is that of something else.
    """
    if not isinstance(names, Iterable):
        raise UsageError(f"{what}: {names!r}", expected="names of quantities")
    given = (names,) if isinstance(names, str) else tuple(names)
    found = tuple(system.resolve_name(str(name)) for name in given)
    for key in found:
        if key not in system.definitions or not system.is_timed(key):
            raise UsageError(
                f"{what}: {key} is not computed in every step", expected="quantities that the cell defines for every t"
            )
    return found


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


def _inputs(
    engine: AdjointEngine, gradients: dict[tuple[str, str], e.Timed | e.Var], without: set[str]
) -> Iterator[Equation]:
    for key in (key for key in engine.system.inputs if key not in without):
        equation, quantity = engine.equation(key), engine.system.quantity(key)
        target = e.Timed(gradient_key(key), quantity.time, *quantity.shape)
        gradients[(key, "")] = target
        rhs = make.zero(quantity.shape) if equation is None else equation.rhs
        yield Equation(target.name, target, rhs)
        if equation is not None and equation.final is not None:
            final = e.reindexed(equation.final, {engine.time: T})
            yield Equation(target.name, target.at(T), final)


def _parameters(
    engine: AdjointEngine, gradients: dict[tuple[str, str], e.Timed | e.Var], own: frozenset[str], without: set[str]
) -> Iterator[Statement]:
    for key in (key for key in engine.system.parameters if key not in without):
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
