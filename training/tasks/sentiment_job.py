"""What the tasks about praise and blame share: reviews for training, a part of them held out, those of the test, and the model.

Minimised is the binary cross entropy of the score (BCEWithLogitsLoss) by Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from derive.errors import UsageError
from training.data.download import Say
from training.data.reviews import Reviews
from training.data.vocabulary import Vocabulary, tokens
from training.layers.bidirectional import POOLS
from training.run.job import Job, Loss
from training.run.limits import SHARE, Between, Limit, OneOf, positive
from training.run.order import Buckets
from training.run.results import Cell, Results, Table
from training.run.settings import Own, Settings
from training.run.share import Share
from training.tasks.sentiment_explained import Explained, check_text
from training.tasks.sentiment_model import LAYERS, Numbered, Rows, SentimentModel, check_cell

Tokenize = Callable[[str], list[str]]
DEFAULTS: Mapping[str, Own] = {
    "embedding": 128,
    "spread": 1.0,
    "directions": 1,
    "layer": "torch",
    "pool": "last",
    "dropout": 0.0,
    "longest": 256,
    "vocabulary": 25000,
    "held_out": 0.1,
    "clip": 1.0,
    "explained": 1,
    "text": "",
}
MEANINGS: Mapping[str, str] = {
    "embedding": "size of a word's vector",
    "spread": "standard deviation of the first words' vectors: of those that are seen seldom, less than 1 leaves less noise",
    "directions": "1, or 2 to read each review backward as well",
    "layer": "torch: nn.RNN, nn.GRU or nn.LSTM; packed: the same over packed sequences; cells: any cell; --grad derived always means cells",
    "pool": "last: the state at the end judges; max: the largest value of each unit over time",
    "dropout": "of embeddings and of what the readout reads",
    "longest": "words of a review that are read, its last ones",
    "vocabulary": "words that are known",
    "held_out": "share of the training reviews that is kept to look at after each epoch",
    "clip": "the longest gradient",
    "explained": "test reviews of each kind (praise and blame, judged rightly and wrongly) whose words are explained",
    "text": "a text of your own that is explained, in place of the one that is built in",
}
LIMITS: Mapping[str, Limit] = {
    "embedding": Between(1, 16_384),
    "spread": positive(100.0),
    "directions": OneOf(1, 2),
    "layer": OneOf(*LAYERS),
    "pool": OneOf(*POOLS),
    "dropout": Between(0.0, 1.0, below=True),
    "longest": Between(1, 100_000),
    "vocabulary": Between(1, 10_000_000),
    "held_out": SHARE,
    "clip": positive(1e9),
    "explained": Between(0, 1000),
}
ASKED = ("explained", "text")
"""Settings that a finished run may be asked anew with."""
EPOCH = "one pass through the training reviews that are not held out, in batches of similar length"
LOSS = "binary cross entropy in nats per review"
_SCORED = 256


class SentimentJob(Job):
    """Reviews and the model. ``tokenize`` makes tokens of a text."""

    model: SentimentModel

    def __init__(
        self, train: Reviews, test: Reviews, settings: Settings, say: Say, tokenize: Tokenize = tokens
    ) -> None:
        self.settings, self.tokenize = settings, tokenize
        self._measured = 0
        own = settings.own
        say("counting words")
        read = [tokenize(text) for text in train.texts]
        order = np.random.default_rng((settings.seed, 0)).permutation(len(read))
        held = int(float(own["held_out"]) * len(read))
        self.vocabulary = Vocabulary.of((read[k] for k in order[held:]), int(own["vocabulary"]))
        self.held_out, self.train = (self.numbered(read, train.positive, part) for part in (order[:held], order[held:]))
        if not self.train.words or not self.held_out.words:
            raise UsageError(
                f"of {len(read)} reviews, {held} are held out", expected="some to train with, and some held out"
            )
        self.test_tokens = [tokenize(text) for text in test.texts]
        self.test = self.numbered(self.test_tokens, test.positive)
        self.order = Buckets(self.train.lengths, settings.batch, settings.seed)
        model = SentimentModel(self.vocabulary.size, settings).to(settings.device)
        adam = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        columns, axes = ("held_out", "held_out_accuracy"), {"held_out_accuracy": "accuracy"}
        super().__init__(model, adam, self.order.steps, columns, axes)
        self.data = {"training reviews": train.digest, "test reviews": test.digest}

    def numbered(self, read: Sequence[Sequence[str]], positive: Sequence[int], rows: Rows | None = None) -> Numbered:
        """Texts of tokens, some of them or all, as numbers."""
        rows = range(len(read)) if rows is None else rows
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
        """Loss and accuracy of the reviews that are held out, in the first row after each epoch."""
        if step // self.epoch == self._measured:
            return {}
        self._measured = step // self.epoch
        scores = self.scores(self.held_out)
        return {"held_out": entropy(scores, self.held_out), "held_out_accuracy": share(judged(scores, self.held_out))}

    def state(self) -> dict[str, Any]:
        return {"measured": self._measured}

    def restore(self, state: dict[str, Any]) -> None:
        self._measured = int(state["measured"])

    @torch.no_grad()
    def scores(self, data: Numbered) -> Tensor:
        """The scores of all of them, on the processor."""
        self.model.eval()
        order = np.argsort(data.lengths, kind="stable")
        found = torch.zeros(len(order), dtype=data.positive.dtype)
        for start in range(0, len(order), _SCORED):
            rows = order[start : start + _SCORED]
            words, lengths, _ = data.batch(rows, self.settings.device)
            found[torch.as_tensor(rows)] = self.model(words, lengths).cpu()
        return found

    def tables(self, right: Tensor) -> Sequence[Table]:
        """Where the test reviews were judged rightly, by what the task parts them."""
        return ()

    def more_numbers(self) -> Mapping[str, float]:
        """Numbers that the task alone has."""
        return {}

    def results(self) -> Results:
        scores, held = self.scores(self.test), self.scores(self.held_out)
        right, positive = judged(scores, self.test), self.test.positive > 0.5
        numbers = {
            "test accuracy": share(right),
            "test loss": entropy(scores, self.test),
            "accuracy of praise": share(right[positive]),
            "accuracy of blame": share(right[~positive]),
            "held-out accuracy": share(judged(held, self.held_out)),
            "held-out loss": entropy(held, self.held_out),
            "test reviews": len(right),
            "words in the vocabulary": self.vocabulary.size,
        }
        tables = self.tables(right)
        explained = Explained(self, scores).results()
        return Results(
            {**numbers, **self.more_numbers(), **explained.numbers},
            (*tables, *explained.tables),
            explained.lines,
            explained.said,
            texts=explained.texts,
            key=("test accuracy",),
        )


def check(settings: Settings, tokenize: Tokenize) -> None:
    """Raise a UsageError where settings make no sense, before any data are read."""
    check_text(tokenize(str(settings.own["text"])))
    check_cell(settings)


def judged(scores: Tensor, data: Numbered) -> Tensor:
    """Of each text, whether its score is on the right side of 0."""
    return (scores > 0) == (data.positive > 0.5)


def entropy(scores: Tensor, data: Numbered) -> float:
    """The mean binary cross entropy in nats."""
    return float(binary_cross_entropy_with_logits(scores.double(), data.positive.double()))


def share(right: Tensor) -> float:
    """The part that is true; nan of none."""
    return float(right.double().mean())


__all__ = [
    "ASKED",
    "DEFAULTS",
    "EPOCH",
    "LIMITS",
    "LOSS",
    "MEANINGS",
    "SentimentJob",
    "check",
    "entropy",
    "judged",
    "share",
]
