"""Forward and all gradients of the RNN, the GRU and the LSTM in float32: ``python benchmarks/speed.py [-o FILE]``.

Everybody takes turns in one process, round by round, and a figure is the median over the rounds. That all of them compute the same is
asserted before anything is timed. Ratios are medians of the ratios within a round, because machines breathe.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peers import EQUATIONS, Problem, Run, compiled, loop, module, one_product, products, scan

import bptt

SIZES = ((3, 1, 3, 2), (30, 1, 16, 16), (50, 8, 32, 32), (100, 32, 64, 128), (100, 32, 128, 256), (200, 64, 128, 256))
"""T, B, d, n."""
OURS = ("numpy", "torch", "compiled")
FLOORS = ("products", "one product")
_AGREEMENT = 2e-4
"""Of float32 numbers, relative to the largest of an array."""
_PAUSE, _BLOCK, _MOST = 0.03, 0.005, 50
"""Seconds before somebody's turn, seconds of a turn of somebody fast, and how often he runs in it at most."""


def peers(problem: Problem) -> dict[str, Run]:
    """Everybody, by name."""
    found: dict[str, Run] = {f"bptt {backend}": compiled(problem, backend) for backend in OURS}
    found |= {"torch.nn": module(problem), "torch loop": loop(problem)}
    jax = scan(problem)
    if jax is not None:
        found["JAX"] = jax
    return {**found, "products": products(problem), "one product": one_product(problem)}


def assert_agreement(runs: Mapping[str, Run]) -> None:
    """All results of everybody against those of torch.nn."""
    truth = {key: value.detach().numpy() for key, value in runs["torch.nn"]().items()}
    for name, run in runs.items():
        if name not in FLOORS:
            found = run()
            for key, value in truth.items():
                other = found[key]
                array = np.asarray(other.detach() if isinstance(other, torch.Tensor) else other)
                worst = np.abs(array - value).max() / max(1e-30, np.abs(value).max())
                assert worst < _AGREEMENT, f"{name}: {key} differs by {worst:.1e}"


def timed(runs: Mapping[str, Run], seconds: float) -> dict[str, list[float]]:
    """Seconds of everybody in every round; as many rounds as fit, at least five.

    In a round everybody gets the processor to himself: after a pause, in which the threads of the one before fall asleep, he runs once
    uncounted, and then as often as a few milliseconds allow.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found["torch.nn"]) < 5:
        for name, run in runs.items():
            time.sleep(_PAUSE)
            first = _once(run, 1)
            repetitions = max(1, min(_MOST, int(_BLOCK / first)))
            found[name].append(_once(run, repetitions))
    return found


def _once(run: Run, repetitions: int) -> float:
    start = time.perf_counter()
    for _ in range(repetitions):
        run()
    return (time.perf_counter() - start) / repetitions


def ratio(times: Mapping[str, list[float]], slow: str, fast: str) -> float:
    """How many times faster one is than another."""
    return statistics.median(a / b for a, b in zip(times[slow], times[fast], strict=True))


def measure(cell: str, size: tuple[int, int, int, int], seconds: float) -> dict[str, Any]:
    """One cell at one size."""
    runs = peers(Problem(cell, *size))
    assert_agreement(runs)
    times = timed(runs, seconds)
    others = [name for name in times if name not in FLOORS and not name.startswith("bptt")]
    return {
        "cell": cell,
        "size": dict(zip("TBdn", size, strict=True)),
        "milliseconds": {name: 1e3 * statistics.median(values) for name, values in times.items()},
        "times faster": {
            f"bptt {ours}": {other: ratio(times, other, f"bptt {ours}") for other in others} for ours in OURS
        },
        "times the products": {f"bptt {ours}": ratio(times, f"bptt {ours}", "products") for ours in OURS},
        "rounds": len(times["torch.nn"]),
    }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "bptt": bptt.__version__,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def row(found: Mapping[str, Any]) -> str:
    """One line of the table."""
    size = "(" + ", ".join(map(str, found["size"].values())) + ")"
    times = "  ".join(f"{name} {value:8.3f}" for name, value in found["milliseconds"].items())
    return f"{found['cell']:4} {size:20} {times}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="a JSON file")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each cell at each size (default: %(default)s)")
    parser.add_argument("--cells", nargs="+", choices=EQUATIONS, default=list(EQUATIONS))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = []
    print("milliseconds; (T, B, d, n)")
    for size in SIZES:
        for cell in arguments.cells:
            found.append(measure(cell, size, arguments.seconds))
            print(row(found[-1]), flush=True)
    print("\ntimes faster than: " + ", ".join(next(iter(found[0]["times faster"].values()))))
    for one in found:
        ratios = "  ".join(
            f"{name} " + " ".join(f"{value:6.2f}" for value in values.values())
            for name, values in one["times faster"].items()
        )
        print(f"{one['cell']:4} {tuple(one['size'].values())!s:20} {ratios}")
    if arguments.output:
        arguments.output.write_text(json.dumps({"machine": machine(), "results": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
