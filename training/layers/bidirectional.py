"""Cells over batches of sequences of different lengths, in one direction or in both, with one vector a sequence at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from derive.errors import UsageError
from training.layers.recurrent import Recurrent

TORCH: dict[str, type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
"""torch's own layers by the library's names."""
POOLS = ("last", "max")


class Encoder(nn.Module, ABC):
    """x (T, B, d) with lengths (B,) to (B, m): the state at the end of each sequence (``last``; of both directions where there are two,
    one after the other), or the largest value of each unit over its time (``max``).
    """

    def __init__(self, pool: str) -> None:
        super().__init__()
        if pool not in POOLS:
            raise UsageError(f"--set pool is {pool!r}", expected=f"one of {', '.join(POOLS)}")
        self.pool = pool
        self.width = 0

    @abstractmethod
    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """h_t of the forward and of the backward direction at their places in time, (T, B, n) each; None where there is no second one."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """What stands for each sequence."""
        ahead, back = self.states(x, lengths)
        return self.pooled(ahead, back, lengths)

    def pooled(self, forward: Tensor, backward: Tensor | None, lengths: Tensor) -> Tensor:
        """What stands for a sequence, from h_t of both directions at their places in time, (T, B, n) each."""
        if self.pool == "max":
            rows = forward if backward is None else torch.cat([forward, backward], dim=-1)
            beyond = torch.arange(rows.shape[0], device=rows.device)[:, None] >= lengths
            return rows.masked_fill(beyond[..., None], float("-inf")).amax(0)
        last = forward[lengths - 1, torch.arange(len(lengths), device=forward.device)]
        # The backward direction has read all of the sequence when it is back at its beginning.
        return last if backward is None else torch.cat([last, backward[0]], dim=-1)


class PackedEncoder(Encoder):
    """A layer of torch's over packed sequences."""

    def __init__(self, cell: str, inputs: int, hidden: int, both: bool, pool: str, dtype: str) -> None:
        super().__init__(pool)
        self.hidden = hidden
        self.width = hidden * (1 + both)
        self.layer = torch_layer(cell)(inputs, hidden, bidirectional=both, dtype=getattr(torch, dtype))

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :class:`Encoder`."""
        packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
        rows, _ = pad_packed_sequence(self.layer(packed)[0], total_length=x.shape[0])
        backward = rows[..., self.hidden :] if self.layer.bidirectional else None
        return rows[..., : self.hidden], backward


class PaddedEncoder(Encoder):
    """One layer for each direction over padded sequences. What lies beyond the end of a sequence is computed, and nothing reads it; the
    backward direction is a layer over each sequence reversed within its own length.
    """

    def __init__(self, ahead: nn.Module, back: nn.Module | None, width: int, pool: str) -> None:
        super().__init__(pool)
        self.ahead, self.back = ahead, back
        self.width = width * (1 + (back is not None))

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :class:`Encoder`."""
        ahead, _ = self.ahead(x)
        if self.back is None:
            return ahead, None
        places = reversed_places(x.shape[0], lengths)
        batch = torch.arange(len(lengths), device=x.device)
        back, _ = self.back(x[places, batch])
        return ahead, back[places, batch]


class TorchEncoder(PaddedEncoder):
    """Layers of torch's. Their values are those of packed sequences; on a processor, nn.LSTM goes back through packed ones of
    different lengths about ten times more slowly, since each step fills an array of the size of the whole batch.
    """

    def __init__(self, cell: str, inputs: int, hidden: int, both: bool, pool: str, dtype: str) -> None:
        layers = [torch_layer(cell)(inputs, hidden, dtype=getattr(torch, dtype)) for _ in range(1 + both)]
        super().__init__(layers[0], layers[1] if both else None, hidden, pool)


class CellEncoder(PaddedEncoder):
    """Any cell, with either kind of gradients."""

    ahead: Recurrent
    back: Recurrent | None

    def __init__(self, cell: str, inputs: int, hidden: int, both: bool, pool: str, dtype: str, grad: str) -> None:
        layers = [Recurrent(cell, inputs, hidden, grad, dtype) for _ in range(1 + both)]
        super().__init__(layers[0], layers[1] if both else None, layers[0].width, pool)


def torch_layer(cell: str) -> type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]:
    """torch's own layer by the library's name.

    Raises
    ------
    UsageError : there is none.
    """
    if cell not in TORCH:
        raise UsageError(
            f"torch has no layer for the cell {cell!r}",
            expected=f"one of {', '.join(TORCH)}",
            hint="or --set layer=cells",
        )
    return TORCH[cell]


def reversed_places(length: int, lengths: Tensor) -> Tensor:
    """Where each sequence is read backward: (T, B), its own inverse.

    >>> reversed_places(3, torch.tensor([3, 2])).tolist()
    [[2, 1], [1, 0], [0, 2]]
    """
    times = torch.arange(length, device=lengths.device)[:, None]
    return torch.where(times < lengths, lengths - 1 - times, times)


__all__ = ["POOLS", "CellEncoder", "Encoder", "PackedEncoder", "TorchEncoder", "reversed_places"]
