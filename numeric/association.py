"""How a product of several factors is put together, so that as little as possible is multiplied."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from derive import expressions as e
from derive.expressions.node import ONE

Factors = tuple[e.Node, ...]


def halves(factors: Factors) -> tuple[Factors, Factors]:
    """The last product of the best order: what is multiplied on the left, and on the right."""
    splits = [(factors[:k], factors[k:]) for k in range(1, len(factors))]
    return min(splits, key=lambda pair: _cost(*pair) + _chain_cost(pair[0]) + _chain_cost(pair[1]))


def _length(size: Expr) -> float:
    return 1.0 if size == ONE else 100.0


def _cost(left: Sequence[e.Node], right: Sequence[e.Node]) -> float:
    """How many numbers are multiplied; a diagonal matrix only scales."""
    diagonal = any(len(side) == 1 and isinstance(side[0], e.Diag) for side in (left, right))
    inner = 1.0 if diagonal else _length(left[-1].shape[1])
    return _length(left[0].shape[0]) * inner * _length(right[-1].shape[1])


def _chain_cost(factors: Sequence[e.Node]) -> float:
    if len(factors) == 1:
        return 0.0
    return min(
        _cost(factors[:k], factors[k:]) + _chain_cost(factors[:k]) + _chain_cost(factors[k:])
        for k in range(1, len(factors))
    )


__all__ = ["halves"]
