"""Other ways to write the same tree: what people do to a formula without changing its value."""

from __future__ import annotations

from random import Random

from tests.verify.corpus.cells import Model
from tests.verify.corpus.evaluation import Point
from tests.verify.corpus.language import (
    Claim,
    Node,
    Quantity,
    Time,
    add,
    comp,
    diag,
    fn,
    free_letters,
    grad,
    had,
    mul,
    nary,
    power,
    rewrite,
    substitute,
)

LETTERS = ("t", "k", "s", "j", "l", "r")


class Respeller:
    """Rewrites claims about one network at random."""

    def __init__(self, model: Model, rng: Random) -> None:
        self.model, self.rng = model, rng
        point = Point(model, 0)
        self.columns = {name for (name, _), value in point.base.items() if value.ndim == 2 and value.shape[1] == 1}
        self.vectors = {name for name, shape in model.params.items() if shape.endswith("1")}
        taken = {name[0] for name, _ in point.base} | set(model.params)
        self.letters = [letter for letter in LETTERS if letter not in taken and letter != model.index]

    def claim(self, claim: Claim, changes: float = 0.25) -> Claim:
        """A claim whose sides are written in another way, each place changed with this chance."""
        free = free_letters(claim.left) | free_letters(claim.right)

        def rule(node: Node) -> Node:
            return self.change(node, free) if self.rng.random() < changes else node

        return Claim(rewrite(claim.left, self.adjoint) if changes else claim.left, rewrite(claim.right, rule))

    def as_partials(self, claim: Claim) -> Claim:
        """A claim with every gradient written as a partial derivative, as where ∂L/∂v has the shape of v."""

        def rule(node: Node) -> Node:
            if node.op == "T" and node.args[0].op == "der":
                return node.args[0]
            return Node("der", data=node.data) if node.op == "grad" else node

        return Claim(rewrite(claim.left, rule), rewrite(claim.right, rule))

    def is_column(self, node: Node) -> bool:
        """Whether a tree is known to be a column."""
        match node.op:
            case "q" | "delta" | "bar":
                return node.data[0] in self.columns
            case "p":
                return node.data[0] in self.vectors
            case "grad":
                return node.data[1] in (self.columns if node.data[2] else self.vectors)
            case "mul":
                return self.is_column(node.args[-1])
            case "ones":
                return True
            case "had" | "add" | "neg" | "comp" | "fn" | "dfn" | "pow" | "sum":
                return self.is_column(node.args[0])
        return False

    def adjoint(self, node: Node) -> Node:
        """The adjoint of a state as the gradient that it is, at times."""
        if node.op == "bar" and self.rng.random() < 0.2:
            return grad(Quantity(node.data[0])[node.data[1]])
        return node

    def change(self, node: Node, free: set[str]) -> Node:
        match node.op:
            case "add":
                return add(*self.rng.sample(node.args, len(node.args)))
            case "had":
                return self._hadamard(node)
            case "mul":
                return self._product(node)
            case "T":
                return self._transpose(node)
            case "diag":
                (inner,) = node.args
                return mul(*(diag(part) for part in inner.args)) if inner.op == "had" else node
            case "dfn":
                return self._slope(node)
            case "sum" | "prod":
                return self._over(node, free)
            case "delta":
                return grad(Quantity(node.data[0])[node.data[1]])
            case "bar":
                return self.adjoint(node)
            case "grad" if self.is_column(node):
                return Node("der", data=node.data).T
        return node

    def _hadamard(self, node: Node) -> Node:
        parts = self.rng.sample(node.args, len(node.args))
        if not all(self.is_column(part) for part in parts) or self.rng.random() < 0.4:
            return had(*parts)
        if len(parts) == 2 or self.rng.random() < 0.5:
            return diag(nary("had", tuple(parts[:-1]))) @ parts[-1]
        return had(parts[0], diag(parts[1]) @ nary("had", tuple(parts[2:])))

    def _product(self, node: Node) -> Node:
        for index, part in enumerate(node.args[:-1]):
            rest = node.args[index + 1 :]
            if part.op == "diag" and self.is_column(mul(*rest)):
                return mul(*node.args[:index], part.args[0] * mul(*rest))
            if part.op == "diag" and rest[0].op == "diag":
                return mul(*node.args[:index], diag(part.args[0] * rest[0].args[0]), *rest[1:])
            if rest[0].op == "add" and len(rest) == 1:
                return add(*(mul(*node.args[: index + 1], summand) for summand in rest[0].args))
        return node

    def _transpose(self, node: Node) -> Node:
        (inner,) = node.args
        if inner.op == "mul":
            return mul(*(part if part.op == "diag" else part.T for part in reversed(inner.args)))
        if inner.op in ("add", "had"):
            return nary(inner.op, tuple(part.T for part in inner.args))
        return node

    def _slope(self, node: Node) -> Node:
        """An activation's derivative by what the activation returns."""
        function, inner = node.data[0], node.args[0]
        value = fn(function, inner)
        for name, (made_by, source) in self.model.activations.items():
            if inner.op == "q" and inner.data[0] == source and made_by == function and self.rng.random() < 0.8:
                value = Quantity(name)[inner.data[1]]
        return value * comp(value) if function == "sigma" else comp(power(value, 2))

    def _over(self, node: Node, free: set[str]) -> Node:
        letter, first, last = node.data
        body = node.args[0]
        choice = self.rng.random()
        if choice < 0.35:
            used = free | free_letters(body) | {first.letter, last.letter} | bound(body)
            names = [name for name in self.letters if name not in used]
            return (
                Node(node.op, (substitute(body, letter, Time(names[0])),), (names[0], first, last)) if names else node
            )
        if choice < 0.7:
            return Node(node.op, (substitute(body, letter, Time(letter, 1)),), (letter, first - 1, last - 1))
        if node.op == "sum" and last == Time("T") and body.op != "sum":
            apart = substitute(body, letter, Time("T"))
            return add(apart, Node("sum", (body,), (letter, first, last - 1)))
        return node


def bound(node: Node) -> set[str]:
    """The letters that sums and products inside a tree bind."""
    own = {node.data[0]} if node.op in ("sum", "prod") else set()
    return own.union(*(bound(argument) for argument in node.args))
