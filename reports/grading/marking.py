"""Marking files side by side. Whatever is wrong with one file is said in its row, and stops no other."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

from derive.cell import Cell
from derive.errors import BpttError, clipped, visible
from derive.files import read_text
from reports.workers import each
from verify.check import MAX_BYTES, checked
from verify.checked import Checked
from verify.require import Result, read_wanted

SECONDS = 300
"""How long one file may take."""

NOT_REACHED = "not reached: the marking was stopped before"


@dataclass(frozen=True)
class Answer:
    """A file to be marked: its name in the table, its path, and why it is not read, where that is known before."""

    name: str
    path: str
    problem: str = ""


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
    hints    : how much the copy tells of a wrong equation, from 0 to 4, as ``bptt check`` has it.
    """

    cell: str = ""
    wanted: str = ""
    aliases: tuple[str, ...] = ()
    inline: bool = False
    pdf: bool = True
    route: str = "auto"
    hints: int = 4


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
    usual     : what letters are taken for where the file does not say it, as equations in LaTeX.
    """

    name: str
    equations: tuple[Checked, ...] = ()
    results: tuple[Result, ...] = ()
    problem: str = ""
    copy: bytes = field(default=b"", repr=False)
    page: str = ""
    usual: tuple[str, ...] = ()

    def count(self, verdict: str) -> int:
        """How many equations have a verdict."""
        return sum(one.verdict == verdict for one in self.equations)

    @property
    def points(self) -> Fraction:
        """What it earns."""
        return sum((one.points for one in self.results), Fraction(0))

    @property
    def contradicted(self) -> tuple[Result, ...]:
        """The results to which it has answers that contradict each other."""
        return tuple(one for one in self.results if one.contradicted)


def mark_all(
    answers: Sequence[Answer], task: Task, jobs: int, finished: Callable[[Marked], Marked] = lambda one: one
) -> list[Marked]:
    """Every file marked, in their order. Where it is stopped from the keyboard, what was not reached says so in its row.

    Parameters
    ----------
    finished : what is done with each as soon as it is finished; what it gives is kept. A stop that comes meanwhile leaves
               the file as it was before.
    """
    done: dict[str, Marked] = {}
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(_marked(answers, task, jobs)) as marked:
        for one in marked:
            done[one.name] = one  # kept even if the stop comes now
            done[one.name] = finished(one)
    return [done.get(answer.name) or Marked(answer.name, problem=NOT_REACHED) for answer in answers]


def _marked(answers: Sequence[Answer], task: Task, jobs: int) -> Generator[Marked, None, None]:
    if jobs <= 1:
        yield from (mark(answer, task) for answer in answers)
        return
    with contextlib.closing(each(partial(mark, task=task), answers, jobs)) as results:
        for place, result in results:
            name = answers[place].name
            yield result or Marked(name, problem="the process that marked it died, out of memory perhaps")


def mark(answer: Answer, task: Task) -> Marked:
    """One file marked. No error leaves it: what is wrong is said in the row."""
    if answer.problem:
        return Marked(answer.name, problem=answer.problem)
    try:
        with _limited(SECONDS):
            return _mark(answer, task)
    except BpttError as error:
        where = f"line {error.span.line}: " if error.span is not None else ""
        return Marked(answer.name, problem=visible(f"{where}{_of_it(error.message, answer)}"))
    except TimeoutError:
        return Marked(answer.name, problem=f"it takes more than {SECONDS} s")
    except (MemoryError, RecursionError):
        return Marked(answer.name, problem="it needs too much memory")
    except Exception as error:  # a fault of the program in one file is no reason to stop
        return Marked(
            answer.name, problem=f"a fault of bptt: {type(error).__name__}: {clipped(visible(str(error)), 200)}"
        )


def _of_it(message: str, answer: Answer) -> str:
    """A message for the row of a file, which has its name already."""
    shown = repr(clipped(answer.path, 200))
    if message.startswith(answer.name):
        message = "it" + message.removeprefix(answer.name)
    return message.replace(f"there is no file {shown}", "it is gone").replace(shown, "it")


def _mark(answer: Answer, task: Task) -> Marked:
    text = read_text(answer.path, limit=MAX_BYTES, expected="LaTeX, Markdown or a notebook")
    cell = Cell.from_text(task.cell) if task.cell else None
    document = checked(text, cell, name=answer.name, aliases=task.aliases, inline=task.inline)
    results = document.results(read_wanted(task.wanted, document.names)) if task.wanted else ()
    problem = "" if document.equations else _nothing(task)
    marked = Marked(answer.name, document.equations, results, problem, usual=tuple(document.usual))
    return _with_copy(marked, task) if task.pdf else _lighter(marked)


def _nothing(task: Task) -> str:
    return "there is no displayed equation" + ("" if task.inline else "; --inline checks those within lines as well")


def _with_copy(marked: Marked, task: Task) -> Marked:
    from reports.grading.annotated import annotated
    from reports.render import make

    try:
        document = annotated(marked.name, marked.equations, marked.results, task.hints, marked.usual)
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


__all__ = ["NOT_REACHED", "Answer", "Marked", "Task", "mark", "mark_all"]
