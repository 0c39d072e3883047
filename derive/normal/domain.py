"""Regions of summation over time: systems of difference constraints a - b <= c in closed form.

The closure (all shortest paths between the variables) is unique for a nonempty region, so Σ_{t=1}^{T} Σ_{k=1}^{t} and
Σ_{k=1}^{T} Σ_{t=k}^{T} have the same closed form: exchanging a triangular double sum needs no rule here. Source: Dill,
*Timing assumptions and verification of finite-state concurrent systems* (1989).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Expr, Integer, Symbol

Constraint = tuple[str, str, int]
"""``(a, b, c)`` for a - b <= c; ``""`` stands for 0."""


def difference(expression: Expr) -> tuple[Symbol | None, Symbol | None, int] | None:
    """``expression`` as a - b + c with symbols a, b; None if it has another form."""
    constant, rest = expression.expand().as_coeff_Add()
    if not constant.is_Integer:
        return None
    plus = minus = None
    for term in rest.as_ordered_terms() if rest != 0 else []:
        coefficient, symbol = term.as_coeff_Mul()
        if not isinstance(symbol, Symbol) or coefficient not in (1, -1):
            return None
        if coefficient == 1:
            if plus is not None:
                return None
            plus = symbol
        else:
            if minus is not None:
                return None
            minus = symbol
    return plus, minus, int(constant)


def at_most(a: Expr, b: Expr, names: Mapping[Symbol, str]) -> Constraint | None:
    """a <= b as a difference constraint; None if it is none."""
    parts = difference(a - b)
    if parts is None:
        return None
    plus, minus, constant = parts
    return (_name(plus, names), _name(minus, names), -constant)


def _name(symbol: Symbol | None, names: Mapping[Symbol, str]) -> str:
    return "" if symbol is None else names.get(symbol, symbol.name)


def closure(constraints: Iterable[Constraint]) -> dict[tuple[str, str], int] | None:
    """The tightest bound for every pair of variables, or None if the region is empty."""
    best: dict[tuple[str, str], int] = {}
    variables: set[str] = {""}
    for a, b, c in constraints:
        variables |= {a, b}
        best[(a, b)] = min(c, best.get((a, b), c))
    for middle in variables:
        for a in variables:
            first = best.get((a, middle))
            if first is None:
                continue
            for b in variables:
                second = best.get((middle, b))
                if second is not None and first + second < best.get((a, b), first + second + 1):
                    best[(a, b)] = first + second
    if any(best.get((v, v), 0) < 0 for v in variables):
        return None
    return {pair: c for pair, c in best.items() if pair[0] != pair[1]}


def implied(constraint: Constraint, assumptions: Iterable[Constraint]) -> bool:
    """Whether assumptions make a - b <= c true."""
    a, b, c = constraint
    if a == b:
        return c >= 0
    closed = closure(assumptions)
    return closed is None or closed.get((a, b), c + 1) <= c


def positive_sizes(symbols: Iterable[Symbol]) -> list[Constraint]:
    """1 <= s for every symbol that is declared positive (lengths and sizes)."""
    return [("", symbol.name, -1) for symbol in symbols if symbol.is_positive]


__all__ = ["Constraint", "Integer", "at_most", "closure", "difference", "implied", "positive_sizes"]
