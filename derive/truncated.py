"""Truncated backpropagation through time: each loss goes back over its own step and those before it, K steps in all.

    ∂L/∂W ≈ Σ_t Σ_{k = max(1, t-K+1)}^{t} ∂L_t/∂s_t ∂s_t/∂s_k ∂⁺s_k/∂W

K = T gives the gradient itself. What is left out are the paths over K steps and more, so the cost is O(TK) and the result
is biased against long dependencies. Sources: Williams and Peng, *An efficient gradient-based algorithm for on-line
training of recurrent network trajectories* (1990), BPTT(h); Zhang et al., *Dive into Deep Learning*, section 9.7.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer, Max

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.derivation import Derivation, Step
from derive.errors import MissingRuleError, UsageError, clipped
from derive.expressions import make
from derive.flow import INNER, cell_lines, free_index
from derive.forms import (
    double_sum,
    double_sum_expression,
    explicit_double_sum,
    ingredients,
    reads_time,
    reject_tree,
    unrolled,
)
from derive.gradients import needs_of, readout_steps, recursion_steps
from derive.notation.names import QName
from derive.system import LossTerm, RecurrentSystem, T

_LEFT_OUT = "paths from before the window are left out"


def window_of(given: int | str) -> Expr:
    """The number of steps K: a number, or a capital letter that stands for one.

    Raises
    ------
    UsageError : it is neither.
    """
    text = str(given)
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return Integer(given)
    if text.isdecimal() and int(text[:9]) >= 1:
        return Integer(int(text[:9]))
    if len(text) == 1 and text in _LETTERS:
        return e.size(text)
    raise UsageError(
        f"gradients cannot be truncated after {clipped(repr(given), 30)}",
        expected="a number of steps from 1 on, or a capital letter such as K",
    )


_LETTERS = frozenset("ABCDEFGHJKLMNOPQRSUVWXYZ")
"""Capital letters, but for T, the length, and I, the identity."""


def truncated(system: RecurrentSystem, by: e.Node, window: Expr, form: str, steps: int) -> Derivation:
    """∇L by a parameter, without the paths over ``window`` steps and more.

    Raises
    ------
    UsageError       : ``by`` is no parameter; the letter of the window is in use.
    MissingRuleError : the loss has parts of both kinds, the cell reads the next step, or the parameter gives starting
                       values.
    """
    if not system.loss_terms:
        raise UsageError("the equations have no time, so there is no loss over time", hint="ask for a Jacobian")
    reject_tree(system, "a window of steps")
    if window.is_Symbol and str(window) in _in_use(system):
        raise UsageError(f"{window} is in use by the cell", expected="another letter, or a number")
    if form == "recursion":
        return _by_recursion(system, by, window)
    if form == "double-sum":
        return _as_double_sum(system, by, window)
    if form != "unrolled":
        raise UsageError(f"the form {form} is not truncated", expected="recursion, double-sum or unrolled")
    if not window.is_Integer:
        raise UsageError(
            f"the unrolled form is written out for a window in numbers, not for {window}", expected="a number of steps"
        )
    found = unrolled(system, by, steps, int(window))
    return replace(found, window=window, title=f"{found.title}, truncated after {window} {_steps(window)}")


def _in_use(system: RecurrentSystem) -> set[str]:
    """Letters that mean something in the cell."""
    sizes = {str(symbol) for shape in system.shapes.values() for size in shape for symbol in size.free_symbols}
    names = {QName.from_key(key).base for key in (*system.shapes, system.loss_name, system.step_loss_name)}
    return sizes | names


def _steps(window: Expr) -> str:
    return "step" if window == 1 else "steps"


def first_step(window: Expr, last: Expr) -> Expr:
    """The first step of the window that ends at a step."""
    return Max(Integer(1), last - window + 1)


def _as_double_sum(system: RecurrentSystem, by: e.Node, window: Expr) -> Derivation:
    exact = double_sum(system, by)
    parts = ingredients(system, by)
    first = first_step(window, system.time)
    result = double_sum_expression(system, parts, first)
    reason = f"at most {window} {_steps(window)} for each loss: {_LEFT_OUT}"
    shared = [step for step in exact.steps if not isinstance(step.lhs, e.Gradient)]
    lines = [*shared, Step(exact.target, result, "truncated BPTT", reason, "~")]
    explicit = explicit_double_sum(system, parts, free_index(system, INNER, (parts.k,)), first)
    if explicit is not None:
        gradient = e.Gradient(by, e.Var(system.loss_name))
        lines.append(
            Step(gradient, explicit, "all factors written out", "the derivative in the parameter's shape", "~")
        )
    title = f"{exact.title}, truncated after {window} {_steps(window)}"
    return Derivation(exact.target, result, tuple(lines), title, window=window)


# -- one backward pass for each loss ---------------------------------------------------------------------


def _by_recursion(system: RecurrentSystem, by: e.Node, window: Expr) -> Derivation:
    """For the loss of each step r, the adjoint recursion from r back to the first step of its window."""
    of_steps, at_end, of_parameters = _kinds(system, by)
    terms = at_end or of_steps
    r = free_index(system, ("r", "s", "k"))
    engine = AdjointEngine(system, terms, None if at_end else r, window)
    share = engine.parameter_gradient(by.name)
    over = share if at_end or make.is_zero(share) else e.SumOver(r, terms[0].lower, terms[0].upper, share)
    penalty = AdjointEngine(system, of_parameters).parameter_gradient(by.name)
    result = make.plus(over, penalty)
    equations = engine.needed(share)
    recursion = [*readout_steps(engine, needs_of(equations, share)), *recursion_steps(engine, equations)]
    target = e.Gradient(by, e.Var(system.loss_name))
    reason = f"at most {window} {_steps(window)} for each loss: {_LEFT_OUT}"
    steps = [*cell_lines(system), *recursion, Step(target, result, "truncated BPTT", reason, "~")]
    title = f"Gradient of the loss by {by}, by the adjoint recursion, truncated after {window} {_steps(window)}"
    relations = tuple(step.relation for step in recursion)
    return Derivation(target, result, tuple(steps), title, relations, window=window)


def _kinds(system: RecurrentSystem, by: e.Node) -> tuple[list[LossTerm], list[LossTerm], list[LossTerm]]:
    """The parts of the loss: those of every step, those at T, and those of parameters alone.

    Raises
    ------
    UsageError       : ``by`` is no parameter.
    MissingRuleError : there are parts of both of the first kinds, or of other steps.
    """
    if not isinstance(by, e.Var) or by.name not in system.parameters:
        raise UsageError(f"{by} is no parameter of the cell", expected=f"one of {', '.join(system.parameters)}")
    if system.max_lead:
        raise MissingRuleError(
            "the cell reads states of the next step", hint="no window before a step holds all it needs"
        )
    of_parameters = [term for term in system.loss_terms if term.final and not reads_time(system, term)]
    others = [term for term in system.loss_terms if term not in of_parameters]
    of_steps = [term for term in others if not term.final]
    at_end = [term for term in others if term.final]
    ranges = {(term.lower, term.upper) for term in others}
    if len(ranges) != 1 or (at_end and ranges != {(T, T)}) or any(_sums_inside(term) for term in others):
        raise MissingRuleError(
            "truncation needs one kind of loss",
            expected="a loss at every step, or one at T",
            hint="derive the parts one by one",
        )
    return of_steps, at_end, of_parameters


def _sums_inside(term: LossTerm) -> bool:
    """Whether a part at T sums over time, as the norm of a mean does."""
    return term.final and term.body.has(e.SumOver)


__all__ = ["first_step", "truncated", "window_of"]
