"""The results of training runs in the guide and in the README, from what the runs left: ``python -m benchmarks.training_results``.

``reports/results/NAME.json`` is the ``metrics.json`` of a run, kept as it is; the section between ``<!-- results NAME -->`` and
``<!-- end -->`` is written anew from it. Several names make a table with a row for each of the runs, under the command of the first,
and ``<!-- all results -->`` one of all long runs: what differs from the task's own settings, the numbers that the task calls its key
figures (``key`` of its results, the first number where it names none), seconds, and the machine. With ``--check`` nothing is written,
and a section that differs is an error.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.tasks import TASKS, find

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "training.md")
RESULTS = ROOT / "reports" / "results"
_SECTION = re.compile(r"(<!-- results ([a-z0-9 -]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_ALL = re.compile(r"(<!-- all results -->\n).*?(<!-- end -->)", re.DOTALL)
SHORTENED = frozenset({"sentiment-imdb-recipe"})
"""Runs that end early because what is held out says so."""
_COLUMNS = ("task", "settings", "key figures", "updates", "seconds", "machine")


def section(metrics: dict[str, Any]) -> str:
    """What a run found, in Markdown."""
    machine = metrics["machine"]
    lines = [
        f"```sh\n{metrics['command']}\n```",
        "",
        f"{metrics['steps']:,} updates in {metrics['seconds']:,.0f} s on {machine['threads']} "
        f"thread{'s' * (machine['threads'] > 1)} ({machine['processor']}, {machine['cores']} cores); "
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
            differing(run["settings"], runs[0]["settings"]) or "as above",
            run["steps"],
            run["seconds"],
            *(run["results"]["numbers"][name] for name in differ),
        ]
        for run in runs
    ]
    table = _table({"columns": ["run", "updates", "seconds", *differ], "rows": rows})
    return "\n".join([f"```sh\n{runs[0]['command']}\n```", "", *table]) + "\n"


def overview() -> str:
    """A row for every run that is kept and as long as its task's own settings say, or as long as is good for it, in the order of the tasks;
    other shorter ones are compared in the guide.
    """
    paths = sorted(RESULTS.glob("*.json"), key=lambda path: path.stem)
    runs = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    kept = [
        run for name, run in runs.items() if name in SHORTENED or run["epochs"] >= find(run["task"]).settings.epochs
    ]
    order = [*TASKS]
    rows = [
        [
            f"`{run['task']}`",
            differing(run["settings"], asdict(find(run["task"]).settings)) or "as they are",
            ", ".join(f"{name} {_text(value)}" for name, value in key_figures(run["results"]).items()),
            run["steps"],
            f"{run['seconds']:,.0f}",
            _machine(run["machine"]),
        ]
        for run in sorted(kept, key=lambda run: order.index(run["task"]))
    ]
    return "\n".join(_table({"columns": _COLUMNS, "rows": rows})) + "\n"


def differing(settings: dict[str, Any], usual: dict[str, Any]) -> str:
    """The options that differ from usual settings; what these do not have is newer or older than the run, and left out.

    >>> usual = {"epochs": 9, "steps": 0, "batch": 8, "own": {"samples": 100}}
    >>> differing({"epochs": 9, "steps": 50, "batch": 8, "own": {"samples": 5}}, usual), differing(usual, usual)
    ('`--steps 50 --set samples=5`', '')
    """
    length = _length(settings)
    words = [f"--{length[0]} {length[1]}"] if length != _length(usual) else []
    words += [
        f"--{key.replace('_', '-')} {_option(value)}"
        for key, value in settings.items()
        if key not in ("task", "own", "steps", "epochs") and value != usual.get(key, value)
    ]
    words += [
        f"--set {key}={_option(value)}"
        for key, value in settings["own"].items()
        if value != usual["own"].get(key, value)
    ]
    return f"`{' '.join(words)}`" if words else ""


def _option(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _length(settings: dict[str, Any]) -> tuple[str, int]:
    return ("steps", settings["steps"]) if settings.get("steps") else ("epochs", settings["epochs"])


def key_figures(results: dict[str, Any]) -> dict[str, Any]:
    """The numbers that stand for a run.

    >>> key_figures({"numbers": {"a": 1, "b": 2}, "key": ["b"]}), key_figures({"numbers": {"a": 1, "b": 2}})
    ({'b': 2}, {'a': 1})
    """
    numbers = results["numbers"]
    names = results.get("key") or [*numbers][:1]
    return {name: numbers[name] for name in names}


def _machine(machine: dict[str, Any]) -> str:
    threads = f"{machine['threads']} thread{'s' * (machine['threads'] > 1)}"
    processes = f"{machine['processes']} processes, " if machine.get("processes") else ""
    return f"{machine.get('device') or machine['processor']}, {processes}{threads}"


def _table(table: dict[str, Any]) -> list[str]:
    rows = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    return ["| " + " | ".join(_text(cell) for cell in row) + " |" for row in rows]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def written(page: str) -> str:
    """The page with all its sections as the results have them."""

    def one(found: re.Match[str]) -> str:
        runs = [json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in found[2].split()]
        return found[1] + (section(runs[0]) if len(runs) == 1 else side_by_side(runs)) + found[3]

    return _ALL.sub(lambda found: found[1] + overview() + found[2], _SECTION.sub(one, page))


def main() -> int:
    """Write the pages, or check them."""
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        if written(page) == page:
            continue
        if "--check" in sys.argv:
            return 1
        path.write_text(written(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
