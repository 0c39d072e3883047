"""How much is tried: in every run what finds most in a quarter of an hour, and with BPTT_LONG=1 all that there is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")
LONG = bool(os.environ.get("BPTT_LONG"))


def some(items: Iterable[Item], every: int) -> list[Item]:
    """Of many alike every so many, the first among them; all of them in long runs."""
    return list(items)[:: 1 if LONG else every]
