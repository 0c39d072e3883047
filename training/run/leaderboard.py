"""Who is right most often: submissions judged by the right labels, and ranked.

An entry is the folder of a run or a file that was handed in. Its accuracy is counted from its labels, never read from what it says of
itself. Two accuracies on the same examples are compared by McNemar's exact test: of the examples that one of the two alone gets right,
as many should be on either side if both were equally good.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from derive.errors import UsageError
from training.data.download import Say
from training.errors import DatasetError
from training.run.submission import read
from training.tasks.task import Task

Labels = npt.NDArray[np.int64]
_METRICS = "metrics.json"
_Z = 1.959964
"""Of a 95 % interval."""


@dataclass(frozen=True)
class Entry:
    """What somebody handed in.

    Parameters
    ----------
    labels : of all examples (N,).
    run    : what ``metrics.json`` says of the run that made it; empty for a file alone.
    """

    name: str
    labels: Labels
    run: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """An entry's place; equal accuracies share one.

    Parameters
    ----------
    interval : in which its true accuracy lies (Wilson, 95 %).
    p        : that of the comparison with the first entry, None for the first itself.
    recall   : for each class, the share of its examples that are recognised.
    """

    rank: int
    name: str
    right: int
    accuracy: float
    interval: tuple[float, float]
    p: float | None
    recall: Sequence[float]
    run: Mapping[str, Any]


def leaderboard(task: Task, paths: Sequence[str], data: str | None, say: Say = lambda text: None) -> dict[str, Any]:
    """The places of runs' folders and files, as data.

    Raises
    ------
    UsageError   : the task has nothing to hand in, or an entry is given twice.
    DatasetError : an entry cannot be read.
    """
    if task.submission is None:
        raise UsageError(
            f"{task.name} has nothing that is handed in", expected="a task with a submission, such as cifar10"
        )
    truth = np.asarray(task.submission.truth(data, say), np.int64)
    names = _names(paths)
    entries = []
    for name, path in zip(names, paths, strict=True):
        say(f"reading {name}")
        entries.append(_entry(name, Path(path), task, len(truth)))
    return {
        "task": task.name,
        "title": f"Leaderboard: {task.title}",
        "examples": len(truth),
        "classes": list(task.submission.classes),
        "standings": [asdict(one) for one in standings(entries, truth, len(task.submission.classes))],
    }


def standings(entries: Sequence[Entry], truth: Labels, classes: int) -> list[Standing]:
    """All places, the best first.

    >>> truth = np.array([0, 1, 1, 0])
    >>> one, other = Entry("a", np.array([0, 1, 0, 1]), {}), Entry("b", truth, {})
    >>> [(found.rank, found.name, found.accuracy, found.p) for found in standings([one, other], truth, 2)]
    [(1, 'b', 1.0, None), (2, 'a', 0.5, 0.5)]
    """
    ordered = sorted(entries, key=lambda entry: (-int((entry.labels == truth).sum()), entry.name))
    correct = [entry.labels == truth for entry in ordered]
    counts = [int(one.sum()) for one in correct]
    found = []
    for k, entry in enumerate(ordered):
        recall = [
            float(correct[k][truth == label].mean()) if (truth == label).any() else 0.0 for label in range(classes)
        ]
        found.append(
            Standing(
                1 + sum(count > counts[k] for count in counts),
                entry.name,
                counts[k],
                counts[k] / len(truth),
                wilson(counts[k], len(truth)),
                mcnemar(int((correct[0] & ~correct[k]).sum()), int((correct[k] & ~correct[0]).sum())) if k else None,
                recall,
                entry.run,
            )
        )
    return found


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> low, high = wilson(9400, 10000)
    >>> round(low, 4), round(high, 4)
    (0.9352, 0.9445)
    """
    share, square = right / count, _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(first: int, second: int) -> float:
    """The probability that two equally good entries divide the examples on which they differ at least so unequally.

    >>> mcnemar(1, 3), mcnemar(0, 0)
    (0.625, 1.0)
    """
    count = first + second
    term, total = 1, 0  # binomial coefficients, one from the other
    for k in range(min(first, second) + 1):
        total += term
        term = term * (count - k) // (k + 1)
    return min(1.0, 2 * total / 2**count)


def _names(paths: Sequence[str]) -> list[str]:
    """Short names that differ: the last part of a path, or all of it where others have the same."""
    whole = [Path(path).resolve() for path in paths]
    if len(set(whole)) < len(whole):
        twice = next(path for path in whole if whole.count(path) > 1)
        raise UsageError(f"{twice} is given twice", expected="each entry once")
    short = [path.stem if path.suffix == ".csv" else path.name for path in whole]
    return [name if short.count(name) == 1 else str(path) for name, path in zip(short, paths, strict=True)]


def _entry(name: str, path: Path, task: Task, count: int) -> Entry:
    submission = task.submission
    if submission is None:
        raise UsageError(f"{task.name} has nothing that is handed in")
    if not path.exists():
        raise DatasetError(f"there is no {path}", expected="the folder of a run, or a file such as submission.csv")
    file, run = (path / submission.file, _run(path, task)) if path.is_dir() else (path, {})
    if not file.exists():
        raise DatasetError(
            f"{path} has no {submission.file}",
            expected=f"the folder of a finished run of {task.name}",
            hint="--resume ends a run",
        )
    return Entry(name, np.asarray(read(file, submission.classes, count), np.int64), run)


def _run(folder: Path, task: Task) -> Mapping[str, Any]:
    """What a run says of itself, as far as a leaderboard shows it."""
    path = folder / _METRICS
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        if metrics["task"] != task.name:
            raise DatasetError(f"{folder} holds a run of {metrics['task']}, not of {task.name}")
        kept = {key: metrics[key] for key in ("command", "epochs", "seconds", "parameters")}
        machine = metrics["machine"]
        return {**kept, "seed": metrics["settings"]["seed"], "machine": machine.get("device") or machine["processor"],
                "threads": machine["threads"]}  # fmt: skip
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path} cannot be read: {(error.strerror if isinstance(error, OSError) else None) or error}",
            expected="what bptt train wrote",
            hint=f"name {folder}'s file with the labels in its place",
        ) from None


__all__ = ["Entry", "Standing", "leaderboard", "mcnemar", "standings", "wilson"]
