"""Peak memory and time against the length T, with and without recomputation: ``python benchmarks/memory.py [-o FILE]``.

Every figure is of a process of its own: the peak of its resident memory less what it was before the call, in which inputs, cotangents and
gradients by the inputs are included for everybody (the table says how much they are).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

LENGTHS = (1_000, 10_000, 100_000)
_MEGABYTE = 1024 * 1024


def resident() -> float:
    """The peak of resident memory so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


def measure(cell: str, backend: str, length: int, n: int, recompute: bool) -> None:
    """One call, printed as JSON."""
    import numpy as np

    import bptt

    subject = bptt.cell(cell)
    function = bptt.compile(subject, backend, "float32", recompute=recompute)
    generator = np.random.default_rng(0)
    sizes = {"n": n, "d": n}
    shapes = {key: function.signature.numbers(key, sizes) for key in subject.parameters}
    params = {key: generator.uniform(-(n**-0.5), n**-0.5, shape).astype("f4") for key, shape in shapes.items()}

    def call(steps: int) -> object:
        x = np.full((steps, 1, n), 0.1, "f4")
        return function(params, {"x": x}, cotangents={"h": np.full((steps, 1, n), 1e-3, "f4")})

    call(200)  # what is made once
    before = resident()
    start = time.perf_counter()
    call(length)
    seconds = time.perf_counter() - start
    print(json.dumps({"megabytes": (resident() - before) / _MEGABYTE, "seconds": seconds}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="a JSON file")
    parser.add_argument("--cells", nargs="+", default=["rnn", "gru", "lstm"])
    parser.add_argument("--backends", nargs="+", default=["compiled", "numpy"])
    parser.add_argument("-n", type=int, default=16)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        cell, backend, length, recompute = arguments.one
        measure(cell, backend, int(length), arguments.n, recompute == "True")
        return
    found = []
    print(f"n = {arguments.n}, one sequence, float32")
    for backend in arguments.backends:
        for cell in arguments.cells:
            for length in LENGTHS:
                row = {"backend": backend, "cell": cell, "T": length}
                row["inputs, cotangents, gradients by inputs (MB)"] = 3 * length * arguments.n * 4 / _MEGABYTE
                for recompute in (False, True):
                    command = [
                        sys.executable,
                        __file__,
                        "-n",
                        str(arguments.n),
                        "--one",
                        cell,
                        backend,
                        str(length),
                        str(recompute),
                    ]
                    result = subprocess.run(command, check=True, capture_output=True, text=True)
                    one = json.loads(result.stdout)
                    label = "recomputed" if recompute else "kept"
                    row |= {f"{label} (MB)": one["megabytes"], f"{label} (s)": one["seconds"]}
                found.append(row)
                shown = (f"{k} {v:.3g}" if isinstance(v, float) else str(v) for k, v in row.items())
                print("  ".join(shown), flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
