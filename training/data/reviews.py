"""Texts that praise or blame, whatever they were read from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from training.data.digest import digest


@dataclass(frozen=True)
class Reviews:
    """Texts, 1 for the positive ones, and of each what it is about, where that is known."""

    texts: Sequence[str]
    positive: Sequence[int]
    domains: Sequence[str] = ()

    @property
    def digest(self) -> str:
        """By which they are known again."""
        return digest([*self.texts, *self.positive, *self.domains])


class Review(NamedTuple):
    """One text: what it is about, 1 for praise or 0 for blame."""

    domain: str
    positive: int
    text: str


def reviews_of(rows: Iterable[Review]) -> Reviews:
    """Reviews in their order."""
    found = list(rows)
    return Reviews([one.text for one in found], [one.positive for one in found], [one.domain for one in found])


class Parted(NamedTuple):
    """Reviews to learn from and to test with, no text twice, and how many were left out for it."""

    train: Reviews
    test: Reviews
    repeated: int
    """Training texts that stand there again."""
    trained: int
    """Test texts that stand among the training texts too."""
    retested: int
    """Of the others, test texts that stand there again."""


def parted(train: Iterable[Review], test: Iterable[Review]) -> Parted:
    """Every text once: a test text that was trained with measures memory.

    >>> one, two = Review("books", 1, "fine"), Review("books", 0, "dull")
    >>> found = parted([one, one], [one, two])
    >>> found.train.texts, found.test.texts, found.repeated, found.trained, found.retested
    (['fine'], ['dull'], 1, 1, 0)
    """
    train, test = list(train), list(test)
    kept: dict[str, Review] = {}
    for one in train:
        kept.setdefault(one.text, one)
    new = [one for one in test if one.text not in kept]
    tested: dict[str, Review] = {}
    for one in new:
        tested.setdefault(one.text, one)
    return Parted(
        reviews_of(kept.values()),
        reviews_of(tested.values()),
        len(train) - len(kept),
        len(test) - len(new),
        len(new) - len(tested),
    )


__all__ = ["Parted", "Review", "Reviews", "parted", "reviews_of"]
