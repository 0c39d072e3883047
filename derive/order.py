"""In which order the quantities of a system are computed: within a step, and from the first step to the last or from
the last to the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sympy.utilities.iterables import strongly_connected_components

from derive.cell_text import Equation
from derive.errors import CellError
from derive.expressions import Timed


@dataclass(frozen=True)
class Sweep:
    """Equations that need each other over time, in the order of a step: computed from step 1 to T, or (``backward``)
    from T to 1.

    The recurrence of a cell is one sweep. In a bidirectional cell each direction is one, and what reads both comes
    after both. A quantity without time (a product of parameters, a readout of the last state) is a sweep by itself,
    which takes no steps.
    """

    equations: tuple[Equation, ...]
    backward: bool

    @property
    def timed(self) -> bool:
        """Whether it takes steps."""
        return isinstance(self.equations[0].lhs, Timed)


def within_step(equations: Sequence[Equation], reads: Mapping[str, Iterable[str]]) -> tuple[Equation, ...]:
    """Definitions such that each comes after what it reads at the same time (``reads``); otherwise in the order
    written.

    Raises
    ------
    CellError : quantities need each other at the same time.
    """
    remaining = list(equations)
    defined = {q.key for q in equations}
    done: set[str] = set()
    ordered: list[Equation] = []
    while remaining:
        ready = next((q for q in remaining if all(key in done for key in reads[q.key] if key in defined)), None)
        if ready is None:
            names = ", ".join(q.key for q in remaining)
            raise CellError(
                f"the equations of {names} are circular: each needs another at the same time",
                span=remaining[0].span,
                expected="a quantity of the step before",
            )
        remaining.remove(ready)
        done.add(ready.key)
        ordered.append(ready)
    return tuple(ordered)


def sweeps(equations: Sequence[Equation], offsets: Mapping[tuple[str, str], frozenset[int]]) -> tuple[Sweep, ...]:
    """The sweeps that compute equations (given in the order of a step), each after those that it reads.

    ``offsets[user, key]`` are the distances in time at which ``user`` reads ``key``; none where one of them has no
    time.

    Raises
    ------
    CellError : quantities that need each other look both back and ahead, so that no order computes them.
    """
    position = {q.key: k for k, q in enumerate(equations)}
    edges = [pair for pair in offsets if pair[0] in position and pair[1] in position]
    result = []
    for group in strongly_connected_components((list(position), edges)):
        members = sorted(group, key=position.__getitem__)
        inside = {offset for user, key in edges if user in group and key in group for offset in offsets[user, key]}
        if min(inside, default=0) < 0 < max(inside, default=0):
            raise CellError(
                f"the steps of {' and '.join(members)} cannot be computed in any order: they need their own past and their own future",
                span=equations[position[members[0]]].span,
                expected="equations that look back or ahead, but not both in one loop",
            )
        result.append(Sweep(tuple(equations[position[key]] for key in members), max(inside, default=0) > 0))
    return tuple(result)
