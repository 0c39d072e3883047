"""Half as many bits, where they do."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def cast(precision: str, device: str) -> AbstractContextManager[Any]:
    """In which products and a few other operations are computed in that precision, as ``torch.autocast`` chooses them; ``full`` changes
    nothing.

    >>> with cast("bfloat16", "cpu"):
    ...     (torch.ones(1, 1) @ torch.ones(1, 1)).dtype
    torch.bfloat16
    """
    return (
        nullcontext() if precision == "full" else torch.autocast(torch.device(device).type, getattr(torch, precision))
    )


__all__ = ["cast"]
