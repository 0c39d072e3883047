"""The trees in which the claims of the corpus are written.

A tree is a `Node`: an operation, its arguments and what the operation needs beside them, such as names and times.
Trees are made with the operators of Python: ``A @ B`` is the matrix product, ``a * b`` the Hadamard product, ``A.T`` the
transpose. Nothing here knows LaTeX or numbers; `latex` prints trees and `evaluation` gives them values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Time:
    """An index such as t-1, T or 0: a letter and an offset, or a number alone if there is no letter."""

    letter: str
    offset: int = 0

    def __add__(self, steps: int) -> Time:
        return replace(self, offset=self.offset + steps)

    def __sub__(self, steps: int) -> Time:
        return self + -steps

    def at(self, letters: dict[str, int]) -> int:
        """Its number where the letters have these values."""
        return self.offset + (letters[self.letter] if self.letter else 0)

    def renamed(self, old: str, new: Time) -> Time:
        """It with the letter replaced by another index."""
        return new + self.offset if self.letter == old else self


@dataclass(frozen=True)
class Node:
    """An operation with its arguments. `data` holds names, times and constants:

    ========  ====================================================================================
    q         (name, time): a quantity; delta, bar: the gradient of the loss by it
    p         (name,): a parameter; num: (Fraction,); ones, eye: (size,)
    T, neg, diag, comp, mul, had, add: the arguments alone; comp(v) is 1 - v
    fn, dfn   (function,): entry by entry, and its derivative; pow: (exponent,)
    sum, prod (letter, first, last): a product has the latest factor on the left
    jac       (name, time, name, time or None, immediate): time None is a parameter
    der, grad (time of the step loss or None for L, name, time or None): in numerator layout, or as a column
    ========  ====================================================================================
    """

    op: str
    args: tuple[Node, ...] = ()
    data: tuple[Any, ...] = ()

    def __matmul__(self, other: Node) -> Node:
        return mul(self, other)

    def __mul__(self, other: Node) -> Node:
        return had(self, other)

    def __add__(self, other: Node) -> Node:
        return add(self, other)

    def __sub__(self, other: Node) -> Node:
        return add(self, -other)

    def __neg__(self) -> Node:
        return self.args[0] if self.op == "neg" else Node("neg", (self,))

    @property
    def T(self) -> Node:
        """The transpose."""
        return self.args[0] if self.op == "T" else Node("T", (self,))


@dataclass(frozen=True)
class Claim:
    """An equation."""

    left: Node
    right: Node


class Quantity:
    """A name that takes a time in brackets: ``h[t - 1]``, ``h[0]``."""

    def __init__(self, name: str, op: str = "q") -> None:
        self.name, self.op = name, op

    def __getitem__(self, time: Time | int) -> Node:
        return Node(self.op, data=(self.name, time if isinstance(time, Time) else Time("", time)))


def nary(op: str, parts: tuple[Node, ...]) -> Node:
    """An operation of several arguments, flat: arguments of the same operation are merged."""
    flat: list[Node] = []
    for part in parts:
        flat += part.args if part.op == op else (part,)
    return flat[0] if len(flat) == 1 else Node(op, tuple(flat))


def mul(*parts: Node) -> Node:
    return nary("mul", parts)


def had(*parts: Node) -> Node:
    return nary("had", parts)


def add(*parts: Node) -> Node:
    return nary("add", parts)


def diag(v: Node) -> Node:
    return Node("diag", (v,))


def comp(v: Node) -> Node:
    """One minus v."""
    return Node("comp", (v,))


def num(value: int | Fraction) -> Node:
    return Node("num", data=(Fraction(value),))


def param(name: str) -> Node:
    return Node("p", data=(name,))


def eye(size: str = "n") -> Node:
    return Node("eye", data=(size,))


def fn(name: str, v: Node) -> Node:
    return Node("fn", (v,), (name,))


def dfn(name: str, v: Node) -> Node:
    return Node("dfn", (v,), (name,))


def power(v: Node, exponent: int) -> Node:
    return Node("pow", (v,), (exponent,))


def total(index: Time, first: Time | int, last: Time | int, body: Node) -> Node:
    """The sum of `body` over an index."""
    return Node("sum", (body,), (index.letter, as_time(first), as_time(last)))


def product(index: Time, first: Time | int, last: Time | int, body: Node) -> Node:
    """The product of `body` over an index, the latest factor on the left."""
    return Node("prod", (body,), (index.letter, as_time(first), as_time(last)))


def as_time(value: Time | int) -> Time:
    return value if isinstance(value, Time) else Time("", value)


def jac(of: Node, by: Node, immediate: bool = False) -> Node:
    """The Jacobian of a quantity by a quantity or a parameter."""
    name, time = of.data
    return Node("jac", data=(name, time, by.data[0], by.data[1] if by.op == "q" else None, immediate))


def der(by: Node, step: Time | None = None) -> Node:
    """The derivative of the loss, or of the loss of one step, in numerator layout."""
    return Node("der", data=(step, by.data[0], by.data[1] if by.op == "q" else None))


def grad(by: Node, step: Time | None = None) -> Node:
    """The gradient of the loss, or of the loss of one step, in the shape of what it is taken by."""
    return replace(der(by, step), op="grad")


def times_of(node: Node) -> list[Time]:
    """The indices that stand in a node itself, not in its arguments."""
    return [item for item in node.data if isinstance(item, Time)]


def free_letters(node: Node) -> set[str]:
    """The letters that are not bound by a sum or a product; T is no such letter."""
    found = {time.letter for time in times_of(node)} - {"", "T"}
    for argument in node.args:
        inner = free_letters(argument)
        found |= inner - {node.data[0]} if node.op in ("sum", "prod") else inner
    return found


def substitute(node: Node, letter: str, new: Time) -> Node:
    """A tree with a free letter replaced by another index."""
    if node.op in ("sum", "prod"):
        var, first, last = node.data
        body = node.args[0] if var == letter else substitute(node.args[0], letter, new)
        return Node(node.op, (body,), (var, first.renamed(letter, new), last.renamed(letter, new)))
    data = tuple(item.renamed(letter, new) if isinstance(item, Time) else item for item in node.data)
    return Node(node.op, tuple(substitute(argument, letter, new) for argument in node.args), data)


Path = tuple[int, ...]


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node of a tree with the way to it."""
    yield path, node
    for index, argument in enumerate(node.args):
        yield from places(argument, (*path, index))


def put(node: Node, path: Path, new: Node) -> Node:
    """A tree with the node at a place replaced."""
    if not path:
        return new
    arguments = list(node.args)
    arguments[path[0]] = put(arguments[path[0]], path[1:], new)
    if node.op in ("mul", "had", "add"):
        return nary(node.op, tuple(arguments))
    return Node(node.op, tuple(arguments), node.data)


def rewrite(node: Node, rule: Callable[[Node], Node]) -> Node:
    """A tree with a rule applied to every node, arguments first."""
    arguments = tuple(rewrite(argument, rule) for argument in node.args)
    if node.op in ("mul", "had", "add"):
        return rule(nary(node.op, arguments))
    return rule(Node(node.op, arguments, node.data))
