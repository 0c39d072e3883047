"""The proof that the double sum, its expanded form and the adjoint recursion are the same gradient, for every length.

Each line is checked as it is written: by canonical index forms where it is algebra (which includes the exchange of the
triangular sum), by the rule that splits one term off a sum or one factor off a product, or by induction on the time,
backward from T.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Integer, Symbol

from derive import expressions as e
from derive.adjoint import AdjointEngine, AdjointEquation
from derive.derivation import Derivation, Step
from derive.errors import ValidationError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.flow import INNER, FlowEngine, free_index
from derive.forms import (
    Ingredients,
    column_of,
    double_sum_expression,
    ingredients,
    loss_pull,
    pieces,
    row_of,
    stacked,
    step_pull,
)
from derive.joint import JointState
from derive.normal import equal
from derive.normal.prove import Assumption
from derive.notation.names import QName
from derive.substitute import substitute
from derive.system import RecurrentSystem, T


class Proof:
    """Collects lines and refuses one that does not hold."""

    def __init__(self, k: Symbol) -> None:
        self.lines: list[Step] = []
        self.known: tuple[Assumption, ...] = ((Integer(1), k), (k, T))
        """What is assumed of the earlier step: 1 <= k <= T."""

    def algebra(
        self,
        lhs: e.Node,
        rhs: e.Node,
        rule: str,
        reason: str = "",
        known: tuple[Assumption, ...] | None = None,
        shown: e.Node | None = None,
    ) -> None:
        """A line that canonical forms prove; ``shown`` is printed on the left instead of ``lhs``.

        Raises
        ------
        ValidationError : the two sides are not proved equal.
        """
        if not equal(lhs, rhs, self.known if known is None else known):
            raise ValidationError(f"this line of a proof does not hold: {lhs} = {rhs}")
        self.lines.append(Step(shown if shown is not None else lhs, rhs, rule, reason, proved="algebra"))

    def named(self, lhs: e.Node, rhs: e.Node, rule: str, reason: str = "", proved: str = "rule") -> None:
        """A line that holds by a named principle."""
        self.lines.append(Step(lhs, rhs, rule, reason, proved=proved))


def split_first(total: e.SumOver) -> tuple[e.Node, e.SumOver]:
    """Σ_{t=a}^{b} f(t) = f(a) + Σ_{t=a+1}^{b} f(t), for a <= b: the first term and the rest."""
    return total.body.xreplace({total.index: total.lower}), e.SumOver(
        total.index, total.lower + 1, total.upper, total.body
    )


def split_last_factor(product: e.ProductOver) -> tuple[e.ProductOver, e.Node]:
    """F_b ... F_{a+1} F_a = (F_b ... F_{a+1}) F_a, for a <= b: the product without its last factor, and that factor."""
    return e.ProductOver(product.index, product.lower + 1, product.upper, product.body), product.body.xreplace(
        {product.index: product.lower}
    )


def equivalence(system: RecurrentSystem, by: e.Node) -> Derivation:
    """Double sum = adjoint recursion, proved for all sizes and all T.

    Raises
    ------
    ValidationError : a line could not be proved (a defect of the engine, never of the cell).
    """
    parts = ingredients(system, by)
    proof = Proof(parts.k)
    proof.lines += [line for line in parts.lines if line.rule == "step loss"]
    adjoint = _sum_to_adjoint(system, parts, proof)
    _adjoint_recursion(system, parts, proof, adjoint)
    result = _shares(system, parts, proof, adjoint)
    target = e.Gradient(by, e.Var(system.loss_name))
    return Derivation(
        target, result, tuple(proof.lines), f"The double sum for {by} equals the adjoint recursion, for every T"
    )


def chained(*factors: e.Node) -> e.Node:
    """A product of factors that may be products themselves, without parentheses around them."""
    return e.Times(
        *(part for factor in factors for part in (factor.operands if isinstance(factor, e.Times) else (factor,)))
    )


def _loss_factor(parts: Ingredients) -> e.Node:
    return e.Derivative(parts.step_loss, parts.joint)


def _sum_to_adjoint(system: RecurrentSystem, parts: Ingredients, proof: Proof) -> e.Timed:
    """Exchange the order of summation and name the inner sum."""
    t, s = system.time, parts.joint
    at_k = s.xreplace({t: parts.k})
    target = e.Derivative(e.Var(system.loss_name), parts.parameter)
    written = double_sum_expression(system, parts)
    proof.named(target, written, "total derivative")
    share = e.Derivative(at_k, parts.parameter, "immediate")
    inner = _inner_sum(system, parts, e.Derivative(s, at_k))
    proof.algebra(
        written,
        e.SumOver(parts.k, 1, T, e.Times(inner, share)),
        "exchange of the triangular sum",
        "1 ≤ k ≤ t ≤ T is the same region either way",
        (),
        target,
    )
    name = _adjoint_name(system)
    adjoint = e.Timed(name, parts.k, *s.shape)
    index = free_index(system, INNER, (parts.k,))
    product = e.ProductOver(index, parts.k + 1, t, parts.one_step.xreplace({t: index}))
    proof.named(
        row_of(adjoint),
        inner,
        "name for the inner sum",
        f"what the losses from step {parts.k} on gain from moving {at_k}",
        "definition",
    )
    proof.named(
        row_of(adjoint),
        _inner_sum(system, parts, product),
        "chain rule over time",
        "the empty product, for t = k, is the identity",
    )
    proof.named(target, e.SumOver(parts.k, 1, T, e.Times(row_of(adjoint), share)), "the inner sum by its name")
    return adjoint


def _inner_sum(system: RecurrentSystem, parts: Ingredients, path: e.Node) -> e.Node:
    body = e.Times(_loss_factor(parts), path)
    if parts.term.final:
        return body.xreplace({system.time: T})
    # For k >= 1 the sum starts at k, whatever the first loss is (a loss before step 1 does not depend on the
    # parameter).
    return e.SumOver(system.time, parts.k, T, body)


def _adjoint_name(system: RecurrentSystem) -> str:
    """A name for the inner sum that the cell does not use. That it is an adjoint of the recursion is yet to be shown."""
    bases = {QName.from_key(key).base for key in system.shapes}
    return next(name for name in ("g", "lambda", "mu", "eta", "zeta") if name not in bases)


def _adjoint_recursion(system: RecurrentSystem, parts: Ingredients, proof: Proof, adjoint: e.Timed) -> None:
    """The inner sum satisfies a recursion backward in time: split off t = k, take the last factor out of the products."""
    t = system.time
    index = free_index(system, INNER, (parts.k,))
    one_step = parts.one_step
    product = e.ProductOver(index, parts.k + 1, t, one_step.xreplace({t: index}))
    total = _inner_sum(system, parts, product)
    later = adjoint.xreplace({parts.k: parts.k + 1})
    next_jacobian = one_step.xreplace({t: parts.k + 1})
    shown = row_of(adjoint)
    if isinstance(total, e.SumOver):
        first, rest = split_first(total)
        here = _loss_factor(parts).xreplace({t: parts.k})
        if not equal(first, here, proof.known):
            raise ValidationError("the first term of the inner sum is not ∂L_k/∂s_k")
        proof.named(
            shown, e.Plus(here, rest), "split off t = k", "the empty product is the identity", "splitting a sum"
        )
        shorter, last = split_last_factor(product)
        pulled = e.SumOver(t, parts.k + 1, T, chained(_loss_factor(parts), shorter, last))
        proof.named(
            shown,
            e.Plus(here, pulled),
            "last factor of the product",
            "for t ≥ k+1 the product ends with J at k+1",
            "splitting a product",
        )
        outside = chained(e.SumOver(t, parts.k + 1, T, e.Times(_loss_factor(parts), shorter)), next_jacobian)
        proof.algebra(
            e.Plus(here, pulled), e.Plus(here, outside), "common factor", "it does not depend on t", shown=shown
        )
        proof.named(
            shown,
            e.Plus(here, chained(row_of(later), next_jacobian)),
            "the inner sum at k+1",
            "by its definition with k+1 for k",
            "definition",
        )
        empty = total.xreplace({parts.k: T + 1})
        if not equal(empty, make.zero(empty.shape), ()):
            raise ValidationError("the inner sum is not empty beyond T")
        proof.named(
            row_of(adjoint.xreplace({parts.k: T + 1})),
            make.zero(shown.shape),
            "empty sum",
            "no loss after T",
            "algebra",
        )
    else:
        shorter, last = split_last_factor(product.xreplace({t: T}))
        proof.named(
            shown,
            chained(_loss_factor(parts).xreplace({t: T}), shorter, last),
            "last factor of the product",
            "for k < T",
            "splitting a product",
        )
        proof.named(
            shown,
            chained(row_of(later), next_jacobian),
            "the same at k+1, for k < T",
            "by its definition",
            "definition",
        )
        proof.named(
            row_of(adjoint.xreplace({parts.k: T})),
            _loss_factor(parts).xreplace({t: T}),
            "empty product",
            "at k = T",
            "algebra",
        )


def _shares(system: RecurrentSystem, parts: Ingredients, proof: Proof, adjoint: e.Timed) -> e.Node:
    """One backward step through the equations is the product with Jᵀ, and its share for the parameter is gᵀ ∂⁺s/∂W."""
    t = system.time
    now = e.Timed(adjoint.name, t, *adjoint.shape)
    split = pieces(system, now)
    if len(split) > 1:
        leading = AdjointEngine(system).leading
        none = [key for key in split if key not in leading]
        split = {key: make.zero(part.shape) if key in none else part for key, part in split.items()}
        reason = f"one for each state; the loss does not depend on {', '.join(none)}" if none else "one for each state"
        proof.named(now, stacked(system, split), "its parts", reason, "definition")
    passed = step_pull(system, split)
    before = {key: passed.get(state := system.quantity(key, t - 1), make.zero(state.shape)) for key in system.states}
    block = JointState(FlowEngine(system)).block()
    backward = column_of(stacked(system, before))
    proof.algebra(
        e.Times(e.Transpose(block), column_of(stacked(system, split))),
        backward,
        "one backward step through the equations",
        "reverse mode multiplies by the transposed Jacobian",
        shown=e.Times(e.Transpose(parts.one_step), column_of(now)),
    )
    proof.named(
        adjoint,
        _recursive_right_side(system, parts, adjoint),
        "both together, transposed" + (", for k < T" if parts.term.final else ""),
        "the recursion of the inner sum, with the backward step through the equations",
    )
    recursion = _Named(system, parts, split)
    recursion.check({key: passed.get(state := system.quantity(key, t - 1), make.zero(state.shape)) for key in split})
    start = "zero at T+1" if not parts.term.final else "the loss at T"
    reason = f"both sides satisfy the same recursion and start from {start}"
    for left, right in recursion.identities():
        proof.named(left, right, "induction on k, backward from T", reason, "induction")
    if len(split) == 1:
        split = {key: recursion.engine.adjoint(key) for key in split}
        recursion = _Named(system, parts, split)
        passed = step_pull(system, split)
    share = passed.get(parts.parameter, make.zero(parts.parameter.shape))
    target = e.Gradient(parts.parameter, e.Var(system.loss_name))
    summed = e.SumOver(parts.k, 1, T, share.xreplace({t: parts.k}))
    proof.named(target, summed, "immediate derivative contracted", "the share of step k")
    named = recursion.engine.per_step(parts.parameter.name)
    if named is None:
        return summed
    reason = "δ and the other adjoints of step t name the parts of this backward step"
    proof.algebra(named.xreplace(recursion.values()), share, "named adjoints", reason, (), named)
    if named == share:
        return summed
    closed = e.SumOver(parts.k, 1, T, named.xreplace({t: parts.k}))
    proof.named(target, closed, "the adjoint recursion's form", "each share by its name")
    return closed


def _recursive_right_side(system: RecurrentSystem, parts: Ingredients, adjoint: e.Timed) -> e.Node:
    """∇_{s_k} L_k + J_{k+1}ᵀ s̄_{k+1}, in the layout of the state."""
    t = system.time
    later = make.times(
        make.transpose(parts.one_step.xreplace({t: parts.k + 1})), column_of(adjoint.xreplace({parts.k: parts.k + 1}))
    )
    later = later if adjoint.shape[1] == ONE else make.transpose(later)
    if parts.term.final:
        return later
    reached = loss_pull(system, parts.term)
    here = {key: reached.get(state := system.quantity(key), make.zero(state.shape)) for key in system.states}
    return make.plus(stacked(system, here).xreplace({t: parts.k}), later)


class _Named:
    """The adjoints δ, C̄, ... of the recursion, in terms of the inner sum's parts."""

    def __init__(self, system: RecurrentSystem, parts: Ingredients, split: Mapping[str, e.Node]) -> None:
        self.system, self.parts, self.split = system, parts, split
        self.engine = AdjointEngine(system)
        self.only_loss = _only_loss(system)

    def values(self) -> dict[e.Node, e.Node]:
        """Each adjoint of step t: the part of the inner sum that is its own, and what others of the same step pass to
        it. What only leads to the loss is part of ∂L_t/∂s_t here, and zero.
        """
        values: dict[e.Node, e.Node] = {}
        for equation in self.engine.equations:
            values[equation.adjoint] = self._own_and_local(equation).xreplace(values)
        return values

    def identities(self) -> list[tuple[e.Node, e.Node]]:
        """What induction shows: each state's adjoint by its part of the inner sum; of a single state, the other way
        round.
        """
        found = [(q.adjoint, self._own_and_local(q)) for q in self.engine.equations if q.key in self.split]
        if len(found) > 1:
            return found
        return [(value.xreplace({self.system.time: self.parts.k}), left.at(self.parts.k)) for left, value in found]

    def _own_and_local(self, equation: AdjointEquation) -> e.Node:
        local = [
            part
            for reader, part, later in self.engine.contributions(equation.key)
            if later == 0 and reader not in self.only_loss
        ]
        own = [self.split[equation.key]] if equation.key in self.split else []
        return make.plus(*own, *local) if own or local else make.zero(equation.adjoint.shape)

    def check(self, earlier: Mapping[str, e.Node]) -> None:
        """The recursion that is printed for each state is the one that the inner sum satisfies.

        ``earlier`` is one backward step: what the parts of the inner sum at t pass to the states of t - 1.

        Raises
        ------
        ValidationError : it is not (a defect of the engine).
        """
        t, values = self.system.time, self.values()
        term = self.parts.term
        reached = loss_pull(self.system, term)
        always, at_end = self._of_loss(final=False), self._of_loss(final=True)
        for equation in self.engine.equations:
            if equation.key not in self.split:
                continue
            zero = make.zero(equation.adjoint.shape)
            of_loss = reached.get(self.system.quantity(equation.key), zero)
            own = self.split[equation.key]
            passed_back = earlier[equation.key].xreplace({t: t + 1})
            here = passed_back if term.final else make.plus(of_loss, passed_back)
            derived = self._in_terms(equation.rhs, values, always)
            if not equal(derived, values[equation.adjoint].xreplace({own: here}), self._times()):
                raise ValidationError(f"the recursion of {equation.adjoint} is not that of the inner sum")
            if term.final:
                last = make.plus(equation.rhs, *([] if equation.final is None else [equation.final]))
                found = self._in_terms(last, values, at_end, t)
                if not equal(found, values[equation.adjoint].xreplace({own: of_loss}), self._times()):
                    raise ValidationError(f"{equation.adjoint} at T is not the derivative of the loss")

    def _times(self) -> tuple[Assumption, ...]:
        return ((Integer(1), self.system.time), (self.system.time, T))

    def _of_loss(self, final: bool) -> dict[e.Node, e.Node]:
        """Adjoints of quantities that lead to the loss alone; ``final``: at T, where a loss at T acts."""
        found: dict[e.Node, e.Node] = {}
        for equation in self.engine.equations:
            if equation.key in self.only_loss:
                extra = [equation.final] if final and equation.final is not None else []
                found[equation.adjoint] = make.plus(equation.rhs, *extra).xreplace(found)
        return found

    def _in_terms(
        self,
        node: e.Node,
        values: Mapping[e.Node, e.Node],
        of_loss: Mapping[e.Node, e.Node],
        end: Symbol | None = None,
    ) -> e.Node:
        """A formula with every adjoint written out; those after ``end`` are zero."""
        t = self.system.time
        by_name = {adjoint.name: value for adjoint, value in {**values, **of_loss}.items()}
        written: dict[e.Node, e.Node] = {}
        for leaf in node.atoms(e.Timed):
            if leaf.name in by_name:
                beyond = end is not None and (leaf.time - end).is_positive
                written[leaf] = make.zero(leaf.shape) if beyond else by_name[leaf.name].xreplace({t: leaf.time})
        owners = self.system.adjoint_owners
        for var in node.atoms(e.Var):
            if owners.get(var.name) in self.system.definitions:
                # A readout without time reads the last step, which is written at t here.
                value = self._in_terms(self.engine.parameter_gradient(owners[var.name]), values, of_loss, end)
                written[var] = value.xreplace({leaf: leaf.at(t) for leaf in value.atoms(e.Timed) if leaf.time == T})
        return substitute(node, written)


def _only_loss(system: RecurrentSystem) -> frozenset[str]:
    """Quantities that lead to the loss but to no state; they are part of ∂L_t/∂s_t here."""
    leading: set[str] = set()
    for equation in reversed(system.steps):
        readers = {use.user for use in system.uses if use.key == equation.key and use.offset == 0}
        if equation.key in system.states or readers & leading:
            leading.add(equation.key)
    return frozenset(q.key for q in system.steps if q.key not in leading)
