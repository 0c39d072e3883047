"""JAX as a library for generated code: arrays that cannot be changed, and loops by lax.scan."""

from __future__ import annotations

from sympy import Expr
from sympy.printing.numpy import JaxPrinter

from numeric.arrays.library import OUTER_SUM, Elementwise, Library

_HELPERS = {
    "padded": '''
def padded(x, before, after, first=0, last=0):
    """An array over time with rows of zeros around it; the first and the last of them hold ones, where adjoints are zero."""
    ends = [(first, 1), (before - first, 0), (after - last, 0), (last, 1)]
    rows = [jnp.full((count, *x.shape[1:]), value, x.dtype) for count, value in ends]
    return jnp.concatenate([*rows[:2], x, *rows[2:]])
''',
    "outer_sum": OUTER_SUM,
    "joined": '''
def joined(parts, axis):
    """Arrays end to end along an axis; leading axes are broadcast."""
    lead = jnp.broadcast_shapes(*(part.shape[: part.ndim + axis] for part in parts))
    return jnp.concatenate([jnp.broadcast_to(part, (*lead, *part.shape[part.ndim + axis :])) for part in parts], axis)
''',
    "one_hot": '''
def one_hot(labels, size, dtype):
    """1 at the index that a label names, 0 elsewhere."""
    return (jnp.asarray(labels)[..., None] == jnp.arange(size)).astype(dtype)
''',
    "softplus": '''
def softplus(z):
    """log(1 + exp(z)), without overflow."""
    return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))
''',
    "softmax": '''
def softmax(z):
    return jax.nn.softmax(z, -1)
''',
    "log_softmax": '''
def log_softmax(z):
    """The logarithm of softmax(z), which has a value where softmax itself is too small for one."""
    return jax.nn.log_softmax(z, -1)
''',
    "relu": '''
def relu(z):
    return jnp.maximum(z, 0)
''',
}  # fmt: skip
_SPELLINGS = {
    "zeros": "jnp.zeros({shape}, dtype)",
    "empty": "jnp.zeros({shape}, dtype)",
    "ones": "jnp.ones({shape}, dtype)",
    "identity": "jnp.eye({size}, dtype=dtype)",
    "array": "jnp.asarray({x}, dtype)",
    "number": "jnp.asarray({x}, dtype)",
    "filled": "jnp.broadcast_to(jnp.asarray({x}, dtype), {shape})",
    "broadcast": "jnp.broadcast_to({x}, {shape})",
    "shape": "jnp.shape({x})",
    "range": "jnp.arange({first}, {last}, dtype=dtype)",
    "cast": "{x}.astype(dtype)",
    "swapped": "jnp.swapaxes({x}, -1, -2)",
    "abs": "jnp.abs({x})",
    "sqrt": "jnp.sqrt({x})",
    "spectral": "jnp.linalg.norm({x}, 2, (-2, -1))",
    "trace": "jnp.trace({x}, axis1=-2, axis2=-1)",
    "diagonal": "jnp.diagonal({x}, axis1=-2, axis2=-1)",
    "inverse": "jnp.linalg.inv({x})",
    "power": "jnp.linalg.matrix_power({x}, {exponent})",
    "joined": "jnp.concatenate([{x}], {axis})",
    "maximum": "jnp.maximum({x})",
    "put": "{name} = {name}.at[{row}].set({value})",
    "add": "{name} = {name}.at[{row}].add({value})",
    "truth": "jnp.asarray({x}, dtype)",
    "clock": "({t} + 1.0)",
    "minimum": "jnp.minimum({x})",
}
_PLAIN = {"arctan": "jnp.arctan", "sign": "jnp.sign", "sigma": "jax.nn.sigmoid", "log_sigma": "jax.nn.log_sigmoid"}
_PLAIN |= {"silu": "jax.nn.silu", "erf": "jax.scipy.special.erf"}
_PLAIN |= {name: f"jnp.{name}" for name in ("tanh", "exp", "log", "sin", "cos", "sinh", "cosh", "sqrt", "abs")}


class _Printer(Elementwise, JaxPrinter):
    module = "jnp"

    def doprint(self, expr: Expr) -> str:
        return str(super().doprint(expr)).replace("jax.numpy.", "jnp.")


JAX = Library(
    name="jax",
    opening="import jax\nimport jax.numpy as jnp\nfrom jax import lax",
    kind="dtype",
    spellings=_SPELLINGS,
    helpers=_HELPERS,
    needs={},
    plain=_PLAIN,
    printer=_Printer,
    scans=True,
)

__all__ = ["JAX"]
