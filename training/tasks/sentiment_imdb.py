"""Whether a film review praises or blames: embedding, a recurrent layer over the words, one score.

The plain RNN reads the review once and judges by its last state; ``--cell lstm --set directions=2`` reads it both ways and judges by
the last state of each. Minimised is the binary cross entropy of the score (BCEWithLogitsLoss) by Adam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from derive.errors import UsageError
from training.data.download import Say
from training.data.imdb import SOURCE, Reviews, read_reviews
from training.data.vocabulary import PAD, Vocabulary, tokens
from training.layers.bidirectional import CellEncoder, Encoder, TorchEncoder
from training.run.job import Cell, Job, Loss, Results, Table
from training.run.order import Buckets
from training.run.settings import Settings
from training.run.share import Share
from training.tasks.task import Task


class SentimentModel(nn.Module):
    """Words (T, B) with their lengths (B,) to scores (B,)."""

    def __init__(self, words: int, settings: Settings) -> None:
        super().__init__()
        own = settings.own
        dtype: torch.dtype = getattr(torch, settings.dtype)
        width = int(own["embedding"])
        self.embedding = nn.Embedding(words, width, padding_idx=PAD, dtype=dtype)
        self.encoder = _encoder(width, settings)
        self.dropout = nn.Dropout(float(own["dropout"]))
        self.readout = nn.Linear(self.encoder.width, 1, dtype=dtype)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """The scores, above 0 for praise."""
        read = self.encoder(self.dropout(self.embedding(words)), lengths)
        scores: Tensor = self.readout(self.dropout(read))[:, 0]
        return scores


def _encoder(width: int, settings: Settings) -> Encoder:
    own = settings.own
    if own["directions"] not in (1, 2):
        raise UsageError(f"--set directions is {own['directions']}", expected="1 or 2")
    both, pool = own["directions"] == 2, str(own["pool"])
    if own["layer"] == "torch" and settings.grad == "autograd":
        return TorchEncoder(settings.cell, width, settings.hidden, both, pool, settings.dtype)
    if own["layer"] not in ("torch", "cells"):
        raise UsageError(f"--set layer is {own['layer']!r}", expected="torch or cells")
    return CellEncoder(settings.cell, width, settings.hidden, both, pool, settings.dtype, settings.grad)


@dataclass(frozen=True)
class Numbered:
    """Reviews as numbers of words."""

    words: Sequence[np.ndarray[tuple[int], np.dtype[np.int32]]]
    positive: Tensor

    @property
    def lengths(self) -> list[int]:
        """Words of each."""
        return [len(row) for row in self.words]

    def batch(
        self, rows: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]], device: str
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Words (T, B), lengths (B,), and 1 for praise (B,)."""
        chosen = [self.words[int(k)] for k in rows]
        lengths = np.array([len(row) for row in chosen])
        words = np.full((int(lengths.max()), len(chosen)), PAD, np.int64)
        for k, row in enumerate(chosen):
            words[: len(row), k] = row
        index = torch.as_tensor(np.asarray(rows))
        parts = torch.from_numpy(words), torch.from_numpy(lengths), self.positive[index]
        first, second, third = (part.to(device) for part in parts)
        return first, second, third


class SentimentJob(Job):
    """Reviews for training, a part of them held out, those of the test, and the model."""

    model: SentimentModel

    def __init__(self, train: Reviews, test: Reviews, settings: Settings, say: Say) -> None:
        self.settings = settings
        own = settings.own
        if not 0 <= float(own["dropout"]) < 1:
            raise UsageError(f"--set dropout is {own['dropout']}", expected="a number from 0 up to, not including, 1")
        if int(own["longest"]) < 1 or int(own["vocabulary"]) < 1 or int(own["embedding"]) < 1:
            raise UsageError("longest, vocabulary and embedding are sizes", expected="whole numbers from 1 on")
        say("counting words")
        read = [tokens(text) for text in train.texts]
        order = np.random.default_rng((settings.seed, 0)).permutation(len(read))
        held = int(float(own["held_out"]) * len(read))
        self.vocabulary = Vocabulary.of((read[k] for k in order[held:]), int(own["vocabulary"]))
        self.held_out, self.train = (
            self._numbered(read, train.positive, part) for part in (order[:held], order[held:])
        )
        if not self.train.words or not self.held_out.words:
            raise UsageError(
                f"of {len(read)} reviews, {held} are held out", expected="some to train with, and some held out"
            )
        rows = [tokens(text) for text in test.texts]
        self.test = self._numbered(rows, test.positive, np.arange(len(rows)))
        self.order = Buckets(self.train.lengths, settings.batch, settings.seed)
        model = SentimentModel(self.vocabulary.size, settings).to(settings.device)
        adam = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        columns, axes = ("held_out", "held_out_accuracy"), {"held_out_accuracy": "accuracy"}
        super().__init__(model, adam, self.order.steps, columns, axes)

    def _numbered(
        self, read: Sequence[Sequence[str]], positive: Sequence[int], rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> Numbered:
        longest = int(self.settings.own["longest"])
        words = [np.array(self.vocabulary.numbers(read[int(k)], longest), np.int32) for k in rows]
        dtype: torch.dtype = getattr(torch, self.settings.dtype)
        return Numbered(words, torch.tensor([positive[int(k)] for k in rows], dtype=dtype))

    def loss(self, step: int) -> Loss:
        """The mean binary cross entropy of a batch."""
        self.model.train()
        words, lengths, positive = self.train.batch(self.share.of(self.order.rows(step)), self.settings.device)
        objective = binary_cross_entropy_with_logits(self.model(words, lengths), positive)
        return Loss(objective, float(objective.detach()), over=len(positive))

    def split(self, share: Share) -> None:
        self.share = share

    def before_update(self, step: int) -> None:
        """The gradient is cut to the length ``clip``."""
        nn.utils.clip_grad_norm_(self.model.parameters(), float(self.settings.own["clip"]))

    def measure(self, step: int) -> Mapping[str, Cell]:
        """Loss and accuracy of the reviews that are held out, after each epoch."""
        if step % self.epoch:
            return {}
        loss, right = self._judged(self.held_out)
        return {"held_out": loss, "held_out_accuracy": float(right.double().mean())}

    @torch.no_grad()
    def _judged(self, data: Numbered) -> tuple[float, Tensor]:
        """The mean loss, and of each review whether it is judged rightly."""
        self.model.eval()
        order = np.argsort(data.lengths, kind="stable")
        right = torch.zeros(len(order), dtype=torch.bool)
        total = 0.0
        for start in range(0, len(order), 256):
            rows = order[start : start + 256]
            words, lengths, positive = data.batch(rows, self.settings.device)
            scores = self.model(words, lengths)
            total += float(binary_cross_entropy_with_logits(scores, positive, reduction="sum"))
            right[torch.as_tensor(rows)] = ((scores > 0) == (positive > 0.5)).cpu()
        return total / len(order), right

    def results(self) -> Results:
        loss, right = self._judged(self.test)
        held_loss, held = self._judged(self.held_out)
        lengths = np.asarray(self.test.lengths)
        edges = [0, *(int(edge) for edge in np.quantile(lengths, (0.25, 0.5, 0.75))), int(lengths.max())]
        rows: list[list[Cell]] = []
        for low, high in pairwise(edges):
            inside = torch.as_tensor((lengths > low) & (lengths <= high))
            if bool(inside.any()):
                rows.append([f"{low + 1} to {high}", int(inside.sum()), float(right[inside].double().mean())])
        positive = self.test.positive > 0.5
        numbers = {
            "test accuracy": float(right.double().mean()),
            "test loss": loss,
            "accuracy of praise": float(right[positive].double().mean()),
            "accuracy of blame": float(right[~positive].double().mean()),
            "held-out accuracy": float(held.double().mean()),
            "held-out loss": held_loss,
            "test reviews": len(lengths),
            "words in the vocabulary": self.vocabulary.size,
        }
        table = Table("Test accuracy by length", ("words", "reviews", "accuracy"), rows)
        return Results(numbers, (table,), key=("test accuracy",))


def prepare(settings: Settings, data: str | None, say: Say) -> SentimentJob:
    """The job."""
    folder = SOURCE.folder(data, say)
    return SentimentJob(read_reviews(folder, "train", say), read_reviews(folder, "test", say), settings, say)


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
        own={
            "embedding": 128,
            "directions": 1,
            "layer": "torch",
            "pool": "last",
            "dropout": 0.0,
            "longest": 256,
            "vocabulary": 25000,
            "held_out": 0.1,
            "clip": 1.0,
        },
    ),
    own={
        "embedding": "size of a word's vector",
        "directions": "1, or 2 to read each review backward as well",
        "layer": "torch: nn.RNN, nn.GRU or nn.LSTM over packed sequences; cells: any cell; --grad derived always means cells",
        "pool": "last: the state at the end judges; max: the largest value of each unit over time",
        "dropout": "of embeddings and of what the readout reads",
        "longest": "words of a review that are read, its last ones",
        "vocabulary": "words that are known",
        "held_out": "share of the training reviews that is kept to look at after each epoch",
        "clip": "the longest gradient",
    },
    epoch="one pass through the training reviews that are not held out, in batches of similar length",
    loss="binary cross entropy in nats per review",
    prepare=prepare,
    terms=SOURCE.terms,
    alike={"layer": "cells"},
)

__all__ = ["TASK", "Numbered", "SentimentJob", "SentimentModel"]
