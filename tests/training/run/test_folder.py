"""The folder of a run: one process at a time, what is left by one that was killed, events, and what cannot be written."""

from __future__ import annotations

import errno
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bptt.cli import main
from derive.errors import UsageError
from training.errors import DatasetError, TrainingError
from training.lock import Locked, locked
from training.run import checkpoint, events
from training.run.settings import Settings
from training.run.whole_run import Request, train
from training.tasks import find

OPTIONS = ("--hidden", "4", "--batch", "4", "--no-report")


def small(**more: object) -> Settings:
    return find("lstm-cell").settings.changed({"steps": 4, "hidden": 3, "batch": 2, **more}, {})


def other_process(work: Callable[[], object]) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(30)
    return process.exitcode


def test_two_runs_in_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "lstm-cell", "--steps", "3", *OPTIONS, "-o", str(tmp_path)]
    with locked(tmp_path / ".lock", wait=0):
        assert other_process(lambda: os._exit(main(command))) == 2
    assert main(command) == 0
    with locked(tmp_path / ".lock", wait=0):
        assert other_process(lambda: os._exit(main([*command, "--resume"]))) == 2
    assert main([*command, "--resume"]) == 0


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    def killed() -> None:
        held = locked(tmp_path / ".lock")
        held.__enter__()
        os._exit(9)

    assert other_process(killed) == 9
    with locked(tmp_path / ".lock", wait=0):
        assert other_process(lambda: refused(tmp_path)) == 7


def refused(folder: Path) -> None:
    try:
        with locked(folder / ".lock", wait=0):
            os._exit(0)
    except Locked:
        os._exit(7)


def test_the_message_of_a_folder_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(path: Path, wait: float) -> object:
        raise Locked

    monkeypatch.setattr("training.run.whole_run.locked", held)
    with pytest.raises(UsageError, match="another process is training in"):
        train(Request(tmp_path, small()))


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint.pt-x1").write_bytes(b"half")
    (tmp_path / ".metrics.json-x2").write_bytes(b"half")
    train(Request(tmp_path, small()))
    assert {path.name for path in tmp_path.iterdir()} == {
        ".lock", "checkpoint.pt", "curve.csv", "metrics.json", "settings.json",
    }  # fmt: skip


def test_a_run_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("step,loss\n")
    with pytest.raises(UsageError, match="holds a run already") as caught:
        train(Request(tmp_path, small()))
    assert "before its first checkpoint" in str(caught.value) and "--resume" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("random"), "belongs to another model"),
        (lambda content: content.update(format=99), "another version"),
        (lambda content: content.update(settings='{"task": "lstm-cell", "colour": 1}'), "another version"),
        (lambda content: content.update(job={}), "belongs to another model"),
        (lambda content: content["model"].popitem(), "belongs to another model: Missing key"),
    ],
)
def test_checkpoints_of_something_else(
    change: Callable[[dict[str, object]], object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(Request(tmp_path, small()))
    content = checkpoint.read(tmp_path)
    change(content)
    checkpoint.write(tmp_path, content)
    assert main(["train", "lstm-cell", "--resume", "--no-report", "-o", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said


def test_a_run_that_is_finished_is_evaluated_again(tmp_path: Path) -> None:
    first = train(Request(tmp_path, small()))
    curve = (tmp_path / "curve.csv").read_bytes()
    again = train(Request(tmp_path, small(), resume=True))
    assert again["results"] == first["results"] and (tmp_path / "curve.csv").read_bytes() == curve
    with pytest.raises(UsageError, match="has made 4 steps, more than 2"):
        train(Request(tmp_path, small(steps=2), resume=True))


@pytest.mark.parametrize("name", ["curve.csv", "settings.json", "metrics.json", "checkpoint.pt"])
def test_a_full_disk(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import files

    def full(source: Path, target: Path) -> Path:
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return Path(os.replace(source, target) or target)  # noqa: PTH105

    monkeypatch.setattr(files.Path, "replace", full)
    with pytest.raises(TrainingError, match=f"{name} cannot be written: the disk is full"):
        train(Request(tmp_path, small()))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(f".{name}")]


def test_a_disk_that_fills_while_rows_are_written(tmp_path: Path) -> None:
    from training.run.curve import Curve

    curve = Curve(tmp_path)
    curve._file.close()
    curve._file = Path("/dev/full").open("a")  # noqa: SIM115
    with pytest.raises(TrainingError, match="the disk is full"):
        curve.add(1, 0.5, {})
    curve.close()


# -- TensorBoard -------------------------------------------------------------------------------------------


def test_events_hold_what_the_curve_holds(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(Request(tmp_path, small(steps=3), tensorboard=True))
    train(Request(tmp_path, small(steps=6), resume=True, tensorboard=True))
    read = accumulator.EventAccumulator(str(tmp_path / events.FOLDER)).Reload()
    header, *rows = [line.split(",") for line in (tmp_path / "curve.csv").read_text().splitlines()]
    assert {*read.Tags()["scalars"]} == {*header[1:]}
    for k, name in enumerate(header[1:], 1):
        found = [(event.step, event.value) for event in read.Scalars(name)]
        wanted = [(int(row[0]), pytest.approx(float(row[k]), rel=1e-6, abs=1e-37)) for row in rows]
        assert found == wanted


def test_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="not installed") as caught:
        train(Request(tmp_path, small(), tensorboard=True))
    assert "pip install 'bptt[tensorboard]'" in str(caught.value) and not list(tmp_path.iterdir())


# -- data --------------------------------------------------------------------------------------------------


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.data.names import SOURCE

    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BPTT_DATA", str(tmp_path / "file" / "cache"))
    with pytest.raises(DatasetError, match="cannot be written") as caught:
        SOURCE.folder()
    assert "$BPTT_DATA" in str(caught.value)


def test_processes_that_start_together_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    import time

    from made_names import write_names

    from training.data import source
    from training.data.names import SOURCE

    ready = shutil.make_archive(str(tmp_path / "ready"), "zip", write_names(tmp_path / "made"))

    def fetch(url: str, path: Path, checksum: str | None, say: object) -> Path:
        with (tmp_path / "calls").open("a") as file:
            file.write("x")
        time.sleep(0.2)
        return Path(shutil.copy(ready, path))

    monkeypatch.setattr(source, "download", fetch)
    monkeypatch.setenv("BPTT_DATA", str(tmp_path / "cache"))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=SOURCE.folder) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "calls").read_text() == "x" and SOURCE.folder().is_dir()


def test_an_archive_that_holds_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from made_names import write_names

    from training.data.names import names_of

    folder = write_names(tmp_path / "cache" / "names")
    monkeypatch.setenv("BPTT_DATA", str(tmp_path / "cache"))
    with pytest.raises(DatasetError, match="names in 3 languages") as caught:
        names_of(None)
    assert "20,074 names in 18 languages" in str(caught.value) and "--data" in str(caught.value)
    assert names_of(str(folder)).lines > 0
