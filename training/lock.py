"""One process at a time. A lock ends with its process, however that ends; its file stays behind, and means nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class Locked(Exception):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, wait: float = -1.0) -> Iterator[None]:
    """Hold the lock that a file stands for; its folder is made where it is missing.

    Parameters
    ----------
    wait : seconds for another process to leave; below 0 as long as it takes.

    Raises
    ------
    Locked  : it did not.
    OSError : the file cannot be made.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder) / ".lock"):
    ...     [path.name for path in Path(folder).iterdir()]
    ['.lock']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(path).acquire(timeout=wait)
    except Timeout:
        raise Locked from None
    with held:
        yield


__all__ = ["Locked", "locked"]
