"""The adjoint recursion as a derivation: the lines of the recursion, where it starts, and the gradients that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Integer

from derive import expressions as e
from derive.adjoint import AdjointEngine, AdjointEquation
from derive.derivation import Derivation, Step
from derive.errors import MissingRuleError, UsageError
from derive.expressions import make
from derive.flow import cell_lines
from derive.system import RecurrentSystem, T


def _check_exists(system: RecurrentSystem, by: e.Node) -> None:
    """A state outside 1 .. T exists where the sequence starts from it."""
    if not isinstance(by, e.Timed) or by.name not in system.definitions:
        return
    outside = (1 - by.time).is_positive or (by.time - T).is_positive
    if outside and by not in system.starts:
        starts = [str(start) for start in system.starts if start.name == by.name]
        raise UsageError(f"{by} does not exist", expected=", ".join([f"{by.name} at a step", *starts]))


def gradient(system: RecurrentSystem, by: e.Node) -> Derivation:
    """∇L by a parameter, an input or an initial value, through the adjoint recursion (O(T), one pass backward).

    Raises
    ------
    UsageError : the loss is not given and cannot be supplied, or ``by`` is no quantity of the cell.
    """
    engine = AdjointEngine(system)
    if not system.loss_terms:
        raise UsageError(
            "the equations have no time, so no loss over time is differentiated",
            expected="a loss such as L = \\phi(y)",
            hint="ask for a Jacobian",
        )
    _check_exists(system, by)
    target = e.Gradient(by, e.Var(system.loss_name))
    result = _result(engine, by)
    equations = engine.needed(result)
    backward = [*readout_steps(engine, needs_of(equations, result)), *recursion_steps(engine, equations)]
    steps = [*cell_lines(system), *backward, *_condensed(engine, equations)]
    steps.append(
        Step(
            target,
            result,
            _sum_rule(by, result, system.tree is not None),
            "each passes its share to the shared parameter" if isinstance(by, e.Var) else "",
        )
    )
    title = f"Gradient of the loss by {by}, by the adjoint recursion"
    return Derivation(target, result, tuple(steps), title, _relations(backward))


def all_gradients(system: RecurrentSystem) -> Derivation:
    """The whole adjoint recursion and the gradients by every parameter, input and starting value, in one derivation."""
    engine = AdjointEngine(system)
    if not system.loss_terms:
        raise UsageError("the equations have no time, so there is no loss over time", hint="ask for a Jacobian")
    loss = e.Var(system.loss_name)
    gradients = {key: _result(engine, system.quantity(key)) for key in system.parameters if key not in system.labels}
    backward = [
        *readout_steps(engine, needs_of(engine.recursion, *gradients.values())),
        *recursion_steps(engine, engine.recursion),
    ]
    steps = [*cell_lines(system), *backward]
    for key, result in gradients.items():
        quantity = system.quantity(key)
        steps.append(Step(e.Gradient(quantity, loss), result, _sum_rule(quantity, result, system.tree is not None)))
    for key in system.inputs:
        if key not in system.labels:
            steps += _input_steps(engine, system.quantity(key))
    for quantity in system.starts:
        steps.append(Step(e.Gradient(quantity, loss), _result(engine, quantity), "chain rule"))
    last = steps[-1]
    return Derivation(
        last.lhs, last.rhs, tuple(steps), "Gradients of the loss by the adjoint recursion", _relations(backward)
    )


def _input_steps(engine: AdjointEngine, quantity: e.Timed) -> list[Step]:
    """∇L by an input: one line for every step, and one for the last where the loss reads it there alone."""
    target = e.Gradient(quantity, e.Var(engine.system.loss_name))
    equation = engine.equation(quantity.name)
    if equation is None or equation.final is None:
        return [Step(target, _result(engine, quantity), "chain rule")]
    last = Step(target.xreplace({engine.time: T}), equation.at_the_end(engine.end, engine.beyond), "loss at T")
    return (
        [last]
        if make.is_zero(equation.rhs)
        else [last, Step(target, equation.rhs, "chain rule", f"for {engine.time} < T")]
    )


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
    if by in system.starts:
        return engine.state_gradient(by.name, by.time)
    equation = engine.equation(by.name)
    if equation is None:
        return make.zero(by.shape)
    if by.name in system.definitions:
        return e.reindexed(engine.adjoint(by.name), engine.moved_to(by))
    if equation.final is None:
        return e.reindexed(equation.rhs, engine.moved_to(by))
    if by.time != T:
        raise MissingRuleError(
            f"the loss reads {by.name} at T alone, so its gradient at {by.time} is not the one at T",
            hint=f"ask for {by.name}_T, or for all gradients",
        )
    return equation.at_the_end(engine.end, engine.beyond)


def recursion_steps(engine: AdjointEngine, equations: tuple[AdjointEquation, ...]) -> list[Step]:
    steps = []
    for equation in equations:
        rule = _rule(engine, equation.key)
        if equation.final is not None:
            steps.append(
                Step(
                    equation.adjoint.xreplace({engine.time: engine.end}),
                    equation.at_the_end(engine.end, engine.beyond),
                    f"loss at {engine.end}",
                    "everything later is zero",
                )
            )
        if make.is_zero(equation.rhs) and any(_reads(other.rhs, equation.adjoint.name) for other in equations):
            steps.append(Step(equation.adjoint, equation.rhs, "no loss before", f"for {engine.time} < {engine.end}"))
        if not make.is_zero(equation.rhs):
            steps.append(
                Step(
                    equation.adjoint,
                    equation.rhs,
                    rule,
                    "" if equation.final is None else f"for {engine.time} < {engine.end}",
                )
            )
    return [*starts(engine, equations), *steps]


def _rule(engine: AdjointEngine, key: str) -> str:
    """What the line for an adjoint is called by."""
    outputs = [
        q
        for q in engine.system.steps
        if q.key in engine.likelihoods and q.rhs.operands[0] == engine.system.quantity(key)
    ]
    if outputs:
        return f"{'softmax' if isinstance(outputs[0].rhs, e.Softmax) else 'sigmoid'} with cross entropy"
    return "adjoint of a pre-activation" if key in engine.system.preactivations else "total adjoint"


def _reads(formula: e.Node, name: str) -> bool:
    return any(leaf.name == name for leaf in formula.atoms(e.Timed))


def starts(engine: AdjointEngine, equations: Iterable[AdjointEquation]) -> list[Step]:
    """Where the recursion starts: the adjoints beyond the ends of the sequence that it reads. No loss depends on them,
    so they are zero.
    """
    own = {equation.adjoint.name: equation.adjoint for equation in equations}
    if engine.system.tree is not None:
        return _above_the_root(engine, own, equations)
    steps = []
    for name, adjoint in own.items():
        distances = [
            leaf.time - engine.time
            for equation in equations
            for leaf in equation.rhs.atoms(e.Timed)
            if leaf.name == name
        ]
        offsets = [int(distance) for distance in distances if distance.is_Integer]
        after = [engine.end + step for step in range(1, max(offsets, default=0) + 1)]
        before = [Integer(1 - step) for step in range(1, 1 - min(offsets, default=0))]
        for time in (*after, *before):
            rule = f"no step after {engine.end}" if time.has(engine.end) else "no step before 1"
            steps.append(
                Step(adjoint.xreplace({engine.time: time}), make.zero(adjoint.shape), rule, proved="definition")
            )
    return steps


def _above_the_root(
    engine: AdjointEngine, own: Mapping[str, e.Timed], equations: Iterable[AdjointEquation]
) -> list[Step]:
    """The adjoints of a parent that a root does not have."""
    above = e.Parent(engine.time)
    read = {leaf.name for q in equations for leaf in q.rhs.atoms(e.Timed) if leaf.time.has(above)}
    steps = []
    for name in own:
        beyond = [adjoint for adjoint in engine.beyond if name in read and adjoint.name == name]
        steps += [
            Step(adjoint, engine.beyond[adjoint], "the root has no parent", proved="definition") for adjoint in beyond
        ]
    return steps


def readout_steps(engine: AdjointEngine, wanted: Iterable[e.Node]) -> list[Step]:
    """Adjoints of quantities without time, as far as the given expressions need them: the loss first."""
    names = {engine.names[q.key]: q.key for q in engine.system.steps if isinstance(q.lhs, e.Var)}
    found: dict[str, Step] = {}
    stack = list(wanted)
    while stack:
        for leaf in stack.pop().atoms(e.Var):
            if leaf.name in names and leaf.name not in found:
                value = engine.parameter_gradient(names[leaf.name])
                rule = _rule(engine, names[leaf.name])
                found[leaf.name] = Step(leaf, value, rule)
                stack.append(value)
    order = [engine.names[q.key] for q in reversed(engine.system.steps)]
    return [found[name] for name in order if name in found]


def needs_of(equations: Iterable[AdjointEquation], *more: e.Node) -> list[e.Node]:
    parts = [part for q in equations for part in (q.rhs, q.final) if part is not None]
    return [*parts, *more]


def _relations(steps: Iterable[Step]) -> tuple[e.Relation, ...]:
    return tuple(e.Relation("=", step.lhs, step.rhs) for step in steps)


def _condensed(engine: AdjointEngine, equations: tuple[AdjointEquation, ...]) -> list[Step]:
    """For a cell with one state and one pre-activation, the two lines of a step as one."""
    if len(equations) != 2 or any(equation.final is not None for equation in equations):
        return []
    state, inner = equations
    if inner.key not in engine.system.preactivations:
        return []
    if not inner.rhs.has(state.adjoint) or state.rhs.has(state.adjoint):
        return []
    return [Step(inner.adjoint, inner.rhs.xreplace({state.adjoint: state.rhs}), "substitution", "one line a time step")]


_STEPS = {False: "steps", True: "nodes"}
"""What shares a parameter, by whether the cell computes a tree."""


def _sum_rule(by: e.Node, result: e.Node, tree: bool) -> str:
    if not isinstance(by, e.Var) or not result.has(e.SumOver):
        return "chain rule"
    return f"sum over the {_STEPS[tree]} that share the parameter"


__all__ = ["all_gradients", "gradient", "needs_of", "readout_steps", "recursion_steps", "starts"]
