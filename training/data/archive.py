"""Unpacking: every entry stays inside the folder, and the folder appears only when all of it is there."""

from __future__ import annotations

import errno
import gzip
import lzma
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

from derive.errors import clipped
from training.errors import DatasetError, disk_error

MOST = 4 << 30
"""The most bytes that an archive may unpack to."""
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, EOFError)
_UNREADABLE = (RuntimeError, NotImplementedError)
"""What zipfile raises for an entry that is encrypted, or packed in a way that it does not know."""
_NO_NAMES = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL)
"""Errors that come of a name and not of the disk: one that is both a file and a folder, or is too long."""
_PIECE = 1 << 20


def unpack(archive: Path, folder: Path, only: str = "") -> None:
    """Unpack a ``.zip`` or ``.tar.gz`` as ``folder``.

    Parameters
    ----------
    folder : is made by it, and must not be there yet.
    only   : the beginning of the names that are wanted.

    Raises
    ------
    DatasetError : it is damaged (checksums of the whole of it included), holds a link or a name outside the folder, is too large, holds
                   nothing that is wanted, or the disk is full. Nothing is left then.
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
                    raise _large(archive)
                _write(target, file, archive, name)
        if not any(stage.iterdir()):
            wanted = f"files whose names begin with {only}" if only else "files"
            raise DatasetError(f"{archive} holds no {wanted}", hint=f"is it the official one? remove {archive}")
        stage.chmod(0o755)
        stage.replace(folder)
    except _DAMAGED as error:
        raise DatasetError(
            f"{archive} is damaged: {error}", expected="the official archive", hint=f"remove {archive} and try again"
        ) from None
    except _UNREADABLE as error:
        raise DatasetError(
            f"{archive} cannot be unpacked: {error}", expected="the official archive", hint=f"remove {archive}"
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
            _read_to_the_end(taped, archive)


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


def _read_to_the_end(taped: tarfile.TarFile, archive: Path) -> None:
    """The checksum stands behind the last byte, and is compared when that has been read; a tape ends before."""
    left = 0
    while taped.fileobj is not None and (piece := taped.fileobj.read(_PIECE)):
        left += len(piece)
        if left > MOST:
            raise _large(archive)


def _write(target: Path, file: IO[bytes], archive: Path, name: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            shutil.copyfileobj(file, out)
    except OSError as error:
        if error.errno not in _NO_NAMES:
            raise
        raise DatasetError(
            f"{archive} holds {clipped(name, 100)!r}, which cannot be a file: {error.strerror}",
            hint="is it the official one?",
        ) from None


def _inside(folder: Path, name: str, archive: Path) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise _hostile(archive, name)
    return folder / path


def _large(archive: Path) -> DatasetError:
    return DatasetError(f"{archive} unpacks to more than {MOST:,} bytes", hint="is it the official one?")


def _hostile(archive: Path, name: str) -> DatasetError:
    return DatasetError(f"{archive} holds {name!r}, which is no file inside a folder", hint="is it the official one?")


__all__ = ["unpack"]
