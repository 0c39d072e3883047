"""The three written forms of BPTT: the double sum over t and k, the sum written out for a given T, and the adjoint
recursion.

    ∂L/∂W = Σ_t Σ_{k<=t} ∂L_t/∂s_t ∂s_t/∂s_k ∂⁺s_k/∂W

The last factor is the immediate derivative: W acts in step k only, and s_{k-1} is held fixed. For several states s is
the joint state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.derivation import Derivation, Step
from derive.differentiate import pull
from derive.errors import MissingRuleError, UsageError, clipped
from derive.expressions import make
from derive.expressions.node import ONE
from derive.flow import EARLIER, INNER, FlowEngine, cell_lines, free_index
from derive.joint import JointState, Part, part_labels
from derive.notation.names import QName
from derive.substitute import substitute
from derive.system import LossTerm, RecurrentSystem, T, leaves

MAX_STEPS = 20
"""The longest sequence whose sum is written out: it has T (T + 1) / 2 terms of up to T factors."""


@dataclass(frozen=True)
class Ingredients:
    """What the double sum is made of, for one loss term and one parameter."""

    term: LossTerm
    step_loss: e.Node
    joint: e.Node
    one_step: e.Node
    lines: tuple[Step, ...]
    parameter: e.Var
    k: Symbol
    """The index of the earlier step, at which the parameter acts."""


def step_pull(system: RecurrentSystem, cotangents: Mapping[str, e.Node]) -> dict[e.Node, e.Node]:
    """One step backward: given adjoints of states at t, what reaches everything that step t reads (states of t-1,
    inputs, parameters).

    The adjoint of a quantity that others of the same step read is complete before it is passed on.
    """
    waiting: dict[str, list[e.Node]] = {key: [value] for key, value in cotangents.items()}
    outside: dict[e.Node, list[e.Node]] = {}
    for equation in reversed(system.steps):
        arrived = waiting.get(equation.key)
        if not arrived or not isinstance(equation.lhs, e.Timed):
            continue
        for leaf, part in pull(equation.rhs, make.plus(*arrived)).items():
            if make.is_zero(part) or leaf.name in system.labels:
                continue
            same_step = isinstance(leaf, e.Timed) and leaf.time == system.time and leaf.name in system.definitions
            if same_step:
                waiting.setdefault(leaf.name, []).append(part)
            else:
                outside.setdefault(leaf, []).append(part)
    return {leaf: make.plus(*parts) for leaf, parts in outside.items()}


def loss_pull(system: RecurrentSystem, term: LossTerm) -> dict[e.Node, e.Node]:
    """What a loss term passes to the states of its step (others held fixed), to parameters and to inputs, through
    quantities that are no states.
    """
    waiting: dict[e.Node, list[e.Node]] = {leaf: [part] for leaf, part in pull(term.body, e.Scalar(1)).items()}
    for equation in reversed(system.steps):
        if equation.key in system.states or equation.lhs not in waiting:
            continue
        rhs = equation.rhs
        if isinstance(equation.lhs, e.Var) and term.final:
            # A readout of the last step, written at the time t as the loss term is.
            rhs = rhs.xreplace(
                {
                    leaf: leaf.at(system.time)
                    for leaf in leaves(rhs)
                    if isinstance(leaf, e.Timed) and leaf.time == term.lower
                }
            )
        for leaf, part in pull(rhs, make.plus(*waiting.pop(equation.lhs))).items():
            waiting.setdefault(leaf, []).append(part)
    return {leaf: make.plus(*parts) for leaf, parts in waiting.items() if leaf.name not in system.labels}


def reject_tree(system: RecurrentSystem, what: str) -> None:
    """Some forms are those of a sequence.

    Raises
    ------
    MissingRuleError : the cell computes a tree.
    """
    if system.tree is not None:
        raise MissingRuleError(
            f"the nodes of a tree are not in a row, so its gradients have no form with {what}",
            hint="derive the adjoint recursion, or forward sensitivities",
        )


def ingredients(system: RecurrentSystem, by: e.Node) -> Ingredients:
    """Check that the double sum exists for this parameter, and collect its parts.

    Raises
    ------
    UsageError       : not a parameter, or one that acts after the states only.
    MissingRuleError : the loss looks at more than the states of its own step.
    """
    if not isinstance(by, e.Var) or by.name not in system.parameters:
        raise UsageError(
            f"{by} is no parameter of the cell",
            expected=f"one of {', '.join(system.parameters)}",
            hint="the double sum is over the steps that share a parameter",
        )
    reject_tree(system, "a double sum over t and k")
    if len(system.loss_terms) != 1:
        raise MissingRuleError("the loss has several parts", hint="derive the adjoint recursion")
    outside = [q.key for q in system.steps if isinstance(q.lhs, e.Var) and by in leaves(q.rhs)] + [
        str(q) for q, value in system.initial.items() if by in leaves(value)
    ]
    if outside:
        raise MissingRuleError(
            f"{by} acts outside the steps as well, through {', '.join(outside)}", hint="derive the adjoint recursion"
        )
    term = system.loss_terms[0]
    if term.final and term.lower != T:
        raise MissingRuleError(f"the loss looks at step {term.lower} alone", hint="derive the adjoint recursion")
    if not term.final and not ((term.lower - 1).is_nonpositive and term.upper == T):
        raise MissingRuleError(
            f"the loss sums over t = {term.lower} to {term.upper}, not over the whole sequence",
            hint="derive the adjoint recursion",
        )
    joint_state = JointState(FlowEngine(system))
    if any(part.back for part in joint_state.parts):
        raise MissingRuleError(
            "the cell looks back more than one step", hint="derive the adjoint recursion, which has no such limit"
        )
    reached = loss_pull(system, term)
    if by in reached:
        raise MissingRuleError(
            f"the loss depends on {by} directly, not only through the states",
            hint="derive the adjoint recursion, or the gradient of the head",
        )
    check_reads_own_step(system, reached)
    lines, joint, one_step = joint_state.chain()
    step_loss, named = step_loss_of(system, term)
    lines += named
    k = free_index(system, EARLIER)
    return Ingredients(term, step_loss, joint, one_step, tuple(lines), by, k)


def step_loss_of(system: RecurrentSystem, term: LossTerm) -> tuple[e.Timed, list[Step]]:
    """The whole summand of a loss as a named quantity, and the line that says so where it is not plain.

    In L = Σ_t L_t(h_t) it is L_t. In L = 1/T Σ_t L_t it has another name, because L_t is a part of it only.
    """
    usual = e.Timed(system.step_loss_name, system.time)
    body = term.body
    if body == usual or (isinstance(body, e.Call) and body.value == usual):
        return usual, []
    other_meaning = usual.name in system.definitions or any(call.value == usual for call in body.atoms(e.Call))
    if not other_meaning and not term.final:
        return usual, []
    name = usual.name
    if other_meaning:
        bases = {QName.from_key(key).base for key in (*system.shapes, usual.name, system.loss_name)}
        name = next(letter for letter in ("ell", "calL", "J", "E", "ell_1") if letter not in bases)
    named = e.Timed(name, system.time)
    reason = "what the loss adds up" if not term.final else f"the loss of step {term.lower}"
    shift = {system.time: term.lower} if term.final else {}
    return named, [Step(named.xreplace(shift), body.xreplace(shift), "step loss", reason, proved="definition")]


def reads_time(system: RecurrentSystem, term: LossTerm) -> bool:
    """Whether a part of the loss depends on a quantity with a time, directly or through a readout."""
    stack: list[e.Node] = [term.body]
    while stack:
        for leaf in leaves(stack.pop()):
            if isinstance(leaf, e.Timed):
                return True
            if leaf.name in system.definitions:
                equation = system.definitions[leaf.name]
                stack.append(equation.rhs)
    return False


def check_reads_own_step(system: RecurrentSystem, reached: Iterable[e.Node]) -> None:
    """That the loss of a step reads no states of other steps.

    Raises
    ------
    MissingRuleError : it does.
    """
    if any(isinstance(leaf, e.Timed) and leaf.name in system.states and leaf.time != system.time for leaf in reached):
        raise MissingRuleError("the loss of step t reads states of other steps", hint="derive the adjoint recursion")


def _times_from(system: RecurrentSystem, parts: Ingredients, wrapped: e.Node) -> e.Node:
    """Put ``wrapped`` (at time t) under the sum of the loss, or at T alone."""
    term = parts.term
    return (
        wrapped.xreplace({system.time: term.lower})
        if term.final
        else e.SumOver(system.time, term.lower, term.upper, wrapped)
    )


def double_sum_expression(system: RecurrentSystem, parts: Ingredients, first: Expr = ONE) -> e.Node:
    """Σ_t Σ_k ∂L_t/∂s_t ∂s_t/∂s_k ∂⁺s_k/∂W, over the steps k from the first to t."""
    s, t = parts.joint, system.time
    at_k = s.xreplace({t: parts.k})
    body = e.Times(
        e.Derivative(parts.step_loss, s), e.Derivative(s, at_k), e.Derivative(at_k, parts.parameter, "immediate")
    )
    return _times_from(system, parts, e.SumOver(parts.k, first, t, body))


def row_of(node: e.Node) -> e.Node:
    """A vector as a row."""
    return node if node.shape[0] == ONE else make.transpose(node)


def column_of(node: e.Node) -> e.Node:
    """A vector as a column."""
    return node if node.shape[1] == ONE else make.transpose(node)


def pieces(system: RecurrentSystem, vector: e.Timed | e.Var) -> dict[str, e.Node]:
    """A vector of the joint state's size by its parts, one for each state: v itself for one state, else v^C, v^h, ..."""
    if len(system.states) == 1:
        return {system.states[0]: vector}
    found: dict[str, e.Node] = {}
    labels = {part.key: label for part, label in part_labels([Part(key) for key in system.states]).items()}
    for key in system.states:
        label = f"[{labels[key]}]" if labels[key].isdigit() else labels[key]
        name = QName.from_key(vector.name).with_sup(label).key
        shape = system.shapes[key]
        found[key] = e.Timed(name, vector.time, *shape) if isinstance(vector, e.Timed) else e.Var(name, *shape)
    return found


def stacked(system: RecurrentSystem, parts: Mapping[str, e.Node]) -> e.Node:
    """Parts for each state as one vector, in the layout of the joint state."""
    listed = [parts[key] for key in system.states]
    if len(listed) == 1:
        return listed[0]
    return make.block([[part] for part in listed]) if system.layout == "column" else make.block([listed])


def double_sum(system: RecurrentSystem, by: e.Node) -> Derivation:
    """∇L by a parameter as the sum over t and k, with each factor written out.

    Source: Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks* (2013), eq. (3)-(5).
    """
    parts = ingredients(system, by)
    t = system.time
    steps = [*cell_lines(system), *parts.lines]
    index = free_index(system, INNER, (parts.k,))
    steps += _total_derivative(parts, t, index)
    target = e.Derivative(e.Var(system.loss_name), by)
    result = double_sum_expression(system, parts)
    through = e.Times(e.Derivative(parts.step_loss, parts.joint), e.Derivative(parts.joint, by))
    steps.append(Step(target, _times_from(system, parts, through), "chain rule", "a loss depends on s_t alone"))
    steps.append(Step(target, result, "substitution"))
    steps.append(immediate_step(system, parts))
    explicit = explicit_double_sum(system, parts, index)
    if explicit is not None:
        steps.append(
            Step(
                e.Gradient(by, e.Var(system.loss_name)),
                explicit,
                "all factors written out",
                "the derivative in the parameter's shape",
            )
        )
    return Derivation(target, result, tuple(steps), f"Gradient of the loss by {by}, as a double sum")


def _total_derivative(parts: Ingredients, t: Symbol, index: Symbol) -> list[Step]:
    """∂s_t/∂W: what W does in step t and what it did before; inserted into itself, a sum over the steps k <= t."""
    s, by = parts.joint, parts.parameter
    before, at_k = s.xreplace({t: t - 1}), s.xreplace({t: parts.k})
    path = e.Derivative(s, at_k)
    product = e.ProductOver(index, parts.k + 1, t, parts.one_step.xreplace({t: index}))
    return [
        Step(
            e.Derivative(s, by),
            e.Plus(e.Derivative(s, by, "immediate"), e.Times(e.Derivative(s, before), e.Derivative(before, by))),
            "total derivative",
            f"{by} acts in step {t}, and before on what step {t} starts from",
        ),
        Step(
            e.Derivative(s, by),
            e.SumOver(parts.k, 1, t, e.Times(path, e.Derivative(at_k, by, "immediate"))),
            "inserted into itself",
            f"down to step 1: the starting values do not depend on {by}",
        ),
        Step(path, product, "chain rule over time", f"the empty product, for {t} = {parts.k}, is the identity"),
    ]


def immediate_step(system: RecurrentSystem, parts: Ingredients) -> Step:
    """vᵀ ∂⁺s_k/∂W for any v: the immediate derivative has three indices, and this is how it is contracted."""
    direction = e.Var("v", *parts.joint.shape)
    split = pieces(system, direction)
    shares = step_pull(system, split)
    share = shares.get(parts.parameter, make.zero(parts.parameter.shape)).xreplace({system.time: parts.k})
    at_k = parts.joint.xreplace({system.time: parts.k})
    lhs = e.Times(row_of(stacked(system, split)), e.Derivative(at_k, parts.parameter, "immediate"))
    if len(parts.parameter.shape) == 2 and parts.parameter.shape[1] == ONE:
        share = make.transpose(share)
    return Step(
        lhs,
        share,
        "immediate derivative",
        f"for every v; {parts.parameter} acts in step k only, the states of step k-1 are held fixed",
    )


def explicit_double_sum(system: RecurrentSystem, parts: Ingredients, index: Symbol, first: Expr = ONE) -> e.Node | None:
    """The double sum with every factor written out, in the parameter's shape; None where the joint state has several
    parts.
    """
    if len(system.states) != 1:
        return None
    t = system.time
    product = e.ProductOver(index, parts.k + 1, t, parts.one_step.xreplace({t: index}))
    state = system.quantity(system.states[0])
    reached = loss_pull(system, parts.term).get(state, make.zero(state.shape))
    column = make.times(make.transpose(product), reached if state.shape[1] == ONE else make.transpose(reached))
    shares = step_pull(system, {system.states[0]: e.Var("v", *state.shape)})
    share = shares.get(parts.parameter, make.zero(parts.parameter.shape)).xreplace({t: parts.k})
    body = share.xreplace({e.Var("v", *state.shape): column if state.shape[1] == ONE else make.transpose(column)})
    return _times_from(system, parts, e.SumOver(parts.k, first, t, body))


def unrolled(system: RecurrentSystem, by: e.Node, steps: int, window: int | None = None) -> Derivation:
    """∇L by a parameter for a given length, written out: one term for every pair k <= t <= steps; with a window, for those
    with t - k < window.

    Raises
    ------
    UsageError : ``steps`` is not a number from 1 to ``MAX_STEPS``.
    """
    if not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise UsageError(
            f"the sum cannot be written out for {clipped(repr(steps), 30)} steps",
            expected=f"a number from 1 to {MAX_STEPS}",
            hint="the forms recursion and double-sum hold for every length",
        )
    parts = ingredients(system, by)
    t = system.time
    lines = [*cell_lines(system), *parts.lines, immediate_step(system, parts)]
    target = e.Derivative(e.Var(system.loss_name), by)
    losses = [steps] if parts.term.final else range(max(1, int(parts.term.lower)), steps + 1)
    pairs = [(last, first) for last in losses for first in range(max(1, last + 1 - (window or last)), last + 1)]
    cut = window is not None and len(pairs) < sum(losses)
    operator = "~" if cut else "="
    named = make.plus(*(_unrolled_term(parts, t, last, first) for last, first in pairs))
    reason = f"T = {steps}" + (f", without the paths over more than {window - 1} steps" if cut and window else "")
    lines.append(Step(target, named, "double sum with its terms written out", reason, operator))
    result = make.plus(*(_expanded_term(parts, t, last, first) for last, first in pairs))
    lines.append(
        Step(target, result, "one-step Jacobians multiplied out", "from s_k to s_t there are t - k factors", operator)
    )
    title = f"Gradient of the loss by {by}, written out for T = {steps}"
    relations = () if cut else _recursion_written_out(system, parts, steps)
    return Derivation(target, result, tuple(lines), title, relations, length=steps)


def _recursion_written_out(system: RecurrentSystem, parts: Ingredients, steps: int) -> tuple[e.Relation, ...]:
    """The same gradient by the adjoint recursion, one line a quantity and step: its length grows linearly with T."""
    engine, t = AdjointEngine(system), system.time
    gradient = engine.parameter_gradient(parts.parameter.name)
    beyond = {node.xreplace({T: Integer(steps)}): zero for node, zero in engine.beyond.items()}
    lines = []
    for at in range(steps, 0, -1):
        for equation in engine.needed(gradient):
            right = equation.rhs if equation.final is None or at < steps else make.plus(equation.rhs, equation.final)
            lines.append(
                e.Relation(
                    "=",
                    equation.adjoint.xreplace({t: Integer(at)}),
                    substitute(right.xreplace({t: Integer(at)}), beyond),
                )
            )
    return tuple(lines)


def _unrolled_term(parts: Ingredients, t: Symbol, last: int, first: int) -> e.Node:
    now, then = parts.joint.xreplace({t: Integer(last)}), parts.joint.xreplace({t: Integer(first)})
    loss = e.Derivative(parts.step_loss.xreplace({t: Integer(last)}), now)
    middle = [] if last == first else [e.Derivative(now, then)]
    return e.Times(loss, *middle, e.Derivative(then, parts.parameter, "immediate"))


def _expanded_term(parts: Ingredients, t: Symbol, last: int, first: int) -> e.Node:
    now, then = parts.joint.xreplace({t: Integer(last)}), parts.joint.xreplace({t: Integer(first)})
    factors: list[e.Node] = [e.Derivative(parts.step_loss.xreplace({t: Integer(last)}), now)]
    for at in range(last, first, -1):
        jacobian = parts.one_step.xreplace({t: Integer(at)})
        factors.extend(jacobian.operands if isinstance(jacobian, e.Times) else (jacobian,))
    return e.Times(*factors, e.Derivative(then, parts.parameter, "immediate"))


__all__ = [
    "Ingredients",
    "double_sum",
    "double_sum_expression",
    "ingredients",
    "leaves",
    "loss_pull",
    "pieces",
    "stacked",
    "step_pull",
    "unrolled",
]
