"""``bptt grade`` as it is called."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bptt.cli import main

ROOT = Path(__file__).parents[2]
CELL = "h_t = \\sigma(W h_{t-1} + U x_t + b)"
RIGHT = "$$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}(\\sigma'(z_t)) W$$\n"
WRONG = "$$\\nabla_W L = \\sum_{t=1}^T \\delta_t h_t^\\top$$\n"


def rows(out: Path) -> dict[str, dict[str, str]]:
    """The table, by the names of the files."""
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    (folder / "bob").mkdir(parents=True)
    (folder / "alice.tex").write_text(RIGHT)
    (folder / "bob" / "answer.md").write_text(WRONG)
    (folder / "notes.pdf").write_text("no")
    (folder / ".hidden.tex").write_text("no")
    command = ["grade", str(folder), "--cell", CELL, "-o", str(out), "--route", "typst", "--jobs", "1"]
    assert main(command) == 0
    assert sorted(path.name for path in out.iterdir()) == ["alice.pdf", "bob-answer.pdf", "grades.csv", "grades.html"]
    assert list(rows(out)) == ["alice.tex", "bob/answer.md"]
    assert "bob-answer.pdf" in (out / "grades.html").read_text()
    told = capsys.readouterr().err
    assert "1 of 2: alice.tex: 1 equation\n" in told and "2 of 2: bob/answer.md: 1 equation\n" in told
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".pdf"}
    assert main([*command, "--no-pdf"]) == 0
    assert (out / "grades.csv").read_bytes() == before["grades.csv"]


def test_a_file_that_was_not_checked_is_told_and_is_the_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    folder.mkdir()
    (folder / "alice.tex").write_text(RIGHT)
    (folder / "broken.ipynb").write_text("{")
    (folder / "link.tex").symlink_to(folder / "alice.tex")
    os.mkfifo(folder / "pipe.tex")
    assert main(["grade", str(folder), "--cell", CELL, "-o", str(out), "--no-pdf", "--jobs", "2"]) == 1
    found = rows(out)
    assert [bool(row["problem"]) for row in found.values()] == [False, True, True, True]
    assert "no notebook" in found["broken.ipynb"]["problem"] and "link" in found["link.tex"]["problem"]
    assert "broken.ipynb: it is no notebook" in capsys.readouterr().err
    page = (out / "grades.html").read_text()
    assert page.count("broken.ipynb") == 1 and page.count("link.tex") == 1


@pytest.mark.parametrize("hints", ["0", "4"])
def test_the_copies_tell_as_much_as_they_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hints: str) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "a.tex").write_text(WRONG)
    asked: list[int] = []

    def seen(name: object, equations: object, results: object, hints: int, usual: object) -> object:
        asked.append(hints)
        return annotated(name, equations, results, hints, usual)  # type: ignore[arg-type]

    from reports.grading.annotated import annotated

    monkeypatch.setattr("reports.grading.annotated.annotated", seen)
    command = ["grade", str(tmp_path / "class"), "--cell", CELL, "-o", str(tmp_path / "out"), "--route", "typst"]
    assert main([*command, "--jobs", "1", *(["--hints", hints] if hints != "4" else [])]) == 0
    assert asked == [int(hints)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere"], "is no folder"),
        (["empty"], "nothing to mark"),
        (["class", "--jobs", "0"], "--jobs is 0"),
        (["class", "--jobs", "-3"], "--jobs is -3"),
        (["class", "--require", "nowhere"], "there is no file"),
        (["class", "--require", "points.txt"], "line 1: -1 is no number of points"),
        (["class", "--cell", "nofile.tex"], "there is no file 'nofile.tex'"),
        (["class", "--alias", "g_t=g_t"], "says nothing"),
    ],
)
def test_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("class", "empty"):
        Path(name).mkdir()
    Path("class/a.tex").write_text(RIGHT)
    Path("points.txt").write_text("-1 \\nabla_W L\n")
    assert main(["grade", *options, "-o", "out", *([] if "--cell" in options else ["--cell", CELL])]) == 2
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGTERM, "1"), (signal.SIGINT, "2")])
def test_what_is_finished_before_a_stop_is_kept(tmp_path: Path, number: signal.Signals, jobs: str) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    folder.mkdir()
    for k in range(60):
        (folder / f"a{k:02}.tex").write_text(WRONG * 10)
    command = [sys.executable, "-m", "bptt", "grade", str(folder), "--cell", CELL, "-o", str(out), "--jobs", jobs]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--route", "typst"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests may run where it is ignored
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("bptt: 1 of 60")
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert "what is finished was written" in told and "Traceback" not in told
    found = rows(out)
    left = [name for name, row in found.items() if row["problem"].startswith("not reached")]
    copies = {path.name for path in out.glob("*.pdf")}
    assert len(found) == 60 and left and len(left) + len(copies) == 60
    assert all((out / name).read_bytes().startswith(b"%PDF") for name in copies)
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".pdf") == ["grades.csv", "grades.html"]
