"""Which examples a step sees: a function of the seed and the step alone, so that a run goes on anywhere as if it had not stopped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Order:
    """Batches of all examples in another order in each pass.

    Parameters
    ----------
    count : how many examples there are.
    batch : how many a step sees; the last one of a pass may see fewer.

    >>> order = Order(5, 2, seed=1)
    >>> order.steps, sorted(int(k) for step in range(3) for k in order.rows(step))
    (3, [0, 1, 2, 3, 4])
    >>> order.rows(7).tolist() == Order(5, 2, seed=1).rows(7).tolist()
    True
    """

    def __init__(self, count: int, batch: int, seed: int) -> None:
        self.count, self.batch, self.seed = count, batch, seed
        self.steps = -(-count // batch)
        self._pass = -1
        self._permuted = np.arange(count)

    def rows(self, step: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The examples of a step, counted from 0."""
        number, place = divmod(step, self.steps)
        if number != self._pass:
            self._pass = number
            self._permuted = np.random.default_rng((self.seed, number)).permutation(self.count)
        return self._permuted[place * self.batch : (place + 1) * self.batch]


class Buckets(Order):
    """Batches of examples of about the same length, so that little of them is padding.

    Each pass shuffles all examples, sorts runs of ``run`` batches by length, cuts them into batches, and shuffles those.

    >>> order = Buckets([1, 9, 2, 8], 2, seed=0)
    >>> sorted(sorted(int(k) for k in order.rows(step)) for step in range(2))
    [[0, 2], [1, 3]]
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int, run: int = 50) -> None:
        super().__init__(len(lengths), batch, seed)
        self._lengths, self._run = np.asarray(lengths), run
        self._batches: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        self._cut = -1

    def rows(self, step: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The examples of a step, counted from 0."""
        number, place = divmod(step, self.steps)
        if number != self._cut:
            self._cut = number
            rng = np.random.default_rng((self.seed, number))
            found = rng.permutation(self.count)
            size = self._run * self.batch
            for start in range(0, self.count, size):
                part = found[start : start + size]
                found[start : start + size] = part[np.argsort(self._lengths[part], kind="stable")]
            batches = [found[start : start + self.batch] for start in range(0, self.count, self.batch)]
            self._batches = [batches[k] for k in rng.permutation(len(batches))]
        return self._batches[place]


__all__ = ["Buckets", "Order"]
