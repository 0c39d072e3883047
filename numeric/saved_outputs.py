"""Derivatives from saved outputs: σ'(z) = σ(z) (1 - σ(z)) needs no second evaluation where σ(z) has been kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp
from sympy import Expr

from derive import expressions as e
from derive.cell_text import Equation
from derive.expressions import make
from derive.notation.names import QName
from numeric.lower import Equations

Outputs = Mapping[tuple[str, str], Equation]
"""By function and quantity z, the equation q = f(z)."""


def saved_outputs(equations: Equations) -> Equations:
    """Name what functions give where it is used again, and write derivatives by it."""
    named = _named(equations)
    outputs = {
        (q.rhs.function, q.rhs.argument.name): q
        for q in named.forward
        if isinstance(q.rhs, e.Apply) and q.rhs.order == 0 and isinstance(q.rhs.argument, (e.Timed, e.Var))
    }
    outputs = {key: q for key, q in outputs.items() if _same_place(q)}
    backward = tuple(replace(q, rhs=_by_outputs(q.rhs, outputs)) for q in named.backward)
    totals = tuple(replace(total, value=_by_outputs(total.value, outputs)) for total in named.totals)
    return replace(named, backward=backward, totals=totals)


def _same_place(q: Equation) -> bool:
    argument = q.rhs.operands[0]
    return isinstance(argument, e.Timed) == isinstance(q.lhs, e.Timed) and (
        not isinstance(argument, e.Timed) or (isinstance(q.lhs, e.Timed) and argument.time == q.lhs.time)
    )


def _named(equations: Equations) -> Equations:
    """Give a name to f(q) inside a forward equation, where the backward pass needs f(q) or its derivative."""
    wanted = {
        (node.function, node.argument.name)
        for q in equations.backward
        for node in q.rhs.atoms(e.Apply)
        if isinstance(node.argument, e.Timed) and (node.order == 0 or _by_output(node) is not None)
    }
    known = {q.rhs for q in equations.forward}
    time = equations.system.time
    forward: list[Equation] = []
    names: dict[e.Node, e.Node] = {}
    for q in equations.forward:
        for node in sorted(q.rhs.atoms(e.Apply), key=str):
            inner = node.argument
            inside = isinstance(inner, e.Timed) and inner.time == time and node != q.rhs and node not in known
            if inside and node.order == 0 and (node.function, inner.name) in wanted and node not in names:
                key = QName.from_key(inner.name).with_sup(node.function).key
                names[node] = e.Timed(key, time, *node.shape)
                forward.append(Equation(key, names[node], node))
        forward.append(replace(q, rhs=q.rhs.xreplace(names)))
    return replace(equations, forward=tuple(forward))


def _by_output(node: e.Apply) -> Expr | None:
    declared, y = node.declaration, sp.Symbol("y")
    if declared is None or declared.in_output is None:
        return None
    formula = declared.in_output(y) if node.order == 1 else declared.derivative_in_output(y, node.order)
    return formula if formula is not None and formula.is_polynomial(y) else None


def _by_outputs(formula: e.Node, outputs: Outputs) -> e.Node:
    found: dict[e.Node, e.Node] = {}
    for node in formula.atoms(e.Apply):
        if not isinstance(node.argument, (e.Timed, e.Var)):
            continue
        equation = outputs.get((node.function, node.argument.name))
        if equation is None or not _computed(node.argument, equation):
            continue
        output = equation.lhs
        if isinstance(output, e.Timed) and isinstance(node.argument, e.Timed):
            output = output.at(node.argument.time)
        value = output if node.order == 0 else _in_output(node, output)
        if value is not None:
            found[node] = value
    return formula.xreplace(found)


def _computed(argument: e.Timed | e.Var, equation: Equation) -> bool:
    """Whether the output surely exists at the time of an argument: not before the first step, where only starting values are."""
    if not isinstance(argument, e.Timed) or not isinstance(equation.lhs, e.Timed):
        return True
    if argument.time.is_Integer:
        return bool(argument.time >= 1)
    distance = argument.time - equation.lhs.time
    return bool(distance >= 0) if distance.is_Integer else True


def _in_output(node: e.Apply, output: e.Node) -> e.Node | None:
    formula = _by_output(node)
    return None if formula is None else _entrywise(formula, output)


def _entrywise(formula: Expr, output: e.Node) -> e.Node:
    """A polynomial in y as an entrywise formula of the output."""
    if formula.is_Symbol:
        return output
    if formula.is_number:
        return e.Scalar(formula)
    if formula.is_Add:
        terms = sorted(formula.args, key=lambda term: (not term.is_number, str(term)))
        negative = [term.could_extract_minus_sign() for term in terms]
        values = [_entrywise(-term if minus else term, output) for term, minus in zip(terms, negative, strict=True)]
        return make.plus(*(make.neg(value) if minus else value for value, minus in zip(values, negative, strict=True)))
    if formula.is_Mul:
        factors = sorted(formula.args, key=lambda factor: (not factor.is_number, not factor.is_Symbol))
        return make.hadamard(*(_entrywise(factor, output) for factor in factors))
    return e.Power(_entrywise(formula.base, output), e.Scalar(formula.exp))
