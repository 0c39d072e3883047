"""Reading a user's text file: every file that cannot be one is told for what it is, before more than its limit is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from derive.errors import UsageError, clipped

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def is_file_name(text: str) -> bool:
    """Whether something, of whatever kind, has this name."""
    try:
        return os.path.lexists(text)
    except (OSError, ValueError):
        return False


def read_text(name: str | os.PathLike[str], *, limit: int, expected: str) -> str:
    """The text of a user's file, with plain line ends and without a byte order mark.

    Parameters
    ----------
    limit    : the most bytes that are read.
    expected : what the file should hold, for messages: ``a text of equations``.

    Raises
    ------
    UsageError : it is missing, no regular file, not readable, too large, empty or not UTF-8 text.
    """
    shown = _shown(name)
    raw = read_bytes(name, limit=limit, expected=expected)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "it looks like UTF-16; save it as UTF-8" if raw.startswith(_UTF16) else "save it as UTF-8"
        raise UsageError(
            f"{shown} is not a text file (byte {error.start + 1} is not UTF-8)",
            expected=f"{expected} in UTF-8",
            hint=hint,
        ) from None
    if "\x00" in text:
        raise UsageError(f"{shown} is not a text file (it holds a zero byte)", expected=f"{expected} in UTF-8")
    if not text.strip():
        raise UsageError(f"{shown} is empty", expected=expected)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(name: str | os.PathLike[str], *, limit: int, expected: str) -> bytes:
    """The content of a user's file.

    Parameters
    ----------
    limit, expected : as for :func:`read_text`.

    Raises
    ------
    UsageError : it is missing, no regular file, not readable or too large.
    """
    path, shown = Path(name), _shown(name)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = next((kind for test, kind in _KINDS if test(mode)), "no regular file")
            raise UsageError(f"{shown} is {kind}", expected=f"a file with {expected}")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        broken = path.is_symlink()
        message = f"{shown} is a link to a file that is not there" if broken else f"there is no file {shown}"
        raise UsageError(message, expected=f"the path of a file with {expected}") from None
    except OSError as error:
        raise UsageError(
            f"{shown} cannot be read: {error.strerror or error}", expected=f"a file with {expected}"
        ) from None
    except ValueError:
        raise UsageError(
            f"{shown} cannot be the name of a file", expected=f"the path of a file with {expected}"
        ) from None
    if len(raw) > limit:
        raise UsageError(f"{shown} has more than {limit:,} bytes", expected=expected, hint="is this the right file?")
    return raw


def _shown(name: str | os.PathLike[str]) -> str:
    return repr(clipped(os.fspath(name), 200))
