"""Sums over time, and over the batch: what a loss, a readout and the gradient of a parameter are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Symbol

from derive import expressions as e
from derive.system import leaves
from numeric.arrays.code import ArrayCode, Code
from numeric.arrays.places import Places
from numeric.arrays.tree_places import ALL, TreePlaces


@dataclass(frozen=True)
class Sums:
    """Writes sums.

    Parameters
    ----------
    once           : places outside of time.
    rows           : places for all times of a range, by its index and bounds.
    helpers        : those that were used.
    summed_already : what is a sum over the batch, so that what is made of it is not summed again.
    """

    once: Places
    rows: Callable[[Places, Symbol, Expr, Expr], Places]
    helpers: set[str]
    summed_already: frozenset[str]

    def over_time(self, node: e.SumOver, outer: Places) -> Code:
        """A sum over time for every sequence."""
        rows = self.rows(outer, node.index, node.lower, node.upper)
        code = ArrayCode(rows, self.helpers)(node.body)
        if code.lead < 2:
            count = self._count(node)
            return Code(f"{count} * {code.at(3)}", code.lead, code.body, 3)
        return Code(f"{code.at(6)}.sum(0)", 1, code.body)

    def _count(self, node: e.SumOver) -> str:
        return self.once.number(node.upper - node.lower + 1).at(3)

    def total(self, value: e.Node, places: Places) -> str:
        """A value, summed over the batch and over the times of its sums."""
        terms = value.operands if isinstance(value, e.Plus) else (value,)
        text = ""
        for k, term in enumerate(terms):
            negative = isinstance(term, e.Neg)
            code = self._total_of(term.operands[0] if isinstance(term, e.Neg) else term, places)
            sign = "-" if negative else "+"
            text += f" {sign} {code.at(3)}" if k else f"-{code.at(4)}" if negative else code.text
        return text

    def _total_of(self, term: e.Node, places: Places) -> Code:
        if isinstance(term, e.SumOver):
            inner = self.rows(places, term.index, term.lower, term.upper)
            inner.sums = places.sums
            parts = term.body.operands if isinstance(term.body, e.Plus) else (term.body,)
            codes = [
                (
                    isinstance(part, e.Neg),
                    self._summed(part.operands[0] if isinstance(part, e.Neg) else part, inner, 2, self._count(term)),
                )
                for part in parts
            ]
            if len(codes) == 1 and not codes[0][0]:
                return codes[0][1]
            text = "".join(
                f" {'-' if negative else '+'} {code.at(3)}" if k else (f"-{code.at(4)}" if negative else code.text)
                for k, (negative, code) in enumerate(codes)
            )
            return Code(text, 0, codes[0][1].body, 2)
        return self._summed(term, places, 1, "1")

    def _summed(self, node: e.Node, places: Places, axes: int, count: str) -> Code:
        """A value summed over its leading axes; the products of columns and rows as one matrix product."""
        if isinstance(node, e.SumOverChildren) and isinstance(places, TreePlaces) and isinstance(node.node, Symbol):
            edges = places.having({node.index: (ALL, True), node.node: (f"parent[{ALL}]", True)})
            return self._summed(node.body, edges, axes, count)
        code = ArrayCode(places, self.helpers)
        scalars = [factor for factor in node.operands if factor.is_scalar] if isinstance(node, e.Times) else []
        chain = [factor for factor in node.operands if not factor.is_scalar] if isinstance(node, e.Times) else [node]
        split = next((k for k in range(1, len(chain)) if chain[k - 1].shape[1] == 1 and chain[k].shape[0] == 1), None)
        if split is not None and node.shape[0] != 1 != node.shape[1]:
            left, right = code.chain(chain[:split]), code.chain(chain[split:])
            if scalars:
                left = code._join([*(code(scalar) for scalar in scalars), left], "*", 3)
            if left.lead == axes == right.lead:
                self.helpers.add("outer_sum")
                return Code(f"outer_sum({left.text}, {right.text})", 0, 2)
        found = code(node)
        missing = [count] if axes == 2 and found.lead < 2 else []
        summed = any(leaf.name in self.summed_already for leaf in leaves(node))
        missing += ["B"] if found.lead == 0 and not summed else []
        if found.lead:
            over = "(0, 1)" if found.lead == 2 else "0"
            found = Code(f"{found.at(6)}.sum({over})", 0, found.body)
        return Code(" * ".join([*missing, found.at(4)]), 0, found.body, 3) if missing else found


__all__ = ["Sums"]
