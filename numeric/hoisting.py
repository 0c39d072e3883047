"""Taking out of a loop what does not depend on it: input projections for all times in one product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derive import expressions as e
from derive.cell_text import Equation
from derive.expressions import make
from derive.notation.names import QName
from derive.system import leaves
from numeric.lower import Equations
from numeric.stages import recurrences


def hoisted(equations: Equations) -> Equations:
    """Split every sum in a recurrence into what depends on it and what does not, where the latter holds a product."""
    return replace(
        equations,
        forward=_split(equations, equations.forward),
        backward=_split(equations, equations.backward),
    )


def _split(whole: Equations, equations: Sequence[Equation]) -> tuple[Equation, ...]:
    member = {key: group for group in recurrences(equations, whole.system) for key in group}
    found: list[Equation] = []
    for q in equations:
        group = member.get(q.key)
        if group is None or not isinstance(q.rhs, e.Plus) or not isinstance(q.lhs, e.Timed):
            found.append(q)
            continue
        outside = [term for term in q.rhs.operands if not any(leaf.name in group for leaf in leaves(term))]
        inside = [term for term in q.rhs.operands if term not in outside]
        if not inside or not any(_is_product(term) for term in outside):
            found.append(q)
            continue
        key = QName.from_key(q.key).with_sup("in").key
        name = e.Timed(key, q.lhs.time, *q.lhs.shape)
        found += [Equation(key, name, make.plus(*outside)), replace(q, rhs=e.Plus(*inside, name))]
    return tuple(found)


def _is_product(term: e.Node) -> bool:
    """Whether a term holds a product of a matrix, which is worth doing for all times together."""
    core = term.operands[0] if isinstance(term, e.Neg) else term
    return any(
        isinstance(node, e.Times) and sum(not factor.is_scalar for factor in node.operands) > 1
        for node in e.children_first(core)
    )
