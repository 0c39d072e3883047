"""``bptt train``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bptt.console import safe, say, tell
from bptt.progress import Progress
from derive.errors import RenderError, UsageError, clipped
from training.tasks import TASKS, find

if TYPE_CHECKING:
    from training.run.processes import Processes
    from training.run.settings import Settings
    from training.tasks.task import Task

GIVEN = (
    "cell", "grad", "epochs", "steps", "batch", "learning_rate", "hidden", "seed", "dtype", "precision", "device",
    "threads",
)  # fmt: skip
_LONGER = ("epochs", "steps")
_SECONDS = 10.0
"""Between the lines of a run whose output is no terminal."""


def run_train(options: argparse.Namespace) -> int:
    """Train, go on training, compare both gradients, or list the tasks."""
    if options.task is None:
        width = max(map(len, TASKS))
        say("\n".join(f"{name:<{width}}  {line}" for name, line in TASKS.items()))
        return 0
    if (os.environ.get("WORLD_SIZE") or "1") != "1":
        return _together(options)
    return _asked(options)


def _together(options: argparse.Namespace) -> int:
    """As one of the processes that torchrun started: what goes wrong is told by one of them."""
    # What torch's own code remarks, once a process, is for its makers. This is read when torch is imported.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from training.run.processes import joined

    with joined() as processes:
        try:
            return _asked(options, processes)
        except BaseException:
            if processes.tells():
                raise
            return 1


def _asked(options: argparse.Namespace, processes: Processes | None = None) -> int:
    task = find(options.task)
    own = _own(options.set)
    if options.checkpoint_every < 0:
        raise UsageError(f"--checkpoint-every is {options.checkpoint_every}", expected="a number of steps")
    if options.compare is None and options.leaderboard is None:
        return _train(task, own, options, processes)
    given = "--compare" if options.leaderboard is None else "--leaderboard"
    if processes is not None:
        raise UsageError(f"{given} takes one process", hint="start it without torchrun")
    if options.resume:
        raise UsageError(f"{given} goes on with no run", hint="leave out --resume")
    if options.leaderboard is not None:
        return _leaderboard(task, options)
    return _compare(task.settings.changed(_given(options), own), options)


def _train(task: Task, own: dict[str, str], options: argparse.Namespace, processes: Processes | None = None) -> int:
    from reports.output import check_folder, folder_of
    from training.run.loop import Stopped
    from training.run.whole_run import Request, train

    folder = folder_of(options.output or f"runs/{task.name}")
    first = processes is None or processes.first
    launcher = "bptt" if processes is None else processes.launcher()
    if first:
        check_folder(folder)
    if options.resume:
        settings = _resumed(folder, task, own, options, processes)
    else:
        settings = task.settings.changed(_given(options), own)
    request = Request(folder, settings, options.data, options.resume, options.checkpoint_every, options.tensorboard)
    with Progress() as progress:
        told = _Told(progress)
        try:
            found = train(request, told.doing, told.step, processes)
        except Stopped as stopped:
            if first:
                words = f"{launcher} train {task.name} --resume -o {safe(str(folder))}"
                tell(f"bptt: stopped after step {stopped.step}; go on with: {words}")
            return 130
        if first:
            _forget_report(folder)
        files = _report(folder, found, told) if first and not options.no_report else []
    if first:
        _summary(found, folder, files)
    return 0


def _leaderboard(task: Task, options: argparse.Namespace) -> int:
    """Rank what was handed in; ``leaderboard.json`` and its page."""
    from reports.leaderboard_page import leaderboard_document
    from reports.output import check_folder, folder_of, write_files
    from reports.render import make
    from training.run.leaderboard import leaderboard

    folder = folder_of(options.output or f"runs/{task.name}-leaderboard")
    check_folder(folder)
    with Progress() as progress:
        board = leaderboard(task, options.leaderboard, options.data, progress.say)
        contents = {"leaderboard.json": (json.dumps(board, indent=1, ensure_ascii=False) + "\n").encode()}
        if not options.no_report:
            progress.say("typesetting the leaderboard")
            contents |= make(leaderboard_document(board), "leaderboard", ("html", "pdf")).contents
        write_files(folder, contents)
    for one in board["standings"]:
        low, high = one["interval"]
        say(f"{one['rank']:>3}  {one['accuracy']:.4f}  ({low:.4f} to {high:.4f})  {safe(one['name'])}")
    say("\n".join(safe(str(folder / name)) for name in contents))
    return 0


def _resumed(
    folder: Path, task: Task, own: dict[str, str], options: argparse.Namespace, processes: Processes | None
) -> Settings:
    """The settings of the run in the folder, made longer if that is asked for."""
    from training.run.whole_run import settings_of

    if processes is None:
        before = settings_of(folder)
    else:
        before = processes.same(settings_of(folder) if processes.first else None)
    if before.task != task.name:
        raise UsageError(f"{folder} holds a run of {before.task}, not of {task.name}")
    after = before.changed(_given(options), own)
    kept = [key for key in GIVEN if key not in _LONGER]
    pairs = [(f"--{key.replace('_', '-')} ", getattr(before, key), getattr(after, key)) for key in kept]
    pairs += [(f"--set {key}=", before.own[key], after.own[key]) for key in before.own if key not in task.asked]
    asked = f", and --set {', '.join(task.asked)} may be others" if task.asked else ""
    for option, was, now in pairs:
        if now != was:
            raise UsageError(
                f"the run was begun with {option}{was}, not with {option}{now}",
                expected=f"the same settings; only --epochs or --steps may be more{asked}",
            )
    return after


def _given(options: argparse.Namespace) -> dict[str, Any]:
    return {key: getattr(options, key) for key in GIVEN}


def _own(given: list[str]) -> dict[str, str]:
    settings = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"{clipped(text, 60)!r} sets nothing", expected="KEY=VALUE")
        settings[key.strip()] = value.strip()
    return settings


class _Told:
    """What a run says: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + _SECONDS
        self._doing = ""

    def doing(self, text: str) -> None:
        """Anything but a step."""
        self._progress.say(text)
        kind = text.split(":")[0]
        if not self._terminal and (kind != self._doing or time.monotonic() >= self._next):
            tell(f"bptt: {text}")
            self._doing, self._next = kind, time.monotonic() + _SECONDS

    def step(self, made: int, steps: int, loss: float, left: float) -> None:
        """A step that was made."""
        now = time.monotonic()
        if self._terminal:
            filled = 20 * made // steps
            self._progress.say(
                f"[{'#' * filled}{'.' * (20 - filled)}] {made} of {steps}, loss {loss:.4f}, {_time(left)} left"
            )
        elif now >= self._next or made == steps:
            tell(f"bptt: step {made} of {steps}, loss {loss:.4f}, {_time(left)} left")
            self._next = now + _SECONDS


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _forget_report(folder: Path) -> None:
    """Remove a report of other results than those that the folder holds now."""
    for name in ("report.html", "report.pdf"):
        with suppress(OSError):
            (folder / name).unlink()


def _report(folder: Path, found: dict[str, Any], told: _Told) -> list[Path]:
    from reports.render import render
    from reports.run_page import run_document
    from reports.run_results import pictures_in
    from training.run.curve import read_curve

    told.doing("typesetting the report")
    document = run_document(found, read_curve(folder), pictures_in(folder, found))
    try:
        return [*render(document, folder, "report", ("html", "pdf")).files.values()]
    except RenderError as error:
        raise RenderError(
            f"the run is complete, but has no report: {error.message}", hint="--resume makes the report alone"
        ) from None


def _summary(found: dict[str, Any], folder: Path, files: list[Path]) -> None:
    say(
        "\n".join(
            f"{name}: {'none' if value is None else format(value, '.6g')}"
            for name, value in found["results"]["numbers"].items()
        )
    )
    for title in (table["title"] for table in found["results"]["tables"]):
        tell(f"bptt: table in metrics.json: {title}")
    say("\n".join(safe(str(path)) for path in (folder / "metrics.json", folder / "curve.csv", *files)))
    tell(f"bptt: {found['steps']} steps, {found['seconds']:.1f} s, {found['milliseconds_per_step']:.2f} ms a step")


def _compare(settings: Settings, options: argparse.Namespace) -> int:
    from training.run.compare import compare

    if options.compare < 1:
        raise UsageError(f"--compare is {options.compare}", expected="a number of steps from 1 on")
    with Progress() as progress:
        found = compare(settings, options.data, options.compare, _Told(progress).doing)
    say(f"{'gradients':<10} {'loss, first step':>18} {'loss, last step':>18} {'ms a step':>10}")
    for name, one in found.runs.items():
        say(f"{name:<10} {one.losses[0]:>18.12f} {one.losses[-1]:>18.12f} {one.milliseconds:>10.2f}")
    say(f"largest relative difference of the losses over {options.compare} steps: {found.difference:.1e}")
    return 0
