"""Submissions, and who is right most often."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path

import numpy as np
import pytest

from bptt.cli import main
from derive.errors import UsageError
from training.data.cifar10 import CLASSES, SOURCE, read_images
from training.errors import DatasetError
from training.run.leaderboard import leaderboard, mcnemar, wilson
from training.run.submission import read, written
from training.tasks import find


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    labels = [3, 0, 9, 9]
    header, *lines = written(labels, CLASSES).splitlines()
    (tmp_path / "one.csv").write_text("\ufeff" + "\r\n".join([header, *reversed(lines)]), encoding="utf-8")
    assert read(tmp_path / "one.csv", CLASSES, 4) == labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header"),
        ("a,b\n1,cat\n", "header"),
        ("id,label\n1,cat\n", "the first that is missing is 2"),
        ("id,label\n1,cat\n1,dog\n", "line 3: '1,dog'"),
        ("id,label\n1,cat\n2,cow\n", "line 3: '2,cow'"),
        ("id,label\n0,cat\n", "line 2: '0,cat'"),
        ("id,label\n1,cat,dog\n", "line 2"),
        ("id,label\nx,cat\n", "line 2: 'x,cat'"),
    ],
)
def test_files_that_cannot_be_judged(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "one.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read(tmp_path / "one.csv", CLASSES, 2)


def test_mcnemar_is_the_binomial_test() -> None:
    for first, second in ((0, 5), (3, 9), (40, 61)):
        count = first + second
        tail = sum(comb(count, k) for k in range(count + 1) if comb(count, k) <= comb(count, first)) / 2**count
        assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(tail)
    assert mcnemar(7, 7) == 1


def test_wilson_bounds_solve_their_equation() -> None:
    """|p̂ - p| = z √(p (1 - p)/n) at both ends."""
    for end in wilson(37, 50):
        assert abs(37 / 50 - end) == pytest.approx(1.959964 * (end * (1 - end) / 50) ** 0.5, rel=1e-6)


def test_places(images_folder: Path, tmp_path: Path) -> None:
    truth = read_images(SOURCE.folder(str(images_folder)), "test").classes.astype(int).tolist()
    worse = [(label + 1) % 10 if k < 8 else label for k, label in enumerate(truth)]
    for name, labels in (("a", worse), ("b", truth), ("c", list(reversed(worse))[::-1])):
        (tmp_path / f"{name}.csv").write_text(written(labels, CLASSES))
    run = tmp_path / "run"
    run.mkdir()
    (run / "submission.csv").write_text(written(worse, CLASSES))
    told = {
        "task": "cifar10", "command": "bptt", "epochs": 1, "seconds": 2.0, "parameters": 3, "settings": {"seed": 4},
        "machine": {"processor": "one", "threads": 1}, "results": {"numbers": {"test accuracy": 1.0}},
    }  # fmt: skip
    (run / "metrics.json").write_text(json.dumps(told))
    paths = [str(tmp_path / name) for name in ("a.csv", "b.csv", "c.csv", "run")]
    board = leaderboard(find("cifar10"), paths, str(images_folder))
    found = [(one["rank"], one["name"], one["right"]) for one in board["standings"]]
    assert found == [
        (1, "b", 40),
        (2, "a", 32),
        (2, "c", 32),
        (2, "run", 32),
    ]  # what a run says of itself does not count
    assert board["standings"][1]["p"] == pytest.approx(2 / 2**8) and board["standings"][0]["p"] is None
    assert board["standings"][3]["run"]["seed"] == 4 and board["standings"][0]["run"] == {}
    by_class = [np.mean([worse[k] == label for k, label in enumerate(truth) if label == c]) for c in range(10)]
    assert board["standings"][1]["recall"] == pytest.approx(by_class)
    json.dumps(board)

    (run / "metrics.json").write_text('{"task": "names"}')
    with pytest.raises(DatasetError, match="holds a run of names"):
        leaderboard(find("cifar10"), paths, str(images_folder))
    (run / "metrics.json").write_text("[")
    with pytest.raises(DatasetError, match=r"metrics\.json cannot be read"):
        leaderboard(find("cifar10"), paths, str(images_folder))


def test_the_command_writes_the_page(images_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = read_images(SOURCE.folder(str(images_folder)), "test").classes.astype(int).tolist()
    (tmp_path / "team.csv").write_text(written(truth, CLASSES))
    options = ["--data", str(images_folder), "-o", str(tmp_path / "board"), "--leaderboard", str(tmp_path / "team.csv")]
    assert main(["train", "cifar10", *options]) == 0
    assert "  1  1.0000  (0.9124 to 1.0000)  team" in capsys.readouterr().out
    files = sorted(path.name for path in (tmp_path / "board").iterdir())
    assert files == ["leaderboard.html", "leaderboard.json", "leaderboard.pdf"]
    (tmp_path / "team.csv").write_text(f"id,label\n{'1' * 5000},cat\n")
    assert main(["train", "cifar10", *options]) == 2
    assert "line 2: '1111" in capsys.readouterr().err
    (tmp_path / "team.csv").write_text("id,label\n1,cow\n")
    assert main(["train", "cifar10", *options]) == 2
    assert "line 2: '1,cow'" in capsys.readouterr().err


def test_entries_that_are_none(images_folder: Path, tmp_path: Path) -> None:
    for paths, kind, message in (
        ([str(tmp_path / "x")], DatasetError, "there is no"),
        ([str(tmp_path)], DatasetError, "has no submission.csv"),
        ([str(tmp_path), str(tmp_path)], UsageError, "given twice"),
    ):
        with pytest.raises(kind, match=message):
            leaderboard(find("cifar10"), paths, str(images_folder))
    with pytest.raises(UsageError, match="nothing that is handed in"):
        leaderboard(find("names"), ["x"], None)
