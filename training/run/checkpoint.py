"""Checkpoints: all that a run needs to go on as if it had never stopped.

A checkpoint holds the step (which gives the position in the data, see :mod:`training.run.order`), the model, the optimiser, the states
of torch's random numbers (those of the GPU included), the curve so far with the part of its next row that is already summed, the
settings, and what data and equations they were about. It is one file, written beside its place and moved there; behind what
``torch.load`` reads stands the checksum of it. Reading it runs no code (``weights_only``).
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from derive.errors import UsageError, clipped
from training.errors import TrainingError, disk_error
from training.files import write_whole
from training.run.job import Job
from training.run.stepping import Stepping

NAME = "checkpoint.pt"
_FORMAT = 2
_MARK = b"bptt sha256 "
_ANY = (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError, AttributeError, OSError)
"""What torch raises where a file is none of its own."""
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


def save(
    folder: Path,
    stepping: Stepping,
    at: Progressed,
    settings: str,
    curve: str = "",
    origin: Mapping[str, str] | None = None,
) -> None:
    """Write the checkpoint of a folder.

    Parameters
    ----------
    curve  : the rows of the curve so far.
    origin : what the run is about, see :func:`check_origin`.

    Raises
    ------
    TrainingError : it cannot be written, or weights are no longer finite; the one before is kept.
    """
    job = stepping.job
    _check_finite(job, at.step)
    content = {
        "format": _FORMAT, "settings": settings, "at": vars(at), "model": job.model.state_dict(),
        "curve": curve, "origin": dict(origin or {}),
        "optimizer": job.optimizer.state_dict(), "job": job.state(), "scaler": stepping.state(),
        "random": torch.get_rng_state(),
        "random_cuda": [torch.cuda.get_rng_state(stepping.device)] if stepping.device.type == "cuda" else [],
    }  # fmt: skip
    write(folder, content)


def write(folder: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint, and its checksum behind it."""
    written = io.BytesIO()
    torch.save(content, written)
    data = written.getvalue()
    try:
        write_whole(folder / NAME, lambda file: file.write(data + _MARK + hashlib.sha256(data).hexdigest().encode()))
    except OSError as error:
        raise disk_error(
            TrainingError, folder / NAME, error, "the checkpoint before is kept; --resume goes on from it"
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
        written = path.read_bytes()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}", hint=_ANEW) from None
    data, _, checksum = written.rpartition(_MARK)
    if checksum != hashlib.sha256(data).hexdigest().encode():
        if _of_another_version(written):
            raise TrainingError(f"{path} is of another version of bptt", hint=_ANEW)
        raise TrainingError(
            f"{path} is damaged: it is not what was written", expected="a file that ends with its checksum", hint=_ANEW
        )
    content: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    if content["format"] != _FORMAT:
        raise TrainingError(f"{path} is of another version of bptt", hint=_ANEW)
    return content


def _of_another_version(written: bytes) -> bool:
    """Whether it is the whole checkpoint of a version that wrote no checksum."""
    try:
        content = torch.load(io.BytesIO(written), map_location="cpu", weights_only=True)
        return bool(content["format"] != _FORMAT)
    except _ANY:
        return False


def check_origin(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise a UsageError where a run would go on about something else: with other data, or with other equations of the same name.

    >>> check_origin({"data: names": "1f"}, {"data: names": "2e"})
    Traceback (most recent call last):
    derive.errors.UsageError: the run was begun with other data: names
    hint: go on with what it was begun with, or start another run (-o)
    """
    for part in {**before, **now}:
        if before.get(part) != now.get(part):
            said = before.get(part, "") if "\n" in before.get(part, "") or "=" in before.get(part, "") else ""
            raise UsageError(
                f"the run was begun with other {part}",
                expected=clipped(said, 300) or None,
                hint="go on with what it was begun with, or start another run (-o)",
            )


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
        stepping.restore(content["scaler"])
        torch.set_rng_state(content["random"])
        if content["random_cuda"] and stepping.device.type == "cuda":
            torch.cuda.set_rng_state(content["random_cuda"][0], stepping.device)
        return Progressed(**content["at"])
    except _ANY as error:
        said = str(error).strip().splitlines()  # torch's first line names the class alone
        raise TrainingError(
            f"the checkpoint belongs to another model: {' '.join(said[1:2] or said[:1]).strip()}",
            hint="is the file of the cell, or the data, another one than before?",
        ) from None


def _check_finite(job: Job, step: int) -> None:
    bad = [name for name, value in job.model.named_parameters() if not bool(torch.isfinite(value).all())]
    if bad:
        raise TrainingError(
            f"{bad[0]} is not finite after step {step}",
            hint="the last good checkpoint, if there is one, is kept; try a smaller --learning-rate",
        )


__all__ = ["NAME", "Progressed", "check_origin", "read", "restore", "save", "write"]
