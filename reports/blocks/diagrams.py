"""Blocks that draw a cell, or what all recurrent networks have in common."""

from __future__ import annotations

from collections.abc import Sequence

from reports import architectures as kinds
from reports import unfolding as folds
from reports.block_calls import BlockCall, did_you_mean
from reports.blocks.context import context_of
from reports.blocks.judging import surface_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, words
from reports.drawing import Arrow, Canvas, Label
from reports.tree_network import tree_network
from reports.unrolled import MAX_STEPS, unrolled_network

_ARROWS = " Solid arrows: values forward; dashed arrows: derivatives backward."


@REGISTRY.block("unrolled", options=("steps", "caption", "derivatives"), required=("cell",))
def unrolled_block(call: BlockCall) -> Sequence[Block]:
    """``bptt unrolled``: the network unrolled over ``steps`` steps, with the derivatives on its edges (``derivatives:
    no`` leaves them out); a cell over trees, on a small tree.
    """
    context = context_of(call)
    subject = context.cell(call)
    backward = call.flag("derivatives", True)
    if subject.tree is not None:
        return [_over_a_tree(call, tree_network(subject, backward))]
    arrows = _ARROWS if backward else ""
    canvas = unrolled_network(
        subject, call.integer("steps", 3, least=1, most=MAX_STEPS), "jacobians" if backward else "plain"
    )
    alt = "The network unrolled over time" + (", with the derivatives on its edges." if backward else ".")
    return [Figure(canvas, call.sentence("caption") or words(f"The unrolled network.{arrows}"), alt)]


def _over_a_tree(call: BlockCall, canvas: Canvas) -> Figure:
    dashed = any(isinstance(item, Arrow) and item.style == "dashed" for item in canvas.items)
    caption = call.sentence("caption") or words(f"The network over a tree.{_ARROWS if dashed else ''}")
    return Figure(canvas, caption, "A tree of five nodes with their states, inputs and losses.")


@REGISTRY.block("architectures", options=("which", "steps", "caption"))
def architectures_block(call: BlockCall) -> Sequence[Block]:
    """``bptt architectures``: what networks read and write, one to one up to many to many, beside each other."""
    which = [part.strip() for part in call.text("which", ", ".join(kinds.KINDS)).split(",")]
    for kind in which:
        if kind not in kinds.KINDS:
            raise call.error(
                f"which is {kind!r}",
                "which",
                expected=f"some of {', '.join(kinds.KINDS)}",
                hint=did_you_mean(kind, kinds.KINDS),
            )
    if len(set(which)) < len(which):
        raise call.error("an architecture is named twice", "which", expected="each at most once")
    steps = call.integer("steps", 3, least=2, most=kinds.MAX_STEPS)
    caption = words("What recurrent networks read and write: inputs below, states in the middle, outputs on top.")
    return [
        Figure(kinds.architectures(which, steps), call.sentence("caption") or caption, _read_and_written(which, steps))
    ]


def _read_and_written(which: Sequence[str], steps: int) -> str:
    """The patterns in words."""
    parts = []
    for kind in which:
        what = kinds.pattern(kind, steps)
        parts.append(f"{kind}: {what.columns} states, inputs at {_steps(what.reads)}, outputs at {_steps(what.writes)}")
    return f"Columns of input, state and output. {'; '.join(parts)}."


def _steps(steps: range) -> str:
    return f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]} to {steps[-1]}"


_LABELS = {
    "inputs": "x_t", "states": "h_t", "outputs": "y_t", "start": "",
    "input": "W_{hx}", "recurrent": "W_{hh}", "output": "W_{yh}",
}  # fmt: skip
"""What the labels of an unfolding are where no option says it."""


@REGISTRY.block("unfolding", options=("kind", "steps", *_LABELS, "time", "layer", "caption"))
def unfolding_block(call: BlockCall) -> Sequence[Block]:
    """``bptt unfolding``: a network as one box with a loop, and unfolded over ``steps`` steps."""
    kind = call.choice("kind", folds.KINDS, "many-to-many")
    steps = call.integer("steps", 3, least=1, most=folds.MAX_STEPS)
    labels = _labels(call, kind)
    canvas = folds.unfolding(labels, kind, steps)
    caption = words(
        "A recurrent network as one box with a loop, and unfolded over time: the same weights at every step."
    )
    outputs = "after the last step" if kind == "many-to-one" else "at every step"
    alt = (
        "On the left a box with an input, an output and a loop; on the right the same box at "
        f"{steps} step{'s' if steps > 1 else ''}, each with an input, with an output {outputs}."
    )
    return [Figure(canvas, call.sentence("caption") or caption, alt)]


def _labels(call: BlockCall, kind: str) -> folds.UnfoldingLabels:
    time = call.text("time", "t")
    defaults = dict(_LABELS) if kind == "many-to-many" else {**_LABELS, "outputs": "y"}
    found = {key: surface_of(call.text(key) or default) for key, default in defaults.items() if key != "start"}
    for key in ("inputs", "states"):
        if folds.at_step(found[key], time, 1) == found[key]:
            raise call.error(
                f"{key} does not change with {time}" if key in call.options else f"there is no letter {time} in {key}",
                key if key in call.options else "time",
                expected=f"a formula with {time} in a subscript or superscript, such as {key[0]}_{time}",
                hint="the option time says which letter counts the steps",
            )
    start = surface_of(call.text("start")) if call.text("start") else folds.at_step(found["states"], time, 0)
    return folds.UnfoldingLabels(
        found["inputs"],
        found["states"],
        found["outputs"],
        start,
        found["input"],
        found["recurrent"],
        found["output"],
        time,
        _layer(call.text("layer")),
    )


def _layer(text: str) -> Label:
    """Words, or a formula between dollar signs."""
    return surface_of(text[1:-1]) if len(text) > 2 and text[0] == text[-1] == "$" else text
