"""Expressions: SymPy objects with shapes, written order and derivative rules."""

from derive.expressions import make
from derive.expressions.algebra import Divide, Hadamard, Inner, Inverse, Kron, MatrixPower, Neg, Plus, Power, SquaredNorm, Times, Transpose
from derive.expressions.calculus import Call, Derivative, Differential, Gradient, OverTime, ProductOver, Relation, SumOver, rebound
from derive.expressions.elementwise import Apply, Softmax
from derive.expressions.leaves import Identity, Leaf, OneHot, Ones, Scalar, Timed, Var, Zero, index, number, size
from derive.expressions.node import ONE, SCALAR, Conform, Node, Shape, as_node, children_first, is_scalar, is_vector, show_shape
from derive.expressions.structure import Block, Diag, DiagPart, Norm, Slice, SumEntries, Trace, Vec

__all__ = [
    "ONE",
    "SCALAR",
    "Apply",
    "Block",
    "Call",
    "Conform",
    "Derivative",
    "Diag",
    "DiagPart",
    "Differential",
    "Divide",
    "Gradient",
    "Hadamard",
    "Identity",
    "Inner",
    "Inverse",
    "Kron",
    "Leaf",
    "MatrixPower",
    "Neg",
    "Node",
    "Norm",
    "OneHot",
    "Ones",
    "OverTime",
    "Plus",
    "Power",
    "ProductOver",
    "Relation",
    "Scalar",
    "Shape",
    "Slice",
    "Softmax",
    "SquaredNorm",
    "SumEntries",
    "SumOver",
    "Timed",
    "Times",
    "Trace",
    "Transpose",
    "Var",
    "Vec",
    "Zero",
    "as_node",
    "children_first",
    "index",
    "is_scalar",
    "is_vector",
    "make",
    "number",
    "rebound", "show_shape",
    "size",
]  # fmt: skip
