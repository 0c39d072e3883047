"""What a task says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from derive.errors import UsageError, clipped
from training.data.download import Say
from training.run.job import Job
from training.run.limits import Limit
from training.run.settings import Own, Settings

Prepare = Callable[[Settings, str | None, Say], Job]
"""Makes the job of settings, with the folder that ``--data`` names (None to fetch the data)."""


@dataclass(frozen=True)
class Submission:
    """What is handed in.

    Parameters
    ----------
    file    : of a run's folder that holds it, see :mod:`training.run.submission`.
    classes : names of the labels.
    truth   : reads the right labels, with the folder that ``--data`` names.
    """

    file: str
    classes: Sequence[str]
    truth: Callable[[str | None, Say], Sequence[int]]


@dataclass(frozen=True)
class Task:
    """A task.

    Parameters
    ----------
    title     : of its reports.
    settings  : what it is trained with where nothing else is given; ``cell`` and ``grad`` are empty where there is no recurrent layer.
    own       : what each of its own settings means.
    epoch     : what one epoch is.
    loss      : what the curve shows, with its unit.
    prepare   : reads the data and makes model and optimiser; seeds are set before it is called.
    terms     : of the data.
    alike     : own settings with which both kinds of gradients start from the same weights.
    limits    : of its own settings; all that is no free text has some.
    planned   : whether a step depends on how many there are in all, as with a learning rate that falls until the end: a run then cannot
                be made longer.
    asked     : own settings that say what is asked of a trained model: a finished run may be gone on with, and asked something else.
    submission: what is handed in and judged by the right labels, for a task that is a competition.
    """

    name: str
    title: str
    settings: Settings
    epoch: str
    loss: str
    prepare: Prepare
    own: Mapping[str, str] = field(default_factory=dict)
    terms: str = ""
    alike: Mapping[str, Own] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    planned: bool = False
    asked: tuple[str, ...] = ()
    submission: Submission | None = None

    @property
    def recurrent(self) -> bool:
        """Whether it has a recurrent layer, so that there is a cell to choose, whose gradients may be derived ones."""
        return self.settings.cell != ""

    def check(self, settings: Settings) -> None:
        """Raise a UsageError where one of its own settings makes no sense."""
        for key, limit in self.limits.items():
            value = settings.own[key]
            if not limit.allows(value):
                shown = repr(clipped(value, 40)) if isinstance(value, str) else value
                raise UsageError(f"--set {key} is {shown}", expected=str(limit))


__all__ = ["Prepare", "Submission", "Task"]
