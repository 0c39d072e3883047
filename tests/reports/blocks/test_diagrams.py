"""Blocks that draw: what they make, what they say, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.errors import BpttError
from derive.notation.write_plain import write_plain
from reports.document import Document, Figure, Inlines, Math, Text
from reports.drawing import Canvas, MathLabel, Node

Build = Callable[..., Document]


def figure(build: Build, text: str) -> Figure:
    (block,) = build(text).blocks
    assert isinstance(block, Figure) and isinstance(block.content, Canvas)
    return block


def plain(inlines: Inlines) -> str:
    return "".join(
        piece.text if isinstance(piece, Text) else write_plain(piece.surface) if isinstance(piece, Math) else ""
        for piece in inlines
    )


def labels(found: Figure) -> list[str]:
    assert isinstance(found.content, Canvas)
    return [write_plain(item.surface) for item in found.content.items if isinstance(item, MathLabel)]


def test_a_flow_graph_explains_its_notation(build: Build) -> None:
    found = figure(build, "```bptt flow-graph\ncell: rnn\nlength: 2\n```")
    caption = plain(found.caption)
    assert "W^{(k)} is W as it acts in step k" in caption
    assert "∂L/∂W = ∂L/∂W^{(1)} + ∂L/∂W^{(2)}" in caption
    assert "h[2] from W, h[1], U, x[2]" in found.alt and found.alt.startswith("The flow graph over 2 steps")
    assert "∂L/∂W^{(2)}" in labels(found)


def test_a_flow_graph_without_the_way_back(build: Build) -> None:
    found = figure(build, "```bptt flow-graph\ncell: rnn\nderivatives: no\n```")
    assert not labels(found) and "derivative" not in plain(found.caption)


def test_a_parameter_that_acts_once_needs_no_explanation(build: Build) -> None:
    found = figure(build, "```bptt flow-graph\ncell: logistic\nlength: 1\n```")
    assert "as it acts" not in plain(found.caption) and "∂L/∂W" in labels(found)


def test_an_equation_without_time_has_a_flow_graph(build: Build) -> None:
    found = figure(build, "```bptt flow-graph\ncell: layer\npreactivations: yes\n```")
    assert isinstance(found.content, Canvas)
    assert sum(isinstance(item, Node) for item in found.content.items) == 4 and not labels(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("cell: mlstm", "length: 1 can be read"),
        ("cell: tree-lstm", "over trees"),
        ("cell: rnn\nlength: 9", "from 1 to 8"),
        ("cell: rnn\ntargets: q", "no quantity called q"),
        ("cell: nothing", "no cell called"),
        ("length: 2", "needs the option 'cell'"),
    ],
)
def test_what_has_no_flow_graph_is_told(build: Build, options: str, message: str) -> None:
    with pytest.raises(BpttError) as caught:
        build(f"```bptt flow-graph\n{options}\n```")
    assert message in str(caught.value) and "sheet.md" in str(caught.value)


def test_architectures_say_in_words_what_they_show(build: Build) -> None:
    found = figure(build, "```bptt architectures\nwhich: many-to-one, many-to-many\n```")
    assert "many-to-one: 3 states, inputs at steps 1 to 3, outputs at step 3" in found.alt
    assert "many-to-many: 5 states, inputs at steps 1 to 3, outputs at steps 3 to 5" in found.alt


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("which: many-to-on", "did you mean many-to-one?"),
        ("which: many-to-one, many-to-one", "named twice"),
        ("which: one-to-one,", "which is ''"),
        ("steps: 1", "from 2 to 6"),
    ],
)
def test_wrong_architectures_are_told(build: Build, options: str, message: str) -> None:
    with pytest.raises(BpttError) as caught:
        build(f"```bptt architectures\n{options}\n```")
    assert message in str(caught.value) and "sheet.md" in str(caught.value)


def _nodes(found: Figure) -> list[str]:
    assert isinstance(found.content, Canvas)
    return [
        write_plain(item.label)
        for item in found.content.items
        if isinstance(item, Node) and not isinstance(item.label, str)
    ]


def test_an_unfolding_has_labels_of_ones_own(build: Build) -> None:
    found = figure(
        build,
        "```bptt unfolding\nkind: many-to-one\nsteps: 2\ntime: i\ninputs: x_i\nstates: s_i\noutputs: p_i\nstart: z\n```",
    )
    assert _nodes(found) == ["x_i", "s_i", "p_i", "z", "x_1", "s_1", "x_2", "s_2", "p_2"]
    assert "2 steps" in found.alt and "after the last step" in found.alt


def test_an_unfolding_has_sensible_labels(build: Build) -> None:
    assert {"h_0", "h_3", "y_3", "x_t"} <= set(_nodes(figure(build, "```bptt unfolding\n```")))
    assert "y" in _nodes(figure(build, "```bptt unfolding\nkind: many-to-one\n```"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("kind: one-to-many", "one of many-to-many, many-to-one"),
        ("states: h", "does not change with t"),
        ("time: i", "no letter i in inputs"),
        ("input: W_{", "sheet.md"),
        ("steps: 7", "from 1 to 6"),
    ],
)
def test_wrong_unfoldings_are_told(build: Build, options: str, message: str) -> None:
    with pytest.raises(BpttError) as caught:
        build(f"```bptt unfolding\n{options}\n```")
    assert message in str(caught.value) and "sheet.md" in str(caught.value)
