"""Watching what an input does: how long it takes, how much memory, and which files and commands it touches."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 1_500_000_000
"""How many bytes one input may take."""


class TimeIsUp(BaseException):
    """The alarm; no ``except Exception`` stops it."""


_RUNS = frozenset(
    """
    subprocess.Popen os.system os.exec os.posix_spawn os.fork os.forkpty os.spawn socket.connect socket.bind pty.spawn webbrowser.open
    """.split()
)
_CHANGES = frozenset(
    """
    os.remove os.rename os.mkdir os.rmdir os.link os.symlink os.chmod os.truncate shutil.rmtree shutil.copyfile tempfile.mkstemp
    """.split()
)
_LIBRARIES = tuple({sys.prefix, sys.base_prefix, *(str(path) for path in sys.path if path.endswith("-packages"))})


class _Watch:
    """Notes what is opened, run or changed while an input is tried."""

    def __init__(self) -> None:
        self.on = self.hooked = False
        self.touched: list[str] = []
        self.own = ""

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook, which stays for the life of the process."""
        if not self.on:
            return
        if event in _RUNS or (event in _CHANGES and "__pycache__" not in str(arguments[0])):
            self.touched.append(f"{event} {arguments[:2]!r}"[:200])
        elif event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path, mode = os.fsdecode(arguments[0]), str(arguments[1] or "")
            writes = any(letter in mode for letter in "wax+") or bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
            if not self._is_fine(path) and (writes or not _is_library(path)):
                self.touched.append(f"open {path[:150]} {mode}")

    def _is_fine(self, path: str) -> bool:
        code = path.endswith((".pyc", ".py", ".so")) or "__pycache__" in path
        return code or path in (self.own, os.devnull) or path.startswith("/proc/self/")


def _is_library(path: str) -> bool:
    return path.startswith(_LIBRARIES) or (path.startswith(str(ROOT)) and path.endswith((".lark", ".tex")))


_watch = _Watch()


def start() -> None:
    """Forget what was touched before."""
    if not _watch.hooked:
        sys.addaudithook(_watch.hear)
        _watch.hooked = True
    _watch.touched.clear()
    _watch.own = ""


def allow(path: str) -> None:
    """The one file that may be opened."""
    _watch.own = path


def touched() -> list[str]:
    """What was touched since the start."""
    return _watch.touched


@contextlib.contextmanager
def limited(seconds: float, memory: int = MEMORY) -> Iterator[None]:
    """An alarm after so many seconds of the processor, whatever else the machine does, so much memory more than the process has, and
    notes of what is touched. The alarm goes off again where something swallows it.
    """
    armed = True

    def ring(*_: object) -> None:
        if armed:
            raise TimeIsUp

    before = signal.signal(signal.SIGPROF, ring)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - hundreds of times a second
            pages = int(file.read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    _watch.on = True
    try:
        yield
    finally:
        armed = _watch.on = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def peak() -> int:
    """The largest memory that the process has had, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def where(error: BaseException) -> str:
    """The innermost frames of the project, and the innermost of all."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(str(Path(__file__).parent))
    ]
    own = [frame for frame in frames if frame.filename.startswith(str(ROOT))]
    chosen = [*own[-2:], *[frame for frame in frames[-1:] if frame not in own[-2:]]]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(chosen))
