"""Random documents are checked or refused; ``python -m benchmarks.fuzz`` tries more of them, and longer ones."""

from __future__ import annotations

import pytest
from amount import LONG

from benchmarks.fuzz.mix import case, short_case
from tests.verify.hostile.documents import NO_END, ended_well, ends_well, on_demand

SEED = 2024
SHORTEST, LONGEST = 100, 4_000
"""How many characters documents have at most."""
CHECKED, READ, PARTS = 1_800 if LONG else 450, 900, 20
"""From so many numbers the documents are made, of which more than half are short; and so many parts run side by side."""
SLOW = (789, 886)
"""Short ones whose equations are decided, or given up, after seconds only."""


def numbers(part: int, count: int) -> range:
    return range(part * count // PARTS, (part + 1) * count // PARTS)


@pytest.mark.parametrize("part", range(PARTS))
def test_short_documents_are_checked_or_refused(part: int) -> None:
    for number in numbers(part, CHECKED):
        given = short_case(SEED, number)
        if len(given.text) <= SHORTEST and number not in SLOW:
            ends_well(given)


@pytest.mark.parametrize("part", range(PARTS))
def test_documents_are_read_or_refused(part: int) -> None:
    from benchmarks.fuzz.reading import read

    for number in numbers(part, READ):
        given = short_case(SEED + 1, number)
        ended_well(given, read(given, NO_END))


@on_demand
@pytest.mark.parametrize("number", SLOW)
def test_documents_that_take_long_are_checked_or_refused(number: int) -> None:
    ends_well(short_case(SEED, number))


@on_demand
@pytest.mark.parametrize("part", range(PARTS))
def test_longer_documents_are_checked_or_refused(part: int) -> None:
    for number in numbers(part, 1_000):
        given = case(SEED, number)
        if len(given.text) <= LONGEST:
            ends_well(given)
