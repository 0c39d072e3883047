"""Names drawn from the network, and what they are worth.

The next letter is drawn from the softmax of the scores divided by a temperature, or among the k best of them (top-k). Of the drawn
names these shares are measured:

- known    : stand in the data, of the same language (k = 1 repeats what was learnt by heart)
- held out : of the same language among the names that were kept from training (real names that it never saw)
- elsewhere: stand in the data, of another language alone
- novel    : do not stand among the training names of the language
- distinct : different ones among those drawn for a language
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from training.data.names import LETTERS
from training.run.results import Cell, Lines, Results, Table

if TYPE_CHECKING:
    from training.tasks.names import NamesJob

TOP = (1, 2, 3, 5, 10)
TEMPERATURES = (0.5, 0.75, 1.0, 1.25)
LONGEST = 30
"""Letters after which a name is ended."""
_SHOWN = ("English", "Russian", "Italian", "Japanese")
"""Languages of the samples that are printed, as far as the data has them."""


@dataclass(frozen=True)
class Way:
    """How the next letter is chosen: among the ``top`` best (0: all), by the scores over ``temperature``."""

    top: int
    temperature: float = 1.0

    @property
    def name(self) -> str:
        return f"top-{self.top}" if self.top else f"temperature {self.temperature:g}"


def chosen(scores: Tensor, way: Way, generator: torch.Generator) -> Tensor:
    """The next letter of each row of scores (B, letters).

    >>> chosen(torch.tensor([[0.0, 3.0, 1.0]]), Way(1), torch.Generator()).tolist()
    [1]
    """
    scores = scores.double() / way.temperature
    if way.top:
        least = scores.topk(min(way.top, scores.shape[-1]), dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    return torch.multinomial(scores.softmax(-1), 1, generator=generator)[:, 0]


def drawn(job: NamesJob, way: Way, count: int, seed: int) -> list[list[str]]:
    """``count`` names for each language."""
    from training.tasks.names import END, START

    generator = torch.Generator().manual_seed(seed)
    languages = len(job.names.languages)
    language = torch.arange(languages).repeat_interleave(count).to(job.settings.device)
    letters = torch.full_like(language, START)
    rows: list[Tensor] = []
    state = None
    for _ in range(LONGEST):
        scores, state = job.model(language, letters[None], state)
        letters = chosen(scores[0].cpu(), way, generator).to(language.device)
        rows.append(letters.cpu())
    names = ["".join(LETTERS[k] for k in _before(row, END)) for row in torch.stack(rows, dim=1).tolist()]
    return [names[k * count : (k + 1) * count] for k in range(languages)]


def _before(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row


@dataclass(frozen=True)
class Known:
    """The names of the data by language."""

    trained: Sequence[frozenset[str]]
    held_out: Sequence[frozenset[str]]

    @staticmethod
    def of(languages: int, trained: Sequence[tuple[int, str]], held_out: Sequence[tuple[int, str]]) -> Known:
        """By the numbers of the languages."""
        parts = (
            [frozenset(name for k, name in pairs if k == n) for n in range(languages)] for pairs in (trained, held_out)
        )
        return Known(*parts)


def shares(samples: Sequence[Sequence[str]], known: Known) -> dict[str, float]:
    """What part of the samples is what, over all languages.

    >>> found = shares([["Ada", "Ada", "Bo", "Cy"], ["Bo"] * 4], Known.of(2, [(0, "Ada")], [(1, "Bo")]))
    >>> found["known"], found["held out"], found["elsewhere"], found["novel"], found["distinct"]
    (0.75, 0.5, 0.125, 0.75, 0.5)
    """
    everything = frozenset().union(*known.trained, *known.held_out)
    total = sum(map(len, samples))
    counts = dict.fromkeys(("known", "held out", "elsewhere", "novel", "distinct", "letters"), 0)
    for names, trained, held_out in zip(samples, known.trained, known.held_out, strict=True):
        for name in names:
            here = name in trained or name in held_out
            counts["known"] += here
            counts["held out"] += name in held_out and name not in trained
            counts["elsewhere"] += name in everything and not here
            counts["novel"] += name not in trained
            counts["letters"] += len(name)
        counts["distinct"] += len(set(names))
    return {key: value / total for key, value in counts.items()}


def sampled_results(job: NamesJob) -> Results:
    """Shares for every k and every temperature, and some of the names."""
    known = Known.of(len(job.names.languages), job.trained, job.held_out)
    count = int(job.settings.own["samples"])
    ways = [*map(Way, TOP), *(Way(0, t) for t in TEMPERATURES)]
    samples = {way: drawn(job, way, count, job.settings.seed) for way in ways}
    found = {way: shares(names, known) for way, names in samples.items()}
    columns = ("known", "held out", "elsewhere", "novel", "distinct", "letters")
    rows: list[list[Cell]] = [[way.name, *(round(found[way][column], 4) for column in columns)] for way in ways]
    table = Table(
        f"Shares of {count} names drawn for each of {len(job.names.languages)} languages",
        ("way", *columns),
        rows,
        "known: names of the language in the data; held out: those of them never seen in training; elsewhere: names of other "
        "languages alone; novel: not among the training names; distinct: different ones; letters: mean length.",
    )
    numbers = {"known at top-3": found[Way(3)]["known"], "distinct at top-3": found[Way(3)]["distinct"]}
    return Results(numbers, (table, _examples(job, samples)), (_lines(found),), _said(found))


def _examples(job: NamesJob, samples: Mapping[Way, Sequence[Sequence[str]]]) -> Table:
    languages = [name for name in _SHOWN if name in job.names.languages] or job.names.languages[:4]
    ways = (Way(1), Way(3), Way(10), Way(0, 1.0))
    rows = [
        [way.name, *(", ".join(samples[way][job.names.languages.index(name)][:4]) for name in languages)]
        for way in ways
    ]
    return Table("The first names drawn", ("way", *languages), rows)


def _lines(found: Mapping[Way, Mapping[str, float]]) -> Lines:
    lines = {
        column: (TOP, [found[Way(k)][column] for k in TOP]) for column in ("known", "held out", "novel", "distinct")
    }
    return Lines("Shares against k", "k", "share of the names drawn", lines)


def _said(found: Mapping[Way, Mapping[str, float]]) -> list[str]:
    one, two, ten, free = (found[way] for way in (Way(1), Way(2), Way(10), Way(0, 1.0)))
    return [
        "With k = 1 the best letter is always taken: every language has one name alone, and "
        f"{one['known']:.0%} of these stand in the data.",
        f"With k = 2, {two['distinct']:.0%} of the names drawn for a language differ, and {two['known']:.0%} are known; "
        f"with k = 10, {ten['distinct']:.0%} differ, and {ten['known']:.0%} are known.",
        f"Drawn from the whole distribution, {free['held out']:.1%} are real names that were kept from training.",
    ]


__all__ = ["LONGEST", "TEMPERATURES", "TOP", "Known", "Way", "chosen", "drawn", "sampled_results", "shares"]
