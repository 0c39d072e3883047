"""Layers of graphs: where vertices stand, how few lines cross, and that order and distances are kept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from reports.layer_placing import Reach, placed
from reports.layering import Layers, layered


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """Acyclic graphs: every edge leads to a later vertex."""
    count = draw(st.integers(2, 12))
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    return count, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24))


@examples(60)
@given(graph=graphs(), early=st.sets(st.integers(0, 11)))
def test_lines_lead_to_the_right_and_slots_are_complete(
    graph: tuple[int, list[tuple[int, int]]], early: set[int]
) -> None:
    count, edges = graph
    layers = layered(count, edges, early)
    assert all(layers.home[a] < layers.home[b] for a, b in edges)
    slots = [slot for layer in layers.order for slot in layer]
    assert len(slots) == len(set(slots)) and {(v, layers.home[v]) for v in range(count)} <= set(slots)
    for a, b in edges:
        way = layers.way(a, b)
        assert set(way) <= set(slots) and set(pairwise(way)) <= set(layers.links)


@examples(60)
@given(graph=graphs())
def test_places_keep_order_and_distance(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    layers = layered(count, edges, range(count))
    reaches = [Reach(0.4, 0.4, 0.4 + 0.1 * (v % 3), 0.4) for v in range(count)]
    spine = _longest(count, edges)
    places = placed(layers, reaches, dict.fromkeys(edges, 1.0), spine)
    for layer in layers.order:
        for a, b in pairwise(layer):
            down = 0.0 if layers.is_trunk(a) else reaches[a[0]].down
            up = 0.0 if layers.is_trunk(b) else reaches[b[0]].up
            assert places.at[a][1] - down - (places.at[b][1] + up) > 0.05
    assert all(left[1] < right[0] for left, right in pairwise(places.columns))
    assert {places.at[v, layers.home[v]][1] for v in spine if len(spine) > 1} <= {0.0}


def _longest(count: int, edges: list[tuple[int, int]]) -> list[int]:
    ways: list[list[int]] = []
    for v in range(count):
        ways.append([*max((ways[a] for a, b in edges if b == v), key=len, default=[]), v])
    return max(ways, key=len)


@pytest.mark.parametrize(
    ("count", "edges", "fewest"),
    [
        (4, [(0, 3), (1, 2)], 0),
        (6, [(0, 5), (1, 4), (2, 3)], 0),
        (4, [(0, 2), (0, 3), (1, 2), (1, 3)], 1),
        (6, [(a, b) for a in (0, 1, 2) for b in (3, 4, 5)], 9),
    ],
)
def test_lines_cross_no_more_than_they_must(count: int, edges: list[tuple[int, int]], fewest: int) -> None:
    assert layered(count, edges, range(count)).crossings == fewest


def test_what_is_not_early_stands_close_to_its_readers() -> None:
    edges = [(0, 1), (1, 2), (2, 4), (3, 4)]
    assert layered(5, edges, early=[1, 2, 4]).home == (0, 1, 2, 2, 3)


def test_nothing_has_no_layers() -> None:
    assert layered(0, [], []) == Layers((), (), ())
