"""Where the arrays of a pass lie in the memory of a call, for a length and a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from numeric.native.memory import ALIGNED
from numeric.native.plan import Pass
from numeric.native.threads import most

ENOUGH = 5e7
"""Multiplications from which on a second thread is worth waking."""
SLICE = 8
"""Rows of a slice where there are several threads: as many as a tile has, so that weights are read seldom and nobody waits long."""
LARGEST = 64
"""Rows of a slice where one thread computes."""
PIECE = 256
"""Rows times steps of a piece of time: what is passed on within it stays in a cache."""


@dataclass(frozen=True)
class View:
    """An array in the memory of a call: what is returned, or else scratch memory."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    scratch: bool


class Layout:
    """Memory of a pass: results with the sums first, and scratch memory for panels, inner arrays and the rooms of threads.

    Attributes
    ----------
    bytes, scratch : the sizes of both.
    rows, steps    : of a slice, and of a piece of time.
    threads        : how many work on it.
    rooms, sums    : for every thread, where its room begins in scratch memory, and its sums; the first adds to the results.
    """

    def __init__(self, plan: Pass, length: int, batch: int) -> None:
        size = plan.v.bytes
        self.length, self.batch = length, batch
        self.dtype = np.dtype("f8" if plan.double else "f4")
        self.views: dict[str, View] = {}
        self.bytes = _up(plan.sums * size)
        self.scratch = _up(plan.pack_numbers * size)
        for name in plan.places:
            self._placed(plan, name)
        threads = most() if plan.work * length * batch > ENOUGH and batch > 1 else 1
        self.rows = max(1, min(batch, LARGEST) if threads == 1 else min(SLICE, -(-batch // threads)))
        self.steps = max(1, min(length, PIECE // self.rows))
        self.slices = [(first, min(batch, first + self.rows)) for first in range(0, batch, self.rows)]
        self.threads = max(1, min(threads, len(self.slices)))
        room = _up((plan.step * self.rows + plan.piece * self.rows * self.steps) * size) + ALIGNED
        self.rooms = [self.scratch + k * room for k in range(self.threads)]
        self.scratch += self.threads * room
        self.sums_bytes = _up(plan.sums * size)
        self.sums = [self.scratch + (k - 1) * self.sums_bytes for k in range(self.threads)]
        self.scratch += (self.threads - 1) * self.sums_bytes
        self.head = (length, batch, self.rows, self.steps)

    def _placed(self, plan: Pass, name: str) -> None:
        place, size = plan.places[name], plan.v.bytes
        storage = place.storage
        body = tuple(int(axis.xreplace(dict(plan.sizes))) for axis in storage.shape if axis != 1)
        inner = tuple(math.prod(body[k + 1 :]) * size for k in range(len(body)))
        if place.where == "sum":
            self.views[name] = View(place.number * size, body, inner, False)
        elif place.where == "array" and name not in plan.outer:
            width = place.width * size
            rows = self.length + storage.before + storage.after
            lead = (rows, self.batch) if storage.timed else (self.batch,) if storage.batched else ()
            steps = (self.batch * width, width)[-len(lead) :] if lead else ()
            taken = _up(math.prod(lead) * width)
            scratch = name not in plan.results
            self.views[name] = View(self.scratch if scratch else self.bytes, lead + body, steps + inner, scratch)
            if scratch:
                self.scratch += taken
            else:
                self.bytes += taken


def _up(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


__all__ = ["Layout", "View"]
