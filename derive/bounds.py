"""How much of a gradient is left after many steps: a bound made of the norms of one-step Jacobians.

For the loss of the last step alone,

    ‖∂L_T/∂s_t‖ ≤ ‖∂L_T/∂s_T‖ ∏_{k=t+1}^{T} ‖J_k‖,

because the norm of a product is at most the product of the norms. Factors of J_k that are the same at every step, such as
W, come out as a power; a derivative f'(z) is at most its largest value. With a loss at every step the bound is false: the
later losses add up. Source: Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks* (2013),
section 2.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Symbol

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.errors import MissingRuleError, UsageError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.flow import INNER, FlowEngine, definition_steps, free_index
from derive.forms import check_reads_own_step, loss_pull, reads_time, step_loss_of
from derive.joint import JointState
from derive.system import LossTerm, RecurrentSystem, T

_LONGEST = 300
"""A bound with more characters than this says nothing to a reader; the shorter ones before it stand."""


_NOTES = {
    True: "for the loss of the last step alone: where there is a loss at every step, the later ones add up",
    False: "for the loss of the root alone: where every node has a loss, those on the path add up",
}


def norm_bound(system: RecurrentSystem) -> Derivation:
    """The bound in the sharpest form first, then with every constant factor taken out.

    Raises
    ------
    MissingRuleError : the loss of a step reads more than the states of that step.
    UsageError       : the cell has no state or no loss.
    """
    if not system.states or not system.loss_terms:
        raise UsageError("the cell hands nothing from step to step", expected="an equation that reads h_{t-1}")
    term = _last_term(system)
    check_reads_own_step(system, loss_pull(system, term))
    # The norm of a matrix state is that of all its entries, as of vec(S).
    engine = FlowEngine(system, vec=any(ONE not in system.shapes[key] for key in system.states))
    t, joint_state = system.time, JointState(engine)
    lines, joint, shown = joint_state.chain(named=True)
    one_step = joint_state.block() if len(joint_state.parts) == 1 else shown
    index = free_index(system, INNER, joint_state.names())
    step_loss, named = step_loss_of(system, term)
    lines += named
    last_loss = step_loss.at(T)
    at_end = e.Derivative(last_loss, joint.xreplace({t: T}))
    target = e.Norm(e.Derivative(last_loss, joint))
    chain = joint_state.over_steps(shown, t, T, index)
    steps = definition_steps(engine, [(q.key, 0) for q in system.steps if isinstance(q.lhs, e.Timed)])
    steps += lines
    steps.append(
        Step(
            e.Derivative(last_loss, joint),
            e.Times(at_end, chain),
            "chain rule over time" if system.tree is None else "chain rule on the path",
            "the loss of step T alone" if system.tree is None else "the loss of the root alone",
        )
    )
    result = _scaled(at_end, joint_state.over_steps(e.Norm(shown), t, T, index))
    steps.append(Step(target, result, "norm of a product", "at most the product of the norms", "<="))
    for bound, rule in _looser(joint_state, one_step, index):
        if len(str(bound)) > _LONGEST:
            break
        result = _scaled(at_end, bound)
        steps.append(Step(target, result, rule, "", "<="))
    notes = (_NOTES[system.tree is None],)
    title = "Norm bound for the gradient of the last loss"
    return Derivation(target, result, tuple(steps), title, conditions=((t, T),), notes=notes)


def _last_term(system: RecurrentSystem) -> LossTerm:
    """The part of the loss that acts at T.

    Raises
    ------
    MissingRuleError : there is none, or there are several.
    """
    found = [term for term in system.loss_terms if term.upper == T and reads_time(system, term)]
    if len(found) > 1 and all(term.final for term in found):
        return LossTerm(T, T, make.plus(*(term.body for term in found)))
    if len(found) != 1:
        raise MissingRuleError(
            "the loss has no part at T" if not found else "the loss has several parts at T",
            expected="one loss at T, or one at every step",
            hint="leave out the other parts of the loss: the bound is one for each",
        )
    return found[0]


def _scaled(at_end: e.Node, rest: e.Node) -> e.Node:
    return e.Times(e.Norm(at_end), *(rest.operands if isinstance(rest, e.Times) else (rest,)))


def _looser(joint: JointState, one_step: e.Node, index: Symbol) -> Iterator[tuple[e.Node, str]]:
    """The product of the norms of J's parts, with what does not change over time as a power; then with derivatives
    replaced by their largest value.
    """
    parts = norm_of(one_step)
    if parts == e.Norm(one_step):
        return
    rule = "norms of the factors" if isinstance(one_step, e.Times) else "triangle inequality"
    if not one_step.is_scalar or isinstance(one_step, e.Times):
        yield _over_time(joint, parts, index), rule
    widest = norm_of(one_step, widest=True)
    if widest != parts:
        yield _over_time(joint, widest, index), "largest slope"


def _over_time(joint: JointState, bound: e.Node, index: Symbol) -> e.Node:
    """∏_k of a bound for each step: factors without time to the power T - t, the others under the product. The path from a
    node up to the root of a tree has a length without a name, so there all factors stay under the product.
    """
    t = joint.time
    if joint.system.tree is not None:
        return joint.over_steps(bound, t, T, index)
    factors = bound.operands if isinstance(bound, e.Times) else (bound,)
    fixed = [factor for factor in factors if t not in factor.free_symbols]
    moving = [factor for factor in factors if t in factor.free_symbols]
    powers = [e.Power(make.times(*fixed), e.Scalar(T - t))] if fixed and make.times(*fixed) != e.Scalar(1) else []
    products = [joint.over_steps(make.times(*moving), t, T, index)] if moving else []
    return make.times(*powers, *products) if powers or products else e.Scalar(1)


def norm_of(node: e.Node, widest: bool = False) -> e.Node:
    r"""A bound of ‖node‖ by the norms of its parts.

    Parameters
    ----------
    widest : replace ‖diag(f'(z))‖ by the largest value of \|f'\|, where f has one.
    """
    if node.is_scalar and not isinstance(node, (e.Times, e.Neg)):
        slope = largest_slope(node) if widest else None
        return _size_of_scalar(node) if slope is None else e.Scalar(slope)
    if isinstance(node, e.Identity):
        return e.Scalar(1)
    if isinstance(node, e.Block) and _selects(node):
        return e.Scalar(1)
    if isinstance(node, e.Neg):
        return norm_of(node.operands[0], widest)
    if isinstance(node, e.Plus):
        return make.plus(*(norm_of(term, widest) for term in node.operands))
    if isinstance(node, e.Times):
        return make.times(*(norm_of(factor, widest) for factor in node.operands))
    if widest and isinstance(node, e.Diag):
        slope = largest_slope(node.operands[0])
        return e.Norm(node) if slope is None else e.Scalar(slope)
    return e.Norm(node)


def _selects(node: e.Block) -> bool:
    """Whether a block matrix is an identity among zeros, which takes parts of a vector or puts it into a larger one."""
    others = [entry for entry in node.operands if not make.is_zero(entry)]
    return len(others) == 1 and isinstance(others[0], e.Identity)


def _size_of_scalar(node: e.Node) -> e.Node:
    if isinstance(node, e.Scalar) and node.value.is_nonnegative:
        return node
    return e.Apply("abs", node)


def largest_slope(node: e.Node) -> Expr | None:
    """The largest absolute value of f'(z), where it is declared."""
    if isinstance(node, e.Apply) and node.order == 1 and node.declaration is not None:
        return node.declaration.slope
    return None


__all__ = ["norm_bound", "norm_of"]
