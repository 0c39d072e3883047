"""The options that ``bptt check`` and ``bptt grade`` share, read before the work: which cell, and which names."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence

from derive.cell import Cell, cell, library
from derive.errors import BpttError, UsageError, clipped
from derive.files import is_file_name
from derive.notation import surface as s
from derive.notation.parser import parse_one

_CELL = "a name that 'bptt cells' lists, a file, or the equations themselves in quotes"
_ENDINGS = (".tex", ".txt", ".md", ".ipynb", ".cell")


def cell_of(given: str) -> Cell:
    """The cell that ``--cell`` names.

    Raises
    ------
    UsageError : there is no such file, or no such cell in the library; and all that a cell can raise.
    """
    if not given.strip():
        raise UsageError("--cell: no cell is named", expected=_CELL)
    if "=" in given or "\n" in given or given in library() or is_file_name(given):
        return cell(given)
    shown = repr(clipped(given, 200))
    if os.sep in given or "/" in given or given.lower().endswith(_ENDINGS):
        raise UsageError(
            f"--cell: there is no file {shown}", expected="the path of a file with the equations of a cell"
        )
    close = difflib.get_close_matches(given.lower(), library(), n=3, cutoff=0.5) if len(given) < 100 else []
    raise UsageError(
        f"--cell: there is no cell {shown} in the library, and no file of that name",
        expected=_CELL,
        hint=f"did you mean {' or '.join(close)}?" if close else None,
    )


def aliases_of(given: Sequence[str]) -> list[str]:
    """The aliases, each once.

    Raises
    ------
    UsageError : one says nothing, or two say different things of one name.
    """
    meant: dict[s.Surface | str, tuple[s.Surface | str, str]] = {}
    for text in given:
        left, sign, right = text.partition("=")
        if not sign:
            raise UsageError(f"{clipped(text)!r} is no alias", expected="NAME=FORMULA, such as g_t=\\delta_t")
        name, formula = _read(left), _read(right)
        if name == formula:
            raise UsageError(
                f"the alias {clipped(text)} says nothing: both sides are the same", expected="such as g_t=\\delta_t"
            )
        other, before = meant.setdefault(name, (formula, text))
        if other != formula:
            raise UsageError(
                f"two aliases say different things of {clipped(left.strip())}: {clipped(before)} and {clipped(text)}",
                expected="one meaning for each name",
            )
    return [text for _, text in meant.values()]


def _read(text: str) -> s.Surface | str:
    """One side, so that spellings of one formula are the same; as it is where it cannot be read, which is told later."""
    try:
        return parse_one(text).items[0]
    except BpttError:
        return text.strip()


__all__ = ["aliases_of", "cell_of"]
