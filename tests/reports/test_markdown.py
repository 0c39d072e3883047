"""Markdown: what becomes what, and where errors point."""

from __future__ import annotations

import pytest

from derive.errors import ParseError
from derive.notation import surface as s
from derive.notation.source import Source
from reports import document as d
from reports import walk
from reports.anchors import slug
from reports.markdown import read_markdown


def read(text: str) -> d.Blocks:
    return read_markdown(Source(text, "sheet.md")).blocks


def only(text: str) -> d.Block:
    (block,) = read(text)
    return block


def test_every_kind_of_block() -> None:
    text = (
        "# One\n\npara *em* **strong** `code`\n\n- a\n- b\n\n3. c\n4. d\n\n> quote\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n\nTable: caption $x$\n\n"
        "```python\nx = 1\n```\n\n    indented\n\n$$ a = b $$\n\n---\n"
    )
    blocks = read(f"---\ntitle: T\n---\n{text}")
    assert [type(block).__name__ for block in blocks] == [
        "Heading", "Paragraph", "BulletList", "NumberedList", "Quote", "Table", "CodeBlock", "CodeBlock", "Display", "Rule",
    ]  # fmt: skip
    assert blocks[1] == d.Paragraph(
        (
            d.Text("para "),
            d.Emphasis(d.words("em")),
            d.Text(" "),
            d.Strong(d.words("strong")),
            d.Text(" "),
            d.CodeSpan("code"),
        )
    )
    numbers, table = blocks[3], blocks[5]
    assert isinstance(numbers, d.NumberedList) and numbers.start == 3
    assert isinstance(table, d.Table) and table.alignments == ("center", "right")
    assert table.caption == (d.Text("caption "), d.Math(s.Name("x")))


def test_title_from_front_matter_or_first_heading() -> None:
    document = read_markdown("---\ntitle: On $h_t$\nsubtitle: S\nauthor: A. B\n---\n\n# One\n")
    assert walk.plain_text(document.title) == "On h_t" and document.meta == {"author": "A. B"}
    document = read_markdown("# The title\n\n## Part\n\n### Deeper\n")
    assert walk.plain_text(document.title) == "The title"
    assert [(block.level, block.anchor) for block in document.blocks if isinstance(block, d.Heading)] == [
        (1, "part"),
        (2, "deeper"),
    ]


def test_a_formula_is_a_surface_tree() -> None:
    paragraph = only("The state $h_t$, at \\$5.")
    assert paragraph == d.Paragraph(
        (d.Text("The state "), d.Math(s.Scripted(s.Name("h"), (s.Name("t"),))), d.Text(", at $5."))
    )


def test_displayed_lines_are_aligned() -> None:
    block = only("$$\na = b \\\\\nc = d \\le e\n$$")
    assert isinstance(block, d.Aligned)
    assert [(line.lhs is not None, line.operator) for line in block.lines] == [(True, "="), (True, "="), (False, "<=")]


def test_html_is_text() -> None:
    assert only("<script>alert(1)</script>") == d.Paragraph(d.words("<script>alert(1)</script>"))
    assert only("a <b>c</b>") == d.Paragraph(d.words("a <b>c</b>"))


def test_quotes_are_set_for_the_language() -> None:
    assert only('say "yes"') == d.Paragraph(d.words("say “yes”"))
    assert read_markdown('---\nlanguage: de\n---\n"ja"').blocks == (d.Paragraph(d.words("„ja“")),)


def test_callouts_nest_with_more_colons() -> None:
    block = only(":::: answer Part $a$\ntext\n\n::: result\n$$ a = b $$\n:::\n::::")
    assert (
        isinstance(block, d.Callout)
        and block.kind == "answer"
        and block.title == (d.Text("Part "), d.Math(s.Name("a")))
    )
    assert isinstance(block.blocks[1], d.Callout) and block.blocks[1].kind == "result"


def test_anchors_are_unique_and_may_be_chosen() -> None:
    blocks = read("---\ntitle: t\n---\n# Same\n# Same\n# Other {#mine}\n\n[go](#mine)")
    assert [block.anchor for block in blocks if isinstance(block, d.Heading)] == ["same", "same-2", "mine"]
    assert slug("Über $x$: 1/2") == "uber-x-1-2" and slug("!") == "section"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a\n\nfirst\nsecond $x + * y$", 4, 13, "unexpected '*'"),
        ("- a\n- b\n  > quote $\\foo x$ and", 3, 12, "unknown command \\foo"),
        ("| a | b |\n|--|--|\n| $x$ | 12 $\\foo$ |", 3, 13, "unknown command \\foo"),
        ("# Head $\\foo$", 1, 9, "unknown command \\foo"),
        ("a `$x$` and $x$ and $\\foo$ b", 1, 22, "unknown command \\foo"),
        ("$$\n  a = b \\\\\n  c = \\foo\n$$", 3, 7, "unknown command \\foo"),
        ("> $$\n> a = \\foo\n> $$", 2, 7, "unknown command \\foo"),
        ("---\ntitle: A $\\foo$\n---\n", 2, 11, "unknown command \\foo"),
        ("::: answer On $\\foo$\nx\n:::", 1, 16, "unknown command \\foo"),
        ("cost $5 only", 1, 6, "never closed"),
        ("cost $5 and $6 only", 1, 6, "never closed"),
        ("$$\na = b\n", 1, 1, "never closed"),
        ("text $$a$$ more", 1, 6, "displayed formula inside a sentence"),
        ("x $ $ y", 1, 4, "no formula"),
        ("a\n\n![x](y.png)", 3, 1, "images are not part"),
        ("see [x](javascript:alert(1))", 1, 5, "not allowed"),
        ("see [x](file:///etc/passwd)", 1, 5, "not allowed"),
        ("see [x](other.html)", 1, 5, "not allowed"),
        ("see [x](#nowhere)", 1, 5, "no heading has the anchor"),
        ("a\n\n::: answr\nx\n:::", 3, 1, "no callout 'answr'"),
        ("::: answer\nx\n", 1, 1, "never closed"),
        ("::: hint\n\n::: question\nx\n:::\n\ny", 3, 1, "never closed"),
        ("x\n\n:::\n", 3, 1, "closes nothing"),
        ("```python\nx = 1\n", 1, 1, "never closed"),
        (">>>>>> a", 1, 1, "nested more than"),
        ("---\ntitel: x\n---\n", 2, 1, "no key 'titel'"),
        ("---\ntitle: x\n", 1, 1, "never closed"),
        ("---\ntitle: x\ntitle: y\n---\n", 3, 8, "given twice"),
        ("---\nnonsense\n---\n", 2, 1, "not understood"),
        ("---\nlanguage: xx\n---\n", 2, 11, "no language 'xx'"),
        ("a\r\n\r\n$\\foo$\r\n", 3, 2, "unknown command"),
    ],
)
def test_errors_name_the_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    span = caught.value.span
    assert span is not None and (span.line, span.column) == (line, column), str(caught.value)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"sheet.md, line {line}, column {column}: ")


def test_line_numbers_count_what_stands_above_an_excerpt() -> None:
    with pytest.raises(ParseError) as caught:
        read_markdown(Source("$\\foo$", "whole.md", line_offset=40))
    assert str(caught.value).startswith("whole.md, line 41, column 2: ")


def test_errors_suggest() -> None:
    with pytest.raises(ParseError) as caught:
        read("::: answr\nx\n:::")
    assert caught.value.hint == "did you mean answer?"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\\input{/etc/passwd}", "line 1, column 1"),
        ("one\ntwo *\\frac{1}{2}*", "line 2, column 6"),
        ("# C:\\Users", "line 1, column 5"),
    ],
)
def test_commands_outside_formulas_are_told(text: str, place: str) -> None:
    """They would be printed letter by letter, which nobody means."""
    with pytest.raises(ParseError, match=rf"(?s){place}.*stands outside a formula"):
        read_markdown(text)
    assert walk.plain_text(read_markdown("x\\*y `\\frac`").blocks[0].body) == "x*y \\frac"  # type: ignore[union-attr]
