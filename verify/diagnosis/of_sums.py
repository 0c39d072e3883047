"""Slips in sums: a sign, a summand, a bound, and the names of another gate in all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from sympy import Integer

from derive.notation.operations import Pre
from derive.system import T
from verify.diagnosis.rules import PRODUCTS, Edit, negative, rule
from verify.diagnosis.trees import Path, ordinal, places
from verify.diagnosis.vocabulary import Vocabulary

# -- sums ----------------------------------------------------------------------------------------------


@rule
def signs(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a + b with a - b."""
    if node.op == "plus":
        for k, arg in enumerate(node.args):
            new = replace(node, args=(*node.args[:k], negative(arg), *node.args[k + 1 :]))
            yield Edit(1.0, path, new, f"the sign of the {ordinal(k)} summand is wrong", "sign")
        if len(node.args) == 2 and sum(arg.op == "neg" for arg in node.args) == 1:
            turned = replace(node, args=tuple(map(negative, reversed(node.args))))
            yield Edit(1.0, path, turned, "the difference is the wrong way round: it is {new}", "sign")
    elif node.op == "neg":
        yield Edit(1.0, path, node.args[0], "the sign is wrong: {what} without a minus", "sign", node.args[0])
    elif node.op in ("times", "hadamard", "sum", "name", "divide", "derivative", "apply", "gradient"):
        yield Edit(1.2, path, Pre("neg", (node,), span=node.span), "the sign is wrong: a minus is missing", "sign")


@rule
def extra_summands(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a + b with a."""
    if node.op == "plus":
        for k, arg in enumerate(node.args):
            rest = (*node.args[:k], *node.args[k + 1 :])
            new = rest[0] if len(rest) == 1 else replace(node, args=rest)
            yield Edit(1.3, path, new, f"the {ordinal(k)} summand is too many: {{what}}", "extra summand", arg)


@rule
def reaches(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """Σ a_t + b_t with Σ (a_t + b_t): brackets around the summand are left out."""
    first = node.args[0] if node.op == "plus" else node
    if node.op != "plus" or first.op != "sum":
        return
    for inside in (Pre("plus", (first.args[0], *node.args[1:])), *_multiplied(first.args[0], node.args[1:])):
        new = replace(first, args=(inside,), span=node.span)
        yield Edit(1.3, path, new, "brackets are missing around what the sum is over: {new}", "sum or product")


def _multiplied(body: Pre, others: tuple[Pre, ...]) -> Iterator[Pre]:
    """a - b c as (a - b) c, where the last summand is a product."""
    *between, last = others
    inner = last.args[0] if last.op == "neg" else last
    if inner.op in PRODUCTS and len(inner.args) > 1:
        head = negative(inner.args[0]) if last.op == "neg" else inner.args[0]
        yield Pre(inner.op, (Pre("plus", (body, *between, head)), *inner.args[1:]))


@rule
def bounds(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A sum from k=1 with one from k=0; a sum with a product."""
    if node.op not in ("sum", "product"):
        return
    index, lower, upper = node.data
    letters = [letter for letter in words.letters if letter != index]
    lowers = [lower - 1, lower + 1, Integer(1), Integer(0), *letters, *(letter + 1 for letter in letters)]
    uppers = [upper - 1, upper + 1, T, T - 1, *letters, *(letter - 1 for letter in letters)]
    sign = "sum" if node.op == "sum" else "product"
    for new in dict.fromkeys(lowers):
        if new != lower:
            said = f"the {sign} starts at {new}, not at {lower}"
            yield Edit(1.0, path, replace(node, data=(index, new, upper)), said, "bound")
    for new in dict.fromkeys(uppers):
        if new != upper:
            said = f"the {sign} ends at {new}, not at {upper}"
            yield Edit(1.0, path, replace(node, data=(index, lower, new)), said, "bound")
    other = "product" if node.op == "sum" else "sum"
    yield Edit(1.3, path, replace(node, op=other), f"it is a {other}, not a {sign}", "sum or product")


# -- whole gates ---------------------------------------------------------------------------------------


@rule
def gates(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """Every name of one gate with those of another."""
    if node.op in ("name", "scalar"):
        return
    for swap in words.swaps():
        new = renamed(node, swap)
        if new != node:
            yield Edit(1.4, path, new, "the names are of another gate: it is {new}", "gate")


@rule
def exchanged(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """Two names in each other's place, W_1 and W_2, in all of it."""
    if node.op in ("name", "scalar"):
        return
    found = dict.fromkeys(part.data[0] for _, part in places(node) if part.op == "name")
    for one, other in combinations(found, 2):
        if (one in words.timed) == (other in words.timed):
            new = renamed(node, {one: other, other: one})
            cost = 1.2 if words.context.shapes.get(one) == words.context.shapes.get(other) else 1.3
            yield Edit(cost, path, new, f"{one} and {other} are exchanged: it is {{new}}", "name")


def renamed(node: Pre, swap: dict[str, str]) -> Pre:
    """An operation with other names."""
    if node.op == "name":
        return replace(node, data=(swap[node.data[0]], node.data[1])) if node.data[0] in swap else node
    args = tuple(renamed(arg, swap) for arg in node.args)
    return node if args == node.args else replace(node, args=args)


@rule
def missing_summands(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A summand of the truth is left out, or the one of a gate: another summand with the names of that gate."""
    terms = node.args if node.op == "plus" else (node,)
    if node.op in ("name", "scalar", "relation"):
        return
    for new, true in words.summands:
        more = Pre("plus", (*terms, new), span=node.span)
        yield Edit(1.5 if true else 1.7, path, more, "the summand {what} is missing", "missing summand", new)
    for term in terms:
        for swap in words.swaps():
            new = renamed(term, swap)
            if new != term and new not in terms:
                more = Pre("plus", (*terms, new), span=node.span)
                yield Edit(1.5, path, more, "the summand {what} is missing", "missing summand", new)


__all__ = ["renamed"]
