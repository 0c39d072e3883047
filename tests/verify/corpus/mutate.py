"""Wrong claims: edits of the right side of a true one, of the kinds that people make by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from tests.verify.corpus.cells import Model
from tests.verify.corpus.language import Claim, Node, Quantity, Time, diag, mul, nary, num, param, places, put

Edit = tuple[str, Node]
STATES = ("h", "C", "s", "z", "a", "h^[1]", "h^[2]", "~h", "~C")


class Mutator:
    """Every claim that is one edit away from a claim about one network."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.quantities = {*model.activations, *(source for _, source in model.activations.values()), *model.starts}
        self.quantities |= {"C"} & set(model.starts)

    def edits(self, claim: Claim) -> Iterator[tuple[str, Claim]]:
        """The claims one edit away, with the kind of the edit."""
        for kind, right in self.right_sides(claim.right):
            yield kind, Claim(claim.left, right)
        if claim.left.op == "jac":
            *names, immediate = claim.left.data
            kind = "total-for-immediate" if immediate else "immediate-for-total"
            yield kind, Claim(Node("jac", data=(*names, not immediate)), claim.right)

    def right_sides(self, tree: Node) -> Iterator[Edit]:
        yield "sign", -tree
        yield "constant", mul(num(Fraction(1, 2)), tree)
        yield "constant", mul(num(2), tree)
        for path, node in places(tree):
            parent = self._at(tree, path[:-1]) if path else None
            for kind, new in self._local(node, parent):
                yield kind, put(tree, path, new)

    def _at(self, tree: Node, path: tuple[int, ...]) -> Node:
        for index in path:
            tree = tree.args[index]
        return tree

    def _local(self, node: Node, parent: Node | None) -> Iterator[Edit]:
        """The edits of one place."""
        yield from self._structure(node, parent)
        yield from self._names(node)
        for index, item in enumerate(node.data):
            if isinstance(item, Time) and node.op in ("q", "delta", "bar", "grad", "der", "jac"):
                for steps in (-1, 1):
                    data = (*node.data[:index], item + steps, *node.data[index + 1 :])
                    if not (item == Time("T") and steps == 1):
                        yield "index-shift", Node(node.op, data=data)
        if node.op in ("sum", "prod"):
            letter, first, last = node.data
            for steps in (-1, 1):
                yield "bound", Node(node.op, node.args, (letter, first + steps, last))
                yield "bound", Node(node.op, node.args, (letter, first, last + steps))

    def _structure(self, node: Node, parent: Node | None) -> Iterator[Edit]:
        args = node.args
        match node.op:
            case "T":
                yield "transpose-dropped", args[0]
            case "mul":
                for index in range(len(args)):
                    yield "factor-dropped", nary("mul", args[:index] + args[index + 1 :])
                    if index:
                        swapped = (*args[: index - 1], args[index], args[index - 1], *args[index + 1 :])
                        yield "factors-swapped", Node("mul", swapped)
                if len(args) == 2 and not {"num", "comp"} & {part.op for part in args}:
                    yield "product-to-hadamard", nary("had", args)
            case "had":
                for index in range(len(args)):
                    yield "factor-dropped", nary("had", args[:index] + args[index + 1 :])
                if len(args) == 2:
                    yield "hadamard-to-product", nary("mul", args)
                yield "hadamard-to-sum", nary("add", args)
            case "add":
                for index, part in enumerate(args):
                    yield "summand-dropped", nary("add", args[:index] + args[index + 1 :])
                    yield "sign", Node("add", (*args[:index], -part, *args[index + 1 :]))
            case "neg":
                yield "sign", args[0]
            case "diag":
                yield "diag-dropped", args[0]
            case "comp":
                yield "complement-dropped", args[0]
                yield "sign", nary("add", (num(1), args[0]))
                yield "constant", nary("add", (num(2), -args[0]))
            case "pow":
                yield "power-dropped", args[0]
                yield "constant", Node("pow", args, (3,))
            case "dfn":
                yield "derivative-dropped", Node("fn", args, node.data)
                yield "function-swapped", Node("dfn", args, ("sigma" if node.data[0] == "tanh" else "tanh",))
            case "fn" if node.data[0] != "softmax":
                yield "derivative-added", Node("dfn", args, node.data)
                yield "factor-dropped", args[0]
            case "num" if node.data[0] != 1:
                yield "constant", num(node.data[0] * 2)
        in_product = parent is None or parent.op in ("mul", "sum", "add", "prod", "had")
        if node.op in ("p", "jac") and in_product and self._is_matrix(node):
            yield "transpose-added", node.T
        if node.op in ("q", "delta", "bar") and parent is not None and parent.op == "mul":
            yield "transpose-added", node.T
            yield "diag-added", diag(node)
        if node.op in ("q", "delta", "bar", "dfn") and parent is not None and parent.op in ("had", "sum", "add"):
            yield "diag-added", diag(node)
        if node.op in ("delta", "bar", "grad") and parent is not None and parent.op in ("mul", "had", "sum"):
            yield from self._extra(node)

    def _is_matrix(self, node: Node) -> bool:
        if node.op == "jac":
            return node.data[3] is not None
        return len(self.model.params[node.data[0]].replace("1", "")) == 2

    def _extra(self, node: Node) -> Iterator[Edit]:
        """A factor too many: the slope of the activation, or the recurrent matrix."""
        time = next((item for item in reversed(node.data) if isinstance(item, Time)), None)
        if time is None:
            return
        name = node.data[0] if node.op in ("delta", "bar") else node.data[1]
        for function, source in self.model.activations.values():
            if source == name or self.model.activations.get(name) == (function, source):
                yield "factor-added", nary("had", (node, Node("dfn", (Quantity(source)[time],), (function,))))
        matrix = next((key for key, shape in self.model.params.items() if shape == "nn"), None)
        if matrix and not self.model.rows:
            yield "factor-added", param(matrix).T @ node

    def _names(self, node: Node) -> Iterator[Edit]:
        """One name for another."""
        if node.op == "p":
            for other in self._others(node.data[0], self.model.params):
                yield ("label-swapped" if other[0] == node.data[0][0] else "parameter-swapped"), param(other)
        elif node.op == "q":
            name, time = node.data
            for other in self._others(name, self.quantities):
                same = name.partition("^")[0] == other.partition("^")[0]
                gates = len(name) == len(other) == 1 and {name, other} <= set("fioru")
                yield ("label-swapped" if same or gates else "quantity-swapped"), Quantity(other)[time]
        elif node.op == "delta":
            sources = {source for _, source in self.model.activations.values()}
            for other in self._others(node.data[0], sources):
                yield "label-swapped", Node("delta", data=(other, node.data[1]))
            for state, (_, source) in self.model.activations.items():
                if source == node.data[0] and state in self.model.starts:
                    yield "adjoint-swapped", Node("bar", data=(state, node.data[1]))
        elif node.op == "bar":
            for other in self._others(node.data[0], self.model.starts):
                yield "adjoint-swapped", Node("bar", data=(other, node.data[1]))
            _, source = self.model.activations.get(node.data[0], ("", ""))
            if source:
                yield "adjoint-swapped", Node("delta", data=(source, node.data[1]))
        elif node.op in ("grad", "der") and node.data[2] is not None:
            step, name, time = node.data
            yield "step-loss", Node(node.op, data=(time if step is None else None, name, time))
        elif node.op == "jac" and node.data[3] is not None:
            *names, immediate = node.data
            yield (
                ("total-for-immediate" if immediate else "immediate-for-total"),
                Node("jac", data=(*names, not immediate)),
            )

    def _others(self, name: str, known: object) -> list[str]:
        """At most two other names, those in the neighbourhood first."""
        names = sorted(set(known) - {name}, key=lambda other: (other[0] != name[0], other))  # type: ignore[call-overload]
        return names[:2] if len(names) < 3 or names[0][0] != name[0] else [names[0], names[-1]]
