"""From text to gradients: time to read, derive and compile every cell of the library, cold and warm, and the unrolled form against T.

``python benchmarks/preparation.py [-o FILE]``. Cold means that no machine code has been kept; warm that another process has made it before.
Each is the first call of a process of its own, so imports are not in it, but everything else is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UNROLLED = (2, 5, 10, 15, 20)
"""Steps that are written out."""


def measure(cell: str, backend: str) -> None:
    """Reading, deriving, and the first call of a cell, printed as JSON."""
    import bptt
    from numeric.draws import draw, run_of
    from numeric.validate_compiled import arguments

    start = time.perf_counter()
    subject = bptt.cell(cell)
    read = time.perf_counter()
    for key in subject.parameters:
        if key not in subject.labels:
            subject.gradient(key)
    derived = time.perf_counter()
    given = draw(subject, 0, length=3)
    of_call = arguments(subject, [given], [run_of(subject, given)])
    begin = time.perf_counter()
    bptt.compile(subject, backend)(**of_call)
    end = time.perf_counter()
    print(json.dumps({"read": read - start, "derive": derived - read, "compile": end - begin}))


def once(cell: str, backend: str, folder: str) -> dict[str, float]:
    """A process of its own."""
    environment = {**os.environ, "BPTT_CACHE_DIR": folder, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, __file__, "--one", cell, backend]
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(result.stdout)
    return found


def unrolled() -> list[dict[str, float]]:
    """The expanded sum of the RNN's gradient by W beside its recursion."""
    import bptt

    cell = bptt.cell("rnn")
    recursion = len(cell.gradient("W").latex())
    found = []
    for steps in UNROLLED:
        start = time.perf_counter()
        derivation = cell.gradient("W", form="unrolled", steps=steps)
        seconds = time.perf_counter() - start
        size = len(derivation.latex())
        found.append({"T": steps, "seconds": seconds, "characters": size, "characters of the recursion": recursion})
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="a JSON file")
    parser.add_argument("--backends", nargs="+", default=["compiled", "numpy"])
    parser.add_argument("--cells", nargs="+")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(*options.one)
        return
    import bptt

    names = options.cells or bptt.library()
    rows = []
    print("seconds: read, derive all gradients, then lower, compile and run for the first time")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            for backend in options.backends:
                for state in ("cold", "warm"):
                    rows.append({"cell": name, "backend": backend, "state": state, **once(name, backend, folder)})
        shown = "  ".join(
            f"{row['backend']} {row['state']} {row['compile']:.3f}" for row in rows[-2 * len(options.backends) :]
        )
        print(f"{name:28} read {rows[-1]['read']:.3f}  derive {rows[-1]['derive']:.3f}  {shown}", flush=True)
    expanded = unrolled()
    for row in expanded:
        print("unrolled  " + "  ".join(f"{key} {value:.4g}" for key, value in row.items()))
    if options.output:
        options.output.write_text(json.dumps({"cells": rows, "unrolled": expanded}, indent=2) + "\n")


if __name__ == "__main__":
    main()
