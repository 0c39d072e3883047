"""An exception that a signal raises may come where Python cannot pass it on, in the callback of a weak reference for one. It is lost
there, and a traceback is printed; here it comes again, and nobody reads of it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

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


__all__ = ["never_lost"]
