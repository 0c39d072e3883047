"""Small changes of a formula: one rule for each slip that people make, each with what it costs and how it is said.

A rule looks at one operation and gives what may stand in its place. Cheap changes are the slips that are made most often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from sympy import Expr, Integer, Rational

from derive.notation.operations import Pre
from derive.system import T
from verify.diagnosis.trees import Path, ordinal
from verify.diagnosis.vocabulary import Vocabulary

_PRODUCTS = ("times", "hadamard", "ast", "cdot", "cross")
_FEW = 4
"""Products of more factors than this are tried in few other orders."""


@dataclass(frozen=True)
class Edit:
    """A change.

    Parameters
    ----------
    cost : how far-fetched it is.
    path : the place of the operation that is changed.
    new  : what stands there then.
    said : what is wrong, in words; ``{old}`` and ``{new}`` stand for what is changed, and ``{what}`` for what ``what`` is.
    what : a part of the formula that the words name.
    kind : which slip it is.
    """

    cost: float
    path: Path
    new: Pre
    said: str
    kind: str
    what: Pre | None = None


Rule = Callable[[Pre, Path, Vocabulary], Iterator[Edit]]
RULES: list[Rule] = []


def _rule(rule: Rule) -> Rule:
    RULES.append(rule)
    return rule


def edits(root: Pre, path: Path, node: Pre, words: Vocabulary) -> Iterator[Edit]:
    """Every change of one operation."""
    for rule in RULES:
        yield from rule(node, path, words)


# -- single factors ------------------------------------------------------------------------------------


@_rule
def transposes(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A with Aᵀ."""
    if node.op in ("transpose", "transpose_or_power"):
        yield Edit(1.0, path, node.args[0], "{new} belongs where {old} stands", "transpose", node.args[0])
    elif node.op in ("name", "derivative", "gradient", *_PRODUCTS, "diag", "apply", "plus", "sum", "product"):
        new = Pre("transpose", (node,), span=node.span)
        yield Edit(1.0 if node.op == "name" else 1.1, path, new, "{new} belongs where {old} stands", "transpose")


@_rule
def diagonals(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v with diag(v), and diag(v) with the vector J·1."""
    if node.op == "diag":
        yield Edit(1.0, path, node.args[0], "{new} belongs where {old} stands", "diag", node.args[0])
    elif node.op in ("name", "apply", "plus", "hadamard", "bare_function"):
        yield Edit(1.1, path, Pre("diag", (node,), span=node.span), "{new} belongs where {old} stands", "diag")


@_rule
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


@_rule
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


@_rule
def complements(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v with 1 - v."""
    if node.op in ("name", "apply", "hadamard", "power"):
        yield Edit(1.3, path, _one_minus(node), "{new} belongs where {old} stands", "complement")
    one = Pre("scalar", data=(Integer(1), None))
    minus = node.op == "plus" and len(node.args) == 2 and node.args[1].op == "neg"
    if minus and (node.args[0].op == "ones" or node.args[0].data == one.data):
        yield Edit(1.3, path, node.args[1].args[0], "{new} belongs where {old} stands", "complement")


@_rule
def wrapped(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v with f(v) or f'(v)."""
    if node.op == "name" and node.data[1] is not None:
        for function in words.functions:
            for order in (0, 1):
                new = Pre("apply", (node,), (function, order), node.span)
                yield Edit(1.7, path, new, "{new} belongs where {old} stands", "function")


@_rule
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


@_rule
def other_names(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """W_f with W_i."""
    if node.op == "name":
        key, time = node.data
        for other, same in words.others(key):
            for when in (time,) if time is None else (time, *(when for when in words.times if when != time)):
                cost = (1.3 if same else 1.5) + (0.3 if when != time else 0.0)
                new = replace(node, data=(other, when))
                yield Edit(cost, path, new, "{new} belongs where {old} stands", "name")


@_rule
def derivatives(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """∂ with ∂⁺."""
    if node.op == "derivative":
        total = node.data != "immediate"
        new = replace(node, data="immediate" if total else "total")
        said = "{old} is the immediate derivative, {new}" if total else "{old} is the total derivative, {new}"
        yield Edit(1.0, path, new, said, "total or immediate")


@_rule
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


@_rule
def exponents(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """v² with v."""
    if node.op == "power" and len(node.args) == 1:
        yield Edit(1.2, path, node.args[0], "{new} belongs where {old} stands", "exponent", node.args[0])
        for other in (node.data + 1, node.data - 1):
            if other not in (0, 1):
                yield Edit(1.2, path, replace(node, data=other), "{new} belongs where {old} stands", "exponent")
    elif node.op in ("name", "apply"):
        new = Pre("power", (node,), Integer(2), node.span)
        yield Edit(1.5, path, new, "{new} belongs where {old} stands", "exponent")


# -- products ------------------------------------------------------------------------------------------


@_rule
def orders(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A B with B A."""
    if node.op not in _PRODUCTS:
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


@_rule
def signs_of_products(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A ⊙ B with A B."""
    if node.op not in _PRODUCTS:
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


@_rule
def regrouped(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a ⊙ (W b) with (a ⊙ W b) and W (a ⊙ b): the brackets stand elsewhere."""
    if node.op not in _PRODUCTS:
        return
    for k, arg in enumerate(node.args):
        if arg.op in _PRODUCTS and arg.op != node.op and len(node.args) == 2 and len(arg.args) == 2:
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


@_rule
def extra_factors(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """A B with A."""
    if node.op in _PRODUCTS:
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


@_rule
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


@_rule
def sums_for_products(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a ⊙ b with a + b, and a ⊙ (b + c) with a + b + c."""
    if node.op == "plus":
        first, *others = (arg.args[0] if arg.op == "neg" else arg for arg in node.args)
        rest = node.args[1] if len(others) == 1 else Pre("plus", node.args[1:], span=node.span)
        for op, sign in (("hadamard", "⊙"), ("times", "a product")):
            for args in ((first, *others), (node.args[0], rest)):
                new = Pre(op, args, span=node.span)
                yield Edit(1.3, path, new, f"{sign} belongs where + stands: {{new}}", "product")
    elif node.op in _PRODUCTS:
        yield Edit(
            1.3, path, Pre("plus", node.args, span=node.span), "+ belongs where a product stands: {new}", "product"
        )


@_rule
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


# -- sums ----------------------------------------------------------------------------------------------


@_rule
def signs(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a + b with a - b."""
    if node.op == "plus":
        for k, arg in enumerate(node.args):
            new = replace(node, args=(*node.args[:k], _negative(arg), *node.args[k + 1 :]))
            yield Edit(1.0, path, new, f"the sign of the {ordinal(k)} summand is wrong", "sign")
        if len(node.args) == 2 and sum(arg.op == "neg" for arg in node.args) == 1:
            turned = replace(node, args=tuple(map(_negative, reversed(node.args))))
            yield Edit(1.0, path, turned, "the difference is the wrong way round: it is {new}", "sign")
    elif node.op == "neg":
        yield Edit(1.0, path, node.args[0], "the sign is wrong: {what} without a minus", "sign", node.args[0])
    elif node.op in ("times", "hadamard", "sum", "name", "divide", "derivative", "apply", "gradient"):
        yield Edit(1.2, path, Pre("neg", (node,), span=node.span), "the sign is wrong: a minus is missing", "sign")


def _negative(node: Pre) -> Pre:
    return node.args[0] if node.op == "neg" else Pre("neg", (node,), span=node.span)


@_rule
def extra_summands(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """a + b with a."""
    if node.op == "plus":
        for k, arg in enumerate(node.args):
            rest = (*node.args[:k], *node.args[k + 1 :])
            new = rest[0] if len(rest) == 1 else replace(node, args=rest)
            yield Edit(1.3, path, new, f"the {ordinal(k)} summand is too many: {{what}}", "extra summand", arg)


@_rule
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


@_rule
def gates(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """Every name of one gate with those of another."""
    if node.op in ("name", "scalar"):
        return
    for swap in words.swaps():
        new = renamed(node, swap)
        if new != node:
            yield Edit(1.4, path, new, "the names are of another gate: it is {new}", "gate")


def renamed(node: Pre, swap: dict[str, str]) -> Pre:
    """An operation with other names."""
    if node.op == "name":
        return replace(node, data=(swap[node.data[0]], node.data[1])) if node.data[0] in swap else node
    args = tuple(renamed(arg, swap) for arg in node.args)
    return node if args == node.args else replace(node, args=args)


@_rule
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


__all__ = ["Edit", "edits", "renamed"]
