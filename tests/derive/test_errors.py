"""How errors look: what a user's text may not do to a terminal, and how much of it is repeated."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from derive.errors import BpttError, clipped, visible
from derive.notation.source import Source, Span


@given(st.text(), st.integers(10, 80))
def test_clipped_text_is_short_and_keeps_both_ends(text: str, most: int) -> None:
    found = clipped(text, most)
    assert len(found) <= most
    assert found == text or (" ... " in found and text.startswith(found.partition(" ... ")[0]))


@given(st.text())
def test_visible_text_cannot_move_the_cursor(text: str) -> None:
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in visible(text) if char not in "\n\t")


@given(st.text(st.characters(codec=None), min_size=1, max_size=400), st.data())
def test_an_excerpt_is_two_short_lines_with_the_caret_under_its_place(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text) + 1))
    excerpt = Span(start, end, Source(text, "f")).excerpt()
    shown, carets = excerpt.split("\n")
    assert len(shown) <= 4 + 96 and carets.strip(" \t") == "^" * len(carets.strip(" \t")) != ""
    column = len(carets) - len(carets.lstrip())
    narrow = all(unicodedata.east_asian_width(char) not in "WF" and not unicodedata.combining(char) for char in text)
    if narrow and column < len(shown) and start < len(text) and text[start].isalnum():
        assert shown[column] == text[start]


def test_the_caret_stands_under_wide_and_combining_characters() -> None:
    text = "漢e\u0301 x"
    shown, carets = Span(text.index("x"), len(text), Source(text)).excerpt().split("\n")
    # 漢 takes two columns, é one, the space one.
    assert carets == " " * (4 + 2 + 1 + 1) + "^" and shown.endswith("x")


def test_messages_are_bounded() -> None:
    error = BpttError("bad " + "x" * 10_000 + " end", expected="y" * 10_000, hint="z" * 10_000)
    lines = str(error).split("\n")
    assert len(lines) == 3 and all(len(line) < 1300 for line in lines)
    assert lines[0].startswith("bad xxx") and lines[0].endswith("xxx end")
