"""Slips in numbers: a constant, an exponent, 1 and I, which of square and difference comes first, a mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr, Integer, Rational

from derive.notation.operations import Pre
from derive.system import T
from verify.diagnosis.rules import PRODUCTS, Edit, rule
from verify.diagnosis.trees import Path
from verify.diagnosis.vocabulary import Vocabulary

_ONE = Pre("scalar", data=(Integer(1), None))


@rule
def numbers(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """1 with 2, 1/2 with 2, -1."""
    if node.op == "zero":
        yield Edit(
            1.2, path, Pre("scalar", data=(Integer(1), None), span=node.span), "1 belongs where 0 stands", "constant"
        )
    if node.op != "scalar" or not node.data[0].is_number:
        return
    value = node.data[0]
    others = [value + 1, value - 1, 2 * value, value / 2, -value, 1 / value if value else value]
    for other in dict.fromkeys(Rational(number) for number in others if number != value):
        if other:
            new = replace(node, data=(other, None))
            yield Edit(1.2, path, new, "{new} belongs where {old} stands", "constant")


@rule
def identities(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """1 + A with I + A: a number is added to every entry, and not to the diagonal; and the other way round."""
    if node.op == "scalar" and node.data[0] == 1:
        yield Edit(
            1.1, path, Pre("identity", span=node.span), "the identity matrix I belongs where 1 stands", "constant"
        )
    elif node.op == "identity":
        yield Edit(1.2, path, replace(_ONE, span=node.span), "{new} belongs where {old} stands", "constant")
        yield Edit(1.3, path, Pre("ones", span=node.span), "{new} belongs where {old} stands", "constant")


@rule
def exponents(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v² with v, and γ^t with γ^(T-t)."""
    if node.op == "power" and len(node.args) == 1:
        yield Edit(1.2, path, node.args[0], "{new} belongs where {old} stands", "exponent", node.args[0])
        for other in _other_exponents(node.data, words):
            yield Edit(1.2, path, replace(node, data=other), "{new} belongs where {old} stands", "exponent")
    elif node.op in ("name", "apply"):
        new = Pre("power", (node,), Integer(2), node.span)
        yield Edit(1.5, path, new, "{new} belongs where {old} stands", "exponent")


def _other_exponents(exponent: Expr, words: Vocabulary) -> Iterator[Expr]:
    """Neighbours, and where it is counted in steps, the steps between other times."""
    found = [exponent + 1, exponent - 1]
    if exponent.free_symbols:
        ends = dict.fromkeys([*words.letters, *words.times, T])
        between = [a - b for a in ends for b in (*ends, Integer(0)) if a != b]
        found += [-exponent, *(gap + d for d in (0, -1, 1) for gap in between)]
    yield from (other for other in dict.fromkeys(found) if other not in (0, 1, exponent))


@rule
def squares(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """(1 - v)² with 1 - v², and the other way round."""
    if node.op == "power" and node.data == 2 and len(node.args) == 1 and _is_gap(node.args[0]):
        one, other = node.args[0].args
        square = Pre("neg", (Pre("power", other.args, Integer(2), other.args[0].span),), span=other.span)
        new = Pre("plus", (one, square), span=node.span)
        yield Edit(
            1.1,
            path,
            new,
            "the square is of one term and not of the difference: {new} belongs where {old} stands",
            "exponent",
        )
    elif (
        _is_gap(node) and (square := node.args[1].args[0]).op == "power" and square.data == 2 and len(square.args) == 1
    ):
        gap = Pre("plus", (node.args[0], Pre("neg", square.args, span=square.span)), span=node.span)
        new = Pre("power", (gap,), Integer(2), node.span)
        yield Edit(
            1.2, path, new, "the square is of the whole difference: {new} belongs where {old} stands", "exponent"
        )


def _is_gap(node: Pre) -> bool:
    return node.op == "plus" and len(node.args) == 2 and node.args[1].op == "neg"


@rule
def means(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """Σ_t with 1/T Σ_t."""
    if node.op in ("sum", "name", "derivative", "gradient", *PRODUCTS):
        one_of = Pre("divide", (_ONE, Pre("scalar", data=(T, None))))
        new = Pre("times", (one_of, node), span=node.span)
        yield Edit(1.4, path, new, "the factor {what} is missing before {old}", "missing factor", one_of)


__all__: list[str] = []
