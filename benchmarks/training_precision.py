"""Milliseconds a step of a task, in full and in bfloat16: ``python -m benchmarks.training_precision names hidden=512 batch=512``.

Steps of both kinds are made in turn, so that whatever else the machine does slows both; the fastest of each counts. ``data=DIR`` names
the folder of the data, ``steps=N`` how many steps are made; other words are settings, those of the task alone as well.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, replace

from training.run.stepping import Stepping
from training.run.whole_run import prepared
from training.tasks import find

_KINDS = ("full", "bfloat16")


def measured(task: str, words: dict[str, str], data: str | None, steps: int) -> dict[str, float]:
    """The least milliseconds of a step; the first one, in which code is made, is left out."""
    usual = find(task).settings
    fields = asdict(usual)
    given = {key: type(fields[key])(value) for key, value in words.items() if key in fields}
    chosen = usual.changed(given, {key: value for key, value in words.items() if key not in fields})
    both = {kind: Stepping(prepared(replace(chosen, precision=kind), data)[1], kind) for kind in _KINDS}
    taken: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    for step in range(steps):
        for kind, stepping in both.items():
            start = time.perf_counter()
            stepping(step)
            taken[kind].append(1000 * (time.perf_counter() - start))
    return {kind: min(found[1:]) for kind, found in taken.items()}


def main() -> int:
    """Measure what the arguments say."""
    task, *pairs = sys.argv[1:]
    words = dict(pair.split("=", 1) for pair in pairs)
    data, steps = words.pop("data", None), int(words.pop("steps", "10"))
    found = measured(task, words, data, steps)
    print(", ".join(f"{kind} {value:.1f} ms" for kind, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
