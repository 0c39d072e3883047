"""What a task says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from training.data.download import Say
from training.run.job import Job
from training.run.settings import Own, Settings

Prepare = Callable[[Settings, str | None, Say], Job]
"""Makes the job of settings, with the folder that ``--data`` names (None to fetch the data)."""


@dataclass(frozen=True)
class Task:
    """A task.

    Parameters
    ----------
    title    : of its reports.
    settings : what it is trained with where nothing else is given.
    own      : what each of its own settings means.
    epoch    : what one epoch is.
    loss     : what the curve shows, with its unit.
    prepare  : reads the data and makes model and optimiser; seeds are set before it is called.
    terms    : of the data.
    alike    : own settings with which both kinds of gradients start from the same weights.
    asked    : own settings that say what is asked of a trained model: a finished run may be gone on with, and asked something else.
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
    asked: tuple[str, ...] = ()


__all__ = ["Prepare", "Task"]
