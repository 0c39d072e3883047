"""Settings that make no sense are told before any data are read, and the command of a run makes it again."""

from __future__ import annotations

import json
import os
import shlex
import signal
from pathlib import Path

import pytest

from bptt.cli import main
from derive.errors import UsageError
from training.errors import DatasetError, TrainingError
from training.run.curve import read_curve
from training.run.loop import Report
from training.run.metrics import command
from training.run.results import Lines, Results, Table
from training.run.settings import Settings
from training.run.whole_run import Request, prepared, settings_of, train
from training.tasks import TASKS, find
from training.tasks.lstm_cell import CellsJob

FREE = {"text"}
"""Settings that may be any text."""


@pytest.mark.parametrize("name", TASKS)
def test_every_setting_has_limits_that_its_default_keeps(name: str) -> None:
    task = find(name)
    assert {*task.limits} == {*task.settings.own} - FREE and {*task.own} == {*task.settings.own}
    task.check(task.settings)


@pytest.mark.parametrize(
    ("task", "given"),
    [
        ("names", "held_out=-0.5"),
        ("names", "held_out=nan"),
        ("names", "samples=0"),
        ("names", "samples=-3"),
        ("practical-11", "clip=nan"),
        ("sentiment-imdb", "clip=-1"),
        ("sentiment-amazon", "held_out=inf"),
        ("sentiment-amazon", "longest=0"),
        ("skipgram", "subsample=nan"),
        ("visualize", "roughness=nan"),
        ("visualize", "roughness=-1"),
        ("cifar10", "weight_decay=-1"),
    ],
)
def test_own_settings_without_sense(task: str, given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There are no data, and no word of that."""
    assert main(["train", task, "--data", str(tmp_path / "none"), "-o", str(tmp_path / "run"), "--set", given]) == 2
    told = capsys.readouterr().err
    assert f"--set {given.partition('=')[0]} is " in told and "expected: " in told
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--steps", "0", "--steps is 0"),
        ("--steps", "5000000000", "--steps is 1,000,000,000 or more"),
        ("--threads", "100000", "--threads is 100,000"),
        ("--hidden", "2147483647", "--hidden is 1,000,000,000 or more"),
        ("--learning-rate", "inf", "--learning-rate is inf"),
    ],
)
def test_settings_without_sense(
    option: str, value: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "lstm-cell", option, value, "-o", str(tmp_path / "run")]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("task", ["sentiment-imdb", "sentiment-amazon"])
def test_a_cell_that_torch_has_not_is_told_first(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", task, "--data", str(tmp_path / "none"), "--cell", "mgu"]) == 2
    assert "torch has no layer for the cell 'mgu'" in capsys.readouterr().err


def made_again(text: str) -> Settings:
    """The settings that a command gives."""
    words = shlex.split(text)[2:]
    given: dict[str, object] = {}
    own: dict[str, str] = {}
    for option, value in zip(words[1::2], words[2::2], strict=True):
        if option == "--set":
            key, _, text = value.partition("=")
            own[key] = text
        else:
            kind = type(getattr(find(words[0]).settings, option[2:].replace("-", "_")))
            given[option[2:].replace("-", "_")] = kind(value)
    return find(words[0]).settings.changed(given, own)


@pytest.mark.parametrize("rate", [0.0123456789, 1.0, 5e-4, 1 / 3, 1e-12])
def test_a_command_makes_the_same_settings(rate: float) -> None:
    settings = find("names").settings.changed(
        {"learning_rate": rate, "steps": 3}, {"held_out": repr(rate / 7)} if rate > 1e-9 else {}
    )
    assert made_again(command(settings)) == settings


@pytest.mark.parametrize("task", ["cifar10", "visualize"])
def test_a_run_with_a_plan_is_not_made_longer(images_folder: Path, tmp_path: Path, task: str) -> None:
    own = {"held_out": "0.1", **({"views": "1"} if task == "cifar10" else {"attributed": "1", "ascent": "1"})}
    given = {"hidden": 2, "batch": 60, "threads": 1, "steps": 3, "precision": "full"}
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(Request(folder, find(task).settings.changed(given, own), str(images_folder)), report=stop_after(2))
    longer = settings_of(folder).changed({"steps": 5}, {})
    with pytest.raises(UsageError, match="planned for all of its 3 steps, and cannot be given 5"):
        train(Request(folder, longer, str(images_folder), resume=True))
    assert read_curve(folder)["step"] == ["1", "2"]


def stop_after(last: int) -> Report:
    """A report that asks the run to stop."""

    def report(step: int, *told: float) -> None:
        if step == last:
            os.kill(os.getpid(), signal.SIGINT)

    return report


def test_there_is_no_nan_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nan = float("nan")
    made = Results({"a": nan}, (Table("t", ("x",), [[nan]]),), (Lines("l", "x", "y", {"z": ([1, 2], [nan, 1.0])}),))
    monkeypatch.setattr(CellsJob, "results", lambda self: made)
    settings = find("lstm-cell").settings.changed({"steps": 2, "hidden": 2, "batch": 2}, {})
    found = train(Request(tmp_path, settings))
    kept = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert kept["results"] == json.loads(json.dumps(found["results"]))
    assert kept["results"]["numbers"] == {"a": None} and kept["results"]["lines"][0]["lines"] == {"z": [[2], [1.0]]}


def test_missing_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(self: CellsJob, step: int) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(CellsJob, "loss", lacking)
    with pytest.raises(TrainingError, match="not enough memory"):
        train(Request(tmp_path, find("lstm-cell").settings.changed({"steps": 2, "hidden": 2}, {})))


@pytest.mark.parametrize("cell", ["nothing", "h_t = \\tanh(W h_{t+1} + U x_t)", "tree-lstm"])
@pytest.mark.parametrize("task", ["names", "sentiment-imdb"])
def test_a_cell_is_looked_at_before_data_are(task: str, cell: str, tmp_path: Path) -> None:
    settings = find(task).settings.changed({"cell": cell}, {})
    with pytest.raises(UsageError, match="cell"):
        prepared(settings, str(tmp_path / "no folder"))
    with pytest.raises(DatasetError, match="no folder"):
        prepared(find(task).settings, str(tmp_path / "no folder"))
