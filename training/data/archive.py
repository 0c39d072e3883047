"""Unpacking: every entry stays inside the folder, and the folder appears only when all of it is there."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from training.errors import DatasetError, disk_error

MOST = 4 << 30
"""The most bytes that an archive may unpack to."""
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError)


def unpack(archive: Path, folder: Path, only: str = "") -> None:
    """Unpack a ``.zip`` or ``.tar.gz`` as ``folder``.

    Parameters
    ----------
    folder : is made by it, and must not be there yet.
    only   : the beginning of the names that are wanted.

    Raises
    ------
    DatasetError : it is damaged, holds a link or a name outside the folder, is too large, or the disk is full. Nothing is left then.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        written = 0
        with _entries(archive) as entries:
            for name, size, file in entries:
                target = _inside(stage, name, archive)
                if not name.startswith(only):
                    continue
                written += size
                if written > MOST:
                    raise DatasetError(f"{archive} unpacks to more than {MOST:,} bytes", hint="is it the official one?")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as out:
                    shutil.copyfileobj(file, out)
        stage.chmod(0o755)
        stage.replace(folder)
    except _DAMAGED as error:
        raise DatasetError(
            f"{archive} is damaged: {error}", expected="the official archive", hint=f"remove {archive} and try again"
        ) from None
    except OSError as error:
        raise disk_error(DatasetError, folder, error, "the archive is kept") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


Entries = Iterator[tuple[str, int, IO[bytes]]]


@contextmanager
def _entries(archive: Path) -> Iterator[Entries]:
    """The regular files of an archive, one after the other."""
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            yield _zipped(zipped, archive)
    else:
        with tarfile.open(archive, "r:*") as taped:
            yield _taped(taped, archive)


def _zipped(zipped: zipfile.ZipFile, archive: Path) -> Entries:
    for info in zipped.infolist():
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _hostile(archive, info.filename)
        if not info.is_dir():
            with zipped.open(info) as file:
                yield info.filename, info.file_size, file


def _taped(taped: tarfile.TarFile, archive: Path) -> Entries:
    for member in taped:
        if member.isdir():
            continue
        file = taped.extractfile(member) if member.isreg() else None
        if file is None:
            raise _hostile(archive, member.name)
        yield member.name, member.size, file


def _inside(folder: Path, name: str, archive: Path) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise _hostile(archive, name)
    return folder / path


def _hostile(archive: Path, name: str) -> DatasetError:
    return DatasetError(f"{archive} holds {name!r}, which is no file inside a folder", hint="is it the official one?")


__all__ = ["unpack"]
