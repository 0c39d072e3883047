"""The competition, on made pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from derive.errors import UsageError
from training.data.cifar10 import CLASSES, SOURCE, read_images
from training.images.job import ImagesJob, seen
from training.run import checkpoint
from training.run.compare import compare
from training.run.job import Job
from training.run.loop import run
from training.run.record import Record
from training.run.settings import Settings
from training.run.stepping import Stepping
from training.run.submission import read
from training.run.whole_run import Request, prepared, train
from training.tasks import find
from training.tasks.cifar10 import confusions


def settings(own: dict[str, str] | None = None, **given: object) -> Settings:
    small = {"held_out": "0.1", "views": "2", "bias_rate": "4"}
    return find("cifar10").settings.changed(
        {"hidden": 6, "batch": 30, "threads": 1, "learning_rate": 0.2, "epochs": 9, "precision": "full", **given},
        {**small, **(own or {})},
    )


def test_it_learns_and_hands_in_what_it_says(images_folder: Path, tmp_path: Path) -> None:
    found = train(Request(tmp_path, settings(), str(images_folder)))
    assert found["results"]["files"] == ["submission.csv"] and "--cell" not in found["command"]
    numbers = found["results"]["numbers"]
    assert numbers["test accuracy"] > 0.5  # a tenth by chance
    classes = read_images(SOURCE.folder(str(images_folder)), "test").classes.tolist()
    labels = read(tmp_path / "submission.csv", CLASSES, 40)
    right = sum(a == b for a, b in zip(labels, classes, strict=True))
    assert numbers["test accuracy"] == right / 40
    _, confused = found["results"]["tables"]
    assert sum(row[k + 1] for k, row in enumerate(confused["rows"])) == right
    assert json.loads((tmp_path / "metrics.json").read_text())["results"]["numbers"] == numbers


@pytest.mark.parametrize("task", ["cifar10", "visualize"])
def test_a_run_goes_on_as_if_it_had_not_stopped(images_folder: Path, tmp_path: Path, task: str) -> None:
    """Checkpoints in the middle of a pass, and between two meetings of the slow and the fast weights."""
    own = {"held_out": "0.1", "cutout": "4"}
    given = {"hidden": 2, "batch": 30, "threads": 1, "steps": 13, "precision": "full"}
    chosen = find(task).settings.changed(given, own)

    def go_on(name: str, steps: int, at: checkpoint.Progressed | None = None) -> Job:
        stepping = Stepping(prepared(chosen, str(images_folder))[1])
        torch.rand(10)
        rows = ""
        if at is None:
            content = checkpoint.read(tmp_path / name)
            at, rows = checkpoint.restore(content, stepping), content["curve"]
        run(stepping, steps, Record(tmp_path / name, stepping, chosen.to_json(), upto=at.step, rows=rows), at)
        return stepping.job

    whole = go_on("whole", 13, checkpoint.Progressed())
    go_on("half", 7, checkpoint.Progressed())
    again = go_on("half", 13)
    assert (tmp_path / "whole" / "curve.csv").read_bytes() == (tmp_path / "half" / "curve.csv").read_bytes()
    for job in (whole, again):
        assert isinstance(job, ImagesJob)
        job.finish()
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key])


def test_held_out_pictures_are_looked_at_once_an_epoch(images_folder: Path) -> None:
    """Whatever steps get a row: here the ends of epochs, 6 and 12, get none."""
    _, job = prepared(settings(), str(images_folder))
    assert job.epoch == 6
    assert [step for step in range(5, 20, 5) if job.measure(step)] == [10, 15]
    _, again = prepared(settings(), str(images_folder))
    again.restore(job.state())
    assert not again.measure(17) and again.measure(20)


def test_shifts_of_the_normalisation_learn_faster(images_folder: Path) -> None:
    _, job = prepared(settings({"bias_rate": "64"}), str(images_folder))
    others, shifts = job.optimizer.param_groups
    assert len(shifts["params"]) == 6 and shifts["lr"] == pytest.approx(64 * others["lr"])
    assert shifts["lr"] * shifts["weight_decay"] == pytest.approx(others["lr"] * others["weight_decay"])
    job.before_update(0)
    assert others["lr"] == pytest.approx(0.04)


def test_sixteen_bits_are_near_thirty_two(images_folder: Path) -> None:
    losses = []
    for precision in ("full", "bfloat16"):
        _, job = prepared(settings(precision=precision), str(images_folder))
        losses.append(Stepping(job, precision)(0)[0])
    assert losses[0] == pytest.approx(losses[1], rel=0.02) and losses[0] != losses[1]


def test_views_are_a_mean(images_folder: Path) -> None:
    x = torch.randn(2, 3, 32, 32)
    for views in (1, 2, 6):
        found = seen(x, views)
        assert len(found) == views and sum(share for share, _ in found) == pytest.approx(1)
        assert torch.equal(found[0][1], x)
    assert torch.equal(found[2][1][:, :, 1:, 1:], x[:, :, :-1, :-1])
    assert torch.equal(found[5][1].flip(-1)[:, :, :-1, :-1], x[:, :, 1:, 1:])
    _, job = prepared(settings(), str(images_folder))
    assert isinstance(job, ImagesJob)
    single = [job.judged(job.test)]
    job.test.pictures = job.test.pictures.flip(-1)
    single.append(job.judged(job.test))
    torch.testing.assert_close(job.judged(job.test, 2), (single[0] + single[1]) / 2)


def test_confusions_by_hand() -> None:
    table = confusions(torch.tensor([1, 1, 0, 9]), torch.tensor([0, 1, 0, 9]))
    assert table[0, :2].tolist() == [1, 1] and table[1, 1] == table[9, 9] == 1 and int(table.sum()) == 4


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ({"convolutions": "4"}, {}),
        ({"views": "3"}, {}),
        ({}, {"precision": "bfloat16", "dtype": "float64"}),
        ({"held_out": "0"}, {}),
        ({"held_out": "1"}, {}),
        ({"crop": "17"}, {}),
        ({"cutout": "-1"}, {}),
        ({"weight_decay": "-1"}, {}),
        ({}, {"grad": "derived"}),
        ({}, {"cell": "lstm"}),
    ],
)
def test_settings_that_make_no_sense(images_folder: Path, own: dict[str, str], given: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        prepared(settings(own, **given), str(images_folder))


def test_derived_gradients_are_refused_with_a_reason(images_folder: Path) -> None:
    with pytest.raises(UsageError, match="cifar10, which has no recurrent layer"):
        compare(settings(), str(images_folder), 2)
