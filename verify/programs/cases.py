"""The random cases on which a function is tried: one sequence, or a batch of them with the same parameters.

The loss of a batch is the sum over its sequences, as that of a compiled cell is: so are the gradients by parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sympy import Integer

from derive.system import RecurrentSystem, T, leaves
from numeric.arguments import Signature
from numeric.draws import Draw, draw
from numeric.functions import Array
from verify.programs.naming import Target
from verify.programs.results import Point

LENGTHS = (3, 4, 1, 2, 7)
"""The lengths of the ordinary sequences."""
BATCH = 3
SCALE = 0.8
"""How large values are in ordinary cases."""
LARGEST = 4
"""The largest size of a vector, where the cell has few sizes."""


@dataclass(frozen=True, eq=False)
class Case:
    """Sequences on which a function is called once.

    Parameters
    ----------
    points : one a sequence.
    batch  : whether arrays have an axis for the sequences, behind the time.
    own    : quantities without a time of which each sequence has its own, as a label of the whole sequence.
    beyond : what sets it apart from the ordinary cases: ``length``, ``sizes``, ``scale``; empty for those.
    """

    system: RecurrentSystem
    points: tuple[Point, ...]
    batch: bool
    own: frozenset[str] = frozenset()
    beyond: str = ""

    @property
    def length(self) -> int:
        return self.points[0].length

    @property
    def sizes(self) -> str:
        """The sizes in words; empty where the cell has none."""
        return ", ".join(f"{name} = {size}" for name, size in sorted(self.points[0].drawn.sizes.items()) if name != "T")

    @property
    def said(self) -> str:
        """Its length in words, and its sizes where they are others than usual."""
        return f"T = {self.length}{f', {self.sizes}' if self.beyond == 'sizes' else ''}"

    def right(self, target: Target) -> Array | None:
        """What an array has to be."""
        return self.together(target, lambda point: point.right(target))

    def together(self, target: Target, value: Callable[[Point], Array | None]) -> Array | None:
        """The arrays of the sequences as one array of the batch."""
        parts = []
        for point in self.points:
            part = value(point)
            if part is None:
                return None
            parts.append(part)
        if not self.batch:
            return parts[0]
        if target.over_time(self.system):
            return np.stack(parts, axis=1)
        shared = target.kind in ("loss", "share") or target.key in self.system.parameters
        if shared and target.key not in self.own:
            return np.sum(parts, axis=0)
        return np.stack(parts)

    def changed(self, change: Callable[[Point], Point]) -> Case:
        """The same sequences in which something is computed in another way."""
        return replace(self, points=tuple(change(point) for point in self.points))


def targets_of(system: RecurrentSystem) -> frozenset[str]:
    """What only the loss reads: labels and other targets."""
    read = {leaf.name for q in system.steps for leaf in leaves(q.rhs)}
    read |= {leaf.name for value in system.initial.values() for leaf in leaves(value)}
    return frozenset(key for key in (*system.inputs, *system.parameters) if key not in read or key in system.labels)


def lengths_for(system: RecurrentSystem, length: int | None) -> tuple[int, ...]:
    """The lengths to try: those for which the cell is defined."""
    if length is not None:
        return (length, length)
    least = Signature(system).least
    return tuple(steps for steps in LENGTHS if steps >= least) or (least, least + 2)


@dataclass(frozen=True)
class Way:
    """How cases are drawn.

    Parameters
    ----------
    batch : whether there are several sequences.
    zero  : starting values, as they are written, that are zero.
    own   : quantities without a time of which each sequence has its own.
    """

    system: RecurrentSystem
    batch: bool
    zero: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()

    def case(
        self,
        seed: int,
        sizes: Mapping[str, int],
        scale: float = SCALE,
        altered: Callable[[Draw], Draw] = lambda drawn: drawn,
        beyond: str = "",
    ) -> Case:
        """A random case of given sizes, T among them."""
        first = draw(self.system, seed, largest=LARGEST, scale=scale, fixed=sizes)
        drawn = [first]
        drawn += [self._another(first, seed + 1000 * k, scale) for k in range(1, BATCH if self.batch else 1)]
        points = tuple(Point(self.system, altered(without(self.system, one, self.zero))) for one in drawn)
        return Case(self.system, points, self.batch, self.own, beyond)

    def _another(self, first: Draw, seed: int, scale: float) -> Draw:
        """Another sequence with the same parameters."""
        other = draw(self.system, seed, largest=LARGEST, scale=scale, fixed=first.sizes, tree=first.tree)
        shared = {key: value for key, value in first.given.items() if key[1] is None and key[0] not in self.own}
        return replace(other, given={**other.given, **shared})


def cases_for(way: Way, seed: int, lengths: Iterable[int]) -> list[Case]:
    """Ordinary cases, all of the same sizes, so that nothing but its length makes one unlike another."""
    found: list[Case] = []
    for number, steps in enumerate(lengths):
        sizes = found[0].points[0].drawn.sizes if found else {}
        found.append(way.case(seed + number, {**sizes, "T": steps}))
    return found


def without(system: RecurrentSystem, drawn: Draw, zero: frozenset[str]) -> Draw:
    """The same with some starting values at zero."""
    length = Integer(drawn.sizes["T"])
    points = {(start.name, int(start.time.xreplace({T: length}))) for start in system.starts if str(start) in zero}
    given = {point: np.zeros_like(value) if point in points else value for point, value in drawn.given.items()}
    return replace(drawn, given=given)


__all__ = ["BATCH", "SCALE", "Case", "Way", "cases_for", "lengths_for", "targets_of", "without"]
