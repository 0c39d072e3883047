"""The code of a sheet runs ahead of it, while the rest of the sheet is derived: a thread waits for the process."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from reports.code.outputs import Result, result_of

if TYPE_CHECKING:
    from reports.code.process import Process


class Runner:
    """Runs pieces of code one after another in one process."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bptt code")
        self._process: Future[Process] | None = None
        self._closing = False
        self._begun: dict[Hashable, Future[Result]] = {}

    def start(self) -> None:
        """Start the process, which takes a moment; the first piece of code does it else."""
        if self._process is None:
            # Jupyter's libraries take a moment, too; sheets without code need none of them.
            from reports.code.process import Process

            self._process = self._thread.submit(Process)

    def begin(self, place: Hashable, source: str, seconds: int) -> None:
        """Run the piece that stands at a place when those before it are done."""
        self.start()
        self._begun[place] = self._thread.submit(self._run, source, seconds)

    @property
    def at_work(self) -> bool:
        """Whether something that was begun is not done."""
        return not all(begun.done() for begun in self._begun.values())

    def result(self, place: Hashable, source: str, seconds: int) -> Result:
        """What comes out of the piece that stands at a place; it is run now unless it has begun.

        Raises
        ------
        ChangingError : see :func:`reports.code.outputs.result_of`; StartError, TimeIsUpError, TooMuchError, EndedError: see
                        :class:`reports.code.process.Process`.
        """
        if place not in self._begun:
            self.begin(place, source, seconds)
        return self._begun.pop(place).result()

    def close(self) -> None:
        """End the process, whatever it is doing, and forget what has not begun."""
        self._closing = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._started is not None:
            self._started.kill()
        self._thread.shutdown()
        if self._started is not None:
            self._started.close()

    @property
    def _started(self) -> Process | None:
        made = self._process
        if made is None or not made.done() or made.cancelled() or made.exception() is not None:
            return None
        return made.result()

    def _run(self, source: str, seconds: int) -> Result:
        from reports.code.process import EndedError

        if self._process is None or self._closing:
            raise EndedError
        process = self._process.result()
        number, outputs = process.run(source, seconds)
        return result_of(number, outputs, process.folder)


__all__ = ["Runner"]
