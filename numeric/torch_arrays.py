"""torch tensors for the reference evaluator, so that autograd can referee what was derived. The only place here that
imports torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from derive.functions import elementwise
from numeric.functions import Array, stand_in

_FUNCTIONS = {
    "sigma": torch.sigmoid, "tanh": torch.tanh, "exp": torch.exp, "log": torch.log, "sin": torch.sin, "cos": torch.cos, "sinh": torch.sinh,
    "cosh": torch.cosh, "arctan": torch.atan, "sqrt": torch.sqrt, "abs": torch.abs, "sign": torch.sign, "relu": torch.relu,
    "softplus": torch.nn.functional.softplus, "silu": torch.nn.functional.silu, "gelu": torch.nn.functional.gelu, "erf": torch.erf,
    "step": lambda x: (torch.sign(x) + 1) / 2, "positive": lambda x: (x > 0).to(x.dtype),
    "elu": torch.nn.functional.elu, "leaky_relu": torch.nn.functional.leaky_relu,
    "hardtanh": torch.nn.functional.hardtanh, "softsign": torch.nn.functional.softsign, "mish": torch.nn.functional.mish,
}  # fmt: skip


class TorchArrays:
    """torch tensors in float64."""

    dtype = torch.float64

    def constant(self, value: Any) -> Array:
        return torch.as_tensor(np.asarray(value, dtype=float), dtype=self.dtype)

    def matmul(self, a: Array, b: Array) -> Array:
        return a @ b

    def transpose(self, a: Array) -> Array:
        return a.T

    def apply(self, name: str, order: int, x: Array) -> Array:
        """A declared function; its derivatives come from autograd, not from our declarations."""
        declared = elementwise(name)
        if declared is None:
            a, b, c, d = stand_in(name)
            result = a * torch.tanh(b * x + c) + d * x
        else:
            result = _FUNCTIONS[declared.name](x)
        for _ in range(order):
            (result,) = torch.autograd.grad(result.sum(), x, create_graph=True)
        return result

    def softmax(self, x: Array, axis: int) -> Array:
        return torch.softmax(x, dim=axis)

    def extreme(self, kind: str, a: Array, b: Array) -> Array:
        return torch.maximum(a, b) if kind == "max" else torch.minimum(a, b)

    def diag(self, v: Array) -> Array:
        return torch.diag(v.reshape(-1))

    def diag_part(self, m: Array) -> Array:
        return torch.diagonal(m).reshape(-1, 1)

    def total(self, x: Array) -> Array:
        return x.sum().reshape(1, 1)

    def inverse(self, m: Array) -> Array:
        return torch.linalg.inv(m)

    def norm(self, x: Array, kind: str) -> Array:
        if kind == "F" or 1 in x.shape:
            return torch.linalg.norm(x).reshape(1, 1)
        return torch.linalg.matrix_norm(x, 2).reshape(1, 1)

    def block(self, rows: list[list[Array]]) -> Array:
        return torch.cat([torch.cat(row, dim=1) for row in rows], dim=0)

    def contract(self, a: Array, b: Array) -> Array:
        return torch.tensordot(a, b, dims=1)

    def kron(self, a: Array, b: Array) -> Array:
        return torch.kron(a, b)
