"""Where data sets come from: a folder that the user names, the cache, or the official archive."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from training.data.archive import unpack
from training.data.download import Say, download
from training.errors import DatasetError, disk_error
from training.lock import locked


@dataclass(frozen=True)
class Source:
    """A data set and its official archive.

    Parameters
    ----------
    name     : what its folder in the cache is called.
    url      : of the archive.
    checksum : ``md5:…`` or ``sha256:…`` as published; None where there is none (the contents are then counted by the reader).
    megabytes: size of the archive; None where it is not published.
    layouts  : where its files may lie below the folder that the user names, the official layout first.
    marks    : files or folders that are there when it is that.
    only     : beginning of the names of entries that are wanted.
    terms    : under which terms it may be used, and what to cite.
    instead  : a file of another layout that the reader takes as well.
    """

    name: str
    url: str
    checksum: str | None
    megabytes: float | None
    layouts: tuple[str, ...]
    marks: tuple[str, ...]
    only: str = ""
    terms: str = ""
    instead: str = ""

    def folder(self, data: str | None = None, say: Say = lambda text: None) -> Path:
        """The folder with its files; fetched and unpacked into the cache if ``data`` names none and it is not there yet.

        Raises
        ------
        DatasetError : the folder is another one, or the archive cannot be had.
        """
        if data is not None:
            return self._named(Path(data))
        cache = cache_folder()
        home = cache / self.name
        if (found := self.below(home)) is not None:
            return found
        try:
            with locked(cache / f".{self.name}.lock"):  # processes that start together fetch it once
                return self._fetched(cache, home, say)
        except OSError as error:
            raise disk_error(DatasetError, cache, error, "name another folder by $BPTT_DATA") from None

    def _fetched(self, cache: Path, home: Path, say: Say) -> Path:
        if (found := self.below(home)) is not None:
            return found
        if home.exists():
            raise DatasetError(
                f"{home} does not hold the data set {self.name}", expected=self._expected(), hint=f"remove {home}"
            )
        archive = cache / self.url.rpartition("/")[2]
        if not archive.exists():
            size = "" if self.megabytes is None else f"{self.megabytes:.1f} MB "
            say(f"{self.name}: {size}from {self.url}")
            download(self.url, archive, self.checksum, say)
        say(f"{self.name}: unpacking")
        unpack(archive, home, self.only)
        return self._named(home)

    def _named(self, folder: Path) -> Path:
        found = self.below(folder)
        if found is not None:
            return found
        if not folder.is_dir():
            raise DatasetError(f"there is no folder {folder}", expected=self._expected())
        raise DatasetError(
            f"{folder} does not hold the data set {self.name}",
            expected=self._expected(),
            hint="name the folder into which the official archive was unpacked; without --data it is fetched",
        )

    def below(self, folder: Path) -> Path | None:
        """The place below a folder where its files lie; None where they do not."""
        places = (folder / layout for layout in self.layouts)
        return next((place for place in places if all((place / mark).exists() for mark in self.marks)), None)

    def _expected(self) -> str:
        other = f", or {self.instead}," if self.instead else ""
        return f"a folder in which {', '.join(f'{self.layouts[0]}/{mark}' for mark in self.marks)}{other} can be found"


def cache_folder() -> Path:
    """Where data sets are kept: ``$BPTT_DATA``, or ``bptt/data`` in the user's folder for caches."""
    given = os.environ.get("BPTT_DATA")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "bptt" / "data"


__all__ = ["Source", "cache_folder"]
