"""A leaderboard as a page."""

from __future__ import annotations

import pytest

from derive.errors import RenderError
from reports.document import CodeBlock
from reports.leaderboard_page import leaderboard_document
from reports.render import make

RUN = {
    "command": "bptt train x",
    "epochs": 3,
    "seconds": 100.0,
    "parameters": 1000,
    "seed": 0,
    "machine": "one",
    "threads": 2,
}
FIRST = {
    "rank": 1,
    "name": "a_b",
    "right": 9,
    "accuracy": 0.9,
    "interval": [0.6, 1.0],
    "p": None,
    "recall": [0.8, 1.0],
    "run": RUN,
}
BOARD = {
    "title": "Leaderboard: <T>", "examples": 10, "classes": ["cat", "dog"],
    "standings": [FIRST, {**FIRST, "rank": 2, "name": "c", "p": 0.5, "run": {}}, {**FIRST, "rank": 3, "name": "d", "p": 0.001}],
}  # fmt: skip


def test_a_long_command_is_broken_where_it_can_be_copied() -> None:
    options = " ".join(f"--set key{k}=value" for k in range(9))
    long = {**BOARD, "standings": [{**FIRST, "run": {**RUN, "command": f"bptt train x {options}"}}]}
    (code,) = [block for block in leaderboard_document(long).blocks if isinstance(block, CodeBlock)]
    assert max(map(len, code.text.splitlines())) < 80 and code.text.count("\\\n") == 2


def test_places_and_runs_are_printed() -> None:
    made = make(leaderboard_document(BOARD), "leaderboard", ("html", "pdf"), "typst")
    page = made.contents["leaderboard.html"].decode()
    for text in (
        "Leaderboard: &lt;T&gt;",
        "a_b is first with 90.00% of 10 examples",
        "p above 0.05): c.",
        "1,000",
        "bptt train x",
        "cat",
    ):
        assert text in page
    assert made.contents["leaderboard.pdf"].startswith(b"%PDF")


def test_data_that_are_none() -> None:
    with pytest.raises(RenderError, match="cannot be read"):
        leaderboard_document({"title": "x", "examples": 3})
