"""The curve as events for TensorBoard, beside ``curve.csv``."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from derive.errors import UsageError
from training.errors import TrainingError, disk_error
from training.run.results import Cell

FOLDER = "tensorboard"
"""Where they lie in the folder of a run: ``tensorboard --logdir runs`` shows all runs of a folder."""


def check_installed() -> None:
    """Raise a UsageError where the package tensorboard is missing."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "--tensorboard needs the package tensorboard, which is not installed",
            hint="pip install 'bptt[tensorboard]', or leave the option out: curve.csv has the same numbers",
        )


class Events:
    """Rows as :class:`training.run.curve.Curve` takes them. Where a run goes on, those beyond its checkpoint are dropped.

    Raises
    ------
    TrainingError : they cannot be written.
    """

    def __init__(self, folder: Path, upto: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / FOLDER
        self._hook = threading.excepthook
        threading.excepthook = self._heard
        with self._told():
            self._writer = SummaryWriter(str(self.path), purge_step=upto + 1 if upto else None)

    def add(self, step: int, loss: float, measured: Mapping[str, Cell]) -> None:
        """One row; what is no number is left out."""
        with self._told():
            for name, value in {"loss": loss, **measured}.items():
                if isinstance(value, (int, float)):
                    self._writer.add_scalar(name, value, step)

    def keep(self) -> None:
        """Write what is waiting."""
        with self._told():
            self._writer.flush()

    def close(self) -> None:
        """End the thread that writes. What it could not write has been told before."""
        with suppress(OSError):
            self._writer.close()
        threading.excepthook = self._hook

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise disk_error(
                TrainingError, self.path, error, "--resume goes on from the last checkpoint, if there is one"
            ) from None

    def _heard(self, failed: threading.ExceptHookArgs) -> None:
        """The thread that writes prints a traceback when it fails, and hands the error to the next call as well."""
        if not isinstance(failed.exc_value, OSError):
            self._hook(failed)


__all__ = ["FOLDER", "Events", "check_installed"]
