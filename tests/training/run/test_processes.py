"""Runs of several processes: real ones, forked from this one, which find each other as torchrun lets them."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bptt.cli import main
from derive.errors import UsageError
from training.run import checkpoint
from training.run.curve import read_curve
from training.run.processes import Processes
from training.run.share import Share
from training.run.stepping import _mixed
from training.tasks import find
from training.tasks.names import NamesJob

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
Work = Callable[[int], int]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start(ranks: int, work: Work, folder: Path) -> list[multiprocessing.Process]:
    """``work(rank)`` in processes of its own, each with its output in a file ``RANK.txt`` of the folder."""
    port = str(free_port())

    def one(rank: int) -> None:
        given = {"RANK": rank, "WORLD_SIZE": ranks, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": ranks}
        os.environ |= {key: str(value) for key, value in given.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        with (folder / f"{rank}.txt").open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
            code = work(rank)
            sys.stderr.flush()
        os._exit(code)

    context = multiprocessing.get_context("fork")
    found = [context.Process(target=one, args=(rank,)) for rank in range(ranks)]
    for process in found:
        process.start()
    return found


def codes(processes: list[multiprocessing.Process]) -> list[int | None]:
    for process in processes:
        process.join(60)
    alive = [process for process in processes if process.is_alive()]
    for process in alive:
        process.kill()
    assert not alive, "a process hangs"
    return [process.exitcode for process in processes]


def together(ranks: int, folder: Path, *arguments: str) -> str:
    """What ``bptt train`` says in all processes."""
    found = codes(start(ranks, lambda rank: main(["train", *arguments, "--no-report"]), folder))
    said = "".join((folder / f"{rank}.txt").read_text() for rank in range(ranks))
    assert found == [0] * ranks, said
    return said


def losses(folder: Path) -> dict[str, np.ndarray]:
    curve = read_curve(folder)
    return {name: np.array([float(cell or "nan") for cell in cells]) for name, cells in curve.items()}


@pytest.mark.parametrize(
    ("ranks", "arguments"),
    [
        (2, ["names", "--batch", "5", "--cell", "lstm"]),
        (2, ["names", "--batch", "7", "--grad", "derived", "--set", "optimizer=sgd", "--learning-rate", "0.5"]),
        (2, ["names", "--batch", "4", "--cell", "sentiment"]),  # has weights that the loss does not read
        (
            3,
            [
                "practical-11",
                "--batch",
                "5",
                "--set",
                "problem=copy",
                "--set",
                "length=7",
                "--set",
                "string=2",
                "--cell",
                "gru",
            ],
        ),
        (2, ["lstm-cell", "--batch", "3"]),
    ],
)
def test_the_curve_is_that_of_one_process(
    ranks: int, arguments: list[str], names_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(names_folder), "--set", "samples=2"] if arguments[0] == "names" else []
    every = [*arguments, *data, "--steps", "6", "--hidden", "4", "--dtype", "float64"]
    assert main(["train", *every, "--no-report", "-o", str(tmp_path / "one")]) == 0
    together(ranks, tmp_path, *every, "-o", str(tmp_path / "many"))
    one, many = losses(tmp_path / "one"), losses(tmp_path / "many")
    assert [*one] == [*many] and len(one["step"]) == 6
    for name, values in one.items():
        if name != "difference":  # rounding itself
            np.testing.assert_allclose(many[name], values, rtol=1e-9, err_msg=name)
    models = [checkpoint.read(tmp_path / name)["model"] for name in ("one", "many")]
    for key, value in models[0].items():
        torch.testing.assert_close(models[1][key], value, rtol=1e-8, atol=1e-11)


def test_shares_of_different_numbers_of_letters_weigh_what_they_hold(names_folder: Path) -> None:
    """The gradient of a batch from those of its shares, by the formula of the module, and by nothing less."""
    settings = find("names").settings.changed({"hidden": 3, "batch": 5, "dtype": "float64"}, {})
    job = find("names").prepare(settings, str(names_folder), lambda text: None)
    assert isinstance(job, NamesJob)

    def found(share: Share) -> tuple[float, float, Tensor]:
        job.split(share)
        job.model.zero_grad()
        loss = job.loss(0)
        loss.objective.backward()
        return (
            loss.over,
            loss.shown,
            torch.cat([p.grad.flatten() for p in job.model.parameters() if p.grad is not None]),
        )

    over, shown, whole = found(Share())
    parts = [found(Share(rank, 2)) for rank in range(2)]
    assert parts[0][0] != parts[1][0] and over == sum(part[0] for part in parts)
    assert sum(part[0] * part[1] for part in parts) / over == pytest.approx(shown, rel=1e-12)
    torch.testing.assert_close(sum(part[0] * part[2] for part in parts) / over, whole, rtol=1e-11, atol=1e-13)
    assert not torch.allclose(sum(part[2] for part in parts) / 2, whole, rtol=1e-3)


def test_an_idle_process_borrows_an_example_without_weight() -> None:
    share = Share(2, 3)
    assert share.of(np.array([7, 8])).tolist() == [7] and share.idle and share.weight(5) == 0
    assert share.of(np.array([7, 8, 9])).tolist() == [9] and not share.idle and share.weight(5) == 5


def test_a_run_goes_on_with_another_number_of_processes(names_folder: Path, tmp_path: Path) -> None:
    base = ["names", "--data", str(names_folder), "--batch", "4", "--hidden", "4", "--dtype", "float64"]
    base += ["--set", "samples=2"]
    assert main(["train", *base, "--steps", "12", "--no-report", "-o", str(tmp_path / "one")]) == 0
    together(2, tmp_path, *base, "--steps", "5", "-o", str(tmp_path / "many"))
    together(3, tmp_path, *base, "--steps", "12", "--resume", "-o", str(tmp_path / "many"))
    one, many = losses(tmp_path / "one"), losses(tmp_path / "many")
    np.testing.assert_allclose(many["loss"], one["loss"], rtol=1e-9)


def test_a_batch_with_fewer_examples_than_processes(
    names_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one of a pass holds two names for three processes; the third step is the first one of the next pass."""
    settings = find("names").settings.changed({"hidden": 3}, {})
    job = find("names").prepare(settings, str(names_folder), lambda text: None)
    assert isinstance(job, NamesJob)
    batch = len(job.trained) - 2
    every = ["names", "--data", str(names_folder), "--batch", str(batch), "--steps", "3", "--hidden", "3"]
    every += ["--dtype", "float64", "--set", "samples=2"]
    assert main(["train", *every, "--no-report", "-o", str(tmp_path / "one")]) == 0
    together(3, tmp_path, *every, "-o", str(tmp_path / "many"))
    np.testing.assert_allclose(losses(tmp_path / "many")["loss"], losses(tmp_path / "one")["loss"], rtol=1e-9)


def write_reviews(folder: Path) -> Path:
    rng = random.Random(3)
    for part in ("train", "test"):
        for kind in ("pos", "neg"):
            home = folder / "aclImdb" / part / kind
            home.mkdir(parents=True)
            for number in range(12):
                (home / f"{number}_7.txt").write_text(" ".join(rng.choices("a b c d e".split(), k=rng.randint(1, 9))))
    return folder


@pytest.mark.parametrize("more", [["--grad", "derived", "--set", "directions=2"], ["--set", "dropout=0.5"]])
def test_reviews(more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As with one process; and where chance is in it, a run goes on with the bytes of an unbroken one."""
    every = [
        "sentiment-imdb",
        "--data",
        str(write_reviews(tmp_path)),
        "--batch",
        "5",
        "--hidden",
        "3",
        "--threads",
        "1",
    ]
    every += ["--dtype", "float64", "--cell", "lstm", "--set", "embedding=2", *more]
    together(2, tmp_path, *every, "--steps", "7", "-o", str(tmp_path / "two"))
    if "dropout=0.5" in more:
        together(2, tmp_path, *every, "--steps", "3", "-o", str(tmp_path / "parts"))
        together(2, tmp_path, *every, "--steps", "7", "--resume", "-o", str(tmp_path / "parts"))
        assert (tmp_path / "parts" / "curve.csv").read_bytes() == (tmp_path / "two" / "curve.csv").read_bytes()
    else:
        assert main(["train", *every, "--steps", "7", "--no-report", "-o", str(tmp_path / "one")]) == 0
        one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
        for name, values in one.items():
            np.testing.assert_allclose(two[name], values, rtol=1e-9, err_msg=name)


def test_each_process_has_random_numbers_of_its_own_at_each_step() -> None:
    assert len({_mixed(0, step, rank) for step in range(50) for rank in range(4)}) == 200
    assert _mixed(1, 2, 3) == _mixed(1, 2, 3)


# -- what goes wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["names", "--set", "epoch=name"], "one name, which 2 processes cannot share"),
        (["names", "--batch", "1"], "--batch 1 cannot be shared by 2 processes"),
        (["names", "--cell", "nothing"], "no cell 'nothing'"),
        (["names", "--resume"], "no checkpoint in"),
        (["lstm-cell", "--compare", "2"], "--compare takes one process"),
        (["nams"], "there is no task 'nams'"),
        (["names", "--learning-rate", "1e6", "--cell", "irnn", "--set", "optimizer=sgd"], "not finite|is nan|is inf"),
        (["lstm-cell", "--device", "cuda"], "--device cuda cannot be used"),
    ],
)
def test_one_message_of_all(arguments: list[str], message: str, names_folder: Path, tmp_path: Path) -> None:
    if arguments[0] == "names":
        arguments = [*arguments, "--data", str(names_folder)]
    every = [*arguments, "--steps", "60", "--hidden", "4", "-o", str(tmp_path / "run")]
    processes = start(2, lambda rank: main(["train", *every, "--no-report"]), tmp_path)
    found = codes(processes)
    said = "".join((tmp_path / f"{rank}.txt").read_text() for rank in range(2))
    assert 0 not in found and 2 in found, said
    assert len(re.findall(message, said)) == 1 and "Traceback" not in said, said


def test_an_error_of_one_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.errors import TrainingError
    from training.tasks.lstm_cell import CellsJob

    before = CellsJob.loss

    def loss(job: CellsJob, step: int) -> object:
        if step == 3 and os.environ.get("RANK") == "1":
            raise TrainingError("this one has failed")
        return before(job, step)

    monkeypatch.setattr(CellsJob, "loss", loss)
    every = ["lstm-cell", "--steps", "2000", "--hidden", "4", "-o", str(tmp_path / "run"), "--no-report"]
    assert codes(start(2, lambda rank: main(["train", *every]), tmp_path)) == [1, 2]
    assert (tmp_path / "1.txt").read_text() == "bptt: this one has failed\n" and not (tmp_path / "0.txt").read_text()


def test_a_process_that_is_killed_ends_all(tmp_path: Path) -> None:
    every = ["lstm-cell", "--steps", "20000", "--hidden", "4", "-o", str(tmp_path / "run"), "--no-report"]
    processes = start(2, lambda rank: main(["train", *every]), tmp_path)
    wait_for_a_row(tmp_path / "run" / "curve.csv", processes)
    os.kill(processes[1].pid or 0, signal.SIGKILL)
    assert codes(processes) == [2, -signal.SIGKILL]
    assert "another process of the run has ended" in (tmp_path / "0.txt").read_text()


@pytest.mark.parametrize("asked", [0, 1])
def test_whoever_is_asked_all_stop_after_the_same_step(asked: int, tmp_path: Path) -> None:
    every = ["lstm-cell", "--steps", "20000", "--hidden", "4", "-o", str(tmp_path / "run"), "--no-report"]
    processes = start(2, lambda rank: main(["train", *every]), tmp_path)
    wait_for_a_row(tmp_path / "run" / "curve.csv", processes)
    for _ in range(2):  # torchrun and the terminal both send one
        os.kill(processes[asked].pid or 0, signal.SIGTERM)
    assert codes(processes) == [130, 130]
    step = checkpoint.read(tmp_path / "run")["at"]["step"]
    said = "".join((tmp_path / f"{rank}.txt").read_text() for rank in range(2))
    assert said.count("stopped after step") == 1 and f"stopped after step {step};" in said


def wait_for_a_row(path: Path, processes: list[multiprocessing.Process]) -> None:
    """Until a row follows the heading of a curve: then every process has made a step."""
    end = time.monotonic() + 60
    while rows(path) < 2 and time.monotonic() < end and all(process.is_alive() for process in processes):
        time.sleep(0.005)
    assert rows(path) >= 2


def rows(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(("device", "message"), [("cuda:1", "is one device"), ("cuda", "0 GPUs, and more processes")])
def test_devices_of_several_processes(device: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(UsageError, match=message):
        Processes(0, 2).choose_device(device)
    Processes().choose_device(device)
