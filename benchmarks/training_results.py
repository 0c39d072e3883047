"""The results of training runs in docs/training.md, from the metrics that the runs left: ``python benchmarks/training_results.py``.

``docs/results/NAME.json`` is the ``metrics.json`` of a run, kept as it is; the section between ``<!-- results NAME -->`` and
``<!-- end -->`` is written anew from it. Several names make a table with a row for each of the runs, under the command of the first.
With ``--check`` nothing is written, and a section that differs is an error.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "training.md"
RESULTS = ROOT / "docs" / "results"
_SECTION = re.compile(r"(<!-- results ([a-z0-9 -]+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def section(metrics: dict[str, Any]) -> str:
    """What a run found, in Markdown."""
    machine = metrics["machine"]
    lines = [
        f"```sh\n{metrics['command']}\n```",
        "",
        f"{metrics['steps']:,} updates in {metrics['seconds']:,.0f} s on {machine['threads']} "
        f"thread{'s' * (machine['threads'] > 1)} ({machine['processor']}, {machine['cores']} cores, shared with other work); "
        f"{metrics['parameters']:,} weights; torch {machine['torch']}.",
        "",
    ]
    lines += [f"- {name}: {_text(value)}" for name, value in metrics["results"]["numbers"].items()]
    for table in metrics["results"]["tables"]:
        lines += ["", f"{table['title']}:", "", *_table(table)]
    lines += [""] + [f"{sentence}" for sentence in metrics["results"]["said"]] if metrics["results"]["said"] else []
    return "\n".join(lines) + "\n"


def side_by_side(runs: list[dict[str, Any]]) -> str:
    """A row for each run, with the options that the first one does not have, and the numbers that all of them have."""
    first = runs[0]["results"]["numbers"]
    shared = [name for name in first if all(name in run["results"]["numbers"] for run in runs)]
    differ = [name for name in shared if len({run["results"]["numbers"][name] for run in runs}) > 1]
    rows = [
        [
            _otherwise(run["command"], runs[0]["command"]),
            run["steps"],
            run["seconds"],
            *(run["results"]["numbers"][name] for name in differ),
        ]
        for run in runs
    ]
    table = _table({"columns": ["run", "updates", "seconds", *differ], "rows": rows})
    return "\n".join([f"```sh\n{runs[0]['command']}\n```", "", *table]) + "\n"


def _otherwise(command: str, first: str) -> str:
    """The options of a command that are others than those of the first."""
    known = first.split(" --")
    options = [f"--{option}" for option in command.split(" --") if option not in known]
    return f"`{' '.join(options)}`" if options else "as above"


def _table(table: dict[str, Any]) -> list[str]:
    rows = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    return ["| " + " | ".join(_text(cell) for cell in row) + " |" for row in rows]


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def written(page: str) -> str:
    """The page with all its sections as the results have them."""

    def one(found: re.Match[str]) -> str:
        runs = [json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in found[2].split()]
        return found[1] + (section(runs[0]) if len(runs) == 1 else side_by_side(runs)) + found[3]

    return _SECTION.sub(one, page)


def main() -> int:
    """Write the page, or check it."""
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        return int(written(page) != page)
    PAGE.write_text(written(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
