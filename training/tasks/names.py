"""Surnames by language, one letter after the other: (language, letter) goes in, the next letter comes out.

The network reads the one-hot vectors of language and letter, x_t in R^{18+59}, a cell makes h_t of it, and log softmax(V h_t + c) is
the distribution of the next letter; a name begins with a start sign and ends with an end sign. Minimised is the negative
log-likelihood -1/N ∑ log p(letter), in nats per letter, over the N letters and end signs of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from derive.errors import UsageError
from training.data.digest import digest
from training.data.download import Say
from training.data.names import LETTERS, SOURCE, Names, names_of
from training.layers.recurrent import Recurrent, State
from training.run.job import Job, Loss
from training.run.limits import SHARE, Between, OneOf
from training.run.order import Order
from training.run.results import Cell, Results
from training.run.settings import Settings
from training.run.share import Share
from training.tasks.names_sampled import sampled_results
from training.tasks.task import Task

START = END = len(LETTERS)
"""Number of the sign before the first letter, where letters go in, and of that after the last, where they come out."""
_NOTHING = -100
"""A target beyond the end of a name."""
_HELD_OUT_BATCH = 1024


class NameModel(nn.Module):
    """A cell that reads language and letter, and a linear readout for the next one."""

    def __init__(self, languages: int, settings: Settings) -> None:
        super().__init__()
        self.languages = languages
        self.read = languages + len(LETTERS) + 1
        self.recurrent = Recurrent(settings.cell, self.read, settings.hidden, settings.grad, settings.dtype)
        self.readout = nn.Linear(self.recurrent.width, len(LETTERS) + 1, dtype=getattr(torch, settings.dtype))

    def forward(self, language: Tensor, letters: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores (T, B, letters) of the next letter, from language (B,) and letters (T, B)."""
        x = self.readout.weight.new_zeros((*letters.shape, self.read))
        x.scatter_(2, language.expand_as(letters)[..., None], 1.0)
        x.scatter_(2, (letters + self.languages)[..., None], 1.0)
        h, state = self.recurrent(x, state)
        return self.readout(h), state


@dataclass(frozen=True)
class Encoded:
    """Names as numbers: language (N,), what goes in and what shall come out (longest + 1, N)."""

    language: Tensor
    inputs: Tensor
    targets: Tensor
    lengths: Tensor

    def rows(self, rows: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Tensor, Tensor, Tensor]:
        """Some of them, no longer than the longest."""
        index = torch.as_tensor(np.asarray(rows), device=self.language.device)
        longest = int(self.lengths[index].max())
        return self.language[index], self.inputs[:longest, index], self.targets[:longest, index]


def encoded(pairs: Sequence[tuple[int, str]], device: str) -> Encoded:
    """Names as numbers."""
    longest = max(len(name) for _, name in pairs) + 1
    inputs = torch.full((longest, len(pairs)), START)
    targets = torch.full((longest, len(pairs)), _NOTHING)
    for k, (_, name) in enumerate(pairs):
        letters = torch.tensor([LETTERS.index(letter) for letter in name])
        inputs[1 : len(name) + 1, k] = letters
        targets[: len(name), k] = letters
        targets[len(name), k] = END
    language = torch.tensor([number for number, _ in pairs])
    lengths = torch.tensor([len(name) + 1 for _, name in pairs])
    return Encoded(language.to(device), inputs.to(device), targets.to(device), lengths.to(device))


class NamesJob(Job):
    """Training and held-out names, and the network."""

    model: NameModel

    def __init__(self, names: Names, settings: Settings) -> None:
        self.names, self.settings = names, settings
        pairs = names.pairs()
        order = np.random.default_rng((settings.seed, 0)).permutation(len(pairs))
        held = int(float(settings.own["held_out"]) * len(pairs))
        self.held_out, self.trained = ([pairs[k] for k in part] for part in (order[:held], order[held:]))
        if not self.trained or not self.held_out:
            raise UsageError(
                f"of {len(pairs)} names, {held} are held out",
                expected="some to train with, and some held out (--set held_out=0.1)",
            )
        model = NameModel(len(names.languages), settings).to(settings.device)
        kind = torch.optim.Adam if settings.own["optimizer"] == "adam" else torch.optim.SGD
        self.by_name = settings.own["epoch"] == "name"
        self.order = Order(len(self.trained), settings.batch, settings.seed)
        epoch = 1 if self.by_name else self.order.steps
        super().__init__(model, kind(model.parameters(), lr=settings.learning_rate), epoch, ("held_out",))
        self.data = {"names": digest(word for k, name in pairs for word in (names.languages[k], name))}
        self.train, self.test = encoded(self.trained, settings.device), encoded(self.held_out, settings.device)
        numbers = np.array([number for number, _ in self.trained])
        self._by_language = [np.flatnonzero(numbers == k) for k in sorted(set(numbers))]
        steps = settings.steps or settings.epochs * epoch
        self._held_out_every = max(20, steps // 100)
        self._last = 0
        self._best = (math.inf, 0)

    def loss(self, step: int) -> Loss:
        """Nats per letter; in the manner of the tutorial their sum over the name is minimised, otherwise their mean."""
        self.model.train()
        rows = self._drawn(step) if self.by_name else self.share.of(self.order.rows(step))
        language, inputs, targets = self.train.rows(rows)
        scores, _ = self.model(language, inputs)
        total = cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=_NOTHING, reduction="sum")
        letters = int((targets != _NOTHING).sum())
        mean = total / letters
        return Loss(total if self.by_name else mean, float(mean.detach()), over=letters)

    def split(self, share: Share) -> None:
        if self.by_name:
            raise UsageError(
                f"with epoch=name a step sees one name, which {share.ranks} processes cannot share",
                hint="--set epoch=pass, or start it without torchrun",
            )
        self.share = share

    def _drawn(self, step: int) -> list[int]:
        """A language, each as likely as the others, and one of its names."""
        rng = np.random.default_rng((self.settings.seed, 1, step))
        rows = self._by_language[int(rng.integers(len(self._by_language)))]
        return [int(rng.choice(rows))]

    def measure(self, step: int) -> Mapping[str, Cell]:
        """The loss of the held-out names, a hundred times in all."""
        due = step // self._held_out_every
        if due == self._last:
            return {}
        self._last = due
        nats = self.nats(self.test)
        self._best = min(self._best, (nats, step))
        return {"held_out": nats}

    def state(self) -> dict[str, Any]:
        return {"last": self._last, "best": [*self._best]}

    def restore(self, state: dict[str, Any]) -> None:
        self._last, self._best = state["last"], (state["best"][0], state["best"][1])

    @torch.no_grad()
    def nats(self, data: Encoded) -> float:
        """The mean over letters and end signs."""
        total, letters = 0.0, 0
        for start in range(0, len(data.lengths), _HELD_OUT_BATCH):
            language, inputs, targets = data.rows(range(start, min(start + _HELD_OUT_BATCH, len(data.lengths))))
            scores, _ = self.model(language, inputs)
            found = cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=_NOTHING, reduction="sum")
            total, letters = total + float(found), letters + int((targets != _NOTHING).sum())
        return total / letters

    def results(self) -> Results:
        nats = {"training nats per letter": self.nats(self.train), "held-out nats per letter": self.nats(self.test)}
        if self._best[1]:
            nats |= {"least held-out nats per letter": self._best[0], "after epochs": self._best[1] / self.epoch}
        sampled = sampled_results(self)
        numbers = {
            "names to train with": len(self.trained),
            "names held out": len(self.held_out),
            **nats,
            **sampled.numbers,
        }
        return Results(
            numbers, sampled.tables, sampled.lines, sampled.said, key=("held-out nats per letter", "known at top-3")
        )


def prepare(settings: Settings, data: str | None, say: Say) -> NamesJob:
    """The job."""
    return NamesJob(names_of(data, say), settings)


TASK = Task(
    name="names",
    title="Surnames generated letter by letter",
    settings=Settings(
        task="names",
        epochs=1000,
        batch=128,
        learning_rate=0.0005,
        hidden=128,
        own={"epoch": "pass", "optimizer": "adam", "held_out": 0.1, "samples": 100},
    ),
    own={
        "epoch": "pass: once through all training names, in batches; name: one name drawn, one update, as in PyTorch's tutorial",
        "optimizer": "adam or sgd",
        "held_out": "share of the names that are kept from training",
        "samples": "names drawn for each language and each way of sampling",
    },
    limits={
        "epoch": OneOf("pass", "name"),
        "optimizer": OneOf("adam", "sgd"),
        "held_out": SHARE,
        "samples": Between(1, 10_000),
    },
    epoch="one pass through all training names in shuffled batches (with epoch=name: one drawn name)",
    loss="negative log-likelihood in nats per letter, the end of the name included",
    prepare=prepare,
    terms=SOURCE.terms,
)

__all__ = ["END", "START", "TASK", "Encoded", "NameModel", "NamesJob", "encoded"]
