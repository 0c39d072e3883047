"""Word vectors by a simplified skip-gram: the word in the middle of a window goes in, the words around it shall come out.

x is the one-hot vector of the centre word, h = φ(W₁ᵀx) the hidden layer, z = W₂ (h, 1) has a score for each word of the vocabulary, and
the target is the "4-hot" vector y of the words w_{i-2}, w_{i-1}, w_{i+1}, w_{i+2} (a word that stands there twice counts twice). Layers,
losses, gradients and optimisers are those of :mod:`training.arrays`, in NumPy. What is minimised is one of

- softmax : -∑_c log softmax(z)_c over the four context words c, with all scores: the cross entropy of softmax(z) and y;
- sampled : -∑_c log σ(z_c) - ∑_m log σ(-z_m) with ``negatives`` words m drawn by their count to the power of ¾;
- squared : ½ ‖z - y‖².

Word2vec (Mikolov et al. 2013) takes each of the four pairs as an example of its own; the sum over a window is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from derive.errors import UsageError
from training.arrays.gradient import Array, Numbers
from training.arrays.layers import ACTIVATIONS
from training.arrays.optimizers import OPTIMIZERS
from training.arrays.outputs import Judged, Noise, sampled, softmax, squared
from training.arrays.skip_gram import SkipGram
from training.data.digest import digest
from training.data.download import Say
from training.data.text8 import CHARACTERS, SOURCE, Corpus, read_text8
from training.data.windows import Windows, thinned
from training.run.arrays import ArrayModule, ArrayOptimizer
from training.run.job import Job, Loss
from training.run.limits import SHARE, Between, OneOf
from training.run.order import Order
from training.run.results import Cell, Results
from training.run.settings import Settings
from training.tasks.skipgram_sense import Vectors, sense
from training.tasks.task import Task

LOSSES = ("softmax", "sampled", "squared")
_WEIGHTS, _THINNED, _DROPPED, _NEGATIVES, _HELD_OUT = range(1, 6)
"""Streams of random numbers, beside that of the order."""
_LOOKED_AT = 2000
"""Windows of the held-out text that are looked at, evenly spaced."""


class SkipGramJob(Job):
    """The windows of a text, the network, and the end of the text held out."""

    def __init__(self, text: Corpus, settings: Settings) -> None:
        self.corpus, self.settings = text, settings
        own = settings.own
        threadpool_limits(settings.threads)
        self._kind, self._reach = str(own["loss"]), int(own["window"])
        self.train, self.held_out = self._windows()
        self.noise = Noise(text.counts)
        self.network = SkipGram(
            len(text.words),
            settings.hidden,
            str(own["activation"]),
            float(own["dropout"]),
            self._random(_WEIGHTS),
            settings.dtype,
        )
        self.order = Order(len(self.train), settings.batch, settings.seed)
        optimizer = OPTIMIZERS[str(own["optimizer"])](settings.learning_rate, int(own["decay_steps"]))
        super().__init__(
            ArrayModule(self.network.arrays), ArrayOptimizer(optimizer, self.network), self.order.steps, ("held_out",)
        )
        self.data = {"text": digest([*text.words, text.characters, text.numbers])}
        self._steps = settings.steps or settings.epochs * self.order.steps
        self._test = self._evenly()

    def _random(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng((self.settings.seed, *stream))

    def _windows(self) -> tuple[Windows, Windows]:
        text, own = self.corpus.numbers, self.settings.own
        cut = len(text) - round(len(text) * float(own["held_out"]))
        rng, threshold = self._random(_THINNED), float(own["subsample"])
        first, last = (thinned(part, self.corpus.counts, threshold, rng) for part in (text[:cut], text[cut:]))
        parts = Windows(first, self._reach), Windows(last, self._reach)
        if not all(map(len, parts)):
            raise UsageError(
                f"of {len(text):,} words, {len(last):,} are held out and {len(first):,} are learnt from",
                expected=f"windows of {2 * self._reach + 1} words in both parts",
                hint="another --set held_out, subsample or vocabulary",
            )
        return parts

    def _evenly(self) -> tuple[Numbers, Numbers]:
        return self.held_out.rows(
            np.linspace(0, len(self.held_out) - 1, min(_LOOKED_AT, len(self.held_out))).astype(int)
        )

    def loss(self, step: int) -> Loss:
        """The mean over a batch of centre words; the curve shows it for each context word."""
        centre, context = self.train.rows(self.order.rows(step))
        dropped = self._random(_DROPPED, step) if self.settings.own["dropout"] else None
        passed = self.network.forward(
            centre, lambda weights, hidden: self._judged(weights, hidden, context, _NEGATIVES, step), dropped
        )
        return Loss(passed, passed.item() / (2 * self._reach))

    def _judged(self, weights: Array, hidden: Array, context: Numbers, *stream: int) -> Judged:
        if self._kind == "softmax":
            return softmax(weights, hidden, context)
        if self._kind == "squared":
            return squared(weights, hidden, context)
        count = int(self.settings.own["negatives"])
        return sampled(weights, hidden, context, self.noise.drawn(self._random(*stream), (len(context), count)))

    def measure(self, step: int) -> Mapping[str, Cell]:
        """The loss of held-out windows, a hundred times in all."""
        return {} if step % max(1, self._steps // 100) else {"held_out": self.held_out_loss()}

    def held_out_loss(self) -> float:
        """What is minimised, over held-out windows, for each context word; without dropout, and always with the same negatives."""
        centre, context = self._test
        passed = self.network.forward(centre, lambda weights, hidden: self._judged(weights, hidden, context, _HELD_OUT))
        return passed.item() / (2 * self._reach)

    def state(self) -> dict[str, Any]:
        return {"words": list(self.corpus.words), "characters": self.corpus.characters}

    def results(self) -> Results:
        found, nats = sense(Vectors(self.corpus.words, self.network.embeddings)), self._nats()
        corpus, own = self.corpus, self.settings.own
        numbers = {
            "characters read": corpus.characters,
            "words read": corpus.total,
            "different words read": corpus.different,
            "words in the vocabulary": len(corpus.words),
            "share of the text in the vocabulary": len(corpus.numbers) / corpus.total,
            "windows to train with": len(self.train),
            "windows held out": len(self.held_out),
            "held-out loss per context word": self.held_out_loss(),
            **nats,
            **found.numbers,
        }
        rows, columns = self.network.embeddings.shape
        said = [
            f"The embeddings are the rows of the first weight matrix W₁ ({rows:,} × {columns}): the input x is one-hot, so "
            "W₁ᵀx is the row of the centre word. The checkpoint holds them as model.embedding, with the words in the same "
            "order as job.words.",
            f"Minimised is {_SAID[self._kind].format(k=2 * self._reach, m=own['negatives'])}.",
            f"The vocabulary is cut to the {rows:,} most frequent of {corpus.different:,} different words; all others, "
            f"{1 - len(corpus.numbers) / corpus.total:.1%} of the text, are left out before windows are made.",
        ]
        if not corpus.whole:
            said.append(
                f"The file is shortened: it holds {corpus.characters:,} characters, and text8 has {CHARACTERS:,}; "
                "the numbers are those of this part."
            )
        return Results(
            numbers,
            found.tables,
            said=[*said, *found.said],
            points=found.points,
            key=(*[*nats][:1], *found.key),
        )

    def _nats(self) -> dict[str, float]:
        """-log p of a held-out context word by the distribution that the network has, and by the frequencies alone.

        Negative sampling learns log p(c | w) up to the noise and a constant: z_c = log p(c | w) - log p_noise(c) + const.
        """
        if self._kind == "squared":  # its scores are expected counts, and some are negative
            return {}
        centre, context = self._test
        weights_of_noise = np.log(self.noise.probabilities) if self._kind == "sampled" else 0.0

        def judged(weights: Array, hidden: Array) -> Judged:
            shifted = weights.copy()
            shifted[:, -1] += weights_of_noise
            return softmax(shifted, hidden, context)

        counts = np.bincount(self.train.text, minlength=len(self.corpus.words)) + 1  # none of them is impossible
        frequencies = counts / counts.sum()
        return {
            "held-out nats per context word": self.network.forward(centre, judged).item() / (2 * self._reach),
            "held-out nats per context word by frequencies alone": float(-np.log(frequencies[context]).mean()),
        }


_SAID = {
    "softmax": "the cross entropy of the softmax over the whole vocabulary and the target with {k} ones, "
    "which is minus the sum of log p over the {k} context words, in nats; the curve shows it divided by {k}",
    "sampled": "the loss of negative sampling, minus log σ of the scores of the {k} context words and of minus the scores of "
    "{m} words drawn by their count to the power of ¾; the curve shows it divided by {k}",
    "squared": "half the squared distance of the linear output from the target with {k} ones; the curve shows it divided by {k}",
}


def prepare(settings: Settings, data: str | None, say: Say) -> SkipGramJob:
    """The job."""
    if settings.device != "cpu":
        raise UsageError(f"--device {settings.device} does not apply to skipgram", expected="cpu, where NumPy computes")
    return SkipGramJob(read_text8(SOURCE.folder(data, say), int(settings.own["vocabulary"]), say), settings)


TASK = Task(
    name="skipgram",
    title="Word vectors by a simplified skip-gram, in NumPy",
    settings=Settings(
        task="skipgram",
        epochs=4,
        batch=512,
        learning_rate=0.01,
        hidden=32,
        cell="",
        grad="",
        own={
            "loss": "softmax",
            "optimizer": "adam",
            "activation": "identity",
            "dropout": 0.0,
            "window": 2,
            "vocabulary": 10000,
            "subsample": 0.0001,
            "negatives": 20,
            "decay_steps": 5000,
            "held_out": 0.005,
        },
    ),
    own={
        "loss": "softmax: cross entropy with all words; sampled: negative sampling; squared: squared distance from the 4-hot vector",
        "optimizer": f"one of {', '.join(OPTIMIZERS)}",
        "activation": f"of the hidden layer, one of {', '.join(ACTIVATIONS)}",
        "dropout": "share of the hidden values that are zero in training",
        "window": "words on each side of the centre word",
        "vocabulary": "the most frequent words, which are known; others are left out",
        "subsample": "frequency above which a part of a word's places is left out; 0: none",
        "negatives": "words drawn for each centre word, with loss=sampled",
        "decay_steps": "updates after which the learning rate is a half, then a third, …; 0: it stays",
        "held_out": "share of the text, its end, that is kept from training",
    },
    limits={
        "loss": OneOf(*LOSSES),
        "optimizer": OneOf(*OPTIMIZERS),
        "activation": OneOf(*ACTIVATIONS),
        "dropout": Between(0.0, 1.0, below=True),
        "window": Between(1, 1000),
        "vocabulary": Between(2, 10_000_000),
        "subsample": Between(0.0, 1.0),
        "negatives": Between(1, 100_000),
        "decay_steps": Between(0, 1_000_000_000),
        "held_out": SHARE,
    },
    epoch="one pass through all windows of the training text in shuffled batches",
    loss="loss per context word (softmax: nats)",
    prepare=prepare,
    terms=SOURCE.terms,
)

__all__ = ["LOSSES", "TASK", "SkipGramJob"]
