"""The results of training runs that a page can show: those that are kept with the package, and the folders that ``bptt train`` wrote.

>>> found = kept_run("practical-11")
>>> found.metrics["task"], sorted(found.metrics["results"]["numbers"])
('practical-11', ['test error of gru', 'test error of lstm', 'test error of mgu', 'test error of rnn'])
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

from derive.errors import UsageError, clipped
from derive.files import read_text

METRICS, CURVE = "metrics.json", "curve.csv"
_LIMIT = 20_000_000
"""The most bytes of a file that are read."""
_EXPECTED = "a folder that bptt train wrote"

Curve = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class RunResults:
    """The metrics of a run, and the columns of its curve; these are empty where no curve was kept."""

    metrics: Mapping[str, Any]
    curve: Curve


def kept_names() -> tuple[str, ...]:
    """Names of the runs whose results are kept with the package."""
    folder = resources.files("reports") / "results"
    return tuple(sorted(entry.name[: -len(".json")] for entry in folder.iterdir() if entry.name.endswith(".json")))


def kept_run(name: str) -> RunResults:
    """A run that is kept with the package: ``NAME.json``, and ``NAME-curve.csv`` if it has a curve.

    Raises
    ------
    UsageError : there is none of that name.
    """
    if name not in kept_names():
        raise UsageError(
            f"no run is kept under the name {clipped(name, 60)!r}", expected=f"one of {', '.join(kept_names())}"
        )
    folder = resources.files("reports") / "results"
    curve = folder / f"{name}-curve.csv"
    metrics = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return RunResults(metrics, columns(curve.read_text(encoding="utf-8")) if curve.is_file() else {})


def run_in(folder: Path, name: str) -> RunResults:
    """The run in the folder ``name`` below ``folder``; nothing outside of that is read.

    Raises
    ------
    UsageError : the name leads elsewhere, there is no such run, or its files are damaged.
    """
    if PurePosixPath(name).is_absolute() or Path(name).is_absolute() or ".." in Path(name).parts:
        raise UsageError(f"{clipped(name, 100)!r} is not below the folder of the sheet", expected=_EXPECTED)
    place = folder / name
    if not place.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{clipped(name, 100)!r} is a link that leads out of the folder of the sheet", expected=_EXPECTED
        )
    text = read_text(place / METRICS, limit=_LIMIT, expected="the metrics of a run, as bptt train writes them")
    try:
        metrics = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{clipped(str(place / METRICS), 200)!r} is no JSON: {error}", expected=_EXPECTED) from None
    if not isinstance(metrics, dict):
        raise UsageError(f"{clipped(str(place / METRICS), 200)!r} holds no metrics", expected=_EXPECTED)
    has_curve = (place / CURVE).exists()
    return RunResults(
        metrics, columns(read_text(place / CURVE, limit=_LIMIT, expected="a curve of bptt train")) if has_curve else {}
    )


def columns(text: str) -> Curve:
    """The columns of a curve, by their names.

    >>> columns("step,loss\\n1,2.0\\n2,1.5\\n")
    {'step': ['1', '2'], 'loss': ['2.0', '1.5']}
    """
    rows = list(csv.reader(io.StringIO(text)))
    header = rows[0] if rows else []
    whole = [row for row in rows[1:] if len(row) == len(header)]
    return {name: [row[k] for row in whole] for k, name in enumerate(header)}


__all__ = ["CURVE", "METRICS", "RunResults", "columns", "kept_names", "kept_run", "run_in"]
