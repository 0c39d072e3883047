"""One update: the loss, its gradient over all processes and in the precision that is asked for, and the optimiser."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from derive.errors import UsageError
from training.errors import TrainingError
from training.run.job import Job, Objective
from training.run.precision import cast
from training.run.share import Share


class Stepping:
    """Makes the updates of a job.

    Parameters
    ----------
    precision : ``full``, ``bfloat16``, or ``float16``, for which the loss is scaled, since its numbers end near 6e-8.
    seed      : of the random numbers of several processes, each of which has its own at each step; one process goes on with those that
                torch has.

    Raises
    ------
    UsageError : the batches of the task cannot be shared, or torch does not compute it, so that there is no precision to choose.
    """

    def __init__(self, job: Job, precision: str = "full", share: Share | None = None, seed: int = 0) -> None:
        if precision != "full" and not isinstance(job.optimizer, torch.optim.Optimizer):
            raise UsageError(
                f"--precision {precision} does nothing in this task, which torch does not compute",
                hint="leave out --precision",
            )
        self.job, self.seed = job, seed
        self.share = share or Share()
        self.device = next(job.model.parameters(), torch.zeros(())).device
        self._precision = precision
        self._scaler = torch.amp.GradScaler(self.device.type) if precision == "float16" else None
        if self.share.ranks > 1:
            job.split(self.share)
        self._whole = _Whole(job)
        self._forward: nn.Module = self._whole
        if self.share.ranks > 1:
            # Cells may have parameters that a loss does not read: the processes then agree on which these are.
            self._forward = DistributedDataParallel(self._whole, static_graph=True)

    def __call__(self, step: int, asked: Callable[[], bool] = lambda: False) -> tuple[float, bool]:
        """The loss before the update, and whether any process was asked to stop.

        Raises
        ------
        TrainingError : the loss is not finite.
        """
        if self.share.ranks > 1:
            torch.manual_seed(_mixed(self.seed, step, self.share.rank))
        with cast(self._precision, self.device.type):
            objective = self._forward(step)
        shown, stop, factor = self._together(objective.item(), asked)
        if not math.isfinite(shown):
            raise TrainingError(
                f"the loss of step {step + 1} is {shown}",
                expected="a finite number",
                hint="the last good checkpoint, if there is one, is kept; try a smaller --learning-rate",
            )
        self._update(objective if factor is None else objective * factor, step)
        return shown, stop

    def _together(self, objective: float, asked: Callable[[], bool]) -> tuple[float, bool, float | None]:
        """The loss of the whole batch, whether to stop, and the factor of this process's part of several."""
        shown = self._whole.shown if math.isfinite(objective) else objective
        if self.share.ranks == 1:
            return shown, asked(), None
        over = self.share.weight(self._whole.over)
        total, summed, stop = self.share.sums((over, over * shown, float(asked())))
        return summed / total, stop > 0, self.share.ranks * over / total

    def _update(self, objective: Any, step: int) -> None:
        optimizer, scaler = self.job.optimizer, self._scaler
        optimizer.zero_grad(set_to_none=True)
        if scaler is None or not isinstance(optimizer, torch.optim.Optimizer):
            objective.backward()
            self.job.before_update(step)
            optimizer.step()
            return
        scaler.scale(objective).backward()
        scaler.unscale_(optimizer)
        self.job.before_update(step)
        scaler.step(optimizer)  # makes no update where a gradient has overflowed, and scales less from then on
        scaler.update()

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold of it."""
        return {} if self._scaler is None else self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        if self._scaler is not None:
            self._scaler.load_state_dict(state)


class _Whole(nn.Module):
    """The loss as what a module computes, so that gradients of any task can be shared, however it calls its parts."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.model = job.model
        self._job = job
        self.shown, self.over = math.nan, 1.0

    def forward(self, step: int) -> Objective:
        objective, self.shown, self.over = self._job.loss(step)
        return objective


def _mixed(*numbers: int) -> int:
    """A seed made of numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


__all__ = ["Stepping"]
