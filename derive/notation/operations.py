"""The meaning of a formula before shapes are known: a tree of operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from derive.notation.source import Span


@dataclass(frozen=True)
class Pre:
    """An operation whose shape is still open. ``op`` names it, ``data`` holds what is not an operand."""

    op: str
    args: tuple[Pre, ...] = ()
    data: Any = None
    span: Span | None = None
