"""Time and size of derivations. ``python benchmarks/run.py [-o FILE]`` prints a table and, with -o, writes JSON.

Every figure is a median over several runs. Nothing here is asserted in the tests: machines differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def median(action: Callable[[], object], runs: int) -> float:
    """Median seconds of an action."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def command(*arguments: str) -> Callable[[], object]:
    """A run of the command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return lambda: subprocess.run(
        [sys.executable, "-m", "bptt", *arguments], check=True, capture_output=True, env=environment
    )


def cold(runs: int) -> dict[str, float]:
    """Whole processes."""
    from reports.sheet import sheet_ids

    with tempfile.TemporaryDirectory() as folder:
        return {
            "bptt --help (s)": median(command("--help"), runs),
            "bptt derive lstm (s)": median(command("derive", "lstm"), runs),
            **{
                f"bptt sheet {name} (s)": median(command("sheet", name, "-o", folder), max(1, runs // 3))
                for name in (*sheet_ids(), "--all")
            },
        }


def warm(runs: int) -> dict[str, float]:
    """Inside one process."""
    from derive.cell import Cell, cell

    text = cell("lstm").text.source.text
    lstm = Cell.from_text(text)
    return {
        "read the LSTM (s)": median(lambda: Cell.from_text(text), runs),
        "all gradients of the LSTM, symbolic T (s)": median(lstm.gradients, runs),
        "read and derive the LSTM (s)": median(lambda: Cell.from_text(text).gradients(), runs),
        "prove the forms equal for W_f (s)": median(lambda: lstm.equivalence("W_f"), runs),
        "parse one formula (s)": median(lambda: lstm.read(r"\sigma'(z^f_t) \odot C_{t-1}"), runs),
    }


def unrolled(lengths: tuple[int, ...], runs: int) -> list[dict[str, float]]:
    """The LSTM's gradient for W_f written out: the recursion line by line grows linearly, the sum over all pairs does
    not.
    """
    from derive.cell import cell

    lstm, rows = cell("lstm"), []
    for length in lengths:
        derivation = lstm.gradient("W_f", form="unrolled", steps=length)
        rows.append({
            "T": length,
            "recursion, characters": sum(len(str(line)) for line in derivation.recursion),
            "recursion, lines": len(derivation.recursion),
            "expanded sum, characters": len(str(derivation.result)),
            "seconds": median(lambda length=length: lstm.gradient("W_f", form="unrolled", steps=length), runs),
        })  # fmt: skip
    return rows


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    figures = {**cold(options.runs), **warm(options.runs)}
    table = unrolled((1, 2, 3, 4, 6, 8, 12, 16), max(1, options.runs // 2))
    for name, value in figures.items():
        print(f"{name:<48} {value:9.4f}")
    print()
    print("  ".join(f"{name:>24}" for name in table[0]))
    for row in table:
        print("  ".join(f"{value:>24.4g}" if isinstance(value, float) else f"{value:>24}" for value in row.values()))
    if options.output:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
        options.output.write_text(
            json.dumps({"machine": machine, "figures": figures, "unrolled": table}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
