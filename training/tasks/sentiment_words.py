"""What single words are worth over many test reviews, and whether the words that an attribution names do decide.

The mean of gradient × input over the places where a word stands tells what it is worth. A judgement that rests on the words with the
largest values must change more often when they are hidden than when as many others are: that is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from training.data.vocabulary import UNKNOWN
from training.layers.attribution import gradient_times_input
from training.run.results import Cell, Results, Table
from training.tasks.sentiment_model import Numbered

if TYPE_CHECKING:
    from training.tasks.sentiment_job import SentimentJob

REVIEWS = 1000
"""Test reviews, drawn by the seed, over which words are measured."""
HIDDEN = 3
"""Words of a review that are hidden."""
_BATCH, _LISTED, _LEAST = 50, 12, 10


class Measured(NamedTuple):
    """Over some reviews: sum and number of the values of each word of the vocabulary, and judgements that change."""

    sums: Tensor
    counts: Tensor
    reviews: int
    named: int
    """Judgements that change when the words with the largest values for them are hidden,"""
    drawn: int
    """and when as many words, drawn at random, are."""


def measured(job: SentimentJob, data: Numbered, rows: Sequence[int], hidden: int = HIDDEN) -> Measured:
    """Gradient × input of every word of some reviews."""
    model, device = job.model.eval(), job.settings.device
    generator = torch.Generator().manual_seed(job.settings.seed)
    sums, counts = (torch.zeros(job.vocabulary.size, dtype=torch.float64) for _ in range(2))
    named = drawn = 0
    for start in range(0, len(rows), _BATCH):
        words, lengths, _ = data.batch(rows[start : start + _BATCH], device)
        with torch.no_grad():
            x, scores = model.embedding(words), model(words, lengths)
        values = gradient_times_input(lambda x, lengths=lengths: model.score(x, lengths), x)  # type: ignore[misc]
        inside = torch.arange(len(words), device=device)[:, None] < lengths
        sums.index_add_(0, words[inside].cpu(), values[inside].double().cpu())
        counts.index_add_(0, words[inside].cpu(), torch.ones(int(inside.sum()), dtype=torch.float64))
        draw = torch.rand(words.shape, generator=generator).to(device)
        for_it = values.double() * torch.where(scores > 0, 1.0, -1.0)
        changed = [_changed(job, words, lengths, scores, by, inside, hidden) for by in (for_it, draw)]
        named, drawn = named + changed[0], drawn + changed[1]
    return Measured(sums, counts, len(rows), named, drawn)


@torch.no_grad()
def _changed(
    job: SentimentJob, words: Tensor, lengths: Tensor, scores: Tensor, by: Tensor, inside: Tensor, hidden: int
) -> int:
    """Judgements that change when the words with the largest ``by`` are unknown ones."""
    ranked = by.masked_fill(~inside, float("-inf")).argsort(0, descending=True)[:hidden]
    kept = words.scatter(0, ranked, torch.where(inside.gather(0, ranked), UNKNOWN, words.gather(0, ranked)))
    return int(((job.model(kept, lengths) > 0) != (scores > 0)).sum())


def word_results(job: SentimentJob) -> Results:
    """The words with the largest and the least means, and the shares of judgements that change."""
    rows = np.random.default_rng((job.settings.seed, 2)).permutation(len(job.test.words))[:REVIEWS]
    found = measured(job, job.test, [int(row) for row in rows])
    numbers = {
        f"judgements changed by hiding the {HIDDEN} words that speak most for them": found.named / found.reviews,
        f"judgements changed by hiding {HIDDEN} words at random": found.drawn / found.reviews,
    }
    means = found.sums / found.counts.clamp(min=1)
    often = [int(k) for k in torch.argsort(means, descending=True) if k > UNKNOWN and found.counts[k] >= _LEAST]
    ends = often[:_LISTED], often[::-1][:_LISTED]
    rows_shown: list[list[Cell]] = [
        [cell for k in pair for cell in (job.vocabulary.words[k - 2], int(found.counts[k]), float(means[k]))]
        for pair in zip(*ends, strict=True)
    ]
    note = f"Gradient × input over {found.reviews:,} test reviews; words that stand in them at least {_LEAST} times."
    columns = ("for praise", "times", "mean", "for blame", "times ", "mean ")
    table = Table("Words by what they add to the score on average", columns, rows_shown, note)
    return Results(numbers, (table,) if rows_shown else ())


__all__ = ["HIDDEN", "REVIEWS", "Measured", "measured", "word_results"]
