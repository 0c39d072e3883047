"""What the commands print, on terminals and files of every kind: full disks, closed pipes, and terminals without
mathematical signs.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, TextIO

from derive.errors import BpttError, visible

WIDTH = 100
"""The width of lines where there is no terminal."""

_NARROWEST = 40
_ERRORS = "bptt-spelled"
_SPELLINGS = {
    "∂⁺": "partial^{+} ", "∂": "partial ", "∇": "nabla", "·": "*", "×": "x", "⊗": "kron", "⊙": "*", "≤": "<=",
    "≥": ">=", "≈": "~=", "≠": "!=",
    "∈": "in", "→": "->", "⇒": "=>", "…": "...", "∞": "infty", "⊤": "T", "ℝ": "R", "⁺": "^+", "⁻": "^-", "ⁿ": "^n",
    "¹": "^1", "²": "^2", "³": "^3",
    "–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "Σ": "Sum", "∏": "Prod", "Λ": "Lambda",
    "σ": "sigma", "λ": "lambda",
    "δ": "delta", "‖": "||", "ℕ": "N",
}  # fmt: skip
"""Mathematical signs for terminals that have none; most are read again by the plain notation."""


class OutputError(BpttError):
    """The standard output cannot be written to."""


def prepare() -> None:
    """Let every character be printed: what a terminal lacks is spelled."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERRORS)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    for sign, spelling in _SPELLINGS.items():
        text = text.replace(sign, spelling)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


codecs.register_error(_ERRORS, _spelled)


def say(text: str) -> None:
    """Print to the standard output.

    Raises
    ------
    BrokenPipeError : nobody reads any more.
    OutputError     : it cannot be written, for want of space for instance.
    """
    try:
        if sys.stdout is None:
            raise ValueError("it is closed")
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        abandon(sys.stdout)
        raise OutputError(
            f"the standard output cannot be written: {getattr(error, 'strerror', None) or error}"
        ) from None


def say_json(data: Any) -> None:
    """Print data as JSON, which has a spelling of its own for the characters that a terminal lacks."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    say(json.dumps(data, ensure_ascii=not encoding.startswith("utf"), indent=2))


def tell(text: str) -> None:
    """Print to the standard error; there is nobody to complain to if that fails."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        abandon(sys.stderr)


def tell_error(error: BpttError) -> None:
    """Print an error as users see it."""
    tell(f"bptt: {error}")


def abandon(stream: TextIO | None) -> None:
    """Let what is still waiting to be written disappear, so that the interpreter does not fail over it when it ends."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def width() -> int:
    """How long printed lines may be: as the terminal is wide."""
    if sys.stdout is None or not sys.stdout.isatty():
        return WIDTH
    return max(_NARROWEST, shutil.get_terminal_size((WIDTH, 24)).columns)


def safe(text: str) -> str:
    """A name for one line of output."""
    return visible(text).replace("\n", "\\n")
