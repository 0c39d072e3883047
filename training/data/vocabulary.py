"""From texts to numbers: words and the marks that carry mood, the most frequent of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

PAD, UNKNOWN = 0, 1
"""Numbers of what fills a batch, and of a word that is not in the vocabulary."""
_BREAK = re.compile(r"<br\s*/?>")
_SPLIT = re.compile(r"(?<=[a-z])(n't|'(?:s|m|re|ve|ll|d))(?![a-z])")
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[!?.]")


def tokens(text: str) -> list[str]:
    """Lower-case words, with their apostrophes, and ``! ? .``

    >>> tokens("It isn't bad!<br /><br />Is it?")
    ['it', "isn't", 'bad', '!', 'is', 'it', '?']
    """
    return _TOKEN.findall(_BREAK.sub(" ", text).lower())


def treebank_tokens(text: str) -> list[str]:
    """The same, with contractions in two, as the Penn Treebank splits them: for texts that are to be read by a model of split ones.

    >>> treebank_tokens("It didn't work, it’s awful!") == treebank_tokens("it did n't work , it 's awful !")
    True
    >>> treebank_tokens("can't")
    ['ca', "n't"]
    """
    return tokens(_SPLIT.sub(r" \1", text.lower().replace("’", "'")))


@dataclass(frozen=True)
class Vocabulary:
    """Words by their numbers, which begin with 2."""

    words: Sequence[str]

    @staticmethod
    def of(texts: Iterable[Sequence[str]], size: int) -> Vocabulary:
        """The ``size`` most frequent words; of equally frequent ones, those that come first in the alphabet.

        >>> Vocabulary.of([["b", "a", "b"], ["c"]], 2).words
        ('b', 'a')
        """
        counts = Counter(word for text in texts for word in text)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return Vocabulary(tuple(ranked[:size]))

    @property
    def size(self) -> int:
        """Numbers that there are, those of padding and unknown words included."""
        return len(self.words) + 2

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: k + 2 for k, word in enumerate(self.words)}

    def numbers(self, text: Sequence[str], longest: int) -> list[int]:
        """The numbers of the last ``longest`` words: a review ends with its judgement. An empty text is one unknown word."""
        return [self._numbers.get(word, UNKNOWN) for word in text[-longest:]] or [UNKNOWN]


__all__ = ["PAD", "UNKNOWN", "Vocabulary", "tokens", "treebank_tokens"]
