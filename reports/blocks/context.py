"""What the blocks of one sheet share: its cells, what was measured, and what was said of the source."""

from __future__ import annotations

from dataclasses import dataclass, field

from derive.cell import Cell, cell
from derive.errors import BpttError, UsageError
from numeric.validate import Validation
from reports.document import Inlines
from reports.markdown import BlockCall
from verify.judge import Verdict


@dataclass(frozen=True)
class Finding:
    """One claim of the source: where, how it is printed, what was found, and what holds instead."""

    place: str
    printed: Inlines
    verdict: Verdict
    label: str
    correction: Inlines
    note: Inlines


@dataclass(frozen=True)
class Measurement:
    """One derivation of the sheet and what its measurement gave."""

    subject: Inlines
    validation: Validation


@dataclass
class SheetContext:
    """State of one build. ``draws`` random draws are made for every measurement, from ``seed``."""

    draws: int = 20
    seed: int = 0
    cells: dict[str, Cell] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)

    def cell(self, call: BlockCall) -> Cell:
        """The cell that a block names: one that the sheet defines, or one of the library.

        Raises
        ------
        UsageError : there is none of that name.
        """
        name = required(call, "cell")
        if name in self.cells:
            return self.cells[name]
        try:
            return cell(name)
        except UsageError as error:
            known = ", ".join(self.cells) or "none yet"
            raise UsageError(f"there is no cell called {name!r}", span=call.span, expected=f"one that the sheet defines ({known}), or one of the library") from error


def required(call: BlockCall, option: str) -> str:
    """An option that a block must have.

    Raises
    ------
    UsageError : it is missing.
    """
    value = call.options.get(option)
    if not value:
        raise UsageError(f"the block '{call.name}' lacks the option '{option}'", span=call.span, expected=f"a line '{option}: ...'")
    return value


def flag(call: BlockCall, option: str, default: bool = False) -> bool:
    """An option that is ``yes`` or ``no``.

    Raises
    ------
    UsageError : it is neither.
    """
    value = call.options.get(option)
    if value is None:
        return default
    if value not in ("yes", "no"):
        raise UsageError(f"'{option}: {value}' in the block '{call.name}'", span=call.span, expected=f"'{option}: yes' or '{option}: no'")
    return value == "yes"


def count(call: BlockCall, option: str, default: int) -> int:
    """An option that is a positive whole number.

    Raises
    ------
    UsageError : it is not.
    """
    value = call.options.get(option, str(default))
    if not value.isdigit() or int(value) < 1:
        raise UsageError(f"'{option}: {value}' in the block '{call.name}'", span=call.span, expected="a positive whole number")
    return int(value)


def allowed(call: BlockCall, *options: str) -> None:
    """Refuse options that the block does not know.

    Raises
    ------
    UsageError : with the option and what there is.
    """
    import difflib

    for option in call.options:
        if option not in options:
            close = difflib.get_close_matches(option, options, n=1)
            raise UsageError(
                f"the block '{call.name}' has no option '{option}'", span=call.span, expected=f"one of {', '.join(options)}",
                hint=f"did you mean '{close[0]}'?" if close else None,
            )  # fmt: skip


def located(call: BlockCall, error: BpttError) -> BpttError:
    """An error of the engine inside a block: where the block stands, unless the error knows better."""
    return error.at(call.span) if call.span is not None else error
