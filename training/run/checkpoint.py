"""Checkpoints: all that a run needs to go on as if it had never stopped.

A checkpoint holds the step (which gives the position in the data, see :mod:`training.run.order`), the model, the optimiser, the states
of torch's random numbers (those of the GPU included), the part of the curve's next row that is already summed, and the settings. It is
one file, written beside its place and moved there; reading it runs no code (``weights_only``).
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from training.errors import TrainingError, disk_error
from training.files import write_whole
from training.run.job import Job
from training.run.stepping import Stepping

NAME = "checkpoint.pt"
_FORMAT = 1
_KEYS = {"settings", "at", "model", "optimizer", "job", "random", "random_cuda"}
_ANEW = "start the run anew in another folder (-o), or remove this one"


@dataclass
class Progressed:
    """How far a run is.

    Parameters
    ----------
    step    : updates that were made.
    sum     : of the losses since the last row of the curve.
    count   : of those losses.
    seconds : that the updates took, over all stretches of the run.
    first   : the loss before the first update.
    """

    step: int = 0
    sum: float = 0.0
    count: int = 0
    seconds: float = 0.0
    first: float = field(default=float("nan"))


def save(folder: Path, stepping: Stepping, at: Progressed, settings: str) -> None:
    """Write the checkpoint of a folder.

    Raises
    ------
    TrainingError : it cannot be written, or weights are no longer finite; the one before is kept.
    """
    job = stepping.job
    _check_finite(job, at.step)
    content = {
        "format": _FORMAT, "settings": settings, "at": vars(at), "model": job.model.state_dict(),
        "optimizer": job.optimizer.state_dict(), "job": job.state(), "scaler": stepping.state(),
        "random": torch.get_rng_state(),
        "random_cuda": [torch.cuda.get_rng_state(stepping.device)] if stepping.device.type == "cuda" else [],
    }  # fmt: skip
    try:
        write_whole(folder / NAME, lambda file: torch.save(content, file))
    except (OSError, RuntimeError) as error:  # torch's writer reports a full disk as a RuntimeError
        cause = error if isinstance(error, OSError) else error.__context__
        failed = cause if isinstance(cause, OSError) else OSError(None, str(error).splitlines()[0])
        raise disk_error(
            TrainingError, folder / NAME, failed, "the checkpoint before is kept; --resume goes on from it"
        ) from None


def read(folder: Path) -> dict[str, Any]:
    """The content of a folder's checkpoint.

    Raises
    ------
    TrainingError : there is none, or it is damaged.
    """
    path = folder / NAME
    if not path.exists():
        raise TrainingError(
            f"there is no checkpoint in {folder}",
            expected=f"the folder of a run, with {NAME}",
            hint="leave out --resume to start one",
        )
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        known = content["format"] == _FORMAT
        if known and not content.keys() >= _KEYS:
            raise ValueError(f"it lacks {', '.join(sorted(_KEYS - content.keys()))}")
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        said = str(error).strip().splitlines()
        raise TrainingError(f"{path} is damaged: {said[0] if said else type(error).__name__}", hint=_ANEW) from None
    if not known:
        raise TrainingError(f"{path} is of another version of bptt", hint=_ANEW)
    return content


def restore(content: dict[str, Any], stepping: Stepping) -> Progressed:
    """Put a run where the checkpoint was written.

    Raises
    ------
    TrainingError : it belongs to another model.
    """
    job = stepping.job
    try:
        job.model.load_state_dict(content["model"])
        job.optimizer.load_state_dict(content["optimizer"])
        job.restore(content["job"])
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
        said = str(error).strip().splitlines()  # torch's first line names the class alone
        raise TrainingError(
            f"the checkpoint belongs to another model: {' '.join(said[1:2] or said[:1]).strip()}",
            hint="is the file of the cell, or the data, another one than before?",
        ) from None
    stepping.restore(content.get("scaler", {}))
    torch.set_rng_state(content["random"])
    if content["random_cuda"] and stepping.device.type == "cuda":
        torch.cuda.set_rng_state(content["random_cuda"][0], stepping.device)
    return Progressed(**content["at"])


def _check_finite(job: Job, step: int) -> None:
    bad = [name for name, value in job.model.named_parameters() if not bool(torch.isfinite(value).all())]
    if bad:
        raise TrainingError(
            f"{bad[0]} is not finite after step {step}",
            hint="the last good checkpoint, if there is one, is kept; try a smaller --learning-rate",
        )


__all__ = ["NAME", "Progressed", "read", "restore", "save"]
