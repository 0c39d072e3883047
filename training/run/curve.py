"""The loss curve as CSV, row by row while the run lasts."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from training.errors import TrainingError, disk_error
from training.files import write_text
from training.run.results import Cell

NAME = "curve.csv"


class Curve:
    """Rows (step, loss, and what the task measures). After an interruption the file is written anew with the rows of the checkpoint.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Curve(Path(folder), ("norm",)) as curve:
    ...         curve.add(1, 0.5, {"norm": 2.0})
    ...     with Curve(Path(folder), ("norm",), curve.rows) as curve:
    ...         curve.add(2, 0.25, {})
    ...     read_curve(Path(folder))
    {'step': ['1', '2'], 'loss': ['0.5', '0.25'], 'norm': ['2.0', '']}
    """

    def __init__(self, folder: Path, columns: Sequence[str] = (), rows: str = "") -> None:
        self.path = folder / NAME
        self.columns = ("step", "loss", *columns)
        self.rows = rows
        try:
            write_text(self.path, ",".join(self.columns) + "\n" + rows)
            self._file: TextIO = self.path.open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise disk_error(TrainingError, self.path, error, "nothing was lost") from None

    def add(self, step: int, loss: float, measured: Mapping[str, Cell]) -> None:
        """One row; floats with all their digits."""
        cells = [str(step), repr(loss), *(_cell(measured.get(column)) for column in self.columns[2:])]
        self._write(",".join(cells) + "\n")

    def keep(self) -> None:
        """Let the rows last on the disk."""
        with self._told():
            self._file.flush()
            os.fsync(self._file.fileno())

    def _write(self, line: str) -> None:
        with self._told():
            self._file.write(line)
            self._file.flush()
        self.rows += line

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise disk_error(
                TrainingError, self.path, error, "--resume goes on from the last checkpoint, if there is one"
            ) from None

    def close(self) -> None:
        """Close the file. What could not be written has been told before."""
        with suppress(OSError):
            self._file.close()

    def __enter__(self) -> Curve:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_curve(folder: Path) -> dict[str, list[str]]:
    """The columns of a folder's curve."""
    with (folder / NAME).open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    return {name: [row[k] for row in rows] for k, name in enumerate(header)}


def _cell(value: Cell) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


__all__ = ["NAME", "Curve", "read_curve"]
