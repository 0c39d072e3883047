"""Runs that are killed, interrupted, broken, and go on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from derive.errors import UsageError
from training.errors import TrainingError
from training.run import checkpoint
from training.run.curve import read_curve
from training.run.settings import Settings
from training.run.whole_run import Request, settings_of, train
from training.tasks import find

ROOT = Path(__file__).parents[3]
OPTIONS = ("--hidden", "8", "--batch", "4", "--checkpoint-every", "7", "--set", "samples=3", "--no-report")


def start(folder: Path, data: Path, steps: int, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "bptt",
        "train",
        "names",
        "--data",
        str(data),
        "-o",
        str(folder),
        "--steps",
        str(steps),
    ]
    return subprocess.Popen(
        [*command, *OPTIONS, *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
    )


def wait_for(folder: Path, steps: int, process: subprocess.Popen[str]) -> None:
    """Until the curve has that many rows."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if (folder / "curve.csv").exists() and len((folder / "curve.csv").read_text().splitlines()) > steps:
            return
        time.sleep(0.005)
    raise AssertionError(f"the run did not come so far: {process.communicate(timeout=10)[1]}")


def test_after_a_kill_the_curve_is_that_of_an_unbroken_run(names_folder: Path, tmp_path: Path) -> None:
    steps = 250
    broken = start(tmp_path / "broken", names_folder, steps)
    wait_for(tmp_path / "broken", 40, broken)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    reached = checkpoint.read(tmp_path / "broken")["at"]["step"]
    assert 0 < reached < steps and reached % 7 == 0
    again = start(tmp_path / "broken", names_folder, steps, "--resume")
    _, told = again.communicate(timeout=60)
    assert again.returncode == 0, told
    settings = find("names").settings.changed({"hidden": 8, "batch": 4, "steps": steps}, {"samples": "3"})
    train(Request(tmp_path / "whole", settings, str(names_folder)))
    first, second = ((tmp_path / name / "curve.csv").read_bytes() for name in ("whole", "broken"))
    assert first == second and len(first.splitlines()) == steps + 1
    one, two = (checkpoint.read(tmp_path / name) for name in ("whole", "broken"))
    for key, value in one["model"].items():
        assert torch.equal(value, two["model"][key])
    results = [json.loads((tmp_path / name / "metrics.json").read_text())["results"] for name in ("whole", "broken")]
    assert results[0] == results[1]


def test_ctrl_c_leaves_a_checkpoint(names_folder: Path, tmp_path: Path) -> None:
    process = start(tmp_path / "run", names_folder, 100_000)
    wait_for(tmp_path / "run", 1, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    step = checkpoint.read(tmp_path / "run")["at"]["step"]
    assert f"stopped after step {step}; go on with: bptt train names --resume" in told


# -- in one process ----------------------------------------------------------------------------------------


def small(**more: object) -> Settings:
    return find("names").settings.changed({"steps": 6, "hidden": 5, "batch": 4, **more}, {"samples": "2"})


def test_more_steps_later(names_folder: Path, tmp_path: Path) -> None:
    train(Request(tmp_path / "long", small(steps=9), str(names_folder)))
    train(Request(tmp_path / "short", small(), str(names_folder)))
    longer = settings_of(tmp_path / "short").changed({"steps": 9}, {})
    train(Request(tmp_path / "short", longer, str(names_folder), resume=True))
    assert (tmp_path / "long" / "curve.csv").read_bytes() == (tmp_path / "short" / "curve.csv").read_bytes()


def test_a_run_is_never_overwritten(names_folder: Path, tmp_path: Path) -> None:
    train(Request(tmp_path, small(), str(names_folder)))
    with pytest.raises(UsageError, match="holds a run already"):
        train(Request(tmp_path, small(), str(names_folder)))


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint"):
        settings_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04" + bytes(100)])
def test_a_damaged_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / checkpoint.NAME).write_bytes(content)
    with pytest.raises(TrainingError, match="is damaged: it is not what was written"):
        checkpoint.read(tmp_path)


def test_no_bit_of_a_checkpoint_may_differ(names_folder: Path, tmp_path: Path) -> None:
    train(Request(tmp_path, small(), str(names_folder)))
    place = tmp_path / checkpoint.NAME
    whole = place.read_bytes()
    assert torch.load(place, weights_only=True)["at"]["step"] == 6  # what stands behind it is read by nobody else
    for k in range(0, len(whole), len(whole) // 100):
        place.write_bytes(whole[:k] + bytes([whole[k] ^ 4]) + whole[k + 1 :])
        with pytest.raises(TrainingError, match="is damaged"):
            checkpoint.read(tmp_path)
    torch.save({"format": 1, "settings": ""}, place)
    with pytest.raises(TrainingError, match="another version"):
        checkpoint.read(tmp_path)


def test_a_run_goes_on_with_what_it_was_begun_with(names_folder: Path, tmp_path: Path) -> None:
    """Other names under the same file names, and other equations in the same file."""
    cell, data = tmp_path / "mine.tex", shutil.copytree(names_folder, tmp_path / "data")
    cell.write_text("h_t = \\tanh(W h_{t-1} + U x_t)\n")
    settings = small(cell=str(cell))
    train(Request(tmp_path / "run", settings, str(data)))
    moved = data.rename(tmp_path / "moved")
    train(Request(tmp_path / "run", settings, str(moved), resume=True))
    cell.write_text("h_t = \\sigma(W h_{t-1} + U x_t)\n")
    with pytest.raises(UsageError, match=r"begun with other equations of the cell\n.*tanh"):
        train(Request(tmp_path / "run", settings, str(moved), resume=True))
    cell.write_text("h_t = \\tanh(W h_{t-1} + U x_t)\n")
    (file,) = moved.rglob("Russian.txt")
    file.write_text(file.read_text().replace("ov", "ow"))
    with pytest.raises(UsageError, match="begun with other data: names"):
        train(Request(tmp_path / "run", settings, str(moved), resume=True))


@pytest.mark.parametrize("content", [None, b"step,loss,held_out\n1,0.5\n", b"\xff\xfe"])
def test_the_curve_is_that_of_the_checkpoint(names_folder: Path, tmp_path: Path, content: bytes | None) -> None:
    train(Request(tmp_path / "whole", small(steps=9), str(names_folder)))
    train(Request(tmp_path / "run", small(), str(names_folder)))
    curve = tmp_path / "run" / "curve.csv"
    curve.unlink() if content is None else curve.write_bytes(content)
    train(Request(tmp_path / "run", small(steps=9), str(names_folder), resume=True))
    assert curve.read_bytes() == (tmp_path / "whole" / "curve.csv").read_bytes()


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(names_folder: Path, tmp_path: Path) -> None:
    settings = find("names").settings.changed(
        {"steps": 200, "hidden": 5, "batch": 4, "cell": "irnn", "learning_rate": 1e6}, {"optimizer": "sgd"}
    )
    with pytest.raises(TrainingError, match=r"not finite|is nan|is inf") as caught:
        train(Request(tmp_path, settings, str(names_folder), checkpoint_every=1))
    assert "smaller --learning-rate" in str(caught.value)
    if (tmp_path / checkpoint.NAME).exists():
        model = checkpoint.read(tmp_path)["model"]
        assert all(bool(torch.isfinite(value).all()) for value in model.values())


def test_a_full_disk_keeps_the_last_checkpoint(
    names_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(Request(tmp_path, small(), str(names_folder)))
    before = (tmp_path / checkpoint.NAME).read_bytes()

    def full(path: Path, write: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_whole", full)
    longer = settings_of(tmp_path).changed({"steps": 9}, {})
    with pytest.raises(TrainingError, match="disk is full"):
        train(Request(tmp_path, longer, str(names_folder), resume=True))
    assert (tmp_path / checkpoint.NAME).read_bytes() == before


def test_the_curve_has_every_step(names_folder: Path, tmp_path: Path) -> None:
    found = train(Request(tmp_path, small(), str(names_folder)))
    curve = read_curve(tmp_path)
    assert curve["step"] == [str(step) for step in range(1, 7)]
    assert found["first_loss"] == float(curve["loss"][0])
    assert found["results"]["numbers"]["held-out nats per letter"] > 0
