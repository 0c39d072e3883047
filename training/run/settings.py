"""What a run is made of, complete enough to be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from derive.errors import UsageError, clipped
from training.run.limits import Between

DTYPES = ("float32", "float64")
PRECISIONS = ("full", "bfloat16", "float16")
Own = str | int | float


_READ = 1_000_000_000
"""What a whole number on the command line is read as where it is larger."""
_LIMITS = {
    "epochs": Between(1, _READ - 1),
    "batch": Between(1, 1_000_000),
    "hidden": Between(1, 16_384),
    "steps": Between(1, _READ - 1),
    "seed": Between(0, _READ - 1),
    "threads": Between(1, 1024),
}
"""A recurrent matrix has as many as the square of ``hidden`` entries; threads beyond some thousands end the process."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run.

    Parameters
    ----------
    epochs    : how long it is in the unit that the task states.
    steps     : how many updates, in place of ``epochs``; 0 where the epochs say it.
    cell      : of the recurrent layer; empty where a task has none.
    grad      : whose gradients of it, one of ``training.layers.recurrent.GRADS``; empty where a task has none.
    threads   : of the processor; sums differ in their last digits with their number, so it belongs to the settings.
    dtype     : of the weights.
    precision : ``full``: computes in the type of the weights; ``bfloat16``, ``float16``: where half as many bits do (``torch.autocast``).
    own       : settings that this task alone has.
    """

    task: str
    epochs: int
    batch: int
    learning_rate: float
    hidden: int
    cell: str = "rnn"
    grad: str = "autograd"
    dtype: str = "float32"
    precision: str = "full"
    device: str = "cpu"
    seed: int = 0
    steps: int = 0
    threads: int = 1
    own: Mapping[str, Own] = field(default_factory=dict)

    def changed(self, given: Mapping[str, Any], own: Mapping[str, str]) -> Settings:
        """These settings with what a user gave in the place of some.

        Raises
        ------
        UsageError : a value makes no sense, or the task has no such setting of its own.

        >>> Settings("names", 3, 8, 0.1, 4, own={"clip": 1.0}).changed({"batch": 2}, {"clip": "0.5"}).own
        {'clip': 0.5}
        """
        values = {key: value for key, value in given.items() if value is not None}
        if values.get("steps", 1) < 1:
            raise UsageError(f"--steps is {values['steps']:,}", expected="a whole number from 1 on")
        if "epochs" in values and "steps" not in values:
            values["steps"] = 0
        merged = {**self.own, **{key: _own(self, key, text) for key, text in own.items()}}
        found = replace(self, **values, own=merged)
        found.check()
        return found

    def check(self) -> None:
        """Raise a UsageError where a value makes no sense."""
        for key, limit in _LIMITS.items():
            value = getattr(self, key)
            if not (limit.allows(value) or (key == "steps" and not value)):  # 0: the epochs say it
                shown = f"{value:,}" if value < _READ else f"{_READ:,} or more"
                raise UsageError(f"--{key} is {shown}", expected=str(limit))
        if not 0 < self.learning_rate <= 1e6:  # beyond, optimisers overflow
            raise UsageError(f"--learning-rate is {self.learning_rate}", expected="a number above 0, such as 0.001")
        if self.dtype not in DTYPES:
            raise UsageError(f"--dtype is {self.dtype!r}", expected=f"one of {', '.join(DTYPES)}")
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision is {self.precision!r}", expected=f"one of {', '.join(PRECISIONS)}")
        if self.precision != "full" and self.dtype != "float32":
            raise UsageError(
                f"--precision {self.precision} does nothing for --dtype {self.dtype}",
                hint="torch.autocast shortens float32 alone; --precision full leaves it as it is",
            )

    def to_json(self) -> str:
        """The settings as text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Settings:
        """The settings that :meth:`to_json` wrote.

        Raises
        ------
        UsageError : another version of bptt wrote them.
        """
        try:
            return Settings(**json.loads(text))
        except (TypeError, ValueError):
            raise UsageError(
                "the settings of the run are those of another version of bptt",
                hint="go on with the version that began it",
            ) from None


def _own(settings: Settings, key: str, text: str) -> Own:
    if key not in settings.own:
        known = ", ".join(f"{name}={value}" for name, value in settings.own.items()) or "none"
        raise UsageError(
            f"{settings.task} has no setting {clipped(key, 40)!r} of its own", expected=f"some of: {known}"
        )
    kind = type(settings.own[key])
    try:
        return kind(text)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise UsageError(f"--set {key} is {clipped(text, 40)!r}", expected=expected) from None


__all__ = ["DTYPES", "PRECISIONS", "Own", "Settings"]
