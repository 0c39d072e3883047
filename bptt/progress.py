"""What long work says on a terminal while it lasts."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from types import TracebackType

from derive.errors import visible


class Progress:
    """One line on the standard error that says what is being done, from the third second on and on a terminal only.

    >>> with Progress() as progress:
    ...     progress.say("deriving")
    """

    def __init__(self, patience: float = 2.0) -> None:
        self.patience = patience
        self._doing = ""
        self._shown = ""
        self._start = time.monotonic()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, text: str) -> None:
        """What is being done from now on."""
        self._doing = visible(text).replace("\n", " ")

    def __enter__(self) -> Progress:
        if sys.stderr is not None and sys.stderr.isatty():
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self._shown and not _is_dumb():
            self._write("\r\x1b[2K")

    def _watch(self) -> None:
        wait = self.patience
        while not self._end.wait(wait):
            if self._doing:
                self._show()
            wait = 0.5

    def _show(self) -> None:
        if _is_dumb():
            # A terminal that cannot go back is told once of each thing.
            if self._doing != self._shown:
                self._write(f"{self._doing} ...\n")
        else:
            seconds = f" ({time.monotonic() - self._start:.0f} s)"
            room = max(20, shutil.get_terminal_size((80, 24)).columns - len(seconds) - 5)
            self._write(f"\r\x1b[2K{self._doing[:room]} ...{seconds}")
        self._shown = self._doing

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            self._end.set()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "dumb") == "dumb"
