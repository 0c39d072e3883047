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
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from derive.errors import UsageError, clipped
from derive.files import read_bytes, read_text
from reports.run_parts import Pictures

METRICS, CURVE = "metrics.json", "curve.csv"
_LIMIT = 20_000_000
"""The most bytes of a file that are read."""
_EXPECTED = "a folder that bptt train wrote"

Curve = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class RunResults:
    """The metrics of a run, the columns of its curve, and the files of its pictures, as far as they were kept."""

    metrics: Mapping[str, Any]
    curve: Curve
    pictures: Pictures = field(default_factory=dict)


def kept_names() -> tuple[str, ...]:
    """Names of the runs whose results are kept with the package."""
    folder = resources.files("reports") / "results"
    return tuple(sorted(entry.name[: -len(".json")] for entry in folder.iterdir() if entry.name.endswith(".json")))


def kept_run(name: str) -> RunResults:
    """A run that is kept with the package: ``NAME.json``, ``NAME-curve.csv`` if it has a curve, and ``NAME-FILE`` for its pictures.

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
    files = {file: folder / f"{name}-{file}" for file in _picture_files(metrics)}
    return RunResults(
        metrics,
        columns(curve.read_text(encoding="utf-8")) if curve.is_file() else {},
        {file: place.read_bytes() for file, place in files.items() if place.is_file()},
    )


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
    curve = columns(read_text(place / CURVE, limit=_LIMIT, expected="a curve of bptt train")) if has_curve else {}
    return RunResults(metrics, curve, pictures_in(place, metrics))


def pictures_in(folder: Path, metrics: Mapping[str, Any]) -> Pictures:
    """The files of a run's pictures that lie in its folder.

    Raises
    ------
    UsageError : one of them cannot be read, or is a link that leads elsewhere.
    """
    found = {}
    for file in _picture_files(metrics):
        place = folder / file
        if not place.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{clipped(str(place), 200)!r} is a link that leads out of its folder", expected=_EXPECTED)
        if place.exists():
            found[file] = read_bytes(place, limit=_LIMIT, expected="a picture of bptt train")
    return found


def _picture_files(metrics: Mapping[str, Any]) -> list[str]:
    """The names of a run's pictures, as far as they are names of files and lead nowhere else."""
    try:
        files = [str(panels["file"]) for panels in metrics["results"].get("panels", ())]
    except (KeyError, TypeError, AttributeError):
        return []  # whoever shows them says what is wrong with them
    return [file for file in files if file not in ("", ".", "..") and PurePath(file).name == file and "\0" not in file]


def columns(text: str) -> Curve:
    """The columns of a curve, by their names.

    >>> columns("step,loss\\n1,2.0\\n2,1.5\\n")
    {'step': ['1', '2'], 'loss': ['2.0', '1.5']}
    """
    rows = list(csv.reader(io.StringIO(text)))
    header = rows[0] if rows else []
    whole = [row for row in rows[1:] if len(row) == len(header)]
    return {name: [row[k] for row in whole] for k, name in enumerate(header)}


__all__ = ["CURVE", "METRICS", "RunResults", "columns", "kept_names", "kept_run", "pictures_in", "run_in"]
