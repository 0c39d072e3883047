"""Marking files side by side. Whatever is wrong with one file is said in its row, and stops no other."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from fractions import Fraction
from multiprocessing import get_context
from typing import Any

from derive.cell import Cell
from derive.errors import BpttError, clipped, visible
from derive.files import read_text
from verify.check import MAX_BYTES, checked
from verify.checked import Checked
from verify.require import Result, read_wanted

SECONDS = 300
"""How long one file may take."""

Told = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Answer:
    """A file to be marked: its name in the table, and its path."""

    name: str
    path: str


@dataclass(frozen=True)
class Task:
    """How all files are marked.

    Parameters
    ----------
    cell     : the equations of the cell; empty where each file brings its own.
    wanted   : the text of the results that are wanted.
    aliases  : names of the authors for quantities.
    inline   : whether formulas within lines are marked.
    pdf      : whether an annotated copy of each is made.
    route    : what makes it.
    """

    cell: str = ""
    wanted: str = ""
    aliases: tuple[str, ...] = ()
    inline: bool = False
    pdf: bool = True
    route: str = "auto"


@dataclass(frozen=True)
class Marked:
    """A file with its verdicts.

    Parameters
    ----------
    name      : of the file.
    equations : with their verdicts.
    results   : what it has of what is wanted.
    problem   : why the file, or its annotated copy, could not be made.
    copy      : the annotated copy, a PDF; empty if there is none.
    page      : where the copy is, from the page of all.
    """

    name: str
    equations: tuple[Checked, ...] = ()
    results: tuple[Result, ...] = ()
    problem: str = ""
    copy: bytes = field(default=b"", repr=False)
    page: str = ""

    def count(self, verdict: str) -> int:
        """How many equations have a verdict."""
        return sum(one.verdict == verdict for one in self.equations)

    @property
    def points(self) -> Fraction:
        """What it earns."""
        return sum((one.points for one in self.results), Fraction(0))


def mark_all(answers: Sequence[Answer], task: Task, jobs: int, told: Told = lambda *_: None) -> list[Marked]:
    """Every file marked, in their order."""
    done: dict[str, Marked] = {}
    for marked in _marked(answers, task, jobs):
        done[marked.name] = marked
        told(len(done), len(answers), marked.name)
    return [done[answer.name] for answer in answers]


def _marked(answers: Sequence[Answer], task: Task, jobs: int) -> Iterator[Marked]:
    if jobs <= 1:
        yield from (mark(answer, task) for answer in answers)
        return
    waiting = list(answers)
    while waiting:
        finished: set[str] = set()
        try:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                futures = {pool.submit(mark, answer, task): answer for answer in waiting}
                try:
                    for future in as_completed(futures):
                        yield future.result()
                        finished.add(futures[future].name)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        except BrokenProcessPool:
            # A process died, out of memory perhaps: those that were waiting are tried one by one, each in a process of its own.
            waiting = [answer for answer in waiting if answer.name not in finished]
            yield from (_alone(answer, task) for answer in waiting)
        return


def _alone(answer: Answer, task: Task) -> Marked:
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(mark, answer, task).result()
    except BrokenProcessPool:
        return Marked(answer.name, problem="the process that marked it died, out of memory perhaps")


def mark(answer: Answer, task: Task) -> Marked:
    """One file marked. No error leaves it: what is wrong is said in the row."""
    try:
        with _limited(SECONDS):
            return _mark(answer, task)
    except BpttError as error:
        where = f"line {error.span.line}: " if error.span is not None else ""
        return Marked(answer.name, problem=visible(f"{where}{error.message}"))
    except TimeoutError:
        return Marked(answer.name, problem=f"it takes more than {SECONDS} s")
    except (MemoryError, RecursionError):
        return Marked(answer.name, problem="it needs too much memory")
    except Exception as error:  # a fault of the program in one file is no reason to stop
        return Marked(
            answer.name, problem=f"a fault of bptt: {type(error).__name__}: {clipped(visible(str(error)), 200)}"
        )


def _mark(answer: Answer, task: Task) -> Marked:
    text = read_text(answer.path, limit=MAX_BYTES, expected="LaTeX, Markdown or a notebook")
    cell = Cell.from_text(task.cell) if task.cell else None
    document = checked(text, cell, name=answer.name, aliases=task.aliases, inline=task.inline)
    results = document.results(read_wanted(task.wanted, document.names)) if task.wanted else ()
    marked = Marked(answer.name, document.equations, results)
    return _with_copy(marked, task) if task.pdf else _lighter(marked)


def _with_copy(marked: Marked, task: Task) -> Marked:
    from reports.grading.annotated import annotated
    from reports.render import make

    try:
        document = annotated(marked.name, marked.equations, marked.results)
        copy = make(document, "copy", ("pdf",), task.route).contents["copy.pdf"]
    except BpttError as error:
        return _lighter(replace(marked, problem=f"no annotated copy: {error.message}"))
    return _lighter(replace(marked, copy=copy))


def _lighter(marked: Marked) -> Marked:
    """Without the trees, which no table needs: they would only be carried from process to process."""
    return replace(marked, equations=tuple(replace(one, surface=None, found=None) for one in marked.equations))


@contextlib.contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """A time limit, where the system has alarms and this is the main thread."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["Answer", "Marked", "Task", "cores", "mark", "mark_all"]
