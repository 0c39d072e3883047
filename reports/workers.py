"""Work shared among processes, which end with the one that started them, however that ends."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

from reports.stopping import never_lost

GRACE = 3.0
"""How many seconds a process has to tidy up before it is killed, with the programs that it started."""

_Busy = dict[Connection, tuple[BaseProcess, int]]


def each(work: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> Generator[tuple[int, Any], None, None]:
    """What ``work`` makes of each item, with the item's place, in the order in which they are finished; None where a
    process died over it, out of memory perhaps. Close the iterator where it is left before its end.
    """
    waiting = iter(enumerate(items))
    busy: _Busy = {}
    idle = [_started(work) for _ in range(min(jobs, len(items)))]
    try:
        while _give(waiting, idle, busy) or busy:
            ready = wait(list(busy))
            for connection in [one for one in busy if one in ready]:
                process, place = busy.pop(connection)
                try:
                    result = connection.recv()
                except (EOFError, OSError):
                    process.join()
                    result, process, connection = None, *_started(work)
                idle.append((process, connection))
                _give(waiting, idle, busy)  # before somebody else is waited for
                yield place, result
    finally:
        _end([*(process for process, _ in busy.values()), *(process for process, _ in idle)])


def _give(waiting: Iterator[tuple[int, Any]], idle: list[tuple[BaseProcess, Connection]], busy: _Busy) -> bool:
    """Give the processes that have nothing to do something; whether there was anything."""
    given = False
    while idle and (following := next(waiting, None)) is not None:
        process, connection = idle.pop()
        busy[connection] = process, following[0]
        with contextlib.suppress(OSError):  # it died; that is found where its answer is read
            connection.send(following[1])
        given = True
    return given


def _started(work: Callable[[Any], Any]) -> tuple[BaseProcess, Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, work, gc.get_threshold()), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is the end of the connection
    return process, ours


def _end(processes: Sequence[BaseProcess]) -> None:
    """End processes: asked first, so that they leave no files behind, then by force."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
    for process in processes:
        if process.is_alive():
            _kill(process)


def _kill(process: BaseProcess) -> None:
    if hasattr(os, "killpg") and process.pid is not None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


# -- in the processes ----------------------------------------------------------------------------------


def _serve(connection: Connection, work: Callable[[Any], Any], threshold: tuple[int, int, int]) -> None:
    gc.set_threshold(*threshold)  # as in the process that started this one
    if hasattr(os, "setsid"):
        os.setsid()  # what a worker starts, TeX for one, can be ended with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is told to stop tells the workers
    signal.signal(signal.SIGTERM, _leave)
    never_lost(SystemExit, lambda: signal.SIGTERM)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            connection.send(work(connection.recv()))
    except (EOFError, OSError):
        return
    except SystemExit:
        _end_group()


def _leave(*_: Any) -> NoReturn:
    """End by an exception, on the way of which temporary files go."""
    sys.exit(1)


def _end_group() -> NoReturn:
    """End this process, with the programs that it started."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    _end_group()


__all__ = ["each"]
