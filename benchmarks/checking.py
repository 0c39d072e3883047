"""How long checking takes: ``python benchmarks/checking.py [--every N] [--output FILE]``.

Every N-th claim of the corpus is checked after its cell is warm (one claim about it was checked before), first without and then with the
search for what is wrong; and a page of twenty equations is checked by the command, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from derive.cell import Cell
from verify.check import check

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "verify" / "corpus" / "corpus.json"
PAGE = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, and write JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=5, help="which share of the corpus (default: every fifth claim)")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    corpus = json.loads(CORPUS.read_text(encoding="utf-8"))
    rows = [*claims(corpus, options.every), page(corpus)]
    for row in rows:
        print(f"{row['what']:<44}" + "  ".join(f"{name} {value}" for name, value in row.items() if name != "what"))
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def claims(corpus: dict, every: int) -> list[dict]:
    """Milliseconds a claim, right and wrong."""
    cells = {name: Cell.from_text(text) for name, text in corpus["cells"].items()}
    entries = corpus["entries"][::every]
    for name in cells:
        check(next(entry["claim"] for entry in corpus["entries"] if entry["cell"] == name), cells[name])
    rows = []
    for true, explained, what in (
        (True, False, "a right claim"),
        (False, False, "a wrong claim"),
        (False, True, "a wrong claim, with what is wrong with it"),
    ):
        seconds = []
        for entry in entries:
            if entry["true"] == true:
                start = time.perf_counter()
                check(entry["claim"], cells[entry["cell"]], explained=explained)
                seconds.append(time.perf_counter() - start)
        milliseconds = sorted(1000 * value for value in seconds)
        rows.append(
            {
                "what": what,
                "claims": len(milliseconds),
                "median ms": round(statistics.median(milliseconds), 1),
                "90 % ms": round(milliseconds[int(0.9 * len(milliseconds))], 1),
                "largest ms": round(milliseconds[-1], 1),
            }
        )
    return rows


def page(corpus: dict) -> dict:
    """Seconds of the command for a page, from the start of the process."""
    entries = [entry for entry in corpus["entries"] if entry["cell"] == "rnn-tanh" and entry["true"]][:PAGE]
    with tempfile.TemporaryDirectory() as folder:
        document, cell = Path(folder) / "page.tex", Path(folder) / "cell.tex"
        document.write_text("\n".join(f"\\[ {entry['claim']} \\]" for entry in entries), encoding="utf-8")
        cell.write_text(corpus["cells"]["rnn-tanh"], encoding="utf-8")
        command = [sys.executable, "-m", "bptt", "check", str(document), "--cell", str(cell)]
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run(command, check=False, capture_output=True)
            seconds.append(time.perf_counter() - start)
    return {
        "what": "bptt check of a page, cold",
        "equations": len(entries),
        "median s": round(statistics.median(seconds), 2),
    }


if __name__ == "__main__":
    main()
