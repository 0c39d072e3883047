"""The copy problem (Hochreiter and Schmidhuber 1997; in this form Arjovsky, Shah, Bengio 2016): a string of letters is read, a long time
of blanks goes by, a sign is given, and the string is to be written down.

Inputs are one-hot vectors of K letters, a blank and the sign. Of T steps the first S are the string, step T - S + 1 is the sign, and the
last S outputs are the string again, as log softmax over the letters. Whoever guesses has the loss log K, in nats per letter.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from derive.errors import UsageError
from training.tasks.problem import Problem

LETTERS = 8


class Copying(Problem):
    """Strings of ``string`` letters in sequences of ``length`` steps; the last letter read waits for ``length - string`` steps.

    >>> x, y = Copying(7, string=2).sequences(1, (0,), torch.float64)
    >>> x[:, 0].argmax(-1).tolist(), y[:, 0].tolist()
    ([6, 5, 8, 8, 8, 9, 8], [6, 5])
    """

    inputs, outputs = LETTERS + 2, LETTERS
    error, guess, right = "nats per letter", math.log(LETTERS), "letters right"

    def __init__(self, length: int, string: int) -> None:
        if not 1 <= string <= (length - 1) // 2:
            raise UsageError(
                f"a string of {string} letters is no task for {length} steps",
                expected="--set length of at least 2 string + 1, and --set string of at least 1",
            )
        self.length, self.steps = length, string
        self.title = f"The copy problem: {string} letters over {length - string} steps"

    def sequences(
        self, count: int, seed: tuple[int, ...], dtype: torch.dtype, device: str = "cpu"
    ) -> tuple[Tensor, Tensor]:
        letters = torch.from_numpy(np.random.default_rng(seed).integers(0, LETTERS, (self.steps, count)))
        signs = torch.full((self.length, count), LETTERS)
        signs[: self.steps] = letters
        signs[self.length - self.steps] = LETTERS + 1
        return one_hot(signs, self.inputs).to(device, dtype), letters.to(device)

    def loss(self, found: Tensor, answers: Tensor) -> Tensor:
        return cross_entropy(found.flatten(0, 1), answers.flatten())

    def rightly(self, found: Tensor, answers: Tensor) -> float:
        return float((found.argmax(-1) == answers).double().mean())


__all__ = ["LETTERS", "Copying"]
