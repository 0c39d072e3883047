"""text8: the first 100,000,000 characters of the English Wikipedia of 2006 in lower-case letters and spaces (Mahoney 2006).

Digits are spelt there ("one nine eight four"), and there is no punctuation. A file that holds only the beginning is read as well.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.download import Say
from training.data.source import Source
from training.errors import DatasetError

SOURCE = Source(
    name="text8",
    url="https://mattmahoney.net/dc/text8.zip",
    checksum=None,  # published is that of the text: MD5
    megabytes=31.3,
    layouts=(".", "text8"),
    marks=("text8",),
    terms="text of Wikipedia, CC BY-SA and GFDL; prepared by Matt Mahoney",
)
CHARACTERS = 100_000_000
"""Of the whole text."""
MD5 = "3bea1919949baf155f99411df5fada7e"
"""Of the whole text, as published with it."""
_PIECE = 1 << 22
"""Bytes that are cut into words at once: Python's objects for all 17 million words would need a gigabyte."""
_LETTERS = b"abcdefghijklmnopqrstuvwxyz "


@dataclass(frozen=True)
class Corpus:
    """A text as numbers of its frequent words; the other words are left out.

    Parameters
    ----------
    words      : the vocabulary, the most frequent first.
    counts     : how often each stands in the text.
    numbers    : the text: of each of its words that are in the vocabulary, the number.
    characters : of the file.
    total      : words of the text, those that are left out included.
    different  : of them.
    """

    words: Sequence[str]
    counts: NDArray[np.int64]
    numbers: NDArray[np.int32]
    characters: int
    total: int
    different: int

    @property
    def whole(self) -> bool:
        """Whether it is the whole of text8."""
        return self.characters == CHARACTERS


def read_text8(folder: Path, vocabulary: int, say: Say = lambda text: None) -> Corpus:
    """The text of a folder with the ``vocabulary`` most frequent words; of equally frequent ones, those first in the alphabet.

    A file shorter than the official one is read up to its last space.

    Raises
    ------
    DatasetError : it cannot be read, or is not text8 or its beginning.
    """
    path = folder / "text8"
    say("text8: reading")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}", expected="a text") from None
    _check(path, text)
    if len(text) < CHARACTERS:
        say(f"{path} is shortened: it holds {len(text):,} of {CHARACTERS:,} characters")
    return corpus(text, vocabulary, say)


def corpus(text: bytes, vocabulary: int, say: Say = lambda text: None) -> Corpus:
    """Words counted and numbered.

    >>> found = corpus(b" of the king and the queen of the kin", 2)
    >>> found.words, found.counts.tolist(), found.numbers.tolist(), found.total, found.different
    (('the', 'of'), [3, 2], [1, 0, 0, 1, 0], 8, 5)
    """
    end = len(text) if len(text) == CHARACTERS else text.rfind(b" ") + 1  # a word that is cut is none
    counts: Counter[bytes] = Counter()
    for place, piece in _pieces(text, end):
        say(f"text8: counting words, {place / end:.0%}")
        counts.update(piece)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:vocabulary]
    number = {word: k for k, word in enumerate(ranked)}
    parts: list[NDArray[np.int32]] = []
    for place, piece in _pieces(text, end):
        say(f"text8: numbering words, {place / end:.0%}")
        found = np.fromiter(map(number.get, piece, repeat(-1)), np.int32, len(piece))
        parts.append(found[found >= 0])
    return Corpus(
        tuple(word.decode() for word in ranked),
        np.array([counts[word] for word in ranked], np.int64),
        np.concatenate(parts) if parts else np.empty(0, np.int32),
        len(text),
        counts.total(),
        len(counts),
    )


def _pieces(text: bytes, end: int) -> Iterator[tuple[int, list[bytes]]]:
    """The words of the text piece by piece, each with the place at which it ends."""
    start = 0
    while start < end:
        stop = end if start + _PIECE >= end else text.rfind(b" ", start, start + _PIECE) + 1 or end
        yield stop, text[start:stop].split()
        start = stop


def _check(path: Path, text: bytes) -> None:
    expected = f"the file of the official archive, {CHARACTERS:,} characters, or its beginning"
    other: Any = text.translate(None, delete=_LETTERS)
    if other:
        raise DatasetError(
            f"{path} is not text8: it holds {other[:1]!r}", expected="small letters and spaces alone", hint=expected
        )
    if len(text) > CHARACTERS:
        raise DatasetError(f"{path} is not text8: it has {len(text):,} characters", expected=expected)
    if len(text) == CHARACTERS and hashlib.md5(text, usedforsecurity=False).hexdigest() != MD5:
        raise DatasetError(
            f"{path} is damaged: its MD5 is not the published {MD5}",
            hint="remove it, and fetch it again without --data, or unpack the official archive again",
        )
    if not text.split(maxsplit=1):
        raise DatasetError(f"{path} holds no words", expected=expected)


__all__ = ["CHARACTERS", "SOURCE", "Corpus", "corpus", "read_text8"]
