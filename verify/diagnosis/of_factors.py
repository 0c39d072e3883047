"""Slips within a product: a transpose, an index, a name, a function, the order of factors, which product it is.

Cheap changes are the slips that are made most often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from sympy import Expr, Integer

from derive.notation.operations import Pre
from derive.system import T
from verify.diagnosis.rules import PRODUCTS, Edit, rule
from verify.diagnosis.trees import Path, ordinal
from verify.diagnosis.vocabulary import Vocabulary

_FEW = 4
"""Products of more factors than this are tried in few other orders."""


# -- single factors ------------------------------------------------------------------------------------


@rule
def transposes(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A with Aᵀ."""
    if node.op in ("transpose", "transpose_or_power"):
        yield Edit(1.0, path, node.args[0], "{new} belongs where {old} stands", "transpose", node.args[0])
    elif node.op in ("name", "derivative", "gradient", *PRODUCTS, "diag", "apply", "plus", "sum", "product"):
        new = Pre("transpose", (node,), span=node.span)
        yield Edit(1.0 if node.op == "name" else 1.1, path, new, "{new} belongs where {old} stands", "transpose")


@rule
def diagonals(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v with diag(v), and diag(v) with the vector J·1."""
    if node.op == "diag":
        yield Edit(1.0, path, node.args[0], "{new} belongs where {old} stands", "diag", node.args[0])
    elif node.op in ("name", "apply", "plus", "hadamard", "bare_function"):
        yield Edit(1.1, path, Pre("diag", (node,), span=node.span), "{new} belongs where {old} stands", "diag")


@rule
def primes(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """f with f', and one function with another."""
    if node.op not in ("apply", "bare_function"):
        return
    name, order = node.data
    for other in (order + 1, order - 1):
        if 0 <= other <= 3:
            mark = "a derivative mark is missing" if other > order else "there is a derivative mark too many"
            said = f"{{new}} belongs where {{old}} stands: {mark}"
            yield Edit(1.0, path, replace(node, data=(name, other)), said, "derivative mark")
    for function in words.functions:
        if function != name:
            yield Edit(1.4, path, replace(node, data=(function, order)), "{new} belongs where {old} stands", "function")
    if node.op == "apply":
        yield Edit(1.6, path, node.args[0], "{new} belongs where {old} stands", "function", node.args[0])


@rule
def outputs(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """f'(z) with the derivative of another function in terms of the output: y (1 - y), 1 - y², y."""
    if node.op != "apply" or node.data[1] != 1 or node.args[0].op != "name":
        return
    key, time = node.args[0].data
    if key not in words.system.preactivations:
        return
    output = words.name(words.system.preactivations[key], time)
    square = Pre("hadamard", (output, output))
    forms = (Pre("hadamard", (output, _one_minus(output))), _one_minus(square), _one_minus(output), square, output)
    for form in forms:
        yield Edit(1.4, path, form, "{new} belongs where {old} stands", "derivative of a function")


def _one_minus(body: Pre) -> Pre:
    return Pre("plus", (Pre("scalar", data=(Integer(1), None)), Pre("neg", (body,))))


@rule
def complements(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v with 1 - v."""
    if node.op in ("name", "apply", "hadamard", "power"):
        yield Edit(1.3, path, _one_minus(node), "{new} belongs where {old} stands", "complement")
    one = Pre("scalar", data=(Integer(1), None))
    minus = node.op == "plus" and len(node.args) == 2 and node.args[1].op == "neg"
    if minus and (node.args[0].op == "ones" or node.args[0].data == one.data):
        yield Edit(1.3, path, node.args[1].args[0], "{new} belongs where {old} stands", "complement")


@rule
def wrapped(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v with f(v) or f'(v)."""
    if node.op == "name" and node.data[1] is not None:
        for function in words.functions:
            for order in (0, 1):
                new = Pre("apply", (node,), (function, order), node.span)
                yield Edit(1.7, path, new, "{new} belongs where {old} stands", "function")


@rule
def times_of_names(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """h_t with h_{t-1}, h_k, h_T."""
    if node.op != "name" or node.data[1] is None:
        return
    key, time = node.data
    for new in _other_times(time, words):
        cost = 1.0 if (new - time).is_Integer else 1.3
        yield Edit(cost, path, replace(node, data=(key, new)), "{new} belongs where {old} stands", "index")


def _other_times(time: Expr, words: Vocabulary) -> Iterator[Expr]:
    found = [
        time - 1,
        time + 1,
        *words.letters,
        *(letter + d for letter in words.letters for d in (-1, 1)),
        *words.times,
    ]
    found += [T, Integer(1), Integer(0), time - 2, time + 2]
    yield from (new for new in dict.fromkeys(found) if new != time)


@rule
def other_names(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """W_f with W_i."""
    if node.op == "name":
        key, time = node.data
        for other, same in words.others(key):
            for when in (time,) if time is None else (time, *(when for when in words.times if when != time)):
                cost = (1.3 if same else 1.5) + (0.3 if when != time else 0.0)
                new = replace(node, data=(other, when))
                yield Edit(cost, path, new, "{new} belongs where {old} stands", "name")


@rule
def derivatives(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """∂ with ∂⁺."""
    if node.op == "derivative":
        total = node.data != "immediate"
        new = replace(node, data="immediate" if total else "total")
        said = "{old} is the immediate derivative, {new}" if total else "{old} is the total derivative, {new}"
        yield Edit(1.0, path, new, said, "total or immediate")


# -- products ------------------------------------------------------------------------------------------


@rule
def orders(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A B with B A."""
    if node.op not in PRODUCTS:
        return
    count = len(node.args)
    if count <= _FEW:
        arranged = [order for order in permutations(range(count)) if order != tuple(range(count))]
    else:
        arranged = [(*range(k), k + 1, k, *range(k + 2, count)) for k in range(count - 1)]
        arranged.append(tuple(reversed(range(count))))
    for order in arranged:
        new = replace(node, args=tuple(node.args[k] for k in order))
        far = sum(a != b for a, b in enumerate(order))
        yield Edit(1.0 + 0.1 * (far - 2), path, new, "the factors are in the wrong order; it is {new}", "order")


@rule
def signs_of_products(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A ⊙ B with A B."""
    if node.op not in PRODUCTS:
        return
    count = len(node.args)
    for other, said in (("hadamard", "⊙ belongs"), ("times", "a matrix product belongs")):
        if node.op == other:
            continue
        yield Edit(1.0, path, replace(node, op=other, data=None), f"{said} between the factors: {{new}}", "product")
    for k in range(1, count) if count > 2 or node.op == "times" else ():
        left, right = _product(node, node.args[:k]), _product(node, node.args[k:])
        other = "hadamard" if node.op != "hadamard" else "times"
        sign = "⊙" if other == "hadamard" else "a matrix product"
        new = Pre(other, (left, right), span=node.span)
        yield Edit(1.1, path, new, f"{sign} belongs after the {ordinal(k - 1)} factor: {{new}}", "product")


def _product(node: Pre, args: tuple[Pre, ...]) -> Pre:
    return args[0] if len(args) == 1 else Pre(node.op, args, span=node.span)


@rule
def regrouped(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a ⊙ (W b) with (a ⊙ W b) and W (a ⊙ b): the brackets stand elsewhere."""
    if node.op not in PRODUCTS:
        return
    for k, arg in enumerate(node.args):
        if arg.op in PRODUCTS and arg.op != node.op and len(node.args) == 2 and len(arg.args) == 2:
            other = node.args[1 - k]
            a, b = arg.args
            inside = (Pre(node.op, (other, a)), Pre(node.op, (other, b)))
            yield Edit(
                1.4,
                path,
                Pre(arg.op, (inside[0], b), span=node.span),
                "the brackets belong elsewhere: {new}",
                "product",
            )
            yield Edit(
                1.4,
                path,
                Pre(arg.op, (a, inside[1]), span=node.span),
                "the brackets belong elsewhere: {new}",
                "product",
            )


@rule
def extra_factors(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A B with A."""
    if node.op in PRODUCTS:
        for k, arg in enumerate(node.args):
            rest = (*node.args[:k], *node.args[k + 1 :])
            yield Edit(1.3, path, _product(node, rest), "the factor {what} is too many", "extra factor", arg)
    elif node.op == "divide":
        above, below = node.args
        yield Edit(1.4, path, above, "the denominator {what} is too many", "extra factor", below)
        yield Edit(
            1.5,
            path,
            Pre("times", (above, below), span=node.span),
            "{what} is a factor, no denominator",
            "factor",
            below,
        )


@rule
def missing_factors(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A with A B; every gap of a product, and both sides of anything else."""
    if node.op in ("relation", "scalar", "zero", "ones", "identity"):
        return
    for factor in words.factors:
        for new, where in _with_factor(node, factor):
            yield Edit(2.0, path, new, f"the factor {{what}} is missing{where}", "missing factor", factor)


def _with_factor(node: Pre, factor: Pre) -> Iterator[tuple[Pre, str]]:
    if node.op == "times":
        for k in range(len(node.args) + 1):
            where = " at the front" if k == 0 else " at the end" if k == len(node.args) else ""
            yield replace(node, args=(*node.args[:k], factor, *node.args[k:])), where
    else:
        yield Pre("times", (factor, node), span=node.span), " before {old}"
        yield Pre("times", (node, factor), span=node.span), " after {old}"
    if factor.op not in ("diag", "derivative"):
        yield Pre("hadamard", (factor, node), span=node.span), " (entry by entry) at {old}"


@rule
def sums_for_products(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a ⊙ b with a + b, and a ⊙ (b + c) with a + b + c."""
    if node.op == "plus":
        first, *others = (arg.args[0] if arg.op == "neg" else arg for arg in node.args)
        rest = node.args[1] if len(others) == 1 else Pre("plus", node.args[1:], span=node.span)
        for op, sign in (("hadamard", "⊙"), ("times", "a product")):
            for args in ((first, *others), (node.args[0], rest)):
                new = Pre(op, args, span=node.span)
                yield Edit(1.3, path, new, f"{sign} belongs where + stands: {{new}}", "product")
    elif node.op in PRODUCTS:
        yield Edit(
            1.3, path, Pre("plus", node.args, span=node.span), "+ belongs where a product stands: {new}", "product"
        )


@rule
def losses(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """L_t with L."""
    if node.op not in ("derivative", "gradient"):
        return
    position = 0 if node.op == "derivative" else 1
    whole, step = words.system.loss_name, words.system.step_loss_name
    of = node.args[position]
    if of.op != "name" or of.data[0] not in (whole, step):
        return
    others = [words.name(step, time) for time in words.times] if of.data[1] is None else [words.name(whole, None)]
    for other in others:
        args = (*node.args[:position], other, *node.args[position + 1 :])
        yield Edit(1.1, path, replace(node, args=args), "{new} belongs where {old} stands", "loss")
