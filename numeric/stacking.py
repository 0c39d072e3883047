"""One product for all gates that multiply the same operand: [W_f; W_i; W_o] h, and back, [W_f; W_i; W_o]ᵀ [δ_f; δ_i; δ_o]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Integer

from derive import expressions as e
from derive.cell_text import Equation
from derive.expressions import make
from derive.expressions.node import ONE
from derive.system import T
from numeric.lower import Equations, gradient_key
from numeric.program import Statement
from numeric.stages import recurrences


@dataclass(frozen=True)
class _Group:
    """Matrices that multiply one operand, in the order in which they are stacked, and the rows of each."""

    operand: e.Node
    matrices: tuple[e.Var, ...]
    stack: e.Var
    product: e.Timed

    def rows(self, matrix: e.Var) -> tuple[Expr, Expr]:
        """Where the rows of a matrix begin and end."""
        before = sum((m.shape[0] for m in self.matrices[: self.matrices.index(matrix)]), Integer(0))
        return before, before + matrix.shape[0]


def stacked(equations: Equations) -> Equations:
    """Stack what multiplies one operand, forward and backward. Cells in row vectors are left as they are."""
    groups = _groups(equations)
    if not groups:
        return equations
    shared = equations.shared | {group.stack.name for group in groups}
    found = replace(equations, forward=_forward(equations, groups), shared=shared)
    return _backward(found, groups)


def _groups(equations: Equations) -> list[_Group]:
    """Products W q of the same quantity at the same time, in equations that run together."""
    time = equations.system.time
    member = {
        key: number for number, group in enumerate(recurrences(equations.forward, equations.system)) for key in group
    }
    found: dict[tuple[e.Node, object], dict[e.Var, None]] = {}
    for q in equations.forward:
        if isinstance(q.lhs, e.Timed):
            for product in _products(q.rhs):
                matrix, operand = product.operands
                here = equations.system.tree is None or operand.time == time
                if matrix.name in equations.system.parameters and here:
                    found.setdefault((operand, member.get(q.key)), {}).setdefault(matrix)
    groups: list[_Group] = []
    for (operand, _), matrices in found.items():
        if len(matrices) > 1:
            number = len(groups) + 1
            rows = sum((matrix.shape[0] for matrix in matrices), Integer(0))
            names = (f"stack_{number}", f"product_{number}")
            stack = e.Var(names[0], rows, operand.shape[0])
            groups.append(_Group(operand, tuple(matrices), stack, e.Timed(names[1], time, rows, ONE)))
    return groups


def _products(formula: e.Node) -> Iterable[e.Times]:
    """W q with W a matrix without time, and q a column at a time."""
    for node in e.children_first(formula):
        if isinstance(node, e.Times) and len(node.operands) == 2:
            matrix, operand = node.operands
            if (
                isinstance(matrix, e.Var)
                and isinstance(operand, e.Timed)
                and ONE not in matrix.shape
                and operand.shape[1] == ONE
            ):
                yield node


def _forward(equations: Equations, groups: Sequence[_Group]) -> tuple[Equation, ...]:
    replaced: dict[e.Node, e.Node] = {}
    for group in groups:
        for matrix in group.matrices:
            first, last = group.rows(matrix)
            replaced[e.Times(matrix, group.operand)] = e.Slice(group.product, first, last, Integer(0), ONE)
    new: list[Equation] = []
    for group in groups:
        new.append(Equation(group.stack.name, group.stack, e.Block([[matrix] for matrix in group.matrices])))
        new.append(Equation(group.product.name, group.product, e.Times(group.stack, group.operand)))
    return (*new, *(replace(q, rhs=q.rhs.xreplace(replaced)) for q in equations.forward))


# -- backward --------------------------------------------------------------------------------------------


def _backward(equations: Equations, groups: Sequence[_Group]) -> Equations:
    """The adjoints that a group's matrices multiply, in one array; and the gradients of the group as one product."""
    joint: dict[tuple[e.Timed, ...], e.Timed] = {}
    replaced: dict[e.Timed, tuple[e.Timed, Expr, Expr]] = {}
    backward, totals = list(equations.backward), list(equations.totals)
    for group in groups:
        adjoints = _adjoints(equations, group)
        if adjoints is None:
            continue
        if adjoints not in joint:
            rows = sum((adjoint.shape[0] for adjoint in adjoints), Integer(0))
            joint[adjoints] = e.Timed(f"adjoints_{len(joint) + 1}", equations.system.time, rows, ONE)
            first = Integer(0)
            for adjoint in adjoints:
                replaced.setdefault(adjoint, (joint[adjoints], first, first + adjoint.shape[0]))
                first = first + adjoint.shape[0]
        whole = joint[adjoints]
        backward = [replace(q, rhs=_joined(q.rhs, group, adjoints, whole)) for q in backward]
        totals = [replace(total, value=_joined(total.value, group, adjoints, whole)) for total in totals]
        totals = list(_gradients(totals, group, adjoints, whole))
    backward += [
        Equation(whole.name, whole, e.Block([[adjoint] for adjoint in adjoints])) for adjoints, whole in joint.items()
    ]
    return replace(equations, backward=tuple(backward), totals=tuple(_biases(totals, replaced)))


def _adjoints(equations: Equations, group: _Group) -> tuple[e.Timed, ...] | None:
    """The δ of each matrix, whose gradient is Σ_t δ_t q_tᵀ; None where a gradient is something else."""
    time = equations.system.time
    by_key = {total.target.name: total.value for total in equations.totals}
    found = []
    for matrix in group.matrices:
        value = by_key.get(gradient_key(matrix.name))
        if not isinstance(value, e.SumOver):
            return None
        factors = value.body.operands if isinstance(value.body, e.Times) and len(value.body.operands) == 2 else ()
        if not factors or factors[1] != make.transpose(group.operand) or not isinstance(factors[0], e.Timed):
            return None
        if factors[0].time != time or factors[0] in found or (value.lower, value.upper) != (1, T):
            return None
        found.append(factors[0])
    return tuple(found)


def _joined(formula: e.Node, group: _Group, adjoints: tuple[e.Timed, ...], whole: e.Timed) -> e.Node:
    """[W_f; W_i]ᵀ [δ_f; δ_i] for W_fᵀ δ_f + W_iᵀ δ_i, at every time at which the whole sum stands."""
    if not isinstance(formula, e.Plus):
        return formula
    times = {leaf.time for leaf in formula.atoms(e.Timed) if leaf.name == adjoints[0].name}
    terms = list(formula.operands)
    for when in sorted(times, key=str):
        wanted = [
            e.Times(e.Transpose(matrix), adjoint.at(when))
            for matrix, adjoint in zip(group.matrices, adjoints, strict=True)
        ]
        if all(term in terms for term in wanted):
            place = terms.index(wanted[0])
            terms = [term for term in terms if term not in wanted]
            terms.insert(place, e.Times(e.Transpose(group.stack), whole.at(when)))
    return make.plus(*terms)


def _gradients(
    totals: Sequence[Statement], group: _Group, adjoints: tuple[e.Timed, ...], whole: e.Timed
) -> Iterator[Statement]:
    """One sum of products for the group, of which each gradient is a part."""
    target = e.Var(f"gradient_of_{group.stack.name}", *group.stack.shape)
    names = {gradient_key(matrix.name): matrix for matrix in group.matrices}
    done = False
    for total in totals:
        matrix = names.get(total.target.name)
        if matrix is None:
            yield total
            continue
        if not done:
            body = e.Times(whole, make.transpose(group.operand))
            yield Statement(target, e.SumOver(whole.time, Integer(1), T, body), summed=True)
            done = True
        first, last = group.rows(matrix)
        yield replace(total, value=e.Slice(target, first, last, Integer(0), matrix.shape[1]), summed=False)


def _biases(totals: Sequence[Statement], replaced: Mapping[e.Timed, tuple[e.Timed, Expr, Expr]]) -> Iterator[Statement]:
    """Sums of single adjoints as parts of the sum of all."""
    summed: dict[e.Timed, e.Var] = {}
    for total in totals:
        body = total.value.body if isinstance(total.value, e.SumOver) else None
        known = replaced.get(body) if isinstance(body, e.Timed) else None
        if known is None or not total.summed or (total.value.lower, total.value.upper) != (1, T):
            yield total
            continue
        whole, first, last = known
        if whole not in summed:
            summed[whole] = e.Var(f"sum_of_{whole.name}", *whole.shape)
            yield Statement(summed[whole], e.SumOver(whole.time, Integer(1), T, whole), summed=True)
        yield replace(total, value=e.Slice(summed[whole], first, last, Integer(0), ONE), summed=False)


__all__ = ["stacked"]
