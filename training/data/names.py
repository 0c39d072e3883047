"""Surnames by language: one file a language, one name a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from derive.errors import clipped
from training.data.download import Say
from training.data.plain_text import utf8
from training.data.source import Source
from training.errors import DatasetError

SOURCE = Source(
    name="names",
    url="https://download.pytorch.org/tutorial/data.zip",
    checksum=None,
    megabytes=2.9,
    layouts=("data/names", "names/data/names", "names", "."),
    marks=("English.txt", "Portuguese.txt"),
    only="data/names/",
    terms="MIT licence (Sean Robertson, Practical PyTorch)",
)
HOLDS = 18, 20_074
"""Languages and lines of the archive, which has no published checksum."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'-"
"""What names are made of once accents are taken off."""

LONGEST = 200
"""Letters of a name: all of them are filled up to the longest."""
_EXPECTED = "one name a line, in UTF-8"


@dataclass(frozen=True)
class Names:
    """Names by language, each name once in a language, and how many lines they were read from."""

    by_language: Mapping[str, Sequence[str]]
    lines: int

    @property
    def languages(self) -> list[str]:
        """In the order of the alphabet."""
        return sorted(self.by_language)

    def pairs(self) -> list[tuple[int, str]]:
        """(number of the language, name), in a fixed order."""
        return [(k, name) for k, language in enumerate(self.languages) for name in self.by_language[language]]


def plain(name: str) -> str:
    """A name in plain letters: accents are taken off, other characters left out.

    >>> plain("Ślusàrski"), plain("O'Néàl")
    ('Slusarski', "O'Neal")
    """
    return "".join(char for char in unicodedata.normalize("NFD", name.strip()) if char in LETTERS)


def names_of(data: str | None, say: Say = lambda text: None) -> Names:
    """The names of a folder that the user names, which may be any; or of the archive, which are counted.

    Raises
    ------
    DatasetError : they cannot be had, or the archive holds something else than it did.
    """
    folder = SOURCE.folder(data, say)
    names = read_names(folder)
    found = len(names.by_language), names.lines
    if data is None and found != HOLDS:
        raise DatasetError(
            f"{folder} holds {found[1]:,} names in {found[0]} languages",
            expected=f"{HOLDS[1]:,} names in {HOLDS[0]} languages, as in the archive at {SOURCE.url} so far",
            hint=f"remove {folder} and the archive, to have it fetched again; --data {folder} takes it as it is",
        )
    return names


def read_names(folder: Path) -> Names:
    """All languages of a folder.

    Raises
    ------
    DatasetError : a file is no text or has no names.
    """
    found: dict[str, Sequence[str]] = {}
    count = 0
    for path in sorted(folder.glob("*.txt")):
        lines = [line for line in utf8(path, _EXPECTED).splitlines() if line.strip()]
        long = next((line for line in lines if len(line) > LONGEST), None)
        if long is not None:
            number = utf8(path, _EXPECTED).splitlines().index(long) + 1
            raise DatasetError(
                f"{path}, line {number}: {clipped(long, 40)!r} has {len(long):,} letters",
                expected=f"names of at most {LONGEST} letters",
            )
        names = list(dict.fromkeys(filter(None, map(plain, lines))))
        if not names:
            raise DatasetError(f"{path} holds no names", expected=_EXPECTED)
        found[path.stem] = names
        count += len(lines)
    return Names(found, count)


__all__ = ["HOLDS", "LETTERS", "LONGEST", "SOURCE", "Names", "names_of", "plain", "read_names"]
