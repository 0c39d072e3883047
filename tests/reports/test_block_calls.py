"""Fenced blocks that call: options, bodies, and errors at the right place."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from derive.errors import BpttError, ParseError, ShapeError
from derive.notation.parser import parse_one
from derive.notation.source import Source
from reports import document as d
from reports.block_calls import BlockCall, BlockRegistry
from reports.markdown import read_markdown


@pytest.fixture
def registry() -> BlockRegistry:
    registry = BlockRegistry()

    @registry.block("echo", options=("note", "steps", "kind", "rules"), required=("of",), body="optional")
    def echo(call: BlockCall) -> Sequence[d.Block]:
        call.context.append(call)
        call.integer("steps", 3, 1, 5)
        call.flag("rules")
        call.choice("kind", ("plain", "full"), "plain")
        return [d.Paragraph((*d.words(call.text("of")), *call.sentence("note")))]

    @registry.block("engine", required=("of",), body="optional")
    def engine(call: BlockCall) -> Sequence[d.Block]:
        if call.body:
            parse_one(Source(call.body.rstrip("\n")))
            parse_one(call.body_source)
        if call.text("of") == "shape":
            raise ShapeError("does not conform")
        parse_one(call.text("of"))
        return []

    @registry.block("bare")
    def bare(call: BlockCall) -> Sequence[d.Block]:
        return [d.Rule()]

    @registry.block("needs-body", body="required")
    def needs_body(call: BlockCall) -> Sequence[d.Block]:
        parse_one(call.body_source)
        return []

    return registry


def test_options_keep_their_order_and_bodies_their_lines(registry: BlockRegistry) -> None:
    seen: list[BlockCall] = []
    text = "```bptt echo\nof: h_t: yes\nnote:\n  long\n  value\nrules: yes\n---\nbody $x$\n\n- a\n```"
    document = read_markdown(text, registry, seen)
    (call,) = seen
    assert list(call.options.items()) == [("of", "h_t: yes"), ("note", "long\nvalue"), ("rules", "yes")]
    assert call.flag("rules") and call.body == "body $x$\n\n- a\n"
    assert [type(block).__name__ for block in document.blocks] == ["Paragraph"]


def test_other_fences_are_code(registry: BlockRegistry) -> None:
    assert read_markdown("```bpttx\nx\n```", registry).blocks == (d.CodeBlock("x", "bpttx"),)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("```bptt ecko\n```", 1, 1, "no block 'ecko'", "did you mean echo?"),
        ("```bptt\n```", 1, 1, "does not name one block", None),
        ("x\n\n```bptt echo\n```", 3, 1, "needs the option 'of'", None),
        ("```bptt echo\nof: a\nstep: 3\n```", 3, 7, "no option 'step'", "did you mean steps?"),
        ("```bptt echo\nof: a\nof: b\n```", 3, 5, "given twice", None),
        ("```bptt echo\nof: a\nfoo\n```", 3, 1, "not an option", None),
        ("```bptt echo\nof: a\nsteps: 9\n```", 3, 8, "steps is '9'", None),
        ("```bptt echo\nof: a\nsteps: -1\n```", 3, 8, "steps is '-1'", None),
        ("```bptt echo\nof: a\nrules: si\n```", 3, 8, "rules is 'si'", None),
        ("```bptt echo\nof: a\nkind: ful\n```", 3, 7, "kind is 'ful'", "did you mean full?"),
        ("```bptt echo\nof: a\nnote: b $\\foo$\n```", 3, 10, "unknown command", None),
        ("- x\n\n  ```bptt echo\n  of: a\n  note: b $\\foo$\n  ```", 5, 12, "unknown command", None),
        ("```bptt needs-body\n---\nb\n\\foo\n```", 4, 1, "unknown command", None),
        ("```bptt bare\n---\nbody\n```", 1, 1, "has no body", None),
        ("```bptt needs-body\n```", 1, 1, "needs a body", None),
        ("```bptt echo\nof: a", 1, 1, "never closed", None),
        ("x\n\n```bptt engine\nof: shape\n```", 3, 1, "does not conform", None),
        ("```bptt engine\nof: \\foo\n```", 2, 5, "unknown command", None),
        ("```bptt engine\nof: a\n---\n\\foo\n```", 4, 1, "unknown command", None),
    ],
)
def test_errors_name_the_place(
    registry: BlockRegistry, text: str, line: int, column: int, message: str, hint: str | None
) -> None:
    with pytest.raises(BpttError) as caught:
        read_markdown(Source(text, "s.md"), registry, [])
    span = caught.value.span
    assert span is not None and (span.line, span.column) == (line, column), str(caught.value)
    assert message in caught.value.message and str(caught.value).startswith("s.md, line")
    assert hint is None or caught.value.hint == hint


def test_errors_list_what_there_is(registry: BlockRegistry) -> None:
    with pytest.raises(ParseError) as caught:
        read_markdown("```bptt nonsense\n```", registry)
    assert caught.value.expected == "one of bare, echo, engine, needs-body"
    with pytest.raises(ParseError) as caught:
        read_markdown("```bptt nonsense\n```")
    assert "no blocks are registered" in str(caught.value)


def test_names_are_registered_once(registry: BlockRegistry) -> None:
    with pytest.raises(ValueError, match="registered twice"):
        registry.block("echo")
