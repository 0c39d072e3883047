"""How many processes work side by side."""

from __future__ import annotations

import os

from derive.errors import UsageError


def jobs_of(asked: int | None) -> int:
    """What ``--jobs`` asks for; without it, the cores that this process may use.

    >>> jobs_of(3)
    3
    """
    if asked is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if asked < 1:
        raise UsageError(f"--jobs is {asked}", expected="a number from 1 on")
    return asked


__all__ = ["jobs_of"]
