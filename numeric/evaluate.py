"""The reference evaluator: the value of any expression, straight from its meaning, without any rewriting.

Every value is an array with the shape of its expression: scalars (1, 1), columns (n, 1), rows (1, n). It works on real
and complex NumPy arrays and, with :class:`numeric.torch_arrays.TorchArrays`, on torch tensors, where autograd follows
it. NumPy arrays may be stacks: an axis before those of the shape numbers the members, and a value that is the same for all
of them may do without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from sympy import Expr, Integer, lambdify

from derive import expressions as e
from derive.errors import DataError, MissingRuleError
from numeric.functions import Array, numpy_function, softmax, total
from numeric.trees import Tree

MAX_RANGE = 10_000
"""The most terms of a sum over time that are evaluated."""
MAX_NUMBER = 1e300
"""The largest constant."""


@lru_cache(maxsize=4096)
def _compiled(value: Expr) -> tuple[tuple[str, ...], Callable[..., float]]:
    """A size, a time or a constant as a function of the numbers of its symbols: the same few are evaluated over and
    over.
    """
    if value.is_number:
        if not value.is_finite:
            raise DataError(f"{value} is no number", expected="a time, a size or a bound that is finite")
        if abs(value) > MAX_NUMBER:
            raise DataError("a number is too large to be measured", expected=f"at most {MAX_NUMBER:g}")
        constant = int(value) if value.is_Integer else float(value)
        return (), lambda: constant
    symbols = sorted(value.free_symbols, key=lambda symbol: symbol.name)
    return tuple(symbol.name for symbol in symbols), lambdify(symbols, value, "math")


@lru_cache(maxsize=4096)
def _has_nodes(value: Expr) -> bool:
    """Whether nodes of a tree are found from others in it."""
    return bool(value.has(e.NodeIndex))


def _nodes(index: e.NodeIndex) -> tuple[Expr, ...]:
    """The nodes that another one is found from."""
    return index.args if isinstance(index, e.Edge) else index.args[:1]


class Arrays(Protocol):
    """The operations that the evaluator needs of an array library."""

    def constant(self, value: Any) -> Array: ...
    def matmul(self, a: Array, b: Array) -> Array: ...
    def transpose(self, a: Array) -> Array: ...
    def apply(self, name: str, order: int, x: Array) -> Array: ...
    def softmax(self, x: Array, axis: int) -> Array: ...
    def extreme(self, kind: str, a: Array, b: Array) -> Array: ...
    def diag(self, v: Array) -> Array: ...
    def diag_part(self, m: Array) -> Array: ...
    def total(self, x: Array) -> Array: ...
    def inverse(self, m: Array) -> Array: ...
    def norm(self, x: Array, kind: str) -> Array: ...
    def block(self, rows: list[list[Array]]) -> Array: ...
    def contract(self, a: Array, b: Array) -> Array: ...
    def kron(self, a: Array, b: Array) -> Array: ...


class NumpyArrays:
    """NumPy, real or complex; a matrix, or each of a stack of them, is in the last two axes."""

    def constant(self, value: Any) -> Array:
        return np.asarray(value, dtype=float)

    def matmul(self, a: Array, b: Array) -> Array:
        return a @ b

    def transpose(self, a: Array) -> Array:
        return np.swapaxes(a, -1, -2)

    def apply(self, name: str, order: int, x: Array) -> Array:
        return numpy_function(name, order)(x)

    def softmax(self, x: Array, axis: int) -> Array:
        return softmax(x, axis)

    def extreme(self, kind: str, a: Array, b: Array) -> Array:
        first = np.real(a) >= np.real(b) if kind == "max" else np.real(a) <= np.real(b)
        return np.where(first, a, b)

    def diag(self, v: Array) -> Array:
        entries = v.reshape((*v.shape[:-2], -1))
        matrix = np.zeros((*entries.shape, entries.shape[-1]), v.dtype)
        places = np.arange(entries.shape[-1])
        matrix[..., places, places] = entries
        return matrix

    def diag_part(self, m: Array) -> Array:
        return np.diagonal(m, axis1=-2, axis2=-1)[..., None]

    def total(self, x: Array) -> Array:
        return total(x)

    def inverse(self, m: Array) -> Array:
        return np.linalg.inv(m)

    def norm(self, x: Array, kind: str) -> Array:
        if kind == "F" or 1 in x.shape[-2:]:
            largest = float(np.max(np.abs(x), initial=0.0))
            scaled = x / largest if 0 < largest < np.inf else x
            return np.sqrt(self.total(scaled * scaled)) * (largest if 0 < largest < np.inf else 1.0)
        u, s, v = np.linalg.svd(np.real(x))
        value = s[..., :1, None]
        if np.iscomplexobj(x):  # the largest singular value moves by u^T dX v
            value = value + 1j * (np.swapaxes(u[..., :, :1], -1, -2) @ np.imag(x) @ np.swapaxes(v[..., :1, :], -1, -2))
        return value

    def block(self, rows: list[list[Array]]) -> Array:
        stack = np.broadcast_shapes(*(entry.shape[:-2] for row in rows for entry in row))
        return np.block([[np.broadcast_to(entry, stack + entry.shape[-2:]) for entry in row] for row in rows])

    def contract(self, a: Array, b: Array) -> Array:
        return np.tensordot(a, b, axes=(1, 0))

    def kron(self, a: Array, b: Array) -> Array:
        product = a[..., :, None, :, None] * b[..., None, :, None, :]
        return product.reshape((*product.shape[:-4], a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1]))


class Environment(Protocol):
    """Where an expression's quantities get their values from."""

    @property
    def tree(self) -> Tree | None:
        """The tree whose nodes stand in the place of times; None for a sequence."""

    def value(self, key: str, time: int | None) -> Array:
        """A quantity at a time, in the shape of its expression."""

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        """The value of an abstract function such as L_t(h_t)."""

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        """The value of a derivative that stands in an expression."""


class Evaluator:
    """Values of expressions in an environment.

    Parameters
    ----------
    environment : values of quantities.
    sizes  : numbers for n, d, T, ...
    times  : numbers for t, k, ...
    arrays : the array library.
    """

    def __init__(
        self,
        environment: Environment,
        sizes: Mapping[str, int],
        times: Mapping[str, int] | None = None,
        arrays: Arrays | None = None,
    ) -> None:
        self.environment = environment
        self.sizes = dict(sizes)
        self.times = dict(times or {})
        self.arrays: Arrays = arrays if arrays is not None else NumpyArrays()

    def at(self, **times: int) -> Evaluator:
        """The same evaluator with times set."""
        return Evaluator(self.environment, self.sizes, {**self.times, **times}, self.arrays)

    def number(self, value: Expr) -> float:
        """A size, a time or a constant as a number.

        Raises
        ------
        DataError : it contains a symbol without a value.
        """
        if value.is_Symbol and value.name in self.times:  # nearly all that is asked for, and often
            return self.times[value.name]
        names, formula = _compiled(self._found(value) if _has_nodes(value) else value)
        try:
            return formula(*(self.times[name] if name in self.times else self.sizes[name] for name in names))
        except KeyError as missing:
            raise DataError(
                f"no value is given for {missing.args[0]}", expected="a number for every size and time"
            ) from None

    def integer(self, value: Expr) -> int:
        """A time, a size or a bound.

        Raises
        ------
        DataError : it is no whole number.
        """
        number = self.number(value)
        if isinstance(number, int):
            return number
        if not math.isfinite(number) or abs(number - round(number)) > 1e-9:
            raise DataError(f"{value} is {number:g} here, which is no whole number")
        return round(number)

    def _found(self, value: Expr) -> Expr:
        """An index with the numbers of nodes for what is found from others."""
        tree = self.environment.tree
        if tree is None:
            raise DataError(f"{value} is a node of a tree, and there is none")
        outermost = [index for index in value.atoms(e.NodeIndex) if value.has(index)]
        numbers = {
            index: Integer(tree.find(index, [self.integer(arg) for arg in _nodes(index)])) for index in outermost
        }
        return value.xreplace(numbers)

    def range(self, lower: Expr, upper: Expr) -> range:
        """The numbers from one bound to another.

        Raises
        ------
        DataError : there are more than ``MAX_RANGE``.
        """
        first, last = self.integer(lower), self.integer(upper)
        if last - first >= MAX_RANGE:
            raise DataError(
                f"a sum or product over {last - first + 1:,} numbers is too long to be measured",
                expected=f"at most {MAX_RANGE:,}",
            )
        return range(first, last + 1)

    def shape(self, node: e.Node) -> tuple[int, ...]:
        return tuple(self.integer(size) for size in node.shape)

    def __call__(self, node: e.Node) -> Array:
        """The value of an expression."""
        method: Callable[[Any], Array] | None = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise MissingRuleError(f"{type(node).__name__} has no value")
        return method(node)

    # -- leaves ------------------------------------------------------------------------------------

    def _Scalar(self, node: e.Scalar) -> Array:
        return self.arrays.constant([[self.number(node.value)]])

    def _Var(self, node: e.Var) -> Array:
        return self.environment.value(node.name, None)

    def _Timed(self, node: e.Timed) -> Array:
        return self.environment.value(node.name, self.integer(node.time))

    def _Zero(self, node: e.Zero) -> Array:
        return self.arrays.constant(np.zeros(self.shape(node)))

    def _Ones(self, node: e.Ones) -> Array:
        return self.arrays.constant(np.ones(self.shape(node)))

    def _Identity(self, node: e.Identity) -> Array:
        return self.arrays.constant(np.eye(self.integer(node.size)))

    def _OneHot(self, node: e.OneHot) -> Array:
        label = round(float(np.real(np.asarray(self(node.label))).ravel()[0]))
        shape = self.shape(node)
        if not -max(shape) <= label < max(shape):  # numbers drawn for labels may be negative, and count from the end
            raise DataError(f"{node} has no entry {label}", expected=f"a label from 0 to {max(shape) - 1}")
        return self.arrays.constant(np.eye(max(shape))[label].reshape(shape))

    # -- algebra -----------------------------------------------------------------------------------

    def _Plus(self, node: e.Plus) -> Array:
        result = self(node.operands[0])
        for operand in node.operands[1:]:
            result = result + self(operand)
        return result

    def _Neg(self, node: e.Neg) -> Array:
        return -self(node.operands[0])

    def _Times(self, node: e.Times) -> Array:
        scalar, chain = None, None
        for factor in node.operands:
            value = self(factor)
            if factor.is_scalar:
                scalar = value if scalar is None else scalar * value
            elif len(factor.shape) > 2 and chain is not None:
                chain = self.arrays.contract(chain, value)
                chain = chain[0] if len(node.shape) == 2 and chain.ndim == 3 else chain
            else:
                chain = value if chain is None else self.arrays.matmul(chain, value)
        if chain is None or scalar is None:
            return chain if scalar is None else scalar
        return scalar * chain

    def _Hadamard(self, node: e.Hadamard) -> Array:
        result = self(node.operands[0])
        for operand in node.operands[1:]:
            result = result * self(operand)
        return result

    def _Divide(self, node: e.Divide) -> Array:
        above, below = node.operands
        return self(above) / self(below)

    def _Power(self, node: e.Power) -> Array:
        base = self(node.base)
        if isinstance(node.exponent, e.Scalar):
            exponent = self.number(node.exponent.value)
            return base ** (int(exponent) if float(exponent).is_integer() else exponent)
        return base ** self(node.exponent)

    def _MatrixPower(self, node: e.MatrixPower) -> Array:
        count = self.integer(node.exponent)
        base = self(node.base)
        if count < 0:
            base, count = self.arrays.inverse(base), -count
        result = self.arrays.constant(np.eye(base.shape[-1]))
        while count:
            if count & 1:
                result = self.arrays.matmul(result, base)
            base, count = self.arrays.matmul(base, base), count >> 1
        return result

    def _Inverse(self, node: e.Inverse) -> Array:
        return self.arrays.inverse(self(node.operands[0]))

    def _Transpose(self, node: e.Transpose) -> Array:
        return self.arrays.transpose(self(node.operands[0]))

    def _Inner(self, node: e.Inner) -> Array:
        a, b = node.operands
        return self._total(a, self(a) * self(b))

    def _SquaredNorm(self, node: e.SquaredNorm) -> Array:
        value = self(node.operands[0])
        return self._total(node.operands[0], value * value)

    def _total(self, node: e.Node, value: Array) -> Array:
        """The sum of the entries of what has the shape of a node."""
        return self.arrays.total(value if len(node.shape) == 2 else value.reshape(1, -1))

    def _Kron(self, node: e.Kron) -> Array:
        a, b = node.operands
        return self.arrays.kron(self(a), self(b))

    # -- structure ---------------------------------------------------------------------------------

    def _Diag(self, node: e.Diag) -> Array:
        return self.arrays.diag(self(node.operands[0]))

    def _DiagPart(self, node: e.DiagPart) -> Array:
        return self.arrays.diag_part(self(node.operands[0]))

    def _Trace(self, node: e.Trace) -> Array:
        return self.arrays.total(self.arrays.diag_part(self(node.operands[0])))

    def _SumEntries(self, node: e.SumEntries) -> Array:
        return self._total(node.operands[0], self(node.operands[0]))

    def _Norm(self, node: e.Norm) -> Array:
        return self.arrays.norm(self(node.operands[0]), node.kind)

    def _Block(self, node: e.Block) -> Array:
        return self.arrays.block([[self(entry) for entry in row] for row in node.rows])

    def _Slice(self, node: e.Slice) -> Array:
        top, bottom, left, right = (self.integer(bound) for bound in node.bounds)
        return self(node.operands[0])[..., top:bottom, left:right]

    def _Commutation(self, node: e.Commutation) -> Array:
        rows, columns = (self.integer(size) for size in node.args)
        stacked = np.arange(rows * columns).reshape(columns, rows).T  # entry (i, j) of A is at j * rows + i of vec(A)
        matrix = np.zeros((rows * columns, rows * columns))
        matrix[np.arange(rows * columns), stacked.ravel()] = 1.0
        return self.arrays.constant(matrix)

    def _Vec(self, node: e.Vec) -> Array:
        value = self.arrays.transpose(self(node.operands[0]))
        return value.reshape((*value.shape[:-2], value.shape[-2] * value.shape[-1], 1))

    # -- functions ---------------------------------------------------------------------------------

    def _Apply(self, node: e.Apply) -> Array:
        return self.arrays.apply(node.function, node.order, self(node.argument))

    def _Extreme(self, node: e.Extreme) -> Array:
        a, b = (self(operand) for operand in node.operands)
        return self.arrays.extreme(node.kind, a, b)

    def _Softmax(self, node: e.Softmax) -> Array:
        value = self(node.operands[0])
        return self.arrays.softmax(value, -2 if node.shape[1] == e.ONE else -1)

    # -- calculus ----------------------------------------------------------------------------------

    def _SumOver(self, node: e.SumOver) -> Array:
        result = None
        for value in self.range(node.lower, node.upper):
            term = self.at(**{node.index.name: value})(node.body)
            result = term if result is None else result + term
        return self.arrays.constant(np.zeros(self.shape(node))) if result is None else result

    def _SumOverChildren(self, node: e.SumOverChildren) -> Array:
        result = self.arrays.constant(np.zeros(self.shape(node)))
        tree = self.environment.tree
        for child in tree.children(self.integer(node.node)) if tree is not None else ():
            result = result + self.at(**{node.index.name: child})(node.body)
        return result

    def _ProductOverPath(self, node: e.ProductOverPath) -> Array:
        result = self.arrays.constant(np.eye(self.shape(node)[0]))
        tree, lower, upper = self.environment.tree, self.integer(node.lower), self.integer(node.upper)
        for place in tree.path(lower, upper) if tree is not None else ():
            result = self.arrays.matmul(self.at(**{node.index.name: place})(node.body), result)
        return result

    def _ProductOver(self, node: e.ProductOver) -> Array:
        result = self.arrays.constant(np.eye(self.shape(node)[0]))
        for value in self.range(node.lower, node.upper):
            result = self.arrays.matmul(self.at(**{node.index.name: value})(node.body), result)
        return result

    def _Call(self, node: e.Call) -> Array:
        time = self.integer(node.value.time) if isinstance(node.value, e.Timed) else None
        return self.environment.function(node, time, [self(argument) for argument in node.arguments])

    def _Derivative(self, node: e.Derivative) -> Array:
        return self.environment.derivative(node, self)

    def _Gradient(self, node: e.Gradient) -> Array:
        return self.environment.derivative(node, self)
