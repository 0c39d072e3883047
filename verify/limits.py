"""So much time, and no more: whatever somebody writes, an answer comes."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator

AGAIN = 0.5
"""After so many seconds the computation is told once more, where something went on all the same."""


class TooLong(BaseException):
    """Time is up. It is no ordinary exception, so that nothing on the way takes it for an error of its own."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what is computed in this thread after some seconds.

    Raises
    ------
    TooLong : time is up.
    """
    thread, lock = threading.get_ident(), threading.Lock()
    over = False
    timers: list[threading.Timer] = []

    def start(after: float) -> None:
        timer = threading.Timer(after, stop)
        timer.daemon = True
        timers[:] = [timer]
        timer.start()

    def stop() -> None:
        with lock:
            if not over:
                _raise_in(thread, TooLong)
                start(AGAIN)

    start(seconds)
    try:
        yield
    finally:
        with lock:
            over = True
            timers[0].cancel()
            _raise_in(thread, None)  # nothing comes afterwards


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an exception in a thread, or take back one that has not come there yet."""
    what = ctypes.py_object() if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


__all__ = ["TooLong", "limited"]
