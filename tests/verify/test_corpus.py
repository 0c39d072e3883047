"""Hundreds of claims, right ones in many spellings and wrong ones by one slip or two, labelled by torch autograd on cells that are written
out by hand (:mod:`corpus`): no wrong one is accepted, the right ones are, and a single slip is found again.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from amount import some

from derive.cell import Cell
from verify.check import check

CORPUS = json.loads((Path(__file__).parent / "corpus" / "corpus.json").read_text(encoding="utf-8"))
PARTS = 8
"""The corpus is gone through in so many parts, which run side by side."""


@lru_cache
def subject(name: str) -> Cell:
    return Cell.from_text(CORPUS["cells"][name])


def part(number: int) -> list[dict[str, Any]]:
    """Claims about one cell stay together, so that its random instances are computed once."""
    names = sorted(CORPUS["cells"])[number::PARTS]
    entries = [entry for entry in CORPUS["entries"] if entry["cell"] in names]
    wrong = [entry for entry in entries if not entry["true"]]
    return some((entry for entry in entries if entry["true"]), 2) + some(wrong, 6)


def test_the_corpus_is_large_and_mixed() -> None:
    labels = Counter(entry["true"] for entry in CORPUS["entries"])
    assert labels[True] >= 120 and labels[False] >= 180 and len(CORPUS["cells"]) >= 10
    edits = Counter(edit for entry in CORPUS["entries"] for edit in entry["edits"])
    assert len(edits) >= 20


@pytest.mark.parametrize("number", range(PARTS))
def test_verdicts(number: int) -> None:
    entries = part(number)
    accepted, missed = [], []
    for entry in entries:
        (found,) = check(entry["claim"], subject(entry["cell"]), explained=False)
        if entry["true"] and not found.accepted:
            missed.append((entry["claim"], found.verdict, found.message))
        if not entry["true"] and found.accepted:
            accepted.append((entry["claim"], found.verdict, found.reading))
    assert not accepted
    assert len(missed) <= 0.01 * sum(entry["true"] for entry in entries), missed


def test_a_single_slip_is_found() -> None:
    wrong = some((entry for entry in CORPUS["entries"] if not entry["true"] and len(entry["edits"]) == 1), 30)
    lost = []
    for entry in wrong:
        (found,) = check(entry["claim"], subject(entry["cell"]))
        if not found.correction:
            lost.append((entry["claim"], entry["edits"]))
        else:
            (again,) = check(found.correction, subject(entry["cell"]), explained=False, draws=3)
            assert again.accepted, found.correction
    assert len(lost) <= 0.1 * len(wrong), lost
