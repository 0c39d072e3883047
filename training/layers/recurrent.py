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
from training.layers.equations import read_off, run_equations, starting_value
from training.layers.stretches import kept_name, why_whole, with_inputs_kept, without_starting_values
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
    UsageError : the cell reads what a state cannot hand on (the future, the number of a step), has not exactly one input that is a
                 vector, or its loss reads no quantity.
    """

    def __init__(self, name: str, inputs: int, hidden: int, grad: str = "autograd", dtype: str = "float32") -> None:
        super().__init__()
        if grad not in GRADS:
            raise UsageError(f"there are no gradients called {grad!r}", expected=f"one of {', '.join(GRADS)}")
        system = cell_of(name)
        self.grad = grad
        system = with_inputs_kept(system)
        self.sizes, weights = _sizes(system, inputs, hidden)
        self.cell = _module(system, weights, dtype)
        self.output = self.cell.outputs[0]
        (self.width,) = self.cell.signature.numbers(self.output, self.sizes) or (1,)
        self._kept = {kept_name(key) for key in system.inputs}
        self._starts = [(start.name, int(start.time)) for start in system.starts]
        self._given = {(start.name, int(start.time)): start in system.initial for start in system.starts}
        # In a tuple, so that torch does not take its weights for weights of this module.
        self._later = (_going_on(system, inputs, hidden, dtype),) if system.initial else ()
        self._step: Step | None = CELLS.get(name)

    @property
    def states(self) -> list[tuple[str, int]]:
        """The joint state: quantities of the cell that the next steps read, by name and time. Inputs that are kept are none of them."""
        return [key for key in self._starts if key[0] not in self._kept]

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Outputs (T, B, m), and what the next stretch of the sequence goes on from.

        Parameters
        ----------
        state : what the stretch before ended with; None at the beginning of a sequence.
        """
        cell = self._cell_from(state)
        starts = self._begun(x, state)
        if self.grad == "derived":
            (name,) = cell.cell.inputs
            given = {_start_name(key): value for key, value in starts.items()}
            found: Mapping[str, Tensor] = cell({name: x}, initial_state=given).states
        elif self._step is not None:
            found = self._stepped(self._step, x, starts)
        else:
            found = run_equations(cell.cell, self.sizes, self._weights, x, starts, cell.outputs)
        return found[self.output], {key: self._reached(found[key[0]], x, starts, key) for key in self._starts}

    def read_off(self, x: Tensor, before: State | None, after: State) -> Tensor:
        """The output (B, m) of a step x (B, d) as a function of the joint state in which it ends."""
        if (self.output, 0) in after:
            return after[self.output, 0]
        starts = self._begun(x[None], before)
        return read_off(self._cell_from(before).cell, self.sizes, self._weights, x, starts, after, self.output)

    def _cell_from(self, state: State | None) -> Module:
        """The cell at the beginning of a sequence, or the one that starts from what it is given."""
        if state is None or not self._later:
            return self.cell
        (later,) = self._later
        later.weights = nn.ParameterDict({name: self.cell.weights[name] for name in later.weights})
        return later

    @property
    def _weights(self) -> dict[str, Tensor]:
        return dict(self.cell.weights.items())

    def _begun(self, x: Tensor, state: State | None) -> dict[tuple[str, int], Tensor]:
        """What a stretch is given: zeros at the beginning, where the equations say nothing."""
        if state is None:
            return {key: self._zeros(key[0], x) for key in self._starts if not self._given[key]}
        return {key: state[key] if key in state else self._zeros(key[0], x) for key in self._starts}

    def _reached(self, rows: Tensor, x: Tensor, starts: State, key: tuple[str, int]) -> Tensor:
        """The value of a quantity ``-at`` steps before the end, which may lie before the beginning."""
        name, at = key
        place = rows.shape[0] - 1 + at
        if place >= 0:
            return rows[place]
        start = name, place + 1
        if start in starts:
            return starts[start]
        value = starting_value(self.cell.cell, self.sizes, self._weights, x, start)
        return value.reshape(self.cell.signature.numbers(name, self.sizes)).expand(x.shape[1], *rows.shape[2:])

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
    """The cell that ``--cell`` names, of which a layer can be made.

    Raises
    ------
    UsageError : there is none of that name, or it is none for a layer (see :class:`Recurrent`); and all that reading a cell can raise.
    """
    if "=" in name or "\n" in name or name in library() or is_file_name(name):
        found = cell(name)
        _check(found, name)
        return found
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
    else:
        problem = why_whole(system)
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


def _going_on(system: Cell, inputs: int, hidden: int, dtype: str) -> Module:
    """The cell that starts from what it is given; its weights are those of the other one, so none are drawn for it."""
    later = without_starting_values(system)
    with torch.random.fork_rng(devices=[]):
        return _module(later, _sizes(later, inputs, hidden)[1], dtype)


def _module(system: Cell, sizes: Mapping[str, int], dtype: str) -> Module:
    """A module that gives what the loss reads, and all that is handed on."""
    made = Module(system, sizes, dtype=dtype)
    made.outputs = tuple(dict.fromkeys((*made.outputs[:1], *(start.name for start in system.starts))))
    return made


__all__ = ["GRADS", "Recurrent", "State", "cell_of"]
