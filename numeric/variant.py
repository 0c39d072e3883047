"""The two passes of a compiled cell for certain cotangents, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from derive.system import RecurrentSystem
from numeric.arguments import Arguments
from numeric.arrays.library import Library
from numeric.arrays.module import Passes, Writer
from numeric.lower import LOSS, WEIGHT, cotangent_key, lower
from numeric.passes import run_passes
from numeric.stages import program

Array = Any
Index = tuple[Any, ...]


@dataclass(frozen=True)
class Forward:
    """A forward pass: its arguments, what it kept, and the loss where there is one."""

    given: Arguments
    arrays: Mapping[str, Array]
    kept: Mapping[str, Array]
    loss: Array | None


class Variant:
    """Both passes as functions.

    Parameters
    ----------
    cotangents : quantities whose cotangents will be given.
    own        : quantities without time of which every sequence has its own.
    weighted   : whether the loss has a weight, which is then given to :meth:`gradients`.
    constant   : parameters and inputs without gradients.
    make       : makes both passes; the generated module, if nothing else does.
    """

    def __init__(
        self,
        system: RecurrentSystem,
        library: Library,
        passes: tuple[str, ...],
        cotangents: tuple[str, ...] = (),
        own: tuple[str, ...] = (),
        weighted: bool = False,
        constant: Iterable[str] = (),
        make: Callable[[Writer], Passes] | None = None,
    ) -> None:
        self.system = system
        self.cotangents = cotangents
        equations = run_passes(lower(system, cotangents, own, weighted, constant), passes)
        self.program = program(equations)
        self.writer = Writer(equations, self.program, library)
        self.passes = (make or Writer.passes)(self.writer)
        self._parameters, self._inputs = frozenset(system.parameters), frozenset(system.inputs)
        self._arguments = [
            (point, self.writer.argument(*point), self.program.storages[target.name])
            for point, target in self.program.gradients.items()
        ]

    def forward(self, given: Arguments) -> Forward:
        """The forward pass."""
        arrays = given.arrays(self.writer)
        with given.kind.quietly():
            kept = self.passes.forward(*_size(given), arrays)
        return Forward(given, arrays, kept, None if self.program.loss is None else kept[LOSS])

    def states(self, run: Forward) -> dict[str, Array]:
        """Every quantity with a time, over t = 1 .. T."""
        return {key: run.kept[called][rows] for key, called, rows in self.state_places(run.given)}

    def state_places(self, given: Arguments) -> Iterator[tuple[str, str, Index]]:
        """For every quantity with a time what the module calls it, and where in that array its times are."""
        batch: Index = () if given.batched else (0,)
        for q in self.system.equations:
            if self.system.is_timed(q.key):
                before = self.program.storages[q.key].before
                yield q.key, self.writer.called(q.key), (slice(before, before + given.length), *batch)

    def rows(self, key: str, run: Forward) -> Array:
        """A quantity over t = 1 .. T, with the batch."""
        before = self.program.storages[key].before
        return run.kept[self.writer.called(key)][before : before + run.given.length]

    def gradients(
        self, run: Forward, cotangents: Mapping[str, Array] | None = None, weight: Array | None = None
    ) -> dict[tuple[str, str], Array]:
        """The gradients by parameters, inputs and starting values, which have a place.

        Parameters
        ----------
        cotangents : those that were not among the arguments, with time and batch.
        """
        arrays = dict(run.arrays)
        for key, value in (cotangents or {}).items():
            arrays[self.writer.called(cotangent_key(key))] = value
        if weight is not None:
            arrays[self.writer.called(WEIGHT)] = weight
        with run.given.kind.quietly():
            found = self.passes.backward(*_size(run.given), arrays, run.kept)
        return dict(self._gradients(found, run.given))

    def adjoints(self, run: Forward) -> Iterator[tuple[str, Array]]:
        """What the backward pass keeps for every time, over t = 1 .. T with the batch; computed anew."""
        backward = self.writer.passes(adjoints=True).backward
        with run.given.kind.quietly():
            found = backward(*_size(run.given), run.arrays, run.kept)
        for label, value in found.items():
            if label.startswith("adjoint "):
                key = label.removeprefix("adjoint ")
                before = self.program.storages[key].before
                yield key, value[before : before + run.given.length]

    def _gradients(self, found: Mapping[str, Array], given: Arguments) -> Iterator[tuple[tuple[str, str], Array]]:
        for point, argument, where in self.gradient_places(given):
            yield point, given.kind.numbers(found[argument])[where]

    def gradient_places(self, given: Arguments) -> Iterator[tuple[tuple[str, str], str, Index]]:
        """For every gradient what the module calls it, and where in that array it is."""
        for (key, place), argument, storage in self._arguments:
            summed = not place and key in self._parameters and key not in given.own
            timed = not place and key in self._inputs
            rows = slice(storage.before, storage.before + given.length) if storage.timed else slice(None)
            if summed or given.batched:
                yield (key, place), argument, (rows,) if storage.timed else (...,)
            else:
                yield (key, place), argument, (rows, 0) if timed else (0,)


def _size(given: Arguments) -> tuple[Any, ...]:
    return given.length, given.batch, given.sizes, given.kind.making()


__all__ = ["Forward", "Index", "Variant"]
