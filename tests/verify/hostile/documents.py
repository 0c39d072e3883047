"""Documents, and what is asked of every one: it is checked or refused, with little memory, and nothing is touched.

How long that takes is no matter of a test, which may run anywhere: only what has not ended after a long time of the processor is taken to
have no end. ``python -m benchmarks.fuzz`` measures.
"""

from __future__ import annotations

import pytest
from amount import LONG

import bptt

pytest.importorskip("resource")

from benchmarks.fuzz.attempt import attempt
from benchmarks.fuzz.cases import FATAL, Case, Outcome
from benchmarks.fuzz.texts import RNN

STEP = r"h_t = \tanh(W h_{t-1} + U x_t + b)"
"""The equation of the cell that the documents are about."""
DECAY = "h_t = w h_{t-1}\nh_t \\in \\mathbb{R}"
NO_END = 120.0
"""After so many seconds of the processor something has no end."""
on_demand = pytest.mark.skipif(not LONG, reason="it takes seconds, until the checker's own limits; BPTT_LONG=1 runs it")


def displayed(*formulas: str) -> str:
    return "\n".join(f"$${formula}$$" for formula in formulas)


def verdicts(text: str, cell: str = RNN, **options: object) -> list[str]:
    return [one.verdict for one in bptt.check(text, bptt.cell(cell), **options)]  # type: ignore[arg-type]


def ended_well(given: Case, outcome: Outcome) -> None:
    assert outcome.end not in FATAL, (
        f"{outcome.end} after {outcome.seconds:.1f} s: {outcome.detail}\n{given.literal(3000)}"
    )


def ends_well(given: Case) -> None:
    ended_well(given, attempt(given, NO_END))
