"""The functions that generated modules use, as source: stable where a formula alone would overflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from derive.errors import MissingRuleError
from derive.functions import ElementwiseFunction, elementwise

_BASIC = {
    "padded": '''
def padded(x, before, after, first=0, last=0):
    """An array over time with rows of zeros around it; the first and the last of them hold ones, where adjoints are zero."""
    rows = np.zeros((before + len(x) + after, *x.shape[1:]), x.dtype)
    rows[:first], rows[len(rows) - last :] = 1, 1
    rows[before : before + len(x)] = x
    return rows
''',
    "outer_sum": '''
def outer_sum(a, b):
    """The sum of a bᵀ over all leading axes, as one matrix product."""
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])
''',
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
_NEEDS = {"silu": ("sigma",), "erf": ("import math",)}
_PLAIN = {"tanh", "exp", "log", "sin", "cos", "sinh", "cosh", "arctan", "sqrt", "abs", "sign"}
"""Functions that NumPy has by the same name."""


def helper_names() -> tuple[str, ...]:
    """Names that helpers may have."""
    from derive.functions import declared

    functions = [f.name for f in declared()]
    return (*_BASIC, *functions, *(f"{name}{'_prime' * order}" for name in functions for order in (1, 2)))


def helper_source(names: Iterable[str]) -> Iterator[str]:
    """The source of each helper, each after what it needs."""
    done: dict[str, str] = {}
    for name in sorted(names):
        _define(name, done)
    yield from done.values()


def _define(name: str, done: dict[str, str]) -> None:
    if name in done:
        return
    if name.startswith("import "):
        done[name] = name
        return
    base = name.removesuffix("_prime")
    if name in _BASIC:
        for needed in _NEEDS.get(name, ()):
            _define(needed, done)
        done[name] = _BASIC[name].strip()
    elif name in _PLAIN:
        done[name] = f"{name} = np.{name}"
    else:
        order = name.count("_prime")
        declared = elementwise(base.removesuffix("_prime") if order < 2 else name[: name.index("_prime")])
        if declared is None:
            raise MissingRuleError(f"{name} is no function that is declared")
        done[name] = _derivative(name, declared, order, done)


def _derivative(name: str, declared: ElementwiseFunction, order: int, done: dict[str, str]) -> str:
    """A derivative by its output where there is such a formula, else from the definition."""
    y = sp.Symbol("y")
    by_output = declared.derivative_in_output(y, order) if order else None
    if by_output is not None:
        _define(declared.name, done)
        formula = _printed(sp.factor(by_output) if order == 1 else by_output)
        return f"def {name}(z):\n    y = {declared.name}(z)\n    return {formula}"
    z = sp.Symbol("z", real=True)
    formula_z = declared.derivative(z, order) if order else declared.definition(z)
    if formula_z.has(sp.erf):
        _define("erf", done)
    return f"def {name}(z):\n    return {_printed(formula_z)} + 0 * z"


class _Printer(NumPyPrinter):
    def _print_erf(self, expr: sp.Expr) -> str:
        return f"erf({self._print(expr.args[0])})"


def _printed(formula: sp.Expr) -> str:
    text: str = _Printer({"fully_qualified_modules": False}).doprint(formula)
    return _qualified(text)


def _qualified(text: str) -> str:
    """NumPy's functions with their module."""
    import re

    names = (
        "exp",
        "log",
        "tanh",
        "cosh",
        "sinh",
        "sqrt",
        "select",
        "less",
        "greater",
        "less_equal",
        "greater_equal",
        "sin",
        "cos",
        "sign",
        "abs",
        "pi",
        "arctan",
        "nan",
        "equal",
        "logical_and",
    )
    return re.sub(rf"(?<![\w.])({'|'.join(names)})\b", r"np.\1", text)
