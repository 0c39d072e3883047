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
    TooLong     : time is up.
    MemoryError : there is none left to watch the time.
    """
    watch = _Watch(threading.get_ident(), seconds)
    told = sys.unraisablehook

    def quiet(raised: sys.UnraisableHookArgs) -> None:
        """Where the exception came in a place that cannot pass it on, it comes again; nobody needs to read of it."""
        if raised.exc_type is not TooLong:
            told(raised)

    sys.unraisablehook = quiet
    try:
        watch.begin()
        yield
    finally:
        while True:  # until it is sure that nothing comes afterwards
            try:
                sys.unraisablehook = told
                if watch.ended():
                    _let_come()
                break
            except TooLong:
                continue


class _Watch(threading.Thread):
    """Tells a thread that its time is up, again and again until it has ended. All is there before the work begins: a machine that has no
    memory left for another thread must not make a computation endless.
    """

    def __init__(self, thread: int, seconds: float) -> None:
        super().__init__(daemon=True)
        self.thread, self.seconds = thread, seconds
        self.work, self.begun = _work_of(thread), time.monotonic()
        self.before = self.work()
        self.lock, self.over, self.told = threading.Lock(), False, False
        self.bell = (
            threading.Lock()
        )  # an Event would take its lock in Python, where TooLong may come in between and leave it taken
        self.bell.acquire()

    def begin(self) -> None:
        """Start; or say that there is no memory for it."""
        try:
            self.start()
        except RuntimeError as error:
            raise MemoryError(str(error)) from None

    def run(self) -> None:
        """Wait, look, tell."""
        wait = self.seconds
        while not self.bell.acquire(timeout=wait):
            with self.lock:
                if self.over:
                    return
                left = self.seconds - (self.work() - self.before)
                if left > 0 and time.monotonic() - self.begun < PATIENCE * self.seconds:
                    wait = max(left, 0.01)
                    continue
                self.told, wait = True, AGAIN
                _tell(self.thread)

    def ended(self) -> bool:
        """Tell no more; whether the thread has been told."""
        with self.lock:
            self.over = True
        with contextlib.suppress(RuntimeError):  # it has been rung before
            self.bell.release()
        return self.told


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
