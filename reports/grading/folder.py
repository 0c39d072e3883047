"""The files of a folder that are to be marked. Whatever is left out though it looks like an answer has a row that says why."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from derive.errors import UsageError
from reports.grading.marking import Answer

ENDINGS = (".tex", ".md", ".ipynb", ".txt")
"""Files that are marked."""
MOST_FILES = 5_000

_KINDS = (
    (stat.S_ISLNK, "it is a link, and links are not followed"),
    (stat.S_ISFIFO, "it is a pipe, and no file"),
    (stat.S_ISSOCK, "it is a socket, and no file"),
    (stat.S_ISCHR, "it is a device, and no file"),
    (stat.S_ISBLK, "it is a device, and no file"),
)


def answers_of(folder: Path, output: Path) -> list[Answer]:
    """The files of a folder and of those within, in the order of their names; what is written there is left out, and so is
    what is hidden.

    Raises
    ------
    UsageError : it is no folder, or holds nothing to be marked, or too much.
    """
    if not folder.is_dir():
        raise UsageError(f"{str(folder)!r} is no folder", expected="a folder with the files to be marked")
    found: list[Answer] = []
    for answer in _found(folder, output.resolve()):
        found.append(answer)
        if len(found) > MOST_FILES:
            raise UsageError(f"{str(folder)!r} holds more than {MOST_FILES:,} files", hint="is this the right folder?")
    if not found:
        raise UsageError(
            f"there is nothing to mark in {str(folder)!r}", expected=f"files ending in {', '.join(ENDINGS)}"
        )
    return sorted(found, key=lambda answer: Path(answer.path))


def _found(folder: Path, output: Path) -> Iterator[Answer]:
    closed: list[Answer] = []

    def tell(error: OSError) -> None:
        closed.append(_answer(folder, Path(error.filename), f"its files cannot be listed: {error.strerror}"))

    for place, folders, files in os.walk(folder, onerror=tell):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink() and not name.startswith(".")]
        yield from (
            _answer(folder, here / name, "it is a link to a folder, and links are not followed") for name in links
        )
        folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() != output]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(ENDINGS):
                yield _answer(folder, here / name, _reason(here / name))
    yield from closed


def _answer(folder: Path, path: Path, problem: str) -> Answer:
    return Answer(str(path.relative_to(folder)), str(path), problem)


def _reason(path: Path) -> str:
    """Why something is not read, told without opening it; empty for a file."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return next((reason for test, reason in _KINDS if test(mode)), "")


__all__ = ["ENDINGS", "answers_of"]
