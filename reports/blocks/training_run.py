"""A block that shows what a training run found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from derive.errors import RenderError, UsageError
from reports.block_calls import BlockCall, did_you_mean
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.document import Block, Figure, Paragraph, Table, words
from reports.run_page import curve_figures, made_in, settings_table
from reports.run_parts import KINDS, Part, command_block, number_table, parts_of
from reports.run_results import RunResults, kept_names, kept_run, run_in

_SHOWN = ("command", "settings", "curve", *KINDS)


@REGISTRY.block("training-run", options=("show", "only", "numbers", "caption"), required=("results",))
def training_run_block(call: BlockCall) -> Sequence[Block]:
    """``bptt training-run``: parts of the results of a run, in the order in which ``show`` names them."""
    run = _found(call)
    shown = _listed(call, "show") or ["command", "numbers"]
    for kind in shown:
        if kind not in _SHOWN:
            raise call.error(
                f"show names {kind!r}", "show", expected=f"some of {', '.join(_SHOWN)}", hint=did_you_mean(kind, _SHOWN)
            )
    try:
        blocks = [block for kind in shown for block in _parts(call, kind, run)]
    except RenderError as error:
        raise call.error(error.message, "results", expected=error.expected) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise call.error(
            f"the results cannot be read: {error!r}", "results", expected="what bptt train wrote"
        ) from None
    return _captioned(call, blocks)


def _found(call: BlockCall) -> RunResults:
    name, folder = call.text("results"), context_of(call).folder
    try:
        return kept_run(name) if name in kept_names() or folder is None else run_in(folder, name)
    except UsageError as error:
        hint = error.hint or did_you_mean(name, kept_names()) or f"runs of the package: {', '.join(kept_names())}"
        raise call.error(error.message, "results", expected=error.expected, hint=hint) from None


def _parts(call: BlockCall, kind: str, run: RunResults) -> Iterator[Block]:
    metrics = run.metrics
    if kind == "command":
        yield command_block(str(metrics["command"]))
        yield Paragraph(words(made_in(metrics)))
    elif kind == "settings":
        yield settings_table(metrics)
    elif kind == "curve":
        figures = curve_figures(run.curve, str(metrics["loss"]), metrics.get("axes", {})) if run.curve else []
        if not figures:
            raise call.error("no curve of this run was kept", "show", expected="another part of it")
        yield from figures[:1]
    elif kind == "numbers":
        yield number_table(_chosen_numbers(call, metrics["results"].get("numbers", {})))
    else:
        for part in _chosen(call, kind, [*parts_of(kind, metrics["results"], run.pictures)]):
            yield from part.blocks


def _chosen_numbers(call: BlockCall, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The numbers that are asked for; all without a choice."""
    names = _listed(call, "numbers")
    for name in names:
        if name not in numbers:
            raise call.error(
                f"the run has no number {name!r}",
                "numbers",
                expected=f"some of {', '.join(numbers)}",
                hint=did_you_mean(name, list(numbers)),
            )
    return {name: numbers[name] for name in names} if names else numbers


def _chosen(call: BlockCall, kind: str, parts: Sequence[Part]) -> list[Part]:
    """The parts whose titles begin as ``only`` says; all without a choice."""
    names = _listed(call, "only")
    if not parts:
        raise call.error(f"the run has no {kind}", "show", expected="another part of it")
    if not names or kind == "said":
        return list(parts)
    found = [part for part in parts if any(part.title.startswith(name) for name in names)]
    if not found:
        raise call.error(f"no title of the {kind} begins so", "only", expected="; ".join(part.title for part in parts))
    return found


def _captioned(call: BlockCall, blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with a caption of the sheet's own on the one that has a caption."""
    caption = call.sentence("caption")
    places = [k for k, block in enumerate(blocks) if isinstance(block, (Figure, Table))]
    if not caption:
        return list(blocks)
    if len(places) != 1:
        raise call.error(
            f"there are {len(places)} tables and figures, and one caption",
            "caption",
            expected="a block for each of them",
        )
    shown = blocks[places[0]]
    if isinstance(shown, (Figure, Table)):
        shown = replace(shown, caption=caption)
    return [*blocks[: places[0]], shown, *blocks[places[0] + 1 :]]


def _listed(call: BlockCall, key: str) -> list[str]:
    return [part.strip() for part in call.text(key).split(";") if part.strip()]


__all__ = ["training_run_block"]
