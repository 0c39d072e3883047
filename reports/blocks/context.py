"""What the blocks of one sheet share: its cells, what was measured, and what was said of the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from derive.cell import Cell, cell, library
from numeric.validate import Validation
from reports.block_calls import BlockCall
from reports.code.ahead import Runner
from reports.document import Inlines
from verify.verdict import Verdict


@dataclass(frozen=True)
class Correction:
    """The correct form of a claim, and the verdict on it."""

    body: Inlines
    verdict: Verdict
    draws: int


@dataclass(frozen=True)
class Finding:
    """One claim of a source: where it stands, how it is printed and read, what was found, and what holds instead.

    ``printed`` is empty for a reading of ours; ``unreadable`` says why the printed formula cannot be read; ``expected``
    is the kind of verdict.
    """

    place: Inlines
    printed: Inlines
    reading: Inlines
    unreadable: str
    verdict: Verdict
    draws: int
    expected: str
    case: Inlines
    correction: Correction | None
    note: Inlines


@dataclass(frozen=True)
class Measurement:
    """One derivation of the sheet and what its measurement gave. ``timed``: its cell has steps, so that lengths were
    drawn.
    """

    subject: Inlines
    cell: str
    validation: Validation
    timed: bool


@dataclass
class SheetContext:
    """State of one build. ``draws`` random draws are made for every measurement, from ``seed``; ``short``: of derivations only the result
    is shown; without ``answers``, what stands in them is not read. Code is refused unless it may ``run``.

    A context manager: at its end, the process in which code ran is gone.
    """

    draws: int = 20
    seed: int = 0
    cells: dict[str, Cell] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    short: bool = False
    answers: bool = True
    given: dict[str, str] = field(default_factory=dict)
    """The numbers that were put in last, by cell."""
    run: bool = False
    folder: Path | None = None
    """Where the sheet lies, if it is a user's file: results of runs are looked for below it."""
    code_names: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """What the author of the sheet should look at."""
    code: Runner = field(default_factory=Runner, repr=False)
    """What runs the code of this sheet."""

    def __enter__(self) -> SheetContext:
        return self

    def __exit__(self, *error: object) -> None:
        self.code.close()

    def cell(self, call: BlockCall, option: str = "cell") -> Cell:
        """The cell that a block names: one that the sheet defines, or one of the library.

        Raises
        ------
        ParseError : there is none of that name.
        """
        return self.named(call, call.text(option), option)

    def named(self, call: BlockCall, name: str, option: str | None = None) -> Cell:
        """The cell of a name; an error is about an option of the block, or about the block."""
        if name in self.cells:
            return self.cells[name]
        if name in library():
            return cell(name)
        known = ", ".join(self.cells) or "none yet"
        raise call.error(
            f"there is no cell called {name!r}",
            option,
            expected=f"one that the sheet defines ({known}), or one of {', '.join(library())}",
        )


def context_of(call: BlockCall) -> SheetContext:
    """The state that the sheet's build passes to every block."""
    context: SheetContext = call.context
    return context
