"""The processes of a run, as ``torchrun`` starts them: one group, one that writes, one message when something goes wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed.rendezvous import rendezvous

from derive.errors import UsageError
from training.errors import TrainingError
from training.run.share import Share

Value = TypeVar("Value")
_PATIENCE = timedelta(hours=6)
"""How long processes wait for the first one, which evaluates and writes alone. One that ends is noticed at once, by its connection."""
_MEETING = timedelta(minutes=5)
"""How long they wait for each other at the beginning."""
_LOST = re.compile(r"gloo|nccl|peer|connection|socket|store", re.IGNORECASE)


@dataclass(frozen=True)
class Processes:
    """All of them, as seen by one.

    Parameters
    ----------
    rank     : the number of this one; 0 alone writes and reports.
    ranks    : how many there are.
    local    : its number on its machine, which is that of its GPU.
    machines : on how many they run.
    """

    rank: int = 0
    ranks: int = 1
    local: int = 0
    machines: int = 1
    _store: Any = field(default=None, repr=False)

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and reports."""
        return self.rank == 0

    def share(self) -> Share:
        """What this process takes of each batch."""
        return Share(self.rank, self.ranks)

    def same(self, value: Value | None) -> Value:
        """What the first process has, for all of them."""
        given: list[Any] = [value]
        if self.ranks > 1:
            distributed.broadcast_object_list(given)
        found: Value = given[0]
        return found

    def choose_device(self, device: str) -> None:
        """Let ``cuda`` be the GPU with this process's number.

        Raises
        ------
        UsageError : the device is one that processes cannot share.
        """
        if self.ranks == 1 or device == "cpu":
            return
        if device != "cuda":
            raise UsageError(
                f"--device {device} is one device, and there are {self.ranks} processes",
                expected="cpu, or cuda, where each process takes the GPU with its number",
            )
        if self.local >= torch.cuda.device_count():
            raise UsageError(
                f"this machine has {torch.cuda.device_count()} GPUs, and more processes",
                expected="as many processes on a machine as it has GPUs: torchrun --nproc-per-node",
            )
        torch.cuda.set_device(self.local)

    def tells(self) -> bool:
        """Whether no other process has told what went wrong; asked once, by each that fails."""
        if self._store is None:
            return True
        try:
            told: bytes = self._store.compare_set("bptt-told", "", str(self.rank))
        except RuntimeError:  # it has ended with the process that kept it, which has told
            return self.first
        return told == str(self.rank).encode()

    def launcher(self) -> str:
        """The words of a command line that start as many.

        >>> Processes(ranks=4, machines=2).launcher()
        'torchrun --nnodes 2 --nproc-per-node 2 -m bptt'
        """
        if self.ranks == 1:
            return "bptt"
        nodes = f"--nnodes {self.machines} " if self.machines > 1 else ""
        return f"torchrun {nodes}--nproc-per-node {self.ranks // self.machines} -m bptt"


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that ``torchrun`` started, or this one alone.

    Raises
    ------
    TrainingError : the others cannot be reached, or one of them has ended.
    """
    if (os.environ.get("WORLD_SIZE") or "1") == "1":
        yield Processes()
        return
    try:
        found = _joined()
    except (RuntimeError, ValueError) as error:  # an address that is wrong, or a variable of the environment
        raise TrainingError(
            f"the processes of the run cannot reach each other: {str(error).splitlines()[0]}",
            hint="torchrun starts them, and says by --master-addr where the first one is",
        ) from None
    try:
        yield found
    except RuntimeError as error:
        if not _LOST.search(str(error)):
            raise
        raise TrainingError(
            "another process of the run has ended", hint="what it said stands above; --resume goes on"
        ) from None
    else:
        distributed.destroy_process_group()


def _joined() -> Processes:
    store, rank, ranks = next(rendezvous("env://", timeout=_MEETING))
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=ranks, timeout=_PATIENCE)
    local = int(os.environ.get("LOCAL_RANK", rank))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", ranks))
    return Processes(rank, ranks, local, max(1, ranks // here), store)


__all__ = ["Processes", "joined"]
