"""The process in which the code of a sheet runs: a kernel of Jupyter's with settings of ours, in an empty folder, and gone
with everything that it started when the sheet is built.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from reports.plot_style import style_sheet

MAX_TEXT = 20_000
"""Most characters that one piece of code may print."""
MAX_DATA = 8_000_000
"""Most bytes of the pictures that one piece of code may draw."""

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "XDG_CACHE_HOME",
         "SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "TMPDIR", "TEMP", "TMP")  # fmt: skip
"""What a program needs to be found and to find its own files; nothing else of the environment reaches the code."""
_FIXED = {
    "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # Sums in another order give other last digits.
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1",
}  # fmt: skip
_SETTINGS = """\
c.InlineBackend.figure_formats = {"svg"}
c.InteractiveShell.colors = "nocolor"
c.InteractiveShell.xmode = "Plain"
c.HistoryManager.enabled = False
c.IPKernelApp.capture_fd_output = False
"""
"""Tracebacks are read by :mod:`reports.code.outputs`. What other processes print goes nowhere: it could not be told when."""
_LONGEST_SOCKET = 90
_PATIENCE = 60
"""Seconds that the process may take to start."""

T = TypeVar("T")


class TimeIsUpError(Exception):
    """The code is still at work."""


class TooMuchError(Exception):
    """The code prints or draws more than a sheet has room for."""


class EndedError(Exception):
    """The code ended the process in which it runs."""


class StartError(Exception):
    """The process does not start; the message says why."""


class _OurKernel(KernelSpecManager):
    """The Python that runs this program, whatever kernels are installed elsewhere."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class _Client(NotebookClient):
    """Counts what the code prints, and ends the process where it is too much."""

    text = data = 0
    stop = staticmethod(lambda: None)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        content = msg["content"]
        data = content.get("data") or {}
        self.text += sum(len(str(content.get(part, ""))) for part in ("text", "evalue")) + len(
            data.get("text/plain", "")
        )
        self.data += sum(len(str(value)) for value in data.values())
        if self.too_much:
            self.stop()
            if msg["msg_type"] != "status":
                return None
        return super().process_message(msg, cell, cell_index)

    @property
    def too_much(self) -> bool:
        """Whether the code has printed or drawn more than it may."""
        return self.text > MAX_TEXT or self.data > MAX_DATA


class Process:
    """A fresh Python. Pieces of code run in it one after another and share their names, like cells of a notebook.

    Raises
    ------
    StartError : it does not start.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bptt-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._loop = asyncio.new_event_loop()
        # A thread of its own: asyncio would change how Ctrl-C works, and cannot run inside a running notebook.
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="bptt code")
        self._thread.start()
        self._ended = False
        self._manager = AsyncKernelManager(
            kernel_spec_manager=_OurKernel(),
            kernel_name="python3",
            connection_file=str(self.folder / "connection.json"),
            **self._transport(),
        )
        self._notebook = new_notebook()
        self._client = _Client(
            self._notebook, km=self._manager, allow_errors=True, startup_timeout=_PATIENCE, log=_silent()
        )
        self._client.on_cell_executed = self._executed
        self._finalizer = weakref.finalize(self, _stop, self._manager, self._folder, os.getpid())
        try:
            self._wait(self._start())
        except (OSError, RuntimeError, TimeoutError) as error:
            self.close()
            raise StartError(str(error)) from None
        except BaseException:
            self.close()
            raise
        self._client.stop = lambda: _kill(self._manager)

    def run(self, source: str, seconds: int) -> tuple[int, list[NotebookNode]]:
        """Run a piece of code: its number, and its outputs as a notebook holds them.

        Raises
        ------
        TimeIsUpError : it took longer than ``seconds``; the process is gone.
        TooMuchError  : it printed or drew too much; the process is gone.
        EndedError    : it ended the process.
        """
        cell = new_code_cell(source)
        self._notebook.cells.append(cell)
        number = len(self._notebook.cells)
        self._client.text = self._client.data = 0
        self._client.timeout = seconds
        try:
            self._wait(self._client.async_execute_cell(cell, number - 1))
        except CellTimeoutError:
            self.close()
            raise TimeIsUpError from None
        except DeadKernelError:
            self.close()
            raise (TooMuchError if self._client.too_much else EndedError) from None
        except BaseException:
            self.close()
            raise
        if self._client.too_much:
            self.close()
            raise TooMuchError
        if self._ended:
            self.close()
            raise EndedError
        return number, list(cell.outputs)

    def kill(self) -> None:
        """End whatever it is doing: a piece of code that is at work ends with an error, in the thread that runs it."""
        _kill(self._manager)

    def close(self) -> None:
        """End the process and all that it started; nothing is left of its folder."""
        if not self._finalizer.alive:
            return
        _kill(self._manager)
        with contextlib.suppress(Exception):
            self._wait(self._stopped())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._finalizer()

    # -- inside the thread ---------------------------------------------------------------------------

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        for name in ("work", "ipython/profile_default", "jupyter"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "ipython" / "profile_default" / "ipython_kernel_config.py").write_text(_SETTINGS)
        (self.folder / "matplotlibrc").write_text(style_sheet())
        await self._client.async_start_new_kernel(
            cwd=str(self.folder / "work"),
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await self._client.async_start_new_kernel_client()

    async def _stopped(self) -> None:
        await self._manager.shutdown_kernel(now=True)
        if self._client.kc is not None:
            self._client.kc.stop_channels()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _executed(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        payload = execute_reply["content"].get("payload", ())
        self._ended = any(entry.get("source") == "ask_exit" for entry in payload)

    # -- settings ------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        own = {
            "IPYTHONDIR": str(self.folder / "ipython"),
            "MATPLOTLIBRC": str(self.folder / "matplotlibrc"),
            **dict.fromkeys(
                ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"), str(self.folder / "jupyter")
            ),
        }
        return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_FIXED, **own}

    def _transport(self) -> dict[str, str]:
        """Sockets in the folder, which nobody else can open; ports where there are no such sockets."""
        socket = str(self.folder / "socket")
        if sys.platform == "win32" or len(os.fsencode(socket)) > _LONGEST_SOCKET:
            return {}
        return {"transport": "ipc", "ip": socket}


def _kill(manager: AsyncKernelManager) -> None:
    """Kill the process, those that it started, and those that they started."""
    pid = getattr(manager.provisioner, "pid", None)
    if pid is None:
        return
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        if first.ppid() == os.getpid():
            family = [*first.children(recursive=True), first]
    if hasattr(os, "killpg"):
        # It leads a group of its own. Some of the group may have no living parent left.
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _stop(manager: AsyncKernelManager, folder: tempfile.TemporaryDirectory[str], owner: int) -> None:
    """What is done at the latest when the program ends; a copy of the program (``fork``) owns nothing of it."""
    if os.getpid() == owner:
        _kill(manager)
        folder.cleanup()


def _silent() -> logging.Logger:
    """A log that nobody reads: what goes wrong is an error."""
    log = logging.getLogger("bptt.code")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return log
