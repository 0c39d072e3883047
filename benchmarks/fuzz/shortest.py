"""The shortest input that ends as a longer one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.fuzz.cases import Case, Outcome
from benchmarks.fuzz.workers import Plan


def shortest(plan: Plan, number: int) -> tuple[Case, Outcome]:
    """An input without whatever can be left out of its text, and how it ends. For verdicts that cannot be, any
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

    given = _shortened(given, fails)
    return given, tried(given)


def _shortened(given: Case, fails: Callable[[Case], bool]) -> Case:
    """Stretches of its text are left out, long ones first, while the input still fails."""
    step = max(1, len(given.text) // 2)
    while True:
        shorter = next((other for other in _without(given, step) if fails(other)), None)
        if shorter is not None:
            given = shorter
        elif step == 1:
            return given
        else:
            step = max(1, step // 2)


def _without(given: Case, step: int) -> Iterator[Case]:
    """The input without one stretch of so many characters."""
    for start in range(0, len(given.text), step):
        yield replace(given, text=given.text[:start] + given.text[start + step :])
