"""A cell as a module of PyTorch, whose gradients are the derived ones instead of autograd's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from derive.errors import DataError, UsageError
from derive.notation.names import alias_of
from derive.system import RecurrentSystem
from numeric.arguments import Signature, bind
from numeric.backends.choose import backend
from numeric.backends.torch_arrays import TorchArrays
from numeric.draws import within
from numeric.lengths import Lengths, Masked
from numeric.lower import abstract_arguments, timed_quantities
from numeric.named import ByName
from numeric.passes import PASSES
from numeric.trees import Tree
from numeric.variant import Forward, Variant

Given = Mapping[str, Any] | None


class Output(NamedTuple):
    """What a module gives.

    Parameters
    ----------
    loss   : the loss, summed over the batch; None where the cell's loss is abstract.
    states : every quantity over t = 1 .. T, by name; those that were asked for as outputs carry gradients.
    """

    loss: torch.Tensor | None
    states: Mapping[str, torch.Tensor]


class Module(torch.nn.Module):
    """A cell over a whole sequence, to be trained like ``torch.nn.LSTM``.

    Parameters
    ----------
    cell    : the cell.
    sizes   : a number for every size in the shape of a parameter, as ``{"n": 64, "d": 8}``.
    outputs : quantities through which gradients come back; without them, what an abstract loss reads, and the loss.
    targets : quantities without time that come with the data instead of being trained; labels always do.
    dtype   : ``float32`` or ``float64``.

    Parameters of the cell are in ``weights``, by their names in plain letters. Matrices begin uniform in ±1/√columns, vectors and
    numbers in ±1/√length; what the cell gives a range begins inside it. Under ``torch.autocast`` both passes of the cell run in the type
    of its weights all the same; what stands around it is shortened.

    Raises
    ------
    DataError        : a size is missing or no positive integer.
    UnknownNameError : an output or a target is no quantity of the cell.
    UsageError       : an output is none that the cell defines for every t; or there is no such type.

    >>> import torch, bptt
    >>> gru = bptt.Module(bptt.cell("gru"), {"n": 4, "d": 3})
    >>> h = gru({"x": torch.ones(5, 2, 3)}).states["h"]
    >>> h.square().sum().backward()
    >>> h.shape, gru.weights["W_r"].grad.shape
    (torch.Size([5, 2, 4]), torch.Size([4, 4]))
    """

    def __init__(
        self,
        cell: RecurrentSystem,
        sizes: Mapping[str, int],
        outputs: Iterable[str] | None = None,
        targets: Iterable[str] = (),
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        if not isinstance(cell, RecurrentSystem):
            raise UsageError(f"{cell!r} is no cell", hint="bptt.cell(...) makes one")
        self.cell = cell
        self.outputs = abstract_arguments(cell) if outputs is None else timed_quantities(cell, outputs, "outputs")
        self.signature = Signature(cell)
        self.sizes = _checked(self.signature, sizes)
        self.dtype = dtype
        arrays = backend("torch", dtype).arrays
        self.weights = torch.nn.ParameterDict()
        self._keys: dict[str, str] = {}
        aims = [cell.resolve_name(name) for name in ((targets,) if isinstance(targets, str) else targets)]
        problem = next((key for key in aims if key not in cell.parameters), None)
        if problem is not None:
            raise UsageError(
                f"{problem} is no target", expected="quantities without time that the cell does not define"
            )
        given = {*cell.labels, *aims}
        for key in (key for key in cell.parameters if key not in given):
            shape = self.signature.numbers(key, self.sizes)
            self._keys[alias_of(key)] = key
            self.weights[alias_of(key)] = torch.nn.Parameter(arrays.zeros(shape))
        self._variants: dict[tuple[tuple[str, ...], bool], Variant] = {}
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for name, weight in self.weights.items():
            reach = 1.0 / max(1, weight.shape[-1] if weight.ndim else 1) ** 0.5
            values = weight.uniform_(-reach, reach)
            limits = self.cell.text.ranges.get(self._keys[name])
            if limits is not None:
                weight.copy_(torch.as_tensor(within(values.cpu().numpy(), limits)))

    def forward(
        self,
        inputs: Given = None,
        initial_state: Given = None,
        targets: Given = None,
        length: int | None = None,
        tree: Tree | Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
    ) -> Output:
        """Loss and states; arguments as those of a compiled cell, ``lengths`` for sequences of different lengths included.

        Raises
        ------
        DataError : a name is missing or unknown, or a shape or a type does not fit; one message for all of them.
        """
        params = {self._keys[name]: weight for name, weight in self.weights.items()}
        arrays = self._arrays()
        given = bind(self.signature, arrays, params, inputs, initial_state, None, targets, length, tree)
        masked = None if lengths is None else self._ends.arguments(given, lengths)
        if masked is not None:
            given = masked.given
        variant = self._variant(tuple(sorted(given.own)), masked is not None)
        groups = {"params": params, "inputs": inputs, "initial_state": initial_state, "targets": targets}
        found = dict(self._differentiated(groups))
        if masked is not None:  # what lies beyond the ends gets no gradient
            found = {place: self._cut(masked, place, value) for place, value in found.items()}
        states: dict[str, torch.Tensor] = {}
        values = _Run.apply(variant, given, tuple(found), states, *found.values())  # type: ignore[no-untyped-call]
        loss = None if variant.program.loss is None else values[0]
        states |= dict(zip(self.outputs, values[1:], strict=True))
        if masked is not None:
            states = masked.cut(states, states)
        return Output(loss, ByName(self.cell, states))

    @cached_property
    def _ends(self) -> Lengths:
        """The cell for sequences of different lengths."""
        return Lengths(self.cell)

    def _variant(self, own: tuple[str, ...], masked: bool) -> Variant:
        if (own, masked) not in self._variants:
            cell, without = (self._ends.system, self._ends.names) if masked else (self.cell, frozenset())
            library = self._arrays().library
            made = Variant(cell, library, tuple(PASSES), self.outputs, own, weighted=True, constant=without)
            self._variants[own, masked] = made
        return self._variants[own, masked]

    def _cut(self, masked: Masked, place: tuple[str, str], value: torch.Tensor) -> torch.Tensor:
        key, at = place
        return value if at or key not in self.cell.inputs else masked.cut({key: value}, [key])[key]

    def _arrays(self) -> TorchArrays:
        """Tensors of the type that the weights have: a module may be converted after it was made."""
        weight = next(iter(self.weights.values()), None)
        return TorchArrays(self.dtype if weight is None else str(weight.dtype).removeprefix("torch."))

    def _differentiated(self, groups: Mapping[str, Given]) -> Iterable[tuple[tuple[str, str], torch.Tensor]]:
        """The tensors to which gradients go, by parameter, input, or starting value with its place."""
        starts = {name: start for start, name in self.signature.start_names.items()}
        for group, given in groups.items():
            for name, value in (given or {}).items():
                key = self.signature.key_of(group, name)
                if isinstance(value, torch.Tensor) and value.requires_grad and key is not None:
                    start = starts.get(key) if group == "initial_state" else None
                    yield (key, "") if start is None else (start.name, str(start.time)), value

    def extra_repr(self) -> str:
        """The cell and its sizes."""
        return ", ".join([self.cell.title or "cell", *(f"{name}={size}" for name, size in self.sizes.items())])


class _Run(torch.autograd.Function):
    """Both passes. The loss comes first, then the outputs; all other states are put where the caller finds them."""

    @staticmethod
    def forward(
        ctx: Any, variant: Variant, given: Any, places: tuple[Any, ...], states: dict[str, Any], *tensors: Any
    ) -> Any:
        with _as_written(given):
            run = variant.forward(given)
            states.update(variant.states(run))
        ctx.variant, ctx.run, ctx.places = variant, run, places
        ctx.save_for_backward(*tensors)  # so that what is changed before the backward pass is noticed
        ctx.set_materialize_grads(False)
        loss = given.kind.zeros(()) if run.loss is None else run.loss.clone()
        return loss, *(states[key].clone() for key in variant.cotangents)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weight: Any, *cotangents: Any) -> Any:
        run: Forward = ctx.run
        given, variant = run.given, ctx.variant
        passed = {}
        for key, cotangent in zip(variant.cotangents, cotangents, strict=True):
            shape = (given.length, given.batch, *given.signature.numbers(key, given.sizes))
            passed[key] = given.kind.zeros(shape) if cotangent is None else cotangent.reshape(shape)
        with _as_written(given):
            found = variant.gradients(run, passed, given.kind.zeros(()) if weight is None else weight)
        wanted = zip(ctx.places, ctx.saved_tensors, strict=True)
        return None, None, None, None, *(found[place].to(tensor) for place, tensor in wanted)


def _as_written(given: Any) -> AbstractContextManager[Any]:
    """No ``torch.autocast``: it would shorten some operations of a recursion and not others, in one pass and not in the other."""
    device = given.kind.device.type
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def _checked(signature: Signature, sizes: Mapping[str, int]) -> dict[str, int]:
    """All sizes of parameters, in numbers."""
    if not isinstance(sizes, Mapping):
        raise DataError(f"sizes are {sizes!r}; expected a mapping from names to numbers")
    wanted = sorted(
        {str(s) for key in signature.system.parameters for a in signature.bodies[key] for s in a.free_symbols}
    )
    problems = [f"the size {name} is missing" for name in wanted if name not in sizes]
    problems += [
        f"{name} is {number!r}; expected a positive integer"
        for name, number in sizes.items()
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 1
    ]
    problems += [f"there is no size {name}; the cell has {', '.join(wanted)}" for name in sizes if name not in wanted]
    if problems:
        raise DataError("; ".join(problems))
    return {name: int(sizes[name]) for name in wanted}


__all__ = ["Module", "Output"]
