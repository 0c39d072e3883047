"""Reviews that the tests make themselves: words that tell among words that do not."""

from __future__ import annotations

import random
from collections.abc import Iterator

GOOD, BAD = "fine lovely moving superb".split(), "dull awful boring silly".split()
FILLING = "the film a story of with and its actors music".split()


def made_reviews(count: int, seed: int) -> Iterator[tuple[int, list[str]]]:
    """``count`` of each kind, of 3 to 20 words, two of which tell; 1 for praise."""
    rng = random.Random(seed)
    for _ in range(count):
        for label, telling in ((1, GOOD), (0, BAD)):
            words = rng.choices(FILLING, k=rng.randint(1, 18)) + rng.choices(telling, k=2)
            rng.shuffle(words)
            yield label, words
