"""Files that are either as they were or complete, whenever the process ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, make it last on the disk, and move it there.

    Raises
    ------
    OSError : it cannot be written; what had the name before is unchanged.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a", lambda file: file.write(b"1"))
    ...     (Path(folder) / "a").read_bytes(), len(list(Path(folder).iterdir()))
    (b'1', 1)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # a temporary file is its maker's alone
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def write_text(path: Path, text: str) -> None:
    """A whole text in UTF-8."""
    write_whole(path, lambda file: file.write(text.encode()))


def clear(path: Path) -> None:
    """Remove what a process left that ended while it wrote a file. No other process may be writing it."""
    for left in path.parent.glob(f".{path.name}-*"):
        left.unlink(missing_ok=True)


__all__ = ["clear", "write_text", "write_whole"]
