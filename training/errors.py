"""What can go wrong with data and runs, as part of the one tree of errors."""

from __future__ import annotations

import errno
from pathlib import Path

from derive.errors import BpttError


class DatasetError(BpttError):
    """A data set is not there, is damaged, or cannot be fetched."""


class TrainingError(BpttError):
    """A run cannot start, go on or be written."""


def disk_error(kind: type[BpttError], path: Path, error: OSError, kept: str) -> BpttError:
    """What a file that cannot be written is told as.

    Parameters
    ----------
    kept : what is still there, and how to go on.

    >>> import errno
    >>> print(disk_error(TrainingError, Path("run"), OSError(errno.ENOSPC, "no space"), "the last checkpoint is kept"))
    run cannot be written: the disk is full
    hint: free some space, and try again; the last checkpoint is kept
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return kind(f"{path} cannot be written: the disk is full", hint=f"free some space, and try again; {kept}")
    return kind(f"{path} cannot be written: {error.strerror or error}", hint=kept)


__all__ = ["DatasetError", "TrainingError", "disk_error"]
