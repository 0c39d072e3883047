"""A run from its settings to its results: ``settings.json``, ``curve.csv``, ``checkpoint.pt``, ``metrics.json`` in one folder."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import torch

from derive.errors import UsageError
from training.data.download import Say
from training.errors import TrainingError, disk_error
from training.files import write_text
from training.run import checkpoint
from training.run.checkpoint import Progressed
from training.run.curve import NAME as CURVE
from training.run.job import Job, Results
from training.run.loop import Report, run
from training.run.settings import Settings
from training.tasks import find
from training.tasks.task import Task

METRICS = "metrics.json"
SETTINGS = "settings.json"


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
    """

    folder: Path
    settings: Settings
    data: str | None = None
    resume: bool = False
    checkpoint_every: int = 0


def settings_of(folder: Path) -> Settings:
    """The settings that a run was begun with.

    Raises
    ------
    TrainingError : there is no checkpoint in the folder.
    """
    return Settings.from_json(checkpoint.read(folder)["settings"])


def prepared(settings: Settings, data: str | None, say: Say = lambda text: None) -> tuple[Task, Job]:
    """The task and its job, with torch's random numbers seeded."""
    task = find(settings.task)
    settings.check()
    _check_device(settings.device)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    return task, task.prepare(settings, data, say)


def train(request: Request, say: Say = lambda text: None, report: Report = lambda *told: None) -> dict[str, Any]:
    """Train, evaluate, write all files; what is in ``metrics.json``.

    Raises
    ------
    UsageError    : the folder holds a run already.
    DatasetError  : the data cannot be had.
    TrainingError : a loss is not finite, or something cannot be written.
    """
    settings, folder = request.settings, request.folder
    content = checkpoint.read(folder) if request.resume else None
    if content is None and any((folder / name).exists() for name in (checkpoint.NAME, CURVE, METRICS)):
        raise UsageError(
            f"{folder} holds a run already", hint="--resume goes on with it; -o names another folder for a new one"
        )
    task, job = prepared(settings, request.data, say)
    at = Progressed() if content is None else checkpoint.restore(content, job)
    steps = settings.steps or settings.epochs * job.epoch
    if at.step > steps:
        raise UsageError(f"{folder} has made {at.step} steps, more than {steps}", hint="name more --steps or --epochs")
    _write(folder / SETTINGS, settings.to_json() + "\n")
    run(job, steps, folder, settings.to_json(), at, report, request.checkpoint_every)
    say("evaluating")
    with torch.no_grad():
        job.model.eval()
        results = job.results()
    found = metrics(task, settings, at, job, results)
    _write(folder / METRICS, json.dumps(found, indent=1, ensure_ascii=False, default=float) + "\n")
    return found


def metrics(task: Task, settings: Settings, at: Progressed, job: Job, results: Results) -> dict[str, Any]:
    """Everything about a finished run, as data."""
    return {
        "task": task.name,
        "title": task.title,
        "epoch": task.epoch,
        "loss": task.loss,
        "axes": dict(job.axes),
        "terms": task.terms,
        "command": command(settings),
        "settings": asdict(settings),
        "steps": at.step,
        "epochs": round(at.step / job.epoch, 3),
        "seconds": round(at.seconds, 1),
        "milliseconds_per_step": round(1000 * at.seconds / max(1, at.step), 3),
        "first_loss": at.first if math.isfinite(at.first) else None,
        "parameters": sum(value.numel() for value in job.model.parameters()),
        "machine": machine(settings.device),
        "results": asdict(results),
    }


def command(settings: Settings) -> str:
    """The command that makes a run again, without the folders.

    >>> command(Settings("names", 2, 8, 0.1, 4, own={"epoch": "name"}))
    'bptt train names --epochs 2 --batch 8 --learning-rate 0.1 --hidden 4 --set epoch=name'
    """
    base = Settings(settings.task, 1, 1, 1.0, 1)
    words = ["bptt", "train", settings.task]
    words += ["--steps", str(settings.steps)] if settings.steps else ["--epochs", str(settings.epochs)]
    words += [
        "--batch",
        str(settings.batch),
        "--learning-rate",
        f"{settings.learning_rate:g}",
        "--hidden",
        str(settings.hidden),
    ]
    for key in ("cell", "grad", "dtype", "device", "seed", "threads"):
        value = getattr(settings, key)
        if value != getattr(base, key) and value != "":
            words += [f"--{key}", str(value)]
    for key, value in settings.own.items():
        words += ["--set", f"{key}={value}"]
    return " ".join(words)


def machine(device: str) -> Mapping[str, Any]:
    """What the run was made on."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
    if device.startswith("cuda"):
        found["device"] = torch.cuda.get_device_name(torch.device(device))
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


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


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise disk_error(
            TrainingError, path, error, "--resume goes on from the last checkpoint, if there is one"
        ) from None


__all__ = ["METRICS", "SETTINGS", "Request", "command", "machine", "metrics", "prepared", "settings_of", "train"]
