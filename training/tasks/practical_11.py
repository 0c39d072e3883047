"""How far back cells learn: the adding problem or the copy problem, with the gradient that arrives at each time before and after training.

RNN, LSTM, GRU and the cell of ``--cell`` see the same sequences, each with weights and a readout of its own. The loss of a step is the
sum of their mean losses; since no weight is shared, each is trained as if it were alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from training.data.download import Say
from training.layers.gradient_over_time import gradient_norms
from training.layers.recurrent import Recurrent
from training.run.job import Job, Loss
from training.run.limits import Between, OneOf, positive
from training.run.results import Cell, Lines, Results, Table
from training.run.settings import Settings
from training.run.share import Share
from training.tasks.adding import Adding
from training.tasks.copying import Copying
from training.tasks.problem import Problem
from training.tasks.task import Task

BESIDE = ("rnn", "lstm", "gru")
"""Cells that the one of ``--cell`` is held beside."""
_EPOCH = 50
_TEST = 1000
_MEASURED = 64
"""Sequences over which gradients are averaged."""
_OPEN = {"lstm": "b_f", "gru": "b_u"}
"""The bias whose gate keeps the state when it is near 1."""


class Learner(nn.Module):
    """A cell over the sequence, and a linear readout of its last outputs."""

    def __init__(self, name: str, problem: Problem, settings: Settings) -> None:
        super().__init__()
        self.steps = problem.steps
        self.recurrent = Recurrent(name, problem.inputs, settings.hidden, settings.grad, settings.dtype)
        self.readout = nn.Linear(self.recurrent.width, problem.outputs, dtype=getattr(torch, settings.dtype))
        if name in _OPEN:
            with torch.no_grad():
                self.recurrent.cell.weights[_OPEN[name]].fill_(float(settings.own["gate_bias"]))

    def forward(self, x: Tensor) -> Tensor:
        """What is read off (steps, B, outputs) of sequences (T, B, inputs)."""
        h, _ = self.recurrent(x)
        found: Tensor = self.readout(h[-self.steps :])
        return found


def problem_of(settings: Settings) -> Problem:
    """The problem that ``--set problem`` names."""
    own = settings.own
    if own["problem"] == "adding":
        return Adding(int(own["length"]))
    return Copying(int(own["length"]), int(own["string"]))


class LongTimesJob(Job):
    """Several cells that learn from the same sequences."""

    model: nn.ModuleDict

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.problem = problem_of(settings)
        self.names = tuple(dict.fromkeys((*BESIDE, settings.cell)))
        self.dtype: torch.dtype = getattr(torch, settings.dtype)
        model = nn.ModuleDict({self._key(name): Learner(name, self.problem, settings) for name in self.names}).to(
            settings.device
        )
        columns = tuple(f"{kind}_{self._key(name)}" for kind in ("loss", "back") for name in self.names)
        axes = {f"back_{self._key(name)}": "gradient, first over last" for name in self.names}
        super().__init__(model, torch.optim.Adam(model.parameters(), lr=settings.learning_rate), _EPOCH, columns, axes)
        self._fixed = self._sequences(_MEASURED, 1)
        self._losses: dict[str, float] = {}
        self._steps = settings.steps or settings.epochs * _EPOCH
        self.begun = {name: self._norms(name) for name in self.names}

    def _key(self, name: str) -> str:
        """A cell's name for columns and weights: that of the library, or ``own`` for equations and files."""
        return name if name.isidentifier() or name.replace("-", "_").isidentifier() else "own"

    def _learner(self, name: str) -> Learner:
        found = self.model[self._key(name)]
        if not isinstance(found, Learner):
            raise TypeError(f"{name} is no Learner")
        return found

    def _sequences(self, count: int, *seed: int) -> tuple[Tensor, Tensor]:
        return self.problem.sequences(count, (self.settings.seed, *seed), self.dtype, self.settings.device)

    def loss(self, step: int) -> Loss:
        """The sum of the mean losses; the curve shows their mean, and each in a column."""
        x, y = self._sequences(self.settings.batch, 0, step)
        mine = self.share.of(np.arange(self.settings.batch))
        x, y = x[:, mine], y[:, mine]
        losses = [self.problem.loss(self._learner(name)(x), y) for name in self.names]
        means = self.share.means([float(value.detach()) for value in losses], over=len(mine))
        self._losses = dict(zip(self.names, means, strict=True))
        objective = torch.stack(losses).sum()
        return Loss(objective, float(objective.detach()) / len(losses), over=len(mine))

    def split(self, share: Share) -> None:
        self.share = share

    def before_update(self, step: int) -> None:
        """Each cell's gradient is cut to the length ``clip``, so that none of them explodes for all."""
        for name in self.names:
            nn.utils.clip_grad_norm_(self._learner(name).parameters(), float(self.settings.own["clip"]))

    def measure(self, step: int) -> Mapping[str, Cell]:
        """The loss of each cell; a hundred times in all, what part of the last gradient arrives at the first times."""
        found: dict[str, Cell] = {f"loss_{self._key(name)}": value for name, value in self._losses.items()}
        if step % max(1, self._steps // 100) == 0:
            for name in self.names:
                _, norms = self._norms(name)
                found[f"back_{self._key(name)}"] = _back(norms)
        return found

    def _norms(self, name: str) -> tuple[list[int], list[float]]:
        learner = self._learner(name)
        x, y = self._fixed
        return gradient_norms(learner.recurrent, x, lambda last: self.problem.loss(learner.readout(last[None]), y[-1:]))

    def state(self) -> dict[str, object]:
        return {"begun": {name: [list(part) for part in parts] for name, parts in self.begun.items()}}

    def restore(self, state: dict[str, object]) -> None:
        begun = state["begun"]
        if isinstance(begun, dict):
            self.begun = {name: (parts[0], parts[1]) for name, parts in begun.items()}

    def results(self) -> Results:
        x, y = self._sequences(_TEST, 2)
        rows: list[list[Cell]] = []
        ended = {name: self._norms(name) for name in self.names}
        for name in self.names:
            given = self._learner(name)(x)
            error, near = float(self.problem.loss(given, y)), self.problem.rightly(given, y)
            parts = [_back(norms) for _, norms in (self.begun[name], ended[name])]
            weights = sum(value.numel() for value in self._learner(name).parameters())
            rows.append([self._key(name), weights, error, near, *parts])
        columns = ("cell", "weights", "test error", self.problem.right, "back, before", "back, after")
        note = (
            f"test error: mean {self.problem.error} over {_TEST} new sequences, {self.problem.guess:.4f} for a guess; back: the norm "
            "of the gradient of the last answer's loss by the joint state at the first time measured, divided by that at the last."
        )
        table = Table(self.problem.title, columns, rows, note)
        lines = [
            Lines(
                f"Gradient by the state at time t, {when}",
                "t",
                "norm",
                {self._key(k): v for k, v in found.items()},
                log=True,
            )
            for when, found in (("before training", self.begun), ("after training", ended))
        ]
        numbers = {f"test error of {row[0]}": float(str(row[2])) for row in rows}
        return Results(numbers, (table,), lines, self._said(rows), key=tuple(numbers))

    def _said(self, rows: list[list[Cell]]) -> list[str]:
        learnt = [str(row[0]) for row in rows if float(str(row[2])) < self.problem.guess / 4]
        not_yet = [str(row[0]) for row in rows if str(row[0]) not in learnt]
        said = []
        if learnt:
            said.append(f"Learnt, with less than a quarter of the error of a guess: {', '.join(learnt)}.")
        if not_yet:
            said.append(f"Not learnt in this time: {', '.join(not_yet)}.")
        return said


def _back(norms: list[float]) -> float:
    """How much of the last gradient arrives at the first time; nothing of nothing."""
    return norms[0] / norms[-1] if norms[-1] else 0.0


def prepare(settings: Settings, data: str | None, say: Say) -> LongTimesJob:
    """The job; its data are made, not fetched."""
    return LongTimesJob(settings)


TASK = Task(
    name="practical-11",
    title="Learning over long times",
    settings=Settings(
        task="practical-11",
        epochs=60,
        batch=32,
        learning_rate=0.005,
        hidden=32,
        cell="mgu",
        grad="derived",
        own={"problem": "adding", "length": 60, "string": 10, "clip": 1.0, "gate_bias": 1.0},
    ),
    own={
        "problem": "adding: the sum of two marked numbers; copy: a string of letters, remembered over a delay",
        "length": "steps of a sequence",
        "string": "letters of the string that is copied",
        "clip": "the longest gradient of a cell",
        "gate_bias": "first bias of the gates that keep the state, in LSTM and GRU",
    },
    limits={
        "problem": OneOf("adding", "copy"),
        "length": Between(2, 100_000),
        "string": Between(1, 100_000),
        "clip": positive(1e9),
        "gate_bias": Between(-1e3, 1e3),
    },
    epoch=f"{_EPOCH} batches of new sequences",
    loss="mean squared error (adding) or nats per letter (copy), averaged over the cells",
    prepare=prepare,
)

__all__ = ["TASK", "Learner", "LongTimesJob", "problem_of"]
