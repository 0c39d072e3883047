"""The same steps with both gradients, side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from derive.errors import UsageError
from training.data.download import Say
from training.layers.recurrent import GRADS
from training.run.settings import Settings
from training.run.stepping import Stepping
from training.run.whole_run import prepared
from training.tasks import find


@dataclass(frozen=True)
class Timed:
    """A loss for each step, and the median time of a step; the first one, in which code is made, is left out."""

    losses: Sequence[float]
    milliseconds: float


@dataclass(frozen=True)
class Compared:
    """Both runs, and max |a - b| / |a| over their losses."""

    runs: Mapping[str, Timed]
    difference: float


def compare(settings: Settings, data: str | None, steps: int, say: Say = lambda text: None) -> Compared:
    """Train from the same seed with autograd's and with derived gradients.

    Steps alternate between the two, so that whatever else the machine does slows both.

    Raises
    ------
    UsageError : the task has no recurrent layer.
    """
    task = find(settings.task)
    if not task.recurrent:
        raise UsageError(f"--compare does not apply to {task.name}, which has no recurrent layer")
    own = {**settings.own, **task.alike}
    jobs = {grad: prepared(replace(settings, grad=grad, steps=steps, own=own), data, say)[1] for grad in GRADS}
    both = {grad: Stepping(job, settings.precision) for grad, job in jobs.items()}
    losses: dict[str, list[float]] = {grad: [] for grad in jobs}
    seconds: dict[str, list[float]] = {grad: [] for grad in jobs}
    for step in range(steps):
        say(f"comparing: step {step + 1} of {steps}")
        for grad, stepping in both.items():
            start = time.perf_counter()
            losses[grad].append(stepping(step)[0])
            seconds[grad].append(time.perf_counter() - start)
    runs = {grad: Timed(losses[grad], 1000 * median(seconds[grad][1:] or seconds[grad])) for grad in jobs}
    first, second = (runs[grad].losses for grad in GRADS)
    difference = max(abs(a - b) / max(abs(a), 1e-300) for a, b in zip(first, second, strict=True))
    return Compared(runs, difference)


__all__ = ["Compared", "Timed", "compare"]
