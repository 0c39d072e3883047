"""The curve as events for TensorBoard, beside ``curve.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from derive.errors import UsageError
from training.run.job import Cell

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
    """Rows as :class:`training.run.curve.Curve` takes them. Where a run goes on, those beyond its checkpoint are dropped."""

    def __init__(self, folder: Path, upto: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / FOLDER), purge_step=upto + 1 if upto else None)

    def add(self, step: int, loss: float, measured: Mapping[str, Cell]) -> None:
        """One row; what is no number is left out."""
        for name, value in {"loss": loss, **measured}.items():
            if isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is waiting."""
        self._writer.close()


__all__ = ["FOLDER", "Events", "check_installed"]
