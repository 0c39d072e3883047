"""The loop: a step, a row of the curve now and then, a checkpoint now and then, and a clean stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from training.run.checkpoint import Progressed
from training.run.record import Record
from training.run.stepping import Stepping

Report = Callable[[int, int, float, float], None]
"""Is told (steps made, of how many, the loss of the last one, seconds left)."""
ROWS = 500
"""About the most rows that a curve has."""


class Stopped(KeyboardInterrupt):
    """The run was asked to stop; its checkpoint is written."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


def run(
    stepping: Stepping,
    steps: int,
    record: Record | None,
    at: Progressed,
    report: Report = lambda *told: None,
    checkpoint_every: int = 0,
    seconds_between: float = 60.0,
) -> Progressed:
    """Make the updates that are missing.

    Parameters
    ----------
    record           : where rows and checkpoints go; None in processes that write nothing.
    at               : where the run is; changed by it.
    checkpoint_every : steps between checkpoints; 0 for one every ``seconds_between``.

    Raises
    ------
    TrainingError : a loss is not finite, or something cannot be written; the last checkpoint is kept.
    Stopped       : by Ctrl-C or SIGTERM, after the step that was being made and its checkpoint.
    """
    every = max(1, steps // ROWS)
    started, saved = time.monotonic(), time.monotonic()
    before, begun = at.seconds, at.step
    alone = stepping.share.ranks == 1
    with record or nullcontext(), _asked_to_stop(alone) as asked:
        while at.step < steps:
            shown, stop = stepping(at.step, asked.is_set)
            at.step, at.sum, at.count = at.step + 1, at.sum + shown, at.count + 1
            if at.step == 1:
                at.first = shown
            if at.step % every == 0 or at.step == steps:
                if record is not None:
                    record.add(at.step, at.sum / at.count, stepping.job.measure(at.step))
                at.sum, at.count = 0.0, 0
            now = time.monotonic()
            report(at.step, steps, shown, (now - started) / (at.step - begun) * (steps - at.step))
            due = at.step % checkpoint_every == 0 if checkpoint_every else now - saved >= seconds_between
            stop = (
                asked.is_set() if alone else stop
            )  # several processes have to agree on the step after which they stop
            if record is not None and (stop or due or at.step == steps):
                at.seconds = before + time.monotonic() - started
                record.save(at)
                saved = time.monotonic()
            if stop:
                raise Stopped(at.step)
    return at


@contextmanager
def _asked_to_stop(alone: bool) -> Iterator[threading.Event]:
    """Set by the first Ctrl-C or SIGTERM, so that no update is cut in two.

    A second one ends a process at once if it is ``alone``; one of several waits for the others, and their launcher ends them all when
    that takes too long.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if asked.is_set() and alone:
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["ROWS", "Report", "Stopped", "run"]
