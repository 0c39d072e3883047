"""NumPy as a library for generated code."""

from __future__ import annotations

from sympy import Expr
from sympy.printing.numpy import NumPyPrinter

from numeric.arrays.library import OUTER_SUM, Elementwise, Library

_HELPERS = {
    "padded": '''
def padded(x, before, after, first=0, last=0):
    """An array over time with rows of zeros around it; the first and the last of them hold ones, where adjoints are zero."""
    rows = np.zeros((before + len(x) + after, *x.shape[1:]), x.dtype)
    rows[:first], rows[len(rows) - last :] = 1, 1
    rows[before : before + len(x)] = x
    return rows
''',
    "outer_sum": OUTER_SUM,
    "sum_by_parent": '''
def sum_by_parent(values, parent):
    """For every node the sum of what its children bring; ``values`` has a row for each node, as a child."""
    total = np.zeros((len(parent), *values.shape[1:]), values.dtype)
    np.add.at(total, parent[1:-1], values)
    return total
''',
    "joined": '''
def joined(parts, axis):
    """Arrays end to end along an axis; leading axes are broadcast."""
    lead = np.broadcast_shapes(*(part.shape[: part.ndim + axis] for part in parts))
    return np.concatenate([np.broadcast_to(part, (*lead, *part.shape[part.ndim + axis :])) for part in parts], axis)
''',
    "one_hot": '''
def one_hot(labels, size, dtype):
    """1 at the index that a label names, 0 elsewhere."""
    return (np.asarray(labels)[..., None] == np.arange(size)).astype(dtype)
''',
    "softmax": '''
def softmax(z):
    """exp(z) / sum exp(z), shifted by the largest entry so that nothing overflows."""
    p = np.exp(z - z.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)
''',
    "sigma": '''
def sigma(z):
    """The logistic function; where exp(-z) is too large for a number, 1 / inf is the 0 that is meant."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))
''',
    "softplus": '''
def softplus(z):
    """log(1 + exp(z)), without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
''',
    "log_softmax": '''
def log_softmax(z):
    """The logarithm of softmax(z), which has a value where softmax itself is too small for one."""
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))
''',
    "log_sigma": '''
def log_sigma(z):
    """The logarithm of the logistic function, which has a value where the function itself is too small for one."""
    return np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))
''',
    "relu": '''
def relu(z):
    return np.maximum(z, 0)
''',
    "silu": '''
def silu(z):
    return z * sigma(z)
''',
    "erf": '''
def erf(z):
    """The error function, entry by entry."""
    return np.vectorize(math.erf, otypes=[float])(z).astype(np.asarray(z).dtype)
''',
}  # fmt: skip
_SPELLINGS = {
    "zeros": "np.zeros({shape}, dtype)",
    "empty": "np.empty({shape}, dtype)",
    "ones": "np.ones({shape}, dtype)",
    "identity": "np.eye({size}, dtype=dtype)",
    "array": "np.asarray({x})",
    "number": "{x}",
    "filled": "np.array(np.broadcast_to({x}, {shape}), dtype)",
    "broadcast": "np.broadcast_to({x}, {shape})",
    "shape": "np.shape({x})",
    "range": "np.arange({first}, {last}, dtype=dtype)",
    "cast": "{x}.astype(dtype)",
    "swapped": "np.swapaxes({x}, -1, -2)",
    "abs": "np.abs({x})",
    "sqrt": "np.sqrt({x})",
    "spectral": "np.linalg.norm({x}, 2, (-2, -1))",
    "trace": "np.trace({x}, axis1=-2, axis2=-1)",
    "diagonal": "np.diagonal({x}, axis1=-2, axis2=-1)",
    "inverse": "np.linalg.inv({x})",
    "power": "np.linalg.matrix_power({x}, {exponent})",
    "joined": "np.concatenate([{x}], {axis})",
    "maximum": "np.maximum({x})",
    "put": "{name}[{row}] = {value}",
    "add": "{name}[{row}] += {value}",
    "truth": "float({x})",
    "clock": "({t} + 1)",
    "minimum": "np.minimum({x})",
}
_PLAIN = {"arctan": "np.arctan", "sign": "np.sign"}
_PLAIN |= {name: f"np.{name}" for name in ("tanh", "exp", "log", "sin", "cos", "sinh", "cosh", "sqrt", "abs")}


class _Printer(Elementwise, NumPyPrinter):
    module = "np"

    def doprint(self, expr: Expr) -> str:
        return str(super().doprint(expr)).replace("numpy.", "np.")


NUMPY = Library(
    name="numpy",
    opening="import numpy as np",
    kind="dtype",
    spellings=_SPELLINGS,
    helpers=_HELPERS,
    needs={"silu": ("sigma",), "erf": ("import math",)},
    plain=_PLAIN,
    printer=_Printer,
)

__all__ = ["NUMPY"]
