"""A leaderboard, typeset from its data.

>>> standing = {"rank": 1, "name": "a", "right": 9, "accuracy": 0.9, "interval": [0.6, 1.0], "p": None, "recall": [0.8, 1.0], "run": {}}
>>> board = {"title": "T", "examples": 10, "classes": ["cat", "dog"], "standings": [standing]}
>>> [type(block).__name__ for block in leaderboard_document(board).blocks]
['Paragraph', 'Table', 'Table']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from derive.errors import RenderError
from reports import document as d
from reports.run_parts import command_block


def leaderboard_document(board: Mapping[str, Any]) -> d.Document:
    """Places, what is known of the runs, and which classes each entry recognises.

    Raises
    ------
    RenderError : the data lack what a leaderboard has.
    """
    try:
        blocks = tuple(_blocks(board))
        title = d.words(str(board["title"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RenderError(
            f"the leaderboard cannot be read: {error}", expected="leaderboard.json as bptt train writes it"
        ) from None
    return d.Document(title, d.words("Submissions judged by the right labels"), {}, blocks)


def _blocks(board: Mapping[str, Any]) -> Iterator[d.Block]:
    standings: Sequence[Mapping[str, Any]] = board["standings"]
    yield d.Paragraph(d.words(_opening(standings, int(board["examples"]))))
    rows = [
        [str(one["rank"]), one["name"], f"{one['accuracy']:.4f}", f"{one['interval'][0]:.4f} to {one['interval'][1]:.4f}",
         f"{one['right']:,}", "" if one["p"] is None else f"{one['p']:.2g}"]
        for one in standings
    ]  # fmt: skip
    said = (
        "Places by the number of right labels. Interval: in which the true accuracy lies (Wilson, 95 %); p: McNemar's exact test against "
        "the first place, on the same examples."
    )
    yield _table(("place", "entry", "accuracy", "interval", "right", "p"), rows, said, left=(1,))
    if any(one["run"] for one in standings):
        yield _runs([one for one in standings if one["run"]])
    classes = [str(name) for name in board["classes"]]
    shares = [[one["name"], *(f"{share:.3f}" for share in one["recall"])] for one in standings]
    yield _table(("entry", *classes), shares, "Share of each class that is recognised.", left=(0,))
    commands = [f"# {one['name']}\n{command_block(one['run']['command']).text}" for one in standings if one["run"]]
    if commands:
        yield d.Heading(1, d.words("How to make them again"), "commands")
        yield d.CodeBlock("\n".join(commands), "sh")


def _opening(standings: Sequence[Mapping[str, Any]], examples: int) -> str:
    first = standings[0]
    said = f"{first['name']} is first with {first['accuracy']:.2%} of {examples:,} examples."
    close = [one["name"] for one in standings[1:] if one["p"] > 0.05]
    if close:
        said += f" Not clearly worse (p above 0.05): {', '.join(close)}."
    return said


def _runs(standings: Sequence[Mapping[str, Any]]) -> d.Table:
    rows = [
        [one["name"], f"{one['run']['parameters']:,}", f"{one['run']['epochs']:g}", f"{one['run']['seconds']:,.0f}",
         str(one["run"]["threads"]), str(one["run"]["seed"]), str(one["run"]["machine"])]
        for one in standings
    ]  # fmt: skip
    header = ("entry", "weights", "epochs", "seconds", "threads", "seed", "machine")
    return _table(header, rows, "What the runs say of themselves.", left=(0, 6))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, left: Sequence[int]) -> d.Table:
    return d.Table(
        tuple(d.words(cell) for cell in header),
        tuple(tuple(d.words(cell) for cell in row) for row in rows),
        tuple("left" if k in left else "right" for k in range(len(header))),
        d.words(caption),
    )


__all__ = ["leaderboard_document"]
