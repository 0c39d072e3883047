"""So much time, and no more: whatever somebody writes, an answer comes. The time is that of the processor, so that the answer is the same
on a machine that has other work, but for one that has far too much of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator

AGAIN = 0.5
"""After so many seconds the computation is told once more, where something went on all the same."""


PATIENCE = 6
"""So many times longer by the clock than by the processor a computation may take."""


class TooLong(BaseException):
    """Time is up. It is no ordinary exception, so that nothing on the way takes it for an error of its own."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what is computed in this thread after some seconds of work.

    Raises
    ------
    TooLong : time is up.
    """
    thread, lock = threading.get_ident(), threading.Lock()
    work, begun, over, told_so = _work_of(thread), time.monotonic(), False, False
    before = work()
    timers: list[threading.Timer] = []

    def start(after: float) -> None:
        timer = threading.Timer(after, stop)
        timer.daemon = True
        timers[:] = [timer]
        timer.start()

    def stop() -> None:
        nonlocal told_so
        with lock:
            if over:
                return
            left = seconds - (work() - before)
            if left > 0 and time.monotonic() - begun < PATIENCE * seconds:
                start(max(left, 0.01))
                return
            told_so = True
            _tell(thread)
            start(AGAIN)

    told = sys.unraisablehook

    def quiet(raised: sys.UnraisableHookArgs) -> None:
        """Where the exception came in a place that cannot pass it on, it comes again; nobody needs to read of it."""
        if raised.exc_type is not TooLong:
            told(raised)

    sys.unraisablehook = quiet
    start(seconds)
    try:
        yield
    finally:
        while True:  # until it is sure that nothing comes afterwards
            try:
                sys.unraisablehook = told
                with lock:
                    over = True
                    timers[0].cancel()
                if told_so:
                    _let_come()
                break
            except TooLong:
                continue


def _work_of(thread: int) -> Callable[[], float]:
    """How long a thread has worked, in seconds; by the clock, where the system does not tell."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    clock = time.pthread_getcpuclockid(thread)
    return lambda: time.clock_gettime(clock)


def _tell(thread: int) -> None:
    """Raise the exception in a thread. It cannot be taken back: with nothing in its place, CPython 3.11 would look for it forever as soon
    as somebody traces the program.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooLong))


def _let_come() -> None:
    """Let an exception that waits for this thread come now."""
    for _ in range(1000):
        pass


__all__ = ["TooLong", "limited"]
