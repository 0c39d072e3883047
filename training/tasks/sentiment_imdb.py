"""Whether a film review praises or blames.

The plain RNN reads the review once and judges by its last state; ``--cell lstm --set directions=2`` reads it both ways and judges by
the last state of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from training.data.download import Say
from training.data.imdb import SOURCE, read_reviews
from training.data.vocabulary import tokens
from training.run.results import Cell, Table
from training.run.settings import Settings
from training.tasks.sentiment_job import ASKED, DEFAULTS, EPOCH, LIMITS, LOSS, MEANINGS, SentimentJob, check, share
from training.tasks.task import Task


class FilmJob(SentimentJob):
    """Film reviews, parted by their length."""

    def tables(self, right: Tensor) -> Sequence[Table]:
        """The accuracy of four parts with equally many reviews."""
        lengths = np.asarray(self.test.lengths)
        edges = [0, *(int(edge) for edge in np.quantile(lengths, (0.25, 0.5, 0.75))), int(lengths.max())]
        rows: list[list[Cell]] = []
        for low, high in pairwise(edges):
            inside = torch.as_tensor((lengths > low) & (lengths <= high))
            if bool(inside.any()):
                rows.append([f"{low + 1} to {high}", int(inside.sum()), share(right[inside])])
        return (Table("Test accuracy by length", ("words", "reviews", "accuracy"), rows),)


def prepare(settings: Settings, data: str | None, say: Say) -> FilmJob:
    """The job."""
    check(settings, tokens)
    folder = SOURCE.folder(data, say)
    return FilmJob(read_reviews(folder, "train", say), read_reviews(folder, "test", say), settings, say)


TASK = Task(
    name="sentiment-imdb",
    title="Film reviews: praise or blame",
    settings=Settings(
        task="sentiment-imdb",
        epochs=5,
        batch=64,
        learning_rate=0.001,
        hidden=256,
        threads=2,
        own=DEFAULTS,
    ),
    own=MEANINGS,
    limits=LIMITS,
    epoch=EPOCH,
    loss=LOSS,
    prepare=prepare,
    terms=SOURCE.terms,
    alike={"layer": "cells"},
    asked=ASKED,
)

__all__ = ["TASK", "FilmJob"]
