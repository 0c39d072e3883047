"""PyTorch's tensors, on the device where the arguments lie."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch

from numeric.arrays.torch_library import TORCH

Array = Any


class TorchArrays:
    """See :class:`numeric.backends.arrays.Arrays`."""

    library = TORCH

    def __init__(self, dtype: str, device: torch.device | None = None) -> None:
        self.name = dtype
        self.dtype: torch.dtype = getattr(torch, dtype)
        self.device = device or torch.device("cpu")

    def near(self, given: Iterable[Any]) -> TorchArrays:
        """On the first device that is not the CPU; what lies elsewhere is brought there."""
        devices = (value.device for value in given if isinstance(value, torch.Tensor))
        return TorchArrays(self.name, next((device for device in devices if device.type != "cpu"), None))

    def form(self, value: Any) -> Hashable | None:
        return (value.shape, value.dtype, value.device) if isinstance(value, torch.Tensor) else None

    def read(self, value: Any) -> Array:
        if not isinstance(value, (torch.Tensor, np.ndarray)):
            value = np.asarray(value)  # plain numbers have as many digits there as in Python
        return torch.as_tensor(value).detach()

    def letter(self, array: Array) -> str:
        if array.dtype == torch.bool:
            return "b"
        return "f" if array.dtype.is_floating_point else "c" if array.dtype.is_complex else "i"

    def numbers(self, array: Array) -> Array:
        return torch.as_tensor(array, dtype=self.dtype, device=self.device)

    def labels(self, array: Array) -> Array:
        return array.to(self.device, torch.int64)

    def whole(self, array: Array) -> bool:
        return not array.dtype.is_floating_point or bool((array == array.floor()).all())

    def finite(self, array: Array) -> bool:
        return bool(torch.isfinite(array).all())

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return torch.zeros(shape, **self.making())

    def indices(self, array: Array) -> Array:
        return torch.as_tensor(array, dtype=torch.int64, device=self.device)

    def chosen(self, condition: Array, value: Array) -> Array:
        wide = condition.reshape(*condition.shape, *[1] * (value.ndim - 2)).bool()
        return torch.where(wide, value, torch.zeros((), dtype=value.dtype, device=value.device))

    def put(self, array: Array, rows: slice, value: Array) -> Array:
        array[rows] = value
        return array

    def making(self) -> Any:
        return {"dtype": self.dtype, "device": self.device}

    def quietly(self) -> AbstractContextManager[Any]:
        return torch.no_grad()
