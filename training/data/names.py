"""Surnames by language: one file a language, one name a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'-"
"""What names are made of once accents are taken off."""


@dataclass(frozen=True)
class Names:
    """Names by language, each name once in a language."""

    by_language: Mapping[str, Sequence[str]]

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


def read_names(folder: Path) -> Names:
    """All languages of a folder.

    Raises
    ------
    DatasetError : a file is no text or has no names.
    """
    found: dict[str, Sequence[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{path} cannot be read: {error}", expected="one name a line, in UTF-8") from None
        names = list(dict.fromkeys(filter(None, map(plain, lines))))
        if not names:
            raise DatasetError(f"{path} holds no names", expected="one name a line, in UTF-8")
        found[path.stem] = names
    return Names(found)


__all__ = ["LETTERS", "SOURCE", "Names", "plain", "read_names"]
