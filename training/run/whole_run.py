"""A run from its settings to its results: ``settings.json``, ``curve.csv``, ``checkpoint.pt``, ``metrics.json`` in one folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from derive.errors import UsageError, clipped
from training.data.download import Say
from training.errors import TrainingError, disk_error
from training.files import clear, write_whole
from training.layers.recurrent import cell_of
from training.lock import Locked, locked
from training.run import checkpoint
from training.run.checkpoint import Progressed
from training.run.curve import NAME as CURVE
from training.run.events import check_installed
from training.run.job import Job
from training.run.loop import Report, run
from training.run.metrics import metrics
from training.run.processes import Processes
from training.run.record import Record
from training.run.settings import Settings
from training.run.stepping import Stepping
from training.tasks import find
from training.tasks.task import Task

METRICS = "metrics.json"
SETTINGS = "settings.json"
_LACKING = re.compile(r"allocate memory|out of memory|not enough memory", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What is asked for: a fresh run with settings, or one that goes on.

    Parameters
    ----------
    folder           : of the run.
    settings         : of a fresh run; where it goes on, only more ``steps`` or ``epochs`` may differ from what it began with.
    data             : the folder of the data; None for the cache.
    resume           : go on.
    checkpoint_every : steps between checkpoints, 0 for one a minute.
    tensorboard      : write events for TensorBoard as well.
    """

    folder: Path
    settings: Settings
    data: str | None = None
    resume: bool = False
    checkpoint_every: int = 0
    tensorboard: bool = False


def settings_of(folder: Path) -> Settings:
    """The settings that a run was begun with.

    Raises
    ------
    TrainingError : there is no checkpoint in the folder.
    """
    found = Settings.from_json(checkpoint.read(folder)["settings"])
    return replace(found, own={**find(found.task).settings.own, **found.own})  # settings that are newer than the run


def prepared(
    settings: Settings, data: str | None, say: Say = lambda text: None, processes: Processes | None = None
) -> tuple[Task, Job]:
    """The task and its job, with torch's random numbers seeded."""
    task = find(settings.task)
    settings.check()
    task.check(settings)
    _check_recurrent(task, settings)
    _check_device(settings.device)
    (processes or Processes()).choose_device(settings.device)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    with enough_memory():
        return task, task.prepare(settings, data, say)


def train(
    request: Request,
    say: Say = lambda text: None,
    report: Report = lambda *told: None,
    processes: Processes | None = None,
) -> dict[str, Any]:
    """Train, evaluate, write all files; what is in ``metrics.json``.

    Parameters
    ----------
    processes : those that share the run. The first one alone uses the folder; the others give back nothing.

    Raises
    ------
    UsageError    : the folder holds a run already, or another process works in it; the task's batches cannot be shared.
    DatasetError  : the data cannot be had.
    TrainingError : a loss is not finite, or something cannot be written.
    """
    processes = processes or Processes()
    settings, first = request.settings, processes.first
    _check_share(settings, processes)
    if first:
        _check_before(request)
    else:
        say, report = (lambda text: None), (lambda *told: None)
    task, job = prepared(settings, request.data, say, processes)
    stepping = Stepping(job, settings.precision, processes.share(), settings.seed)
    with _alone_in(request.folder) if first else nullcontext():
        about = origin(task, settings, job)
        at, steps, rows = _begun(request, stepping, processes, about)
        record = (
            Record(request.folder, stepping, settings.to_json(), about, at.step, rows, request.tensorboard)
            if first
            else None
        )
        with enough_memory():
            run(stepping, steps, record, at, report, request.checkpoint_every)
        if not first:
            return {}
        say("evaluating")
        with torch.no_grad(), enough_memory():
            job.model.eval()
            results = job.results()
        for name, content in results.files.items():
            _write(request.folder / name, content)
        found = metrics(task, settings, at, job, results, processes)
        _write(
            request.folder / METRICS,
            json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False, default=float) + "\n",
        )
        return found


def origin(task: Task, settings: Settings, job: Job) -> dict[str, str]:
    """What a run is about and no setting says: the equations behind the name of a cell, and the data."""
    equations = {"equations of the cell": str(cell_of(settings.cell))} if task.recurrent else {}
    return {**equations, **{f"data: {part}": found for part, found in job.data.items()}}


def _check_before(request: Request) -> None:
    """What can be said of a folder before the data are read, and is looked at again after that."""
    if request.tensorboard:
        check_installed()
    if request.folder.exists():
        with _alone_in(request.folder):
            if not request.resume:
                _check_fresh(request.folder)


def _begun(
    request: Request, stepping: Stepping, processes: Processes, about: Mapping[str, str]
) -> tuple[Progressed, int, str]:
    """Where the run stands, how many steps it shall have, and the rows of its curve so far."""
    folder, settings, at, rows = request.folder, request.settings, Progressed(), ""
    if request.resume:
        content = processes.same(checkpoint.read(folder) if processes.first else None)
        checkpoint.check_origin(content["origin"], about)
        _check_planned(Settings.from_json(content["settings"]), settings, stepping.job)
        at, rows = checkpoint.restore(content, stepping), content["curve"]
    elif processes.first:
        _check_fresh(folder)
    steps = settings.steps or settings.epochs * stepping.job.epoch
    if at.step > steps:
        raise UsageError(f"{folder} has made {at.step} steps, more than {steps}", hint="name more --steps or --epochs")
    if processes.first:
        _write(folder / SETTINGS, settings.to_json() + "\n")
    return at, steps, rows


def _check_planned(before: Settings, now: Settings, job: Job) -> None:
    lengths = [settings.steps or settings.epochs * job.epoch for settings in (before, now)]
    if find(now.task).planned and lengths[0] != lengths[1]:
        raise UsageError(
            f"a run of {now.task} is planned for all of its {lengths[0]:,} steps, and cannot be given {lengths[1]:,}",
            expected="as many as it was begun with: its learning rate follows from them",
            hint="start another run (-o)",
        )


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise a TrainingError where there is none left."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _LACKING.search(str(error)):
            raise
        raise TrainingError(
            f"there is not enough memory: {str(error).splitlines()[0] if str(error) else 'none is left'}",
            hint="smaller --hidden or --batch",
        ) from None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder, and clear away what one left that was killed while it wrote."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / ".lock", wait=0))
            for name in (checkpoint.NAME, CURVE, METRICS, SETTINGS):
                clear(folder / name)
        except Locked:
            raise UsageError(
                f"another process is training in {folder}", hint="wait until it ends, or name another folder with -o"
            ) from None
        except OSError as error:
            raise disk_error(TrainingError, folder, error, "nothing was changed") from None
        yield


def _check_fresh(folder: Path) -> None:
    if not any((folder / name).exists() for name in (checkpoint.NAME, CURVE, METRICS)):
        return
    begun = (folder / checkpoint.NAME).exists()
    other = "-o names another folder for a new one"
    raise UsageError(
        f"{folder} holds a run already",
        hint=f"--resume goes on with it; {other}"
        if begun
        else f"it ended before its first checkpoint: remove it, or {other}",
    )


def _check_share(settings: Settings, processes: Processes) -> None:
    if settings.batch < processes.ranks:
        raise UsageError(
            f"--batch {settings.batch} cannot be shared by {processes.ranks} processes",
            expected="at least one example for each of them",
        )


def _check_recurrent(task: Task, settings: Settings) -> None:
    for key in () if task.recurrent else ("grad", "cell"):
        if given := getattr(settings, key):
            raise UsageError(
                f"--{key} {clipped(given, 40)} does not apply to {task.name}, which has no recurrent layer",
                hint=f"leave out --{key}",
            )
    if task.recurrent:
        cell_of(settings.cell)  # before any data are fetched


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was compiled with CUDA
        said = str(error).splitlines()[0]
        raise UsageError(
            f"--device {device} cannot be used: {said}", expected="cpu, or cuda where there is a GPU"
        ) from None
    if kind not in ("cpu", "cuda", "mps"):
        raise UsageError(f"--device {device} cannot be used for training", expected="cpu, or cuda where there is a GPU")


def _write(path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    try:
        write_whole(path, lambda file: file.write(data))
    except OSError as error:
        raise disk_error(
            TrainingError, path, error, "--resume goes on from the last checkpoint, if there is one"
        ) from None


__all__ = ["METRICS", "SETTINGS", "Request", "prepared", "settings_of", "train"]
