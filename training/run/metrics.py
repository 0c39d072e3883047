"""Everything about a finished run, as the data of ``metrics.json``: what it was, how it is made again, on what, and what it found."""

from __future__ import annotations

import math
import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy
import torch

from training.run.checkpoint import Progressed
from training.run.job import Job
from training.run.processes import Processes
from training.run.results import Results
from training.run.settings import Settings
from training.tasks import find
from training.tasks.task import Task


def metrics(
    task: Task, settings: Settings, at: Progressed, job: Job, results: Results, processes: Processes
) -> dict[str, Any]:
    """Everything about a finished run, as data. JSON has no number that is none: there is nothing in its place."""
    found = asdict(replace(results, files={}))
    for one in found["lines"]:
        one["lines"] = {name: _drawable(*line) for name, line in one["lines"].items()}
    return {
        "task": task.name,
        "title": task.title,
        "epoch": task.epoch,
        "loss": task.loss,
        "axes": dict(job.axes),
        "terms": task.terms,
        "command": command(settings, processes),
        "settings": asdict(settings),
        "steps": at.step,
        "epochs": round(at.step / job.epoch, 3),
        "seconds": round(at.seconds, 1),
        "milliseconds_per_step": round(1000 * at.seconds / max(1, at.step), 3),
        "first_loss": finite(at.first),
        "parameters": sum(value.numel() for value in job.model.parameters()),
        "machine": {**machine(settings.device), **({"processes": processes.ranks} if processes.ranks > 1 else {})},
        "results": {**finite(found), "files": [*results.files]},
    }


def finite(value: Any) -> Any:
    """Data with None for numbers that are not finite.

    >>> finite({"a": [1.0, float("nan")], "b": ("c", float("inf"))})
    {'a': [1.0, None], 'b': ['c', None]}
    """
    if isinstance(value, Mapping):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _drawable(x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
    kept = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    return [a for a, _ in kept], [b for _, b in kept]


def command(settings: Settings, processes: Processes | None = None) -> str:
    """The command that makes a run again, without the folders.

    >>> command(Settings("names", 2, 8, 0.1, 4, own={"epoch": "name"}))
    'bptt train names --epochs 2 --batch 8 --learning-rate 0.1 --hidden 4 --set epoch=name'
    """
    base, usual = Settings(settings.task, 1, 1, 1.0, 1), find(settings.task).settings
    words = [*(processes or Processes()).launcher().split(), "train", settings.task]
    words += ["--steps", str(settings.steps)] if settings.steps else ["--epochs", str(settings.epochs)]
    words += [
        "--batch",
        str(settings.batch),
        "--learning-rate",
        shortest(settings.learning_rate),
        "--hidden",
        str(settings.hidden),
    ]
    for key in ("cell", "grad", "dtype", "precision", "device", "seed", "threads"):
        value = getattr(settings, key)
        if value != "" and (value != getattr(base, key) or value != getattr(usual, key)):
            words += [f"--{key}", str(value)]
    for key, value in settings.own.items():
        words += ["--set", f"{key}={value}"] if value != "" else []
    return shlex.join(words)


def shortest(number: float) -> str:
    """A number in few digits, and none too few to be read as the same number.

    >>> shortest(1.0), shortest(0.0005), shortest(0.0123456789)
    ('1', '0.0005', '0.0123456789')
    """
    return f"{number:g}" if float(f"{number:g}") == number else repr(number)


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


__all__ = ["command", "finite", "machine", "metrics", "shortest"]
