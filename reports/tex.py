"""PDF through pdfTeX, in a folder of its own, without a shell, and with no file in reach but its own and the
installation's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from derive.errors import RenderError

PROGRAM = "pdflatex"
EPOCH = "0"
"""The time that documents carry (SOURCE_DATE_EPOCH): the same one every day."""
_JOB = "document"
_MOST_RUNS = 5
_OPTIONS = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", f"-jobname={_JOB}")
_DRAFT = ("-draftmode",)
_ERROR = re.compile(r"^(?:\.?/?[^\s:]+\.\w+:(\d+): |! )(.*)$", re.MULTILINE)
_OVERFULL = re.compile(
    r"^Overfull \\([hv])box \((\d+(?:\.\d+)?)pt too (?:wide|high)\)(?:.*?\blines? (\d+))?", re.MULTILINE
)
_OVERFULL_FROM = 5.0
"""Lines that stick out further (pt) are worth telling; less is hardly seen."""
_OTHER_ROUTE = "the route 'typst' makes the PDF without TeX"
_MISSING_FILE = re.compile(r"File `([^']+)' not found")


class MissingPackageError(RenderError):
    """The TeX installation lacks a package that documents use."""


@dataclass(frozen=True)
class Overfull:
    """Something that sticks out of the page: how far, at its side or at its bottom, and the line of LaTeX it is in (0:
    not known).
    """

    points: float
    side: bool
    line: int

    @property
    def cm(self) -> float:
        """How far in centimetres."""
        return self.points * 2.54 / 72.27


@dataclass(frozen=True)
class TexOutput:
    """A PDF, and what sticks out of its pages."""

    pdf: bytes
    overfull: tuple[Overfull, ...]


def tex_program() -> str | None:
    """The path of pdfTeX, if there is one."""
    return shutil.which(PROGRAM)


def missing_program() -> RenderError:
    """The error that there is no TeX."""
    return RenderError(
        "no TeX is installed",
        expected=f"{PROGRAM} on the PATH",
        hint="install TeX, or use the route 'typst', which needs none",
    )


def compile_tex(source: str, assets: Mapping[str, bytes] | None = None, *, seconds: float = 90.0) -> TexOutput:
    """Run pdfTeX as often as the document needs.

    Parameters
    ----------
    source  : the LaTeX document.
    assets  : files beside it, by name.
    seconds : time that all runs together may take.

    Raises
    ------
    RenderError         : no TeX, TeX reports an error (the first one is told, with its line), or the time is up.
    MissingPackageError : a package is not installed.
    """
    program = tex_program()
    if program is None:
        raise missing_program()
    with tempfile.TemporaryDirectory(prefix="reports-") as folder:
        work = Path(folder)
        (work / f"{_JOB}.tex").write_text(source, encoding="utf-8")
        for name, content in (assets or {}).items():
            (work / name).write_bytes(content)
        log = _runs(program, work, source, seconds)
        return TexOutput((work / f"{_JOB}.pdf").read_bytes(), _overfull(log))


def _runs(program: str, work: Path, source: str, seconds: float) -> str:
    """Run until the auxiliary files stay the same; the last log. The first run makes these files alone."""
    before: tuple[bytes, ...] | None = None
    end = time.monotonic() + seconds
    for number in range(_MOST_RUNS):
        command = [program, *_OPTIONS, *(() if number else _DRAFT)]
        try:
            log = _run(command, work, source, end)
        except subprocess.TimeoutExpired:
            raise RenderError(
                f"TeX was still at work after {seconds:g} seconds",
                hint=f"is there a very long table or drawing? {_OTHER_ROUTE}",
            ) from None
        after = tuple(
            path.read_bytes() for path in sorted(work.glob(f"{_JOB}.*")) if path.suffix in (".aux", ".out", ".toc")
        )
        if after == before:
            break
        before = after
    if not (work / f"{_JOB}.pdf").exists():
        raise _error(log, source)
    return log


def _run(command: Sequence[str], work: Path, source: str, end: float) -> str:
    done = subprocess.run(
        [*command, f"{_JOB}.tex"],
        cwd=work,
        env=_environment(work),
        capture_output=True,
        timeout=max(0.0, end - time.monotonic()),
        check=False,
        stdin=subprocess.DEVNULL,
    )
    log_file = work / f"{_JOB}.log"
    log = (
        log_file.read_text(encoding="utf-8", errors="replace")
        if log_file.exists()
        else done.stdout.decode(errors="replace")
    )
    if done.returncode != 0:
        raise _error(log, source)
    return log


def _environment(work: Path) -> dict[str, str]:
    """Only what TeX needs. Paranoid file access: nothing above the folder, nothing hidden, nothing by an absolute path."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEXMFCNF") if name in os.environ}
    here = {name: str(work / ".texmf") for name in ("HOME", "TEXMFHOME", "TEXMFVAR", "TEXMFCONFIG")}
    fixed = {
        "SOURCE_DATE_EPOCH": EPOCH,
        "FORCE_SOURCE_DATE": "1",
        "openin_any": "p",
        "openout_any": "p",
        "shell_escape": "f",
    }
    return {**kept, **here, **fixed, "max_print_line": "10000", "LC_ALL": "C", "TZ": "UTC"}


def _error(log: str, source: str) -> RenderError:
    """The first error of a log, with the line of LaTeX that it is about."""
    missing = _MISSING_FILE.search(log)
    if missing:
        return MissingPackageError(
            f"the TeX installation has no {missing.group(1)}",
            expected="Debian: texlive-latex-recommended, texlive-pictures, lmodern",
            hint="install it, or use the route 'typst', which needs no TeX",
        )
    found = _ERROR.search(log)
    if found is None:
        return RenderError("TeX failed without saying why", hint=_OTHER_ROUTE)
    line, message = found.groups()
    lines = source.splitlines()
    shown = f", at line {line}: {lines[int(line) - 1].strip()[:200]}" if line and 0 < int(line) <= len(lines) else ""
    return RenderError(f"TeX reports: {message.strip()}{shown}", hint=_OTHER_ROUTE)


def _overfull(log: str) -> tuple[Overfull, ...]:
    found = (
        (match.group(1) == "h", float(match.group(2)), int(match.group(3) or 0)) for match in _OVERFULL.finditer(log)
    )
    return tuple(Overfull(points, side, line) for side, points, line in found if points > _OVERFULL_FROM)
