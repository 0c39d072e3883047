"""What a drawing of a recurrent network shows: which quantities, which of them read which, and what the derivative
along one line is called.

Gates and other intermediate quantities are not shown: a state that reads another through a gate reads it. The
derivative *along a line* is not always the total derivative between its ends, because influence may also take another
way. Its name is exact:

- ``∂a/∂b`` where the line is the only way from b to a,
- ``∂⁺a/∂b`` where the other ways lead through other time steps, which ∂⁺ holds fixed,
- ``(∂a/∂b)_c`` where another way leads through c in a's own step: c is held fixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from derive import expressions as e
from derive.errors import UsageError
from derive.notation import surface as s
from derive.system import RecurrentSystem, leaves

Point = tuple[str, int]
"""A quantity at an offset from a step."""


@dataclass(frozen=True)
class Link:
    """``target`` at a step reads ``source`` at that step plus ``offset``."""

    source: str
    target: str
    offset: int


@dataclass(frozen=True)
class NetworkGraph:
    """States from the first computed to the last, outputs that the loss reads, inputs, the loss, and who reads whom.

    ``loss`` is empty if there is none; ``final`` says that the loss reads the last step only, ``first`` at which time
    its sum starts.
    """

    states: tuple[str, ...]
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    loss: str
    final: bool
    links: tuple[Link, ...]
    first: int = 1

    def derivative(
        self, link: Link, target: s.Surface, source: s.Surface, held: tuple[s.Surface, ...] = ()
    ) -> s.Surface:
        """The name of the derivative along a link, given the names of its ends and of what is :meth:`held`."""
        sign: s.Surface = s.Mark("partial")
        above = s.Scripted(sign, sups=(s.Mark("+"),)) if self.passes_other_steps(link) else sign
        fraction = s.Fraction(s.Sequence((above, target)), s.Sequence((sign, source)))
        return s.Scripted(s.Bracket("(", (fraction,)), subs=held) if held else fraction

    def held(self, link: Link) -> tuple[str, ...]:
        """Quantities of the target's own step through which the source reaches the target as well."""
        reached = self._reached_from((link.source, link.offset), first_steps=(0,), steps=(0,), besides=link.target)
        return tuple(
            other.source
            for other in self.links
            if other.target == link.target and other.offset == 0 and (other.source, 0) in reached
        )

    def passes_other_steps(self, link: Link) -> bool:
        """Whether the source also reaches the target through a quantity of another step."""
        steps = range(min(0, link.offset), max(0, link.offset) + 1)
        others = tuple(step for step in steps if step != 0)
        return (link.target, 0) in self._reached_from((link.source, link.offset), first_steps=others, steps=steps)

    def _readers(self, point: Point, step: int) -> list[Point]:
        """Quantities of a step that read a point."""
        return [
            (link.target, step)
            for link in self.links
            if (link.source, step + link.offset) == point and link.target != self.loss
        ]

    def _reached_from(
        self, start: Point, first_steps: Iterable[int], steps: Iterable[int], besides: str = ""
    ) -> set[Point]:
        """Where influence flows from ``start`` when it first moves into one of ``first_steps`` (not to ``besides``) and
        then within ``steps``.
        """
        found: set[Point] = set()
        stack = [point for step in first_steps for point in self._readers(start, step) if point[0] != besides]
        while stack:
            point = stack.pop()
            if point not in found:
                found.add(point)
                stack += [reader for step in steps for reader in self._readers(point, step)]
        return found


def network_graph(system: RecurrentSystem) -> NetworkGraph:
    """The graph of a system.

    Raises
    ------
    UsageError : nothing in the system depends on another time.
    """
    if not system.states:
        raise UsageError(
            "the equations have no state, so there is nothing to unroll",
            expected="a cell that reads a quantity of another step",
        )
    order = [equation.key for equation in system.steps]
    read = {leaf.name for term in system.loss_terms for leaf in leaves(term.body) if isinstance(leaf, e.Timed)}
    states = tuple(sorted(system.states, key=order.index))
    outputs = tuple(key for key in order if key in read and key not in states)
    shown = {*states, *outputs}
    links = [
        Link(key, target, offset) for target in (*states, *outputs) for key, offset in _reads(system, target, shown)
    ]
    if _is_drawn(system):
        links += [Link(key, system.loss_name, offset) for key, offset in _loss_reads(system, shown)]
    inputs = tuple(key for key in system.inputs if any(link.source == key for link in links))
    loss = system.loss_name if any(link.target == system.loss_name for link in links) else ""
    final = bool(system.loss_terms) and all(term.final for term in system.loss_terms)
    first = min((int(term.lower) for term in system.loss_terms if not term.final and term.lower.is_Integer), default=1)
    return NetworkGraph(states, outputs, inputs, loss, final, tuple(dict.fromkeys(links)), first)


def _reads(system: RecurrentSystem, target: str, shown: set[str]) -> Iterator[Point]:
    """What a quantity reads, through quantities that are not shown."""
    seen: set[Point] = set()
    stack: list[Point] = [(target, 0)]
    while stack:
        key, step = stack.pop()
        for leaf in leaves(system.definitions[key].rhs):
            if not isinstance(leaf, e.Timed):
                continue
            point = (leaf.name, step + int(leaf.time - system.time))
            if point in seen or point[0] in system.labels:
                continue
            seen.add(point)
            if point[0] in shown or point[0] not in system.definitions:
                yield point
            else:
                stack.append(point)


def _is_drawn(system: RecurrentSystem) -> bool:
    """Whether the loss has a place in the drawing: it looks at quantities of its own step, and not at several steps or at
    what has no time.
    """
    read = [leaf for term in system.loss_terms for leaf in leaves(term.body)]
    without_time = any(isinstance(leaf, e.Var) and leaf.name in system.definitions for leaf in read)
    return not without_time and all(leaf.time == system.time for leaf in read if isinstance(leaf, e.Timed))


def _loss_reads(system: RecurrentSystem, shown: set[str]) -> Iterator[Point]:
    """What the loss reads of one step, targets aside."""
    for term in system.loss_terms:
        for leaf in leaves(term.body):
            if isinstance(leaf, e.Timed) and leaf.name in shown:
                yield leaf.name, int(leaf.time - system.time)
