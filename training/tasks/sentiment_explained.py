"""Why a text is judged as praise or blame: what each of its words adds to the score, and how far back the last state looks.

One text is followed word by word; it tells of a bad day and ends with something good, and a reader of its last state alone may take it
for praise. Of the test reviews, the surest ones of each kind are explained, and what single words are worth is measured over many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from derive.errors import UsageError
from training.layers.attribution import Integrated, gradient_times_input, integrated_gradients, jacobian_norms
from training.run.results import Cell, Lines, Results, ShadedText, Table
from training.tasks.sentiment_words import word_results

if TYPE_CHECKING:
    from training.tasks.sentiment_job import SentimentJob

TEXT = (
    "Yesterday turned out to be a terrible day. I overslept my alarm clock, and to make matters worse, my dog ate my homework. "
    "At least my dog seems happy ..."
)
"""What is followed word by word where ``--set text=`` names nothing else."""
MOST = 120
"""Tokens that a text may have whose words are all named below an axis."""
_SHOWN = 60
"""Tokens of a test review that is explained."""
_ENDS = frozenset(".!?")
_INTEGRATED, _FIRST_ORDER = "integrated gradients", "gradient × input"
_UP, _DOWN = "praise", "blame"


def check_text(tokens: Sequence[str]) -> None:
    """Raise a UsageError where a user's own text is too long to be explained."""
    if len(tokens) > MOST:
        raise UsageError(f"--set text has {len(tokens)} words", expected=f"at most {MOST}, full stops included")


class Followed(NamedTuple):
    """A text of T tokens, what it is judged as, and what each token has to do with that."""

    tokens: list[str]
    score: float
    integrated: Integrated
    first_order: Tensor
    """Gradient × input, (T,)."""

    def shaded(self, title: str, known: Callable[[str], bool], note: str = "") -> ShadedText:
        """The text with both attributions."""
        named = [token if known(token) else f"({token})" for token in self.tokens]
        values = {_INTEGRATED: _short(self.integrated.values), _FIRST_ORDER: _short(self.first_order)}
        return ShadedText(title, named, values, _UP, _DOWN, note)


class Sentence(NamedTuple):
    """A part of a text: places [start, end) of its tokens."""

    start: int
    end: int


def sentences(tokens: Sequence[str]) -> list[Sentence]:
    """Parts that end with full stops, exclamation or question marks.

    >>> sentences(["bad", ".", ".", "good", "!", "well"])
    [Sentence(start=0, end=3), Sentence(start=3, end=5), Sentence(start=5, end=6)]
    """
    ends = [
        t + 1
        for t, token in enumerate(tokens)
        if t + 1 == len(tokens) or (token in _ENDS and tokens[t + 1] not in _ENDS)
    ]
    return [Sentence(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@dataclass
class Explained:
    """What is explained of a trained model. ``scores`` are those of the test reviews."""

    job: SentimentJob
    scores: Tensor

    def results(self) -> Results:
        """The text, some test reviews, and words over many reviews."""
        own = self.job.settings.own
        told = self._text(str(own["text"]) or TEXT)
        chosen = [self._review(*one) for one in self._chosen(int(own["explained"]))]
        words = word_results(self.job)
        gaps = [told.numbers["integrated gradients: largest gap"], *(text.integrated.gap for text, _ in chosen)]
        numbers = {**told.numbers, "integrated gradients: largest gap": max(gaps), **words.numbers}
        texts = (*told.texts, *(shown for _, shown in chosen))
        return Results(numbers, (*told.tables, *words.tables), told.lines, (*told.said, *words.said), texts=texts)

    # -- one text ------------------------------------------------------------------------------------------

    def followed(self, tokens: Sequence[str]) -> Followed:
        """The attributions of a text; its last ``longest`` tokens where it has more."""
        longest = int(self.job.settings.own["longest"])
        self.job.model.eval()
        x = self._vectors(tokens)
        return Followed(
            list(tokens[-longest:]),
            float(self._score(x[:, None]).detach()),
            integrated_gradients(self._score, x),
            gradient_times_input(self._score, x[:, None])[:, 0],
        )

    @torch.no_grad()
    def _vectors(self, tokens: Sequence[str]) -> Tensor:
        """The vectors of words, (T, d)."""
        numbers = self.job.vocabulary.numbers(tokens, int(self.job.settings.own["longest"]))
        found: Tensor = self.job.model.embedding(torch.tensor(numbers, device=self.job.settings.device))
        return found

    def _score(self, x: Tensor) -> Tensor:
        return self.job.model.score(x, _full(x))

    @torch.no_grad()
    def praise_so_far(self, x: Tensor) -> list[float]:
        """The probability of praise after 1, 2, …, T tokens x (T, d)."""
        lengths = torch.arange(1, len(x) + 1, device=x.device)
        return _short(torch.sigmoid(self.job.model.score(x[:, None].expand(-1, len(x), -1), lengths)))

    def state_norms(self, x: Tensor) -> dict[str, list[float]]:
        """‖∂h/∂x_t‖ for the last state of each direction, and for what the readout reads where that is something else."""
        encoder = self.job.model.encoder
        ends: dict[str, Callable[[Tensor], Tensor]] = {"final state": lambda x: encoder.states(x, _full(x))[0][-1]}
        if encoder.states(x[:, None], _full(x[:, None]))[1] is not None:
            ends["final state, read backward"] = lambda x: _present(encoder.states(x, _full(x))[1])[0]
        if len(ends) > 1 or encoder.pool != "last":
            ends["what the readout reads"] = lambda x: encoder(x, _full(x))
        return {name: _short(jacobian_norms(end, x)) for name, end in ends.items()}

    def _text(self, text: str) -> Results:
        """A text followed word by word."""
        tokens = self.job.tokenize(text) or [""]
        told = self.followed(tokens)
        tokens = told.tokens
        x = self._vectors(tokens)
        with torch.no_grad():
            norms, so_far = self.state_norms(x), self.praise_so_far(x)
        names = tuple(tokens)
        places = [*range(1, len(tokens) + 1)]
        lines = [
            Lines(
                "Norm of the gradient of a state at the end by each token's vector",
                "",
                "norm",
                {name: _positive(places, values) for name, values in norms.items()},
                log=True,
                x_names=names,
                note="The Frobenius norm of the Jacobian.",
            ),
            Lines(
                "Probability of praise, had the text ended after each token",
                "",
                "probability",
                {_UP: (places, so_far)},
                x_names=names,
            ),
        ]
        parts = sentences(tokens)
        mean = [float(np.mean(norms["final state"][part.start : part.end])) for part in parts]
        numbers = {
            "text: probability of praise": so_far[-1],
            "text: gradient of the final state, first over last sentence": mean[0] / mean[-1] if mean[-1] else math.nan,
            "integrated gradients: largest gap": told.integrated.gap,
        }
        shown = told.shaded(f"“{text}”", self._known, f"Judged as {_verdict(told.score)}.")
        table = _by_sentence(told, parts, so_far, mean)
        return Results(numbers, (table,), lines, self._said(told, parts, mean), texts=(shown,))

    def _said(self, told: Followed, parts: Sequence[Sentence], mean: Sequence[float]) -> list[str]:
        values = told.integrated.values
        said = [f"The text is judged as {_verdict(told.score)}."]
        if len(parts) > 1:
            first, last = parts[0], parts[-1]
            said.append(
                f"By a token of its first sentence ({first.end - first.start} tokens) the gradient of the final state has the norm "
                f"{mean[0]:.3g} on average, by one of its last sentence ({last.end - last.start} tokens) {mean[-1]:.3g}."
            )
            said.append(
                f"Its score is {told.score:+.3f}, that of as many empty words (vectors 0) {told.score - told.integrated.difference:+.3f}. "
                f"Of the difference the last sentence makes {float(values[last.start :].sum()):+.3f}, all before it "
                f"{float(values[: last.start].sum()):+.3f} (integrated gradients; their sum is wrong by {told.integrated.gap:.1g})."
            )
        unknown = sorted({token for token in told.tokens if not self._known(token)})
        if unknown:
            said.append(f"Not in the vocabulary, and so all the same to the network: {', '.join(unknown)}.")
        return said

    def _known(self, token: str) -> bool:
        return token in self.job.vocabulary

    # -- test reviews --------------------------------------------------------------------------------------

    def _chosen(self, count: int) -> list[tuple[int, str]]:
        """The surest test reviews of each kind that are short enough to be shown, with what they are."""
        lengths = np.array([len(tokens) for tokens in self.job.test_tokens])
        short = (lengths > 0) & (lengths <= _SHOWN)
        positive, scores = self.job.test.positive.numpy() > 0.5, self.scores.numpy()
        found = []
        for praised in (True, False):
            for right in (True, False):
                rows = np.flatnonzero(short & (positive == praised) & (((scores > 0) == praised) == right))
                sure = rows[np.argsort(-np.abs(scores[rows]), kind="stable")][:count]
                kind = f"{_UP if praised else _DOWN}, judged {'rightly' if right else 'wrongly'}"
                found += [(int(row), kind) for row in sure]
        return found

    def _review(self, row: int, kind: str) -> tuple[Followed, ShadedText]:
        told = self.followed(self.job.test_tokens[row])
        return told, told.shaded(f"A test review of {kind}", self._known, f"Judged as {_verdict(told.score)}.")


def _by_sentence(told: Followed, parts: Sequence[Sentence], so_far: Sequence[float], mean: Sequence[float]) -> Table:
    rows: list[list[Cell]] = [
        [
            " ".join(told.tokens[part.start : part.end]),
            part.end - part.start,
            so_far[part.end - 1],
            float(told.integrated.values[part.start : part.end].sum()),
            float(told.first_order[part.start : part.end].sum()),
            norm,
        ]
        for part, norm in zip(parts, mean, strict=True)
    ]
    columns = ("sentence", "tokens", "praise so far", _INTEGRATED, _FIRST_ORDER, "gradient norm")
    note = (
        "Praise so far: its probability, had the text ended there; attributions: summed over the tokens of a sentence, above 0 "
        "for praise; gradient norm: of the final state by a token's vector, averaged over the sentence."
    )
    return Table("A text by its sentences", columns, rows, note)


def _verdict(score: float) -> str:
    probability = 1 / (1 + math.exp(-score)) if score > -700 else 0.0
    return f"{_UP if score > 0 else _DOWN}, with the probability {probability:.3f} of praise"


def _short(values: Tensor) -> list[float]:
    """Values with the digits that mean something."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def _full(x: Tensor) -> Tensor:
    """The lengths of sequences (T, B, d) without padding."""
    return torch.full((x.shape[1],), x.shape[0], device=x.device)


def _present(states: Tensor | None) -> Tensor:
    if states is None:
        raise ValueError("there is one direction alone")
    return states


def _positive(places: Sequence[int], values: Sequence[float]) -> tuple[list[int], list[float]]:
    """What a logarithmic axis can show."""
    kept = [(t, value) for t, value in zip(places, values, strict=True) if value > 0]
    return [t for t, _ in kept], [value for _, value in kept]


__all__ = ["MOST", "TEXT", "Explained", "Followed", "Sentence", "check_text", "sentences"]
