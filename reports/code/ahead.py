"""The code of a sheet runs ahead of it, while the rest of the sheet is derived: a thread waits for the process."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from reports.code.outputs import Result, result_of
from reports.code.process import EndedError, Process
from reports.plot import get_ready


class Runner:
    """Runs pieces of code one after another in one process, which the first of them starts."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bptt code")
        self._process: Process | None = None
        self._closing = False
        self._begun: dict[Hashable, Future[Result]] = {}

    def begin(self, place: Hashable, source: str, seconds: int) -> None:
        """Run the piece that stands at a place when those before it are done."""
        self._begun[place] = self._thread.submit(self._run, source, seconds)

    def result(self, place: Hashable, source: str, seconds: int) -> Result:
        """What comes out of the piece that stands at a place; it is run now unless it has begun.

        Raises
        ------
        ChangingError : see :func:`reports.code.outputs.result_of`; StartError, TimeIsUpError, TooMuchError, EndedError: see
                        :class:`reports.code.process.Process`.
        """
        if place not in self._begun:
            self.begin(place, source, seconds)
        begun = self._begun.pop(place)
        if not begun.done():
            get_ready()  # figures are drawn later, most likely
        return begun.result()

    def close(self) -> None:
        """End the process, whatever it is doing, and forget what has not begun."""
        self._closing = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._process is not None:
            self._process.kill()
        self._thread.shutdown()
        if self._process is not None:
            self._process.close()

    def _run(self, source: str, seconds: int) -> Result:
        if self._process is None:
            self._process = Process()
        if self._closing:
            raise EndedError
        number, outputs = self._process.run(source, seconds)
        return result_of(number, outputs, self._process.folder)


__all__ = ["Runner"]
