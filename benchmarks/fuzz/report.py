"""What a run has found, in tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nlargest

from benchmarks.fuzz.cases import FATAL, Outcome
from benchmarks.fuzz.workers import Plan

SLOWEST, LARGEST = 12, 5


@dataclass
class Tally:
    """What is found in a run."""

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    seconds: list[tuple[float, int]] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    faults: list[tuple[int, Outcome]] = field(default_factory=list)

    def add(self, number: int, outcome: Outcome) -> None:
        """One more."""
        self.ends[outcome.kind, outcome.end] += 1
        self.verdicts.update(outcome.verdicts)
        self.spent[outcome.kind] += round(1e6 * outcome.seconds)
        self.seconds = nlargest(SLOWEST, [*self.seconds, (outcome.seconds, number)])
        self.memory = nlargest(LARGEST, [*self.memory, (outcome.memory, number)])
        if outcome.end in FATAL:
            self.faults.append((number, outcome))


def report(tally: Tally, plan: Plan, elapsed: float) -> Iterator[str]:
    """The lines of the tables: ends by kind, verdicts, the slowest and the largest, and faults that are alike together."""
    ends = sorted({end for _, end in tally.ends})
    yield f"\n{'kind':<20}{'seconds':>9}" + "".join(f"{end:>12}" for end in ends)
    for kind in sorted({kind for kind, _ in tally.ends}):
        counts = "".join(f"{tally.ends[kind, end] or '':>12}" for end in ends)
        yield f"{kind:<20}{tally.spent[kind] / 1e6:>9.1f}{counts}"
    total = sum(tally.ends.values())
    counts = "".join(f"{sum(count for (_, one), count in tally.ends.items() if one == end):>12}" for end in ends)
    yield f"{'all':<20}{elapsed:>9.1f}{counts}"
    yield "\nverdicts: " + ", ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.most_common())
    yield f"{total} inputs in {elapsed:.0f} s, {total / elapsed:.1f} a second\n\nthe slowest"
    for seconds, number in tally.seconds:
        yield f"{seconds:7.2f} s  #{number}  {plan.case(number).literal(160)}"
    yield "\nthe largest growth of memory"
    for memory, number in tally.memory:
        yield f"{memory / 1e6:7.0f} MB  #{number}  {plan.case(number).literal(160)}"
    yield from _faults(tally)


def _faults(tally: Tally) -> Iterator[str]:
    if tally.faults:
        yield f"\n{len(tally.faults)} inputs ended as none may"
    alike: dict[str, list[int]] = {}
    for number, outcome in tally.faults:
        alike.setdefault(signature(outcome), []).append(number)
    for detail, numbers in sorted(alike.items(), key=lambda item: -len(item[1])):
        yield f"{len(numbers):5}  {detail[:300]}  #{', #'.join(map(str, numbers[:4]))}"


def signature(outcome: Outcome) -> str:
    """What faults have in common that are alike: numbers in words do not count, places in files do."""
    return f"{outcome.end}: {re.sub(r'([^ ]*[0-9][^ ]*)(?= |$)', _digits, outcome.detail)}"


def _digits(match: re.Match[str]) -> str:
    """A word without its numbers, unless it is a place in a file."""
    return match[1] if re.match(r"\w+\.py:", match[1]) else re.sub("[0-9]+", "N", match[1])
