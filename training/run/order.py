"""Which examples a step sees: a function of the seed and the step alone, so that a run goes on anywhere as if it had not stopped."""

from __future__ import annotations

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


__all__ = ["Order"]
