"""The shortest input that ends as a longer one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.fuzz.cases import Case, Outcome
from benchmarks.fuzz.workers import Plan

Fails = Callable[[Case], bool]


def shortest(plan: Plan, number: int) -> tuple[Case, Outcome]:
    """An input without whatever can be left out of its text and of its cell, and how it ends. For verdicts that cannot be, any
    of them will do, since their words name the formula.
    """
    from benchmarks.fuzz.attempt import attempt
    from benchmarks.fuzz.reading import read
    from benchmarks.fuzz.report import signature

    def tried(given: Case) -> Outcome:
        return read(given, plan.seconds) if plan.reading else attempt(given, plan.seconds)

    given = plan.case(number)
    first = tried(given)

    def fails(other: Case) -> bool:
        found = tried(other)
        return found.end == first.end and (found.end == "impossible" or signature(found) == signature(first))

    given = _shortened(
        given, len(given.text), lambda case, a, b: replace(case, text=case.text[:a] + case.text[b:]), fails
    )
    return given, tried(given)


def _shortened(given: Case, size: int, without: Callable[[Case, int, int], Case], fails: Fails) -> Case:
    """Stretches are left out, long ones first, while the input still fails."""
    step = max(1, size // 2)
    while True:
        shorter = next((case for case in _candidates(given, step, without) if fails(case)), None)
        if shorter is not None:
            given = shorter
        elif step == 1:
            return given
        else:
            step = max(1, step // 2)


def _candidates(given: Case, step: int, without: Callable[[Case, int, int], Case]) -> Iterator[Case]:
    for start in range(0, len(given.text), step):
        yield without(given, start, start + step)
