"""Layers of an acyclic graph: which vertex stands in which layer, and in what order within it, so that few lines cross.

What a vertex gives is carried to the layers of its readers by one trunk: in every layer in between it has a slot of its
own, so that lines pass between vertices and never through one. All of it is deterministic: the same graph is always
drawn in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

Slot = tuple[int, int]
"""A vertex and a layer: the vertex itself in its own layer, its trunk in later ones."""

_SWEEPS = 16


@dataclass(frozen=True)
class Layers:
    """``order``: the slots of each layer from top to bottom; ``home``: the layer of each vertex; ``links``: which slots
    of neighbouring layers are joined.
    """

    order: tuple[tuple[Slot, ...], ...]
    home: tuple[int, ...]
    links: tuple[tuple[Slot, Slot], ...]

    def is_trunk(self, slot: Slot) -> bool:
        """Whether only a line passes here."""
        return self.home[slot[0]] != slot[1]

    def way(self, a: int, b: int) -> list[Slot]:
        """The slots from one vertex to another that reads it."""
        return [*((a, layer) for layer in range(self.home[a], self.home[b])), (b, self.home[b])]

    @property
    def crossings(self) -> int:
        """How often two lines cross."""
        return _crossings([list(layer) for layer in self.order], self.links)


def layered(count: int, edges: Sequence[tuple[int, int]], early: Collection[int]) -> Layers:
    """Layers of the vertices 0 .. count - 1.

    Vertices in ``early`` stand as far to the left as their operands allow, all others as close to their readers as they
    can.

    >>> layers = layered(4, [(0, 2), (1, 2), (2, 3), (0, 3)], early=[2, 3])
    >>> layers.home, layers.order[1]
    ((0, 0, 1, 2), ((2, 1), (0, 1)))
    """
    home = _homes(count, edges, early)
    links = _links(edges, home)
    order: list[list[Slot]] = [[] for _ in range(max(home, default=-1) + 1)]
    for slot in dict.fromkeys([*((v, home[v]) for v in range(count)), *(end for link in links for end in link)]):
        order[slot[1]].append(slot)
    return Layers(tuple(map(tuple, _untangled(order, links))), home, links)


def _homes(count: int, edges: Sequence[tuple[int, int]], early: Collection[int]) -> tuple[int, ...]:
    operands: list[list[int]] = [[] for _ in range(count)]
    readers: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        operands[b].append(a)
        readers[a].append(b)
    home = [-1] * count
    sequence = _topological(operands, readers)
    for v in sequence:
        home[v] = 1 + max((home[a] for a in operands[v]), default=-1)
    for v in reversed(sequence):
        if v not in early and readers[v]:
            home[v] = min(home[b] for b in readers[v]) - 1
    return tuple(home)


def _topological(operands: list[list[int]], readers: list[list[int]]) -> list[int]:
    missing = [len(set(found)) for found in operands]
    found = [v for v, number in enumerate(missing) if number == 0]
    for v in found:
        for reader in dict.fromkeys(readers[v]):
            missing[reader] -= 1
            if missing[reader] == 0:
                found.append(reader)
    return found


def _links(edges: Sequence[tuple[int, int]], home: tuple[int, ...]) -> tuple[tuple[Slot, Slot], ...]:
    found: dict[tuple[Slot, Slot], None] = {}
    for a, b in edges:
        for layer in range(home[a], home[b]):
            end = (b, home[b]) if layer + 1 == home[b] else (a, layer + 1)
            found.setdefault(((a, layer), end))
    return tuple(found)


# -- order -----------------------------------------------------------------------------------------


def _untangled(order: list[list[Slot]], links: Sequence[tuple[Slot, Slot]]) -> list[list[Slot]]:
    """The order with the fewest crossings that sorting by the middle of the neighbours, and exchanging, come to."""
    best, fewest = order, _crossings(order, links)
    current = order
    for sweep in range(_SWEEPS):
        current = _sorted(current, links, forward=sweep % 2 == 0, both=sweep >= _SWEEPS // 2)
        exchanged = _exchanged(current, links)
        crossings = _crossings(exchanged, links)
        if crossings < fewest:
            best, fewest = exchanged, crossings
    return best


def _neighbours(links: Sequence[tuple[Slot, Slot]]) -> tuple[dict[Slot, list[Slot]], dict[Slot, list[Slot]]]:
    """Left and right neighbours of each slot."""
    left: dict[Slot, list[Slot]] = {}
    right: dict[Slot, list[Slot]] = {}
    for a, b in links:
        right.setdefault(a, []).append(b)
        left.setdefault(b, []).append(a)
    return left, right


def _sorted(order: list[list[Slot]], links: Sequence[tuple[Slot, Slot]], forward: bool, both: bool) -> list[list[Slot]]:
    """Every layer sorted by the average place of the neighbours that come before in the sweep, or of all."""
    left, right = _neighbours(links)
    place = {slot: _share(number, layer) for layer in order for number, slot in enumerate(layer)}
    found = list(order)
    for number in range(len(order)) if forward else reversed(range(len(order))):
        wish = {}
        for slot in found[number]:
            beside = (left if forward else right).get(slot, [])
            # What has no neighbour on that side goes where the others are.
            beside = beside or (right if forward else left).get(slot, [])
            if both:
                beside = [*left.get(slot, []), *right.get(slot, [])]
            wish[slot] = sum(place[other] for other in beside) / len(beside) if beside else place[slot]
        found[number] = sorted(found[number], key=lambda slot: round(wish[slot], 9))
        place.update((slot, _share(k, found[number])) for k, slot in enumerate(found[number]))
    return found


def _share(number: int, layer: Sequence[Slot]) -> float:
    """How far down in its layer a slot stands, from 0 to 1."""
    return (number + 0.5) / len(layer)


def _exchanged(order: list[list[Slot]], links: Sequence[tuple[Slot, Slot]]) -> list[list[Slot]]:
    """Neighbours in a layer change places while that saves crossings."""
    left, right = _neighbours(links)
    place = {slot: number for layer in order for number, slot in enumerate(layer)}
    found = [list(layer) for layer in order]
    better = True
    while better:
        better = False
        for layer in found:
            for k in range(len(layer) - 1):
                a, b = layer[k], layer[k + 1]
                now = sum(_inversions(side.get(a, []), side.get(b, []), place) for side in (left, right))
                then = sum(_inversions(side.get(b, []), side.get(a, []), place) for side in (left, right))
                if then < now:
                    layer[k], layer[k + 1] = b, a
                    place[a], place[b] = k + 1, k
                    better = True
    return found


def _inversions(above: list[Slot], below: list[Slot], place: dict[Slot, int]) -> int:
    return sum(place[a] > place[b] for a in above for b in below)


def _crossings(order: list[list[Slot]], links: Sequence[tuple[Slot, Slot]]) -> int:
    place = {slot: number for layer in order for number, slot in enumerate(layer)}
    by_layer: dict[int, list[tuple[int, int]]] = {}
    for a, b in links:
        by_layer.setdefault(a[1], []).append((place[a], place[b]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for pairs in by_layer.values()
        for number, a in enumerate(pairs)
        for b in pairs[number + 1 :]
    )
