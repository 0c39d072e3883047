"""What a run leaves in its folder while it lasts: the rows of its curve, and checkpoints. The first process alone keeps one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from training.run import checkpoint
from training.run.checkpoint import Progressed
from training.run.curve import Curve
from training.run.events import Events
from training.run.results import Cell
from training.run.stepping import Stepping


class Record:
    """Of a folder.

    Parameters
    ----------
    settings    : of the run, as text.
    origin      : what it is about, as text by name.
    upto        : the step from which the run goes on.
    rows        : the rows of the curve up to there.
    tensorboard : whether events are written as well.
    """

    def __init__(
        self,
        folder: Path,
        stepping: Stepping,
        settings: str,
        origin: Mapping[str, str] | None = None,
        upto: int = 0,
        rows: str = "",
        tensorboard: bool = False,
    ) -> None:
        self.folder = folder
        self._stepping, self._settings, self._origin = stepping, settings, dict(origin or {})
        self._curve = Curve(folder, stepping.job.columns, rows)
        self._events = Events(folder, upto) if tensorboard else None

    def add(self, step: int, loss: float, measured: Mapping[str, Cell]) -> None:
        """A row."""
        self._curve.add(step, loss, measured)
        if self._events is not None:
            self._events.add(step, loss, measured)

    def save(self, at: Progressed) -> None:
        """A checkpoint, and the rows before it."""
        self._curve.keep()
        if self._events is not None:
            self._events.keep()
        checkpoint.save(self.folder, self._stepping, at, self._settings, self._curve.rows, self._origin)

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        self._curve.close()
        if self._events is not None:
            self._events.close()


__all__ = ["Record"]
