"""Whether a text praises or blames: embedding, a recurrent layer over the words, one score; and texts as numbers for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from training.data.vocabulary import PAD
from training.layers.bidirectional import CellEncoder, Encoder, PackedEncoder, TorchEncoder
from training.run.settings import Settings

LAYERS = ("torch", "packed", "cells")
Rows = Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]


class SentimentModel(nn.Module):
    """Words (T, B) with their lengths (B,) to scores (B,)."""

    def __init__(self, words: int, settings: Settings) -> None:
        super().__init__()
        own = settings.own
        dtype: torch.dtype = getattr(torch, settings.dtype)
        width = int(own["embedding"])
        self.embedding = nn.Embedding(words, width, padding_idx=PAD, dtype=dtype)
        with torch.no_grad():
            self.embedding.weight *= float(own["spread"])
        self.encoder = _encoder(width, settings)
        self.dropout = nn.Dropout(float(own["dropout"]))
        self.readout = nn.Linear(self.encoder.width, 1, dtype=dtype)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """The scores, above 0 for praise."""
        return self.score(self.embedding(words), lengths)

    def score(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The scores of texts whose words are vectors (T, B, d): what an attribution differentiates."""
        read = self.encoder(self.dropout(x), lengths)
        scores: Tensor = self.readout(self.dropout(read))[:, 0]
        return scores


def check_cell(settings: Settings) -> None:
    """Raise what making the recurrent layer raises, without a number drawn."""
    with torch.random.fork_rng(devices=[]):
        _encoder(int(settings.own["embedding"]), replace(settings, hidden=1))


def _encoder(width: int, settings: Settings) -> Encoder:
    own = settings.own
    both, pool = own["directions"] == 2, str(own["pool"])
    if own["layer"] in ("torch", "packed") and settings.grad == "autograd":
        kind = TorchEncoder if own["layer"] == "torch" else PackedEncoder
        return kind(settings.cell, width, settings.hidden, both, pool, settings.dtype)
    return CellEncoder(settings.cell, width, settings.hidden, both, pool, settings.dtype, settings.grad)


@dataclass(frozen=True)
class Numbered:
    """Texts as numbers of words."""

    words: Sequence[np.ndarray[tuple[int], np.dtype[np.int32]]]
    positive: Tensor

    @property
    def lengths(self) -> list[int]:
        """Words of each."""
        return [len(row) for row in self.words]

    def batch(self, rows: Rows, device: str) -> tuple[Tensor, Tensor, Tensor]:
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


__all__ = ["LAYERS", "Numbered", "Rows", "SentimentModel", "check_cell"]
