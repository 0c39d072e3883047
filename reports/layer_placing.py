"""Where the slots of layers stand: heights within a layer, so that lines are as straight as the room allows, and the
columns of the layers, wide enough for lines that climb.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from reports.drawing import Point
from reports.layering import Layers, Slot

_SWEEPS = 40
_TRUNK_REACH = 0.05
_BETWEEN = 0.2
_BETWEEN_TRUNKS = 0.14
_LEAST_GAP, _MOST_GAP, _SLOPE = 0.35, 1.3, 0.2
"""Space between two columns: at least, at most, and how much of the highest climb of a line."""
HEAD_ROOM = 0.24
"""The last part of the space, where lines are level: an arrow head needs it."""
_TRUNK = 4.0
"""How much heavier a line is where it only passes: a bend catches the eye there."""
_FIXED = 1e4


@dataclass(frozen=True)
class Reach:
    """How far what stands in a slot reaches from its centre."""

    left: float
    right: float
    up: float
    down: float


@dataclass(frozen=True)
class Places:
    """``at``: the centre of each slot; ``columns``: left and right end of each layer."""

    at: Mapping[Slot, Point]
    columns: tuple[tuple[float, float], ...]


def placed(
    layers: Layers,
    reaches: Sequence[Reach],
    weights: Mapping[tuple[int, int], float],
    spine: Sequence[int] = (),
    spread: float = 1.0,
) -> Places:
    """The places of all slots, given how far each vertex reaches and how much each edge wants to be level.

    ``spine`` is a way through the graph, all of which stands at the height 0; ``spread`` makes columns stand closer.
    """
    heights = _Heights(layers, reaches, weights, spine).found()
    columns: list[tuple[float, float]] = []
    centres = []
    x = 0.0
    for number, layer in enumerate(layers.order):
        own = [reaches[slot[0]] for slot in layer if not layers.is_trunk(slot)]
        left, right = max((r.left for r in own), default=0.0), max((r.right for r in own), default=0.0)
        columns.append((round(x, 3), round(x + left + right, 3)))
        centres.append(x + left)
        climbs = [abs(heights[a] - heights[b]) for a, b in layers.links if a[1] == number]
        x += left + right + HEAD_ROOM
        x += max(_LEAST_GAP, spread * min(_SLOPE * max(climbs, default=0.0), _MOST_GAP))
    at = {slot: (round(centres[slot[1]], 3), round(heights[slot], 3)) for layer in layers.order for slot in layer}
    return Places(at, tuple(columns))


class _Heights:
    """Heights (upward) that keep the order and the distances, with lines short and, where possible, level."""

    def __init__(
        self, layers: Layers, reaches: Sequence[Reach], weights: Mapping[tuple[int, int], float], spine: Sequence[int]
    ) -> None:
        self.layers = layers
        self.spine = {slot for a, b in pairwise(spine) for slot in layers.way(a, b)}
        self.gaps = [_distances(layers, layer, reaches) for layer in layers.order]
        self.beside: dict[Slot, list[tuple[Slot, float]]] = {slot: [] for layer in layers.order for slot in layer}
        on_way: dict[tuple[Slot, Slot], float] = {}
        for (a, b), weight in weights.items():
            for link in pairwise(layers.way(a, b)):
                on_way[link] = max(weight, on_way.get(link, 0.0))
        for first, second in layers.links:
            passing = layers.is_trunk(first) or layers.is_trunk(second)
            weight = on_way[first, second] * (_TRUNK if passing else 1.0)
            self.beside[first].append((second, weight))
            self.beside[second].append((first, weight))
        self.heights: dict[Slot, float] = {}

    def found(self) -> dict[Slot, float]:
        """From layers stacked around the middle, by sweeps in which every layer follows its neighbours."""
        for layer, apart in zip(self.layers.order, self.gaps, strict=True):
            y = sum(apart) / 2
            for slot, step in zip(layer, [*apart, 0.0], strict=True):
                self.heights[slot] = y
                y -= step
        count = len(self.layers.order)
        for sweep in range(_SWEEPS):
            for number in range(count) if sweep % 2 == 0 else reversed(range(count)):
                self._follow(number, level=sweep >= _SWEEPS // 2)
        for vertex in dict.fromkeys(slot[0] for slot in self.beside if self.layers.is_trunk(slot)):
            self._level_trunk(vertex)
        return self.heights

    def _level_trunk(self, vertex: int) -> None:
        """A trunk in as few level parts as there is room for, between what stands above and below it."""
        slots = [slot for layer in self.layers.order for slot in layer if slot[0] == vertex]
        _, *trunk = sorted(slots, key=lambda slot: slot[1])
        part: list[Slot] = []
        lowest, highest = -inf, inf
        for slot in trunk:
            low, high = self._room(slot)
            if part and (slot in self.spine or max(low, lowest) > min(high, highest)):
                self._set_level(part, lowest, highest)
                part, lowest, highest = [], -inf, inf
            if slot not in self.spine:
                part.append(slot)
                lowest, highest = max(low, lowest), min(high, highest)
        self._set_level(part, lowest, highest)

    def _set_level(self, part: Sequence[Slot], lowest: float, highest: float) -> None:
        """Slots of one trunk at one height: if it can be, that of where they lead to, or come from."""
        ends = [self.heights[other] for slot in part for other, _ in self.beside[slot] if other not in part]
        heights = [height for height in reversed(ends) if lowest <= height <= highest] or [
            min(max(sum(self.heights[slot] for slot in part) / max(len(part), 1), lowest), highest)
        ]
        self.heights.update((slot, heights[0]) for slot in part)

    def _room(self, slot: Slot) -> tuple[float, float]:
        """How low and how high a slot can stand while its neighbours in the layer stay."""
        layer, apart = self.layers.order[slot[1]], self.gaps[slot[1]]
        k = layer.index(slot)
        low = self.heights[layer[k + 1]] + apart[k] if k + 1 < len(layer) else -inf
        high = self.heights[layer[k - 1]] - apart[k - 1] if k > 0 else inf
        return low, high

    def _follow(self, number: int, level: bool) -> None:
        layer = self.layers.order[number]
        wishes, insistence = [], []
        for slot in layer:
            beside = [(self.heights[other], weight) for other, weight in self.beside[slot]]
            wishes.append(0.0 if slot in self.spine else _wish(beside, self.heights[slot], level))
            # What is light gives way to what is heavy, as good as altogether.
            heaviest = _FIXED if slot in self.spine else max((weight for _, weight in beside), default=0.1)
            insistence.append(heaviest**3)
        self.heights.update(zip(layer, _kept_apart(wishes, insistence, self.gaps[number]), strict=True))
        for slot in self.spine.intersection(layer):
            self.heights[slot] = 0.0


def _distances(layers: Layers, layer: Sequence[Slot], reaches: Sequence[Reach]) -> list[float]:
    """How far each slot's centre must stand below the one before."""
    found = []
    for a, b in pairwise(layer):
        trunks = layers.is_trunk(a) and layers.is_trunk(b)
        down = _TRUNK_REACH if layers.is_trunk(a) else reaches[a[0]].down
        up = _TRUNK_REACH if layers.is_trunk(b) else reaches[b[0]].up
        found.append(down + up + (_BETWEEN_TRUNKS if trunks else _BETWEEN))
    return found


def _wish(beside: list[tuple[float, float]], now: float, level: bool) -> float:
    """Where a slot would stand if it were alone: at the average of its neighbours, or at the middle one, where a line is
    level.
    """
    if not beside:
        return now
    total = sum(weight for _, weight in beside)
    if not level:
        return sum(height * weight for height, weight in beside) / total
    reached = 0.0
    for height, weight in sorted(beside):
        reached += weight
        if abs(reached - total / 2) < 1e-9:
            # Between two middle ones everything is as good: stay as close as possible to where it is.
            above = min((other for other, _ in beside if other > height), default=height)
            return min(max(now, height), above)
        if reached > total / 2:
            return height
    return now


def _kept_apart(wishes: list[float], weights: list[float], apart: list[float]) -> list[float]:
    """Heights as close to the wishes as the order and the distances allow (in the sense of least squares).

    >>> _kept_apart([0.0, 0.0], [1.0, 1.0], [2.0])
    [1.0, -1.0]
    """
    offsets = [0.0]
    for step in apart:
        offsets.append(offsets[-1] + step)
    blocks: list[list[float]] = []  # value, weight, members
    for wish, weight, offset in zip(wishes, weights, offsets, strict=True):
        blocks.append([wish + offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            value, heft, members = blocks.pop()
            before = blocks[-1]
            before[0] = (before[0] * before[1] + value * heft) / (before[1] + heft)
            before[1] += heft
            before[2] += members
    values = [value for value, _, members in blocks for _ in range(int(members))]
    return [value - offset for value, offset in zip(values, offsets, strict=True)]
