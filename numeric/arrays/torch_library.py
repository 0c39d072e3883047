"""PyTorch as a library for generated code: tensors on any device."""

from __future__ import annotations

from sympy.printing.pytorch import TorchPrinter

from numeric.arrays.library import OUTER_SUM, Elementwise, Library

_HELPERS = {
    "padded": '''
def padded(x, before, after, first=0, last=0):
    """A tensor over time with rows of zeros around it; the first and the last of them hold ones, where adjoints are zero."""
    rows = x.new_zeros((before + len(x) + after, *x.shape[1:]))
    rows[:first], rows[len(rows) - last :] = 1, 1
    rows[before : before + len(x)] = x
    return rows
''',
    "outer_sum": OUTER_SUM,
    "sum_by_parent": '''
def sum_by_parent(values, parent):
    """For every node the sum of what its children bring; ``values`` has a row for each node, as a child."""
    return values.new_zeros((len(parent), *values.shape[1:])).index_add_(0, parent[1:-1], values)
''',
    "joined": '''
def joined(parts, axis):
    """Tensors end to end along an axis; leading axes are broadcast."""
    lead = torch.broadcast_shapes(*(part.shape[: part.ndim + axis] for part in parts))
    return torch.cat([part.expand(*lead, *part.shape[part.ndim + axis :]) for part in parts], axis)
''',
    "one_hot": '''
def one_hot(labels, size, like):
    """1 at the index that a label names, 0 elsewhere."""
    labels = torch.as_tensor(labels, device=like["device"])
    return (labels[..., None] == torch.arange(size, device=like["device"])).to(like["dtype"])
''',
    "softmax": '''
def softmax(z):
    return torch.softmax(z, -1)
''',
    "log_softmax": '''
def log_softmax(z):
    """The logarithm of softmax(z), which has a value where softmax itself is too small for one."""
    return torch.log_softmax(z, -1)
''',
    "softplus": '''
def softplus(z):
    """log(1 + exp(z)), without overflow and without a threshold."""
    return torch.relu(z) + torch.log1p(torch.exp(-torch.abs(z)))
''',
    "erf": '''
erf = torch.erf
''',
}  # fmt: skip
_SPELLINGS = {
    "zeros": "torch.zeros({shape}, **like)",
    "empty": "torch.empty({shape}, **like)",
    "ones": "torch.ones({shape}, **like)",
    "identity": "torch.eye({size}, **like)",
    "array": "torch.as_tensor({x}, **like)",
    "number": "torch.as_tensor({x}, **like)",
    "filled": "torch.as_tensor({x}, **like).expand({shape}).clone()",
    "broadcast": "torch.as_tensor({x}, **like).expand({shape})",
    "shape": "getattr({x}, 'shape', ())",
    "range": "torch.arange({first}, {last}, **like)",
    "cast": "{x}.to(like['dtype'])",
    "swapped": "torch.swapaxes({x}, -1, -2)",
    "abs": "torch.abs({x})",
    "sqrt": "torch.sqrt({x})",
    "spectral": "torch.linalg.matrix_norm({x}, 2)",
    "trace": "torch.diagonal({x}, dim1=-2, dim2=-1).sum(-1)",
    "diagonal": "torch.diagonal({x}, dim1=-2, dim2=-1)",
    "inverse": "torch.linalg.inv({x})",
    "power": "torch.linalg.matrix_power({x}, {exponent})",
    "joined": "torch.cat([{x}], {axis})",
    "maximum": "torch.maximum({x})",
    "put": "{name}[{row}] = {value}",
    "add": "{name}[{row}] += {value}",
    "truth": "float({x})",
    "clock": "({t} + 1)",
    "minimum": "torch.minimum({x})",
}
_PLAIN = {"arctan": "torch.arctan", "sigma": "torch.sigmoid", "log_sigma": "torch.nn.functional.logsigmoid"}
_PLAIN |= {"silu": "torch.nn.functional.silu"}
_PLAIN |= {
    name: f"torch.{name}"
    for name in ("tanh", "exp", "log", "sin", "cos", "sinh", "cosh", "sqrt", "abs", "sign", "relu")
}


class _Printer(Elementwise, TorchPrinter):
    module = "torch"


TORCH = Library(
    name="torch",
    opening="import torch",
    kind="like",
    spellings=_SPELLINGS,
    helpers=_HELPERS,
    needs={},
    plain=_PLAIN,
    printer=_Printer,
)

__all__ = ["TORCH"]
