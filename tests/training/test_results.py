"""The results in the guide and in the README are those that the runs left."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import training_results as module
from training.tasks import find


@pytest.mark.parametrize("path", module.PAGES, ids=lambda path: path.name)
def test_the_pages_have_the_kept_results(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert "<!-- end -->" in page
    assert module.written(page) == page, "run python -m benchmarks.training_results"


def test_every_kept_run_is_shown() -> None:
    """By a row in the README, or in a section of the guide."""
    rows = module.overview().splitlines()[2:]
    long = []
    for path in module.RESULTS.glob("*.json"):
        run = json.loads(path.read_text(encoding="utf-8"))
        whole = run["epochs"] >= find(run["task"]).settings.epochs
        long += [path.stem] if whole or path.stem in module.SHORTENED else []
    guide = " ".join(re.findall("<!-- results (.*?) -->", module.PAGES[1].read_text(encoding="utf-8"))).split()
    assert len(rows) == len(long)
    assert {path.stem for path in module.RESULTS.glob("*.json")} <= {*long, *guide}
    assert all(row.count(" | ") == len(rows[0].split(" | ")) - 1 for row in rows)


def test_a_result_that_changes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in module.RESULTS.glob("*.json"):
        run = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == "practical-11":
            run["results"]["numbers"]["test error of mgu"] *= 1.01
        (tmp_path / path.name).write_text(json.dumps(run), encoding="utf-8")
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    for path in module.PAGES:
        page = path.read_text(encoding="utf-8")
        assert module.written(page) != page
