"""Whether a review of Amazon praises or blames, by domain.

A bidirectional GRU over the reviews of fourteen domains, judged by the largest value of each unit over time; ``--cell rnn --set
directions=1 --set pool=last`` is the plain RNN. What was learnt of whole reviews is tried on single sentences of another data set, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from training.data.amazon import SENTENCES, SOURCE, read_amazon, read_sentences
from training.data.download import Say
from training.data.reviews import Parted, Reviews
from training.data.vocabulary import treebank_tokens
from training.run.results import Cell, Table
from training.run.settings import Settings
from training.tasks.sentiment_job import (
    ASKED,
    DEFAULTS,
    EPOCH,
    LIMITS,
    LOSS,
    MEANINGS,
    SentimentJob,
    check,
    judged,
    share,
)
from training.tasks.task import Task


class AmazonJob(SentimentJob):
    """Reviews by domain, and sentences of another kind where there are any."""

    def __init__(self, reviews: Parted, others: Reviews | None, settings: Settings, say: Say) -> None:
        super().__init__(reviews.train, reviews.test, settings, say, treebank_tokens)
        self.reviews, self.others = reviews, others
        if others is not None:
            self.data = {**self.data, "single sentences": others.digest}

    def tables(self, right: Tensor) -> Sequence[Table]:
        """The accuracy of each domain with its standard error, and that of the sentences."""
        note = "±: the standard error of an accuracy."
        rows = _by_domain(right, self.reviews.test.domains)
        accuracies, errors = (np.array([float(str(row[k])) for row in rows]) for k in (2, 3))
        error = float(np.sqrt(np.sum(errors**2)) / len(rows))
        rows.append(["mean of the domains", len(right), float(np.mean(accuracies)), error])
        columns = ("domain", "reviews", "accuracy", "±")
        table = Table("Test accuracy by domain", columns, rows, note)
        if self.others is None:
            return (table,)
        data = self.numbered([self.tokenize(text) for text in self.others.texts], self.others.positive)
        others = _by_domain(judged(self.scores(data), data), self.others.domains)
        title = "Accuracy on single sentences of other reviews, none of them trained with"
        return table, Table(
            title, ("from", "sentences", "accuracy", "±"), others, f"Source: {SENTENCES.terms.removeprefix('cite ')}."
        )

    def more_numbers(self) -> Mapping[str, float]:
        """What was left out of the data."""
        return {
            "training reviews left out, repeated": self.reviews.repeated,
            "test reviews left out, trained with": self.reviews.trained,
            "test reviews left out, repeated": self.reviews.retested,
        }


def _by_domain(right: Tensor, domains: Sequence[str]) -> list[list[Cell]]:
    """A row for each domain: its name, how many, the part that is right, and its standard error."""
    names = np.asarray(domains)
    rows: list[list[Cell]] = []
    for domain in sorted(set(domains)):
        part = right[torch.as_tensor(names == domain)]
        accuracy = share(part)
        rows.append([domain, len(part), accuracy, float(np.sqrt(accuracy * (1 - accuracy) / len(part)))])
    return rows


def prepare(settings: Settings, data: str | None, say: Say) -> AmazonJob:
    """The job."""
    check(settings, treebank_tokens)
    return AmazonJob(read_amazon(data, say), read_sentences(data, say), settings, say)


TASK = Task(
    name="sentiment-amazon",
    title="Reviews of Amazon: praise or blame, by domain",
    settings=Settings(
        task="sentiment-amazon",
        epochs=3,
        batch=64,
        learning_rate=0.005,
        hidden=32,
        cell="gru",
        own={
            **DEFAULTS,
            "embedding": 64,
            "spread": 0.1,
            "directions": 2,
            "pool": "max",
            "dropout": 0.5,
            "longest": 100,
        },
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

__all__ = ["TASK", "AmazonJob"]
