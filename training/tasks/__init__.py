"""The practical tasks, one module each.

A new task is a module with a :class:`~training.tasks.task.Task` called ``TASK``, and a line in :data:`TASKS`. Nothing else knows it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from derive.errors import UsageError, clipped

if TYPE_CHECKING:
    from training.tasks.task import Task

TASKS: Mapping[str, str] = {
    "names": "surnames generated letter by letter, by language",
    "practical-11": "the adding problem: how far back RNN, LSTM, GRU and another cell learn, and the gradient over time",
    "lstm-cell": "an LSTM cell of tensors beside nn.LSTMCell: values, gradients, training",
    "sentiment-imdb": "film reviews: a plain RNN, then a bidirectional LSTM",
    "sentiment-amazon": "reviews of Amazon by domain: a bidirectional GRU, and what its judgements rest on",
    "skipgram": "word vectors of text8: a simplified skip-gram, layers and optimisers in NumPy",
    "visualize": "what a convolutional network has learnt to see: filters, activations, inputs, attributions",
    "cifar10": "a competition: how well pictures are recognised after half an hour on two cores",
}
"""What there is, in one line each; listing imports none of it."""


def find(name: str) -> Task:
    """The task of a name.

    Raises
    ------
    UsageError : there is none.

    >>> find("names").name
    'names'
    """
    if name not in TASKS:
        close = difflib.get_close_matches(name[:60], TASKS, n=1)
        raise UsageError(
            f"there is no task {clipped(name, 60)!r}",
            expected=f"one of {', '.join(TASKS)}",
            hint=f"did you mean {close[0]}?" if close else None,
        )
    task: Task = import_module(f"training.tasks.{name.replace('-', '_')}").TASK
    return task


__all__ = ["TASKS", "find"]
