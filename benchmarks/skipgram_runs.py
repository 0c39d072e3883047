"""The runs of ``bptt train skipgram`` in docs/training.md: ``python benchmarks/skipgram_runs.py [--data DIR] [NAME ...]``.

Each of them is made in a folder of its own below ``runs``, gone on with where it was interrupted, and its ``metrics.json`` is kept as
``reports/results/NAME.json``. ``python -m benchmarks.training_results`` then writes the page anew.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHORT = "--steps 4000 --batch 1024 --set loss=sampled"
"""What the runs share that are held beside each other."""
RUNS: Mapping[str, str] = {
    "skipgram": "",
    "skipgram-short": SHORT,
    "skipgram-momentum": f"{SHORT} --set optimizer=momentum --learning-rate 10",
    "skipgram-sgd": f"{SHORT} --set optimizer=sgd --learning-rate 100",
    "skipgram-adagrad": f"{SHORT} --set optimizer=adagrad --learning-rate 0.3",
    "skipgram-tanh": f"{SHORT} --set activation=tanh",
    "skipgram-sigmoid": f"{SHORT} --set activation=sigmoid",
    "skipgram-relu": f"{SHORT} --set activation=relu",
    "skipgram-8": f"{SHORT} --hidden 8",
    "skipgram-16": f"{SHORT} --hidden 16",
    "skipgram-64": f"{SHORT} --hidden 64",
    "skipgram-128": f"{SHORT} --hidden 128",
    "skipgram-dropout-10": f"{SHORT} --set dropout=0.1",
    "skipgram-dropout-50": f"{SHORT} --set dropout=0.5",
    "skipgram-all-words": f"{SHORT} --set subsample=0",
    "skipgram-softmax-short": "--steps 2000",
    "skipgram-squared-short": "--steps 8000 --learning-rate 0.002 --set loss=squared",
}


def main() -> int:
    """Make runs, all of them where none is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(RUNS)}")
    parser.add_argument("--data", help="the folder with text8")
    parser.add_argument("-o", "--output", default="runs", help="where the folders of the runs are")
    options = parser.parse_args()
    if unknown := {*options.names} - {*RUNS}:
        parser.error(f"there is no run {', '.join(sorted(unknown))}")
    for name in options.names or RUNS:
        folder = Path(options.output) / name
        command = [sys.executable, "-m", "bptt", "train", "skipgram", "-o", str(folder), *RUNS[name].split()]
        command += ["--data", options.data] if options.data else []
        command += ["--resume"] if (folder / "checkpoint.pt").exists() else []
        print(" ".join(command), flush=True)
        if status := subprocess.run(command, check=False).returncode:
            return status
        shutil.copy(folder / "metrics.json", ROOT / "reports" / "results" / f"{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
