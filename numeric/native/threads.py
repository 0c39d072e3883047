"""Threads that take pieces of work in turn. Machine code lets other threads of Python run, so they work side by side."""

from __future__ import annotations

import ctypes
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

THREADS = "BPTT_NUM_THREADS"
"""An environment variable: how many threads compute at most; as many as there are processors, if it is not set."""
Task = Callable[[Any, Any], None]
Done = queue.SimpleQueue[BaseException | None]


def most() -> int:
    """How many threads may compute."""
    chosen = os.environ.get(THREADS, "")
    if chosen.isascii() and chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> Callable[[], int]:
    """The processor that the calling thread is on, or -1."""
    try:
        found: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
    except (AttributeError, OSError, TypeError):
        return lambda: -1
    return found


class _Worker:
    """A thread that waits for work."""

    def __init__(self) -> None:
        self.tasks: queue.SimpleQueue[tuple[Task, Iterator[Any], int, int, Done]] = queue.SimpleQueue()
        self._all = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        self._avoided = -1
        threading.Thread(target=self._run, daemon=True, name="bptt").start()

    def _run(self) -> None:
        while True:
            task, work, number, caller, done = self.tasks.get()
            self._leave(caller)
            failure: BaseException | None = None
            try:
                for piece in work:
                    task(piece, number)
            except BaseException as error:  # handed to whoever waits
                failure = error
            del task, work  # with what they keep alive
            done.put(failure)

    def finish(self) -> None:
        """Wait until everything is done that was handed over, whatever comes between: an interrupt may strike at every line."""
        finished: list[int] = []
        asked = False
        while not finished:
            try:
                if not asked:  # work is taken in order, so this comes last; asking twice does no harm
                    self.tasks.put((lambda piece, _: finished.append(piece), iter([0]), 0, -1, Done()))
                    asked = True
                time.sleep(5e-4)
            except BaseException:  # the first one is on its way already
                continue

    def _leave(self, caller: int) -> None:
        """Not on the caller's processor, where a thread that it wakes may be left for long."""
        if caller not in (-1, self._avoided) and len(self._all) == 2:
            self._avoided = caller
            os.sched_setaffinity(0, self._all - {caller} or self._all)


class Team:
    """The caller's thread, and workers that are started when they are needed."""

    def __init__(self) -> None:
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()
        self._current = _processor()

    def run(self, task: Task, pieces: list[Any], count: int) -> None:
        """``task(piece, thread)`` for all pieces, in ``count`` threads at most; who is free takes the next.

        What a task computes with must be kept alive by the task itself.
        """
        if count < 2 or len(pieces) < 2 or not self._lock.acquire(blocking=False):
            for piece in pieces:
                task(piece, 0)
            return
        try:
            while len(self._workers) < count - 1:
                self._workers.append(_Worker())
            workers = self._workers[: count - 1]
            work = iter(pieces)  # taking the next of a list is one step for Python's lock
            caller, done = self._current(), Done()
            failure: BaseException | None = None
            try:
                for number, worker in enumerate(workers, 1):
                    worker.tasks.put((task, work, number, caller, done))
                for piece in work:
                    task(piece, 0)
                for _ in workers:
                    failure = done.get() or failure
            except BaseException as error:  # such as an interrupt
                failure = error
                for worker in workers:
                    worker.finish()
            if failure is not None:
                raise failure
        finally:
            self._lock.release()


TEAM = Team()


def _after_fork() -> None:
    """A child process has no threads of its parent."""
    global TEAM
    TEAM = Team()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def team() -> Team:
    """The threads of this process."""
    return TEAM


__all__ = ["THREADS", "most", "team"]
