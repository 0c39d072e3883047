"""Reverse mode over time: the adjoint recursion of a recurrent system, with symbolic sizes and symbolic length.

For each quantity q the total adjoint is what the loss gains from moving q_t,

    q̄_t = ∂⁺L/∂q_t + Σ over readings of q by p at t + o:  (∂⁺p_{t-o}/∂q_t)ᵀ p̄_{t-o},

zero beyond the ends; a pre-activation's adjoint is written δ. Parameter gradients add up over time what each step
passes to the parameter. Sources: Rumelhart, Hinton, Williams (1986); Werbos, *Backpropagation through time: what it
does and how to do it* (1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import And, Eq, Expr, Integer, Le, Max, Piecewise, Symbol

from derive import expressions as e
from derive.cell_text import Equation
from derive.differentiate import Reach, reaches
from derive.errors import MissingRuleError
from derive.expressions import make
from derive.expressions.calculus import another, reindexed
from derive.expressions.cancel import numerator_over, through_sigmoid
from derive.notation.names import QName
from derive.substitute import substitute
from derive.system import LossTerm, RecurrentSystem, T, leaves
from derive.tree import arriving, by_child


@dataclass(frozen=True)
class Direct:
    """What the loss, or a readout without time, passes to q_t directly, at t = lower .. upper."""

    lower: Expr
    upper: Expr
    part: e.Node


@dataclass(frozen=True)
class AdjointEquation:
    """The adjoint of one quantity: ``adjoint = right side`` at each t of the sequence.

    ``final`` is what a loss at the last step alone adds there (None where there is none). What acts during other times carries
    an Iverson bracket in the right side, such as [2 <= t].
    """

    key: str
    adjoint: e.Timed
    rhs: e.Node
    final: e.Node | None = None

    def at_the_end(self, end: Expr, beyond: Mapping[e.Node, e.Node]) -> e.Node:
        """The right side at the last step, where the adjoints ``beyond`` it are zero."""
        rest = substitute(self.rhs.xreplace({self.adjoint.time: end}), beyond)
        return rest if self.final is None else make.plus(self.final.xreplace({self.adjoint.time: end}), rest)


class AdjointEngine:
    """Adjoint recursion and parameter gradients of one system.

    Parameters
    ----------
    terms  : the parts of the loss that are differentiated; all, if none are given.
    only   : a step; of parts that sum over time, the term of this step alone is differentiated, and adjoints carry the
             step as a label: δ_t^{(r)}.
    window : over how many steps before the last one, itself included, parameters get their shares; all, if none is
             given.
    """

    def __init__(
        self,
        system: RecurrentSystem,
        terms: Sequence[LossTerm] | None = None,
        only: Symbol | None = None,
        window: Expr | None = None,
    ) -> None:
        self.system = system
        self.time = system.time
        self.all_terms = self.loss_terms = system.loss_terms if terms is None else tuple(terms)
        self.names = system.adjoint_names
        self.window = window
        self._equations: dict[str, AdjointEquation | None] = {}
        self._gradients: dict[tuple[str, Expr | None], e.Node] = {}
        self.end: Expr = T if only is None else only
        """The last step, which the recursion starts from."""
        self.first: Expr = Integer(1) if window is None else Max(1, self.end - window + 1)
        """The first step whose share counts."""
        if only is not None:
            self.loss_terms = tuple(LossTerm(only, only, term.body) for term in self.loss_terms)
            label = f"({only.name})"
            self.names = {key: QName.from_key(name).with_sup(label).key for key, name in self.names.items()}

    # -- names -------------------------------------------------------------------------------------

    def adjoint(self, key: str, time: Expr | None = None) -> e.Node:
        """The adjoint of a quantity, as a named quantity of the same shape."""
        quantity = self.system.quantity(key, time)
        name = self.names[key]
        return (
            e.Timed(name, quantity.time, *quantity.shape)
            if isinstance(quantity, e.Timed)
            else e.Var(name, *quantity.shape)
        )

    def moved_to(self, quantity: e.Timed) -> dict[Symbol, Expr]:
        """How the letters of a step change for a quantity at another time, node or edge."""
        tree, when = self.system.tree, quantity.time
        if tree is None or not isinstance(when, e.Edge):
            return {self.time: when}
        return {tree.node: when.node, tree.child: when.child}

    # -- what each step passes back ----------------------------------------------------------------

    @cached_property
    def passed(self) -> Mapping[str, tuple[Reach, ...]]:
        """For each defined quantity, what its adjoint passes to every quantity that its equation reads; nothing from one
        that the loss does not depend on.
        """
        leading = self.leading
        return {q.key: self._kept(self._reached(q)) if q.key in leading else () for q in self.system.steps}

    def _reached(self, equation: Equation) -> Iterator[Reach]:
        cotangent = self.likelihoods.get(equation.key)
        if cotangent is None:
            yield from reaches(equation.rhs, self.adjoint(equation.key))
            return
        output = {equation.lhs: equation.rhs}
        for reach in reaches(equation.rhs, cotangent.xreplace(output)):
            yield Reach(reach.leaf, reach.part.xreplace({equation.rhs: equation.lhs}), reach.over)

    @cached_property
    def likelihoods(self) -> Mapping[str, e.Node]:
        """Outputs p = softmax(z) or σ(z) that only the loss reads, by their logarithms alone, with the adjoint a ⊘ p that the
        loss gives them: it is not handed on as it is, because p ⊙ (a ⊘ p) is a.
        """
        read = {use.key for use in self.system.uses}
        read |= {leaf.name for value in self.system.initial.values() for leaf in leaves(value)}
        found = {}
        for equation in self.system.steps:
            inner = equation.rhs.operands[0] if isinstance(equation.rhs, (e.Softmax, e.Apply)) else None
            if equation.key in read or not isinstance(inner, (e.Timed, e.Var)):
                continue
            cotangent = self._from_likelihood(equation)
            if cotangent is not None and _cancels(equation, cotangent):
                found[equation.key] = cotangent
        return found

    def _from_likelihood(self, equation: Equation) -> e.Node | None:
        """What the loss passes to a quantity, at every time; None where that is no formula at the quantity's own time."""
        terms: list[e.Node] = []
        for term, parts in self.loss_parts:
            for reach in (reach for reach in parts if reach.leaf.name == equation.key):
                at = term.lower if isinstance(reach.leaf, e.Var) else self.time
                own_time = isinstance(reach.leaf, e.Var) or reach.leaf.time == self.time
                if reach.over is not None or not own_time or (isinstance(reach.leaf, e.Var) and not term.final):
                    return None
                whole = isinstance(reach.leaf, e.Var) or (term.lower == 1 and term.upper == T)
                bracket = () if whole else (self._during(Direct(term.lower, term.upper, reach.part)),)
                terms.append(make.times(*bracket, e.reindexed(reach.part, {self.time: at})))
        return make.plus(*terms) if terms else None

    @cached_property
    def leading(self) -> frozenset[str]:
        """Quantities that the loss reads, directly or through others."""
        found = {reach.leaf.name for _, parts in self.loss_parts for reach in parts}
        stack = list(found)
        while stack:
            key = stack.pop()
            equation = self.system.definitions.get(key)
            formulas = [] if equation is None else [equation.rhs]
            formulas += [value for start, value in self.system.initial.items() if start.name == key]
            for leaf in (leaf for formula in formulas for leaf in leaves(formula)):
                if leaf.name not in found:
                    found.add(leaf.name)
                    stack.append(leaf.name)
        return frozenset(found)

    def _kept(self, found: Iterable[Reach]) -> tuple[Reach, ...]:
        """Contributions that are not zero, to quantities that are not integers; those to one quantity added up."""
        merged: dict[tuple[e.Node, object], list[e.Node]] = {}
        for reach in found:
            if reach.leaf.name not in self.system.labels and not make.is_zero(reach.part):
                merged.setdefault((reach.leaf, reach.over), []).append(self._with_unit_sums(reach.part))
        return tuple(Reach(leaf, make.plus(*parts), over) for (leaf, over), parts in merged.items())  # type: ignore[arg-type]

    def _with_unit_sums(self, formula: e.Node) -> e.Node:
        """A formula in which the entries of a distribution add up to one."""
        assumed = [q for q in leaves(formula) if q.name in self.system.text.unit_sums]
        return substitute(formula, {make.sum_entries(q): e.Scalar(1) for q in assumed}) if assumed else formula

    @cached_property
    def loss_parts(self) -> tuple[tuple[LossTerm, tuple[Reach, ...]], ...]:
        """∂⁺ of each loss term by the quantities that it reads."""
        return tuple((term, self._kept(reaches(term.body, e.Scalar(1)))) for term in self.loss_terms)

    def _spans(self, key: str) -> Iterator[Direct]:
        """What the loss, and quantities without time, pass directly to q_t, with the times t for which they do."""
        for term, parts in self.loss_parts:
            for reach in parts:
                if reach.leaf.name == key and isinstance(reach.leaf, e.Timed):
                    if reach.over is None and reach.leaf.time.has(self.time):
                        yield self._placed(reach, self.time, term.lower, term.upper)
                    elif reach.over is not None and not term.final:
                        yield self._from_nested(term, reach)
                    elif term.final or reach.over is not None:
                        yield self._from_sum(reach)
                    else:  # h_T inside a sum over t: each term of the sum reads it
                        k = next(letter for letter in map(e.index, ("k", "s", "r")) if letter != self.time)
                        summed = e.SumOver(k, term.lower, term.upper, reach.part.xreplace({self.time: k}))
                        yield Direct(reach.leaf.time, reach.leaf.time, summed)
        for equation in self.system.steps:
            if isinstance(equation.lhs, e.Var):
                for reach in self.passed[equation.key]:
                    if reach.leaf.name == key and isinstance(reach.leaf, e.Timed):
                        yield self._from_sum(reach)

    def _from_nested(self, term: LossTerm, reach: Reach) -> Direct:
        """What a sum inside a loss at every step t passes to q_i: the terms of all those t whose inner sum holds i."""
        over = reach.over
        if isinstance(over, e.SumOver) and reach.leaf.time.has(self.time) and not reach.leaf.time.has(over.index):
            return self._placed(Reach(reach.leaf, reach.summed), self.time, term.lower, term.upper)
        if not isinstance(over, e.SumOver) or reach.leaf.time != over.index:
            raise MissingRuleError(
                f"{reach.leaf} stands inside {over}, inside a sum over {self.time}",
                hint="name the inner sum by an equation of its own",
            )
        k = another(self.time, reach.part, {self.time, over.index})
        at = {self.time: k}
        lower, upper = (bound.xreplace(at) for bound in (over.lower, over.upper))
        conditions = [] if (lower - 1).is_nonpositive else [Le(lower, self.time)]
        conditions += [] if (T - upper).is_nonpositive else [Le(self.time, upper)]
        inside = e.Scalar(Piecewise((1, And(*conditions)), (0, True)) if conditions else 1)
        part = make.times(inside, e.reindexed(reach.part, {**at, over.index: self.time}))
        return Direct(Integer(1), T, e.SumOver(k, term.lower, term.upper, part))

    def _from_sum(self, reach: Reach) -> Direct:
        if isinstance(reach.over, e.SumOverChildren):
            raise MissingRuleError(
                "the loss sums over the children of a node", hint="name the sum by an equation of its own"
            )
        if reach.over is not None and reach.leaf.time.has(reach.over.index):
            return self._placed(reach, reach.over.index, reach.over.lower, reach.over.upper)
        if reach.over is not None:
            raise MissingRuleError(
                f"{reach.leaf} stands at a fixed time inside {reach.over}", hint="take it out of the sum"
            )
        return Direct(reach.leaf.time, reach.leaf.time, reach.part)

    def _placed(self, reach: Reach, index: Symbol, lower: Expr, upper: Expr) -> Direct:
        """A contribution to q_{i+o} for i = lower .. upper, written at t = i + o."""
        offset = reach.leaf.time - index
        if not offset.is_Integer:
            raise MissingRuleError(
                f"{reach.leaf} is not at a fixed distance from {index}", expected=f"times such as {index} or {index}-1"
            )
        return Direct(lower + offset, upper + offset, reindexed(reach.part, {index: self.time - offset}))

    def from_loss(self, key: str) -> tuple[list[e.Node], list[e.Node]]:
        """What reaches q_t from outside the recursion: at every t, and at T alone."""
        always: list[e.Node] = []
        final: list[e.Node] = []
        for span in self._spans(key):
            if span.lower == span.upper == self.end:
                final.append(span.part)
            elif (span.lower - 1).is_nonpositive and (T - span.upper).is_nonpositive:
                always.append(span.part)
            else:
                always.append(make.times(self._during(span), span.part))
        return always, final

    def _during(self, span: Direct) -> e.Node:
        """The Iverson bracket of the times at which something acts, as far as they are within 1 .. T."""
        conditions = [] if (span.lower - 1).is_nonpositive else [Le(span.lower, self.time)]
        conditions += [] if (T - span.upper).is_nonpositive else [Le(self.time, span.upper)]
        inside = Eq(self.time, span.lower) if span.lower == span.upper else And(*conditions)
        return e.Scalar(Piecewise((1, inside), (0, True)))

    def contributions(self, key: str) -> Iterator[tuple[str, e.Node, int]]:
        """What reaches q_t from each quantity of a step that reads it, as (reader, expression at t, steps later)."""
        for equation in self.system.steps:
            if not isinstance(equation.lhs, e.Timed):
                continue
            for reach in self.passed[equation.key]:
                if reach.leaf.name == key and isinstance(reach.leaf, e.Timed):
                    if self.system.tree is not None:
                        part, later = arriving(self.system.tree, equation.lhs, reach)
                        yield equation.key, part, later
                        continue
                    offset = int(reach.leaf.time - self.time)
                    yield equation.key, reach.summed.xreplace({self.time: self.time - offset}), -offset

    def equation(self, key: str) -> AdjointEquation | None:
        """The adjoint equation of a timed quantity; None where the loss does not depend on it."""
        if key not in self._equations:
            self._equations[key] = self._equation(key)
        return self._equations[key]

    def _equation(self, key: str) -> AdjointEquation | None:
        always, final = self.from_loss(key)
        parts = sorted(self.contributions(key), key=lambda part: part[2])
        passed = by_child([part for _, part, _ in parts])
        last = [term for term in passed if self._is_at_end(term)]
        final += [make.times(*term.operands[1:]) for term in last]
        terms = [*always, *(term for term in passed if term not in last)]
        if not terms and not final:
            return None
        adjoint = self.adjoint(key)
        rhs = make.plus(*terms) if terms else make.zero(adjoint.shape)
        return AdjointEquation(key, adjoint, rhs, make.plus(*final) if final else None)

    def _is_at_end(self, term: e.Node) -> bool:
        """Whether a term acts at the last step alone, under [t = T]."""
        bracket = term.operands[0] if isinstance(term, e.Times) else None
        return isinstance(bracket, e.Scalar) and bracket.value == Piecewise((1, Eq(self.time, self.end)), (0, True))

    @cached_property
    def beyond(self) -> Mapping[e.Node, e.Node]:
        """Adjoints after the last step, up to as many steps as the cell looks back: zero."""
        found: dict[e.Node, e.Node] = {}
        for key, name in self.names.items():
            if key in self.system.definitions and self.system.is_timed(key):
                shape = self.system.shapes[key]
                if self.system.tree is not None:
                    above = e.Parent(self.end)
                    found[e.Timed(name, e.Edge(above, self.end) if key in self.system.on_edges else above, *shape)] = (
                        make.zero(shape)
                    )
                    continue
                found.update(
                    {
                        e.Timed(name, self.end + step, *shape): make.zero(shape)
                        for step in range(1, max(self.system.max_lag, 1) + 1)
                    }
                )
        return found

    @cached_property
    def equations(self) -> tuple[AdjointEquation, ...]:
        """The adjoint recursion: one equation a quantity, in the order in which step t is gone through backward."""
        found = [self.equation(q.key) for q in reversed(self.system.steps) if isinstance(q.lhs, e.Timed)]
        return tuple(equation for equation in found if equation is not None)

    @cached_property
    def recursion(self) -> tuple[AdjointEquation, ...]:
        """The equations that gradients are made of: the adjoint of an output that only a likelihood reads is none of them."""
        return tuple(equation for equation in self.equations if equation.key not in self.likelihoods)

    # -- gradients ---------------------------------------------------------------------------------

    def per_step(self, key: str) -> e.Node | None:
        """What step t adds to the gradient of a quantity without time."""
        tree = self.system.tree
        parts: list[e.Node] = []
        for equation in reversed(self.system.steps):
            if isinstance(equation.lhs, e.Timed):
                found = [reach.summed for reach in self.passed[equation.key] if reach.leaf.name == key]
                if tree is not None and isinstance(equation.lhs.time, e.Edge):
                    found = [e.SumOverChildren(tree.child, tree.node, part) for part in found]
                parts += found
        return make.plus(*parts) if parts else None

    def parameter_gradient(self, key: str) -> e.Node:
        """∇L by a quantity without time, in terms of the adjoints."""
        if (key, None) not in self._gradients:
            self._gradients[key, None] = self._parameter_gradient(key)
        return self._gradients[key, None]

    def _parameter_gradient(self, key: str) -> e.Node:
        terms: list[e.Node] = []
        step = self.per_step(key)
        if step is not None:
            terms.append(e.SumOver(self.time, self.first, self.end, step))
        for equation in reversed(self.system.steps):
            if isinstance(equation.lhs, e.Var):
                terms += [reach.summed for reach in self.passed[equation.key] if reach.leaf.name == key]
        for start, value in self.system.initial.items():
            passed = self._kept(reaches(value, self.state_gradient(start.name, start.time)))
            terms += [reach.summed for reach in passed if reach.leaf.name == key]
        for term, parts in self.loss_parts:
            for reach in parts:
                if reach.leaf.name == key:
                    part = reach.summed
                    terms.append(
                        e.reindexed(part, {self.time: term.lower})
                        if term.final
                        else e.SumOver(self.time, term.lower, term.upper, part)
                    )
        return make.plus(*terms) if terms else make.zero(self.system.shapes[key])

    def state_gradient(self, key: str, time: Expr) -> e.Node:
        """∇L by a value that the sequence starts from, such as h_0 (or h_{T+1}): what the steps that read it pass back."""
        if (key, time) not in self._gradients:
            self._gradients[key, time] = self._state_gradient(key, time)
        return self._gradients[key, time]

    def _state_gradient(self, key: str, time: Expr) -> e.Node:
        terms = []
        for _, part, later in self.contributions(key):
            when = time + later
            if not (1 - when).is_positive and not (when - T).is_positive:
                reached = substitute(part.xreplace({self.time: time}), {})  # γ^t at t = 1 is γ
                terms.append(reached if self.window is None else make.times(self._within(when, self.window), reached))
        for span in self._spans(key):
            if self.end != T and (self._first_loss(span) - time).is_positive:
                continue
            inside = (
                Eq(span.lower, time) if span.lower == span.upper else And(Le(span.lower, time), Le(time, span.upper))
            )
            if inside != False:  # noqa: E712 (a SymPy truth value)
                part = span.part.xreplace({self.time: time})
                terms.append(part if inside == True else make.times(e.Scalar(Piecewise((1, inside), (0, True))), part))  # noqa: E712
        for start, value in self.system.initial.items():
            passed = [
                reach
                for reach in self._kept(reaches(value, self.adjoint(start.name)))
                if reach.leaf == e.Timed(key, time, *self.system.shapes[key])
            ]
            terms += [
                reach.part.xreplace({self.adjoint(start.name): self.state_gradient(start.name, start.time)})
                for reach in passed
            ]
        return make.plus(*terms) if terms else make.zero(self.system.shapes[key])

    def _first_loss(self, span: Direct) -> Expr:
        """The earliest time at which the loss of a single step acts, over all steps that have one."""
        first = min((term.lower for term in self.all_terms if not term.final), default=Integer(1))
        return span.lower.xreplace({self.end: first})

    def _within(self, step: Expr, window: Expr) -> e.Node:
        """1 where the window that ends at the last step holds a step, else 0."""
        return e.Scalar(Piecewise((1, Le(self.end, window + step - 1)), (0, True)))

    def needed(self, expression: e.Node) -> tuple[AdjointEquation, ...]:
        """The equations of the recursion on which an expression depends."""
        by_name = {equation.adjoint.name: equation for equation in self.equations}
        without_time = {self.names[q.key]: q.key for q in self.system.steps if isinstance(q.lhs, e.Var)}
        wanted: set[str] = set()
        stack = [expression]
        while stack:
            current = stack.pop()
            for leaf in current.atoms(e.Timed):
                if leaf.name in by_name and leaf.name not in wanted:
                    wanted.add(leaf.name)
                    equation = by_name[leaf.name]
                    stack.append(equation.rhs)
                    if equation.final is not None:
                        stack.append(equation.final)
            for leaf in current.atoms(e.Var):
                if leaf.name in without_time and leaf.name not in wanted:
                    wanted.add(leaf.name)
                    stack.append(self.parameter_gradient(without_time[leaf.name]))
        return tuple(equation for equation in self.equations if equation.adjoint.name in wanted)


def _cancels(equation: Equation, cotangent: e.Node) -> bool:
    if isinstance(equation.rhs, e.Softmax):
        return numerator_over(cotangent, equation.lhs) is not None
    sigmoid = isinstance(equation.rhs, e.Apply) and (equation.rhs.function, equation.rhs.order) == ("sigma", 0)
    return sigmoid and through_sigmoid(equation.lhs, cotangent) is not None


__all__ = ["AdjointEngine", "AdjointEquation"]
