"""Proving equality by canonical forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Dummy, Expr, expand

from derive import expressions as e
from derive.normal.convert import Converter, TooLarge, Unsupported, latest_offset, outer_indices
from derive.normal.domain import Constraint, at_most
from derive.normal.terms import Key, Overlap, TooSymmetric, canonical, contract, settle_times, sort_key

Assumption = tuple[Expr, Expr]
"""A pair (a, b): a <= b."""


class _Normalizer:
    """Canonical forms under assumptions about the times that are not summed over."""

    def __init__(self, assumptions: Iterable[Assumption] = ()) -> None:
        found = [at_most(a, b, {}) for a, b in assumptions]
        self.assumptions: tuple[Constraint, ...] = tuple(c for c in found if c is not None)
        self.keys: dict[e.Node, Key] = {}

    def form(self, node: e.Node) -> dict[Any, Expr]:
        """Canonical key of each term -> its coefficient."""
        free = outer_indices(node.shape)
        indices = [index for index in free if index is not None]
        result: dict[Any, Expr] = {}
        for term in Converter(self.key).terms(node, free):
            for settled in settle_times(term):
                found = canonical(contract(settled), indices, self.assumptions)
                if found is not None:
                    key, coefficient = found
                    result[key] = result.get(key, 0) + coefficient
        expanded = {key: expand(value) for key, value in result.items()}
        return {key: value for key, value in expanded.items() if value != 0}

    def key(self, node: e.Node) -> Key:
        """The key of an inner formula (an argument of a function, a body of a product), blind to times, and its times
        in canonical order.
        """
        if node not in self.keys:
            # Indices of outer sums are shifted so that their latest time has no offset: the order found inside is then
            # the same wherever the sum starts.
            shifts = {symbol: latest_offset(node, symbol) for symbol in node.free_symbols if isinstance(symbol, Dummy)}
            moved = node.xreplace({symbol: symbol - shift for symbol, shift in shifts.items() if shift})
            back = {symbol: symbol + shift for symbol, shift in shifts.items() if shift}
            terms = sorted(self.form(moved).items(), key=lambda item: (sort_key(item[0]), str(item[1])))
            blind = tuple((key[0], str(coefficient)) for key, coefficient in terms)
            # The shape belongs to the key: a norm of a part is not the norm of the whole, though both have the same
            # entries in index form.
            self.keys[node] = (
                (str(node.shape), blind),
                tuple(time.xreplace(back) for key, _ in terms for time in key[1]),
            )
        return self.keys[node]


def normal_form(node: e.Node, assumptions: Iterable[Assumption] = ()) -> dict[Any, Expr]:
    """The canonical index form: two formulas of the same shape with the same form are equal for all sizes and lengths."""
    return _Normalizer(assumptions).form(node)


def equal(a: e.Node, b: e.Node, assumptions: Iterable[Assumption] = ()) -> bool:
    """Whether two formulas are proved equal for all sizes and all lengths; False means not proved, not different.

    Parameters
    ----------
    assumptions : pairs (a, b) of times with a <= b, such as ``(k + 1, t)``.
    """
    if a.shape != b.shape:
        return False
    normalizer = _Normalizer(assumptions)
    try:
        return normalizer.form(a) == normalizer.form(b)
    except (Overlap, TooLarge, TooSymmetric, Unsupported):
        return False
