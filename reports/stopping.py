"""Commands that are asked to stop: every signal that asks does what Ctrl-C does, and none is lost.

An exception that a signal raises may come where Python cannot pass it on, in the callback of a weak reference for one. It is lost
there, and a traceback is printed; here it comes again, and nobody reads of it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

STOPPED = 128
"""A command that a signal stops has the exit status 128 and the signal's number."""
AGAIN = 0.05
"""So many seconds later the signal is sent once more."""


def never_lost(kind: type[BaseException], number: Callable[[], int]) -> Callable[[], None]:
    """From now on, send a signal again whose exception is lost; gives what ends this.

    >>> import signal
    >>> end = never_lost(KeyboardInterrupt, lambda: signal.SIGINT)
    >>> end()
    """
    before = sys.unraisablehook

    def hook(raised: sys.UnraisableHookArgs) -> None:
        if raised.exc_type is not kind:
            before(raised)
            return
        timer = threading.Timer(AGAIN, os.kill, (os.getpid(), number()))
        timer.daemon = True
        timer.start()

    sys.unraisablehook = hook

    def end() -> None:
        sys.unraisablehook = before

    return end


@contextlib.contextmanager
def stoppable() -> Iterator[Callable[[], int | None]]:
    """Let every signal that asks to stop do what Ctrl-C does; gives the signal that came, None if there was none."""
    came: list[int] = []

    def stop(number: int, _: Any) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        asking = [one for name in ("SIGINT", "SIGTERM", "SIGHUP") if (one := getattr(signal, name, None)) is not None]
        # What is ignored stays so: a command that nohup starts goes on when its terminal is closed.
        before = {one: signal.signal(one, stop) for one in asking if signal.getsignal(one) != signal.SIG_IGN}
    end = never_lost(KeyboardInterrupt, lambda: came[-1] if came else signal.SIGINT)
    try:
        yield lambda: came[0] if came else None
    finally:
        end()
        for one, handler in before.items():
            signal.signal(one, handler)


__all__ = ["STOPPED", "never_lost", "stoppable"]
