"""The LSTM cell of tensors beside ``torch.nn.LSTMCell``: the same values, the same gradients, the same training.

Both start from the same weights and learn the adding problem side by side. torch has two biases where the equations have one; the
second is zero and stays so, since a sum of two biases that are trained would move twice as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from derive.errors import UsageError
from training.data.download import Say
from training.layers.recurrent import Recurrent
from training.run.job import Job, Loss
from training.run.results import Cell, Results, Table
from training.run.settings import Settings
from training.run.share import Share
from training.tasks.adding import sequences
from training.tasks.task import Task

TORCH_ORDER = "ifco"
"""Gates as torch stacks them; its g is the candidate c."""
_EPOCH = 50
_SHAPES = ((1, 1, 1, 1), (1, 4, 3, 5), (7, 1, 2, 8), (20, 16, 10, 32))
"""(T, B, d, n) of the comparison."""
_LENGTH = 20


class TorchLSTM(nn.Module):
    """nn.LSTMCell in a loop, with the weights of a layer of ours."""

    def __init__(self, ours: Recurrent) -> None:
        super().__init__()
        weights = ours.cell.weights
        like = weights["U_f"]
        self.cell = nn.LSTMCell(like.shape[1], like.shape[0], dtype=like.dtype, device=like.device)
        with torch.no_grad():
            self.cell.weight_ih.copy_(stacked(weights, "U"))
            self.cell.weight_hh.copy_(stacked(weights, "W"))
            self.cell.bias_ih.copy_(stacked(weights, "b"))
            self.cell.bias_hh.zero_()
        self.cell.bias_hh.requires_grad_(False)

    def forward(self, x: Tensor, h: Tensor | None = None, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """All h (T, B, n), and the last C."""
        zeros = x.new_zeros((x.shape[1], self.cell.hidden_size))
        h, c = zeros if h is None else h, zeros if c is None else c
        rows = []
        for row in x:
            h, c = self.cell(row, (h, c))
            rows.append(h)
        return torch.stack(rows), c


def stacked(weights: nn.ParameterDict, letter: str) -> Tensor:
    """The matrices or vectors of all gates in torch's order."""
    return torch.cat([weights[f"{letter}_{gate}"] for gate in TORCH_ORDER])


def differences(
    length: int, batch: int, inputs: int, hidden: int, grad: str, dtype: str, device: str = "cpu"
) -> dict[str, float]:
    """The largest differences of values and gradients, each relative to the largest entry of its array.

    >>> all(value < 1e-12 for value in differences(3, 2, 3, 4, "derived", "float64").values())
    True
    """
    ours = Recurrent("lstm", inputs, hidden, grad, dtype).to(device)
    theirs = TorchLSTM(ours)
    kind: torch.dtype = getattr(torch, dtype)
    x, h, c, w, v = (
        torch.randn(*shape, dtype=kind).to(device) for shape in ((length, batch, inputs), *[(batch, hidden)] * 4)
    )
    found = []
    for layer in (ours, theirs):
        leaves = [value.clone().requires_grad_() for value in (x, h, c)]
        if isinstance(layer, Recurrent):
            rows, state = layer(leaves[0], {("h", 0): leaves[1], ("C", 0): leaves[2]})
            last = state["C", 0]
        else:
            rows, last = layer(*leaves)
        ((rows * w).sum() + (last * v).sum()).backward()
        found.append([rows.detach(), last.detach(), *(leaf.grad for leaf in leaves)])
    ours_weights = {key: value.grad for key, value in ours.cell.weights.items()}
    for letter, weight in (("W", theirs.cell.weight_hh), ("U", theirs.cell.weight_ih), ("b", theirs.cell.bias_ih)):
        found[0].append(torch.cat([ours_weights[f"{letter}_{gate}"] for gate in TORCH_ORDER]))
        found[1].append(weight.grad)
    names = ("h", "C", "∂x", "∂h_0", "∂C_0", "∂W", "∂U", "∂b")
    return {name: _away(a, b) for name, a, b in zip(names, *found, strict=True)}


def _away(a: Tensor | None, b: Tensor | None) -> float:
    if a is None or b is None:
        return float("inf")
    return float((a - b).abs().max() / b.abs().max().clamp(min=1e-300 if b.dtype == torch.float64 else 1e-30))


class CellsJob(Job):
    """Ours and torch's, trained side by side."""

    model: nn.ModuleDict

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        dtype: torch.dtype = getattr(torch, settings.dtype)
        ours = Recurrent("lstm", 2, settings.hidden, settings.grad, settings.dtype)
        read = nn.Linear(settings.hidden, 1, dtype=dtype)
        again = nn.Linear(settings.hidden, 1, dtype=dtype)
        again.load_state_dict(read.state_dict())
        model = nn.ModuleDict({"ours": ours, "read": read, "torch": TorchLSTM(ours), "read_torch": again}).to(
            settings.device
        )
        weights = [value for value in model.parameters() if value.requires_grad]
        super().__init__(
            model, torch.optim.Adam(weights, lr=settings.learning_rate), _EPOCH, ("loss_torch", "difference")
        )
        self._dtype, self._last, self._worst = dtype, (0.0, 0.0), 0.0

    def loss(self, step: int) -> Loss:
        """The sum of both losses; the curve shows ours."""
        settings = self.settings
        x, y = sequences(settings.batch, _LENGTH, (settings.seed, 0, step), self._dtype, settings.device)
        mine = self.share.of(np.arange(settings.batch))
        x, y = x[:, mine], y[mine]
        ours, theirs = (
            (self.model[read](self.model[layer](x)[0][-1])[:, 0] - y).square().mean()
            for layer, read in (("ours", "read"), ("torch", "read_torch"))
        )
        first, second = self.share.means((float(ours.detach()), float(theirs.detach())), over=len(y))
        self._last = first, second
        self._worst = max(self._worst, abs(self._last[0] - self._last[1]) / max(abs(self._last[1]), 1e-300))
        return Loss(ours + theirs, float(ours.detach()), over=len(y))

    def split(self, share: Share) -> None:
        self.share = share

    def measure(self, step: int) -> Mapping[str, Cell]:
        return {"loss_torch": self._last[1], "difference": self._worst}

    def state(self) -> dict[str, Any]:
        return {"worst": self._worst, "last": [*self._last]}

    def restore(self, state: dict[str, Any]) -> None:
        self._worst, self._last = state["worst"], (state["last"][0], state["last"][1])

    def _differences(self, shape: tuple[int, int, int, int]) -> dict[str, float]:
        return differences(*shape, self.settings.grad, self.settings.dtype, self.settings.device)

    def results(self) -> Results:
        torch.manual_seed(self.settings.seed)
        with torch.enable_grad():
            found = {shape: self._differences(shape) for shape in _SHAPES}
        names = [*next(iter(found.values()))]
        rows: list[list[Cell]] = [[*map(str, shape), *values.values()] for shape, values in found.items()]
        table = Table(
            "Largest differences from nn.LSTMCell, relative to the largest entry",
            ("T", "B", "d", "n", *names),
            rows,
            "h and C are values, ∂ are gradients of a random linear function of all h and of the last C.",
        )
        numbers = {
            "largest difference of a value or a gradient": max(max(values.values()) for values in found.values()),
            "largest relative difference of the loss curves": self._worst,
            "last loss": self._last[0],
            "last loss with nn.LSTMCell": self._last[1],
        }
        return Results(numbers, (table,), key=tuple(numbers)[:2])


def prepare(settings: Settings, data: str | None, say: Say) -> CellsJob:
    """The job; its data are made, not fetched."""
    if settings.cell != "lstm":
        raise UsageError(f"--cell is {settings.cell!r}", expected="lstm, which is what nn.LSTMCell computes")
    return CellsJob(settings)


TASK = Task(
    name="lstm-cell",
    title="An LSTM cell of tensors beside nn.LSTMCell",
    settings=Settings(
        task="lstm-cell", epochs=20, batch=32, learning_rate=0.01, hidden=32, cell="lstm", dtype="float64"
    ),
    epoch=f"{_EPOCH} batches of new sequences of the adding problem, {_LENGTH} steps long",
    loss="mean squared error of the cell of tensors",
    prepare=prepare,
)

__all__ = ["TASK", "CellsJob", "TorchLSTM", "differences", "stacked"]
