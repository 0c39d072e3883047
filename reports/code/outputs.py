"""What came out of a piece of code, made the same on every run and fit for paper: words without colours, pictures as SVG.
What cannot be the same on every run is an error.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from derive.errors import visible
from reports.code.executed import Output, Picture, Printed, Raised
from reports.code.pictures import from_png, from_svg

MAX_PICTURES = 12
"""Most pictures of one piece of code."""

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_ERASED = re.compile(r"[^\n]*\r(?!\n)")
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
_FRAME = re.compile(r"Cell In\s?\[(\d+)\], line (\d+)")


@dataclass(frozen=True)
class Result:
    """All outputs, what was written to the standard error, and where an error was raised: the line of the code, 0 where
    it is not known.
    """

    outputs: tuple[Output, ...]
    complaints: str
    line: int = 0


class ChangingError(ValueError):
    """Something that is another one on each run; the message says what."""


def result_of(number: int, outputs: Iterable[Mapping[str, Any]], folder: Path) -> Result:
    """The result of the code with this number. ``folder``: where its process lives.

    Raises
    ------
    ChangingError : the outputs hold an address in memory or the name of the folder, or are too many pictures.
    """
    found: list[Output] = []
    complaints, line = "", 0
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stderr":
            complaints += plain(output["text"])
        elif output["output_type"] == "error":
            line = _line(number, output["traceback"])
            found.append(Raised(plain(output["ename"]), plain(output["evalue"])))
        else:
            found += _outputs(output)
    joined = tuple(_joined(found))
    for one in joined:
        if not isinstance(one, Picture):
            _check(one.text, folder)
    if sum(isinstance(one, Picture) for one in joined) > MAX_PICTURES:
        raise ChangingError(f"it draws more than {MAX_PICTURES} pictures")
    return Result(joined, complaints, line)


def plain(text: str) -> str:
    """A text as it stands in the end on a terminal, without colours; what is invisible in it is spelled by its number."""
    return visible(_ERASED.sub("", _COLOURS.sub("", text)).replace("\r\n", "\n").expandtabs(8))


def _outputs(output: Mapping[str, Any]) -> Iterator[Output]:
    if output["output_type"] == "stream":
        yield Printed(plain(output["text"]))
        return
    data = output["data"]
    picture = None
    if "image/svg+xml" in data:
        picture = from_svg(data["image/svg+xml"])
    if picture is None and "image/png" in data:
        picture = from_png(base64.b64decode(data["image/png"]))
    if picture is not None:
        yield picture
    elif "text/plain" in data:
        value = output["output_type"] == "execute_result"
        yield Printed(plain(data["text/plain"]).rstrip("\n") + "\n", value)


def _joined(outputs: Iterable[Output]) -> Iterator[Output]:
    """The same, with what was printed in pieces in one."""
    last: Output | None = None
    for output in outputs:
        if isinstance(last, Printed) and isinstance(output, Printed) and not (last.value or output.value):
            last = Printed(last.text + output.text)
            continue
        if last is not None:
            yield last
        last = output
    if last is not None:
        yield last


def _check(text: str, folder: Path) -> None:
    if _ADDRESS.search(text):
        raise ChangingError("what it prints holds an address in memory, which is another one on each run")
    if str(folder) in text or "ipykernel_" in text:
        raise ChangingError("what it prints holds the name of a temporary folder, which is another one on each run")


def _line(number: int, traceback: Iterable[str]) -> int:
    """The last line of this code that a traceback names."""
    lines = [int(line) for cell, line in _FRAME.findall("\n".join(traceback)) if int(cell) == number]
    return lines[-1] if lines else 0
