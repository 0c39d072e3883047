"""The loop: a step, a row of the curve now and then, a checkpoint now and then, and a clean stop."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from training.errors import TrainingError
from training.run import checkpoint
from training.run.checkpoint import Progressed
from training.run.curve import Curve
from training.run.job import Job

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
    job: Job,
    steps: int,
    folder: Path,
    settings: str,
    at: Progressed,
    report: Report = lambda *told: None,
    checkpoint_every: int = 0,
    seconds_between: float = 60.0,
) -> Progressed:
    """Make the updates that are missing.

    Parameters
    ----------
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

    def save() -> None:
        at.seconds = before + time.monotonic() - started
        curve.keep()
        checkpoint.save(folder, job, at, settings)

    with Curve(folder, job.columns, upto=at.step) as curve, _asked_to_stop() as asked:
        while at.step < steps:
            shown = step_of(job, at.step)
            at.step, at.sum, at.count = at.step + 1, at.sum + shown, at.count + 1
            if at.step == 1:
                at.first = shown
            if at.step % every == 0 or at.step == steps:
                curve.add(at.step, at.sum / at.count, job.measure(at.step))
                at.sum, at.count = 0.0, 0
            now = time.monotonic()
            report(at.step, steps, shown, (now - started) / (at.step - begun) * (steps - at.step))
            due = at.step % checkpoint_every == 0 if checkpoint_every else now - saved >= seconds_between
            if asked.is_set() or due or at.step == steps:
                save()
                saved = time.monotonic()
            if asked.is_set():
                raise Stopped(at.step)
    return at


def step_of(job: Job, step: int) -> float:
    """One update; the loss before it."""
    objective, shown = job.loss(step)
    if not (math.isfinite(shown) and math.isfinite(objective.item())):
        raise TrainingError(
            f"the loss of step {step + 1} is {shown}",
            expected="a finite number",
            hint="the last good checkpoint is kept; try a smaller --learning-rate, or --set clip=1 where the task has it",
        )
    job.optimizer.zero_grad(set_to_none=True)
    objective.backward()
    job.before_update(step)
    job.optimizer.step()
    return shown


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C or SIGTERM, so that no update is cut in two; a second one ends at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["ROWS", "Report", "Stopped", "run", "step_of"]
