"""What is tried, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FATAL = frozenset({"crash", "hang", "stuck", "died", "touched", "impossible"})
"""Ends that no input may have."""


@dataclass(frozen=True)
class Case:
    """An input.

    Parameters
    ----------
    kind    : which generator made it.
    text    : the document.
    cell    : the text of the cell; None where the document is to be its own.
    name    : what the document is called.
    aliases : names of the author.
    inline  : whether formulas within lines are checked.
    command : whether it goes through the command line instead of the function.
    """

    kind: str
    text: str
    cell: str | None = None
    name: str = "<text>"
    aliases: tuple[str, ...] = ()
    inline: bool = False
    command: bool = False

    def literal(self, most: int = 700) -> str:
        """It as Python, for a report; long texts are cut."""
        parts = [_literal(self.text, most)]
        parts += [] if self.cell is None else [f"cell={_literal(self.cell, most)}"]
        parts += [] if self.name == "<text>" else [f"name={self.name!r}"]
        parts += [f"aliases={self.aliases!r}"] if self.aliases else []
        parts += ["inline=True"] if self.inline else []
        return f"{'command' if self.command else 'check'}({', '.join(parts)})"


def _literal(text: str, most: int) -> str:
    shown = repr(text)
    return shown if len(shown) <= most else f"{shown[: most // 2]} ...{len(text)} characters... {shown[-most // 2 :]}"


@dataclass(frozen=True)
class Outcome:
    """How an input ended.

    Parameters
    ----------
    end      : ``checked``, ``refused``, or one of ``FATAL``.
    seconds  : how long it took the processor.
    detail   : the error, and where it was raised.
    verdicts : how often each verdict was given.
    memory   : by how many bytes the largest memory of the process grew.
    kind     : which generator made the input.
    """

    end: str
    seconds: float
    detail: str = ""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    memory: int = 0
    kind: str = ""
