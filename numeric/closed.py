"""Closed formulas as NumPy functions: SymPy's ``lambdify`` with a printer of our own.

A formula such as ``diag(σ'(z_t)) W`` or ``Σ_t δ_t h_{t-1}ᵀ`` becomes one line of NumPy. Timed quantities are read by
time (``z[t]``, from an array, a list or a dictionary), so sums and products over time are loops over what is given.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from derive import expressions as e
from derive.errors import DataError, MissingRuleError
from derive.notation.names import alias_of
from numeric.functions import Array, numpy_function, softmax

_SUPPORT = {
    "_f": lambda name, order, x: numpy_function(name, order)(x),
    "_softmax": softmax,
    "_diag": lambda v: np.diag(v.ravel()),
    "_diag_part": lambda m: np.diagonal(m).reshape(-1, 1),
    "_total": lambda x: np.sum(x).reshape(1, 1),
    "_norm": lambda x, kind: (
        np.sqrt(np.sum(x * x)).reshape(1, 1) if kind == "F" or 1 in x.shape else np.linalg.norm(x, 2).reshape(1, 1)
    ),
    "_number": lambda x: np.array([[float(x)]]),
    "_power": np.linalg.matrix_power,
}
"""What the generated line calls beside NumPy itself."""


class NodePrinter(NumPyPrinter):
    """Expressions as NumPy code: one method an operation; every value has two axes."""

    def _print_Scalar(self, node: e.Scalar) -> str:
        return f"_number({self._print(node.value)})"

    def _print_Var(self, node: e.Var) -> str:
        return alias_of(node.name)

    def _print_Timed(self, node: e.Timed) -> str:
        return f"{alias_of(node.name)}[{self._print(node.time)}]"

    def _print_Zero(self, node: e.Zero) -> str:
        return f"numpy.zeros({self._shape(node)})"

    def _print_Ones(self, node: e.Ones) -> str:
        return f"numpy.ones({self._shape(node)})"

    def _print_Identity(self, node: e.Identity) -> str:
        return f"numpy.eye({self._print(node.size)})"

    def _shape(self, node: e.Node) -> str:
        return f"({', '.join(self._print(size) for size in node.shape)})"

    def _print_Plus(self, node: e.Plus) -> str:
        return f"({' + '.join(self._print(operand) for operand in node.operands)})"

    def _print_Neg(self, node: e.Neg) -> str:
        return f"(-{self._print(node.operands[0])})"

    def _print_Times(self, node: e.Times) -> str:
        if any(len(factor.shape) > 2 for factor in node.operands):
            raise MissingRuleError(
                "a derivative of a vector by a matrix is no array of two axes",
                hint="use the form in which it is contracted",
            )
        scalars = [self._print(f) for f in node.operands if f.is_scalar]
        chain = " @ ".join(self._print(f) for f in node.operands if not f.is_scalar)
        return f"({' * '.join([*scalars, f'({chain})'] if chain else scalars)})"

    def _print_Hadamard(self, node: e.Hadamard) -> str:
        return f"({' * '.join(self._print(operand) for operand in node.operands)})"

    def _print_Divide(self, node: e.Divide) -> str:
        return f"({' / '.join(self._print(operand) for operand in node.operands)})"

    def _print_Power(self, node: e.Power) -> str:
        exponent = (
            self._print(node.exponent.value) if isinstance(node.exponent, e.Scalar) else self._print(node.exponent)
        )
        return f"({self._print(node.base)} ** ({exponent}))"

    def _print_MatrixPower(self, node: e.MatrixPower) -> str:
        return f"_power({self._print(node.base)}, {self._print(node.exponent)})"

    def _print_Inverse(self, node: e.Inverse) -> str:
        return f"numpy.linalg.inv({self._print(node.operands[0])})"

    def _print_Transpose(self, node: e.Transpose) -> str:
        return f"{self._print(node.operands[0])}.T"

    def _print_Inner(self, node: e.Inner) -> str:
        a, b = (self._print(operand) for operand in node.operands)
        return f"_total({a} * {b})"

    def _print_SquaredNorm(self, node: e.SquaredNorm) -> str:
        return f"_total({self._print(node.operands[0])} ** 2)"

    def _print_Kron(self, node: e.Kron) -> str:
        return f"numpy.kron({', '.join(self._print(operand) for operand in node.operands)})"

    def _print_Diag(self, node: e.Diag) -> str:
        return f"_diag({self._print(node.operands[0])})"

    def _print_DiagPart(self, node: e.DiagPart) -> str:
        return f"_diag_part({self._print(node.operands[0])})"

    def _print_Trace(self, node: e.Trace) -> str:
        return f"_total(_diag_part({self._print(node.operands[0])}))"

    def _print_SumEntries(self, node: e.SumEntries) -> str:
        return f"_total({self._print(node.operands[0])})"

    def _print_Norm(self, node: e.Norm) -> str:
        return f"_norm({self._print(node.operands[0])}, {node.kind!r})"

    def _print_Block(self, node: e.Block) -> str:
        rows = ", ".join("[" + ", ".join(self._print(entry) for entry in row) + "]" for row in node.rows)
        return f"numpy.block([{rows}])"

    def _print_Slice(self, node: e.Slice) -> str:
        top, bottom, left, right = (self._print(bound) for bound in node.bounds)
        return f"{self._print(node.operands[0])}[{top}:{bottom}, {left}:{right}]"

    def _print_Vec(self, node: e.Vec) -> str:
        return f"{self._print(node.operands[0])}.T.reshape(-1, 1)"

    def _print_Apply(self, node: e.Apply) -> str:
        return f"_f({node.function!r}, {node.order}, {self._print(node.argument)})"

    def _print_Extreme(self, node: e.Extreme) -> str:
        return f"numpy.{node.kind}imum({', '.join(self._print(operand) for operand in node.operands)})"

    def _print_Softmax(self, node: e.Softmax) -> str:
        return f"_softmax({self._print(node.operands[0])}, {0 if node.shape[1] == e.ONE else 1})"

    def _over(self, node: e.OverTime, start: str, step: str) -> str:
        times = f"range({self._print(node.lower)}, {self._print(node.upper)} + 1)"
        return f"functools.reduce(lambda _value, {self._print(node.index)}: {step}, {times}, {start})"

    def _print_SumOver(self, node: e.SumOver) -> str:
        return self._over(node, f"numpy.zeros({self._shape(node)})", f"_value + {self._print(node.body)}")

    def _print_ProductOver(self, node: e.ProductOver) -> str:
        return self._over(node, f"numpy.eye({self._print(node.shape[0])})", f"{self._print(node.body)} @ _value")

    def emptyPrinter(self, node: Any) -> str:
        raise MissingRuleError(
            f"{type(node).__name__} has no value in a closed formula", hint="give it a name and pass its value"
        )

    _print_Derivative = _print_Gradient = _print_Call = _print_OneHot = _print_Relation = _print_Differential = (
        emptyPrinter
    )


@dataclass(frozen=True)
class ClosedFunction:
    """A formula as a function of its quantities.

    >>> from derive.cell import cell
    >>> f = closed_function(cell("rnn").jacobian("h_t", "h_{t-1}").result)
    >>> f.quantities, f.integers
    (('W', 'z'), ('t',))
    >>> import numpy as np
    >>> f({"W": np.eye(2), "z": {3: np.zeros(2)}}, t=3)
    array([[1., 0.],
           [0., 1.]])
    """

    quantities: tuple[str, ...]
    integers: tuple[str, ...]
    source: str
    _function: Any
    _shapes: Mapping[str, tuple[Any, ...]]
    _timed: frozenset[str]
    _result: tuple[Any, ...]

    def __call__(self, values: Mapping[str, Any], **integers: int) -> Array:
        """The value; vectors are 1-D arrays, scalars 0-D.

        Raises
        ------
        DataError : a quantity or an integer is missing, or has the wrong number of axes.
        """
        missing = [name for name in self.quantities if name not in values] + [
            name for name in self.integers if name not in integers
        ]
        if missing:
            raise DataError(
                f"no value is given for {', '.join(missing)}",
                expected=f"{', '.join((*self.quantities, *self.integers))}",
            )
        arrays = [self._converted(name, values[name]) for name in self.quantities]
        result = self._function(*arrays, *(integers[name] for name in self.integers))
        return result.reshape([n for n, size in zip(result.shape, self._result, strict=True) if size != e.ONE])

    def _converted(self, name: str, value: Any) -> Any:
        if name not in self._timed:
            return self._two_axes(name, np.asarray(value))
        if isinstance(value, Mapping):
            return {time: self._two_axes(name, np.asarray(entry)) for time, entry in value.items()}
        return [self._two_axes(name, np.asarray(entry)) for entry in value]

    def _two_axes(self, name: str, value: Array) -> Array:
        rows, columns = self._shapes[name]
        wanted = (rows != e.ONE) + (columns != e.ONE)
        if value.ndim not in (wanted, 2):
            raise DataError(f"{name} has {value.ndim} axes", expected=f"an array with {wanted}")
        return value.reshape((-1, 1) if columns == e.ONE else (1, -1)) if value.ndim < 2 else value


def closed_function(node: e.Node) -> ClosedFunction:
    """Compile a closed formula.

    Raises
    ------
    MissingRuleError : it contains a derivative, an abstract function, or a tensor with more than two axes.
    """
    leaves = sorted(node.atoms(e.Var, e.Timed), key=lambda leaf: leaf.name)
    shapes = {alias_of(leaf.name): leaf.shape for leaf in leaves}
    timed = frozenset(alias_of(leaf.name) for leaf in leaves if isinstance(leaf, e.Timed))
    integers = sorted({s.name for s in _integers(node)})
    arguments = [sp.Symbol(name) for name in (*shapes, *integers)]
    function = sp.lambdify(
        arguments, node, modules=[_SUPPORT, {"functools": __import__("functools"), "numpy": np}], printer=NodePrinter
    )
    return ClosedFunction(
        tuple(shapes), tuple(integers), inspect.getsource(function), function, shapes, timed, node.shape
    )


def _integers(node: e.Node) -> set[sp.Symbol]:
    """Times and sizes that the code refers to: those outside the shapes of quantities."""
    found: set[sp.Symbol] = set()
    bound = {part.index for part in node.atoms(e.OverTime)}
    for part in e.children_first(node):
        if isinstance(part, e.Timed):
            found |= part.time.free_symbols
        elif isinstance(part, (e.Scalar, e.Identity, e.Zero, e.Ones)):
            found |= {s for size in part.args if isinstance(size, sp.Expr) for s in size.free_symbols}
        elif isinstance(part, e.OverTime):
            found |= (
                part.lower.free_symbols
                | part.upper.free_symbols
                | {s for size in part.shape for s in size.free_symbols}
            )
        elif isinstance(part, (e.Slice, e.MatrixPower)):
            found |= {s for argument in part.args[1:] for s in argument.free_symbols}
    return found - bound
