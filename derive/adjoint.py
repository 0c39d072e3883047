"""Reverse mode over time: the adjoint recursion of a recurrent system, with symbolic sizes and symbolic length.

For each quantity q the total adjoint is what the loss gains from moving q_t,

    q̄_t = ∂⁺L/∂q_t + Σ over readings of q by p at t + o:  (∂⁺p_{t-o}/∂q_t)ᵀ p̄_{t-o},

zero beyond the ends; a pre-activation's adjoint is written δ. Parameter gradients add up over time what each step passes to the parameter.
Sources: Rumelhart, Hinton, Williams (1986); Werbos, *Backpropagation through time: what it does and how to do it* (1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Integer

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.differentiate import pull
from derive.errors import MissingRuleError, UsageError
from derive.expressions import make
from derive.notation.names import QName
from derive.system import LossTerm, RecurrentSystem, T


@dataclass(frozen=True)
class AdjointEquation:
    """The adjoint of one quantity: ``adjoint = right side`` at each t of the sequence.

    ``final`` is what a loss at T alone adds at t = T (None where there is none).
    """

    key: str
    adjoint: e.Timed
    rhs: e.Node
    final: e.Node | None = None


class AdjointEngine:
    """Adjoint recursion and parameter gradients of one system."""

    def __init__(self, system: RecurrentSystem) -> None:
        self.system = system
        self.time = system.time

    # -- names -----------------------------------------------------------------------------------------------------------------

    @cached_property
    def adjoint_names(self) -> Mapping[str, str]:
        """The name of each quantity's adjoint: δ (with the label of z) for pre-activations, a bar for all others."""
        taken = set(self.system.shapes)
        letter = next(name for name in ("delta", "lambda", "mu", "epsilon") if not any(QName.from_key(key).base == name for key in taken))
        names = {}
        for key in (*self.system.definitions, *self.system.inputs, *self.system.parameters):
            name = QName.from_key(key)
            if key in self.system.preactivations:
                names[key] = QName(letter, (), name.subs, name.sups).key
            else:
                names[key] = name.with_accent("bar").key
        return names

    def adjoint(self, key: str, time: Expr | None = None) -> e.Node:
        """The adjoint of a quantity, as a named quantity of the same shape."""
        quantity = self.system.quantity(key, time)
        name = self.adjoint_names[key]
        return e.Timed(name, quantity.time, *quantity.shape) if isinstance(quantity, e.Timed) else e.Var(name, *quantity.shape)

    # -- what each step passes back --------------------------------------------------------------------------------------------

    @cached_property
    def passed(self) -> Mapping[str, Mapping[e.Node, e.Node]]:
        """For each defined quantity, what its adjoint passes to every quantity that its equation reads."""
        found = {}
        for equation in self.system.steps:
            found[equation.key] = self._without_labels(pull(equation.rhs, self.adjoint(equation.key)))
        return found

    def _without_labels(self, parts: Mapping[e.Node, e.Node]) -> dict[e.Node, e.Node]:
        return {leaf: part for leaf, part in parts.items() if leaf.name not in self.system.labels and not make.is_zero(part)}

    @cached_property
    def loss_parts(self) -> tuple[tuple[LossTerm, Mapping[e.Node, e.Node]], ...]:
        """∂⁺ of each loss term by the quantities that it reads."""
        return tuple((term, self._without_labels(pull(term.body, e.Scalar(1)))) for term in self.system.loss_terms)

    def from_loss(self, key: str) -> tuple[list[e.Node], list[e.Node]]:
        """What the loss passes directly to q_t: at every t, and at T alone."""
        always: list[e.Node] = []
        final: list[e.Node] = []
        for term, parts in self.loss_parts:
            for leaf, part in parts.items():
                if leaf.name == key and isinstance(leaf, e.Timed):
                    self._require_every_step(term, leaf)
                    moved = part.xreplace({self.time: self.time - (leaf.time - self.time)})
                    (final if term.final else always).append(moved)
        return always, final

    def _require_every_step(self, term: LossTerm, leaf: e.Timed) -> None:
        """The recursion has one line for all steps, so a sum must look at each step of the sequence, and at the quantities of that step."""
        if term.final:
            return
        covers = (term.lower - 1).is_nonpositive and (term.upper - T) == 0
        if not covers or leaf.time != self.time:
            raise MissingRuleError(
                f"the loss reads {leaf} for {self.time} = {term.lower} to {term.upper}, which is not once at every step",
                expected=f"a sum from 1 (or 0) to T of quantities at {self.time}",
                hint=f"give the part of the loss at {self.time} a name by an equation of its own, and sum that from 1 to T",
            )

    def contributions(self, key: str) -> Iterator[tuple[str, e.Node, int]]:
        """What reaches q_t from each quantity that reads it, as (reader, expression at t, steps later)."""
        for equation in self.system.steps:
            for leaf, part in self.passed[equation.key].items():
                if isinstance(leaf, e.Timed) and leaf.name == key:
                    offset = int(leaf.time - self.time)
                    yield equation.key, part.xreplace({self.time: self.time - offset}), -offset

    def equation(self, key: str) -> AdjointEquation | None:
        """The adjoint equation of a timed quantity; None where the loss does not depend on it."""
        always, final = self.from_loss(key)
        parts = sorted(self.contributions(key), key=lambda part: part[2])
        terms = [*always, *(part for _, part, _ in parts)]
        if not terms and not final:
            return None
        adjoint = self.adjoint(key)
        rhs = make.plus(*terms) if terms else make.zero(adjoint.shape)
        return AdjointEquation(key, adjoint, rhs, make.plus(*final) if final else None)

    @cached_property
    def equations(self) -> tuple[AdjointEquation, ...]:
        """The adjoint recursion: one equation a quantity, in the order in which step t is gone through backward."""
        found = [self.equation(q.key) for q in reversed(self.system.steps) if isinstance(q.lhs, e.Timed)]
        return tuple(equation for equation in found if equation is not None)

    # -- gradients -------------------------------------------------------------------------------------------------------------

    def per_step(self, key: str) -> e.Node | None:
        """What step t adds to the gradient of a quantity without time."""
        parts = []
        for equation in reversed(self.system.steps):
            if isinstance(equation.lhs, e.Timed):
                parts += [part for leaf, part in self.passed[equation.key].items() if isinstance(leaf, e.Var) and leaf.name == key]
        return make.plus(*parts) if parts else None

    def parameter_gradient(self, key: str) -> e.Node:
        """∇L by a quantity without time, in terms of the adjoints."""
        terms: list[e.Node] = []
        step = self.per_step(key)
        if step is not None:
            terms.append(e.SumOver(self.time, 1, T, step))
        for equation in reversed(self.system.steps):
            if isinstance(equation.lhs, e.Var):
                terms += [part for leaf, part in self.passed[equation.key].items() if leaf.name == key]
        for term, parts in self.loss_parts:
            for leaf, part in parts.items():
                if isinstance(leaf, e.Var) and leaf.name == key:
                    terms.append(part.xreplace({self.time: term.lower}) if term.final else e.SumOver(self.time, term.lower, term.upper, part))
        return make.plus(*terms) if terms else make.zero(self.system.shapes[key])

    def state_gradient(self, key: str, time: Expr) -> e.Node:
        """∇L by a value that the sequence starts from, such as h_0: what the steps that read it pass back."""
        terms = []
        for _, part, later in self.contributions(key):
            when = time + later
            if when.is_Integer and when >= 1:
                terms.append(part.xreplace({self.time: time}))
        for term, parts in self.loss_parts:
            if not term.final and (term.lower - time).is_nonpositive:
                terms += [part.xreplace({self.time: time}) for leaf, part in parts.items() if leaf == self.system.quantity(key)]
        return make.plus(*terms) if terms else make.zero(self.system.shapes[key])

    def needed(self, expression: e.Node) -> tuple[AdjointEquation, ...]:
        """The equations of the recursion on which an expression depends."""
        by_name = {equation.adjoint.name: equation for equation in self.equations}
        wanted: set[str] = set()
        stack = [expression]
        while stack:
            for leaf in stack.pop().atoms(e.Timed):
                if leaf.name in by_name and leaf.name not in wanted:
                    wanted.add(leaf.name)
                    equation = by_name[leaf.name]
                    stack.append(equation.rhs)
                    if equation.final is not None:
                        stack.append(equation.final)
        return tuple(equation for equation in self.equations if equation.adjoint.name in wanted)


def gradient(system: RecurrentSystem, by: e.Node) -> Derivation:
    """∇L by a parameter, an input or an initial value, through the adjoint recursion (O(T), one pass backward).

    Raises
    ------
    UsageError : the loss is not given and cannot be supplied, or ``by`` is no quantity of the cell.
    """
    engine = AdjointEngine(system)
    if not system.loss_terms:
        raise UsageError("the equations have no time, so no loss over time is differentiated", expected="a loss such as L = \\phi(y)", hint="ask for a Jacobian")
    target = e.Gradient(by, e.Var(system.loss_name))
    result = _result(engine, by)
    equations = engine.needed(result)
    steps = [*_forward(system), *_recursion_steps(engine, equations), *_condensed(engine, equations)]
    steps.append(Step(target, result, _sum_rule(by, result), "each step passes its share to the shared parameter" if isinstance(by, e.Var) else ""))
    recursion = tuple(e.Relation("=", q.adjoint, q.rhs) for q in equations)
    title = f"Gradient of the loss by {by}, by the adjoint recursion"
    return Derivation(target, result, tuple(steps), title, recursion, (), ("adjoints are zero beyond T",))


def all_gradients(system: RecurrentSystem) -> Derivation:
    """The whole adjoint recursion and the gradients by every parameter, input and starting value, in one derivation."""
    engine = AdjointEngine(system)
    if not system.loss_terms:
        raise UsageError("the equations have no time, so there is no loss over time", hint="ask for a Jacobian")
    loss = e.Var(system.loss_name)
    steps = [*_forward(system), *_recursion_steps(engine, engine.equations)]
    for key in system.parameters:
        quantity = system.quantity(key)
        result = _result(engine, quantity)
        steps.append(Step(e.Gradient(quantity, loss), result, _sum_rule(quantity, result)))
    starts = [system.quantity(key, Integer(1 - lag)) for key in system.states for lag in range(1, _lag(system, key) + 1)]
    for quantity in (*(system.quantity(key) for key in system.inputs if key not in system.labels), *starts):
        steps.append(Step(e.Gradient(quantity, loss), _result(engine, quantity), "chain rule"))
    recursion = tuple(e.Relation("=", q.adjoint, q.rhs) for q in engine.equations)
    last = steps[-1]
    return Derivation(last.lhs, last.rhs, tuple(steps), "Gradients of the loss by the adjoint recursion", recursion, (), ("adjoints are zero beyond T",))


def _lag(system: RecurrentSystem, key: str) -> int:
    """How many values before the first step a state needs."""
    return max((-use.offset for use in system.uses if use.key == key and use.offset is not None), default=0)


def _result(engine: AdjointEngine, by: e.Node) -> e.Node:
    system = engine.system
    if isinstance(by, e.Var):
        if by.name not in system.parameters and by.name not in system.definitions:
            raise UsageError(f"{by} is no parameter of the cell", expected=f"one of {', '.join(system.parameters)}")
        return engine.parameter_gradient(by.name)
    if not isinstance(by, e.Timed):
        raise UsageError(f"{by} is not a quantity of the cell", expected="a parameter, an input or an initial value")
    if by.name in system.labels:
        raise MissingRuleError(f"{by} is an integer label, so the loss has no derivative by it")
    if by.name in system.definitions and by.time.is_Integer and by.time <= 0:
        return engine.state_gradient(by.name, by.time)
    equation = engine.equation(by.name)
    if equation is None:
        return make.zero(by.shape)
    if by.name in system.definitions:
        return engine.adjoint(by.name).xreplace({engine.time: by.time})
    rhs = equation.rhs if equation.final is None else make.plus(equation.rhs, equation.final)
    return rhs.xreplace({engine.time: by.time})


def _forward(system: RecurrentSystem) -> list[Step]:
    steps = []
    for equation in system.steps:
        named = equation.key in system.preactivations
        steps.append(Step(equation.lhs, equation.rhs, "pre-activation" if named else "equation of the cell", proved="definition"))
    return steps


def _recursion_steps(engine: AdjointEngine, equations: tuple[AdjointEquation, ...]) -> list[Step]:
    steps = []
    for equation in equations:
        rule = "adjoint of a pre-activation" if equation.key in engine.system.preactivations else "total adjoint"
        if equation.final is not None:
            last = {engine.time: T}
            steps.append(Step(equation.adjoint.xreplace(last), equation.final.xreplace(last), "loss at T", "everything later is zero"))
        if not make.is_zero(equation.rhs):
            steps.append(Step(equation.adjoint, equation.rhs, rule))
    return [*starts(engine, equations), *steps]


def starts(engine: AdjointEngine, equations: Iterable[AdjointEquation]) -> list[Step]:
    """Where the recursion starts: the adjoints beyond the ends of the sequence that it reads. No loss depends on them, so they are zero."""
    own = {equation.adjoint.name: equation.adjoint for equation in equations}
    steps = []
    for name, adjoint in own.items():
        distances = [leaf.time - engine.time for equation in equations for leaf in equation.rhs.atoms(e.Timed) if leaf.name == name]
        offsets = [int(distance) for distance in distances if distance.is_Integer]
        after = [T + step for step in range(1, max(offsets, default=0) + 1)]
        before = [Integer(1 - step) for step in range(1, 1 - min(offsets, default=0))]
        for time in (*after, *before):
            rule = "no step after T" if time.has(T) else "no step before 1"
            steps.append(Step(adjoint.xreplace({engine.time: time}), make.zero(adjoint.shape), rule, proved="definition"))
    return steps


def _condensed(engine: AdjointEngine, equations: tuple[AdjointEquation, ...]) -> list[Step]:
    """For a cell with one state and one pre-activation, the two lines of a step as one."""
    if len(equations) != 2 or any(equation.final is not None for equation in equations):
        return []
    state, inner = equations
    if not inner.rhs.has(state.adjoint) or state.rhs.has(state.adjoint):
        return []
    return [Step(inner.adjoint, inner.rhs.xreplace({state.adjoint: state.rhs}), "substitution", "one line a time step")]


def _sum_rule(by: e.Node, result: e.Node) -> str:
    return "sum over the steps that share the parameter" if isinstance(by, e.Var) and result.has(e.SumOver) else "chain rule"


__all__ = ["AdjointEngine", "AdjointEquation", "all_gradients", "gradient"]
