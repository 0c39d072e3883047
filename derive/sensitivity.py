"""Forward sensitivities over time: real-time recurrent learning (RTRL).

How the quantities of step t move with a parameter follows from how those of the step before do,

    ∂s_t/∂vec(W) = J_t ∂s_{t-1}/∂vec(W) + ∂⁺s_t/∂vec(W),      ∂s_0/∂vec(W) = 0,

so the gradient is there at every step without a pass backward, at the price of a matrix of (size of s) x (size of W)
entries. It is written with one line for each named quantity instead of the joint state's. Source: Williams and Zipser,
*A learning algorithm for continually running fully recurrent neural networks* (1989).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.errors import UsageError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.flow import FlowEngine, cell_lines
from derive.linear import jacobian_of, size_of
from derive.system import RecurrentSystem, leaves


class SensitivityEngine:
    """Total derivatives of everything by one parameter, as recursions in the order of the sweeps.

    Raises
    ------
    UsageError : ``by`` is no parameter of the cell.
    """

    def __init__(self, system: RecurrentSystem, by: e.Node) -> None:
        if not isinstance(by, e.Var) or by.name not in system.parameters:
            raise UsageError(
                f"{by} is no parameter of the cell",
                expected=f"one of {', '.join(system.parameters)}",
                hint="forward sensitivities are by what all steps share",
            )
        self.system = system
        self.parameter = by
        self.flow = FlowEngine(system, vec=True)

    def derivative(self, of: e.Node) -> e.Derivative:
        """∂q/∂vec(W) of a quantity."""
        return self.flow.derivative(of, self.parameter)

    @cached_property
    def moving(self) -> frozenset[str]:
        """What the parameter moves."""
        found = {self.parameter.name}
        formulas = [(q.key, q.rhs) for q in self.system.steps]
        formulas += [(start.name, value) for start, value in self.system.initial.items()]
        grown = True
        while grown:
            new = {key for key, rhs in formulas if key not in found and any(leaf.name in found for leaf in leaves(rhs))}
            grown = bool(new)
            found |= new
        return frozenset(found)

    def total(self, formula: e.Node) -> e.Node:
        """∂formula/∂vec(W), in terms of the sensitivities of what it reads."""
        inner, sums = _sums_named(formula)
        terms = []
        for leaf in leaves(inner):
            if leaf in sums:
                moved: e.Node | None = self._of_sum(sums[leaf])
            elif leaf == self.parameter:
                moved = make.identity(size_of(leaf))
            else:
                moved = self.derivative(leaf) if leaf.name in self.moving else None
            local = None if moved is None else jacobian_of(inner, leaf, vec=True)
            if local is not None and moved is not None:
                terms.append(make.times(local.xreplace(dict(sums)), moved))
        return make.plus(*terms) if terms else make.zero((size_of(formula), size_of(self.parameter)))

    def _of_sum(self, total: e.Over) -> e.Node | None:
        inside = self.total(total.body)
        return None if make.is_zero(inside) else total.with_body(inside)

    @cached_property
    def starts(self) -> Mapping[e.Node, e.Node]:
        """The sensitivities of the values that the sequence starts from; zero unless they are computed from W."""
        zero = {start: make.zero((size_of(start), size_of(self.parameter))) for start in self.system.starts}
        given = {start: self._of_start(start, value) for start, value in self.system.initial.items()}
        return {start: value for start, value in {**zero, **given}.items() if start.name in self.moving}

    def _of_start(self, start: e.Node, value: e.Node) -> e.Node:
        """A number that stands for a vector, as in h_0 = 0, moves all its entries."""
        moved = self.total(value)
        return moved if value.shape == start.shape else make.times(make.ones((size_of(start), ONE)), moved)

    @cached_property
    def recursion(self) -> Mapping[e.Node, e.Node]:
        """The sensitivity of each quantity that moves, in the order of a step."""
        return {q.lhs: self.total(q.rhs) for q in self.system.steps if q.key in self.moving}

    def of_loss(self) -> e.Node:
        """∂L/∂vec(W), a row."""
        terms = []
        for term in self.system.loss_terms:
            moved = self.total(term.body)
            if make.is_zero(moved):
                continue
            terms.append(
                e.reindexed(moved, {self.system.time: term.lower})
                if term.final
                else e.SumOver(self.system.time, term.lower, term.upper, moved)
            )
        return make.plus(*terms) if terms else make.zero((ONE, size_of(self.parameter)))


def _sums_named(formula: e.Node) -> tuple[e.Node, dict[e.Node, e.Over]]:
    """A formula with each sum over time or over children replaced by a name, and the sums by their names."""
    sums: dict[e.Node, e.Over] = {}
    outer: list[e.Over] = []
    stack = [formula]
    while stack:
        node = stack.pop()
        if isinstance(node, (e.SumOver, e.SumOverChildren)):
            outer.append(node)
        else:
            stack.extend(node.operands)
    for number, total in enumerate(dict.fromkeys(outer)):
        sums[e.Var(f"sum{number}", *total.shape)] = total
    return formula.xreplace({total: name for name, total in sums.items()}), sums


def sensitivities(system: RecurrentSystem, by: e.Node) -> Derivation:
    """∇L by a parameter, forward in time.

    Raises
    ------
    UsageError       : ``by`` is no parameter, or the equations have no time.
    MissingRuleError : a matrix is moved by an operation that has no Jacobian in matrix form.
    """
    if not system.loss_terms:
        raise UsageError("the equations have no time, so there is no loss over time", hint="ask for a Jacobian")
    engine = SensitivityEngine(system, by)
    target = engine.derivative(e.Var(system.loss_name))
    recursion = [*_start_steps(engine), *_recursion_steps(engine)]
    result = engine.of_loss()
    last = Step(target, result, "chain rule", "each loss by what it reads, as the steps go on")
    title = f"Gradient of the loss by {by}, by forward sensitivities (RTRL)"
    relations = tuple(step.relation for step in recursion)
    return Derivation(target, result, (*cell_lines(system), *recursion, last), title, relations)


def _start_steps(engine: SensitivityEngine) -> Iterator[Step]:
    for start, value in engine.starts.items():
        given = make.is_zero(value)
        reason = f"it is not computed from {engine.parameter}" if given else ""
        yield Step(engine.derivative(start), value, "given at the start" if given else "starting value", reason)


def _recursion_steps(engine: SensitivityEngine) -> Iterator[Step]:
    for quantity, value in engine.recursion.items():
        direct = engine.parameter in leaves(engine.system.definitions[quantity.name].rhs)
        reason = f"{engine.parameter} acts in this step, and in those before" if direct else ""
        yield Step(engine.derivative(quantity), value, "total derivative" if direct else "chain rule", reason)


__all__ = ["SensitivityEngine", "sensitivities"]
