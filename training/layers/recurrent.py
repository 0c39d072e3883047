"""One interface for a cell over a sequence, whatever gives its gradients.

>>> import torch
>>> both = [Recurrent("lstm", 3, 4, grad, "float64") for grad in ("autograd", "derived")]
>>> both[1].load_state_dict(both[0].state_dict())
<All keys matched successfully>
>>> x = torch.randn(5, 2, 3, dtype=torch.float64)
>>> for layer in both:
...     layer(x)[0].sum().backward()
>>> one, other = (layer.cell.weights["W_f"].grad for layer in both)
>>> torch.allclose(one, other)
True
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from sympy import Symbol
from torch import Tensor, nn

from derive.cell import Cell, cell, library
from derive.errors import UsageError, clipped
from derive.files import is_file_name
from numeric.backends.torch_module import Module
from training.layers.equations import run_equations
from training.layers.torch_cells import CELLS, Step

GRADS = ("autograd", "derived")
State = Mapping[tuple[str, int], Tensor]
"""What a sequence goes on from: (B, n) by quantity and time, 0 for the last step, -1 for the one before."""


class Recurrent(nn.Module):
    """A cell over a whole sequence: x (T, B, d) to outputs (T, B, m).

    Parameters
    ----------
    name   : of a cell of the library, a file, or the equations themselves.
    inputs : d.
    hidden : every other size of the cell.
    grad   : ``autograd`` (cells written with tensors where there is one, else its equations evaluated) or ``derived``.
    dtype  : ``float32`` or ``float64``.

    The output is what the cell's loss reads: h for an LSTM, y for a cell with a readout. Weights have the same names and the same first
    values both ways.

    Raises
    ------
    UsageError : the cell reads the future, has not exactly one input that is a vector, or its loss reads no quantity.
    """

    def __init__(self, name: str, inputs: int, hidden: int, grad: str = "autograd", dtype: str = "float32") -> None:
        super().__init__()
        if grad not in GRADS:
            raise UsageError(f"there are no gradients called {grad!r}", expected=f"one of {', '.join(GRADS)}")
        system = cell_of(name)
        _check(system, name)
        self.grad = grad
        self.sizes, weights = _sizes(system, inputs, hidden)
        self.cell = Module(system, weights, dtype=dtype)
        self.cell.outputs = tuple(dict.fromkeys((*self.cell.outputs[:1], *(start.name for start in system.starts))))
        self.output = self.cell.outputs[0]
        (self.width,) = self.cell.signature.numbers(self.output, self.sizes) or (1,)
        self._starts = [(start.name, int(start.time)) for start in system.starts if start not in system.initial]
        self._step: Step | None = CELLS.get(name)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Outputs (T, B, m), and what the next stretch of the sequence goes on from."""
        state = state or {}
        starts = {key: state[key] if key in state else self._zeros(key[0], x) for key in self._starts}
        if self.grad == "derived":
            (name,) = self.cell.cell.inputs
            given = {_start_name(key): value for key, value in starts.items()}
            found: Mapping[str, Tensor] = self.cell({name: x}, initial_state=given).states
        elif self._step is not None:
            found = self._stepped(self._step, x, starts)
        else:
            found = run_equations(
                self.cell.cell, self.cell.sizes, dict(self.cell.weights.items()), x, starts, self.cell.outputs
            )
        after = {(key, at): _reached(found[key], starts, key, at) for key, at in starts}
        return found[self.output], after

    def _stepped(self, step: Step, x: Tensor, starts: State) -> dict[str, Tensor]:
        """The cell that is written with tensors, step after step."""
        states: Mapping[str, Tensor] = {key: value for (key, _), value in starts.items()}
        rows: dict[str, list[Tensor]] = {key: [] for key in self.cell.outputs}
        weights = dict(self.cell.weights.items())
        for row in x:
            states = step(weights, row, states)
            for key in rows:
                rows[key].append(states[key])
        return {key: torch.stack(values) for key, values in rows.items()}

    def _zeros(self, key: str, x: Tensor) -> Tensor:
        return x.new_zeros((x.shape[1], *self.cell.signature.numbers(key, self.sizes)))


def cell_of(name: str) -> Cell:
    """The cell that ``--cell`` names.

    Raises
    ------
    UsageError : there is none of that name; and all that reading a cell can raise.
    """
    if "=" in name or "\n" in name or name in library() or is_file_name(name):
        return cell(name)
    raise UsageError(
        f"--cell: there is no cell {clipped(name, 100)!r} in the library, and no file of that name",
        expected="a name that 'bptt cells' lists, a file, or the equations themselves in quotes",
    )


def _check(system: Cell, name: str) -> None:
    shown = clipped(name, 60)
    problem = None
    if len(system.inputs) != 1 or system.tree is not None:
        problem = f"reads {', '.join(system.inputs) or 'no input'}" if system.tree is None else "runs over trees"
    elif len([size for size in system.shapes[system.inputs[0]] if size != 1]) != 1:
        problem = f"reads {system.inputs[0]}, which is no vector"
    elif any(sweep.backward for sweep in system.sweeps):
        problem = "reads the future"
    if problem is not None:
        raise UsageError(
            f"{shown!r} {problem}", expected="a cell that reads one vector at each step, such as rnn, gru or lstm"
        )


def _sizes(system: Cell, inputs: int, hidden: int) -> tuple[dict[str, int], dict[str, int]]:
    """d for the size of the input, n for all others; and those of the parameters alone."""
    (given,) = (size for size in system.shapes[system.inputs[0]] if size != 1)
    if not isinstance(given, Symbol) and int(given) != inputs:
        raise UsageError(f"the cell reads vectors of size {given}, the task has {inputs}")
    read = [key for key in system.parameters if key not in system.labels]
    every, weights = (
        {
            str(s): inputs if s == given else hidden
            for key in keys
            for size in system.shapes[key]
            for s in size.free_symbols
        }
        for keys in (system.shapes, read)
    )
    return every, weights


def _start_name(key: tuple[str, int]) -> str:
    name, time = key
    return f"{name}_0" if time == 0 else f"{name}_{{{time}}}"


def _reached(rows: Tensor, starts: State, key: str, at: int) -> Tensor:
    """The value ``-at`` steps before the end, which may lie before the beginning."""
    place = rows.shape[0] - 1 + at
    return rows[place] if place >= 0 else starts[key, place + 1]


__all__ = ["GRADS", "Recurrent", "State", "cell_of"]
