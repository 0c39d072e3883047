"""The drawings of what recurrent networks read and write, and of folded and unfolded ones."""

from __future__ import annotations

from itertools import pairwise, product
from math import hypot

import pytest

from derive.errors import UsageError
from derive.notation.surface import Surface
from derive.notation.write_plain import write_plain
from reports.architectures import KINDS, architectures, pattern
from reports.blocks.judging import surface_of
from reports.drawing import Arrow, Box, Canvas, Node, TextLabel, label_box, label_boxes, node_boxes, overlaps
from reports.unfolding import UnfoldingLabels, at_step, unfolding

LONG = {
    "derivative": r"\frac{\partial h_t}{\partial h_{t-1}}",
    "matrix": r"\begin{pmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \\ 7 & 8 & 9 \end{pmatrix}",
    "sum": r"W_1 + W_2 + W_3 + W_4 + W_5",
    "letter": "W",
}


def names(canvas: Canvas) -> list[str]:
    return [
        write_plain(item.label) for item in canvas.items if isinstance(item, Node) and isinstance(item.label, Surface)
    ]


def arrows(canvas: Canvas) -> list[tuple[str, str]]:
    """Which node each arrow leads from and to, by where it starts and ends."""
    nodes = [item for item in canvas.items if isinstance(item, Node)]

    def at(point: tuple[float, float]) -> str:
        def away(node: Node) -> float:
            dx, dy = abs(point[0] - node.at[0]) - node.width / 2, abs(point[1] - node.at[1]) - node.height / 2
            return hypot(max(dx, 0.0), max(dy, 0.0))

        closest = min(nodes, key=away)
        assert away(closest) < 0.06 and isinstance(closest.label, Surface)
        return write_plain(closest.label)

    return [
        (at(item.start), at(item.end)) for item in canvas.items if isinstance(item, Arrow) and item.label != "unfold"
    ]


def hidden(canvas: Canvas) -> list[object]:
    """Nodes and labels that overlap, and arrows through nodes or through labels."""
    boxes = [*node_boxes(canvas), *label_boxes(canvas)]
    boxes += [label_box(item) for item in canvas.items if isinstance(item, TextLabel)]
    found: list[object] = [*overlaps(boxes, boxes)]
    for arrow in (item for item in canvas.items if isinstance(item, Arrow)):
        found += [(arrow, box) for box, k in product(boxes, range(25)) if _inside(arrow.along(k / 24), box)]
    return found


def _inside(point: tuple[float, float], box: Box) -> bool:
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


@pytest.mark.parametrize("steps", range(2, 7))
def test_architectures_hide_nothing(steps: int) -> None:
    canvas = architectures(steps=steps)
    assert not hidden(canvas) and (canvas.width <= 16.3 or steps > 5)


def test_five_architectures_fit_one_line() -> None:
    canvas = architectures()
    assert canvas.width <= 16.0
    assert len({item.at[1] for item in canvas.items if isinstance(item, Node)}) == 3, "inputs, states, outputs"


@pytest.mark.parametrize("kind", KINDS)
def test_an_architecture_reads_and_writes_what_it_says(kind: str) -> None:
    canvas = architectures([kind], 3)
    what = pattern(kind, 3)

    def named(letter: str, count: int) -> list[str]:
        return [letter] if count == 1 else [f"{letter}_{k}" for k in range(1, count + 1)]

    x, h, y = named("x", len(what.reads)), named("h", what.columns), named("y", len(what.writes))
    expected = [(a, h[column - 1]) for a, column in zip(x, what.reads, strict=True)]
    expected += [*pairwise(h), *((h[column - 1], b) for b, column in zip(y, what.writes, strict=True))]
    assert sorted(arrows(canvas)) == sorted(expected)
    words = [item.text for item in canvas.items if isinstance(item, TextLabel)]
    assert not any(text.startswith("(") for text in words), "one drawing alone has no letter"


def test_architectures_are_lettered_in_the_order_asked_for() -> None:
    words = [item.text for item in architectures(KINDS[1:3]).items if isinstance(item, TextLabel)]
    assert words == ["(a) one to many", "(b) many to one"]


@pytest.mark.parametrize(("kinds", "steps"), [(["many"], 3), ([], 3), (["one-to-one"], 1), (["one-to-one"], 7)])
def test_wrong_architectures_are_told(kinds: list[str], steps: int) -> None:
    with pytest.raises(UsageError):
        architectures(kinds, steps)


def _labels(weight: str = "W", state: str = "h_t", recurrent: str = "R", layer: str = "") -> UnfoldingLabels:
    x, h, y = surface_of("x_t"), surface_of(state), surface_of("y_t")
    start = at_step(h, "t", 0)
    weights = [surface_of(text) for text in (weight, recurrent, weight)]
    return UnfoldingLabels(x, h, y, start, *weights, layer=layer)


@pytest.mark.parametrize(("weight", "recurrent"), list(product(LONG.values(), LONG.values())))
def test_long_labels_do_not_collide(weight: str, recurrent: str) -> None:
    for state, layer in (("h_t", ""), (r"h^{[1]}_{(t)} + h^{[2]}_{(t)}", "the first layer")):
        assert not hidden(unfolding(_labels(weight, state, recurrent, layer), steps=2))


@pytest.mark.parametrize("kind", ["many-to-many", "many-to-one"])
@pytest.mark.parametrize("steps", [1, 3, 6])
def test_an_unfolded_network(kind: str, steps: int) -> None:
    canvas = unfolding(_labels(), kind, steps)
    every = range(1, steps + 1)
    written = every if kind == "many-to-many" else [steps]
    folded = [("x_t", "h_t"), ("h_t", "h_t"), ("h_t", "y_t")]
    expected = [*folded, *((f"x_{k}", f"h_{k}") for k in every), *((f"h_{k - 1}", f"h_{k}") for k in every)]
    expected += [(f"h_{k}", f"y_{k}") for k in written]
    assert sorted(arrows(canvas)) == sorted(expected) and not hidden(canvas)
    labels = [
        write_plain(item.label) for item in canvas.items if isinstance(item, Arrow) and isinstance(item.label, Surface)
    ]
    assert labels.count("R") == steps + 1 and labels.count("W") == 2 + steps + len(written)


def test_only_scripts_count_steps() -> None:
    label = surface_of(r"t^{[1]}_{(t)}")
    assert write_plain(at_step(label, "t", 3)) == write_plain(surface_of(r"t^{[1]}_{(3)}"))


@pytest.mark.parametrize(("kind", "steps"), [("one-to-many", 3), ("many-to-one", 0), ("many-to-one", 7)])
def test_wrong_unfoldings_are_told(kind: str, steps: int) -> None:
    with pytest.raises(UsageError):
        unfolding(_labels(), kind, steps)
