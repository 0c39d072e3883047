"""Files on disk: names that are safe, a folder that is checked before the work, and all files of a command or none of
them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from derive.errors import RenderError, UsageError, clipped, is_invisible
from reports.anchors import slug

_LONGEST = 255
"""Longest name of a file in bytes, on all usual file systems."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def check_name(name: str, ending: str = ".html") -> None:
    """Check that ``name`` with an ending is the name of a file.

    Raises
    ------
    UsageError : it is not.
    """
    if not name or name.startswith(".") or any(char in "/\\" or is_invisible(char) or char in "\n\t" for char in name):
        raise UsageError(
            f"{clipped(name)!r} is not a name for files",
            expected="a name that starts with no dot and holds no slashes and no invisible characters",
            hint="rename the sheet",
        )
    length = len(name.encode()) + len(ending)
    if length > _LONGEST:
        raise UsageError(
            f"{clipped(name)!r} is too long for the name of a file",
            expected=f"at most {_LONGEST - len(ending)} bytes",
            hint="rename the sheet",
        )


def asset_stem(name: str) -> str:
    """What the names of a document's figures start with: the document's name, or where LaTeX could stumble over that,
    one that tells names apart.

    >>> asset_stem("sheet-1"), asset_stem("mein blatt")
    ('sheet-1', 'mein-blatt-d184e7ef')
    """
    if _PLAIN.fullmatch(name):
        return name
    return f"{slug(name)[:40].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def same_name(file: str) -> str:
    """The same text for names that some file system takes for one file."""
    return unicodedata.normalize("NFC", file).casefold()


def folder_of(text: str | os.PathLike[str]) -> Path:
    """The folder that a user names.

    Raises
    ------
    UsageError : the text is empty or holds invisible characters.
    """
    name = os.fspath(text)
    if not name.strip() or any(is_invisible(char) or char == "\n" for char in name):
        raise UsageError(
            f"{clipped(name)!r} is not a folder", expected="a folder for the files, such as out, or . for here"
        )
    return Path(name)


def check_folder(folder: Path) -> None:
    """Check that files can be written to a folder, or that it can be made.

    Raises
    ------
    RenderError : something is in the way.
    """
    try:
        present = next(path for path in (folder, *folder.absolute().parents) if _is_there(path))
        if not present.is_dir():
            raise RenderError(
                f"cannot write to {folder}: {present} is not a folder",
                expected="a folder, or a name that is still free",
            )
        if not os.access(present, os.W_OK | os.X_OK):
            raise RenderError(
                f"cannot write to {folder}: you may not write to {present}", expected="a folder of your own"
            )
    except OSError as error:
        raise _failed(folder, error) from None


def _is_there(path: Path) -> bool:
    """Whether something has this path; an OSError where nothing can have it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def check_targets(folder: Path, files: Iterable[str], inputs: Iterable[Path] = ()) -> None:
    """Check that files may be written under these names.

    Raises
    ------
    RenderError : one is a folder, a device, protected against writing, or the file that it would be made from.
    """
    sources = [path for path in inputs if path.exists()]
    for file in files:
        target = folder / file
        if not os.path.lexists(target):
            continue
        mode = target.lstat().st_mode
        if stat.S_ISDIR(mode):
            raise RenderError(f"{target} is a directory", expected="a file, or nothing, of that name")
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise RenderError(f"{target} is a device or a pipe", expected="a file, or nothing, of that name")
        if target.exists() and any(target.samefile(source) for source in sources):
            raise RenderError(
                f"{target} is the sheet itself, and would be overwritten",
                hint="name another folder with -o, or end the sheet's name in .md",
            )
        if stat.S_ISREG(mode) and not os.access(target, os.W_OK):
            raise RenderError(f"{target} is protected against writing", hint="make it writable, or name another folder")


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write all files, or none: after an error the disk is as it was.

    Raises
    ------
    RenderError : they cannot be written.
    """
    check_folder(folder)
    check_targets(folder, contents)
    made: list[Path] = []
    try:
        for path in reversed([folder, *folder.parents]):
            if not path.exists():
                path.mkdir(exist_ok=True)
                made.append(path)
        # On the same disk, so that files are moved in place and never copied.
        with tempfile.TemporaryDirectory(prefix=".bptt-", dir=folder) as stage:
            _write_and_move(folder, Path(stage), contents)
    except BaseException as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError):
            raise _failed(folder, error) from None
        raise


def _write_and_move(folder: Path, stage: Path, contents: Mapping[str, bytes]) -> None:
    new, old = stage / "new", stage / "old"
    new.mkdir()
    old.mkdir()
    for file, content in contents.items():
        (new / file).write_bytes(content)
    moved: list[str] = []
    try:
        for file in contents:
            _keep(folder / file, old / file)
            moved.append(file)
            (new / file).replace(folder / file)
    except BaseException:
        for file in reversed(moved):
            if os.path.lexists(old / file):
                (old / file).replace(folder / file)
            elif not (new / file).exists():
                (folder / file).unlink(missing_ok=True)
        raise


def _keep(target: Path, backup: Path) -> None:
    """A second name, or a copy, of what a file is now."""
    if not os.path.lexists(target):
        return
    try:
        os.link(target, backup, follow_symlinks=False)
    except OSError:
        shutil.copy2(target, backup, follow_symlinks=False)


def _failed(folder: Path, error: OSError) -> RenderError:
    return RenderError(f"cannot write to {folder}: {error.strerror or error}", hint="nothing was changed")
