"""A displayed equation with its verdict, as it is handed to whoever prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from derive.notation import surface as s
from verify.verdict import Counterexample, Verdict


@dataclass(frozen=True)
class Checked:
    """A displayed equation of a document, with its verdict.

    Parameters
    ----------
    line, column : where it stands, from 1; in the cell of a notebook where ``cell`` is its number.
    claim    : the equation as it is written.
    verdict  : ``correct``, ``layout`` (right if transposed), ``wrong``, ``unreadable`` or ``unsupported``.
    evidence : ``proved``, ``tested``, or ``definition``, where it only restates the cell or itself.
    reading  : how it had to be read, where it has several readings.
    message  : what is wrong with it, or why it is not decided.
    hint     : what to look at.
    counterexample : a point at which the two sides differ.
    links    : for a chain, the verdict on each of its links.
    correction : the equation that holds, in LaTeX, where a small change makes it true.
    hints    : what is wrong, in steps, the answer last.
    surface  : the equation as it was read; None where it could not be.
    found    : the whole verdict.
    """

    line: int
    column: int
    claim: str
    verdict: str
    evidence: str
    reading: str = ""
    message: str = ""
    hint: str = ""
    counterexample: Counterexample | None = None
    cell: int | None = None
    links: tuple[str, ...] = ()
    correction: str = ""
    hints: tuple[str, ...] = ()
    surface: s.Surface | None = field(default=None, repr=False, compare=False)
    found: Verdict | None = field(default=None, repr=False, compare=False)

    @property
    def accepted(self) -> bool:
        """Whether it is right, up to the layout."""
        return self.verdict in ("correct", "layout")

    def data(self) -> dict[str, Any]:
        """As JSON."""
        found: dict[str, Any] = {
            "line": self.line,
            "column": self.column,
            "claim": self.claim,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "reading": self.reading,
            "message": self.message,
            "hint": self.hint,
            "counterexample": None if self.counterexample is None else self.counterexample.data(),
        }
        if self.hints:
            found |= {"hints": list(self.hints), "correction": self.correction}
        if self.links:
            found["links"] = list(self.links)
        if self.cell is not None:
            found["cell"] = self.cell
        return found


__all__ = ["Checked"]
