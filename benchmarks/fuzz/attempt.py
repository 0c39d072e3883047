"""Checking one input, by the function or by the command line, and how that ends."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bptt  # whatever is imported first must not count as time or memory
from benchmarks.fuzz import watch
from benchmarks.fuzz.cases import Case, Outcome
from benchmarks.fuzz.impossible import fault_of
from bptt.cli import main as command
from verify.check import CheckedDocument, checked

Counts = Counter[str]
"""How often each verdict was given."""


def attempt(given: Case, seconds: float = 10.0) -> Outcome:
    """Check one input."""
    return ended(lambda: _commanded(given, seconds) if given.command else _checked(given, seconds))


def ended(tried: Callable[[], tuple[Counts, str]]) -> Outcome:
    """How it ends when something is tried that gives verdicts, and what is impossible about them."""
    watch.start()
    start, memory = time.process_time(), watch.peak()
    end, detail, verdicts = "checked", "", Counts()
    try:
        verdicts, detail = tried()
        end = "impossible" if detail else "refused" if "refused" in verdicts else "checked"
    except watch.TimeIsUp as error:
        end, detail = "hang", watch.where(error)
    except bptt.BpttError as error:
        end, detail = "refused", type(error).__name__
    except (Exception, SystemExit) as error:
        end, detail = "crash", f"{type(error).__name__}: {str(error)[:200]} {watch.where(error)}"
    if watch.touched():
        end, detail = "touched", "; ".join(watch.touched()[:5])
    return Outcome(end, time.process_time() - start, detail, dict(verdicts), watch.peak() - memory)


def allowance(given: Case, seconds: float) -> float:
    """How long a document may take: so long an equation, with more for each of many and for a long text."""
    marks = ("$$", "\\[", "\\begin{equation", "\n", "" if "matrix}" in given.text else "\\\\")
    lines = sum(given.text.count(mark) for mark in marks if mark) // 2
    return seconds + min(30.0, 0.3 * max(0, lines - 10)) + len(given.text) / 40_000


def _checked(given: Case, seconds: float) -> tuple[Counts, str]:
    """The verdicts of the function."""
    cell = None
    if given.cell is not None:
        with watch.limited(allowance(given, seconds)):
            cell = bptt.cell(given.cell)

    def again(other: Case) -> CheckedDocument:
        with watch.limited(allowance(other, seconds)):
            found = checked(other.text, cell, name=other.name, aliases=other.aliases, inline=other.inline)
            json.dumps([one.data() for one in found.equations], allow_nan=False)
            "".join(str(one.counterexample) for one in found.equations)
        return found

    found = again(given)
    return Counts(one.verdict for one in found.equations), fault_of(given, found, again)


def _commanded(given: Case, seconds: float) -> tuple[Counts, str]:
    """The verdicts of the command line, which is run twice: for text and for JSON."""
    counts = Counts()
    for option in ([], ["--json"]):
        status, out, err = _run(given, seconds, option)
        if status not in (0, 1, 2) or "nested too deeply" in err or "not enough memory" in err:
            return counts, f"status {status}: {err[:300]}"
        if status == 2:
            return Counts(refused=1), "" if err.strip() else "status 2 without a word"
        if option:
            counts.update(str(one["verdict"]) for one in json.loads(out))
    return counts, ""


def _run(given: Case, seconds: float, option: list[str]) -> tuple[int, str, str]:
    """The exit status of the command, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"document{'.ipynb' if given.name.endswith('.ipynb') else '.tex'}"
        path.write_bytes(given.text.encode("utf-8", "surrogatepass"))
        watch.allow(str(path))
        arguments = ["check", str(path), *option, *(["--inline"] if given.inline else [])]
        arguments += [] if given.cell is None else [f"--cell={given.cell}"]
        arguments += [f"--alias={alias}" for alias in given.aliases]
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
            watch.limited(allowance(given, seconds)),
        ):
            status = command(arguments)
    return status, out.getvalue(), err.getvalue()
