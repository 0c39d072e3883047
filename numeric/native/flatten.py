"""Formulas as a list of operations: entrywise ones, and between them products, sums of entries and the softmax.

What is not entrywise gets a place of its own, a temporary quantity, and the formula reads that. An operation that this language lacks
is a :class:`~derive.errors.MissingRuleError`; whoever asked runs the statement elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.expressions.node import ONE
from derive.system import leaves
from numeric.association import Factors, halves
from numeric.program import Storage

Leaf = e.Timed | e.Var
_FIRST = Integer(0)


@dataclass(frozen=True)
class Entrywise:
    """target[top + i, left + j] = value[i, j]."""

    target: Leaf
    value: e.Node
    top: Expr = _FIRST
    left: Expr = _FIRST


@dataclass(frozen=True)
class Multiply:
    """target (+)= operand · W or Wᵀ, for every sequence a vector; W is shared.

    Parameters
    ----------
    turned : whether the columns of the right operand are the rows of W.
    """

    target: Leaf
    operand: e.Node
    matrix: e.Var
    turned: bool
    add: bool = False


@dataclass(frozen=True)
class Contract:
    """target[i, j] = Σ_k left[i, k] right[k, j], each an array or the transpose of one."""

    target: Leaf
    left: e.Node
    right: e.Node


@dataclass(frozen=True)
class Reduce:
    """target = the sum of all entries."""

    target: Leaf
    value: e.Node


@dataclass(frozen=True)
class Soft:
    """target = softmax(value), or its logarithm."""

    target: Leaf
    value: e.Node
    log: bool


@dataclass(frozen=True)
class Accumulate:
    """target[i, j] += the sum of value[i, j] over sequences and times."""

    target: Leaf
    value: e.Node


@dataclass(frozen=True)
class Outer:
    """target += Σ left rightᵀ over sequences and times, one matrix product."""

    target: Leaf
    left: Leaf
    right: Leaf


Operation = Entrywise | Multiply | Contract | Reduce | Soft | Accumulate | Outer


class Flattener:
    """Writes the operations of one item.

    Parameters
    ----------
    storages : which quantities every sequence has its own of.
    fresh    : makes a temporary quantity of a shape.
    """

    def __init__(self, storages: Mapping[str, Storage], fresh: Callable[[e.Node, bool], Leaf]) -> None:
        self.storages = storages
        self.fresh = fresh
        self.operations: list[Operation] = []

    # -- statements --------------------------------------------------------------------------------

    def store(self, target: Leaf, node: e.Node, top: Expr = _FIRST, left: Expr = _FIRST) -> None:
        """target = node, at a place within it."""
        if isinstance(node, e.Block):
            tops, lefts = node.offsets()
            for row, below in zip(node.rows, tops, strict=False):
                for entry, beside in zip(row, lefts, strict=False):
                    self.store(target, entry, top + below, left + beside)
            return
        whole = top == left == 0 and node.shape == target.shape
        value = self._into(target, node) if whole else self.value(node)
        if value is not target:
            self.operations.append(Entrywise(target, value, top, left))

    def total(self, target: Leaf, node: e.Node) -> None:
        """target += node, summed over sequences and times; a matrix product where both factors are of every sequence."""
        scalars, chain = _parts(node)
        split = next((k for k in range(1, len(chain)) if chain[k - 1].shape[1] == ONE == chain[k].shape[0]), None)
        shared = split is not None and (all(map(self.shared, chain[:split])) or all(map(self.shared, chain[split:])))
        if split is not None and ONE not in node.shape and not shared:
            left = self.chain(tuple(chain[:split]))
            right = self.chain(tuple(chain[split:]))
            scaled = e.Times(*scalars, left) if scalars else left
            self.operations.append(Outer(target, self._kept(scaled), self._kept(right)))
        else:
            self.operations.append(Accumulate(target, self.value(node)))

    def _into(self, target: Leaf, node: e.Node) -> e.Node:
        """The value of a whole target; the target itself where something that is not entrywise was written to it at once."""
        scalars, chain = _parts(node)
        if isinstance(node, e.Times) and not scalars and len(chain) > 1:
            return self._contracted(*halves(tuple(chain)), target)
        if isinstance(node, e.Softmax):
            self.operations.append(Soft(target, self.value(node.operands[0]), False))
            return target
        return self.value(node)

    # -- values ------------------------------------------------------------------------------------

    def value(self, node: e.Node) -> e.Node:
        """A formula that is entrywise, after operations for what is not."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is not None:
            found: e.Node = method(node)
            return found
        if not isinstance(node, _ENTRYWISE):
            raise MissingRuleError(f"{type(node).__name__} is not compiled to machine code")
        operands = [self.value(operand) for operand in node.operands]
        return node if operands == list(node.operands) else node.with_operands(operands)

    def shared(self, node: e.Node) -> bool:
        """Whether a formula is the same for all sequences and times."""
        return all(isinstance(leaf, e.Var) and not self.storages[leaf.name].batched for leaf in leaves(node))

    def _kept(self, node: e.Node) -> Leaf:
        """A formula as a quantity of its own."""
        if isinstance(node, (e.Timed, e.Var)):
            return node
        if isinstance(node, e.Transpose) and isinstance(node.operands[0], (e.Timed, e.Var)) and ONE in node.shape:
            return node.operands[0]
        target = self.fresh(node, self.shared(node))
        self.store(target, node)
        return target

    def _operand(self, node: e.Node) -> e.Node:
        """What a product reads: a quantity, or the transpose of one."""
        if isinstance(node, e.Transpose):
            return e.Transpose(self._kept(node.operands[0]))
        return self._kept(node)

    def _Plus(self, node: e.Plus) -> e.Node:
        """Products with shared matrices are added up where they are computed."""
        terms: list[e.Node] = []
        joint: Leaf | None = None
        for term in node.operands:
            scalars, chain = _parts(term)
            if scalars or len(chain) < 2 or not self._is_multiply(*halves(tuple(chain))):
                terms.append(self.value(term))
                continue
            if joint is None:
                joint = self.fresh(node, False)
                self._multiplied(*halves(tuple(chain)), joint, False)
                terms.append(joint)
            else:
                self._multiplied(*halves(tuple(chain)), joint, True)
        return terms[0] if len(terms) == 1 else e.Plus(*terms)

    def _Times(self, node: e.Times) -> e.Node:
        scalars, chain = _parts(node)
        factors = [self.value(scalar) for scalar in scalars]
        if chain:
            factors.append(self.chain(tuple(chain)))
        return factors[0] if len(factors) == 1 else e.Times(*factors)

    def chain(self, factors: Factors) -> e.Node:
        """A product of matrices and vectors."""
        if len(factors) == 1:
            return self.value(factors[0])
        return self._contracted(*halves(factors), None)

    def _contracted(self, left: Factors, right: Factors, target: Leaf | None) -> e.Node:
        """A product of two sides; written to the target if it is not entrywise."""
        for one, other in ((left, right), (right, left)):
            if len(one) == 1 and isinstance(one[0], e.Diag):
                diagonal = e.Diag(self.value(one[0].operands[0]))
                rest = self.chain(other)
                return e.Times(diagonal, rest) if one is left else e.Times(rest, diagonal)
        rows, inner, columns = (size != ONE for size in (left[0].shape[0], left[-1].shape[1], right[-1].shape[1]))
        if not inner:
            return e.Times(self.chain(left), self.chain(right))
        shape = e.Times(*left, *right) if target is None else target
        found = self.fresh(shape, self.shared(shape)) if target is None else target
        if not rows and not columns:
            a, b = self.chain(left), self.chain(right)
            self.operations.append(Reduce(found, e.Hadamard(e.Transpose(a), b)))
        elif self._is_multiply(left, right):
            self._multiplied(left, right, found, False)
        else:
            self.operations.append(Contract(found, self._operand(self.chain(left)), self._operand(self.chain(right))))
        return found

    def _is_multiply(self, left: Factors, right: Factors) -> bool:
        """Whether a vector of every sequence is multiplied by a matrix that all share."""
        rows, inner, columns = (size != ONE for size in (left[0].shape[0], left[-1].shape[1], right[-1].shape[1]))
        if not inner or rows == columns:
            return False
        matrix, vector = (left, right) if rows else (right, left)
        named = len(matrix) == 1 and _matrix_of(matrix[0]) is not None and self.shared(matrix[0])
        return named and not all(map(self.shared, vector)) and not isinstance(vector[0], e.Diag)

    def _multiplied(self, left: Factors, right: Factors, target: Leaf, add: bool) -> None:
        column = left[0].shape[0] != ONE
        matrix, vector = (left, right) if column else (right, left)
        leaf = _matrix_of(matrix[0])
        if leaf is None:
            raise MissingRuleError(f"{matrix[0]} is no matrix with a name")
        turned = isinstance(matrix[0], e.Transpose) != column
        self.operations.append(Multiply(target, self._row(self.chain(vector)), leaf, turned, add))

    def _row(self, node: e.Node) -> e.Node:
        """A vector as an operand: a quantity, or a part of one."""
        if (
            isinstance(node, e.Slice)
            and isinstance(node.operands[0], (e.Timed, e.Var))
            and ONE in node.operands[0].shape
        ):
            return node
        return self._kept(node)

    # -- what is not entrywise ---------------------------------------------------------------------

    def _Inner(self, node: e.Inner) -> e.Node:
        a, b = (self.value(operand) for operand in node.operands)
        return self._reduced(e.Hadamard(a, b))

    def _SquaredNorm(self, node: e.SquaredNorm) -> e.Node:
        x = self.value(node.operands[0])
        square = e.Power(x, e.Scalar(2))
        return square if x.is_scalar else self._reduced(square)

    def _SumEntries(self, node: e.SumEntries) -> e.Node:
        x = self.value(node.operands[0])
        return x if x.is_scalar else self._reduced(x)

    def _Trace(self, node: e.Trace) -> e.Node:
        return self._reduced(e.DiagPart(self.value(node.operands[0])))

    def _Norm(self, node: e.Norm) -> e.Node:
        x = self.value(node.operands[0])
        if x.is_scalar:
            return e.Apply("abs", x)
        if node.kind != "F" and ONE not in x.shape:
            raise MissingRuleError("a spectral norm is not compiled to machine code")
        return e.Apply("sqrt", self._reduced(e.Power(x, e.Scalar(2))))

    def _reduced(self, value: e.Node) -> Leaf:
        target = self.fresh(e.Scalar(1), self.shared(value))
        self.operations.append(Reduce(target, value))
        return target

    def _Softmax(self, node: e.Softmax) -> e.Node:
        return self._soft(node, False)

    def _Apply(self, node: e.Apply) -> e.Node:
        if node.declaration is None:
            raise MissingRuleError(f"{node.function} is an abstract function", hint="name a function that is declared")
        if (node.function, node.order) == ("log", 0) and isinstance(node.argument, e.Softmax):
            return self._soft(node.argument, True)
        inside = self.value(node.argument)
        return node if inside == node.argument else node.with_operands([inside])

    def _soft(self, node: e.Softmax, log: bool) -> e.Node:
        target = self.fresh(node, self.shared(node))
        self.operations.append(Soft(target, self.value(node.operands[0]), log))
        return target

    def _Block(self, node: e.Block) -> e.Node:
        return self._kept(node)

    def _Diag(self, node: e.Diag) -> e.Node:
        return e.Diag(self.value(node.operands[0]))


_ENTRYWISE = (
    e.Timed, e.Var, e.Scalar, e.Zero, e.Ones, e.Identity, e.OneHot, e.Neg, e.Hadamard, e.Divide, e.Power, e.Extreme, e.Transpose,
    e.DiagPart, e.Slice,
)  # fmt: skip


def _parts(node: e.Node) -> tuple[list[e.Node], list[e.Node]]:
    """The scalar factors of a product, and the others in their order."""
    factors = node.operands if isinstance(node, e.Times) else (node,)
    return [f for f in factors if f.is_scalar], [f for f in factors if not f.is_scalar]


def _matrix_of(node: e.Node) -> e.Var | None:
    """W of W or Wᵀ."""
    inner = node.operands[0] if isinstance(node, e.Transpose) else node
    return inner if isinstance(inner, e.Var) and ONE not in inner.shape else None


__all__ = [
    "Accumulate",
    "Contract",
    "Entrywise",
    "Flattener",
    "Leaf",
    "Multiply",
    "Operation",
    "Outer",
    "Reduce",
    "Soft",
]
